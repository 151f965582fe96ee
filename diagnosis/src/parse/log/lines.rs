//! The regions of a log worth reading, cleaned; everything else is skipped after one search.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::clean::{self, Level};
use super::{LINE_LIMIT, TAIL_LIMIT, json, rule};

/// How many lines with a word of interest are kept, counted from the end.
const KEPT: usize = 1500;
/// How many beginnings of crashes are kept from the front, wherever they stand.
const OPENERS: usize = 40;
/// Lines before a hit: they name the peer or the step.
const BEFORE: usize = 14;
/// Lines after a hit: they hold the message and the first frames.
const AFTER: usize = 30;
/// The longest stack that is read to its end.
const STACK: usize = 1500;

/// A cleaned line.
pub(super) struct Line<'a> {
    /// Its number in the log, from 1.
    pub(super) number: usize,
    /// The line without colours and control characters, structured lines made plain.
    pub(super) text: Cow<'a, str>,
    /// Where the message begins behind timestamps and levels.
    body: usize,
    /// The level that the line states.
    pub(super) level: Option<Level>,
    /// It records a request that was served.
    pub(super) is_access: bool,
}

impl Line<'_> {
    /// The message behind timestamps and levels.
    pub(super) fn body(&self) -> &str {
        self.text.get(self.body..).unwrap_or_default()
    }

    /// Whether a timestamp or a level begins the line: a new record, not the rest of the one before.
    pub(super) fn is_record(&self) -> bool {
        self.body > 0 || self.level.is_some()
    }

    /// Whether it stands for lines that were skipped.
    pub(super) fn is_gap(&self) -> bool {
        self.number == 0
    }
}

/// Cleans the lines around words of interest. A gap stands between regions.
pub(super) fn interesting<'a>(raw: &[&'a str]) -> Vec<Line<'a>> {
    let mut lines = Vec::new();
    let mut next = 0;
    for hit in hits(raw) {
        if hit + 1 < next {
            continue;
        }
        let from = hit.saturating_sub(BEFORE).max(next);
        if from > next && !lines.is_empty() {
            lines.push(Line { number: 0, text: Cow::Borrowed(""), body: 0, level: None, is_access: false });
        }
        let to = (hit + AFTER).min(raw.len());
        let indented = raw.iter().skip(to).take(STACK).take_while(|line| is_stack(line)).count();
        let to = (to + indented + if indented > 0 { 8 } else { 0 }).min(raw.len());
        for (index, line) in raw.iter().enumerate().take(to).skip(from) {
            push(&mut lines, index + 1, line);
        }
        next = next.max(to);
    }
    lines
}

fn is_stack(line: &str) -> bool {
    line.is_empty() || line.starts_with([' ', '\t']) || line.starts_with("Caused by:") || line.starts_with("Traceback")
}

/// The lines with a word that some rule looks for.
fn hits(raw: &[&str]) -> BTreeSet<usize> {
    let all: Vec<usize> =
        raw.iter().enumerate().filter(|(_, line)| rule::is_interesting(line)).map(|(index, _)| index).collect();
    let openers = all.iter().copied().filter(|&index| raw.get(index).is_some_and(|line| rule::opens_crash(line)));
    if all.len() <= KEPT {
        return all.into_iter().collect();
    }
    let front: Vec<usize> = openers.take(OPENERS).collect();
    all.iter().rev().take(KEPT).copied().chain(front).collect()
}

fn push<'a>(lines: &mut Vec<Line<'a>>, number: usize, raw: &'a str) {
    let raw = clean::without_runtime_prefix(raw);
    let start = raw.trim_start();
    let whole = if start.starts_with('{') { json::unwrap(raw) } else { None };
    let text = clean::strip_cow(clean::cut(raw));
    let (body, level) = clean::head(&text);
    let plain = whole.or_else(|| json::unwrap(text.get(body..).unwrap_or_default())).or_else(|| json::unwrap(&text));
    let Some(plain) = plain else {
        let text = if text.contains("\\\"") { Cow::Owned(text.replace("\\\"", "\"")) } else { text };
        let body = body.min(text.len());
        lines.push(Line { number, text, body, level, is_access: false });
        return;
    };
    for line in plain.lines {
        let text = clean::strip(&clean::cut(&line)).into_owned();
        let (body, own) = clean::head(&text);
        let level = plain.level.or(own).or(level);
        lines.push(Line { number, text: Cow::Owned(text), body, level, is_access: plain.is_access });
    }
}

/// The last lines that say something.
pub(super) fn tail(raw: &[&str]) -> Vec<String> {
    let mut tail: Vec<String> = Vec::new();
    for line in raw.iter().rev().take(100) {
        let mut cleaned = Vec::new();
        push(&mut cleaned, 1, line);
        let Some(first) = cleaned.first() else { continue };
        let text = clean::bound(&first.text, LINE_LIMIT);
        if text.chars().any(char::is_alphanumeric) && tail.last() != Some(&text) {
            tail.push(text);
        }
        if tail.len() == TAIL_LIMIT {
            break;
        }
    }
    tail.reverse();
    tail
}
