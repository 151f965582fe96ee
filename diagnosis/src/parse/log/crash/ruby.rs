//! Ruby: `file:line:in 'method': message (Class)`, then `from` lines.

use super::{Crash, Message, level, short};
use crate::parse::log::Language;
use crate::parse::log::lines::Line;

pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let line = lines.get(at)?;
    let body = line.body().trim();
    let (place, rest) = body.split_once(":in `").or_else(|| body.split_once(":in '"))?;
    if body.starts_with("from ") || !place.rsplit_once(':')?.1.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (method, message) = rest.split_once("': ")?;
    let is_frame = |line: &&Line<'_>| line.text.trim_start().starts_with("from ");
    let below = lines.get(at + 1..).unwrap_or_default();
    // The message may go on; the class stands in parentheses at the end of its first line or later.
    let extra = below.iter().take(8).take_while(|line| !line.is_gap() && !is_frame(line) && !line.is_record()).count();
    let frames = below.iter().skip(extra).take_while(is_frame).count();
    let (text, class) = match message.rsplit_once(" (") {
        Some((text, class)) if class.ends_with(')') => (text, class.trim_end_matches(')')),
        _ => (message, ""),
    };
    if class.is_empty() && frames == 0 {
        return None;
    }
    let is_library =
        |place: &str| place.contains("/gems/") || place.contains("/lib/ruby/") || place.starts_with("<internal");
    let own = std::iter::once((place, method))
        .chain(below.iter().skip(extra).take(frames).filter_map(|line| {
            let text = line.text.trim().strip_prefix("from ")?;
            let (place, method) = text.split_once(":in `").or_else(|| text.split_once(":in '"))?;
            Some((place, method.trim_end_matches('\'')))
        }))
        .find(|(place, _)| !is_library(place))
        .unwrap_or((place, method));
    let mut messages = vec![Message { at, text: format!("{class}: {text}") }];
    if frames > 0 {
        for (skip, line) in below.iter().take(extra).enumerate() {
            messages.push(Message { at: at + 1 + skip, text: line.body().trim().to_owned() });
        }
    }
    let what = if class.is_empty() { text.to_owned() } else { format!("{class}: {text}") };
    Some(Crash {
        language: Language::Ruby,
        what,
        at,
        messages,
        frame: Some(format!("{} in {}", short(own.0), own.1)),
        end: at + 1 + if frames > 0 { extra + frames } else { 0 },
        is_final: level(lines, at).is_none(),
        level: level(lines, at),
        fallback: None,
        prefers_fallback: false,
    })
}
