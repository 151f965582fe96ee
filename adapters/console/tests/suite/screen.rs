//! A small terminal that knows no code of ours: it takes what was rendered apart into lines and escape sequences.

use unicode_width::UnicodeWidthChar as _;

/// All sequences of colour and weight that may ever be seen.
const COLOURS: [&str; 10] = ["0", "1", "2", "36", "1;36", "31", "1;31", "1;33", "1;32", "1;35"];

/// What a terminal made of it.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    /// Lines as they were sent.
    pub(crate) lines: Vec<String>,
    /// Everything that must not be there.
    pub(crate) wrong: Vec<String>,
    /// How many escape sequences there were.
    pub(crate) sequences: usize,
}

enum State {
    Ground,
    Escape,
    Csi(String),
    Osc(String),
    OscEscape(String),
}

impl Screen {
    pub(crate) fn read(sent: &str) -> Self {
        let mut screen = Self::default();
        let mut line = String::new();
        let mut state = State::Ground;
        let mut marks = 0;
        for c in sent.chars() {
            state = match (state, c) {
                (State::Ground, '\u{1b}') => State::Escape,
                (State::Ground, '\n') => {
                    screen.lines.push(std::mem::take(&mut line));
                    State::Ground
                }
                (State::Ground, c) => {
                    marks = if c.width() == Some(0) { marks + 1 } else { 0 };
                    if steers(c) || marks > 4 {
                        screen.wrong.push(format!("U+{:04X} in {line:?}", u32::from(c)));
                    }
                    line.push(c);
                    State::Ground
                }
                (State::Escape, '[') => State::Csi(String::new()),
                (State::Escape, ']') => State::Osc(String::new()),
                (State::Escape, c) => {
                    screen.wrong.push(format!("ESC {c:?}"));
                    State::Ground
                }
                (State::Csi(parameters), '@'..='~') => {
                    screen.sequences += 1;
                    if c != 'm' || !COLOURS.contains(&parameters.as_str()) {
                        screen.wrong.push(format!("CSI {parameters}{c}"));
                    }
                    State::Ground
                }
                (State::Csi(parameters), c) => State::Csi(parameters + &c.to_string()),
                (State::Osc(words), '\u{1b}') => State::OscEscape(words),
                (State::Osc(words), '\u{7}' | '\u{9c}') => {
                    screen.wrong.push(format!("OSC {words} ended early"));
                    State::Ground
                }
                (State::Osc(words), c) => State::Osc(words + &c.to_string()),
                (State::OscEscape(words), '\\') => {
                    screen.sequences += 1;
                    let address = words.strip_prefix("8;;");
                    let web = |address: &str| address.is_empty() || address.starts_with("http");
                    let graphic = words.bytes().all(|byte| byte.is_ascii_graphic());
                    if !address.is_some_and(web) || !graphic {
                        screen.wrong.push(format!("OSC {words}"));
                    }
                    State::Ground
                }
                (State::OscEscape(words), c) => {
                    screen.wrong.push(format!("ESC {c:?} in OSC {words}"));
                    State::Ground
                }
            };
        }
        if !matches!(state, State::Ground) {
            screen.wrong.push("a sequence without an end".to_owned());
        }
        if !line.is_empty() {
            screen.lines.push(line);
        }
        screen
    }

    /// The rows that a terminal of that width makes of a line.
    pub(crate) fn rows(line: &str, columns: usize) -> Vec<String> {
        let mut rows = vec![String::new()];
        let mut used = 0;
        for c in line.chars() {
            let width = c.width().unwrap_or(0);
            if used + width > columns {
                rows.push(String::new());
                used = 0;
            }
            used += width;
            rows.last_mut().unwrap().push(c);
        }
        rows
    }
}

/// The columns that a line takes.
pub(crate) fn width(line: &str) -> usize {
    line.chars().map(|c| c.width().unwrap_or(0)).sum()
}

/// Characters that act instead of being seen: controls, bidirectional and other format characters, fillers, selectors, tags.
fn steers(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xad | 0x34f | 0x600..=0x605 | 0x61c | 0x6dd | 0x70f | 0x115f | 0x1160 | 0x17b4 | 0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff0..=0xfffb | 0x1bca0..=0x1bca3 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
}

/// Whether a row would be taken for one of ours: a headline, a button, a line that was typed, a command.
pub(crate) fn looks_like_ours(row: &str) -> bool {
    let headline = ["✖ failing", "▲ degraded", "… pending", "✔ healthy", "? unknown", "! not done"];
    let number = row.strip_prefix('[').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    number
        || headline.iter().any(|ours| row.starts_with(ours))
        || ["✖", "✔", "▲", "> ", "$ "].iter().any(|ours| row.starts_with(ours))
}

#[test]
fn the_screen_sees_what_must_not_be_there() {
    for attack in [
        "\u{1b}[31;1m",
        "\u{1b}[2J",
        "\u{1b}]0;x\u{7}",
        "\u{1b}]8;;file:///\u{1b}\\",
        "\u{9b}31m",
        "a\rb",
        "\u{202e}",
        "\u{1b}",
        "\t",
    ] {
        assert!(!Screen::read(attack).wrong.is_empty(), "{attack:?}");
    }
    assert!(Screen::read(&format!("a{}", "\u{301}".repeat(5))).wrong.len() == 1);
    let fine = Screen::read("\u{1b}[1mbold\u{1b}[0m \u{1b}]8;;https://a\u{1b}\\link\u{1b}]8;;\u{1b}\\\nnext\n");
    assert!(fine.wrong.is_empty(), "{fine:?}");
    assert_eq!((fine.lines, fine.sequences), (vec!["bold link".to_owned(), "next".to_owned()], 4));
    assert!(looks_like_ours("[1] x") && looks_like_ours("✔ healthy") && !looks_like_ours("[x]"));
}
