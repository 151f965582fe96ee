//! `CAUSES.md` is made from the registry and the fixtures; this test rewrites it and fails where it was stale.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use crate::scene::Scene;
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
    }
    out
}
