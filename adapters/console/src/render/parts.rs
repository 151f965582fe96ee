//! The parts of a message, each in its form.

use kubewhy_chat::{Block, Button, Choice, Fact, Image, Press, Quote, Style};
use kubewhy_text::{Span, Text, code, text};
use unicode_width::UnicodeWidthStr as _;

use super::words::{self, Piece, Word};
use super::{BODY, LONGEST_LINE, Page, times};
use crate::theme::{self, Role};

/// The widest column of names beside values.
const WIDEST_NAME: usize = 24;
/// How far the second line of a button or choice is indented: as wide as `[1] `.
const BELOW_NUMBER: usize = 4;
/// The narrowest lines that quotes and logs are broken into.
const NARROWEST_ROW: usize = 8;

impl Page<'_> {
    /// Appends a part.
    pub(super) fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(heading) => self.words_at(self.indent, Role::Strong, heading),
            Block::Paragraph(words) => self.words_at(self.indent, Role::Plain, words),
            Block::Context(words) => self.words_at(self.indent, Role::Faint, words),
            Block::Facts(facts) => self.facts(facts),
            Block::Quote(quote) => self.quote(quote),
            Block::Code(lines) => self.code(lines),
            Block::Commands(commands) => commands.iter().for_each(|command| self.command(command)),
            Block::Steps(steps) => {
                for (index, step) in steps.iter().enumerate() {
                    self.item(&format!("{}. ", index + 1), step);
                }
            }
            Block::Points(points) => points.iter().for_each(|point| self.item("- ", point)),
            Block::Table(table) => self.table(table),
            Block::Image(image) => self.image(image),
            Block::Buttons(buttons) => self.buttons(buttons),
            Block::Choice(choice) => self.choice(choice),
        }
    }

    fn item(&mut self, lead: &str, words: &Text) {
        let words = self.words(words, Role::Plain);
        self.paragraph(&[Piece::new(Role::Plain, lead)], self.indent, self.indent + lead.len(), words);
    }

    /// Names in a column, values beside them.
    pub(super) fn facts(&mut self, facts: &[Fact]) {
        let names: Vec<Vec<Word>> = facts.iter().map(|fact| self.words(&fact.name, Role::Faint)).collect();
        let widest = WIDEST_NAME.min(self.view.columns() / 3);
        let column = names.iter().map(|name| joined(name).width()).filter(|width| *width <= widest).max().unwrap_or(0);
        for (fact, name) in facts.iter().zip(names) {
            let width = joined(&name).width();
            let value = self.words(&fact.value, Role::Plain);
            let hanging = self.indent + column + 2;
            if width > widest {
                self.paragraph(&[], self.indent, self.indent + BODY, name);
                self.paragraph(&[], hanging, hanging, value);
                continue;
            }
            let pad = " ".repeat(column - width + 2);
            let lead = [Piece::new(Role::Faint, joined(&name)), Piece::new(Role::Plain, pad)];
            self.paragraph(&lead, self.indent, hanging, value);
        }
    }

    fn quote(&mut self, quote: &Quote) {
        let mut words = vec![Word::new(Role::Faint, "seen"), Word::new(Role::Faint, "in")];
        words.extend(self.words(&quote.source, Role::Plain));
        if let Some(at) = quote.at {
            let clock = times::clock(at, self.view.now);
            match self.view.now.map(|now| times::age(at, now)) {
                Some(age) => {
                    words.extend([format!("({clock},"), format!("{age})")].map(|part| Word::new(Role::Plain, part)));
                }
                None => words.push(Word::new(Role::Plain, format!("({clock})"))),
            }
        }
        self.paragraph(&[], self.indent, self.indent + BODY, words);
        for line in self.cut.lines(&quote.words) {
            self.rows(&line, "│ ", "│ ");
        }
    }

    fn code(&mut self, lines: &str) {
        for line in self.cut.lines(lines) {
            self.rows(&line, "", "↳ ");
        }
    }

    /// A line of somebody else's, in rows that fit: `first` stands before the first, `other` before the others.
    fn rows(&mut self, line: &str, first: &str, other: &str) {
        let indent = self.indent + BODY;
        let columns = self.view.columns().saturating_sub(indent + other.width()).max(NARROWEST_ROW);
        for (index, row) in words::rows(line, columns).into_iter().enumerate() {
            self.spaces(indent);
            self.pieces(&[
                Piece::new(Role::Faint, if index == 0 { first } else { other }),
                Piece::new(Role::Plain, row),
            ]);
            self.end();
        }
    }

    /// A command on a line of its own, whole, so that it can be copied.
    fn command(&mut self, command: &str) {
        let indent = self.indent + BODY;
        match self.cut.command(command) {
            Ok(command) if self.fits_or_is_harmless(&command, indent + 2) => {
                self.spaces(indent);
                self.pieces(&[Piece::new(Role::Faint, "$ "), Piece::new(Role::Code, command)]);
                self.end();
            }
            Ok(command) => self.rows(&command, "$ ", "↳ "),
            Err(characters) => {
                self.words_at(
                    indent,
                    Role::Faint,
                    &text!["(a command of ", characters, " characters, too long to be copied)"],
                );
            }
        }
    }

    /// Whether a command can stand on one line: where the terminal wraps it, none of its rows may pass for a line of ours.
    fn fits_or_is_harmless(&self, command: &str, indent: usize) -> bool {
        let columns = self.view.columns();
        if indent + command.width() <= columns {
            return true;
        }
        let whole = format!("{}{command}", " ".repeat(indent));
        whole.width() <= LONGEST_LINE
            && words::as_a_terminal_breaks(&whole, columns).iter().skip(1).all(|row| !super::starts_like_ours(row))
    }

    fn image(&mut self, image: &Image) {
        let words = text!["Picture: ", image.alt.clone(), " (", code(&image.file), ")"];
        self.words_at(self.indent, Role::Plain, &words);
    }

    /// Buttons beside each other, each with the number that presses it.
    fn buttons(&mut self, buttons: &[Button]) {
        let mut rows: Vec<Vec<Word>> = Vec::new();
        let mut used = 0;
        for button in buttons {
            let role = match button.style {
                Style::Normal => Role::Plain,
                Style::Primary => Role::Strong,
                Style::Danger => Role::Danger,
            };
            let item = self.numbered(&button.label, &button.press, role);
            let width = item.iter().map(Word::width).sum::<usize>() + item.len();
            match rows.last_mut() {
                Some(row) if used + 1 + width <= self.view.columns() => {
                    // Two spaces part buttons: there is one on either side of a word without letters.
                    row.push(Word::default());
                    row.extend(item);
                    used += 1 + width;
                }
                _ => {
                    rows.push(item);
                    used = width;
                }
            }
        }
        for row in rows {
            self.row_of_presses(row);
        }
    }

    fn choice(&mut self, choice: &Choice) {
        self.words_at(self.indent, Role::Plain, &choice.prompt);
        for (label, press) in &choice.options {
            let item = self.numbered(label, press, Role::Plain);
            self.row_of_presses(item);
        }
    }

    /// The only lines beside headlines that start in the first column.
    fn row_of_presses(&mut self, row: Vec<Word>) {
        self.paragraph(&[], 0, BELOW_NUMBER, row);
    }

    fn numbered(&mut self, label: &Text, press: &Press, role: Role) -> Vec<Word> {
        let number = format!("[{}]", self.next_press);
        self.next_press += 1;
        let label = without_numbers(&self.cut.text(label));
        let mut words = vec![Word::new(Role::Number, number)];
        words.extend(words::of_text(&label, role, self.view.now));
        let Press::Link(address) = press else { return words };
        if !theme::linkable(address) {
            return words;
        }
        if self.view.hyperlinks {
            let (number, label) = words.split_at(1);
            let label = label.iter().cloned().map(|word| word.linked(address));
            return number.iter().cloned().chain(label).collect();
        }
        words.push(Word::new(Role::Faint, format!("<{address}>")));
        words
    }
}

/// A label in which foreign words cannot look like the number of the next button.
fn without_numbers(label: &Text) -> Text {
    let round = |words: &str| words.replace('[', "(").replace(']', ")");
    let mut safe = Text::default();
    for span in label.spans() {
        safe.push(match span {
            Span::Name(words) => Span::Name(round(words)),
            Span::Untrusted(words) => Span::Untrusted(round(words)),
            Span::Code(words) => Span::Code(round(words)),
            Span::Own(_) | Span::Time(_) => span.clone(),
        });
    }
    safe
}

/// Words on one line.
pub(super) fn joined(words: &[Word]) -> String {
    words.iter().map(Word::text).collect::<Vec<_>>().join(" ")
}
