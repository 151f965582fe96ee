//! Private keys in armour, over several lines, with line breaks written as `\n`, cut at either end.

use super::Found;

/// What begins the armour of any key; lowercase.
pub(super) const TRIGGERS: &[&str] = &["private key", "privatekey", "private-lines:", "openvpn static key"];

/// A line of a key is at least this long, but for the last one.
const LINE: usize = 16;

/// The key whose armour is named at `hit`. The lines that say where it begins and ends stay.
pub(super) fn key_at(text: &str, hit: usize) -> Option<Found> {
    let before = text.get(..hit)?;
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let lead = before.get(line_start..)?;
    let begin = lead.rfind("BEGIN ");
    let end = lead.rfind("END ");
    if let Some(end) = end.filter(|end| begin.is_none_or(|begin| begin < *end)) {
        return if begin.is_none() { tail_before(text, line_start + end) } else { None };
    }
    let lines = text.get(hit..)?.to_ascii_lowercase().starts_with("private-lines:");
    if begin.is_none() && !lines {
        return None;
    }
    let rest = text.get(hit..)?;
    let from = if lines {
        hit + rest.find('\n')? + 1
    } else {
        let open = rest.find("--")?;
        // The armour of this line, not of another one.
        if rest.get(..open)?.contains('\n') {
            return None;
        }
        hit + open + rest.get(open..)?.bytes().take_while(|byte| *byte == b'-').count()
    };
    let body = text.get(from..)?;
    let closed = body.find("-----END").or_else(|| body.find("---- END"));
    let to = match closed {
        Some(at) if is_key(body.get(..at)?) => from + at,
        _ => from + cut(body),
    };
    let (from, to) = trimmed(text, from, to)?;
    Some(Found::special(from, to, "private key"))
}

/// What may stand between the two armour lines of one key: not another armour, not a page of log.
fn is_key(body: &str) -> bool {
    body.len() < 32 * 1024 && !body.contains("-----BEGIN")
}

/// The end of a key whose closing line is missing: where lines stop to look like Base64.
fn cut(body: &str) -> usize {
    let (mut at, mut to) = (0, 0);
    for (index, line) in body.split_inclusive('\n').take(200).enumerate() {
        let escaped = line.contains("\\n") || line.contains("\\r");
        let first = index == 0 && line.trim().len() >= LINE;
        if !(line.trim().is_empty() || escaped || first || is_body(line)) {
            break;
        }
        if !line.trim().is_empty() {
            to = at + line.trim_end().len();
        }
        at += line.len();
    }
    to
}

/// The lines before a closing line whose opening line is missing.
fn tail_before(text: &str, end: usize) -> Option<Found> {
    let to = text.get(..end)?.trim_end_matches('-').len();
    let mut from = to;
    let lines = text.get(..to)?.split_inclusive('\n').rev().take(200);
    // The first of them is what stands before the closing line on its own line: a time, or nothing.
    for (index, line) in lines.enumerate() {
        if index > 0 && !line.trim().is_empty() && !is_body(line) && !(index == 1 && is_short_end(line)) {
            break;
        }
        from -= line.len();
    }
    let (from, to) = trimmed(text, from, to)?;
    text.get(from..to)?.bytes().filter(|byte| !byte.is_ascii_whitespace()).nth(LINE)?;
    text.get(from..to)?.contains('\n').then(|| Found::special(from, to, "private key"))
}

/// A line of the body of a key, with what a log puts before it.
pub(super) fn is_body(line: &str) -> bool {
    let line = line.trim();
    let word = line.rsplit([' ', '\t', '|', '"']).find(|word| !word.is_empty()).unwrap_or_default();
    word.bytes().all(is_base64) && (word.len() >= 40 || (word.len() >= LINE && word.len() == line.len()))
}

/// The last line of a body may be short.
fn is_short_end(line: &str) -> bool {
    let word = line.trim().rsplit([' ', '\t', '|', '"']).next().unwrap_or_default();
    !word.is_empty() && word.bytes().all(is_base64) && (word.ends_with('=') || word.len() >= 4)
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// The range without white space, quotation marks and escaped line breaks at its ends; `None` where nothing is left.
fn trimmed(text: &str, mut from: usize, mut to: usize) -> Option<(usize, usize)> {
    loop {
        let inner = text.get(from..to)?;
        let start = inner.trim_start_matches(|c: char| c.is_whitespace() || c == '"');
        let start = ["\\n", "\\r"].iter().find_map(|escape| start.strip_prefix(escape)).unwrap_or(start);
        let end = start.trim_end_matches(|c: char| c.is_whitespace() || c == '"');
        let end = ["\\n", "\\r"].iter().find_map(|escape| end.strip_suffix(escape)).unwrap_or(end);
        if end.len() == inner.len() {
            return (!inner.is_empty()).then_some((from, to));
        }
        from = to - start.len();
        to = from + end.len();
    }
}
