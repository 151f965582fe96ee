//! `CAUSES.md` is made from the registry and the fixtures; this test rewrites it and fails where it was stale.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::scene::Scene;
use crate::seed::{self, Row};
use kubewhy_diagnosis::causes::Code;

#[test]
fn the_catalogue_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../CAUSES.md");
    let page = page();
    let stale = std::fs::read_to_string(&path).unwrap_or_default() != page;
    if stale {
        std::fs::write(&path, &page).expect("CAUSES.md can be written");
    }
    assert!(!stale, "CAUSES.md was stale and has been rewritten; commit it");
}

fn page() -> String {
    let scenes = Scene::all();
    let mut fires: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut silent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for scene in &scenes {
        if let Some(first) = &scene.first {
            fires.entry(first).or_default().push(&scene.path);
        }
        for code in &scene.expect.not {
            silent.entry(code).or_default().push(&scene.path);
        }
    }
    let mut out = String::from(
        "# Causes\n\nEvery cause that kubewhy tells apart, made from the registry and the fixtures by \
         `cargo test -p kubewhy-diagnosis --test suite catalogue`. A code is public interface and is never renamed.\n\n",
    );
    let _ = writeln!(out, "{} causes, {} fixtures.\n", Code::all().count(), scenes.len());
    let tables = seed::tables();
    let _ = writeln!(out, "{}\n", seed_total(&tables));
    let mut stage = "";
    for code in Code::all() {
        let cause = code.cause();
        let next: &str = cause.stage.into();
        if next != stage {
            stage = next;
            let _ = writeln!(out, "## Stage {stage}\n");
        }
        let _ = writeln!(out, "### {code}\n");
        for line in cause.doc.lines() {
            let line = line.strip_prefix(' ').unwrap_or(line);
            match line.strip_prefix("## ") {
                Some(section) => {
                    let _ = writeln!(out, "\n**{section}**");
                }
                None => {
                    let _ = writeln!(out, "{line}");
                }
            }
        }
        let list = |paths: Option<&Vec<&str>>| match paths {
            Some(paths) => paths.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", "),
            None => "none".to_owned(),
        };
        let _ = writeln!(out, "\n**Must fire**: {}\n", list(fires.get(code.as_str())));
        let _ = writeln!(out, "**Must not fire**: {}\n", list(silent.get(code.as_str())));
        if let Some(rows) = seed_rows(&tables, code.as_str()) {
            let _ = writeln!(out, "**Seed rows**: {rows}\n");
        }
    }
    out
}

/// How many rows of the seed table are covered, in all and without a code.
fn seed_total(tables: &[(&str, Vec<Row>)]) -> String {
    let all = tables.iter().flat_map(|(_, rows)| rows);
    let covered = all.clone().filter(|row| row.is_covered()).count();
    let without_code = all.clone().filter(|row| row.codes.is_empty()).count();
    let parts: Vec<String> = tables
        .iter()
        .map(|(name, rows)| format!("{name} {} of {}", rows.iter().filter(|row| row.is_covered()).count(), rows.len()))
        .collect();
    format!(
        "Seed table (`tests/seed`): {covered} of {} rows ({}). {without_code} of them are explanations and tools without \
         a code; the others stand with their causes.",
        all.count(),
        parts.join(", "),
    )
}

/// The rows of the seed table that a cause covers.
fn seed_rows(tables: &[(&str, Vec<Row>)], code: &str) -> Option<String> {
    let mut parts = Vec::new();
    for (name, rows) in tables {
        let mine = rows.iter().enumerate().filter(|(_, row)| row.codes.iter().any(|one| one == code));
        parts.extend(mine.map(|(index, row)| {
            let open = if row.is_covered() { "" } else { ", open" };
            format!("{name} {} ({}{open})", index + 1, row.case)
        }));
    }
    (!parts.is_empty()).then(|| parts.join("; "))
}
