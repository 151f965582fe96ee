//! Structured log lines made plain: zap, logrus, pino, bunyan, winston, logback, structlog, Serilog, mongod, logfmt.

use serde_json::{Map, Value};

use super::clean::Level;

/// Larger lines are read as text.
const LIMIT: usize = 256 * 1024;

const MESSAGES: &[&str] =
    &["msg", "message", "@message", "@m", "@mt", "Message", "RenderedMessage", "event", "short_message", "text", "log"];
const ERRORS: &[&str] =
    &["error", "err", "exception", "Exception", "error.message", "cause", "reason", "errorMessage", "attr", "details"];
const STACKS: &[&str] = &[
    "stack",
    "stack_trace",
    "stacktrace",
    "stackTrace",
    "error.stack_trace",
    "error.stack",
    "exc_info",
    "@x",
    "trace",
    "traceback",
    "errorVerbose",
];
const LEVELS: &[&str] =
    &["level", "severity", "lvl", "log.level", "levelname", "loglevel", "logLevel", "@l", "Level", "s", "log_level"];

/// A structured line as text.
pub(super) struct Plain {
    /// Message and error on the first line, the stack below.
    pub(super) lines: Vec<String>,
    pub(super) level: Option<Level>,
    /// The line records a request that was served.
    pub(super) is_access: bool,
}

/// Reads a line that is one JSON object or logfmt.
pub(super) fn unwrap(line: &str) -> Option<Plain> {
    let line = line.trim();
    if line.starts_with('{') && line.ends_with('}') && line.len() <= LIMIT {
        let map: Map<String, Value> = serde_json::from_str(line).ok()?;
        return plain(&map, 0);
    }
    logfmt(line)
}

fn plain(map: &Map<String, Value>, depth: usize) -> Option<Plain> {
    let message = MESSAGES.iter().find_map(|key| map.get(*key)).map(|value| flat(value, 0)).unwrap_or_default();
    if depth == 0 && message.trim_start().starts_with('{') {
        let inner = serde_json::from_str(message.trim()).ok().and_then(|map| plain(&map, 1));
        if inner.is_some() {
            return inner;
        }
    }
    let mut text = message;
    for error in ERRORS.iter().filter_map(|key| map.get(*key)).map(|value| flat(value, 0)) {
        if !error.is_empty() && !text.contains(&error) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&error);
        }
    }
    for stack in STACKS.iter().filter_map(|key| map.get(*key)).map(|value| flat(value, 0)) {
        if !stack.is_empty() {
            text.push('\n');
            text.push_str(&stack);
        }
    }
    if text.trim().is_empty() {
        return None;
    }
    let has = |keys: &[&str]| keys.iter().any(|key| map.contains_key(*key));
    let is_access = has(&["status", "status_code", "statusCode", "response_code", "res", "code"])
        && has(&["method", "path", "request", "uri", "req", "url", "request_uri", "request_method"])
        && !has(&["error", "err", "exception", "stack"]);
    let level = LEVELS.iter().find_map(|key| map.get(*key)).and_then(level);
    Some(Plain { lines: text.lines().map(str::to_owned).collect(), level, is_access })
}

fn level(value: &Value) -> Option<Level> {
    if let Some(number) = value.as_u64() {
        return Some(match number {
            0..30 => Level::Debug,
            30..40 => Level::Info,
            40..50 => Level::Warn,
            50..60 => Level::Error,
            _ => Level::Fatal,
        });
    }
    match value.as_str()? {
        "I" => Some(Level::Info),
        "W" => Some(Level::Warn),
        "E" => Some(Level::Error),
        "F" => Some(Level::Fatal),
        name => Level::parse(name),
    }
}

/// Any value as text: of an object only what an error object holds.
fn flat(value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Object(map) if depth < 3 => {
            let get = |keys: &[&str]| {
                keys.iter().find_map(|key| map.get(*key)).map(|value| flat(value, depth + 1)).unwrap_or_default()
            };
            let name = get(&["type", "name", "class", "errorType", "exception_class", "code", "codeName"]);
            let message = get(&["message", "msg", "errmsg", "error", "exception_message", "error_message", "reason"]);
            let stack = get(&["stack", "stack_trace", "stacktrace", "stackTrace"]);
            let head = match (name.is_empty(), message.is_empty()) {
                (false, false) => format!("{name}: {message}"),
                _ => format!("{name}{message}"),
            };
            if stack.is_empty() { head } else { format!("{head}\n{stack}") }
        }
        Value::Array(items) if depth < 3 => items
            .iter()
            .take(8)
            .map(|item| flat(item, depth + 1))
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join("\n"),
        Value::Number(number) if depth > 0 => number.to_string(),
        _ => String::new(),
    }
}

/// `time="..." level=fatal msg="..." error="..."`
fn logfmt(line: &str) -> Option<Plain> {
    let has_level = ["level=", "lvl=", "severity="].iter().any(|key| line.contains(key));
    if !has_level || !line.contains("msg=") && !line.contains("message=") {
        return None;
    }
    let mut map = Map::new();
    let mut rest = line;
    while let Some((key, after)) = rest.split_once('=') {
        let key = key.rsplit(' ').next().unwrap_or_default();
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => after.split_once(' ').map_or((after.to_owned(), ""), |(value, after)| (value.to_owned(), after)),
        };
        map.insert(key.to_owned(), Value::String(value));
        rest = after;
    }
    plain(&map, 1)
}

/// Reads up to the closing quote.
fn unquote(quoted: &str) -> (String, &str) {
    let mut text = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c)) => text.push(c),
                None => {}
            },
            c => text.push(c),
        }
    }
    (text, "")
}
