//! The recordings of real clusters under `tests/recordings`: the expected code leads, nothing healthy is called broken.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Snapshot, Target, explain};
use regex::RegexBuilder;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Expect {
    target: ExpectTarget,
    now: Option<Timestamp>,
    codes: Vec<String>,
    #[serde(default)]
    must_mention: Vec<String>,
    #[serde(default)]
    must_not: Vec<String>,
    #[serde(default)]
    fix_regex: Vec<String>,
    #[serde(default)]
    healthy: bool,
    #[serde(default)]
    statuses: Vec<String>,
    /// Why the right answer is not given yet; the test fails once it is, so that the note goes.
    known_miss: Option<String>,
}

#[derive(Deserialize)]
struct ExpectTarget {
    kind: String,
    name: String,
    namespace: Option<String>,
}

#[test]
fn recordings_of_real_clusters_are_answered_as_expected() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let mut folders: Vec<_> =
        std::fs::read_dir(&root).expect("recordings").map(|e| e.expect("an entry").path()).collect();
    folders.sort();
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for folder in folders.iter().filter(|folder| folder.display().to_string().contains(&only)) {
        let Some(result) = check(folder) else { continue };
        all += 1;
        let name = folder.file_name().unwrap_or_default().display();
        match result {
            (Ok(()), None) => right += 1,
            (Ok(()), Some(known)) => wrong.push(format!("{name}: is right now, take its known_miss away: {known}")),
            (Err(_), Some(known)) => crate::tell!("known miss {name}: {known}"),
            (Err(why), None) => wrong.push(format!("{name}: {why}")),
        }
    }
    crate::tell!("recordings: {right} of {all} are answered as expected");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What became of a recording, and why it is known to be missed; `None` where it says nothing of what is expected.
fn check(folder: &Path) -> Option<(Result<(), String>, Option<String>)> {
    let text = std::fs::read_to_string(folder.join("expect.json")).ok()?;
    let expect: Expect = serde_json::from_str(&text).expect("expect.json");
    let kind = Kind::from_name(&expect.target.kind).expect("a kind that is read");
    let known_miss = expect.known_miss.clone();
    Some((answer(folder, kind, expect), known_miss))
}

fn answer(folder: &Path, kind: Kind, expect: Expect) -> Result<(), String> {
    let snapshot = read(folder);
    let now = expect.now.or_else(|| snapshot.newest_time()).expect("a clock");
    let ExpectTarget { name, namespace, .. } = expect.target;
    let report = explain(&snapshot, Target { cluster: "lab".to_owned(), context: None, kind, namespace, name }, now);
    let json = serde_json::to_string(&report).expect("JSON");
    if std::env::var_os("SHOW").is_some() {
        println!("{}", serde_json::to_string_pretty(&report).expect("JSON"));
    }
    let codes: Vec<&str> = report.findings.iter().map(|ranked| ranked.finding.code.as_str()).collect();
    let got = format!("got {codes:?} [{:?}] {}", report.status, report.summary);
    let status: &str = report.status.into();
    if expect.healthy {
        let statuses =
            if expect.statuses.is_empty() { vec!["healthy".into(), "degraded".into()] } else { expect.statuses };
        let silent = !report.is_failing() && statuses.iter().any(|wanted| wanted == status);
        return if silent { Ok(()) } else { Err(format!("want nothing wrong, {got}")) };
    }
    let first = codes.first().copied().unwrap_or_default();
    if !expect.codes.iter().any(|code| code == first) || expect.must_not.iter().any(|code| code == first) {
        return Err(format!("want {:?}, {got}", expect.codes));
    }
    let matches = |pattern: &str, text: &str| {
        RegexBuilder::new(pattern).case_insensitive(true).build().expect("a regex").is_match(text)
    };
    if let Some(pattern) = expect.must_mention.iter().find(|pattern| !matches(pattern, &json)) {
        return Err(format!("/{pattern}/ is not mentioned, {got}"));
    }
    let fixes: Vec<_> = report.findings.iter().map(|ranked| &ranked.finding.fixes).collect();
    let fixes = serde_json::to_string(&fixes).expect("JSON");
    if !expect.fix_regex.is_empty() && !expect.fix_regex.iter().any(|pattern| matches(pattern, &fixes)) {
        return Err(format!("no fix matches {:?}, {got}", expect.fix_regex));
    }
    Ok(())
}

/// A recording, for other tests.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) folder: PathBuf,
    pub(crate) snapshot: Snapshot,
    pub(crate) target: Target,
    pub(crate) now: Timestamp,
    pub(crate) healthy: bool,
}

/// All recordings whose path contains `only`.
pub(crate) fn all(only: &str) -> impl Iterator<Item = Recording> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(&root).expect("recordings").map(|e| e.expect("an entry").path()).collect();
    folders.retain(|folder| folder.display().to_string().contains(only) && folder.join("expect.json").is_file());
    folders.sort();
    folders.into_iter().map(Recording::read)
}

impl Recording {
    /// The recording in that folder.
    pub(crate) fn read(folder: PathBuf) -> Self {
        let text = std::fs::read_to_string(folder.join("expect.json"))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let expect: Expect = serde_json::from_str(&text).expect("expect.json");
        let snapshot = read(&folder);
        let now = expect.now.or_else(|| snapshot.newest_time()).expect("a clock");
        let ExpectTarget { kind, name, namespace } = expect.target;
        let kind = Kind::from_name(&kind).unwrap_or(Kind::Cluster);
        let target = Target { cluster: "lab".to_owned(), context: None, kind, namespace, name };
        let name = folder.file_name().unwrap_or_default().display().to_string();
        Self { name, folder, snapshot, target, now, healthy: expect.healthy }
    }
}

fn read(folder: &Path) -> Snapshot {
    let mut snapshot = Snapshot::default();
    let text = std::fs::read_to_string(folder.join("objects.yaml")).expect("objects.yaml");
    let documents: Vec<Value> =
        serde_saphyr::from_multiple_with_options(&text, serde_saphyr::options! { strict_booleans: true })
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for document in documents {
        snapshot.add_value(document);
    }
    let list = |path: &Path| -> Vec<_> {
        std::fs::read_dir(path).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect()
    };
    let name = |path: &Path| path.file_name().unwrap_or_default().display().to_string();
    for namespace in list(&folder.join("logs")) {
        for pod in list(&namespace) {
            for log in list(&pod) {
                let file = name(&log);
                let stem = file.strip_suffix(".log").unwrap_or(&file);
                let (container, instance) = match stem.strip_suffix(".previous") {
                    Some(container) => (container, Instance::Previous),
                    None => (stem, Instance::Current),
                };
                let text = String::from_utf8_lossy(&std::fs::read(&log).expect("a log")).into_owned();
                snapshot.add_log(&name(&namespace), &name(&pod), container, instance, &text);
            }
        }
    }
    snapshot
}
