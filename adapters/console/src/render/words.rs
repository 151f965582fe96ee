//! Words in lines: a text becomes words that are not divided, and lines that fit.

use jiff::Timestamp;
use kubewhy_text::{Span, Text};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::times;
use crate::theme::{self, Role};
use crate::view::View;

/// The widest word that stays whole.
const WIDEST_WORD: usize = 2_000;

/// Clean words in one look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Piece {
    role: Role,
    words: String,
    /// Where it leads; checked by [`theme::linkable`].
    link: Option<String>,
}

impl Piece {
    pub(crate) fn new(role: Role, words: impl Into<String>) -> Self {
        Self { role, words: words.into(), link: None }
    }

    pub(crate) fn width(&self) -> usize {
        self.words.width()
    }

    pub(crate) fn words(&self) -> &str {
        &self.words
    }

    fn looks_like(&self, other: &Self) -> bool {
        self.role == other.role && self.link == other.link
    }

    pub(crate) fn write(&self, out: &mut String, view: &View) {
        let link = self.link.as_deref().filter(|_| view.hyperlinks);
        if let Some(address) = link {
            theme::open_link(out, address);
        }
        self.role.paint(out, &self.words, view.colour);
        if link.is_some() {
            theme::close_link(out);
        }
    }
}

/// A word: no line is broken inside it, unless it is too wide for a line of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Word(Vec<Piece>);

impl Word {
    /// A word of one piece.
    pub(crate) fn new(role: Role, words: impl Into<String>) -> Self {
        Self(vec![Piece::new(role, words)])
    }

    /// The same with a link behind it.
    pub(crate) fn linked(mut self, address: &str) -> Self {
        for piece in &mut self.0 {
            piece.link = Some(address.to_owned());
        }
        self
    }

    pub(crate) fn width(&self) -> usize {
        self.0.iter().map(Piece::width).sum()
    }

    pub(crate) fn text(&self) -> String {
        self.0.iter().map(|piece| piece.words.as_str()).collect()
    }

    /// Whether it is kept whole though it is wider than the line, so that it can be copied: ASCII without the characters
    /// that could pass for a button, prompt or headline where the terminal wraps it.
    fn stays_whole(&self) -> bool {
        let harmless = |c: char| c.is_ascii_graphic() && !matches!(c, '[' | ']' | '>' | '$');
        self.width() <= WIDEST_WORD && self.0.iter().all(|piece| piece.words.chars().all(harmless))
    }
}

/// The words of a text that has been cleaned; `role` is the look of what has none of its own.
pub(crate) fn of_text(text: &Text, role: Role, now: Option<Timestamp>) -> Vec<Word> {
    let mut words = Words::default();
    for span in text.spans() {
        match span {
            Span::Own(own) => words.push(role, own),
            Span::Name(name) => words.push(role, name),
            Span::Code(code) => words.push(if role == Role::Plain { Role::Code } else { role }, code),
            Span::Untrusted(foreign) => {
                // Words that hold quotation marks themselves stand in the other kind.
                let (open, close) = if foreign.contains('"') { ("\u{201c}", "\u{201d}") } else { ("\"", "\"") };
                words.push(role, open);
                words.push(role, foreign);
                words.push(role, close);
            }
            Span::Time(time) => {
                // "4 min ago" is never divided.
                words.append(role, &times::clock(*time, now));
                if let Some(now) = now {
                    words.part();
                    words.append(role, &format!("({})", times::age(*time, now)));
                }
            }
        }
    }
    words.finish()
}

#[derive(Default)]
struct Words {
    done: Vec<Word>,
    open: Word,
}

impl Words {
    fn push(&mut self, role: Role, words: &str) {
        let mut parts = words.split(' ');
        if let Some(first) = parts.next() {
            self.append(role, first);
        }
        for part in parts {
            self.part();
            self.append(role, part);
        }
    }

    fn append(&mut self, role: Role, words: &str) {
        if words.is_empty() {
            return;
        }
        match self.open.0.last_mut() {
            Some(last) if last.role == role => last.words.push_str(words),
            _ => self.open.0.push(Piece::new(role, words)),
        }
    }

    fn part(&mut self) {
        if !self.open.0.is_empty() {
            self.done.push(std::mem::take(&mut self.open));
        }
    }

    fn finish(mut self) -> Vec<Word> {
        self.part();
        self.done
    }
}

/// Words in lines of at most `columns`, of which `first` are taken on the first line and `hanging` on the others.
pub(crate) fn wrap(words: Vec<Word>, columns: usize, first: usize, hanging: usize) -> Vec<Vec<Piece>> {
    let mut lines = Lines { columns, hanging, done: Vec::new(), line: Vec::new(), used: first, empty: true };
    for word in words {
        lines.add(word);
    }
    lines.done.push(lines.line);
    lines.done
}

struct Lines {
    columns: usize,
    hanging: usize,
    done: Vec<Vec<Piece>>,
    line: Vec<Piece>,
    used: usize,
    empty: bool,
}

impl Lines {
    fn add(&mut self, word: Word) {
        let width = word.width();
        if self.used + 1 + width > self.columns && !self.empty {
            self.next();
        }
        let gap = usize::from(!self.empty);
        if self.used + width > self.columns && !word.stays_whole() {
            self.divide(word);
            return;
        }
        self.used += gap + width;
        let gap = !self.empty;
        self.empty = false;
        let mut pieces = word.0.into_iter();
        let first = pieces.next().unwrap_or_default();
        match self.line.last_mut() {
            Some(last) if last.looks_like(&first) => {
                last.words.push_str(if gap { " " } else { "" });
                last.words.push_str(&first.words);
            }
            _ => {
                if gap {
                    self.line.push(Piece::new(Role::Plain, " "));
                }
                self.line.push(first);
            }
        }
        self.line.extend(pieces);
    }

    fn next(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
        self.used = self.hanging;
        self.empty = true;
    }

    /// A word that is too wide for a line, in parts that fit.
    fn divide(&mut self, word: Word) {
        for piece in word.0 {
            let mut part = Piece { words: String::new(), ..piece.clone() };
            for c in piece.words.chars() {
                let width = c.width().unwrap_or(0);
                if self.used + width > self.columns && !self.empty {
                    self.line.push(part.clone());
                    part.words.clear();
                    self.next();
                }
                self.used += width;
                self.empty = false;
                part.words.push(c);
            }
            self.line.push(part);
        }
    }
}

/// Clean words in rows of at most `columns`: for logs and quotations, in which every space counts. A row ends at its last space
/// if that leaves it more than half full, else wherever it is full.
pub(crate) fn rows(words: &str, columns: usize) -> Vec<String> {
    let mut rows = Vec::new();
    let mut row = String::new();
    let mut used = 0;
    for c in words.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > columns && used > 0 {
            let rest = after_last_space(&row, columns / 2).to_owned();
            row.truncate(row.len() - rest.len());
            used = rest.width();
            rows.push(std::mem::replace(&mut row, rest));
        }
        used += width;
        row.push(c);
    }
    rows.push(row);
    rows
}

/// What follows the last space of a row, if what stands before it is wider than `least`; else nothing.
fn after_last_space(row: &str, least: usize) -> &str {
    match row.rsplit_once(' ') {
        Some((before, after)) if before.width() > least => after,
        _ => "",
    }
}

/// Clean words in rows of exactly `columns`, as a terminal breaks a line that is too long.
pub(crate) fn as_a_terminal_breaks(words: &str, columns: usize) -> Vec<String> {
    let mut rows = vec![String::new()];
    let mut used = 0;
    for c in words.chars() {
        let width = c.width().unwrap_or(0);
        if used + width > columns && used > 0 {
            rows.push(String::new());
            used = 0;
        }
        used += width;
        if let Some(row) = rows.last_mut() {
            row.push(c);
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use kubewhy_text::{name, text};

    use super::*;

    fn lines(text: &Text, columns: usize) -> Vec<String> {
        let plain = |line: Vec<Piece>| line.into_iter().map(|piece| piece.words).collect::<String>();
        wrap(of_text(text, Role::Plain, None), columns, 0, 2).into_iter().map(plain).collect()
    }

    #[test]
    fn a_name_is_never_divided() {
        let text = text!["Secret ", name("a-namespace/a-very-long-name-of-a-secret"), " is absent"];
        assert_eq!(
            lines(&text, 20),
            ["Secret ", "a-namespace/a-very-long-name-of-a-secret", "is absent"].map(str::trim)
        );
    }

    #[test]
    fn a_wide_word_that_could_pass_for_ours_is_divided() {
        let text = text![name(format!("{}[1]", "x".repeat(19)))];
        assert_eq!(lines(&text, 20), ["xxxxxxxxxxxxxxxxxxx[", "1]"]);
    }

    #[test]
    fn a_row_ends_at_a_space_unless_that_leaves_it_half_empty() {
        assert_eq!(rows("one two three", 9), ["one two ", "three"]);
        assert_eq!(rows("one abcdefghijk", 9), ["one abcde", "fghijk"]);
    }

    #[test]
    fn wide_letters_count_twice() {
        assert_eq!(rows("日本語", 4), ["日本", "語"]);
    }
}
