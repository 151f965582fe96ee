//! Where settings are written, and where each key was.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::review::Place;

/// What the variables begin with; the parts of a key follow, in capitals, with this between them: `KUBEWHY__LOG__LEVEL`.
pub(super) const PREFIX: &str = "KUBEWHY__";
pub(super) const SEPARATOR: &str = "__";

/// Where settings are looked for, each before what takes its place.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The file; `None` = the first of `usual` that is there, if one is.
    pub file: Option<PathBuf>,
    /// Files that are read where none is named.
    pub usual: Vec<PathBuf>,
    /// Environment variables; those of another prefix are passed over.
    pub environment: BTreeMap<OsString, OsString>,
    /// `--log-level`.
    pub log_level: Option<String>,
}

impl Sources {
    /// Those of this process, with what its command line names.
    pub fn of_process(file: Option<PathBuf>, log_level: Option<String>) -> Self {
        Self {
            file,
            usual: ["kubewhy.toml", "/etc/kubewhy/kubewhy.toml"].map(PathBuf::from).to_vec(),
            environment: std::env::vars_os().collect(),
            log_level,
        }
    }
}

/// Where each key was written.
#[derive(Debug, Default)]
pub(super) struct Places(BTreeMap<String, Place>);

impl Places {
    /// Where a key was written; else where what it belongs to was, else where the first thing below it was.
    pub(super) fn of(&self, key: &str) -> Place {
        let mut above = key;
        loop {
            if let Some(place) = self.0.get(above) {
                return place.clone();
            }
            let Some(end) = above.rfind(['.', '[']) else { break };
            above = above.get(..end).unwrap_or_default();
        }
        let below = self.0.range(key.to_owned()..).next().filter(|(other, _)| is_within(other, key));
        below.map(|(_, place)| place.clone()).unwrap_or_default()
    }

    /// Where this very key was written.
    pub(super) fn of_exactly(&self, key: &str) -> Place {
        self.0.get(key).cloned().unwrap_or_default()
    }

    /// A key is written there, and what was below it before is gone.
    pub(super) fn replace(&mut self, key: &str, place: Place) {
        self.0.retain(|other, _| !is_within(other, key));
        self.0.insert(key.to_owned(), place);
    }

    /// Adds all keys of a file.
    pub(super) fn add_file(&mut self, path: &Path, text: &str, table: &DeTable<'_>) {
        let mut add = |key: String, span: Range<usize>| {
            let (line, _) = position(text, span.start);
            self.0.insert(key, Place::File { path: path.to_owned(), line, column: None });
        };
        table_places("", table, &mut add);
    }
}

fn table_places(parent: &str, table: &DeTable<'_>, add: &mut impl FnMut(String, Range<usize>)) {
    for (name, value) in table {
        let key = child(parent, name.get_ref());
        add(key.clone(), name.span());
        value_places(&key, value, add);
    }
}

fn value_places(key: &str, value: &Spanned<DeValue<'_>>, add: &mut impl FnMut(String, Range<usize>)) {
    match value.get_ref() {
        DeValue::Table(table) => table_places(key, table, add),
        DeValue::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                let key = format!("{key}[{index}]");
                add(key.clone(), item.span());
                value_places(&key, item, add);
            }
        }
        _ => {}
    }
}

/// Whether a key is another one or a part of it.
pub(super) fn is_within(key: &str, whole: &str) -> bool {
    key.strip_prefix(whole).is_some_and(|rest| rest.is_empty() || rest.starts_with('.') || rest.starts_with('['))
}

/// The key of a field.
pub(super) fn child(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}.{name}") }
}

/// The line and the column of a byte, both from 1.
pub(super) fn position(text: &str, byte: usize) -> (usize, usize) {
    let before = text.get(..byte).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}
