//! Rust: `thread '{name}' panicked at`, in the form of 1.73 and later and the one before.

use super::{Crash, Message, short};
use crate::parse::log::Language;
use crate::parse::log::lines::Line;

pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let body = lines.get(at)?.body();
    let start = body.find("thread '")?;
    let (head, rest) = body.get(start..)?.split_once(" panicked at ")?;
    let name = head.strip_prefix("thread '")?.split('\'').next()?;
    let (message_at, what, place) = if let Some(quoted) = rest.strip_prefix('\'') {
        // `'message', src/main.rs:5:10`; the message may hold line breaks.
        match quoted.rsplit_once("', ") {
            Some((message, place)) => (at, message.to_owned(), place),
            None => (at, quoted.to_owned(), ""),
        }
    } else {
        let text = lines.get(at + 1).filter(|line| !line.is_gap()).map(Line::body).unwrap_or_default();
        (at + 1, text.to_owned(), rest)
    };
    let mut parts = place.trim_end_matches(':').rsplitn(3, ':');
    let frame = match (parts.next(), parts.next(), parts.next()) {
        (Some(_), Some(line), Some(file)) if !file.starts_with("/rustc/") => Some(format!("{}:{line}", short(file))),
        _ => None,
    };
    let mut end = message_at + 1;
    let mut messages = vec![Message { at: message_at.min(lines.len().saturating_sub(1)), text: what.clone() }];
    for (index, line) in lines.iter().enumerate().skip(end).take(120) {
        let text = line.text.trim();
        let is_stack = text.starts_with("note: ")
            || text.starts_with("stack backtrace:")
            || text.starts_with("at ")
            || text
                .split(':')
                .next()
                .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()));
        if line.is_gap() || !is_stack && line.is_record() || text.starts_with("thread '") {
            break;
        }
        if !is_stack && index < message_at + 6 && !text.is_empty() {
            messages.push(Message { at: index, text: text.to_owned() });
        } else if !is_stack {
            break;
        }
        end = index + 1;
    }
    Some(Crash {
        language: Language::Rust,
        what,
        at: message_at.min(lines.len().saturating_sub(1)),
        messages,
        frame,
        end,
        is_final: name == "main" || end + 3 >= lines.len(),
        level: lines.get(at)?.level,
        fallback: None,
        prefers_fallback: false,
    })
}
