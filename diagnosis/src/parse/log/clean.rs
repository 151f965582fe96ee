//! One raw line made readable: colours, control characters, container runtime prefixes, timestamps and levels.

use std::borrow::Cow;

/// Longer raw lines are cut to their beginning and end before anything else is done with them.
const RAW_HEAD: usize = 6 * 1024;
const RAW_TAIL: usize = 2 * 1024;

/// How grave the program itself finds a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Debug,
    Info,
    Warn,
    Error,
    Fatal,
}

impl Level {
    /// Reads the name of a level in any of the usual spellings.
    pub(super) fn parse(word: &str) -> Option<Self> {
        if word.len() > 13 {
            return None;
        }
        Some(match word.to_ascii_lowercase().as_str() {
            "trace" | "debug" | "dbg" | "verbose" | "fine" | "finer" | "finest" | "silly" | "trc" => Self::Debug,
            "info" | "inf" | "information" | "notice" | "log" | "note" | "config" | "informational" => Self::Info,
            "warn" | "warning" | "wrn" => Self::Warn,
            "error" | "err" | "severe" | "eror" | "fehler" => Self::Error,
            "fatal" | "critical" | "crit" | "emerg" | "emergency" | "alert" | "panic" | "dpanic" | "ftl" => Self::Fatal,
            _ => return None,
        })
    }
}

/// Says whether the whole text is an error of the API or the kubelet in place of a log.
pub(super) fn is_not_the_apps(log: &str) -> bool {
    let text = log.trim();
    if text.len() > 2048 {
        return false;
    }
    let mut lines = text.lines();
    let (Some(first), None) = (lines.next(), lines.find(|line| !line.trim().is_empty())) else {
        return false;
    };
    let first = first.strip_prefix("error: ").unwrap_or(first);
    let is_api = first.starts_with("Error from server") || first.starts_with("{\"kind\":\"Status\"");
    let of_container = first.starts_with("container \"") || first.starts_with("previous terminated container \"");
    first.starts_with("unable to retrieve container logs for ")
        || first.starts_with("failed to open log file \"")
        || first.starts_with("failed to try resolving symlinks in path \"")
        || first.starts_with("failed to get parse function: ")
        || first.starts_with("failed to watch file \"")
        || (is_api && (first.contains("container") || first.contains("pods \"") || first.contains("kubelet")))
        || (of_container
            && (first.contains(" is waiting to start: ")
                || first.contains(" is terminated")
                || first.contains(" is not valid for pod ")
                || first.contains(" not found")))
        || (first.contains("Get \"https://") && first.contains("/containerLogs/"))
}

/// Cuts a monstrous line to its beginning and its end.
pub(super) fn cut(raw: &str) -> Cow<'_, str> {
    if raw.len() <= RAW_HEAD + RAW_TAIL {
        return Cow::Borrowed(raw);
    }
    let head = raw.get(..raw.floor_char_boundary_(RAW_HEAD)).unwrap_or_default();
    let tail = raw.get(raw.floor_char_boundary_(raw.len() - RAW_TAIL)..).unwrap_or_default();
    Cow::Owned(format!("{head} … {tail}"))
}

/// `str::floor_char_boundary`, which the oldest compiler that we support lacks.
trait FloorCharBoundary {
    fn floor_char_boundary_(&self, at: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_(&self, at: usize) -> usize {
        (0..=at.min(self.len())).rev().find(|&at| self.is_char_boundary(at)).unwrap_or_default()
    }
}

/// Removes colours and control characters; a tab becomes one space.
pub(super) fn strip(raw: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| (0x20..0x7f).contains(&byte);
    if raw.bytes().all(is_plain) {
        return Cow::Borrowed(raw);
    }
    let mut text = String::with_capacity(raw.len());
    let mut chars = raw.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                Some('[') => {
                    while chars.next_if(|c| matches!(c, ' '..='?')).is_some() {}
                    let _ = chars.next_if(|c| matches!(c, '@'..='~'));
                }
                Some(']') => {
                    while chars.next_if(|&c| c != '\u{7}' && c != '\u{1b}').is_some() {}
                    if chars.next() == Some('\u{1b}') {
                        let _ = chars.next_if_eq(&'\\');
                    }
                }
                _ => {}
            },
            '\t' | '\r' | '\u{b}' | '\u{c}' => text.push(' '),
            // Zero-width and direction marks would let a log rewrite the line that quotes it.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => {}
            c if c.is_control() => {}
            c => text.push(c),
        }
    }
    Cow::Owned(text)
}

/// Trims, and cuts to a number of characters.
pub(super) fn bound(text: &str, limit: usize) -> String {
    let text = text.trim();
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Removes what the container runtime writes before a line in its file: `{time} stdout F `.
pub(super) fn without_runtime_prefix(line: &str) -> &str {
    let is_time = |word: &str| word.len() >= 20 && word.as_bytes().get(10) == Some(&b'T') && word.starts_with('2');
    let mut parts = line.splitn(4, ' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(time), Some("stdout" | "stderr"), Some("F" | "P"), Some(rest)) if is_time(time) => rest,
        _ => line,
    }
}

/// Finds where the message begins behind timestamps, levels and process ids, and the level.
pub(super) fn head(text: &str) -> (usize, Option<Level>) {
    if let Some(found) = klog(text) {
        return found;
    }
    let mut at = 0;
    let mut seen_time = false;
    let mut level = None;
    for _ in 0..9 {
        let rest = text.get(at..).unwrap_or_default();
        let word = rest.split(' ').next().unwrap_or_default();
        let bare = word.trim_matches(['[', ']', '<', '>', '(', ')', '|', ':', ',']);
        let bracketed = word.starts_with(['[', '<']);
        let step = word.len() + 1;
        let found =
            if level.is_none() && (bracketed || seen_time || is_shouted(bare)) { Level::parse(bare) } else { None };
        if found.is_some() {
            level = found;
        } else if level.is_none() && is_shouted_prefix(word) {
            // Python's default format: `ERROR:root:message`.
            let (name, after) = word.split_once(':').unwrap_or((word, ""));
            level = Level::parse(name);
            at += name.len() + 1 + after.find(':').map_or(0, |colon| colon + 1);
            break;
        } else if word.is_empty() {
            // Indentation matters for stacks: it is kept unless something stood before it.
            if (!seen_time && level.is_none()) || rest.is_empty() {
                break;
            }
        } else if is_time(bare) {
            seen_time = true;
        } else if !(bracketed && word.ends_with([']', '>', ':']) || (seen_time && is_filler(word))) {
            break;
        }
        at += step;
    }
    (at.min(text.len()), level)
}

fn is_shouted(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase())
}

fn is_shouted_prefix(word: &str) -> bool {
    word.split_once(':')
        .is_some_and(|(name, rest)| is_shouted(name) && rest.contains(':') && Level::parse(name).is_some())
}

fn is_time(word: &str) -> bool {
    let bytes = word.as_bytes();
    let digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is = |at: usize, set: &[u8]| bytes.get(at).is_some_and(|byte| set.contains(byte));
    let date = digit(0) && digit(1) && digit(2) && digit(3) && is(4, b"-/.") && digit(5);
    let clock = digit(0) && digit(1) && is(2, b":") && digit(3) && digit(4) && (bytes.len() == 5 || is(5, b":"));
    let named = digit(0) && is(1, b"0123456789") && is(2, b"/-") && bytes.len() >= 10;
    date || clock || named
}

/// What stands between a timestamp and a message: process id, zone, thread, dashes.
fn is_filler(word: &str) -> bool {
    const ZONES: [&str; 24] = [
        "UTC", "GMT", "CET", "CEST", "Z", "-", "--", "---", ":", "|", "#", "*", "Jan", "Feb", "Mar", "Apr", "May",
        "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let number = word.trim_start_matches('+').trim_end_matches(':').replace(['#', '.'], "");
    ZONES.contains(&word) || (!number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// klog and glog: `E1121 10:11:49.502291       1 server.go:191] message`.
fn klog(text: &str) -> Option<(usize, Option<Level>)> {
    let level = match text.as_bytes().first()? {
        b'I' => Level::Info,
        b'W' => Level::Warn,
        b'E' => Level::Error,
        b'F' => Level::Fatal,
        _ => return None,
    };
    let digits = text.get(1..5)?.bytes().all(|byte| byte.is_ascii_digit());
    let end = text.find("] ")?;
    (digits && end < 120).then_some((end + 2, Some(level)))
}

/// [`strip`] for a line that may already be ours.
pub(super) fn strip_cow(text: Cow<'_, str>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => strip(text),
        Cow::Owned(text) => Cow::Owned(strip(&text).into_owned()),
    }
}
