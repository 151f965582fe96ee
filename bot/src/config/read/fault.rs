//! Why a value is none that its key takes.

use std::fmt;

use kubewhy_core::nearest::nearest;
use serde::de::{self, Expected};

use crate::config::example;
use crate::config::review::{Place, Review, quoted, shown};
use crate::config::sources::{PREFIX, SEPARATOR, child};

/// How alike a known key must be to be suggested.
const ALIKE: f64 = 0.8;

/// A fault at a key.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    /// The key of what holds the fault; none until the nearest node has told its own.
    at: Option<String>,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    /// A key in the table at `at` that is none.
    Unknown { name: String, known: &'static [&'static str] },
    /// A value that is not of this type.
    Type { wanted: &'static str, found: &'static str },
    /// A word that is none of these.
    Word { word: String, known: &'static [&'static str] },
    /// Anything else.
    Other(String),
}

impl Fault {
    /// A value of another type.
    pub(super) fn of_type(wanted: &'static str, found: &'static str) -> Self {
        Self { at: None, what: What::Type { wanted, found } }
    }

    /// The same at this key, unless it was told more closely.
    pub(super) fn at(mut self, key: &str) -> Self {
        self.at.get_or_insert_with(|| key.to_owned());
        self
    }

    /// The key that is wrong.
    pub(super) fn key(&self) -> String {
        let at = self.at.as_deref().unwrap_or_default();
        match &self.what {
            What::Unknown { name, .. } => child(at, name),
            _ => at.to_owned(),
        }
    }

    /// Says what is wrong.
    pub(super) fn tell(&self, review: &mut Review) {
        let key = self.key();
        match &self.what {
            What::Unknown { name, known: [] } => {
                review.problem(
                    &key,
                    format!("there is no key {}", shown(name)),
                    "the section has no keys yet; take it out",
                );
            }
            What::Unknown { name, known } => {
                let fix = match nearest(name, known.iter().copied(), ALIKE, 1).first() {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("here are {}", quoted(known)),
                };
                review.problem(&key, format!("there is no key {}", shown(name)), fix);
            }
            What::Type { wanted, found } => {
                let example = example::of(&key, wanted);
                let fix = match (review.places.of(&key), example) {
                    (Place::Environment { .. }, None) => format!("write {wanted}"),
                    (Place::Environment { .. }, Some(value)) => {
                        let name = format!("{PREFIX}{}", key.replace('.', SEPARATOR).to_uppercase());
                        format!("write {wanted}, such as {name}='{}'", value.trim_matches('"'))
                    }
                    (_, None) => format!("write [{key}] and its keys below it"),
                    (_, Some(value)) => format!("write {} = {value}", example::name(&key)),
                };
                review.problem(&key, format!("is {found}, not {wanted}"), fix);
            }
            What::Word { word, known } => {
                let fix = match nearest(word, known.iter().copied(), ALIKE, 1).first() {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("write one of {}", quoted(known)),
                };
                review.problem(&key, format!("{} is none of {}", shown(word), quoted(known)), fix);
            }
            What::Other(why) => review.problem(&key, why.clone(), "see config.example.toml"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key \"{}\" is wrong", self.key())
    }
}

impl std::error::Error for Fault {}

impl de::Error for Fault {
    /// The words come from this program's own types, never from the value.
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { at: None, what: What::Other(message.to_string()) }
    }

    fn invalid_type(_: de::Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::custom(format_args!("is not {wanted}"))
    }

    fn invalid_value(_: de::Unexpected<'_>, wanted: &dyn Expected) -> Self {
        Self::custom(format_args!("is not {wanted}"))
    }

    fn unknown_variant(word: &str, known: &'static [&'static str]) -> Self {
        Self { at: None, what: What::Word { word: word.to_owned(), known } }
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        Self { at: None, what: What::Unknown { name: name.to_owned(), known } }
    }
}
