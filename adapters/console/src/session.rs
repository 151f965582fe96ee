//! A conversation: lines in, messages out.
//!
//! On a terminal a line is edited, completed and remembered, and a message that comes unasked appears above it. Without one
//! every line is read, echoed and answered in order, in plain text. There is no runtime here: [`Session::next_line`] blocks and
//! belongs on a thread of its own; a [`Printer`] can be sent anywhere.

mod assistant;
mod form;
mod pipe;
mod printer;
mod terminal;

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal as _, Write};
use std::path::PathBuf;

use jiff::Timestamp;
use kubewhy_chat::Press;

pub use printer::Printer;

use crate::view::View;
use pipe::Pipe;
use terminal::Terminal;

/// Says what could stand at a place of a line: whole words that replace the one which ends there. The place is a byte offset.
pub type Completion = Box<dyn Fn(&str, usize) -> Vec<String> + Send>;
/// Says what time it is, for "4 min ago".
pub type Clock = Box<dyn Fn() -> Timestamp + Send>;

/// How a session behaves.
pub struct Settings {
    /// What stands before the line that is edited, and before an echoed one.
    pub prompt: String,
    /// The file that keeps the lines of earlier sessions; without it only this session's are remembered.
    pub history: Option<PathBuf>,
    /// Completes words on a terminal.
    pub completion: Option<Completion>,
    /// How messages look. On a terminal its present width is used; without one there is neither colour nor a hidden link.
    pub view: View,
    /// The time.
    pub clock: Clock,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prompt: "> ".to_owned(),
            history: None,
            completion: None,
            view: View { details: crate::Details::Below, ..View::of_standard_output() },
            clock: Box::new(Timestamp::now),
        }
    }
}

/// What a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// They typed words.
    Words(String),
    /// They typed the number of a button.
    Press(Press),
}

/// A conversation.
pub struct Session {
    input: Input,
    printer: Printer,
    /// Lines that were pasted together with the one before.
    pasted: VecDeque<String>,
}

enum Input {
    Terminal(Box<Terminal>),
    Pipe(Pipe),
}

/// What an input gives.
enum Read {
    /// Lines; all but the first stand nowhere on the screen yet.
    Lines(Vec<String>),
    /// There will be no more.
    End,
}

impl Session {
    /// Opens a session on the process's standard input and output: edited if both are a terminal, else read line by line.
    ///
    /// # Errors
    /// When the terminal cannot be set up.
    pub fn open(settings: Settings) -> io::Result<Self> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Ok(Self::over(io::BufReader::new(io::stdin()), io::stdout(), settings));
        }
        let colour = settings.view.colour;
        let printer = Printer::new(Box::new(io::stdout()), settings.view, settings.clock, printer::Width::OfTerminal);
        let terminal = Terminal::open(settings.prompt, settings.history, settings.completion, colour, &printer)?;
        Ok(Self { input: Input::Terminal(Box::new(terminal)), printer, pasted: VecDeque::new() })
    }

    /// Opens a session that reads lines and writes plain text.
    pub fn over(input: impl BufRead + Send + 'static, out: impl Write + Send + 'static, settings: Settings) -> Self {
        let view = View { colour: false, hyperlinks: false, ..settings.view };
        let printer = Printer::new(Box::new(out), view, settings.clock, printer::Width::OfView);
        let input = Input::Pipe(Pipe::new(Box::new(input), settings.prompt, printer.clone()));
        Self { input, printer, pasted: VecDeque::new() }
    }

    /// Waits for what a person does next; nothing at the end. Numbers become what their button means, `more` and numbers that
    /// no button has are answered here.
    ///
    /// # Errors
    /// When reading or writing fails.
    pub fn next_line(&mut self) -> io::Result<Option<Line>> {
        loop {
            let Some(line) = self.next_words()? else { return Ok(None) };
            if line.trim().is_empty() {
                continue;
            }
            if asks_for_more(&line) {
                self.printer.more()?;
                continue;
            }
            match self.printer.press(&line) {
                // A button may be labelled "Details".
                Ok(Some(Press::Command(command))) if asks_for_more(&command) => self.printer.more()?,
                Ok(Some(press)) => return Ok(Some(Line::Press(press))),
                Ok(None) => return Ok(Some(Line::Words(line))),
                Err(unknown) => self.printer.answer(&unknown.message())?,
            }
        }
    }

    /// What prints messages here.
    pub fn printer(&self) -> Printer {
        self.printer.clone()
    }

    fn next_words(&mut self) -> io::Result<Option<String>> {
        if let Some(line) = self.pasted.pop_front() {
            self.printer.echo(self.prompt(), &line)?;
            return Ok(Some(line));
        }
        let read = match &mut self.input {
            Input::Terminal(terminal) => terminal.read(&self.printer)?,
            Input::Pipe(pipe) => pipe.read()?,
        };
        let Read::Lines(lines) = read else { return Ok(None) };
        let mut lines = lines.into_iter();
        let first = lines.next().unwrap_or_default();
        self.pasted.extend(lines.filter(|line| !line.trim().is_empty()));
        Ok(Some(first))
    }

    fn prompt(&self) -> &str {
        match &self.input {
            Input::Terminal(terminal) => terminal.prompt(),
            Input::Pipe(pipe) => pipe.prompt(),
        }
    }
}

fn asks_for_more(line: &str) -> bool {
    line.trim().eq_ignore_ascii_case("more")
}
