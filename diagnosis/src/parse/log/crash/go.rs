//! Go: `panic: `, `fatal error: `, then goroutines.

use super::{Crash, Message, level, short};
use crate::parse::log::Language;
use crate::parse::log::clean::Level;
use crate::parse::log::lines::Line;

/// Lines of a message before its goroutine.
const MESSAGE: usize = 20;

pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let line = lines.get(at)?;
    let body = line.body();
    let start = body.find("panic: ").or_else(|| body.find("fatal error: "))?;
    let opener = body.get(start..)?;
    let message = opener.strip_prefix("panic: ").or_else(|| opener.strip_prefix("fatal error: "))?;
    let block = lines.get(at + 1..)?.iter().take_while(|line| !line.is_gap());
    let goroutine = block
        .take(MESSAGE)
        .position(|line| line.body().starts_with("goroutine ") && line.body().contains('['))
        .map(|skip| at + 1 + skip);
    if goroutine.is_none() && (start > 0 || matches!(line.level, Some(Level::Info | Level::Debug | Level::Warn))) {
        return None;
    }
    if goroutine.is_none() && opener.starts_with("fatal error: ") && !is_runtimes(message) {
        return None;
    }
    let stack_from = goroutine.unwrap_or(at + 1);
    let rest: Vec<&str> = lines
        .get(at + 1..stack_from)
        .unwrap_or_default()
        .iter()
        .map(Line::body)
        .take_while(|text| !text.starts_with("[signal"))
        .collect();
    let message = message.trim_end_matches(" [recovered]");
    let mut messages = vec![Message { at, text: message.to_owned() }];
    for (skip, text) in rest.iter().enumerate().filter(|(_, text)| !text.trim().is_empty()) {
        messages.push(Message { at: at + 1 + skip, text: text.trim().trim_start_matches("panic: ").to_owned() });
    }
    let (frame, end) = frame(lines, stack_from);
    Some(Crash {
        language: Language::Go,
        what: message.to_owned(),
        at,
        messages,
        frame,
        end: if goroutine.is_some() { end } else { at + 1 },
        is_final: goroutine.is_some() && start == 0 && !matches!(level(lines, at), Some(Level::Info | Level::Warn)),
        level: line.level,
        fallback: None,
        prefers_fallback: false,
    })
}

fn is_runtimes(message: &str) -> bool {
    [
        "concurrent map",
        "all goroutines are asleep",
        "runtime: ",
        "out of memory",
        "stack overflow",
        "unexpected signal",
        "sync: ",
    ]
    .iter()
    .any(|start| message.starts_with(start))
}

/// The first frame that is the program's, and the end of the block.
fn frame(lines: &[Line<'_>], from: usize) -> (Option<String>, usize) {
    let mut own = None;
    let mut other = None;
    let mut function = "";
    let mut end = from;
    for (index, line) in lines.iter().enumerate().skip(from).take_while(|(_, line)| !line.is_gap()) {
        let text = line.text.as_ref();
        let is_place = text.starts_with(' ') && text.contains(".go:") || text.contains(".s:") && text.starts_with(' ');
        let is_part = is_place
            || text.is_empty()
            || text.ends_with(')')
            || text.starts_with("goroutine ")
            || text.starts_with("created by ")
            || text.starts_with("exit status ")
            || text.starts_with("[signal")
            || text.starts_with("runtime stack:")
            || text.starts_with("...");
        if !is_part {
            break;
        }
        end = index + 1;
        if !is_place {
            function = text;
            continue;
        }
        let place = text.trim().split(" +0x").next().unwrap_or_default().trim_end_matches(' ');
        let is_runtime = function.starts_with("runtime.")
            || function.starts_with("panic(")
            || function.starts_with("runtime/")
            || place.contains("/src/runtime/");
        if is_runtime || own.is_some() {
            continue;
        }
        if place.contains("/usr/local/go/src/")
            || place.contains("/pkg/mod/")
            || place.contains("/vendor/")
            || place.contains("/usr/lib/go")
            || place.contains("/go/src/net/")
        {
            other.get_or_insert_with(|| short(place).to_owned());
        } else {
            own = Some(short(place).to_owned());
        }
    }
    (own.or(other), end)
}
