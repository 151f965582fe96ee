//! Which crate may import which: a boundary that only review guards is gone in a month.

#![expect(clippy::indexing_slicing, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

fn metadata() -> Value {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(cargo)
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path", manifest])
        .output()
        .expect("cargo metadata runs");
    serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON")
}

/// The dependencies of each of our crates, tests' own left out.
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("packages");
    packages
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies");
            let names = dependencies
                .iter()
                .filter(|dependency| dependency["kind"].is_null())
                .filter_map(|dependency| dependency["name"].as_str().map(str::to_owned));
            (package["name"].as_str().expect("a name").to_owned(), names.collect())
        })
        .collect()
}

/// What only the binary and the tests may import whole.
const ALL: &[&str] = &[
    "kubewhy",
    "kubewhy-text",
    "kubewhy-diagnosis",
    "kubewhy-chat",
    "kubewhy-console",
    "kubewhy-kubernetes",
    "kubewhy-sandbox",
    "kubewhy-core",
    "kubewhy-store",
    "kubewhy-slack",
    "kubewhy-discord",
];

#[test]
fn dependencies_point_inward() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("kubewhy-text", &[][..]),
        ("kubewhy-diagnosis", &["kubewhy-text"][..]),
        ("kubewhy-chat", &["kubewhy-text"][..]),
        ("kubewhy-console", &["kubewhy-text", "kubewhy-chat"][..]),
        ("kubewhy-slack", &["kubewhy-text", "kubewhy-chat"][..]),
        ("kubewhy-discord", &["kubewhy-text", "kubewhy-chat"][..]),
        ("kubewhy-slack-server", &[][..]),
        ("kubewhy-discord-server", &[][..]),
        ("kubewhy-store", &["kubewhy-chat"][..]),
        ("kubewhy-kubernetes", &["kubewhy-diagnosis"][..]),
        ("kubewhy-sandbox", &[][..]),
        ("kubewhy-core", &["kubewhy-text", "kubewhy-diagnosis", "kubewhy-chat"][..]),
        ("kubewhy", ALL),
        ("kubewhy-tests", ALL),
    ]);
    for (package, dependencies) in dependencies() {
        let allowed = allowed
            .get(package.as_str())
            .unwrap_or_else(|| panic!("{package} has no place in the direction of imports"));
        for dependency in dependencies.iter().filter(|dependency| dependency.starts_with("kubewhy")) {
            assert!(allowed.contains(&dependency.as_str()), "{package} may not import {dependency}");
        }
    }
}

#[test]
fn the_engine_does_no_io() {
    let dependencies = dependencies();
    for package in ["kubewhy-text", "kubewhy-diagnosis", "kubewhy-chat", "kubewhy-core"] {
        for forbidden in ["tokio", "kube", "reqwest", "hyper", "sqlx", "tracing"] {
            assert!(!dependencies[package].contains(forbidden), "{package} may not import {forbidden}");
        }
    }
}

#[test]
fn every_direct_dependency_has_its_line_of_reason() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let metadata = metadata();
    let mut lacking = BTreeSet::new();
    for package in metadata["packages"].as_array().expect("packages") {
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = dependency["name"].as_str().expect("a name");
            if !name.starts_with("kubewhy") && !page.contains(&format!("| `{name}` |")) {
                lacking.insert(name.to_owned());
            }
        }
    }
    assert!(lacking.is_empty(), "ARCHITECTURE.md gives no reason for {lacking:?}");
}
