//! How fast the engine is: `cargo bench -p kubewhy-diagnosis`.
//!
//! - answers per second and core, evidence in memory, over a mix of 40 % healthy pods and 60 % pods of all fixtures;
//! - triage of watch bytes in pods per second and core, beside the typed parse of the same bytes;
//! - the signature library over a log of 300 lines;
//! - redaction of ordinary logs, of logs full of words that ask for a look, and of logs with a secret in every tenth line.
//!
//! Figures are the best and the median of several runs, on one thread. Regressions are guarded by counts in the tests
//! (reads and rounds per answer), never by these times.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark reads fixtures, has a clock and prints"
)]

#[path = "../tests/suite/scene.rs"]
#[expect(dead_code, reason = "the tests use more of it")]
mod scene;

use std::hint::black_box;
use std::time::Instant;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::reader::World;
use kubewhy_diagnosis::{Inquiry, PodDigest, Snapshot, Step, Target, explain, triage};
use scene::Scene;
use serde_json::json;

const RUNS: usize = 7;

fn main() {
    let now = "2026-11-20T10:05:00Z".parse().expect("a time");
    let scenes: Vec<Scene> = Scene::all().into_iter().filter(|scene| scene.expect.target.starts_with("Pod ")).collect();
    let failing: Vec<(Target, jiff::Timestamp, World)> = scenes.iter().map(evidence).collect();
    let healthy = healthy_pod();
    let mut snapshot = Snapshot::default();
    snapshot.add_value(healthy.clone());
    let fine = Target {
        cluster: "bench".into(),
        context: None,
        kind: Kind::Pod,
        namespace: Some("shop".into()),
        name: "cart".into(),
    };

    println!("fixtures about pods: {}", failing.len());
    let answers = 20_000;
    rate("answers, 40 % healthy and 60 % over all fixtures", "answers/s", answers, || {
        for index in 0..answers {
            if index % 5 < 2 {
                black_box(explain(&snapshot, fine.clone(), now));
            } else {
                let (target, now, world) = &failing[index % failing.len()];
                black_box(Inquiry::with_world(target.clone(), *now, world.clone()).step([]));
            }
        }
    });
    rate("answers, healthy pods only", "answers/s", answers, || {
        for _ in 0..answers {
            black_box(explain(&snapshot, fine.clone(), now));
        }
    });
    rate("answers, failing pods only", "answers/s", answers, || {
        for index in 0..answers {
            let (target, now, world) = &failing[index % failing.len()];
            black_box(Inquiry::with_world(target.clone(), *now, world.clone()).step([]));
        }
    });

    let bytes = healthy.to_string().into_bytes();
    println!("\none pod on the wire: {} bytes", bytes.len());
    let pods = 20_000;
    let digest = rate("triage of watch bytes", "pods/s", pods, || {
        for _ in 0..pods {
            let digest = PodDigest::from_json(black_box(&bytes)).expect("a pod");
            black_box(triage(&digest, now));
        }
    });
    let typed = rate("typed parse of the same bytes", "pods/s", pods, || {
        for _ in 0..pods {
            black_box(serde_json::from_slice::<Pod>(black_box(&bytes)).expect("a pod"));
        }
    });
    println!("triage is {:.1} times as fast as the typed parse", digest / typed);

    let log: String = (0..300)
        .map(|n| format!("2026-11-20T10:00:{:02}Z INFO handled request {n} in 3 ms", n % 60))
        .collect::<Vec<_>>()
        .join("\n");
    let log = format!(
        "{log}\npanic: runtime error: invalid memory address or nil pointer dereference\n\ngoroutine 1 [running]:\nmain.main()\n\t/app/main.go:17 +0x1d\n"
    );
    let logs = 2_000;
    rate("last words of a log of 300 lines", "logs/s", logs, || {
        for _ in 0..logs {
            black_box(kubewhy_diagnosis::parse::log::read(black_box(&log)));
        }
    });

    println!();
    let busy = include_str!("../tests/suite/redact/benign.log").repeat(4);
    let mut leaking = String::new();
    for (index, line) in log.lines().enumerate() {
        let secret = if index % 10 == 0 { " DB_PASSWORD=hunter2 url=postgres://app:hunter2@db/shop" } else { "" };
        leaking = leaking + line + secret + "\n";
    }
    for (what, text) in [
        ("redaction of a log of 300 ordinary lines", &log),
        ("redaction of logs of popular software", &busy),
        ("redaction of a log with secrets in every tenth line", &leaking),
    ] {
        let runs = 8_000_000 / text.len();
        let kilobytes = runs * text.len() / 1000;
        rate(what, "KB/s", kilobytes, || {
            for _ in 0..runs {
                black_box(kubewhy_diagnosis::redact::redact(black_box(text)));
            }
        });
    }
}

/// Everything that the answer to a fixture reads, so that one step gives it.
fn evidence(scene: &Scene) -> (Target, jiff::Timestamp, World) {
    let target = scene.target();
    let now = scene.now();
    let mut inquiry = Inquiry::new(target.clone(), now);
    let mut answers = Vec::new();
    while let Step::Needs(asks) = inquiry.step(answers) {
        answers = asks.into_iter().map(|ask| (ask.clone(), scene.snapshot.answer(&ask))).collect();
    }
    (target, now, inquiry.world().clone())
}

fn rate(what: &str, unit: &str, count: usize, run: impl Fn()) -> f64 {
    let mut rates: Vec<f64> = (0..RUNS)
        .map(|_| {
            let started = Instant::now();
            run();
            #[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
            let rate = count as f64 / started.elapsed().as_secs_f64();
            rate
        })
        .collect();
    rates.sort_by(f64::total_cmp);
    let (median, best) = (rates[RUNS / 2], rates[RUNS - 1]);
    println!("{what}: median {median:.0} {unit}, best {best:.0}");
    median
}

/// A healthy pod of the size that clusters have: two containers, managed fields, five conditions, about 9 KB.
fn healthy_pod() -> serde_json::Value {
    let container = |name: &str| {
        json!({"name": name, "image": "ghcr.io/shop/cart:1.4.3", "imagePullPolicy": "IfNotPresent",
            "env": (0..12).map(|n| json!({"name": format!("SETTING_{n}"), "value": "value of an ordinary length"})).collect::<Vec<_>>(),
            "resources": {"limits": {"cpu": "1", "memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "256Mi"}},
            "volumeMounts": [{"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": "kube-api-access-x", "readOnly": true}]})
    };
    let status = |name: &str| {
        json!({"name": name, "ready": true, "started": true, "restartCount": 0, "image": "ghcr.io/shop/cart:1.4.3",
            "imageID": "ghcr.io/shop/cart@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "containerID": "containerd://0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "state": {"running": {"startedAt": "2026-11-20T09:00:00Z"}}, "lastState": {}})
    };
    let conditions = ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"]
        .map(|type_| json!({"type": type_, "status": "True", "lastProbeTime": null, "lastTransitionTime": "2026-11-20T09:00:00Z"}));
    let fields: serde_json::Map<String, serde_json::Value> =
        (0..60).map(|n| (format!("f:field{n}"), json!({}))).collect();
    let managed = json!({"apiVersion": "v1", "fieldsType": "FieldsV1", "manager": "kubelet", "operation": "Update",
        "time": "2026-11-20T09:00:00Z", "subresource": "status", "fieldsV1": {"f:status": fields}});
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cart", "namespace": "shop", "uid": "u", "resourceVersion": "1",
            "creationTimestamp": "2026-11-20T08:59:00Z", "labels": {"app": "cart", "pod-template-hash": "7c9"},
            "managedFields": [managed, managed]},
        "spec": {"nodeName": "node-1", "containers": [container("app"), container("proxy")], "restartPolicy": "Always",
            "tolerations": [{"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}]},
        "status": {"phase": "Running", "podIP": "10.0.0.1", "startTime": "2026-11-20T08:59:00Z", "conditions": conditions,
            "containerStatuses": [status("app"), status("proxy")]}})
}
