//! Words on their way to Slack: made harmless, and cut where a person would cut.

use kubewhy_text::{Span, Text, printable};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::limits;

/// How wide a tab is.
const TAB: &str = "    ";

/// One harmless line in which only the ASCII space parts words.
pub(super) fn clean(words: &str) -> String {
    printable(words).chars().map(|c| if c.is_whitespace() { ' ' } else { c }).collect()
}

/// The lines of somebody else's words, not yet clean.
pub(super) fn raw_lines(words: &str) -> impl DoubleEndedIterator<Item = &str> + Clone {
    words.strip_suffix('\n').unwrap_or(words).split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line))
}

/// One harmless line of a log, in which every space counts.
pub(super) fn clean_line(line: &str) -> String {
    clean(&line.replace('\t', TAB))
}

/// Parts words where the first part is at most `most` long as `measure` counts: behind a space if that leaves it more than
/// half full, else behind a whole letter. The first part is empty only if the words are.
pub(super) fn part(words: &str, most: usize, measure: impl Fn(char) -> usize) -> (&str, &str) {
    let mut used = 0;
    let (mut end, mut space) = (0, 0);
    let mut whole = true;
    for (start, letter) in words.grapheme_indices(true) {
        let long: usize = letter.chars().map(&measure).sum();
        if used + long > most {
            whole = false;
            break;
        }
        used += long;
        end = start + letter.len();
        if letter == " " {
            space = end;
        }
    }
    if whole {
        return (words, "");
    }
    if space > end / 2 {
        end = space;
    }
    if end == 0 {
        end = words.chars().next().map_or(0, char::len_utf8);
    }
    words.split_at_checked(end).unwrap_or((words, ""))
}

/// The beginning of words that are shown within a sentence, clean, and how many characters follow it.
pub(super) fn shown(words: &str, most: usize) -> (String, usize) {
    let (kept, rest) = part(words, most, char::len_utf16);
    (clean(kept), rest.chars().count())
}

/// The words of a text on one line, as [`Text::plain`] has them, without foreign white space.
pub(super) fn plain(text: &Text) -> String {
    clean(&text.plain())
}

/// A text for where Slack takes plain words only (buttons, menus, small print): with letters that look alike instead of the
/// brackets of Slack's control sequences.
pub(super) fn without_brackets(words: &str) -> String {
    words.replace("->", "→").replace('<', "‹").replace('>', "›")
}

/// A text as a label of at most `most`: what is too long loses its middle, as names differ at their ends.
pub(super) fn label(text: &Text, most: usize) -> String {
    let words = without_brackets(&plain(&short(text)));
    let words = words.trim();
    if words.is_empty() {
        return "(no words)".to_owned();
    }
    if limits::length(words) <= most {
        return words.to_owned();
    }
    let (head, _) = part(words, most / 2, char::len_utf16);
    let room = most.saturating_sub(limits::length(head) + 1);
    let mut tail: Vec<&str> = Vec::new();
    let mut used = 0;
    for letter in words.graphemes(true).rev() {
        used += limits::length(letter);
        if used > room {
            break;
        }
        tail.push(letter);
    }
    tail.reverse();
    format!("{head}…{}", tail.concat())
}

/// A text whose foreign words are not longer than a label could ever show.
fn short(text: &Text) -> Text {
    let mut short = text.clone();
    for span in short.spans_mut() {
        if let Span::Name(words) | Span::Untrusted(words) | Span::Code(words) = span {
            let (head, rest) = part(words, 2 * limits::LABEL, char::len_utf16);
            if !rest.is_empty() {
                *words = format!("{head}…");
            }
        }
    }
    short
}

/// Words for the `text` of a message, in which Slack looks for its own signs: none is left in them, as letters that look alike
/// stand there instead. A notification is read, not copied from.
pub(super) fn without_signs(words: &str) -> String {
    let words = without_brackets(words);
    let mut safe = String::with_capacity(words.len());
    let mut before = None;
    let mut letters = words.chars().peekable();
    while let Some(c) = letters.next() {
        let after = letters.peek().copied();
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '&' => safe.push_str("&amp;"),
            '`' => safe.push('ˋ'),
            '*' => safe.push('∗'),
            '~' => safe.push('∼'),
            '_' if !(inside(before) && inside(after)) => safe.push('‗'),
            // Who or where: `@here`, `ada@example.com`, `#general`.
            '@' => safe.push('＠'),
            '#' => safe.push('＃'),
            // `:fire:`, `https://`.
            ':' if after.is_some_and(|after| !after.is_whitespace()) => safe.push('∶'),
            // Slack makes a link of whatever could be a domain.
            '.' if inside(before) && after.is_some_and(char::is_alphabetic) => safe.push('․'),
            c => safe.push(c),
        }
        before = Some(c);
    }
    safe
}

#[cfg(test)]
mod tests {
    use kubewhy_text::{name, text};

    use super::*;

    #[test]
    fn words_are_parted_where_a_person_would() {
        let at = |words: &'static str, most| part(words, most, char::len_utf16);
        assert_eq!(at("one two three", 9), ("one two ", "three"));
        assert_eq!(at("one abcdefghijk", 9), ("one abcde", "fghijk"), "half a line is too much to give away");
        assert_eq!(at("fits", 4), ("fits", ""));
        assert_eq!(at("ne\u{301}e", 2), ("n", "e\u{301}e"), "a letter stays with its accent");
        assert_eq!(at("🦀🦀", 3), ("🦀", "🦀"));
        assert_eq!(at("🦀", 1), ("🦀", ""), "it always goes on");
        assert_eq!(at("", 0), ("", ""));
    }

    #[test]
    fn a_long_label_keeps_both_ends_of_a_name() {
        let long = label(&text!["Pod ", name(format!("shop/{}-7c9d5f6b8-x2x4q", "cart".repeat(40)))], 40);
        assert_eq!(long, "Pod shop/cartcartcar…art-7c9d5f6b8-x2x4q");
    }

    #[test]
    fn no_sign_of_slack_is_left_in_a_notification() {
        assert_eq!(without_signs("<!channel> & <@U1>"), "‹!channel› &amp; ‹＠U1›");
        assert_eq!(
            without_signs("see https://evil.example :fire: 03: *x* `y`"),
            "see https∶//evil․example ∶fire: 03: ∗x∗ ˋyˋ"
        );
        assert_eq!(without_signs("DB_PASSWORD _x_ v1.4.2 #general"), "DB_PASSWORD ‗x‗ v1.4.2 ＃general");
    }
}
