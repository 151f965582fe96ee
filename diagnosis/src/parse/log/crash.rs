//! The blocks that a runtime prints when a program dies, or when a program prints an exception with its stack.

mod frames;
mod go;
mod php;
mod python;
mod ruby;
mod rust;

use super::clean::Level;
use super::lines::Line;
use super::{Failure, Language};

/// Words that begin such a block; a log is searched for them from its first line.
pub(super) const OPENERS: &[&str] = &[
    "traceback (most recent call last)",
    "panic: ",
    "fatal error: ",
    "panicked at ",
    "exception in thread",
    "unhandled exception",
    "uncaught ",
    "caused by: ",
    ":in `",
    ":in '",
    "php fatal",
    "php parse",
    "parse error: ",
    "terminate called",
    "[fatal]",
    "[emerg]",
    "fatal",
    "critical",
    "emerg",
    "[crit]",
];

/// A block.
pub(super) struct Crash {
    pub(super) language: Language,
    /// Class and message of the root.
    pub(super) what: String,
    /// Where the root's message stands.
    pub(super) at: usize,
    /// What may name a specific failure, the root first.
    pub(super) messages: Vec<Message>,
    pub(super) frame: Option<String>,
    /// The first line behind the block.
    pub(super) end: usize,
    /// The runtime says that nobody handled it.
    pub(super) is_final: bool,
    /// The level of the line that brings it, where a program logged it.
    pub(super) level: Option<Level>,
    /// What the block means if no message names a failure.
    pub(super) fallback: Option<Failure>,
    /// The fallback is surer than the words.
    pub(super) prefers_fallback: bool,
}

/// A text within a block.
pub(super) struct Message {
    pub(super) at: usize,
    pub(super) text: String,
}

/// Reads the block that begins at a line.
pub(super) fn read(lines: &[Line<'_>], at: usize) -> Option<Crash> {
    let line = lines.get(at)?;
    if line.is_gap() || line.is_access {
        return None;
    }
    go::read(lines, at)
        .or_else(|| python::read(lines, at))
        .or_else(|| rust::read(lines, at))
        .or_else(|| ruby::read(lines, at))
        .or_else(|| php::read(lines, at))
        .or_else(|| frames::read(lines, at))
}

/// The level of a block's first line, or of the record above that announces it.
fn level(lines: &[Line<'_>], at: usize) -> Option<Level> {
    let own = lines.get(at).and_then(|line| line.level);
    let above = || lines.get(at.saturating_sub(2)..at)?.iter().rev().find(|line| !line.body().trim().is_empty())?.level;
    // Nobody announces an exception at the level of information: that line is about something else.
    own.or_else(|| above().filter(|level| *level >= Level::Warn))
}

/// The end of a path that tells enough: `main.go`, but `db/index.js`.
fn short(path: &str) -> &str {
    let path = path.trim_start_matches("file://");
    let mut cuts = path.rmatch_indices(['/', '\\']).map(|(at, _)| at + 1);
    let name = cuts.next().map_or(path, |at| path.get(at..).unwrap_or(path));
    let says_nothing =
        ["index.", "mod.rs", "lib.rs", "__init__.py", "__main__.py"].iter().any(|start| name.starts_with(start));
    if says_nothing {
        cuts.next().map_or(path.trim_start_matches('/'), |at| path.get(at..).unwrap_or(name))
    } else {
        name
    }
}
