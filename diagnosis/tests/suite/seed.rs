//! The table of cases that the catalogue was sown from (`tests/seed/S0.yaml` to `S4.yaml`): each row has a scenario whose
//! answer leads with the row's code and names the row's fact. `ONLY=S0` or `ONLY=part-of-a-scenario` asks some, `SHOW=1`
//! prints the answers; see `tests/seed/README.md`.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use kubewhy_diagnosis::causes::Code;
use kubewhy_diagnosis::{Report, explain};
use regex::{Regex, RegexBuilder};
use serde::Deserialize;
use serde_json::Value;

use crate::recordings::Recording;
use crate::scene::{Scene, target};

/// The tables with their number of rows, so that no row is lost unseen.
const TABLES: [(&str, usize); 5] = [("S0", 68), ("S1", 29), ("S2", 41), ("S3", 10), ("S4", 36)];

/// A row of a table.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    /// The case, in a few words.
    pub(crate) case: String,
    /// The codes that may lead; none where the row is an explanation or a tool. Each of them must be shown.
    #[serde(default)]
    pub(crate) codes: Vec<String>,
    /// The code may stand anywhere: it follows from a deeper root, which leads.
    #[serde(default)]
    anywhere: bool,
    /// A fixture (`diagnosis/fixtures/...`), a recording (`tests/recordings/...`) or a scenario in `tests/seed`.
    scenario: Option<String>,
    /// What is asked, where it is not what the scenario asks: `Kind namespace/name`.
    target: Option<String>,
    /// The clock, where it is not that of the scenario.
    at: Option<Timestamp>,
    /// Regexes (any case) for the fact: one text of the answer must match each.
    #[serde(default)]
    names: Vec<String>,
    /// Further scenarios of the row.
    #[serde(default)]
    more: Vec<Shown>,
    /// Why no scenario shows it yet.
    open: Option<String>,
}

/// A scenario of a row.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    scenario: String,
    target: Option<String>,
    at: Option<Timestamp>,
    names: Vec<String>,
}

impl Row {
    /// Tells whether a scenario shows it.
    pub(crate) const fn is_covered(&self) -> bool {
        self.scenario.is_some() && self.open.is_none()
    }

    fn shown(&self) -> Vec<Shown> {
        let first = self.scenario.clone().map(|scenario| Shown {
            scenario,
            target: self.target.clone(),
            at: self.at,
            names: self.names.clone(),
        });
        first.into_iter().chain(self.more.clone()).collect()
    }

    /// What is wrong with it; nothing where all is as it should be.
    fn check(&self, only: &str, asked: &mut Asked) -> Vec<String> {
        let shown = self.shown();
        if let Some(reason) = &self.open {
            return if reason.is_empty() { vec!["is open for no reason".to_owned()] } else { Vec::new() };
        }
        if shown.is_empty() {
            return vec!["has no scenario".to_owned()];
        }
        let mut wrong: Vec<String> = self
            .codes
            .iter()
            .filter(|code| code.parse::<Code>().is_err())
            .map(|code| format!("{code}: no code"))
            .collect();
        let mut unseen: BTreeSet<&str> = self.codes.iter().map(String::as_str).collect();
        for one in shown.iter().filter(|one| one.scenario.contains(only)) {
            if !root().join(&one.scenario).exists() {
                wrong.push(format!("there is no {}", one.scenario));
                continue;
            }
            let key = (one.scenario.clone(), one.target.clone(), one.at);
            let said = asked.entry(key).or_insert_with(|| Said::of(&one.ask()));
            let codes: Vec<&str> = said.codes.iter().map(String::as_str).collect();
            let counted = if self.anywhere { codes.len() } else { 1 };
            let hit: Vec<&str> =
                codes.iter().take(counted).copied().filter(|code| self.codes.iter().any(|c| c == code)).collect();
            let got = format!("{}: got {codes:?} {}", one.scenario, said.summary);
            if hit.is_empty() && !self.codes.is_empty() {
                wrong.push(format!("want {:?}, {got}", self.codes));
            }
            for code in hit {
                unseen.remove(code);
            }
            let lacks = one.names.iter().filter(|pattern| {
                let wanted = regex(pattern);
                !said.words.iter().any(|word| wanted.is_match(word))
            });
            wrong.extend(lacks.map(|pattern| format!("/{pattern}/ is not named, {got}")));
            if one.names.is_empty() {
                wrong.push(format!("{}: no fact is asked for", one.scenario));
            }
        }
        if only.is_empty() {
            wrong.extend(unseen.into_iter().map(|code| format!("no scenario shows {code}")));
        }
        wrong
    }
}

impl Shown {
    fn ask(&self) -> Report {
        let root = root();
        let (snapshot, asked, now) = if self.scenario.starts_with("tests/recordings/") {
            let recording = Recording::read(&root.join(&self.scenario));
            let (asked, now) = (recording.target(), recording.now());
            (recording.snapshot, asked, now)
        } else {
            let scene = Scene::read(&root, &root.join(&self.scenario));
            let (asked, now) = (scene.target(), scene.now());
            (scene.snapshot, asked, now)
        };
        let asked = self.target.as_deref().map_or(asked, target);
        let report = explain(&snapshot, asked, self.at.unwrap_or(now));
        if std::env::var_os("SHOW").is_some() {
            println!("{}\n{}", self.scenario, serde_json::to_string_pretty(&report).expect("a report is JSON"));
        }
        report
    }
}

/// The answers so far: many rows share a scenario.
type Asked = HashMap<(String, Option<String>, Option<Timestamp>), Said>;

/// What an answer says.
struct Said {
    codes: Vec<String>,
    summary: String,
    words: Vec<String>,
}

impl Said {
    fn of(report: &Report) -> Self {
        let codes = report.findings.iter().map(|ranked| ranked.finding.code.as_str().to_owned()).collect();
        let summary = format!("[{:?}] {}", report.status, report.summary);
        Self { codes, summary, words: words(report) }
    }
}

/// All texts of an answer but what was asked.
fn words(report: &Report) -> Vec<String> {
    let mut json = serde_json::to_value(report).expect("a report is JSON");
    if let Some(fields) = json.as_object_mut() {
        fields.remove("target");
        fields.remove("checked");
    }
    let (mut words, mut open) = (Vec::new(), vec![json]);
    while let Some(value) = open.pop() {
        match value {
            Value::String(word) => words.push(word),
            Value::Array(values) => open.extend(values),
            Value::Object(fields) => open.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
    words
}

fn regex(pattern: &str) -> Regex {
    RegexBuilder::new(pattern).case_insensitive(true).build().expect("a row's pattern is a regex")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn folder() -> PathBuf {
    root().join("tests/seed")
}

/// The rows of all tables, with the name of their table.
pub(crate) fn tables() -> Vec<(&'static str, Vec<Row>)> {
    let read = |name| {
        let text = std::fs::read_to_string(folder().join(format!("{name}.yaml"))).expect("a table is readable");
        serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}.yaml: {error}"))
    };
    TABLES.iter().map(|(name, _)| (*name, read(name))).collect()
}

#[test]
fn every_row_of_the_seed_table_is_shown_by_a_scenario() {
    let only = std::env::var("ONLY").unwrap_or_default();
    let mut asked = Asked::new();
    let (mut covered, mut all, mut open, mut wrong) = (0, 0, BTreeMap::<&str, usize>::new(), Vec::new());
    for ((name, rows), (_, count)) in tables().into_iter().zip(TABLES) {
        if rows.len() != count {
            wrong.push(format!("{name}: {} rows instead of {count}", rows.len()));
        }
        let only = if only == name { "" } else { &only };
        for (number, row) in rows.iter().enumerate() {
            all += 1;
            let faults = row.check(only, &mut asked);
            if faults.is_empty() && row.is_covered() {
                covered += 1;
            } else if faults.is_empty() {
                *open.entry(name).or_default() += 1;
            }
            wrong.extend(faults.into_iter().map(|why| format!("{name} row {} ({}): {why}", number + 1, row.case)));
        }
    }
    crate::tell!("seed table: {covered} of {all} rows; open: {open:?}");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_scenario_of_the_seed_table_is_used() {
    let used: BTreeSet<String> =
        tables().iter().flat_map(|(_, rows)| rows).flat_map(Row::shown).map(|shown| shown.scenario).collect();
    let files = std::fs::read_dir(folder()).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut idle: Vec<String> = files
        .filter(|file| file.extension().is_some_and(|extension| extension == "yaml"))
        .map(|file| file.file_name().unwrap_or_default().display().to_string())
        .filter(|file| !TABLES.iter().any(|(name, _)| *file == format!("{name}.yaml")))
        .filter(|file| !used.contains(&format!("tests/seed/{file}")))
        .collect();
    idle.sort();
    assert!(idle.is_empty(), "no row names {idle:?}");
}
