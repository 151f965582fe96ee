//! Every story of the demo is played, and every question that it names must get its answer.
//! `ONLY=part` asks those of the stories whose name contains `part`, `SHOW=1` prints whole answers.

#[path = "run/questions.rs"]
mod questions;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};
use kubewhy_diagnosis::RankedFinding;
use kubewhy_diagnosis::finding::Severity;
use kubewhy_diagnosis::kind::{Object, ObjectError};
use kubewhy_diagnosis::{Inquiry, Report, Status, Step, Target};
use kubewhy_kubernetes::Cluster;
use kubewhy_sandbox::scenario::{Ask, Player, Scenario, ScenarioKind};
use kubewhy_sandbox::{Clock, Sandbox};

use questions::{Question, object, questions};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("demo")
}

fn scenarios() -> Vec<Scenario> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder()).expect("the folder").map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    paths.sort();
    let mut wrong = Vec::new();
    let mut scenarios = Vec::new();
    for path in paths {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        match Scenario::parse(&name, &std::fs::read_to_string(&path).expect("a text")) {
            Ok(scenario) => scenarios.push(scenario),
            Err(error) => wrong.push(error.to_string()),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    scenarios
}

/// Says what was counted, also where the test passes and its output is kept back.
fn tell(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

/// A demo with its clock: everything is played together, as in the real one.
struct Demo {
    clock: Clock,
    sandbox: Sandbox,
    player: Player,
    start: Timestamp,
    scenarios: Vec<Scenario>,
}

impl Demo {
    fn new() -> Self {
        let start: Timestamp = "2026-11-20T10:00:00Z".parse().expect("a time");
        let clock = Clock::fixed(start);
        let sandbox = Sandbox::new(clock.clone());
        let scenarios = scenarios();
        let player = Player::new(sandbox.clone(), scenarios.clone());
        Self { clock, sandbox, player, start, scenarios }
    }

    fn advance_to(&mut self, offset: std::time::Duration) {
        let now = self.start.checked_add(SignedDuration::try_from(offset).expect("a span")).expect("a time");
        if now > self.clock.now() {
            self.clock.set(now);
        }
        self.player.advance(self.clock.now()).expect("everything is played");
    }
}

fn target(ask: &Ask, sandbox: &Sandbox) -> Target {
    let (kind, namespace, name) = object(ask, sandbox);
    Target { cluster: "demo".to_owned(), context: None, kind, namespace, name }
}

async fn answer(cluster: &Cluster, target: Target, now: Timestamp) -> Report {
    let mut inquiry = Inquiry::new(target, now);
    let mut answers = Vec::new();
    loop {
        match inquiry.step(answers) {
            Step::Needs(asks) => answers = cluster.answer(asks).await,
            Step::Done(report) => return *report,
        }
    }
}

/// Tells whether a finding is no trouble yet.
fn is_calm(ranked: &RankedFinding) -> bool {
    ranked.finding.severity == Severity::Info
}

/// What is wrong with an answer.
fn fault(ask: &Ask, report: &Report) -> Option<String> {
    if let Some(error) = &report.error {
        return Some(format!("no answer: {}", error.message));
    }
    let code = report.findings.first().map(|ranked| <&str>::from(ranked.finding.code));
    let found: Vec<&str> = report.findings.iter().map(|ranked| ranked.finding.code.into()).collect();
    let is_right = match ask.code.as_str() {
        "healthy" => report.status == Status::Healthy && report.findings.is_empty(),
        "pending" => report.status == Status::Pending && report.findings.iter().all(is_calm),
        wanted => code == Some(wanted),
    };
    if !is_right {
        return Some(format!("answered {:?} {found:?}: {}", report.status, report.summary.plain()));
    }
    let text = serde_json::to_string(report).expect("a report is JSON");
    let plain = text.replace("\\\"", "\"");
    let missing: Vec<&String> =
        ask.names.iter().filter(|name| !text.contains(*name) && !plain.contains(*name)).collect();
    (!missing.is_empty()).then(|| format!("does not name {missing:?}: {plain}"))
}

#[tokio::test]
async fn every_question_gets_its_answer() {
    let mut demo = Demo::new();
    let only = std::env::var("ONLY").unwrap_or_default();
    let asked = demo.scenarios.iter().filter(|scenario| scenario.name().contains(&only));
    let asks = questions(asked);
    let all = asks.len();
    let mut wrong = Vec::new();
    let client = kube::Client::new(demo.sandbox.service(), "default");
    let cluster = Cluster::new(client, "demo");
    for Question { story, at, ask } in asks {
        demo.advance_to(at);
        let report = answer(&cluster, target(&ask, &demo.sandbox), demo.clock.now()).await;
        if std::env::var("SHOW").is_ok() {
            tell(&serde_json::to_string_pretty(&report).unwrap());
        }
        if let Some(fault) = fault(&ask, &report) {
            wrong.push(format!("{story}: {} should be {}: {fault}", ask.why, ask.code));
        }
    }
    tell(&format!(
        "demo: {} of {all} questions about {} stories are answered right",
        all - wrong.len(),
        demo.scenarios.len()
    ));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn what_stands_still_gets_the_same_answer_an_hour_later() {
    let mut demo = Demo::new();
    demo.advance_to(std::time::Duration::from_hours(1));
    let stands = |scenario: &&Scenario| {
        use ScenarioKind::{Admission, Creation, Dependency, Image, Scheduling};
        scenario.stands_still() && matches!(scenario.kind(), Admission | Scheduling | Image | Dependency | Creation)
    };
    let cluster = Cluster::new(kube::Client::new(demo.sandbox.service(), "default"), "demo");
    let mut wrong = Vec::new();
    for scenario in demo.scenarios.iter().filter(stands) {
        for ask in scenario.asks() {
            let report = answer(&cluster, target(ask, &demo.sandbox), demo.clock.now()).await;
            wrong.extend(fault(ask, &report).map(|fault| format!("{}: {}: {fault}", scenario.name(), ask.why)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_object_is_one_that_a_typed_client_can_read() {
    let mut demo = Demo::new();
    demo.advance_to(std::time::Duration::from_mins(10));
    let objects = demo.sandbox.everything();
    let malformed = objects.iter().filter_map(|object| match Object::from_value((**object).clone()) {
        Err(error @ ObjectError::Malformed { .. }) => Some(error.to_string()),
        Ok(_) | Err(ObjectError::OtherKind(_)) => None,
    });
    assert_eq!(malformed.collect::<Vec<_>>(), Vec::<String>::new());
    assert!(objects.len() > 1000, "{} objects", objects.len());
}

#[test]
fn every_known_case_about_pods_has_its_story() {
    let text = std::fs::read_to_string(folder().join("seeds.txt")).unwrap();
    let known: BTreeSet<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let scenarios = scenarios();
    let told: BTreeSet<&str> = scenarios.iter().flat_map(Scenario::seeds).map(String::as_str).collect();
    let untold: Vec<&&str> = known.difference(&told).collect();
    let unknown: Vec<&&str> = told.difference(&known).collect();
    tell(&format!("demo: {} of {} known cases have their story", known.len() - untold.len(), known.len()));
    assert!(untold.is_empty() && unknown.is_empty(), "without a story: {untold:#?}\nno such case: {unknown:#?}");
}
