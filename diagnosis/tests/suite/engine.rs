//! The engine as a caller sees it: asks, rounds, order, caveats.

use std::collections::BTreeSet;

use crate::scene::Scene;
use kubewhy_diagnosis::ask::{Answer, Ask, Filter};
use kubewhy_diagnosis::finding::Severity;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Inquiry, Report, Snapshot, Status, Step, Target, explain};
use serde_json::{Value, json};

fn pod(containers: impl serde::Serialize, statuses: impl serde::Serialize) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "cart-7c9", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-11-20T10:00:00Z"},
        "spec": {"nodeName": "node-1", "containers": containers},
        "status": {"phase": "Pending", "containerStatuses": statuses}})
}

fn waiting(name: &str, reason: &str, message: &str) -> Value {
    json!({"name": name, "ready": false, "restartCount": 0, "image": "i", "imageID": "",
        "state": {"waiting": {"reason": reason, "message": message}}})
}

fn secret_pod() -> Value {
    let containers = json!([{"name": "app", "image": "cart:1", "env": [{"name": "DB_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "cart-db", "key": "password"}}}]}]);
    let message = "couldn't find key password in Secret shop/cart-db";
    pod(containers, json!([waiting("app", "CreateContainerConfigError", message)]))
}

fn target(name: &str) -> Target {
    Target { cluster: "test".into(), context: None, kind: Kind::Pod, namespace: Some("shop".into()), name: name.into() }
}

fn now() -> jiff::Timestamp {
    "2026-11-20T10:05:00Z".parse().expect("a time")
}

/// Runs a question against a snapshot with some answers replaced; gives the report and the asks of each round.
fn run(snapshot: &Snapshot, target: Target, replace: impl Fn(&Ask) -> Option<Answer>) -> (Report, Vec<Vec<Ask>>) {
    let mut inquiry = Inquiry::new(target, now());
    let (mut answers, mut rounds) = (Vec::new(), Vec::new());
    loop {
        match inquiry.step(answers) {
            Step::Needs(asks) => {
                rounds.push(asks.clone());
                answers = asks
                    .into_iter()
                    .map(|ask| {
                        let answer = replace(&ask).unwrap_or_else(|| snapshot.answer(&ask));
                        (ask, answer)
                    })
                    .collect();
            }
            Step::Done(report) => return (*report, rounds),
        }
    }
}

#[test]
fn a_pod_and_its_events_are_asked_for_first_and_each_ask_once() {
    let mut snapshot = Snapshot::default();
    snapshot.add_value(secret_pod());
    let (report, rounds) = run(&snapshot, target("cart-7c9"), |_| None);
    let first: BTreeSet<&str> = rounds[0].iter().map(Ask::subject).collect();
    assert_eq!(first, BTreeSet::from(["Pod", "Events"]));
    let all: Vec<&Ask> = rounds.iter().flatten().collect();
    assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "an ask was repeated: {all:?}");
    assert_eq!(report.requests, all.len());
}

#[test]
fn a_forbidden_read_becomes_a_caveat_and_never_a_guess() {
    let mut snapshot = Snapshot::default();
    snapshot.add_value(secret_pod());
    let (report, _) = run(&snapshot, target("cart-7c9"), |ask| {
        matches!(ask, Ask::Get { kind: Kind::Secret, .. }).then(|| Answer::Forbidden("no rights".into()))
    });
    assert_eq!(report.findings[0].finding.code.as_str(), "secret-key-missing");
    assert!(report.caveats.iter().any(|caveat| caveat.contains("Secret shop/cart-db") && caveat.contains("forbidden")));
}

#[test]
fn a_target_that_does_not_exist_is_an_error_and_one_that_cannot_be_read_is_another() {
    let mut snapshot = Snapshot::default();
    snapshot.add_value(secret_pod());
    let (absent, _) = run(&snapshot, target("nobody"), |_| None);
    assert_eq!(absent.error.expect("an error").code, "not-found");
    let (forbidden, _) = run(&snapshot, target("cart-7c9"), |ask| {
        matches!(ask, Ask::Get { kind: Kind::Pod, .. }).then(|| Answer::Forbidden("no rights".into()))
    });
    assert_eq!(forbidden.status, Status::Unknown);
    assert_eq!(forbidden.error.expect("an error").code, "forbidden");
}

#[test]
fn a_kind_that_a_snapshot_does_not_hold_is_unknown_not_absent() {
    let snapshot = Snapshot::default();
    let ask = Ask::Get { kind: Kind::Secret, namespace: Some("shop".into()), name: "x".into() };
    assert!(matches!(snapshot.answer(&ask), Answer::NotCovered));
    let list = Ask::List { kind: Kind::Pod, namespace: Some("shop".into()), filter: Filter::All };
    assert!(matches!(snapshot.answer(&list), Answer::NotCovered));
    let mut covered = Snapshot::default();
    covered.cover(Kind::Secret, Some("shop"));
    assert!(matches!(covered.answer(&ask), Answer::Absent));
}

#[test]
fn two_independent_faults_are_both_told_in_the_order_in_which_they_block() {
    let containers = json!([
        {"name": "app", "image": "cart:1", "command": ["strat"]},
        {"name": "sidecar", "image": "proxy:1", "env": [{"name": "P",
            "valueFrom": {"secretKeyRef": {"name": "cart-db", "key": "password"}}}]}]);
    let start = "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: \
        unable to start container process: exec: \"strat\": executable file not found in $PATH: unknown";
    let mut app = waiting("app", "CrashLoopBackOff", "back-off 10s restarting failed container=app");
    app["restartCount"] = json!(3);
    app["lastState"] = json!({"terminated": {"exitCode": 128, "reason": "StartError", "message": start,
        "startedAt": "1970-01-01T00:00:00Z", "finishedAt": "2026-11-20T10:04:30Z"}});
    let secret = waiting("sidecar", "CreateContainerConfigError", "couldn't find key password in Secret shop/cart-db");
    let mut snapshot = Snapshot::default();
    snapshot.add_value(pod(containers, json!([app, secret])));
    let report = explain(&snapshot, target("cart-7c9"), now());
    let codes: Vec<&str> = report.findings.iter().map(|ranked| ranked.finding.code.as_str()).collect();
    assert_eq!(codes, ["secret-key-missing", "command-not-found"]);
}

#[test]
fn the_same_evidence_gives_the_same_answer_byte_for_byte() {
    for scene in Scene::all() {
        let once = serde_json::to_string(&scene.report()).expect("JSON");
        let again = serde_json::to_string(&scene.report()).expect("JSON");
        assert_eq!(once, again, "{}", scene.path);
    }
}

#[test]
fn answers_take_few_reads_and_few_rounds() {
    let (mut reads, mut rounds) = (Vec::new(), Vec::new());
    for scene in Scene::all() {
        let mut inquiry = Inquiry::new(scene.target(), scene.now());
        let mut answers = Vec::new();
        while let Step::Needs(asks) = inquiry.step(answers) {
            for ask in &asks {
                let everywhere =
                    matches!(ask, Ask::List { kind, namespace: None, filter: Filter::All } if kind.is_namespaced());
                assert!(!everywhere, "{}: {ask} is a cluster-wide list", scene.path);
            }
            answers = asks.into_iter().map(|ask| (ask.clone(), scene.snapshot.answer(&ask))).collect();
        }
        reads.push(inquiry.world().len());
        rounds.push(inquiry.rounds());
    }
    reads.sort_unstable();
    rounds.sort_unstable();
    let (median, most) = (reads[reads.len() / 2], reads[reads.len() - 1]);
    crate::tell!(
        "reads per answer: median {median}, most {most}; rounds: median {}, most {}",
        rounds[rounds.len() / 2],
        rounds[rounds.len() - 1]
    );
    assert!(median <= 5, "the median answer takes {median} reads");
    assert!(rounds[rounds.len() - 1] <= kubewhy_diagnosis::MAX_ROUNDS, "{rounds:?}");
}

#[test]
fn a_question_that_never_ends_is_cut_off_and_says_so() {
    let mut snapshot = Snapshot::default();
    snapshot.add_value(secret_pod());
    // A world that answers every ask with a pod owned by yet another Job.
    let (report, rounds) = run(&snapshot, target("cart-7c9"), |ask| match ask {
        Ask::Get { kind: Kind::Pod, .. } => None,
        _ => Some(Answer::Failed("lost".into())),
    });
    assert!(rounds.len() <= 8);
    assert!(report.findings.iter().all(|ranked| ranked.finding.severity == Severity::Error));
}

/// What no rule explains is at least quoted: a scheduler of one's own, an event that no rule knows.
#[test]
fn where_no_rule_finds_a_cause_the_words_of_the_cluster_are_quoted() {
    let mut pending = pod(json!([{"name": "app", "image": "cart:1"}]), json!([]));
    pending["spec"]["nodeName"] = Value::Null;
    pending["metadata"]["creationTimestamp"] = json!("2026-11-20T09:00:00Z");
    pending["status"]["conditions"] = json!([{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "lastTransitionTime": "2026-11-20T09:00:00Z", "message": "queue root.shop is paused"}]);
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e1", "namespace": "shop"},
        "type": "Warning", "reason": "QueuePaused", "message": "paused by the night shift",
        "involvedObject": {"kind": "Pod", "namespace": "shop", "name": "cart-7c9", "uid": "u1"},
        "source": {"component": "queue"}, "lastTimestamp": "2026-11-20T10:00:00Z"});
    let mut snapshot = Snapshot::default();
    snapshot.add_value(pending);
    snapshot.add_value(event);
    let (report, _) = run(&snapshot, target("cart-7c9"), |_| None);
    assert_eq!(report.status, Status::Unknown, "{:?}", report.findings);
    let summary = report.summary.plain();
    for words in ["queue root.shop is paused", "QueuePaused", "paused by the night shift"] {
        assert!(summary.contains(words), "{summary}");
    }
}
