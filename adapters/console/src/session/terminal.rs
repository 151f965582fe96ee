//! Lines from a person at a terminal.

use std::io;
use std::path::PathBuf;
use std::thread;

use kubewhy_chat::{Message, Tone};
use kubewhy_text::{Text, printable};
use rustyline::error::ReadlineError;
use rustyline::history::DefaultHistory;
use rustyline::{CompletionType, Config, Editor, ExternalPrinter};

use super::assistant::Assistant;
use super::{Completion, Printer, Read};

/// The lines that are remembered.
const REMEMBERED: usize = 1_000;

/// A line editor.
pub(super) struct Terminal {
    editor: Editor<Assistant, DefaultHistory>,
    prompt: String,
    history: Option<PathBuf>,
    printer: Printer,
    /// Whether messages can be put above the line that is edited; else they are simply written.
    prints_above: bool,
    /// Whether the last thing a person did was to interrupt.
    interrupted: bool,
}

impl Terminal {
    pub(super) fn open(
        prompt: String,
        history: Option<PathBuf>,
        completion: Option<Completion>,
        colour: bool,
        printer: &Printer,
    ) -> io::Result<Self> {
        let config = Config::builder()
            .max_history_size(REMEMBERED)
            .map_err(into_io)?
            .history_ignore_dups(true)
            .map_err(into_io)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .bracketed_paste(true)
            .build();
        let mut editor = Editor::with_config(config).map_err(into_io)?;
        editor.set_helper(Some(Assistant::new(completion, colour)));
        if let Some(file) = &history {
            // The first session has no file yet, and a session without its history is better than none.
            let _ = editor.load_history(file);
        }
        // A terminal that lines cannot be edited on has no such printer.
        let above = editor.create_external_printer();
        let prints_above = above.is_ok();
        if let Ok(above) = above {
            let printer = printer.clone();
            thread::Builder::new().name("printer".to_owned()).spawn(move || print_above(above, &printer))?;
        }
        Ok(Self { editor, prompt, history, printer: printer.clone(), prints_above, interrupted: false })
    }

    pub(super) fn prompt(&self) -> &str {
        &self.prompt
    }

    /// Reads a line, or all that were pasted at once. The first interruption clears the line, the second ends.
    pub(super) fn read(&mut self, printer: &Printer) -> io::Result<Read> {
        loop {
            printer.set_editing(self.prints_above)?;
            let read = self.editor.readline(self.prompt.as_str());
            printer.set_editing(false)?;
            let again = std::mem::replace(&mut self.interrupted, false);
            match read {
                Ok(lines) => {
                    let lines: Vec<String> = lines.lines().map(str::to_owned).collect();
                    self.remember(&lines)?;
                    return Ok(Read::Lines(lines));
                }
                Err(ReadlineError::Eof) => return Ok(Read::End),
                Err(ReadlineError::Interrupted) if again => return Ok(Read::End),
                Err(ReadlineError::Interrupted) => {
                    self.interrupted = true;
                    let hint = Text::from("Ctrl-C again or Ctrl-D ends this.");
                    printer.answer(&Message::new(Tone::Plain, hint))?;
                }
                Err(ReadlineError::Io(error)) if error.kind() == io::ErrorKind::InvalidData => {
                    let what = Text::from("what was typed is no UTF-8 text");
                    printer.answer(&Message::new(Tone::Refused, what))?;
                }
                // The window was resized.
                Err(ReadlineError::Signal(_)) => {}
                Err(error) => return Err(into_io(error)),
            }
        }
    }

    fn remember(&mut self, lines: &[String]) -> io::Result<()> {
        for line in lines.iter().filter(|line| !line.trim().is_empty()) {
            self.editor.add_history_entry(printable(line).as_ref()).map_err(into_io)?;
        }
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.printer.close();
        if let Some(file) = &self.history {
            // Nobody is left to be told.
            let _ = self.editor.append_history(file);
        }
    }
}

/// Puts messages above the line that is edited, until the session is over.
fn print_above(mut above: impl ExternalPrinter, printer: &Printer) {
    while let Some(message) = printer.next_waiting() {
        if above.print(message).is_err() {
            return;
        }
    }
}

fn into_io(error: ReadlineError) -> io::Error {
    match error {
        ReadlineError::Io(error) => error,
        other => io::Error::other(other),
    }
}
