//! A conversation without a terminal.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use kubewhy_chat::{Block, Button, Field, Form, Message, Press, Tone, samples};
use kubewhy_console::{Details, Line, Session, Settings, View};
use kubewhy_text::{Text, text};

#[derive(Clone, Default)]
struct Out(Arc<Mutex<Vec<u8>>>);

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics while it writes").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a script to its end; each line and press is answered with what it was, `why` with a message that has buttons.
fn conversation(script: &[u8]) -> (String, Vec<Line>) {
    let out = Out::default();
    let view = View { width: 80, colour: true, hyperlinks: true, details: Details::Below, ..View::default() };
    let settings = Settings { view, clock: Box::new(samples::now), ..Settings::default() };
    let mut session = Session::over(io::Cursor::new(script.to_vec()), out.clone(), settings);
    let printer = session.printer();
    let mut lines = Vec::new();
    while let Some(line) = session.next_line().unwrap() {
        match &line {
            Line::Words(words) if words.starts_with("why") => printer.answer(&samples::all()[0].1).unwrap(),
            Line::Words(words) if words == "notice" => {
                let buttons = kubewhy_chat::Block::Buttons(vec![Button::command("Look", "why node x")]);
                printer.notice(&Message::new(Tone::Failing, Text::from("Node x is gone")).with(buttons)).unwrap();
            }
            Line::Words(words) => {
                let words: String = words.chars().take(20).collect();
                printer.answer(&Message::new(Tone::Plain, text!["words ", kubewhy_text::quoted(words)])).unwrap();
            }
            Line::Press(press) => {
                printer
                    .answer(&Message::new(Tone::Plain, text!["pressed ", kubewhy_text::code(format!("{press:?}"))]))
                    .unwrap();
            }
        }
        lines.push(line);
    }
    let shown = out.0.lock().unwrap().clone();
    (String::from_utf8(shown).unwrap(), lines)
}

#[test]
fn a_script_is_echoed_and_answered_in_order() {
    let (printed, lines) = conversation(b"hello\n\n  \nworld\r\nlast");
    assert_eq!(printed, "> hello\nwords \"hello\"\n\n> world\nwords \"world\"\n\n> last\nwords \"last\"\n\n");
    assert_eq!(lines.len(), 3);
}

#[test]
fn a_number_presses_and_more_shows_the_details() {
    let (printed, lines) = conversation(b"why\n2\n[1]\nnotice\n7\n9\nmore\n");
    assert_eq!(
        lines[1..3],
        [Line::Press(Press::Command("why deployment cart -n shop".into())), Line::Press(Press::Token("t-1".into()))]
    );
    assert!(lines.contains(&Line::Press(Press::Command("why node x".into()))), "{lines:?}");
    assert!(printed.contains("> 9\n! not done: there is no button 9; they are 1 to 7\n"), "{printed}");
    assert!(printed.contains("[7] Look"), "a message that comes unasked counts on: {printed}");
    assert!(!printed.contains('\u{1b}'), "no colour without a terminal");
}

#[test]
fn more_shows_the_thread_of_the_last_message() {
    let (printed, _) = conversation(b"why\nmore\n6\n");
    assert!(printed.contains("> more\n  Evidence\n"), "{printed}");
    assert!(printed.contains("[6] Runbook <https://runbooks.example.com/secret-key-missing>"), "{printed}");
    assert!(printed.contains("pressed Link(\"https://runbooks.example.com/secret-key-missing\")"), "{printed}");
}

#[test]
fn input_that_is_no_text_or_has_no_end_does_no_harm() {
    let mut script = vec![b'x'; 300_000];
    script.extend(b"\nafter\n\xff\xfe\n\x1b[2Jclear\n");
    let (printed, lines) = conversation(&script);
    assert_eq!(lines.len(), 4, "the long line is one");
    assert_eq!(lines[1], Line::Words("after".into()));
    assert!(matches!(&lines[0], Line::Words(words) if words.len() == 65_536));
    assert!(!printed.contains('\u{1b}'), "the echo is clean");
    assert!(printed.lines().all(|line| line.len() <= 1_010));
}

/// Fills in a form that asks for a name and a reason, from a script.
fn filled(script: &str) -> (String, Option<std::collections::BTreeMap<String, String>>) {
    let field = |id: &str, label: &'static str, most: usize| Field {
        id: id.to_owned(),
        label: Text::from(label),
        placeholder: text!["kafka-1"],
        most,
    };
    let form = Form {
        title: text!["Delete Pod kafka-1 by force"],
        blocks: vec![Block::Paragraph(text!["Data can be lost."])],
        fields: vec![field("name", "Type the pod's name", 10), field("reason", "Why?", 100)],
        submit: text!["Delete"],
        token: "t".to_owned(),
    };
    let out = Out::default();
    let settings = Settings { clock: Box::new(samples::now), ..Settings::default() };
    let mut session = Session::over(io::Cursor::new(script.as_bytes().to_vec()), out.clone(), settings);
    let values = session.fill(&form).unwrap();
    let shown = out.0.lock().unwrap().clone();
    (String::from_utf8(shown).unwrap(), values)
}

#[test]
fn a_form_is_filled_in_line_by_line_whatever_the_values_look_like() {
    let (printed, values) = filled("kafka-1\nmore 1 quit\n");
    let values = values.expect("both were typed");
    assert_eq!((values["name"].as_str(), values["reason"].as_str()), ("kafka-1", "more 1 quit"));
    assert!(printed.contains("Delete Pod kafka-1 by force") && printed.contains("Data can be lost."), "{printed}");
    assert!(printed.contains("Type the pod's name") && printed.contains("for example kafka-1"), "{printed}");
}

#[test]
fn a_value_that_is_too_long_is_asked_again() {
    let (printed, values) = filled("a-name-that-is-too-long\nkafka-1\nbecause\n");
    assert_eq!(values.expect("typed at last")["name"], "kafka-1");
    assert!(printed.contains("! not done: that is longer than 10 characters"), "{printed}");
}

#[test]
fn a_form_that_is_left_gives_nothing() {
    let (printed, values) = filled("kafka-1\n");
    assert_eq!(values, None);
    assert!(printed.contains("! not done: the form was left"), "{printed}");
}
