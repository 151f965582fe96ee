//! A conversation on a real (pseudo) terminal: this test starts itself behind one and types.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use kubewhy_chat::{Message, Tone};
use kubewhy_console::{Line, Printer, Session, Settings};
use kubewhy_text::{Text, quoted, text};
use rustix::pty;
use rustix::termios::{Winsize, tcsetwinsize};

/// How long an answer may take; it takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// Tells the other side where to keep its lines.
const HISTORY: &str = "KUBEWHY_CONSOLE_TEST_HISTORY";

#[test]
#[ignore = "the other side of the terminal: the tests below start it behind one"]
fn conversation() {
    let printer: Arc<OnceLock<Printer>> = Arc::default();
    // What is asked for a completion comes while a line is being edited: the moment to bring a message unasked.
    let unasked = Arc::clone(&printer);
    let completion = move |_: &str, _: usize| {
        let news = Message::new(Tone::Failing, Text::from("Node x is gone"));
        unasked.get().unwrap().notice(&news).unwrap();
        vec!["cart-0".to_owned()]
    };
    let history = std::env::var_os(HISTORY).map(Into::into);
    let settings = Settings { completion: Some(Box::new(completion)), history, ..Settings::default() };
    let mut session = Session::open(settings).unwrap();
    assert!(printer.set(session.printer()).is_ok());
    while let Some(line) = session.next_line().unwrap() {
        if let Line::Words(words) = line {
            session.printer().answer(&Message::new(Tone::Plain, text!["answer to ", quoted(words)])).unwrap();
        }
    }
    session.printer().answer(&Message::new(Tone::Plain, Text::from("the end"))).unwrap();
}

/// A person at a terminal, and the session behind it.
struct Terminal {
    keys: File,
    screen: Receiver<Vec<u8>>,
    seen: String,
    /// All that ever came.
    seen_so_far: String,
    child: Child,
}

impl Terminal {
    fn open() -> Self {
        Self::open_with(None)
    }

    fn open_with(history: Option<&Path>) -> Self {
        let master = pty::openpt(pty::OpenptFlags::RDWR | pty::OpenptFlags::NOCTTY).unwrap();
        pty::grantpt(&master).unwrap();
        pty::unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = pty::ptsname(&master, Vec::new()).unwrap();
        let slave = File::options().read(true).write(true).open(std::ffi::OsStr::from_bytes(name.as_bytes())).unwrap();
        let mut command = Command::new(std::env::current_exe().unwrap());
        if let Some(history) = history {
            command.env(HISTORY, history);
        }
        let child = command
            .args(["--exact", "pty::conversation", "--nocapture", "--include-ignored"])
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(slave.try_clone().unwrap())
            .stdout(slave.try_clone().unwrap())
            .stderr(slave)
            .spawn()
            .unwrap();
        let keys = File::from(master);
        let mut output = keys.try_clone().unwrap();
        let (sender, screen) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            // Reading fails when the other side has ended.
            while let Ok(read @ 1..) = output.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        let mut terminal = Self { keys, screen, seen: String::new(), seen_so_far: String::new(), child };
        terminal.wait_for("> ");
        terminal
    }

    fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the words are on the screen, and forgets everything up to them.
    fn wait_for(&mut self, words: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.seen.find(words) {
                self.seen.drain(..at + words.len());
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            let Ok(bytes) = self.screen.recv_timeout(left) else {
                panic!("{words:?} did not appear; there is {:?}", self.seen);
            };
            let words = String::from_utf8_lossy(&bytes);
            self.seen.push_str(&words);
            self.seen_so_far.push_str(&words);
        }
    }

    /// Waits for the prompt, before which Ctrl-D would be the terminal's and not the editor's, and leaves.
    fn leave(mut self) {
        self.wait_for("> ");
        self.press("\u{4}");
        self.ends();
    }

    fn ends(mut self) {
        self.wait_for("the end");
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_message_that_comes_unasked_stands_above_the_line_that_is_typed() {
    let mut terminal = Terminal::open();
    terminal.press("why ca\t");
    terminal.wait_for("Node x is gone");
    // The line that was typed is drawn again, completed.
    terminal.wait_for("> why cart-0");
    terminal.press("\r");
    terminal.wait_for("answer to \"why cart-0\"");
    terminal.leave();
}

#[test]
fn pasted_lines_are_several_lines() {
    let mut terminal = Terminal::open();
    terminal.press("\u{1b}[200~one\ntwo\nthree\u{1b}[201~\r");
    terminal.wait_for("answer to \"one\"");
    terminal.wait_for("> two");
    terminal.wait_for("answer to \"two\"");
    terminal.wait_for("answer to \"three\"");
    terminal.leave();
}

#[test]
fn what_is_typed_ahead_is_not_lost() {
    let mut terminal = Terminal::open();
    terminal.press("one\rtwo\rthree\r");
    terminal.wait_for("answer to \"one\"");
    terminal.wait_for("answer to \"two\"");
    terminal.wait_for("answer to \"three\"");
    terminal.leave();
}

#[test]
fn an_interruption_clears_the_line_and_a_second_one_ends() {
    let mut terminal = Terminal::open();
    terminal.press("abc\u{3}");
    terminal.wait_for("Ctrl-C again or Ctrl-D ends this.");
    terminal.wait_for("> ");
    terminal.press("def\r");
    terminal.wait_for("answer to \"def\"");
    terminal.wait_for("> ");
    terminal.press("\u{3}");
    terminal.wait_for("Ctrl-C again");
    terminal.wait_for("> ");
    terminal.press("\u{3}");
    terminal.ends();
}

#[test]
fn bytes_that_are_no_text_do_not_end_the_conversation() {
    let mut terminal = Terminal::open();
    terminal.keys.write_all(b"a\xff\xfe\r").unwrap();
    terminal.wait_for("what was typed is no UTF-8 text");
    terminal.press("\u{15}def\r");
    terminal.wait_for("answer to \"def\"");
    terminal.leave();
}

#[test]
fn a_pasted_escape_sequence_does_not_reach_the_terminal() {
    let mut terminal = Terminal::open();
    terminal.press("\u{1b}[200~evil \u{9b}31m\u{202e}end\u{1b}[201~");
    terminal.wait_for("end");
    assert!(!terminal.seen_so_far.contains(['\u{9b}', '\u{202e}']), "{:?}", terminal.seen_so_far);
    terminal.press("\r");
    terminal.wait_for("answer to \"evil 31mend\"");
    terminal.leave();
}

#[test]
fn lines_of_an_earlier_session_are_remembered() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("history-{}", std::process::id()));
    let mut first = Terminal::open_with(Some(&file));
    first.press("why pod cart\r");
    first.wait_for("answer to \"why pod cart\"");
    first.leave();
    let mut second = Terminal::open_with(Some(&file));
    second.press("\u{1b}[A");
    second.wait_for("why pod cart");
    second.press("-0\r");
    second.wait_for("answer to \"why pod cart-0\"");
    second.leave();
    std::fs::remove_file(&file).unwrap();
}
