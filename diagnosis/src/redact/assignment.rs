//! Values behind names that speak of secrets: `password=x`, `"token": "x"`, `DB_PASSWORD: x`, `--api-key x`.

use super::Found;
use super::name::{Promise, promise};
use super::value::{is_credential, is_path, is_placeholder};

/// A name longer than this is none.
const NAME: usize = 80;
/// A value longer than this is none, and is cut there: the time for a line is bounded.
const VALUE: usize = 64 * 1024;

/// The value behind the name around a hit, where it is a secret. `line` is the line, `hit` a place in it inside the name.
pub(super) fn value_at(line: &str, hit: std::ops::Range<usize>) -> Option<Found> {
    let bytes = line.as_bytes();
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    // A trigger may hold the quotation mark or the separator itself.
    let inside = bytes.get(hit.clone())?.iter().position(|byte| is_name(*byte)).map_or(hit.start, |at| hit.start + at);
    let back = bytes.get(..inside)?.iter().rev().take(NAME).take_while(|byte| is_name(**byte)).count();
    let ahead = bytes.get(inside..)?.iter().take(NAME).take_while(|byte| is_name(**byte)).count();
    let mut start = inside - back;
    // A line break that is written as an escape belongs to no name.
    if start > 0 && bytes.get(start - 1) == Some(&b'\\') && matches!(bytes.get(start), Some(b'n' | b't' | b'r')) {
        start += 1;
    }
    let end = inside + ahead;
    let name = line.get(start..end)?;
    let promise = promise(name)?;
    let (at, separator) = separator(bytes, end, name.starts_with('-'))?;
    let (from, to, quoted) = extent(bytes, in_list(bytes, at));
    let value = line.get(from..to)?;
    let rest = line.get(to..)?;
    is_secret(promise, name, value, separator, quoted, rest).then(|| Found::general(from, to, promise.kind()))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Equals,
    Colon,
    Blank,
}

/// The place behind the separator that follows a name.
fn separator(bytes: &[u8], end: usize, is_flag: bool) -> Option<(usize, Separator)> {
    let skip = |mut at: usize, what: fn(u8) -> bool| {
        while bytes.get(at).is_some_and(|byte| what(*byte)) {
            at += 1;
        }
        at
    };
    let closed = skip(end, |byte| matches!(byte, b'"' | b'\'' | b'`' | b'\\' | b']'));
    let at = skip(closed, |byte| matches!(byte, b' ' | b'\t'));
    match (bytes.get(at), bytes.get(at + 1)) {
        (Some(b'='), Some(b'=')) => None,
        (Some(b':'), Some(b'/')) if bytes.get(at + 2) == Some(&b'/') => None,
        (Some(b'='), Some(b'>')) | (Some(b':'), Some(b'=')) => Some((skip(at + 2, is_blank), Separator::Equals)),
        (Some(b'='), _) => {
            let value = skip(at + 1, is_blank);
            // `password= user=app`: nothing is there.
            let spaced = value > at + 1 && at == end;
            (!spaced).then_some((value, Separator::Equals))
        }
        (Some(b':'), _) => Some((skip(at + 1, is_blank), Separator::Colon)),
        (Some(next), _) if is_flag && at > end && *next != b'-' => Some((at, Separator::Blank)),
        _ => None,
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

/// Where a value begins behind the bracket of a list of texts.
fn in_list(bytes: &[u8], at: usize) -> usize {
    let listed = bytes.get(at) == Some(&b'[') && matches!(bytes.get(at + 1), Some(b'"' | b'\\' | b'\''));
    if listed { at + 1 } else { at }
}

/// Where a value begins and ends, and whether it stands in quotation marks.
fn extent(bytes: &[u8], at: usize) -> (usize, usize, bool) {
    let slashes = bytes.iter().skip(at).take_while(|byte| **byte == b'\\').count();
    let quote = bytes.get(at + slashes).copied().filter(|byte| matches!(byte, b'"' | b'\'' | b'`'));
    if let Some(quote) = quote {
        let from = at + slashes + 1;
        let mut to = from;
        let mut escapes = 0;
        while let Some(byte) = bytes.get(to).filter(|_| to - from < VALUE) {
            if *byte == quote && escapes <= slashes {
                return (from, to - escapes.min(to - from), true);
            }
            escapes = if *byte == b'\\' { escapes + 1 } else { 0 };
            to += 1;
        }
        return (from, boundary(bytes, to), true);
    }
    let mut to = at;
    while let Some(byte) = bytes.get(to).filter(|_| to - at < VALUE) {
        let next = bytes.get(to + 1).copied().unwrap_or(b' ');
        let ends = match byte {
            b' ' | b'\t' | b'"' | b'\'' | b'`' | b'&' | b';' | b'|' => true,
            b',' => next.is_ascii_whitespace() || next == b'"' || names_follow(bytes, to + 1),
            b')' | b']' | b'}' | b'>' => !next.is_ascii_alphanumeric(),
            b'\\' => matches!(next, b'"' | b'n' | b'r' | b't' | b'\'' | b'u'),
            _ => false,
        };
        if ends {
            break;
        }
        to += 1;
    }
    (at, boundary(bytes, to), false)
}

/// The next place where a character begins: a text cannot be taken apart inside one.
fn boundary(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80) {
        at += 1;
    }
    at
}

/// `name=` or `name:` comes next.
fn names_follow(bytes: &[u8], at: usize) -> bool {
    let name = bytes.iter().skip(at).take(NAME);
    let length = name.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(**byte, b'_' | b'-' | b'.')).count();
    length > 0 && matches!(bytes.get(at + length), Some(b'=' | b':'))
}

fn is_secret(promise: Promise, name: &str, value: &str, separator: Separator, quoted: bool, rest: &str) -> bool {
    let word = value.trim_end_matches(['.', ',', ':', '!', '?', ')']);
    // `os.environ["DB_PASSWORD"]`: a line of a program.
    let is_code = !quoted && (word.starts_with(['{', '[', '(', '<']) || word.ends_with(['[', '(']));
    if is_placeholder(value) || is_placeholder(word) || is_code {
        return false;
    }
    let lower = word.bytes().all(|byte| byte.is_ascii_lowercase());
    let letters = word.bytes().all(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_' | b'\''));
    // `invalid password: authentication failed`: a sentence goes on; a value of YAML ends its line.
    let goes_on =
        rest.starts_with([' ', ',']) && rest.trim_start_matches([' ', ',']).starts_with(|c: char| c.is_alphabetic());
    let prose = !quoted && separator == Separator::Colon && letters && (goes_on || word.len() < 3);
    match promise {
        _ if prose => false,
        Promise::Password => {
            let is_sentence =
                quoted && value.contains(' ') && separator == Separator::Colon && value.split(' ').count() > 3;
            word.len() >= 3 && !is_sentence && !is_number_of_something(name, word) && !is_lower_path(word)
        }
        Promise::Secret => {
            word.len() >= 4
                && !is_path(word)
                && !word.starts_with("http")
                && !value.contains(' ')
                && !(separator == Separator::Colon && lower && !quoted && word.len() < 8)
                && !is_number_of_something(name, word)
                && !looks_like_a_name(word)
        }
        Promise::Maybe => is_credential(word) && !value.contains(' '),
    }
}

/// `passwords: 3`, `token: 17`: a count, not a secret.
fn is_number_of_something(name: &str, word: &str) -> bool {
    word.len() < 4 && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') && !name.ends_with("word")
}

fn is_lower_path(word: &str) -> bool {
    is_path(word) && word.bytes().all(|byte| byte.is_ascii_lowercase() || b"/-._0123456789".contains(&byte))
}

/// `imagePullSecret=regcred`, `pull-secret: shop/regcred`: the name of an object that holds the secret.
fn looks_like_a_name(word: &str) -> bool {
    let segments = || word.split(['-', '/', '.']);
    segments().count() >= 2
        && segments().all(|part| part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()))
        && segments().all(|part| part.len() < 12)
        && segments().filter(|part| part.bytes().all(|byte| byte.is_ascii_lowercase())).count() >= 2
}
