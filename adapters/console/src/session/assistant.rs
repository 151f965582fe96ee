//! What the line editor asks while a person types: what could stand here, and what was typed before.

use std::borrow::Cow;

use kubewhy_text::{is_hostile, printable};
use rustyline::completion::Completer;
use rustyline::highlight::Highlighter;
use rustyline::hint::{Hinter, HistoryHinter};
use rustyline::validate::Validator;
use rustyline::{Context, Helper};

use super::Completion;

/// The most candidates that are shown.
const MOST_CANDIDATES: usize = 200;

pub(super) struct Assistant {
    completion: Option<Completion>,
    hinter: HistoryHinter,
    colour: bool,
}

impl Assistant {
    pub(super) fn new(completion: Option<Completion>, colour: bool) -> Self {
        Self { completion, hinter: HistoryHinter::new(), colour }
    }

    /// Where the word at a place starts, and what could replace it.
    fn candidates(&self, line: &str, place: usize) -> (usize, Vec<String>) {
        let typed = line.get(..place).unwrap_or(line);
        let start = typed.rfind(' ').map_or(0, |space| space + 1);
        let mut candidates = self.completion.as_ref().map(|complete| complete(line, place)).unwrap_or_default();
        // Names come from a cluster: one that would not be typed as it is shown is left out.
        candidates
            .retain(|candidate| printable(candidate) == candidate.as_str() && !candidate.contains(char::is_whitespace));
        candidates.truncate(MOST_CANDIDATES);
        (start, candidates)
    }
}

impl Helper for Assistant {}
impl Validator for Assistant {}

impl Completer for Assistant {
    type Candidate = String;

    fn complete(&self, line: &str, place: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(line, place))
    }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, place: usize, context: &Context<'_>) -> Option<String> {
        self.hinter.hint(line, place, context)
    }
}

impl Highlighter for Assistant {
    /// A line as it is shown: what was pasted may hold escape sequences, which are the line's but not the terminal's.
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        if line.chars().all(is_shown) {
            return Cow::Borrowed(line);
        }
        Cow::Owned(line.chars().filter(|c| is_shown(*c)).collect())
    }

    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        let mut faint = String::new();
        crate::theme::Role::Faint.paint(&mut faint, &printable(hint), self.colour);
        Cow::Owned(faint)
    }
}

/// Line feeds are kept: pasted lines are shown one below the other.
fn is_shown(c: char) -> bool {
    c == '\n' || !is_hostile(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_the_cursor_is_completed() {
        let assistant = Assistant::new(
            Some(Box::new(|_, _| vec!["cart-0".to_owned(), "cart\u{1b}[2J".to_owned(), "a b".to_owned()])),
            true,
        );
        assert_eq!(assistant.candidates("why pod ca", 10), (8, vec!["cart-0".to_owned()]));
        assert_eq!(assistant.candidates("ca", 2), (0, vec!["cart-0".to_owned()]));
    }

    #[test]
    fn without_a_completion_nothing_is_proposed() {
        assert_eq!(Assistant::new(None, true).candidates("why", 3), (0, vec![]));
    }

    #[test]
    fn pasted_escape_sequences_are_not_shown() {
        let assistant = Assistant::new(None, true);
        assert_eq!(assistant.highlight("a\u{1b}]0;x\u{7}b\u{9b}2J\nc", 0), "a]0;xb2J\nc");
        assert!(matches!(assistant.highlight("why", 0), Cow::Borrowed("why")));
    }
}
