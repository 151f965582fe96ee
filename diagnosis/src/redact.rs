//! Takes secrets out of whatever leaves the engine.
//!
//! [`redact`] is for a text, [`redact_value`] for a tree of JSON, [`redact_object`] for an object of a cluster that is saved.
//! Secrets are found by the form that their issuer gives them ([`formats`]), by the armour of a private key, and by the name
//! that stands before them (`DB_PASSWORD=`, `"client_secret":`, `--token`). What goes is replaced by a mark that names the
//! kind, `[redacted: github token]`, and nothing else: no length, no first letters. Names, hosts and users stay.
//!
//! Invariants: linear in the text; what was redacted stays as it is when it is redacted again; a text without a secret comes
//! back as it was, and no memory is taken for it. Where a form is in doubt, the text goes rather than the secret stays:
//! checksums of tokens are not asked for, since a wrong guess about them would show a live token.

mod assignment;
mod block;
mod format;
mod formats;
mod name;
mod object;
mod report;
mod value;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use regex::Regex;

pub use format::Format;
pub use object::{redact_object, redact_value};
pub(crate) use report::Gate;

/// What every mark begins with; the kind and `]` follow.
pub const MARK: &str = "[redacted: ";

/// How often a text is gone over again until nothing is found any more. Twice is enough for all that is known.
const ROUNDS: usize = 4;

/// The forms of secrets that are known, several of one kind where it has several forms.
pub fn formats() -> impl Iterator<Item = &'static Format> {
    formats::all()
}

/// The text without its secrets; borrowed, where it holds none.
pub fn redact(text: &str) -> Cow<'_, str> {
    let mut found = find(text);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = replace(text, &found);
    for _ in 1..ROUNDS {
        found = find(&out);
        if found.is_empty() {
            break;
        }
        out = replace(&out, &found);
    }
    Cow::Owned(out)
}

/// A secret in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    range: Range<usize>,
    kind: &'static str,
    /// Found by its own form, which says more than the name before it.
    is_special: bool,
}

impl Found {
    const fn special(from: usize, to: usize, kind: &'static str) -> Self {
        Self { range: from..to, kind, is_special: true }
    }

    const fn general(from: usize, to: usize, kind: &'static str) -> Self {
        Self { range: from..to, kind, is_special: false }
    }
}

/// What a trigger calls for.
#[derive(Clone, Copy)]
enum Job {
    /// The form of that index.
    Form(usize),
    /// A look at the name around it.
    Name,
    /// A look at the armour of a key.
    Block,
    /// A mark that is there already.
    Mark,
}

struct Library {
    triggers: AhoCorasick,
    /// What each trigger calls for, by its number.
    jobs: Vec<Vec<Job>>,
    forms: Vec<&'static Format>,
    patterns: Vec<OnceLock<Option<Regex>>>,
}

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::new);

impl Library {
    #[expect(clippy::expect_used, reason = "the words are literals that a test builds the automaton from")]
    fn new() -> Self {
        let forms: Vec<&'static Format> = formats::all().collect();
        let mut words: Vec<&'static str> = Vec::new();
        let mut jobs: Vec<Vec<Job>> = Vec::new();
        let mut add = |word: &'static str, job: Job| {
            let index = words.iter().position(|known| *known == word).unwrap_or_else(|| {
                words.push(word);
                jobs.push(Vec::new());
                words.len() - 1
            });
            if let Some(of_word) = jobs.get_mut(index) {
                of_word.push(job);
            }
        };
        for (index, form) in forms.iter().enumerate() {
            for word in form.triggers {
                add(word, Job::Form(index));
            }
        }
        for word in name::TRIGGERS {
            add(word, Job::Name);
        }
        for word in block::TRIGGERS {
            add(word, Job::Block);
        }
        add(MARK, Job::Mark);
        let triggers = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .expect("a few hundred short words make an automaton");
        let patterns = forms.iter().map(|_| OnceLock::new()).collect();
        Self { triggers, jobs, forms, patterns }
    }

    /// The compiled pattern of a form. `\b` is that of ASCII, which is fast; at the start it also follows an escaped line
    /// break, whose letter would count as a part of the word.
    fn pattern(&self, index: usize) -> Option<&Regex> {
        let form = self.forms.get(index)?;
        let compile = || {
            let rest = form.pattern.strip_prefix(r"\b");
            let start = rest.map_or("", |_| r"(?:(?-u:\b)|\\[nrt])");
            let pattern = format!("{start}{}", rest.unwrap_or(form.pattern).replace(r"\b", r"(?-u:\b)"));
            Regex::new(&pattern).ok()
        };
        self.patterns.get(index)?.get_or_init(compile).as_ref()
    }
}

/// All secrets of a text, in order, none overlapping another.
fn find(text: &str) -> Vec<Found> {
    let library = &*LIBRARY;
    let mut found: Vec<Found> = Vec::new();
    let mut marks: Vec<Range<usize>> = Vec::new();
    // Each form looks at each line once.
    let mut done: Vec<usize> = Vec::new();
    let mut line = 0..0;
    let mut key_end = 0;
    for hit in library.triggers.find_overlapping_iter(Input::new(text)) {
        if hit.end() > line.end || line.end == 0 {
            line = line_around(text, hit.start());
        }
        let Some(words) = text.get(line.clone()) else { continue };
        for job in library.jobs.get(hit.pattern().as_usize()).into_iter().flatten() {
            match *job {
                Job::Form(index) => {
                    if done.is_empty() {
                        done = vec![0; library.forms.len()];
                    }
                    let Some(seen) = done.get_mut(index).filter(|seen| **seen <= line.start) else { continue };
                    *seen = line.end + 1;
                    let Some((pattern, form)) = library.pattern(index).zip(library.forms.get(index)) else { continue };
                    matches(pattern, form, words, line.start, &mut found);
                }
                Job::Name => {
                    let inside = hit.start().saturating_sub(line.start)..hit.end().saturating_sub(line.start);
                    let value = assignment::value_at(words, inside);
                    found.extend(value.map(|value| Found {
                        range: value.range.start + line.start..value.range.end + line.start,
                        ..value
                    }));
                }
                Job::Block if hit.start() >= key_end => {
                    if let Some(key) = block::key_at(text, hit.start()) {
                        key_end = key.range.end;
                        found.push(key);
                    }
                }
                Job::Block => {}
                Job::Mark => marks.extend(mark_at(text, hit.start())),
            }
        }
    }
    merge(found, &marks)
}

/// The line in which a place is, without its end.
fn line_around(text: &str, at: usize) -> Range<usize> {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
    let end = text.get(at..).and_then(|rest| rest.find('\n')).map_or(text.len(), |length| at + length);
    start..end
}

fn matches(pattern: &Regex, form: &Format, line: &str, offset: usize, found: &mut Vec<Found>) {
    let mut at = 0;
    while let Some(whole) = pattern.find_at(line, at) {
        let group = pattern.captures_at(line, at).and_then(|groups| groups.name("s").map(|group| group.range()));
        let mut range = group.unwrap_or_else(|| whole.range());
        if line.get(range.clone()).is_some_and(|words| words.starts_with(['\\'])) && range == whole.range() {
            range.start += 2;
        }
        let secret = line.get(range.clone()).unwrap_or_default();
        // An image by its digest has the shape of an address with a password.
        let digest =
            line.get(range.end..).is_some_and(|rest| rest.starts_with("@sha256:") || rest.starts_with("@sha512:"));
        if !secret.is_empty() && !digest && (form.check)(secret) {
            found.push(Found::special(range.start + offset, range.end + offset, form.kind));
        }
        at = if whole.end() > at { whole.end() } else { break };
    }
}

/// The mark that begins there, if it is one of ours; anybody can write its first word.
fn mark_at(text: &str, at: usize) -> Option<Range<usize>> {
    let kind = text.get(at + MARK.len()..)?;
    let kind = kind.get(..kind.bytes().take(40).position(|byte| byte == b']')?)?;
    let known = matches!(kind, "password" | "secret" | "private key") || formats::all().any(|form| form.kind == kind);
    known.then(|| at..at + MARK.len() + kind.len() + 1)
}

/// Joins what overlaps and leaves out what is marked already. A form names the kind before a name does.
fn merge(mut found: Vec<Found>, marks: &[Range<usize>]) -> Vec<Found> {
    found.retain(|one| !marks.iter().any(|mark| mark.start <= one.range.start && one.range.end <= mark.end));
    found.sort_by(|a, b| (a.range.start, b.range.end).cmp(&(b.range.start, a.range.end)));
    let mut merged: Vec<Found> = Vec::new();
    for one in found {
        match merged.last_mut().filter(|last| one.range.start < last.range.end) {
            Some(last) => {
                last.range.end = last.range.end.max(one.range.end);
                if one.is_special && !last.is_special {
                    last.kind = one.kind;
                    last.is_special = true;
                }
            }
            None => merged.push(one),
        }
    }
    merged
}

fn replace(text: &str, found: &[Found]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for one in found {
        out.push_str(text.get(at..one.range.start).unwrap_or_default());
        out.push_str(MARK);
        out.push_str(one.kind);
        out.push(']');
        at = one.range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles_and_every_trigger_is_lowercase() {
        for (index, form) in LIBRARY.forms.iter().enumerate() {
            assert!(LIBRARY.pattern(index).is_some(), "{}: {}", form.kind, form.pattern);
            for trigger in form.triggers {
                assert_eq!(*trigger, trigger.to_ascii_lowercase(), "{}", form.kind);
            }
        }
    }
}
