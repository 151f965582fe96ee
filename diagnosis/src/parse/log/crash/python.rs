//! Python: a traceback, or a chain of them with the root first.

use super::{Crash, Message, level, short};
use crate::parse::log::lines::Line;
use crate::parse::log::{Failure, Language};

pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let opener = lines.get(at)?;
    if !opener.text.contains("Traceback (most recent call last)") {
        return None;
    }
    let mut chain = Vec::new();
    let mut next = at;
    while let Some(link) = read_one(lines, next) {
        let end = link.end;
        chain.push(link);
        // Two blank lines and a sentence join an exception to the one it led to.
        let joint = lines.get(end..(end + 4).min(lines.len())).unwrap_or_default();
        let Some(skip) = joint.iter().position(|line| line.text.contains("Traceback (most recent call last)")) else {
            break;
        };
        let is_chain = joint.iter().any(|line| {
            line.text.contains("another exception occurred") || line.text.contains("direct cause of the following")
        });
        if !is_chain {
            break;
        }
        next = end + skip;
    }
    let root = chain.first()?;
    let end = chain.last()?.end;
    let variable = chain.iter().find_map(|link| link.variable.clone());
    let root_is_variable = root.variable.is_some();
    Some(Crash {
        language: Language::Python,
        what: root.messages.first()?.text.clone(),
        at: root.messages.first()?.at,
        frame: root.frame.clone(),
        end,
        is_final: opener.level.is_none() && !opener.is_record() && level(lines, at).is_none() && !is_caught(lines, at),
        level: level(lines, at),
        fallback: variable.map(|name| Failure::MissingVariable { name }),
        prefers_fallback: root_is_variable,
        messages: chain.into_iter().flat_map(|link| link.messages).collect(),
    })
}

/// A thread's death, or a callback's, is not the program's.
fn is_caught(lines: &[Line<'_>], at: usize) -> bool {
    let above = lines.get(at.saturating_sub(1)..at).and_then(<[Line<'_>]>::first).map(Line::body).unwrap_or_default();
    above.starts_with("Exception in thread")
        || above.starts_with("Exception ignored in")
        || above.starts_with("Exception in callback")
        || above.contains("Task exception was never retrieved")
}

struct Link {
    messages: Vec<Message>,
    frame: Option<String>,
    variable: Option<String>,
    end: usize,
}

fn read_one(lines: &[Line<'_>], at: usize) -> Option<Link> {
    let margin =
        lines.get(at)?.text.find("Traceback").filter(|_| !lines.get(at).is_some_and(Line::is_record)).unwrap_or(0);
    let mut own = None;
    let mut other = None;
    let mut reads_environment = false;
    for (index, line) in lines.iter().enumerate().skip(at + 1) {
        if line.is_gap() {
            break;
        }
        // The parts of an exception group are drawn behind bars.
        let text =
            line.text.trim_start().strip_prefix("| ").unwrap_or_else(|| line.text.get(margin..).unwrap_or(&line.text));
        if let Some(place) = text.trim_start().strip_prefix("File \"") {
            let frame = place_of(place);
            if is_library(place) {
                other = frame.or(other);
            } else {
                own = frame.or(own);
            }
            reads_environment = text.contains("<frozen os>")
                || place.contains("/os.py\"")
                || reads_environment && place.contains("__getitem__");
            continue;
        }
        if text.starts_with(' ') || text.is_empty() {
            reads_environment |= text.contains("environ[");
            continue;
        }
        let text = text.trim().to_owned();
        let quoted = text.strip_prefix("KeyError: ").map(|name| name.trim_matches(['\'', '"']).to_owned());
        let is_name = |name: &String| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let variable = quoted.filter(|_| reads_environment).filter(is_name);
        let mut messages = vec![Message { at: index, text }];
        let mut end = index + 1;
        // A message of several lines, up to the next record.
        for (index, line) in lines.iter().enumerate().skip(index + 1).take(12) {
            let text = line.text.trim();
            if line.is_gap()
                || line.is_record()
                || text.contains("Traceback (most")
                || text.contains("another exception occurred")
                || text.contains("direct cause of")
            {
                break;
            }
            if text.is_empty() {
                if lines.get(index + 1).is_none_or(|next| next.text.trim().is_empty() || !next.text.starts_with(' ')) {
                    break;
                }
                continue;
            }
            messages.push(Message { at: index, text: text.to_owned() });
            end = index + 1;
        }
        if messages.len() > 1 {
            let all = messages.iter().map(|message| message.text.as_str()).collect::<Vec<_>>().join(" ");
            if let Some(first) = messages.first_mut().filter(|first| first.text.contains("validation error")) {
                first.text = all;
            }
        }
        return Some(Link { messages, frame: own.or(other), variable, end });
    }
    None
}

fn place_of(place: &str) -> Option<String> {
    let (file, rest) = place.split_once("\", line ")?;
    let (number, function) = rest.split_once(", in ").unwrap_or((rest, ""));
    let number = number.trim_end_matches([',', ' ']);
    let file = short(file);
    let function = function.trim();
    Some(if function.is_empty() || function == "<module>" {
        format!("{file}:{number}")
    } else {
        format!("{file}:{number} in {function}")
    })
}

fn is_library(place: &str) -> bool {
    [
        "site-packages/",
        "dist-packages/",
        "/lib/python",
        "<frozen",
        "<string>",
        "/usr/local/bin/",
        "/usr/bin/",
        "/venv/bin/",
        "/opt/venv/",
        "<__array",
    ]
    .iter()
    .any(|part| place.contains(part))
}
