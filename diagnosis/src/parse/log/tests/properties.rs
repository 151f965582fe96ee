//! Whatever the bytes: no panic, bounded output, linear time.

use proptest::prelude::*;

use super::super::{LINE_LIMIT, LastWords, TAIL_LIMIT, read};

fn is_bounded(words: &LastWords) -> bool {
    let fits = |text: &String| text.chars().count() <= LINE_LIMIT;
    let no_controls = |text: &String| !text.chars().any(char::is_control);
    words.tail.len() <= TAIL_LIMIT
        && words.tail.iter().all(|line| fits(line) && no_controls(line))
        && words.others.len() <= 4
        && words
            .signature
            .iter()
            .chain(&words.others)
            .all(|signature| fits(&signature.line) && no_controls(&signature.line))
}

/// Pieces of real wording, shuffled and cut, reach further into the parsers than bytes do.
const PIECES: &[&str] = &[
    "panic: ",
    "goroutine 1 [running]:",
    "\n",
    "\n\t",
    " ",
    "Traceback (most recent call last):\n",
    "  File \"/a.py\", line 3, in f\n",
    "KeyError: 'X'",
    "\nDuring handling of the above exception, another exception occurred:\n\n",
    "thread 'main' panicked at ",
    "src/main.rs:1:2:\n",
    "'",
    "\"",
    "Caused by: ",
    "java.net.ConnectException: ",
    "Connection refused",
    "\tat a.b.C(D.java:1)\n",
    "   at X.Y() in /a.cs:line 3\n",
    " ---> ",
    "{\"msg\":\"",
    "\"}",
    "level=error msg=\"",
    "lookup h on 1.2.3.4:53: ",
    "no such host",
    "x509: certificate is valid for ",
    ", not ",
    "PHP Fatal error:  Uncaught E: m in /a.php:3\nStack trace:\n#0 ",
    "a.rb:3:in `f': m (E)\n\tfrom b",
    "\u{1b}[31m",
    "\u{1b}]0;",
    "é",
    "日本",
    "\u{0}",
    "\r",
    "https://[::1]:443/",
    "dial tcp ",
    "[",
    "]",
    "(",
    ")",
    ":",
    "/",
    "E1121 10:00:00.1 1 a.go:1] ",
    "permission denied",
    "No such file or directory",
    "*** FATAL CONFIG FILE ERROR",
    "[emerg] ",
    " in /etc/x:9",
    "usage: ",
    "parameter not set",
    "2026-11-21T10:00:00.000000000Z stderr F ",
];

proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        prop_assert!(is_bounded(&read(&String::from_utf8_lossy(&bytes))));
    }

    #[test]
    fn any_text(text in "\\PC{0,300}") {
        prop_assert!(is_bounded(&read(&text)));
    }

    #[test]
    fn shuffled_wording(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)) {
        prop_assert!(is_bounded(&read(&pieces.concat())));
    }
}

#[test]
fn monstrous_lines_and_many_lines_are_read() {
    let logs = [
        "x".repeat(1 << 20),
        format!("panic: {}", "é".repeat(1 << 19)),
        format!("{{\"msg\":\"{}\"}}", "connection refused ".repeat(50_000)),
        "{".repeat(1 << 18),
        "INFO error connection refused timeout\n".repeat(20_000),
        "\tat a.b.C(D.java:1)\n".repeat(20_000),
        "Caused by: java.io.IOException: x\n".repeat(20_000),
        "Traceback (most recent call last):\n".repeat(20_000),
        "panic: x\n".repeat(20_000),
        "Error: x\n\n".repeat(20_000),
        "a.rb:3:in `f': m\n".repeat(20_000),
    ];
    for log in logs {
        assert!(is_bounded(&read(&log)), "{log:.30}");
    }
}
