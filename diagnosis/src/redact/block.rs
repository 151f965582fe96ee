//! Private keys in armour, over several lines, with line breaks written as `\n`, cut at either end.

use super::Found;

/// What begins the armour of any key; lowercase.
pub(super) const TRIGGERS: &[&str] = &["private key", "privatekey", "private-lines:", "openvpn static key"];

/// A line of a key is at least this long, but for the last one.
const LINE: usize = 16;
/// The words of an armour line are at most this long.
const ARMOUR: usize = 64;
/// No key is longer than this, with what a log puts before each line.
const KEY: usize = 32 * 1024;

/// The key whose armour is named at `hit`. The lines that say where it begins and ends stay.
pub(super) fn key_at(text: &str, hit: usize) -> Option<Found> {
    // The words before it in its line, as far as an armour has any.
    let before = from_boundary(text, hit.saturating_sub(ARMOUR));
    let lead_start = text.len() - before.len();
    let before = text.get(lead_start..hit)?;
    let line_start = lead_start + before.rfind('\n').map_or(0, |at| at + 1);
    let lead = text.get(line_start..hit)?;
    let begin = lead.rfind("BEGIN ");
    let end = lead.rfind("END ");
    if let Some(end) = end.filter(|end| begin.is_none_or(|begin| begin < *end)) {
        return if begin.is_none() { tail_before(text, line_start + end) } else { None };
    }
    let rest = text.get(hit..)?;
    let lines = rest.as_bytes().iter().zip(b"private-lines:").all(|(byte, of)| byte.eq_ignore_ascii_case(of));
    if begin.is_none() && !lines {
        return None;
    }
    let from = if lines {
        hit + rest.find('\n')? + 1
    } else {
        let open = rest.as_bytes().windows(2).take(ARMOUR).position(|pair| pair == b"--")?;
        // The armour of this line, not of another one.
        if rest.get(..open)?.contains('\n') {
            return None;
        }
        hit + open + rest.get(open..)?.bytes().take_while(|byte| *byte == b'-').count()
    };
    let body = up_to(text.get(from..)?, KEY);
    let closed = body.find("-----END").or_else(|| body.find("---- END"));
    let to = match closed {
        Some(at) if is_key(body.get(..at)?) => from + at,
        _ => from + cut(body),
    };
    let (from, to) = trimmed(text, from, to)?;
    Some(Found::special(from, to, "private key"))
}

/// The text from a place on, or from the next place where a character begins.
fn from_boundary(text: &str, mut at: usize) -> &str {
    while !text.is_char_boundary(at) {
        at += 1;
    }
    text.get(at..).unwrap_or_default()
}

/// The first bytes of a text, or a few less where they would end inside a character.
fn up_to(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// What may stand between the two armour lines of one key: not another armour, not a page of log.
fn is_key(body: &str) -> bool {
    !body.contains("-----BEGIN")
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
        let belongs = index == 0 || line.trim().is_empty() || is_body(line) || (index == 1 && is_short_end(line));
        if !belongs {
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
