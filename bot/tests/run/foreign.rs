//! Kinds that only the cluster knows, asked about at the desk: found by its discovery, read as they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube::Client;
use kubewhy::desk::{Asked, Desk, Outcome, Served, Whereabouts};
use kubewhy::source::{Clock, Source};
use kubewhy_chat::{Input, Message, Tone};
use kubewhy_core::access::{ClusterScope, Grant, Namespaces};
use kubewhy_core::commands::Capabilities;
use kubewhy_kubernetes::Cluster;
use kubewhy_sandbox::Sandbox;
use serde_json::{Value, json};

fn definition(plural: &str, kind: &str, scope: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.example.com")},
        "spec": {
            "group": "example.com", "scope": scope,
            "names": {"plural": plural, "singular": kind.to_lowercase(), "kind": kind, "listKind": format!("{kind}List"), "shortNames": [plural.get(..2).expect("two letters")]},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object"}}}],
        },
    })
}

fn custom(kind: &str, namespace: Option<&str>, name: &str, ready: &str) -> Value {
    json!({
        "apiVersion": "example.com/v1", "kind": kind,
        "metadata": {"name": name, "namespace": namespace, "creationTimestamp": "2026-11-20T09:00:00Z"},
        "status": {"conditions": [{"type": "Ready", "status": ready, "reason": "BackendGone", "message": "the backend says: no such bucket",
            "lastTransitionTime": "2026-11-20T09:00:00Z"}]},
    })
}

fn desk() -> Desk {
    let runtime = Arc::new(tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime"));
    let clock = kubewhy_sandbox::Clock::fixed("2026-11-20T10:00:00Z".parse().expect("a time"));
    let sandbox = Sandbox::new(clock.clone());
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "worker-1"}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "cart", "namespace": "shop"}, "spec": {"type": "ExternalName", "externalName": "cart.example.com"}}),
        definition("widgets", "Widget", "Namespaced"),
        definition("regions", "Region", "Cluster"),
    ];
    for object in objects {
        sandbox.put(object).expect("it is served");
    }
    for object in [
        custom("Widget", Some("shop"), "assets", "False"),
        custom("Widget", Some("shop"), "well", "True"),
        custom("Region", None, "north", "False"),
    ] {
        sandbox.put(object).expect("it is served");
    }
    let client = {
        let _guard = runtime.enter();
        Client::new(sandbox.service(), "default")
    };
    let cluster = Cluster::new(client, "demo");
    let source = Source::Cluster { cluster, runtime, clock: Clock::new(move || clock.now()) };
    Desk::new(Served { source, context: None }, Capabilities::chat())
}

fn asked(desk: &Desk, line: &str, grant: &Grant) -> Message {
    let asked = Asked { about: None, place: Whereabouts::Open, grant };
    match desk.answer(&Input::Line(line.to_owned()), &asked) {
        Outcome::Reply(answered) => answered.reply.message,
        other => panic!("{line}: {other:?}"),
    }
}

fn everything(desk: &Desk, line: &str) -> Message {
    asked(desk, line, &desk.everything())
}

#[test]
fn a_custom_resource_is_asked_about_by_every_word_that_kubectl_takes() {
    let desk = desk();
    for words in [
        "widget assets -n shop",
        "widgets assets",
        "wi assets in shop",
        "Widget/assets -n shop",
        "widgets.example.com assets -n shop",
        "widget.v1.example.com assets",
        "widgets.example.com/assets",
        "kubectl get widget assets -n shop",
    ] {
        let line = if words.starts_with("kubectl") { words.to_owned() } else { format!("why {words}") };
        let told = format!("{:?}", everything(&desk, &line));
        assert!(told.contains("BackendGone") && told.contains("no such bucket"), "{line}: {told}");
    }
    let well = everything(&desk, "why widget well -n shop");
    assert!(format!("{well:?}").contains("Ready is True"), "{well:?}");
    let near = everything(&desk, "why widget asets -n shop");
    assert!(near.tone == Tone::Refused && format!("{near:?}").contains("assets"), "{near:?}");
}

#[test]
fn a_word_that_no_cluster_knows_is_refused_with_the_nearest_kinds() {
    let desk = desk();
    let refused = everything(&desk, "why widgt assets");
    assert_eq!(refused.tone, Tone::Refused);
    let told = format!("{refused:?}");
    assert!(told.contains("no kind that is known") && told.contains("why widget.example.com assets"), "{told}");
}

#[test]
fn what_lives_in_no_namespace_is_for_those_who_may_ask_about_all_of_them() {
    let desk = desk();
    let only: BTreeSet<String> = ["shop".to_owned()].into();
    let scope = ClusterScope { name: "demo".to_owned(), namespaces: Namespaces::Only(only) };
    let narrow = Grant { clusters: vec![scope], no_logs: None };
    for line in ["why node worker-1", "why region north", "why cluster", "why pv pvc-1", "why crd widgets.example.com"]
    {
        let refused = asked(&desk, line, &narrow);
        let told = format!("{refused:?}");
        assert!(refused.tone == Tone::Refused && told.contains("belongs to no namespace"), "{line}: {told}");
        let answered = everything(&desk, line);
        assert!(!format!("{answered:?}").contains("belongs to no namespace"), "{line}: {answered:?}");
    }
    for line in ["why widget assets", "why svc cart", "why ns shop", "why widget assets -n shop"] {
        let told = format!("{:?}", asked(&desk, line, &narrow));
        assert!(!told.contains("belongs to no namespace") && !told.contains("not found"), "{line}: {told}");
    }
    let bare = asked(&desk, "why worker-1", &narrow);
    assert!(format!("{bare:?}").contains("not found"), "a bare name finds no node: {bare:?}");
    assert!(!format!("{:?}", everything(&desk, "why worker-1")).contains("not found"));
}
