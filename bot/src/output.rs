//! The one writer of standard output and standard error.

use std::io::{self, IsTerminal as _, Write as _};

use jiff::Timestamp;
use kubewhy_chat::Message;
use kubewhy_console::{Details, View};

/// Writes answers to standard output and everything else to standard error. Whoever may write holds it, so that nothing
/// else writes.
#[derive(Debug)]
pub(crate) struct Output {
    view: View,
}

#[expect(clippy::unused_self, reason = "to hold it is the right to write")]
impl Output {
    /// Colours only where standard output is a terminal and `NO_COLOR` is unset (<https://no-color.org>).
    pub(crate) fn new() -> Self {
        Self { view: View::of_standard_output() }
    }

    /// A message as standard output shows it, all of it; `now` is the time of the answer.
    pub(crate) fn text(&self, message: &Message, now: Timestamp) -> String {
        kubewhy_console::render(message, &View { details: Details::Open, now: Some(now), ..self.view.clone() })
    }

    /// Writes an answer. A reader that went away (`| head`) is no error.
    pub(crate) fn answer(&mut self, text: &str) {
        let mut out = io::stdout().lock();
        let end = if text.ends_with('\n') { "" } else { "\n" };
        let _ = write!(out, "{text}{end}").and_then(|()| out.flush());
    }

    /// Says something on the side.
    pub(crate) fn note(&mut self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{}", kubewhy_text::printable(text));
    }

    /// Says what went wrong and what to do.
    pub(crate) fn error(&mut self, text: &str) {
        self.note(&format!("error: {text}"));
    }

    /// Prints clap's help, version or complaint where it belongs.
    pub(crate) fn clap(&mut self, error: &clap::Error) {
        let _ = error.print();
    }

    /// Whether standard error is a terminal, so that progress may be shown.
    pub(crate) fn shows_progress() -> bool {
        io::stderr().is_terminal()
    }
}
