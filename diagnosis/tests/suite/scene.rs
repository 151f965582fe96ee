//! Reads fixtures: one YAML file each, the expectation first, then objects and logs.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use kubewhy_diagnosis::ask::Instance;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Report, Snapshot, Target, explain};
use serde::Deserialize;
use serde_json::Value;

/// What a fixture expects; see `diagnosis/fixtures/README.md`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    pub(crate) target: String,
    pub(crate) at: Option<Timestamp>,
    pub(crate) status: Option<String>,
    pub(crate) root: Option<String>,
    #[serde(default)]
    pub(crate) not: Vec<String>,
    #[serde(default)]
    pub(crate) also: Vec<String>,
    #[serde(default)]
    pub(crate) mentions: Vec<String>,
    pub(crate) fix: Option<String>,
    #[serde(default)]
    pub(crate) covers: Vec<String>,
}

#[derive(Deserialize)]
struct Log {
    namespace: String,
    pod: String,
    container: String,
    #[serde(default)]
    previous: bool,
}

/// A fixture.
pub(crate) struct Scene {
    /// Its path below `diagnosis/fixtures`.
    pub(crate) path: String,
    /// The code that must lead; none in folder `healthy`.
    pub(crate) first: Option<String>,
    pub(crate) expect: Expect,
    pub(crate) snapshot: Snapshot,
}

impl Scene {
    /// All fixtures, in the order of their paths.
    pub(crate) fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
        let mut files = Vec::new();
        collect(&root, &mut files);
        files.sort();
        files.iter().map(|file| Self::read(&root, file)).collect()
    }

    /// One fixture, its path told from the root on.
    pub(crate) fn read(root: &Path, file: &Path) -> Self {
        let path = file.strip_prefix(root).expect("below the root").display().to_string();
        let text = std::fs::read_to_string(file).expect("a fixture is readable");
        let documents: Vec<Value> =
            serde_saphyr::from_multiple_with_options(&text, serde_saphyr::options! { strict_booleans: true })
                .unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut documents = documents.into_iter();
        let expect = documents.next().and_then(|mut first| first.get_mut("expect").map(Value::take));
        let expect = expect.unwrap_or_else(|| panic!("{path}: the first document has no `expect`"));
        let expect: Expect = serde_json::from_value(expect).unwrap_or_else(|error| panic!("{path}: {error}"));
        let mut snapshot = Snapshot::default();
        for document in documents {
            if let Some(log) = document.get("log") {
                let log: Log = serde_json::from_value(log.clone()).unwrap_or_else(|error| panic!("{path}: {error}"));
                let instance = if log.previous { Instance::Previous } else { Instance::Current };
                let text = document.get("text").and_then(Value::as_str).unwrap_or_default();
                snapshot.add_log(&log.namespace, &log.pod, &log.container, instance, text);
            } else {
                snapshot.add_value(document);
            }
        }
        assert!(snapshot.caveats().is_empty(), "{path}: {:?}", snapshot.caveats());
        for covered in &expect.covers {
            let (kind, namespace) = covered.split_once(' ').map_or((covered.as_str(), None), |(k, ns)| (k, Some(ns)));
            snapshot.cover(Kind::from_name(kind).unwrap_or_else(|| panic!("{path}: kind {kind}")), namespace);
        }
        let folder = path.split('/').next().unwrap_or_default();
        let first = (folder != "healthy").then(|| folder.to_owned());
        Self { path, first, expect, snapshot }
    }

    /// What the fixture asks about.
    pub(crate) fn target(&self) -> Target {
        let kind = self.expect.target.split(' ').next().unwrap_or_default();
        // A kind that the table does not have is one of the objects'.
        let foreign = self.snapshot.kinds().find(|known| matches!(known, Kind::Foreign(_)) && known.name() == kind);
        foreign.map_or_else(|| target(&self.expect.target), |kind| target_of(kind, &self.expect.target))
    }

    /// The clock of the fixture.
    pub(crate) fn now(&self) -> Timestamp {
        self.expect.at.or_else(|| self.snapshot.newest_time()).expect("a clock")
    }

    /// The report on the fixture's target.
    pub(crate) fn report(&self) -> Report {
        explain(&self.snapshot, self.target(), self.now())
    }
}

/// What is asked about, as fixtures write it.
pub(crate) fn target(written: &str) -> Target {
    let (kind, _) = written.split_once(' ').expect("target is `Kind name` or `Kind namespace/name`");
    target_of(Kind::from_name(kind).expect("a kind that is read"), written)
}

fn target_of(kind: Kind, written: &str) -> Target {
    let (_, path) = written.split_once(' ').expect("target is `Kind name` or `Kind namespace/name`");
    let (namespace, name) = path.split_once('/').map_or((None, path), |(ns, name)| (Some(ns.to_owned()), name));
    Target { cluster: "test".to_owned(), context: None, kind, namespace, name: name.to_owned() }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder of fixtures") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
}
