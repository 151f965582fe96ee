//! Every fixture is a small cluster with the answer expected of it; see `diagnosis/fixtures/README.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::scene::Scene;
use kubewhy_diagnosis::causes::Code;
use regex::RegexBuilder;

#[test]
fn every_fixture_gets_the_answer_it_expects() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let scenes: Vec<Scene> = Scene::all().into_iter().filter(|scene| scene.path.contains(&only)).collect();
    let mut wrong = Vec::new();
    for scene in &scenes {
        if let Err(why) = check(scene) {
            wrong.push(format!("{}: {why}", scene.path));
        }
    }
    crate::tell!("fixtures: {} of {} get the answer they expect", scenes.len() - wrong.len(), scenes.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn check(scene: &Scene) -> Result<(), String> {
    let report = scene.report();
    let json = serde_json::to_string(&report).expect("a report is JSON");
    let codes: Vec<&str> = report.findings.iter().map(|ranked| ranked.finding.code.as_str()).collect();
    let context = || format!("got {codes:?} [{:?}] {}", report.status, report.summary);
    if std::env::var_os("SHOW").is_some() {
        println!("{}\n{}", scene.path, serde_json::to_string_pretty(&report).expect("a report is JSON"));
    }
    match &scene.first {
        Some(first) if codes.first() != Some(&first.as_str()) => {
            return Err(format!("want {first} first, {}", context()));
        }
        None if report.is_failing() => return Err(format!("want nothing wrong, {}", context())),
        _ => {}
    }
    if let Some(status) = &scene.expect.status {
        let got: &str = report.status.into();
        if got != status {
            return Err(format!("want status {status}, {}", context()));
        }
    }
    for code in &scene.expect.not {
        if codes.contains(&code.as_str()) {
            return Err(format!("{code} must not be found, {}", context()));
        }
    }
    for code in &scene.expect.also {
        if !codes.contains(&code.as_str()) {
            return Err(format!("{code} must be found too, {}", context()));
        }
    }
    if let (Some(root), Some(lead)) = (&scene.expect.root, report.lead()) {
        let got = lead.root().to_string();
        if got != *root {
            return Err(format!("want root {root}, got {got}"));
        }
    }
    for pattern in &scene.expect.mentions {
        if !matches(pattern, &json) {
            return Err(format!("the answer does not mention /{pattern}/: {json}"));
        }
    }
    if let Some(pattern) = &scene.expect.fix {
        let fixes: Vec<_> = report.findings.iter().map(|ranked| &ranked.finding.fixes).collect();
        let fixes = serde_json::to_string(&fixes).expect("fixes are JSON");
        if !matches(pattern, &fixes) {
            return Err(format!("no fix matches /{pattern}/: {fixes}"));
        }
    }
    for ranked in &report.findings {
        let finding = &ranked.finding;
        if finding.title.is_empty() || finding.explanation.is_empty() || finding.evidence.is_empty() {
            return Err(format!("{} lacks a title, an explanation or evidence", finding.code));
        }
        if finding.fixes.is_empty() {
            return Err(format!("{} offers no fix", finding.code));
        }
    }
    Ok(())
}

fn matches(pattern: &str, text: &str) -> bool {
    RegexBuilder::new(pattern).case_insensitive(true).build().expect("a fixture's pattern is a regex").is_match(text)
}

#[test]
fn every_cause_is_documented_and_has_fixtures_that_fire_and_that_do_not() {
    let scenes = Scene::all();
    let fires: BTreeSet<&str> = scenes.iter().filter_map(|scene| scene.first.as_deref()).collect();
    let mut silent: BTreeMap<&str, usize> = BTreeMap::new();
    for code in scenes.iter().flat_map(|scene| &scene.expect.not) {
        *silent.entry(code).or_default() += 1;
    }
    let mut lacks = Vec::new();
    for code in Code::all() {
        let cause = code.cause();
        let stage: &str = cause.stage.into();
        for section in ["What it means", "Signals", "Look-alikes", "Fixes", "Source"] {
            if !cause.doc.contains(&format!("## {section}\n")) || cause.doc.contains("UNWRITTEN") {
                lacks.push(format!("{code}: section {section:?} of its documentation"));
            }
        }
        let file = format!("{}/src/causes/{stage}/{}.rs", env!("CARGO_MANIFEST_DIR"), code.as_str().replace('-', "_"));
        if !Path::new(&file).exists() {
            lacks.push(format!("{code}: its file {file}"));
        }
        if !fires.contains(code.as_str()) {
            lacks.push(format!("{code}: a fixture that must fire"));
        }
        if !silent.contains_key(code.as_str()) {
            lacks.push(format!("{code}: a fixture in which it must not fire (list it under `not`)"));
        }
    }
    assert!(lacks.is_empty(), "{} lacks:\n{}", lacks.len(), lacks.join("\n"));
}
