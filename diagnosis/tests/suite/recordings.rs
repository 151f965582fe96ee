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

/// A recording and what is asked of it.
pub(crate) struct Recording {
    /// Where it lies.
    pub(crate) folder: PathBuf,
    expect: Expect,
    /// The cluster as recorded.
    pub(crate) snapshot: Snapshot,
}

impl Recording {
    /// The recording in that folder.
    pub(crate) fn read(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("expect.json"))
            .unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        let expect = serde_json::from_str(&text).expect("expect.json");
        Self { folder: folder.to_owned(), expect, snapshot: read(folder) }
    }

    /// All recordings whose path contains `only`, in the order of their names.
    pub(crate) fn all(only: &str) -> impl Iterator<Item = Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recordings");
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(&root).expect("recordings").map(|e| e.expect("an entry").path()).collect();
        folders.retain(|folder| folder.display().to_string().contains(only) && folder.join("expect.json").is_file());
        folders.sort();
        folders.into_iter().map(|folder| Self::read(&folder))
    }

    /// The name of its folder.
    pub(crate) fn name(&self) -> String {
        self.folder.file_name().unwrap_or_default().display().to_string()
    }

    /// What is asked about: a kind of the table, or a foreign one of which it holds objects.
    pub(crate) fn target(&self) -> Target {
        let ExpectTarget { kind, name, namespace } = &self.expect.target;
        let kind = Kind::from_name(kind).or_else(|| self.snapshot.kinds().find(|known| known.name() == kind));
        let kind = kind.unwrap_or_else(|| panic!("{}: no object of the kind asked about", self.name()));
        Target { cluster: "lab".to_owned(), context: None, kind, namespace: namespace.clone(), name: name.clone() }
    }

    /// The clock of the recording.
    pub(crate) fn now(&self) -> Timestamp {
        self.expect.now.or_else(|| self.snapshot.newest_time()).expect("a clock")
    }

    /// Whether what is asked about is well.
    pub(crate) fn is_healthy(&self) -> bool {
        self.expect.healthy
    }

    fn check(&self) -> Result<(), String> {
        let expect = &self.expect;
        let report = explain(&self.snapshot, self.target(), self.now());
        let json = serde_json::to_string(&report).expect("JSON");
        if std::env::var_os("SHOW").is_some() {
            println!("{}", serde_json::to_string_pretty(&report).expect("JSON"));
        }
        let codes: Vec<&str> = report.findings.iter().map(|ranked| ranked.finding.code.as_str()).collect();
        let got = format!("got {codes:?} [{:?}] {}", report.status, report.summary);
        let status: &str = report.status.into();
        if expect.healthy {
            let usual = ["healthy".to_owned(), "degraded".to_owned()];
            let statuses = if expect.statuses.is_empty() { usual.as_slice() } else { &expect.statuses };
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
}

#[test]
fn recordings_of_real_clusters_are_answered_as_expected() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let (mut right, mut all, mut wrong) = (0, 0, Vec::new());
    for recording in Recording::all(&only) {
        all += 1;
        let name = recording.name();
        match (recording.check(), &recording.expect.known_miss) {
            (Ok(()), None) => right += 1,
            (Ok(()), Some(known)) => wrong.push(format!("{name}: is right now, take its known_miss away: {known}")),
            (Err(_), Some(known)) => crate::tell!("known miss {name}: {known}"),
            (Err(why), None) => wrong.push(format!("{name}: {why}")),
        }
    }
    crate::tell!("recordings: {right} of {all} are answered as expected");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
