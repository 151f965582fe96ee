//! Lines to read or to copy as they are.

use slack_morphism::prelude::SlackRichTextPreformatted;

use super::inline::{self, Look};
use super::piece::{Pieces, WRAPPING};
use super::words;
use crate::limits;

impl Pieces {
    /// Clean lines in the look of code.
    pub(super) fn preformatted(&mut self, lines: &[String]) {
        if lines.iter().all(|line| line.trim().is_empty()) {
            self.section(vec![inline::own("(nothing)", Look::Plain)]);
            return;
        }
        let mut open = String::new();
        let mut used = 0;
        for line in lines {
            let mut rest = line.as_str();
            loop {
                let (first, more) = words::part(rest, limits::BLOCK - WRAPPING, limits::character);
                let long = limits::string(first) + 2;
                if used + long > limits::BLOCK - WRAPPING && used > 0 {
                    self.preformatted_block(std::mem::take(&mut open));
                    used = 0;
                }
                if used > 0 {
                    open.push('\n');
                }
                open.push_str(first);
                used += long;
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
        }
        self.preformatted_block(open);
    }

    fn preformatted_block(&mut self, words: String) {
        if !words.is_empty() {
            let words = SlackRichTextPreformatted::new(vec![inline::own(words, Look::Plain)]);
            self.rich(vec![words.into()]);
        }
    }

    /// Clean lines that weigh at most `most`; of what does not fit, lines that weigh `first` are kept from the beginning and
    /// the others from the end, where a log says why it ended.
    pub(super) fn lines(&mut self, words: &str, first: usize, most: usize) -> Vec<String> {
        let all: Vec<&str> = words::raw_lines(words).collect();
        let mut head = Vec::new();
        let mut room = first;
        let mut left = all.as_slice();
        while let Some((line, more)) = left.split_first() {
            let Some(line) = self.line(line, &mut room) else { break };
            head.push(line);
            left = more;
        }
        let mut tail = Vec::new();
        room += most.saturating_sub(first);
        while let Some((line, more)) = left.split_last() {
            let Some(line) = self.line(line, &mut room) else { break };
            tail.push(line);
            left = more;
        }
        if !left.is_empty() {
            self.cut = true;
            head.push(format!("… ({} more lines)", left.len()));
        }
        head.extend(tail.into_iter().rev());
        head
    }

    /// A clean line that is not too long, if there is room for it.
    fn line(&mut self, line: &str, room: &mut usize) -> Option<String> {
        let (kept, rest) = words::part(line, limits::LINE, char::len_utf16);
        let mut shown = words::clean_line(kept);
        if !rest.is_empty() {
            shown.push_str(&words::more(rest.chars().count()));
        }
        *room = room.checked_sub(limits::string(&shown) + 2)?;
        self.cut |= !rest.is_empty();
        Some(shown)
    }

    /// A command in a block of its own, whole, so that it can be copied.
    pub(super) fn command(&mut self, command: &str) {
        let (kept, rest) = words::part(command, limits::COMMAND, char::len_utf16);
        let shown = words::clean(kept);
        if rest.is_empty() && limits::string(&shown) < limits::BLOCK - WRAPPING {
            self.preformatted(&[shown]);
            return;
        }
        self.cut = true;
        let characters = command.chars().count();
        self.section(vec![inline::own(
            format!("(a command of {characters} characters, too long to be copied from here)"),
            Look::Plain,
        )]);
    }
}
