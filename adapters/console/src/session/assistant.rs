//! What the line editor asks while a person types: what could stand here, and what was typed before.

use std::borrow::Cow;

use kubewhy_text::printable;
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
}

impl Assistant {
    pub(super) fn new(completion: Option<Completion>) -> Self {
        Self { completion, hinter: HistoryHinter::new() }
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
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        let mut faint = String::new();
        crate::theme::Role::Faint.paint(&mut faint, hint, true);
        Cow::Owned(faint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_at_the_cursor_is_completed() {
        let assistant = Assistant::new(Some(Box::new(|_, _| {
            vec!["cart-0".to_owned(), "cart\u{1b}[2J".to_owned(), "a b".to_owned()]
        })));
        assert_eq!(assistant.candidates("why pod ca", 10), (8, vec!["cart-0".to_owned()]));
        assert_eq!(assistant.candidates("ca", 2), (0, vec!["cart-0".to_owned()]));
    }

    #[test]
    fn without_a_completion_nothing_is_proposed() {
        assert_eq!(Assistant::new(None).candidates("why", 3), (0, vec![]));
    }
}
