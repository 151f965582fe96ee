//! The configuration: what is read, what is refused, and in which words.

#![expect(clippy::panic, reason = "a test fails by a panic")]

mod example;
mod layers;
mod rbac;
mod secrets;
mod words;

use std::path::PathBuf;

use kubewhy::config::{Loaded, Problems, Sources, load};

/// Sources with nothing in them but what a test adds.
fn nothing() -> Sources {
    Sources::default()
}

/// Sources with a file of that text; the folder has to live as long as they.
fn file(folder: &tempfile::TempDir, text: &str) -> Sources {
    let path = folder.path().join("kubewhy.toml");
    std::fs::write(&path, text).expect("a folder that can be written to");
    Sources { file: Some(path), ..nothing() }
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn with_environment(sources: Sources, variables: &[(&str, &str)]) -> Sources {
    let environment = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Sources { environment, ..sources }
}

fn loaded(sources: &Sources) -> Loaded {
    load(sources).unwrap_or_else(|problems| panic!("{problems}"))
}

/// What is wrong with a text, as a person reads it, with the folder's name taken out.
fn faults(text: &str) -> String {
    let folder = folder();
    without(&folder, &refused(&file(&folder, text)).to_string())
}

fn refused(sources: &Sources) -> Problems {
    match load(sources) {
        Ok(loaded) => panic!("it was taken: {loaded:?}"),
        Err(problems) => problems,
    }
}

fn without(folder: &tempfile::TempDir, text: &str) -> String {
    text.replace(&format!("{}/", folder.path().display()), "")
}

/// Written by a test on purpose: the snapshots of this folder.
fn snapshot(name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/config/snapshots").join(name);
    if std::env::var_os("KUBEWHY_REWRITE").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("it can be made");
        std::fs::write(&path, text).expect("it can be written");
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{name} differs; KUBEWHY_REWRITE=1 writes it anew. It is now:\n{text}");
}
