//! What Slack takes, each with where that is said. Lengths are in UTF-16 code units, the strictest way in which Slack could
//! count characters.

use serde::Serialize;

/// Blocks of a message: <https://docs.slack.dev/reference/block-kit/blocks>.
pub const BLOCKS: usize = 50;
/// Blocks of a modal: <https://docs.slack.dev/reference/block-kit/blocks>.
pub const VIEW_BLOCKS: usize = 100;
/// The [`weight`] of a message's blocks. `msg_blocks_too_long` comes at about 13,200 characters of JSON, which no page says:
/// <https://github.com/slackapi/bolt-js/issues/2509>.
pub const MESSAGE: usize = 12_000;
/// The [`weight`] of one block of ours, so that blocks fill messages well: ours.
pub const BLOCK: usize = 6_000;
/// The [`weight`] of a table; a larger one is shown as aligned text: ours.
pub const TABLE: usize = 7_500;
/// Messages in the thread of an answer before the rest is left to a file: ours.
pub const THREAD: usize = 4;
/// What a notification shows; Slack advises 4,000 and cuts at 40,000:
/// <https://docs.slack.dev/reference/methods/chat.postMessage#truncating>. Ours is what can be read at a glance.
pub const TEXT: usize = 1_000;
/// Elements of a context block: <https://docs.slack.dev/reference/block-kit/blocks/context-block>.
pub const CONTEXT_ELEMENTS: usize = 10;
/// A text object: <https://docs.slack.dev/reference/block-kit/composition-objects/text-object>.
pub const TEXT_OBJECT: usize = 3_000;
/// Elements of an actions block: <https://docs.slack.dev/reference/block-kit/blocks/actions-block>.
pub const ACTIONS: usize = 25;
/// What stands on a button: <https://docs.slack.dev/reference/block-kit/block-elements/button-element>.
pub const BUTTON: usize = 75;
/// The address behind a button: the same page.
pub const URL: usize = 3_000;
/// The words of an option: <https://docs.slack.dev/reference/block-kit/composition-objects/option-object>. The value behind it
/// takes 150, more than [`kubewhy_chat::Press::MOST_BYTES`].
pub const OPTION: usize = 75;
/// Options of a menu: <https://docs.slack.dev/reference/block-kit/block-elements/select-menu-element>.
pub const OPTIONS: usize = 100;
/// What stands in an empty menu or field: the same page.
pub const PLACEHOLDER: usize = 150;
/// Rows of a table, its heads among them: <https://docs.slack.dev/reference/block-kit/blocks/table-block>.
pub const TABLE_ROWS: usize = 100;
/// Cells of a row: the same page.
pub const TABLE_COLUMNS: usize = 20;
/// The title of a modal and the words on its buttons: <https://docs.slack.dev/reference/views/modal-views>.
pub const VIEW_TITLE: usize = 24;
/// The label of a field: <https://docs.slack.dev/reference/block-kit/blocks/input-block>.
pub const LABEL: usize = 2_000;
/// The longest answer that a field takes:
/// <https://docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element>.
pub const ANSWER: usize = 3_000;
/// The name under which a block or an action comes back: <https://docs.slack.dev/reference/block-kit/blocks>.
pub const ID: usize = 255;
/// What somebody else said within a sentence; what follows is counted: ours.
pub const WORDS: usize = 1_000;
/// One line of a log or quotation: ours.
pub const LINE: usize = 1_000;
/// A command; a part of a command is worse than none: ours.
pub const COMMAND: usize = 2_000;
/// The [`weight`] of a log or manifest; what does not fit is cut out of its middle: ours.
pub const CODE: usize = 8_000;
/// The same of a quotation: ours.
pub const QUOTE: usize = 3_000;
/// The bytes of the file that holds the whole answer: ours; Slack takes 1 GB.
pub const FILE: usize = 8 * 1024 * 1024;
/// How much can stand in a bar of colour (an attachment) before Slack may fold it away, which no page says: ours.
pub const COLOURED_BLOCKS: usize = 5;
/// The same as [`weight`]: ours.
pub const COLOURED: usize = 2_000;

/// How much of a message something takes: its JSON in bytes, as long as if every letter beyond ASCII were escaped.
pub fn weight(part: &impl Serialize) -> usize {
    // What cannot be written cannot be sent either.
    serde_json::to_string(part).map_or(usize::MAX / 2, |json| json.chars().map(in_ascii).sum())
}

/// How much of a message a character of a string takes.
pub fn character(c: char) -> usize {
    match c {
        '"' | '\\' => 2,
        c if c.is_ascii_control() => 6,
        c => in_ascii(c),
    }
}

/// How much of a message words take.
pub fn string(words: &str) -> usize {
    words.chars().map(character).sum()
}

/// How long words are for Slack.
pub fn length(words: &str) -> usize {
    words.chars().map(char::len_utf16).sum()
}

fn in_ascii(c: char) -> usize {
    // `\uXXXX` for each code unit.
    if c.is_ascii() { 1 } else { 6 * c.len_utf16() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weight_of_words_is_that_of_their_json() {
        for words in ["plain", "a \"quoted\" \\ word", "日本", "🦀", "two\nlines", ""] {
            assert!(string(words) + 2 >= weight(&words), "{words:?}");
        }
        assert_eq!(weight(&"日"), 8);
    }
}
