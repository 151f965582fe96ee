//! The text file in which words stand whole that are shown in part.

use std::fmt::Write as _;

use kubewhy_text::printable;

use super::File;

/// Its name.
pub(super) const NAME: &str = "whole.txt";
/// The most bytes that it holds: less than Discord's limit, so that notes have room.
const MOST_BYTES: usize = crate::limits::FILE_BYTES - 2 * 1024 * 1024;

/// What belongs into the file: words as they came, each once, and the rows for which there were no messages left.
#[derive(Debug, Default)]
pub(super) struct Whole<'m> {
    words: Vec<&'m str>,
    rest: String,
}

impl<'m> Whole<'m> {
    /// Keeps words, and says where they will be found.
    pub(super) fn keep(&mut self, words: &'m str) -> String {
        let known = self.words.iter().position(|kept| *kept == words);
        let at = known.unwrap_or_else(|| {
            self.words.push(words);
            self.words.len() - 1
        });
        if at == 0 { NAME.to_owned() } else { format!("{NAME}, no. {}", at + 1) }
    }

    /// Keeps a row for which there is no message.
    pub(super) fn rest(&mut self, row: &str) {
        self.rest.push_str(row);
        self.rest.push('\n');
    }

    /// The file, where there is something to say in one.
    pub(super) fn file(&self) -> Option<File> {
        let parts = self.words.len() + usize::from(!self.rest.is_empty());
        if parts == 0 {
            return None;
        }
        let mut out = String::new();
        for (index, words) in self.words.iter().enumerate() {
            if parts > 1 {
                heading(&mut out, &format!("no. {}", index + 1));
            }
            words.strip_suffix('\n').unwrap_or(words).split('\n').for_each(|line| push_line(&mut out, line));
        }
        if !self.rest.is_empty() {
            if parts > 1 {
                heading(&mut out, "what followed");
            }
            self.rest.lines().for_each(|line| push_line(&mut out, line));
        }
        Some(File { name: NAME.to_owned(), bytes: within(out).into_bytes() })
    }
}

fn heading(out: &mut String, words: &str) {
    let gap = if out.is_empty() { "" } else { "\n" };
    // Writing to a String cannot fail.
    let _ = writeln!(out, "{gap}===== {words} =====");
}

/// A line without what would steer a terminal or the reading direction; its tabs stay.
fn push_line(out: &mut String, line: &str) {
    if out.len() > MOST_BYTES {
        return;
    }
    for (index, part) in line.trim_end_matches('\r').split('\t').enumerate() {
        if index > 0 {
            out.push('\t');
        }
        out.push_str(&printable(part));
    }
    out.push('\n');
}

fn within(mut out: String) -> String {
    if out.len() > MOST_BYTES {
        let end = (0..=MOST_BYTES).rev().find(|end| out.is_char_boundary(*end)).unwrap_or(0);
        out.truncate(end);
        out.push_str("\n===== cut here: Discord takes no larger file =====\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_are_kept_once() {
        let mut whole = Whole::default();
        assert_eq!(whole.keep("log\u{1b}[1m\tx\r\ny"), "whole.txt");
        assert_eq!(whole.keep("other"), "whole.txt, no. 2");
        assert_eq!(whole.keep("other"), "whole.txt, no. 2");
        let text = String::from_utf8(whole.file().unwrap().bytes).unwrap();
        assert_eq!(text, "===== no. 1 =====\nlog[1m\tx\ny\n\n===== no. 2 =====\nother\n");
    }

    #[test]
    fn one_log_is_a_file_as_it_is() {
        let mut whole = Whole::default();
        whole.keep("a\nb");
        assert_eq!(whole.file().unwrap().bytes, b"a\nb\n");
        assert_eq!(Whole::default().file(), None);
    }

    #[test]
    fn the_file_is_never_larger_than_discord_takes() {
        let words = "日".repeat(5 << 20);
        let mut whole = Whole::default();
        whole.keep(&words);
        let file = whole.file().unwrap();
        assert!(file.bytes.len() <= crate::limits::FILE_BYTES);
        assert!(String::from_utf8(file.bytes).unwrap().ends_with("larger file =====\n"));
    }
}
