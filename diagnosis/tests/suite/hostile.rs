//! Whatever a cluster, a dump or a log holds: an answer or a caveat, never a panic.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use crate::scene::Scene;
use kubewhy_diagnosis::ask::{Answer, Ask, Instance};
use kubewhy_diagnosis::finding::Severity;
use kubewhy_diagnosis::kind::{Kind, Object};
use kubewhy_diagnosis::reader::{Reader, World};
use kubewhy_diagnosis::{PodDigest, Snapshot, Target, Triage, examine, explain, triage};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The objects of all fixtures as JSON.
fn objects() -> &'static Vec<Value> {
    static OBJECTS: OnceLock<Vec<Value>> = OnceLock::new();
    OBJECTS.get_or_init(|| {
        let scenes = Scene::all();
        let all = scenes.iter().flat_map(|scene| Kind::ALL.iter().flat_map(|kind| scene.snapshot.objects(*kind)));
        all.filter_map(|object| object.to_value().ok()).collect()
    })
}

fn targets(snapshot: &Snapshot) -> Vec<Target> {
    let kinds: BTreeSet<Kind> = snapshot.kinds().filter(|kind| *kind != Kind::Event).collect();
    kinds.into_iter().flat_map(|kind| snapshot.objects(kind)).map(target).collect()
}

fn target(object: &Object) -> Target {
    Target {
        cluster: "test".into(),
        context: None,
        kind: object.kind(),
        namespace: object.namespace().map(str::to_owned),
        name: object.name().to_owned(),
    }
}

fn answer_all(snapshot: &Snapshot) {
    let now = snapshot.newest_time().unwrap_or_else(|| "2026-11-20T10:00:00Z".parse().expect("a time"));
    for target in targets(snapshot) {
        let report = explain(snapshot, target, now);
        serde_json::to_string(&report).expect("a report is JSON");
    }
}

/// What a person may ask about besides pods and workloads, one scene of a kind.
fn scenes_of_other_kinds() -> Vec<Scene> {
    let other = |scene: &Scene| {
        let kind = scene.target().kind;
        !matches!(kind, Kind::Pod | Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job | Kind::CronJob)
    };
    Scene::all().into_iter().filter(other).collect()
}

/// Values that stand where a time, a number or a quantity belongs.
fn absurd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!("0001-01-01T00:00:00Z")),
        Just(json!("9999-12-31T23:59:59Z")),
        Just(json!("-9999-01-01T00:00:00Z")),
        Just(json!(i64::from(i32::MIN))),
        Just(json!(i64::from(i32::MAX))),
        Just(json!("-1")),
        Just(json!("99999999999999999999E")),
        Just(json!("1e-400")),
    ]
}

/// Nasty values to put anywhere.
fn nasty() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!(-1)),
        Just(json!(1e308)),
        Just(json!([])),
        Just(json!({})),
        Just(json!("")),
        Just(json!("9".repeat(400))),
        Just(json!("\u{1b}[31m\u{202e}\u{0}<@U1>`*_@everyone")),
        Just(json!(": \" ' , = / { } [ ] 0/0 nodes are available: 99999999999 x, 1 ")),
        any::<String>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
    ]
}

/// Replaces one place, chosen by `path`, with `value`.
fn mutate(target: &mut Value, path: &[usize], value: &Value) {
    let Some((first, rest)) = path.split_first() else {
        *target = value.clone();
        return;
    };
    match target {
        Value::Object(fields) if !fields.is_empty() => {
            let key = fields.keys().nth(first % fields.len()).cloned().expect("not empty");
            mutate(fields.get_mut(&key).expect("its key"), rest, value);
        }
        Value::Array(items) if !items.is_empty() => {
            let index = first % items.len();
            mutate(&mut items[index], rest, value);
        }
        _ => *target = value.clone(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn objects_with_nasty_values_are_answered(
        picks in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<usize>(), 1..9), nasty()), 1..6)
    ) {
        let mut snapshot = Snapshot::default();
        for (index, path, value) in &picks {
            let mut object = index.get(objects()).clone();
            mutate(&mut object, path, value);
            snapshot.add_value(object);
        }
        answer_all(&snapshot);
    }

    #[test]
    fn any_text_may_be_a_message_or_a_log(text in "\\PC{0,200}|(?s).{0,200}", code in 0_i32..260) {
        let reasons = ["CrashLoopBackOff", "ErrImagePull", "CreateContainerConfigError", "CreateContainerError", "RunContainerError"];
        for reason in reasons {
            let mut snapshot = Snapshot::default();
            snapshot.add_value(json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"},
                "spec": {"nodeName": "n", "containers": [{"name": "c", "image": text}]},
                "status": {"phase": "Pending", "reason": text, "message": text, "conditions": [{"type": "PodScheduled",
                    "status": "False", "reason": "Unschedulable", "message": text}], "containerStatuses": [{"name": "c", "ready": false,
                    "restartCount": 4, "image": "", "imageID": "", "state": {"waiting": {"reason": reason, "message": text}},
                    "lastState": {"terminated": {"exitCode": code, "reason": "Error", "message": text}}}]}}));
            snapshot.add_value(json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "metadata": {"name": "e", "namespace": "b"},
                "reason": "FailedMount", "message": text, "involvedObject": {"kind": "Pod", "name": "a", "namespace": "b"}}));
            snapshot.add_log("b", "a", "c", Instance::Previous, &text);
            answer_all(&snapshot);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    /// A whole scene with some places of it changed, and its own question: the rules of nodes, Services, autoscalers,
    /// clusters and custom resources get as far as they can.
    #[test]
    fn scenes_with_nasty_values_are_answered(
        which in any::<prop::sample::Index>(),
        picks in prop::collection::vec(
            (any::<prop::sample::Index>(), prop::collection::vec(any::<usize>(), 1..9), prop_oneof![nasty(), absurd()]),
            1..5,
        )
    ) {
        static SCENES: OnceLock<Vec<(Target, Snapshot, Vec<Value>)>> = OnceLock::new();
        let scenes = SCENES.get_or_init(|| {
            let with_values = |scene: Scene| {
                let kinds: BTreeSet<Kind> = scene.snapshot.kinds().collect();
                let objects = kinds.into_iter().flat_map(|kind| scene.snapshot.objects(kind));
                let values: Vec<Value> = objects.filter_map(|object| object.to_value().ok()).collect();
                (scene.target(), scene.snapshot.clone(), values)
            };
            scenes_of_other_kinds().into_iter().map(with_values).filter(|(_, _, values)| !values.is_empty()).collect()
        });
        let (target, snapshot, values) = which.get(scenes);
        let mut snapshot = snapshot.clone();
        for (index, path, value) in &picks {
            let mut object = index.get(values).clone();
            mutate(&mut object, path, value);
            snapshot.add_value(object);
        }
        for now in ["2026-11-20T10:10:00Z", "0001-01-01T00:00:00Z", "9999-12-01T00:00:00Z"] {
            let report = explain(&snapshot, target.clone(), now.parse().expect("a time"));
            serde_json::to_string(&report).expect("a report is JSON");
        }
    }
}

/// Thousands of parts in one object: an answer in seconds, and not a page for each part.
#[test]
fn objects_of_many_parts_are_answered_in_time() {
    let many = |part: &dyn Fn(usize) -> Value| (0..4_000).map(part).collect::<Vec<Value>>();
    let old = "2026-11-01T10:00:00Z";
    let labels = json!({"kubernetes.io/service-name": "web"});
    let objects = [
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "creationTimestamp": old}, "status": {"conditions":
            many(&|at| json!({"type": format!("Frequent{at}Problem"), "status": "True", "reason": "x".repeat(300), "message": "y".repeat(300)}))}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": old},
            "spec": {"selector": {"app": "web"}, "clusterIP": "10.0.0.1", "ports": many(&|at| json!({"name": format!("p{at}"), "port": at + 1, "targetPort": format!("q{at}")}))}}),
        json!({"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": {"name": "web-1", "namespace": "shop", "labels": labels},
            "addressType": "IPv4", "endpoints": many(&|at| json!({"addresses": [format!("10.1.{}.{}", at / 250, at % 250)], "conditions": {"ready": false},
                "targetRef": {"kind": "Pod", "name": format!("web-{at}"), "namespace": "shop"}}))}),
        json!({"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "site", "namespace": "shop", "creationTimestamp": old},
            "spec": {"rules": many(&|at| json!({"host": format!("h{at}.example.com"), "http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": {"service": {"name": format!("s{at}"), "port": {"number": 80}}}}]}}))}}),
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop", "creationTimestamp": old},
            "status": {"conditions": many(&|at| json!({"type": format!("Part{at}Ready"), "status": "False", "message": "z".repeat(300)}))}}),
        json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration", "metadata": {"name": "v", "creationTimestamp": old},
            "webhooks": many(&|at| json!({"name": format!("w{at}.example.com"), "failurePolicy": "Fail", "sideEffects": "None", "admissionReviewVersions": ["v1"],
                "clientConfig": {"service": {"name": format!("s{at}"), "namespace": "shop"}},
                "rules": [{"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}]}))}),
        json!({"apiVersion": "kubewhy/v1", "kind": "Cluster", "metadata": {"name": "lab"}, "readyz": {"status": 500, "body": "[-]etcd failed\n".repeat(4_000)}}),
    ];
    let mut snapshot = Snapshot::default();
    for object in objects {
        snapshot.add_value(object);
    }
    for target in targets(&snapshot) {
        let begun = std::time::Instant::now();
        let report = explain(&snapshot, target.clone(), "2026-11-20T10:00:00Z".parse().expect("a time"));
        let json = serde_json::to_string(&report).expect("JSON");
        let took = begun.elapsed().as_secs();
        assert!(took < 20, "{}: {took} s", target.name);
        assert!(json.len() < 100_000, "{}: the answer holds {} bytes", target.name, json.len());
    }
}

#[test]
fn whenever_a_rule_finds_an_error_on_a_pod_triage_has_called_it_suspect() {
    let mut checked = 0;
    for scene in Scene::all() {
        let now = scene.now();
        for object in scene.snapshot.objects(Kind::Pod) {
            let Object::Pod(pod) = object else { continue };
            let verdict = triage(&PodDigest::from(&**pod), now);
            // All answers that the rules want, until they want no more.
            let mut world = World::default();
            let findings = loop {
                let reader = Reader::new(&world, now);
                let findings = examine(&reader, Arc::clone(pod));
                let wanted = reader.wanted();
                if wanted.is_empty() {
                    break findings;
                }
                for ask in wanted {
                    let answer = scene.snapshot.answer(&ask);
                    world.insert(ask, answer);
                }
            };
            if let Some(finding) = findings.iter().find(|finding| finding.severity == Severity::Error) {
                checked += 1;
                let told = matches!(verdict, Triage::Suspect | Triage::Gone);
                assert!(told, "{}: {} on a pod that triage calls {verdict:?}", scene.path, finding.code);
            }
        }
    }
    assert!(checked > 0);
}

#[test]
fn a_digest_from_watch_bytes_is_the_digest_of_the_pod() {
    let pods = objects().iter().filter(|object| object["kind"] == "Pod");
    let mut compared = 0;
    for pod in pods {
        let Ok(Object::Pod(typed)) = Object::from_value(pod.clone()) else { continue };
        let Ok(digest) = PodDigest::from_json(pod.to_string().as_bytes()) else { continue };
        compared += 1;
        assert_eq!(digest, PodDigest::from(&*typed), "{pod}");
    }
    assert!(compared > 0);
}

#[test]
fn large_input_is_answered() {
    let mut snapshot = Snapshot::default();
    let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "cart", "namespace": "shop", "uid": "u",
        "annotations": {"note": "x".repeat(1_500_000)}}, "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "c", "ready": false, "restartCount": 9, "image": "i", "imageID": "",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1, "reason": "Error"}}}]}});
    snapshot.add_value(pod);
    for number in 0..10_000 {
        snapshot.add_value(json!({"apiVersion": "v1", "kind": "Event", "type": "Warning", "reason": "BackOff",
            "metadata": {"name": format!("e{number}"), "namespace": "shop"}, "message": "Back-off restarting failed container",
            "involvedObject": {"kind": "Pod", "name": "cart", "namespace": "shop", "uid": "u"}}));
    }
    snapshot.add_log("shop", "cart", "c", Instance::Previous, &format!("{}\n\u{0}\u{1b}[2J\n", "y".repeat(1_000_000)));
    let pod = target(snapshot.objects(Kind::Pod).next().expect("the pod"));
    let report = explain(&snapshot, pod, "2026-11-20T10:00:00Z".parse().expect("a time"));
    let json = serde_json::to_string(&report).expect("JSON");
    assert!(json.len() < 200_000, "the answer holds {} bytes", json.len());
    assert!(!json.contains("\\u001b") && !json.contains("\\u0000"));
}

#[test]
fn an_answer_of_another_shape_than_was_asked_for_is_unreadable() {
    let mut world = World::default();
    let ask = Ask::Get { kind: Kind::Secret, namespace: Some("a".into()), name: "b".into() };
    world.insert(ask, Answer::Log(Arc::from("text")));
    let reader = Reader::new(&world, "2026-11-20T10:00:00Z".parse().expect("a time"));
    let read = reader.get::<kubewhy_diagnosis::secret::Secret>(Some("a"), "b").expect("answered");
    assert!(read.found().is_none());
}
