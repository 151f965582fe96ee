//! The one writer of standard output and standard error.

use std::io::{self, IsTerminal as _, Write as _};

/// Writes answers to standard output and everything else to standard error. Whoever may write holds it, so that nothing
/// else writes.
#[derive(Debug)]
pub(crate) struct Output {
    colour: bool,
}

#[expect(clippy::unused_self, reason = "to hold it is the right to write")]
impl Output {
    /// Colours only where standard output is a terminal and `NO_COLOR` is unset (<https://no-color.org>).
    pub(crate) fn new() -> Self {
        let no_colour = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { colour: io::stdout().is_terminal() && !no_colour }
    }

    /// Whether the answer may be coloured.
    pub(crate) fn colour(&self) -> bool {
        self.colour
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
