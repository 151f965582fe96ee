//! What is wrong with settings, collected, so that all of it is told at once.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::{Span, SpanRelativeTo};
use kubewhy_core::nearest::nearest;
use kubewhy_diagnosis::redact::redact;

use super::secret::Secrets;
use super::sources::Places;

/// How many characters of a value are repeated.
const SHOWN: usize = 60;
/// How alike a known word must be to be suggested.
const ALIKE: f64 = 0.8;

/// Something about one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// The key: `clusters[0].name`.
    pub key: String,
    /// What is wrong.
    pub wrong: String,
    /// What to do.
    pub fix: String,
}

/// Where a setting was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// Nowhere.
    #[default]
    Nowhere,
    /// In a file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1, where a sign in it matters.
        column: Option<usize>,
    },
    /// In an environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// On the command line.
    Flag(&'static str),
}

/// Everything that is wrong, at least one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere => Ok(()),
            Self::File { path, line, column: None } => write!(f, "{}:{line}: ", path.display()),
            Self::File { path, line, column: Some(column) } => write!(f, "{}:{line}:{column}: ", path.display()),
            Self::Environment { variable } => write!(f, "environment {variable}: "),
            Self::Flag(flag) => write!(f, "{flag}: "),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, key, wrong, fix } = self;
        let colon = if key.is_empty() { "" } else { ": " };
        write!(f, "{place}{key}{colon}{wrong}; {fix}")
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_slice() {
            [one] => write!(f, "the configuration has a fault\n  {one}"),
            all => {
                write!(f, "the configuration has {} faults", all.len())?;
                all.iter().try_for_each(|one| write!(f, "\n  {one}"))
            }
        }
    }
}

impl std::error::Error for Problems {}

impl Problems {
    /// One thing.
    pub(super) fn one(problem: Problem) -> Self {
        Self(vec![problem])
    }

    /// All of them, in the order of their places.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

/// Collects what is wrong and what is worth a look.
#[derive(Debug)]
pub(super) struct Review {
    /// Whether secrets are read.
    pub(super) secrets: Secrets,
    /// Where each key was written.
    pub(super) places: Places,
    /// Whether the file itself holds a secret.
    pub(super) secret_in_file: bool,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Review {
    pub(super) fn new(places: Places) -> Self {
        Self { secrets: Secrets::Leave, places, secret_in_file: false, problems: Vec::new(), warnings: Vec::new() }
    }

    /// Something is wrong. Of one key the first fault is kept: what follows from it is no news.
    pub(super) fn problem(&mut self, key: &str, wrong: impl Into<String>, fix: impl Into<String>) {
        if !self.has_problem(key) {
            let problem = self.at(key, wrong.into(), fix.into());
            self.problems.push(problem);
        }
    }

    /// Whether something is wrong with a key.
    pub(super) fn has_problem(&self, key: &str) -> bool {
        self.problems.iter().any(|known| known.key == key)
    }

    /// Something works and is worth a look.
    pub(super) fn warning(&mut self, key: &str, wrong: impl Into<String>, fix: impl Into<String>) {
        let warning = self.at(key, wrong.into(), fix.into());
        self.warnings.push(warning);
    }

    /// Something names what is not there.
    pub(super) fn unknown_reference(&mut self, key: &str, word: &str, list: &str, known: &[&str]) {
        let known: BTreeSet<&str> = known.iter().copied().filter(|word| !word.is_empty()).collect();
        let known: Vec<&str> = known.into_iter().collect();
        let fix = match (nearest(word, known.iter().copied(), ALIKE, 1).first(), known.as_slice()) {
            (Some(near), _) => format!("did you mean \"{near}\"?"),
            (None, []) => format!("there is none; add {list} with name = {}", shown(word)),
            (None, known) => format!("there are {}", quoted(known)),
        };
        self.problem(key, format!("{} is none of {list}", shown(word)), fix);
    }

    /// Nobody could ask.
    pub(super) fn platforms_lack(&mut self) {
        self.problem(
            "slack, discord",
            "neither section is there, so that nobody could ask",
            "add [slack] with bot_token and app_token, or [discord] with token; in the environment these are \
             KUBEWHY__SLACK__BOT_TOKEN, KUBEWHY__SLACK__APP_TOKEN and KUBEWHY__DISCORD__TOKEN",
        );
    }

    /// Reads a length of time; the default where it is none, which is a problem then.
    pub(super) fn duration(&mut self, key: &str, text: &str, default: &str) -> Duration {
        let read = |text: &str| {
            let span: Span = text.parse().ok()?;
            Duration::try_from(span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?).ok()
        };
        if let Some(length) = read(text).filter(|length| !length.is_zero()) {
            return length;
        }
        self.problem(
            key,
            format!("{} is no length of time", shown(text)),
            "write a number with a unit, such as \"90s\", \"10m\" or \"14d\"",
        );
        read(default).unwrap_or_default()
    }

    /// The warnings, or everything that is wrong.
    pub(super) fn finish(mut self, file: Option<&Path>) -> Result<Vec<Problem>, Problems> {
        if self.secret_in_file
            && let Some(file) = file
            && super::secret::is_open_to_all(file)
        {
            self.warnings.push(Problem {
                place: Place::Nowhere,
                key: file.display().to_string(),
                wrong: "holds a secret and can be read by every user of this machine".to_owned(),
                fix: format!("chmod 600 {}", file.display()),
            });
        }
        for list in [&mut self.problems, &mut self.warnings] {
            list.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.key.cmp(&b.key)));
        }
        if self.problems.is_empty() { Ok(self.warnings) } else { Err(Problems(self.problems)) }
    }

    fn at(&self, key: &str, wrong: String, fix: String) -> Problem {
        Problem { place: self.places.of(key), key: key.to_owned(), wrong, fix }
    }
}

/// A value in quotes: without secrets, control characters and what is beyond its first words.
pub(super) fn shown(value: &str) -> String {
    let value = redact(value);
    let cut: String = value.chars().take(SHOWN).collect();
    let more = if cut.len() < value.len() { "..." } else { "" };
    format!("{:?}", cut + more)
}

/// Words in quotes, with commas.
pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| shown(word)).collect::<Vec<_>>().join(", ")
}

/// The positions of words that stood there before; an empty word is none.
pub(super) fn repeated<'a>(words: impl Iterator<Item = &'a str>) -> Vec<usize> {
    let mut seen = BTreeSet::new();
    let words = words.enumerate().filter(|(_, word)| !word.is_empty());
    words.filter(|(_, word)| !seen.insert(*word)).map(|(index, _)| index).collect()
}
