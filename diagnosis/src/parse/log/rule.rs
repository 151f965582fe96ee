//! Rules: a line's wording, and the failure that it names.
//!
//! A rule costs nothing until one of its gates, plain words that each of its matches contains, stands in a line. One
//! automaton over the gates of all rules decides which lines of a log are read at all, another which rules a line is
//! worth; an expression is compiled when its rule is tried first.

use std::collections::BTreeSet;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};
use regex::{Captures, Regex};

use super::lines::Line;
use super::{Failure, Language, Peer};
use super::{auth, crash, databases, dns, files, kubernetes, listen, memory, modules, native, network, overload, peer};
use super::{servers, settings, shell, tls, variables};

/// The families in the order in which they are tried: what is said more precisely comes first.
const FAMILIES: &[&[Rule]] = &[
    kubernetes::RULES,
    memory::RULES,
    tls::RULES,
    auth::RULES,
    overload::RULES,
    databases::RULES,
    servers::RULES,
    dns::RULES,
    listen::RULES,
    files::INOTIFY,
    shell::RULES,
    modules::RULES,
    variables::RULES,
    settings::RULES,
    files::RULES,
    network::RULES,
    native::RULES,
];

/// What the words of a line mean.
pub(super) struct Rule {
    /// Words in lower case, separated by `|`: a line without any of them is never tried.
    gates: &'static str,
    pattern: &'static str,
    build: fn(&Hit<'_>) -> Option<Failure>,
    certain: bool,
    language: Option<Language>,
}

impl Rule {
    /// A wording that leaves no doubt.
    pub(super) const fn sure(
        gates: &'static str,
        pattern: &'static str,
        build: fn(&Hit<'_>) -> Option<Failure>,
    ) -> Self {
        Self { gates, pattern, build, certain: true, language: None }
    }

    /// A wording that has other readings.
    pub(super) const fn likely(
        gates: &'static str,
        pattern: &'static str,
        build: fn(&Hit<'_>) -> Option<Failure>,
    ) -> Self {
        Self { gates, pattern, build, certain: false, language: None }
    }

    /// Only this runtime words it so.
    pub(super) const fn of(self, language: Language) -> Self {
        Self { language: Some(language), ..self }
    }
}

/// A rule's match.
pub(super) struct Hit<'a> {
    captures: Captures<'a>,
    /// The text that was searched.
    pub(super) text: &'a str,
    /// The lines below it.
    pub(super) below: &'a [Line<'a>],
}

impl<'a> Hit<'a> {
    /// A named group, without blanks and a pair of quotes around it.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        let text = self.captures.name(name)?.as_str().trim();
        let inner = ['"', '\'', '`'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
        let text = inner.filter(|inner| !inner.contains(['"', '\''])).unwrap_or(text);
        (!text.is_empty()).then_some(text)
    }

    /// A named group as own text.
    pub(super) fn own(&self, name: &str) -> Option<String> {
        self.get(name).map(|text| super::clean::bound(text, super::LINE_LIMIT))
    }

    /// A named group, empty where it is missing.
    pub(super) fn text_of(&self, name: &str) -> String {
        self.own(name).unwrap_or_default()
    }

    /// A named group as a number.
    pub(super) fn number<N: std::str::FromStr>(&self, name: &str) -> Option<N> {
        self.get(name)?.parse().ok()
    }

    /// All that matched.
    pub(super) fn whole(&self) -> String {
        super::clean::bound(self.captures.get(0).map_or("", |found| found.as_str()), super::LINE_LIMIT)
    }

    /// The peer by the groups `host`, `ip`, `port`, else the one that the text names.
    pub(super) fn peer(&self) -> Option<Peer> {
        let ip = self.get("ip").or_else(|| self.get("host").filter(|host| peer::is_ip(host)));
        match self.get("host").or(ip) {
            Some(host) => Some(Peer { host: host.to_owned(), port: self.number("port"), ip: ip.map(str::to_owned) }),
            None => peer::find(self.text),
        }
    }

    /// The first lines below, joined.
    pub(super) fn below_text(&self, count: usize) -> String {
        self.below.iter().take(count).map(Line::body).collect::<Vec<_>>().join("\n")
    }
}

/// A rule's verdict.
pub(super) struct Found {
    pub(super) failure: Failure,
    pub(super) certain: bool,
    pub(super) language: Option<Language>,
}

struct Book {
    rules: Vec<(&'static Rule, OnceLock<Option<Regex>>)>,
    gates: AhoCorasick,
    /// For each gate the rule that it opens.
    opens: Vec<usize>,
}

static BOOK: LazyLock<Book> = LazyLock::new(|| {
    let rules: Vec<_> = FAMILIES.iter().flat_map(|family| family.iter()).map(|rule| (rule, OnceLock::new())).collect();
    let gates =
        rules.iter().enumerate().flat_map(|(index, (rule, _))| rule.gates.split('|').map(move |gate| (index, gate)));
    let (opens, words): (Vec<usize>, Vec<&str>) = gates.unzip();
    Book { rules, gates: words_of(&words), opens }
});

static INTERESTING: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let words = FAMILIES.iter().flat_map(|family| family.iter()).flat_map(|rule| rule.gates.split('|'));
    words_of(&words.chain(crash::OPENERS.iter().copied()).collect::<Vec<_>>())
});

static OPENERS: LazyLock<AhoCorasick> = LazyLock::new(|| words_of(crash::OPENERS));

/// One automaton over plain words in any case. It is made in well under a millisecond, which a person who asks one
/// question notices: a set of expressions over the same words takes a hundred times as long.
fn words_of(words: &[&str]) -> AhoCorasick {
    let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(words);
    automaton.expect("a few hundred short words fit")
}

/// Whether a raw line holds a word that matters to any rule, or is a frame of a stack (`   at x`).
pub(super) fn is_interesting(raw: &str) -> bool {
    INTERESTING.is_match(raw) || holds_frame(raw)
}

/// `at ` at the beginning of a line after blanks; a log in JSON has its line breaks and tabs escaped.
fn holds_frame(raw: &str) -> bool {
    raw.split("\\n").any(|line| {
        let mut rest = line;
        while let Some(shorter) = rest.strip_prefix([' ', '\t']).or_else(|| rest.strip_prefix("\\t")) {
            rest = shorter;
        }
        rest.len() < line.len() && rest.starts_with("at ")
    })
}

/// Whether a raw line may begin a runtime's report of a crash.
pub(super) fn opens_crash(raw: &str) -> bool {
    OPENERS.is_match(raw)
}

/// The failure that a text names.
pub(super) fn classify(text: &str, below: &[Line<'_>]) -> Option<Found> {
    let book = &*BOOK;
    let opened = book.gates.find_overlapping_iter(text).filter_map(|gate| book.opens.get(gate.pattern().as_usize()));
    for index in opened.copied().collect::<BTreeSet<usize>>() {
        let (rule, compiled) = book.rules.get(index)?;
        let Some(regex) = compiled.get_or_init(|| Regex::new(rule.pattern).ok()) else { continue };
        let Some(captures) = regex.captures(text) else { continue };
        if let Some(failure) = (rule.build)(&Hit { captures, text, below }) {
            return Some(Found { failure, certain: rule.certain, language: rule.language });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles_and_has_lower_case_gates() {
        for rule in FAMILIES.iter().flat_map(|family| family.iter()) {
            assert!(Regex::new(rule.pattern).is_ok(), "{}: {:?}", rule.pattern, Regex::new(rule.pattern).err());
            assert_eq!(rule.gates, rule.gates.to_lowercase());
            assert!(rule.gates.split('|').all(|gate| gate.len() > 2), "{}", rule.gates);
        }
    }
}
