//! `recorded.json` holds objects as they were sent to a 1.34 server and as it kept them.

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::disturbed::disturbed;
use crate::resources::Registry;

#[derive(Deserialize)]
struct Recorded {
    group: String,
    version: String,
    plural: String,
    sent: Value,
    kept: Value,
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("recorded.json")).expect("recorded objects")
}

/// Leaves out what a server gives by lot, by time, or as a finalizer that a controller would have to take away.
fn comparable(mut object: Value) -> Value {
    drop_nulls(&mut object);
    for (part, field) in
        [("metadata", "finalizers"), ("metadata", "annotations"), ("status", "lastPhaseTransitionTime")]
    {
        object[part].as_object_mut().map(|part| part.remove(field));
    }
    if object["kind"] == "Service" {
        for port in object["spec"]["ports"].as_array_mut().into_iter().flatten() {
            port.as_object_mut().map(|port| port.remove("nodePort"));
        }
        if object["spec"]["clusterIP"].as_str().is_some_and(|address| address.starts_with("10.96.")) {
            object["spec"]["clusterIP"] = json!("some");
            object["spec"]["clusterIPs"] = json!(["some"]);
        }
    }
    drop_nulls(&mut object);
    object
}

#[test]
fn objects_are_filled_as_the_server_fills_them() {
    let registry = Registry::builtin();
    for Recorded { group, version, plural, sent, kept } in recorded() {
        let resource = registry.find(&group, &version, &plural).expect("known");
        let mut object = sent.clone();
        object["apiVersion"] = json!(resource.api_version());
        object["kind"] = json!(resource.kind);
        for field in ["namespace", "uid", "creationTimestamp", "generation"] {
            object["metadata"][field] = kept["metadata"][field].clone();
        }
        fill(&resource, &mut object);
        assert_eq!(comparable(object), comparable(kept), "{} of {sent}", resource.group_resource());
    }
}

#[test]
fn filling_twice_changes_nothing() {
    let registry = Registry::builtin();
    for Recorded { group, version, plural, sent, .. } in recorded() {
        let resource = registry.find(&group, &version, &plural).expect("known");
        let mut once = sent;
        fill(&resource, &mut once);
        let mut twice = once.clone();
        fill(&resource, &mut twice);
        assert_eq!(once, twice, "{}", resource.group_resource());
    }
}

#[test]
fn a_service_gets_an_address_and_node_ports_from_their_ranges() {
    let services = Registry::builtin().find("", "v1", "services").expect("services");
    let mut service =
        json!({"metadata": {"name": "a"}, "spec": {"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}});
    fill(&services, &mut service);
    assert!(service["spec"]["clusterIP"].as_str().expect("address").starts_with("10.96."), "{service}");
    assert_eq!(service["spec"]["clusterIPs"][0], service["spec"]["clusterIP"]);
    let ports: Vec<i64> =
        (0..2).map(|place| service["spec"]["ports"][place]["nodePort"].as_i64().expect("port")).collect();
    assert!(ports.iter().all(|port| (30_000..=32_767).contains(port)) && ports[0] != ports[1], "{ports:?}");
}

#[test]
fn a_definition_is_established_at_once() {
    let definitions =
        Registry::builtin().find("apiextensions.k8s.io", "v1", "customresourcedefinitions").expect("definitions");
    let mut definition = json!({
        "metadata": {"name": "ws.e.org", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"group": "e.org", "names": {"kind": "W", "plural": "ws"}, "scope": "Cluster",
            "versions": [{"name": "v1", "served": true, "storage": true}]},
    });
    fill(&definitions, &mut definition);
    let names = json!({"kind": "W", "plural": "ws", "singular": "w", "listKind": "WList"});
    assert_eq!(definition["status"]["acceptedNames"], names);
    assert_eq!(definition["status"]["storedVersions"], json!(["v1"]));
    assert_eq!(definition["status"]["conditions"][1]["type"], "Established");
}

#[test]
fn custom_resources_keep_their_nulls() {
    let mut registry = Registry::builtin();
    registry.learn(&json!({"spec": {"group": "e.org", "scope": "Cluster", "names": {"kind": "W", "plural": "ws"},
        "versions": [{"name": "v1", "served": true}]}}));
    let mut custom = json!({"spec": {"a": null}});
    fill(&registry.find("e.org", "v1", "ws").expect("learnt"), &mut custom);
    assert_eq!(custom, json!({"spec": {"a": null}}));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn no_object_panics(
        start in 0_usize..5,
        noise in prop::collection::vec(prop_oneof![
            Just(Value::Null), any::<i64>().prop_map(Value::from), "\\PC{0,8}".prop_map(Value::from),
            Just(json!([])), Just(json!({})), Just(json!([[]])), Just(json!([{}])),
        ], 1..12),
    ) {
        let registry = Registry::builtin();
        for Recorded { sent, kept, .. } in recorded() {
            for resource in registry.resources() {
                fill(resource, &mut disturbed(&sent, &noise, &mut start.clone()));
            }
            let resource = registry.by_kind(kept["apiVersion"].as_str().expect("version"), kept["kind"].as_str().expect("kind"));
            fill(&resource.expect("known"), &mut disturbed(&kept, &noise, &mut start.clone()));
        }
    }
}
