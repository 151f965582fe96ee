//! PHP: `PHP Fatal error:  Uncaught Class: message in file:line`.

use super::{Crash, Message, short};
use crate::parse::log::Language;
use crate::parse::log::lines::Line;

pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let line = lines.get(at)?;
    let body = line.body();
    let body = body.get(
        body.find("PHP Fatal error:")
            .or_else(|| body.find("PHP Parse error:"))
            .or_else(|| body.find("Fatal error: "))
            .or_else(|| body.find("Parse error: "))?..,
    )?;
    let (_, message) = body.split_once("error: ")?;
    let message = message.trim();
    let is_phps = body.starts_with("PHP ") || message.starts_with("Uncaught ") || message.contains(" on line ");
    if !is_phps {
        return None;
    }
    let what = message.strip_prefix("Uncaught ").unwrap_or(message);
    let (what, place) = match what.rsplit_once(" in /") {
        Some((what, place)) => (what, Some(place)),
        None => (what, None),
    };
    let below = lines.get(at + 1..).unwrap_or_default();
    let mut end = at + 1;
    let mut messages = vec![Message { at, text: what.to_owned() }];
    let mut place = place.map(|place| format!("/{place}"));
    for (skip, line) in below.iter().take(80).enumerate() {
        let text = line.body().trim();
        if text.starts_with('#')
            || text.starts_with("Stack trace:")
            || text.starts_with("thrown in ")
            || text.is_empty()
        {
            end = at + 2 + skip;
            if text.starts_with("thrown in ") {
                break;
            }
        } else if let Some(next) = text.strip_prefix("Next ") {
            messages.push(Message { at: at + 1 + skip, text: next.to_owned() });
            end = at + 2 + skip;
        } else if messages.len() < 6 && place.is_none() && !line.is_record() && !line.is_gap() {
            place = text.rsplit_once(" in /").map(|(_, place)| format!("/{place}"));
            messages.push(Message { at: at + 1 + skip, text: text.to_owned() });
            end = at + 2 + skip;
        } else {
            break;
        }
    }
    // A library's place is not the program's: its own stands in the stack, `#1 /app/x.php(12): call`.
    let stack = lines.get(at + 1..end).unwrap_or_default().iter().filter_map(|line| {
        let (file, rest) = line.text.trim().strip_prefix('#')?.split_once(' ')?.1.split_once('(')?;
        Some(format!("{file}:{}", rest.split(')').next()?))
    });
    let mut places = place
        .into_iter()
        .map(|place| place.replace(" on line ", ":"))
        .chain(stack)
        .filter(|place| place.starts_with('/'));
    let first = places.next();
    let own = first
        .clone()
        .filter(|place| !place.contains("/vendor/"))
        .or_else(|| places.find(|place| !place.contains("/vendor/")))
        .or(first);
    Some(Crash {
        language: Language::Php,
        what: what.to_owned(),
        at,
        messages,
        frame: own.map(|place| short(&place).to_owned()),
        end,
        is_final: true,
        level: line.level,
        fallback: None,
        prefers_fallback: false,
    })
}
