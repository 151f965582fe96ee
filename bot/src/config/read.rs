//! From file, environment and flags to [`Raw`], with everything on the way that is none of its keys.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat, Value, ValueKind};
use serde::Deserialize as _;
use toml::de::DeTable;

use super::raw::Raw;
use super::review::{Place, Problem, Problems, Review};
use super::sources::{PREFIX, Places, SEPARATOR, Sources, is_within, position};

mod fault;
mod node;

/// What was read.
pub(super) struct Read {
    pub(super) raw: Raw,
    pub(super) file: Option<PathBuf>,
    pub(super) review: Review,
}

/// Reads all sources.
///
/// # Errors
/// Where a file cannot be read or is no TOML: nothing else can be said then.
pub(super) fn read(sources: &Sources) -> Result<Read, Problems> {
    let mut review = Review::new(Places::default());
    let mut layers = Config::builder();
    let file = choose(sources);
    if let Some(path) = &file {
        let text = text(path)?;
        let table = DeTable::parse(&text).map_err(|error| syntax(path, &text, &error))?;
        review.places.add_file(path, &text, table.get_ref());
        layers = layers.add_source(File::from_str(&text, FileFormat::Toml));
    }
    let variables = variables(sources, &mut review)?;
    layers = layers.add_source(
        Environment::with_prefix(PREFIX.trim_end_matches('_'))
            .prefix_separator(SEPARATOR)
            .separator(SEPARATOR)
            .source(Some(variables)),
    );
    if let Some(level) = &sources.log_level {
        review.places.replace("log.level", Place::Flag("--log-level"));
        layers = layers.set_override("log.level", level.clone()).map_err(|error| odd(file.as_deref(), &error))?;
    }
    let mut tree = layers.build().map_err(|error| odd(file.as_deref(), &error))?.cache;
    let raw = raw(&mut tree, &mut review);
    Ok(Read { raw, file, review })
}

/// The settings of a tree. A key that is wrong is told and taken out, until what is left can be read.
fn raw(tree: &mut Value, review: &mut Review) -> Raw {
    loop {
        match Raw::deserialize(node::Node::root(tree)) {
            Ok(raw) => return raw,
            Err(fault) => {
                fault.tell(review);
                if !node::remove(tree, &fault.key()) {
                    return Raw::default();
                }
            }
        }
    }
}

fn choose(sources: &Sources) -> Option<PathBuf> {
    sources.file.clone().or_else(|| sources.usual.iter().find(|path| path.exists()).cloned())
}

fn text(path: &Path) -> Result<String, Problems> {
    let cannot = |wrong: String| {
        let fix = "name another file with --config, or leave it out and set environment variables".to_owned();
        Problems::one(Problem { place: Place::Nowhere, key: path.display().to_string(), wrong, fix })
    };
    let bytes = fs::read(path).map_err(|error| cannot(format!("cannot be read: {error}")))?;
    String::from_utf8(bytes).map_err(|_| cannot("is no text in UTF-8".to_owned()))
}

fn syntax(path: &Path, text: &str, error: &toml::de::Error) -> Problems {
    let (line, column) = position(text, error.span().map_or(0, |span| span.start));
    // Only the message: the library's own picture of the place would show the line, and what is secret in it.
    Problems::one(Problem {
        place: Place::File { path: path.to_owned(), line, column: Some(column) },
        key: String::new(),
        wrong: format!("this is no TOML: {}", error.message()),
        fix: "see https://toml.io".to_owned(),
    })
}

/// What the library refuses although it is TOML: a number that is too large.
fn odd(file: Option<&Path>, error: &config::ConfigError) -> Problems {
    let key = file.map_or_else(|| "the environment".to_owned(), |file| file.display().to_string());
    let why = match error {
        config::ConfigError::FileParse { cause, .. } => cause.to_string(),
        _ => "a key is malformed".to_owned(),
    };
    let fix = "see config.example.toml for what can be written".to_owned();
    Problems::one(Problem { place: Place::Nowhere, key, wrong: format!("cannot be read: {why}"), fix })
}

/// The variables that are settings. An empty one is none.
fn variables(sources: &Sources, review: &mut Review) -> Result<HashMap<String, String>, Problems> {
    let mut by_key = BTreeMap::new();
    for (name, value) in &sources.environment {
        let Some(name) = name.to_str() else { continue };
        let Some(key) = name.strip_prefix(PREFIX).filter(|_| !value.is_empty()) else { continue };
        let Some(value) = value.to_str() else {
            let place = Place::Environment { variable: name.to_owned() };
            let (wrong, fix) = ("is no text in UTF-8".to_owned(), "set it anew".to_owned());
            return Err(Problems::one(Problem { place, key: String::new(), wrong, fix }));
        };
        by_key.insert(key.to_lowercase().replace(SEPARATOR, "."), (name, value));
    }
    for (key, (name, _)) in &by_key {
        review.places.replace(key, Place::Environment { variable: (*name).to_owned() });
    }
    let mut variables = HashMap::new();
    for (key, (name, value)) in &by_key {
        // One for a whole and one for its part: the library would take whichever comes last.
        match by_key.iter().find(|(other, _)| *other != key && is_within(other, key)) {
            Some((_, (part, _))) => {
                review.problem(key, format!("is set whole, and in part by {part}"), "keep one of the two");
            }
            None => drop(variables.insert((*name).to_owned(), (*value).to_owned())),
        }
    }
    Ok(variables)
}

/// Whether a value was written in the environment, where everything is text.
fn is_of_environment(value: &Value) -> bool {
    // The library calls this origin "the environment"; text of files and overrides has none.
    value.origin().is_some() && matches!(value.kind, ValueKind::String(_))
}
