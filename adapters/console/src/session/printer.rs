//! The one writer of a session.
//!
//! While a line is being edited, messages go through the editor, which puts them above it. Its printer can block until it is
//! asked for the next line, so a thread of its own feeds it, and nobody else waits for it.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use kubewhy_chat::{Message, Press};
use kubewhy_text::printable;

use super::Clock;
use crate::pressable::{LastShown, NoSuchNumber};
use crate::view::{View, terminal_width};
use crate::{render, thread};

/// The most messages that wait for the editor; then the oldest are dropped.
const MOST_WAITING: usize = 100;
/// The most characters of an echoed line.
const MOST_ECHOED: usize = 1_000;

/// Prints messages in the order in which it is called, from any thread.
#[derive(Clone)]
pub struct Printer(Arc<Shared>);

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    out: Box<dyn Write + Send>,
    view: View,
    clock: Clock,
    width: Width,
    shown: LastShown,
    /// Whether a line is being edited now.
    editing: bool,
    waiting: VecDeque<String>,
    /// How many were dropped because too many were waiting.
    dropped: usize,
    closed: bool,
}

/// Where the width of lines comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Width {
    /// The terminal's, at each message: windows are resized.
    OfTerminal,
    /// The view's.
    OfView,
}

impl Printer {
    pub(super) fn new(out: Box<dyn Write + Send>, view: View, clock: Clock, width: Width) -> Self {
        let (shown, waiting) = (LastShown::default(), VecDeque::new());
        let state = State { out, view, clock, width, shown, editing: false, waiting, dropped: 0, closed: false };
        Self(Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() }))
    }

    /// Prints an answer; its buttons are numbered from 1.
    ///
    /// # Errors
    /// When writing fails.
    pub fn answer(&self, message: &Message) -> io::Result<()> {
        let mut state = self.state();
        let first_press = state.shown.answer(message);
        let rendered = render(message, &state.view(first_press));
        self.print(state, rendered)
    }

    /// Prints a message that nobody asked for; its buttons are numbered on from those that are there.
    ///
    /// # Errors
    /// When writing fails.
    pub fn notice(&self, message: &Message) -> io::Result<()> {
        let mut state = self.state();
        let first_press = state.shown.notice(message);
        let rendered = render(message, &state.view(first_press));
        self.print(state, rendered)
    }

    /// Prints what stands one tap below the last message.
    ///
    /// # Errors
    /// When writing fails.
    pub fn more(&self) -> io::Result<()> {
        let state = self.state();
        let (message, first_press) = state.shown.last();
        let rendered = thread(message, &state.view(first_press));
        self.print(state, rendered)
    }

    /// What a line means if it is the number of a button.
    pub(super) fn press(&self, line: &str) -> Result<Option<Press>, NoSuchNumber> {
        self.state().shown.press(line).map(Option::<&Press>::cloned)
    }

    /// Writes a line as if it had been typed here.
    pub(super) fn echo(&self, prompt: &str, line: &str) -> io::Result<()> {
        let line: String = printable(line).chars().take(MOST_ECHOED).collect();
        let mut state = self.state();
        writeln!(state.out, "{prompt}{line}")?;
        state.out.flush()
    }

    /// Says that a line is being edited from now on, or not any more: then what still waits is written.
    pub(super) fn set_editing(&self, editing: bool) -> io::Result<()> {
        let mut state = self.state();
        state.editing = editing;
        if editing {
            self.0.changed.notify_all();
            return Ok(());
        }
        while let Some(message) = state.next_waiting() {
            state.out.write_all(message.as_bytes())?;
        }
        state.out.flush()
    }

    /// Waits for the next message that has to be put above the line being edited; nothing when the session is over.
    pub(super) fn next_waiting(&self) -> Option<String> {
        let mut state = self.state();
        loop {
            if state.closed {
                return None;
            }
            if state.editing
                && let Some(message) = state.next_waiting()
            {
                return Some(message);
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the thread that waits for messages.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.0.changed.notify_all();
    }

    fn print(&self, mut state: MutexGuard<'_, State>, mut rendered: String) -> io::Result<()> {
        // An empty line parts messages.
        rendered.push('\n');
        if state.editing {
            if state.waiting.len() >= MOST_WAITING {
                state.waiting.pop_front();
                state.dropped += 1;
            }
            state.waiting.push_back(rendered);
            self.0.changed.notify_all();
            return Ok(());
        }
        state.out.write_all(rendered.as_bytes())?;
        state.out.flush()
    }

    /// The state; a thread that panicked while it printed leaves nothing that later messages could not be printed after.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The oldest message that waits; first of all that some are missing.
    fn next_waiting(&mut self) -> Option<String> {
        match std::mem::take(&mut self.dropped) {
            0 => self.waiting.pop_front(),
            dropped => Some(format!("({dropped} earlier messages came too fast to be shown)\n\n")),
        }
    }

    fn view(&self, first_press: usize) -> View {
        let width = match self.width {
            Width::OfTerminal => terminal_width().unwrap_or(self.view.width),
            Width::OfView => self.view.width,
        };
        View { width, now: Some((self.clock)()), first_press, ..self.view.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use kubewhy_chat::Tone;
    use kubewhy_text::Text;

    use super::*;

    struct Out(mpsc::Sender<Vec<u8>>);

    impl Write for Out {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn messages_wait_while_a_line_is_edited_and_the_oldest_are_dropped() {
        let (sender, written) = mpsc::channel();
        let clock = Box::new(|| jiff::Timestamp::UNIX_EPOCH);
        let printer = Printer::new(Box::new(Out(sender)), View::default(), clock, Width::OfView);
        printer.set_editing(true).unwrap();
        for _ in 0..MOST_WAITING + 3 {
            printer.notice(&Message::new(Tone::Plain, Text::from("news"))).unwrap();
        }
        assert!(written.try_recv().is_err(), "nothing is written into the line");
        printer.set_editing(false).unwrap();
        let shown = String::from_utf8(written.try_iter().flatten().collect()).unwrap();
        assert!(shown.starts_with("(3 earlier messages came too fast to be shown)\n\nnews\n\n"), "{shown}");
        assert_eq!(shown.matches("news").count(), MOST_WAITING);
    }
}
