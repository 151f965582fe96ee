//! Words where Discord knows no markup: on buttons, in menus and forms, as names of threads and files.

use kubewhy_chat::Message;
use kubewhy_text::{Span, Text};

use super::line::head;
use crate::limits;

/// What stands where a text has no words.
const NOTHING: &str = "(no words)";

/// One plain line of at most so many UTF-16 code units, and whether it is all.
pub(super) fn label(text: &Text, most: usize) -> (String, bool) {
    // Cut before it is cleaned: words may be without end.
    let mut short = Text::default();
    let mut is_all = true;
    for span in text.spans() {
        let cut = |words: &String, is_all: &mut bool| {
            let (kept, rest) = head(words, 4 * most);
            *is_all &= rest.is_empty();
            kept.to_owned()
        };
        short.push(match span {
            Span::Name(words) => Span::Name(cut(words, &mut is_all)),
            Span::Untrusted(words) => Span::Untrusted(cut(words, &mut is_all)),
            Span::Code(words) => Span::Code(cut(words, &mut is_all)),
            Span::Own(_) | Span::Time(_) => span.clone(),
        });
    }
    let (line, fits) = within(&short.plain(), most);
    (if line.is_empty() { NOTHING.to_owned() } else { line }, is_all && fits)
}

/// The words with single spaces, cut between words.
fn within(words: &str, most: usize) -> (String, bool) {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    if limits::length(&line) <= most {
        return (line, true);
    }
    let (kept, _) = head(&line, most.saturating_sub(1));
    // Where the last word is most of it, it is cut itself.
    let between = kept.rsplit_once(' ').map(|(before, _)| before).filter(|before| 2 * before.len() > kept.len());
    (format!("{}…", between.unwrap_or(kept)), false)
}

/// A thread's name from a headline. Nothing in it is a sign anywhere, a mention or an address.
pub(super) fn thread_name(message: &Message) -> String {
    let (line, _) = label(&message.headline, 4 * limits::THREAD_NAME);
    let harmless: String = line
        .replace("://", " ")
        .chars()
        .filter(|c| !matches!(c, '@' | '#' | '<' | '>' | '`' | '*' | '~' | '|' | '\\' | '[' | ']'))
        .collect();
    let (name, _) = within(&harmless, limits::THREAD_NAME);
    if name.is_empty() || message.headline.is_empty() { "kubewhy".to_owned() } else { name }
}

/// A file's name out of letters, digits and `-._`, with that ending; `number` keeps names apart.
pub(super) fn file_name(name: &str, ending: &str, number: usize) -> String {
    const LONGEST: usize = 60;
    let stem = name.strip_suffix(ending).unwrap_or(name);
    let safe: String =
        stem.chars().take(LONGEST).filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
    let safe = if safe.is_empty() { "picture" } else { &safe };
    if number == 0 { format!("{safe}{ending}") } else { format!("{safe}-{}{ending}", number + 1) }
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Tone;
    use kubewhy_text::{name, quoted, text};

    use super::*;

    #[test]
    fn a_label_is_cut_between_words() {
        assert_eq!(label(&text!["Tell me when it works"], 14), ("Tell me when…".to_owned(), false));
        assert_eq!(label(&text![name("x".repeat(50))], 10), ("xxxxxxxxx…".to_owned(), false));
        assert_eq!(label(&text![" \n"], 10), ("(no words)".to_owned(), true));
        assert_eq!(label(&text![name("😀😀😀")], 5).0, "😀😀…");
    }

    #[test]
    fn a_thread_name_is_harmless() {
        let name = |words: &str| thread_name(&Message::new(Tone::Failing, text!["Pod ", quoted(words), " fails"]));
        assert_eq!(name("@everyone <@1> https://evil.example `x`"), "Pod \"everyone 1 https evil.example x\" fails");
        assert_eq!(thread_name(&Message::default()), "kubewhy");
    }

    #[test]
    fn a_file_name_is_harmless() {
        assert_eq!(file_name("../../e vil@.png", ".png", 0), "evil.png");
        assert_eq!(file_name("", ".png", 1), "picture-2.png");
    }
}
