//! For whom a message is rendered.

use std::io::IsTerminal as _;

use jiff::Timestamp;

/// How wide lines are where nobody said so.
const WIDTH: usize = 100;
/// The narrowest width that lines are made for; on less the terminal wraps.
pub(crate) const NARROWEST: usize = 20;

/// What the place can show where a message is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Columns of the terminal; less than 20 counts as 20.
    pub width: usize,
    /// Whether colour and weight may be used (as escape sequences).
    pub colour: bool,
    /// Whether links may be hidden behind their words (OSC 8).
    pub hyperlinks: bool,
    /// What becomes of a message's thread.
    pub details: Details,
    /// The time from which "4 min ago" is counted; without it times stand alone.
    pub now: Option<Timestamp>,
    /// The number of the message's first button; they count on from it.
    pub first_press: usize,
}

/// What becomes of what stands one tap below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Details {
    /// It is shown below the first screen.
    #[default]
    Open,
    /// One line says that `more` shows it.
    Below,
}

impl Default for View {
    fn default() -> Self {
        Self { width: WIDTH, colour: false, hyperlinks: false, details: Details::Open, now: None, first_press: 1 }
    }
}

impl View {
    /// The view of the process's standard output: colour and links only on a terminal, and not where `NO_COLOR` is set or
    /// `TERM` is `dumb`.
    pub fn of_standard_output() -> Self {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let capable = std::io::stdout().is_terminal() && !dumb;
        Self {
            width: terminal_width().unwrap_or(WIDTH),
            colour: capable && !set("NO_COLOR"),
            hyperlinks: capable && !set("NO_COLOR"),
            ..Self::default()
        }
    }

    /// The columns that lines are made for.
    pub(crate) fn columns(&self) -> usize {
        self.width.max(NARROWEST)
    }
}

/// The width of the terminal that standard output is, as it is now.
pub(crate) fn terminal_width() -> Option<usize> {
    terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)).filter(|width| *width > 0)
}
