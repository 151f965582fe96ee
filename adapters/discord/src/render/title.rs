//! The headline as the title of an embed.

use kubewhy_chat::Message;
use kubewhy_text::{Span, printable};

use super::line::{code_span, escape, escape_start, head};
use crate::limits;

/// The title of a message, and whether it holds the whole headline.
pub(super) fn title(message: &Message) -> (String, bool) {
    let mut title = match message.tone.mark_and_word() {
        Some((mark, word)) if message.headline.is_empty() => format!("{} {word}", escape(mark)),
        Some((mark, word)) => format!("{} {word}: ", escape(mark)),
        None => String::new(),
    };
    let mut is_whole = true;
    for span in message.headline.spans() {
        is_whole &= push_to_title(&mut title, span);
    }
    let title = title.trim();
    (if is_whole { title.to_owned() } else { format!("{title}…") }, is_whole)
}

/// Appends what has room, and tells whether that was all. Points in time stay words: no client counts on them in a title.
fn push_to_title(title: &mut String, span: &Span) -> bool {
    const ELLIPSIS: usize = 1;
    /// The back-ticks of a code span, and a space before them.
    const SIGNS: usize = 3;
    let room = (limits::TITLE - ELLIPSIS).saturating_sub(limits::length(title));
    let words = match span {
        Span::Own(words) => {
            let clean = printable(words);
            let escaped = if title.is_empty() { escape_start(clean.trim_start()) } else { escape(&clean) };
            // A back-slash that is cut off from its sign would escape what follows.
            let kept: String = head_of_words(&escaped, room).trim_end_matches('\\').to_owned();
            let is_all = kept.len() == escaped.len() || escaped.ends_with('\\') && limits::length(&escaped) <= room;
            title.push_str(if is_all { &escaped } else { &kept });
            return is_all;
        }
        Span::Name(words) | Span::Code(words) | Span::Untrusted(words) => words.clone(),
        Span::Time(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
    };
    let (kept, rest) = head(&words, room.saturating_sub(SIGNS));
    if kept.is_empty() && !rest.is_empty() {
        return false;
    }
    if title.ends_with('`') {
        title.push(' ');
    }
    if matches!(span, Span::Time(_)) {
        title.push_str(kept);
    } else {
        title.push_str(&code_span(kept));
    }
    rest.is_empty()
}

/// The first whole words that have room.
fn head_of_words(words: &str, most: usize) -> &str {
    let (kept, rest) = head(words, most);
    if rest.is_empty() {
        return kept;
    }
    kept.rsplit_once(' ').map_or("", |(before, _)| before)
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Tone;
    use kubewhy_text::{name, text};

    use super::*;

    #[test]
    fn a_title_that_is_cut_says_so_and_is_not_whole() {
        let long = Message::new(Tone::Failing, text!["Pod ", name("x".repeat(300)), " fails"]);
        let (title, is_whole) = super::title(&long);
        assert!(!is_whole && title.ends_with("x`…") || title.ends_with('…'), "{title}");
        assert!(limits::length(&title) <= limits::TITLE);
        let short = Message::new(Tone::Failing, text!["Pod ", name("x"), " fails"]);
        assert_eq!(super::title(&short), ("✖ failing: Pod `x` fails".to_owned(), true));
    }
}
