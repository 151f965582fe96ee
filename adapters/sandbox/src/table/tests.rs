//! `recorded.json` holds objects of a 1.34 server and the rows that it printed for them.

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
    now: Timestamp,
    columns: Vec<(String, String, String, u8)>,
    rows: Vec<RecordedRow>,
}

#[derive(Deserialize)]
struct RecordedRow {
    cells: Vec<Value>,
    conditions: Value,
    object: Value,
}

fn registry() -> Registry {
    let mut registry = Registry::builtin();
    let column = |name: &str, kind: &str, path: &str, priority: u8| json!({"name": name, "type": kind, "jsonPath": path, "priority": priority});
    registry.learn(&json!({"spec": {"group": "wire.example.org", "scope": "Namespaced",
    "names": {"kind": "Widget", "plural": "widgets"},
    "versions": [{"name": "v1", "served": true, "additionalPrinterColumns": [
        column("Phase", "string", ".status.phase", 0),
        column("Replicas", "integer", ".spec.replicas", 0),
        column("Ready", "string", ".status.conditions[?(@.type==\"Ready\")].status", 0),
        column("First", "string", ".spec.items[0].name", 1),
        column("All", "string", ".spec.items[*].name", 1),
        column("Since", "date", ".status.since", 0),
        column("Active", "boolean", ".spec.active", 0),
        column("Share", "number", ".spec.share", 0),
        column("Map", "string", ".spec.map", 0),
        column("Age", "date", ".metadata.creationTimestamp", 0),
    ]}]}}));
    registry
}

fn recorded() -> Vec<Recorded> {
    serde_json::from_str(include_str!("recorded.json")).expect("recorded tables")
}

#[test]
fn every_recorded_row_is_printed_as_the_server_printed_it() {
    let registry = registry();
    let mut rows = 0;
    for recorded in recorded() {
        let resource = registry.find(&recorded.group, &recorded.version, &recorded.plural).expect("known");
        let objects: Vec<Arc<Value>> = recorded.rows.iter().map(|row| Arc::new(row.object.clone())).collect();
        let table = table(&resource, &objects, json!({}), Include::None, recorded.now);
        let columns: Vec<Value> = recorded
            .columns
            .iter()
            .map(|(name, kind, format, priority)| json!([name, kind, format, priority]))
            .collect();
        let printed: Vec<Value> = table["columnDefinitions"]
            .as_array()
            .expect("columns")
            .iter()
            .map(|one| json!([one["name"], one["type"], one["format"], one["priority"]]))
            .collect();
        assert_eq!(printed, columns, "columns of {}", resource.group_resource());
        for (row, printed) in recorded.rows.iter().zip(table["rows"].as_array().expect("rows")) {
            let name = &row.object["metadata"]["name"];
            assert_eq!(printed["cells"], json!(row.cells), "{} {name}", resource.group_resource());
            assert_eq!(printed["conditions"], row.conditions, "{} {name}", resource.group_resource());
            assert_eq!(printed["object"], Value::Null);
            rows += 1;
        }
    }
    assert!(rows > 120, "only {rows} rows were compared");
}

#[test]
fn a_row_carries_as_much_of_its_object_as_is_asked_for() {
    let pods = Registry::builtin().find("", "v1", "pods").expect("pods");
    let pod = Arc::new(json!({"kind": "Pod", "metadata": {"name": "a", "labels": {"x": "y"}}, "spec": {}}));
    let row = |include| {
        table(&pods, &[Arc::clone(&pod)], json!({}), include, Timestamp::UNIX_EPOCH)["rows"][0]["object"].clone()
    };
    assert_eq!(row(Include::None), Value::Null);
    assert_eq!(row(Include::Object), *pod);
    assert_eq!(
        row(Include::Metadata),
        json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a", "labels": {"x": "y"}}})
    );
    assert_eq!(Include::parse(""), Ok(Include::Metadata));
    assert_eq!(Include::parse("All").expect_err("unknown").code, 400);
}

#[test]
fn the_metadata_of_the_list_is_passed_on() {
    let pods = Registry::builtin().find("", "v1", "pods").expect("pods");
    let metadata = json!({"resourceVersion": "7", "continue": "next", "remainingItemCount": 3});
    let table = table(&pods, &[], metadata.clone(), Include::Metadata, Timestamp::UNIX_EPOCH);
    assert_eq!(table["metadata"], metadata);
    assert_eq!(table["rows"], json!([]));
}

#[test]
fn a_custom_resource_without_columns_has_a_name_and_an_age() {
    let mut registry = Registry::builtin();
    registry.learn(
        &json!({"spec": {"group": "example.org", "scope": "Cluster", "names": {"kind": "Bare", "plural": "bares"},
        "versions": [{"name": "v1", "served": true}]}}),
    );
    let bares = registry.find("example.org", "v1", "bares").expect("learnt");
    let bare = json!({"metadata": {"name": "a", "creationTimestamp": "1970-01-01T00:00:00Z"}});
    let now = Timestamp::from_second(3600).expect("in range");
    let table = table(&bares, &[Arc::new(bare)], json!({}), Include::None, now);
    assert_eq!(table["rows"][0]["cells"], json!(["a", "60m"]));
    assert_eq!(table["columnDefinitions"][1]["name"], "Age");
}

#[test]
fn an_autoscaler_of_version_1_shows_its_cpu() {
    let autoscalers = Registry::builtin().find("autoscaling", "v1", "horizontalpodautoscalers").expect("autoscalers");
    let autoscaler = json!({
        "metadata": {"name": "a"}, "status": {"currentCPUUtilizationPercentage": 12},
        "spec": {"maxReplicas": 3, "targetCPUUtilizationPercentage": 80, "scaleTargetRef": {"kind": "Deployment", "name": "web"}},
    });
    let table = table(&autoscalers, &[Arc::new(autoscaler)], json!({}), Include::None, Timestamp::UNIX_EPOCH);
    assert_eq!(table["rows"][0]["cells"], json!(["a", "Deployment/web", "cpu: 12%/80%", "<unset>", 3, 0, "<unknown>"]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_object_panics(
        noise in prop::collection::vec(prop_oneof![
            Just(Value::Null), any::<i64>().prop_map(Value::from), any::<bool>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from), Just(json!([])), Just(json!({})), Just(json!([{"name": -1}])),
        ], 1..20),
        path in "[.\\[\\]?(@='a*)0-9\\\\-]{0,24}",
    ) {
        let mut registry = registry();
        registry.learn(&json!({"spec": {"group": "example.org", "scope": "Cluster", "names": {"kind": "Odd", "plural": "odds"},
            "versions": [{"name": "v1", "served": true, "additionalPrinterColumns": [{"name": "A", "type": "date", "jsonPath": path}]}]}}));
        let odds = registry.find("example.org", "v1", "odds").expect("learnt");
        for recorded in recorded() {
            let resource = registry.find(&recorded.group, &recorded.version, &recorded.plural).expect("known");
            for row in recorded.rows.iter().take(4) {
                let object = Arc::new(disturbed(&row.object, &noise, &mut noise.len()));
                for resource in [&resource, &odds] {
                    table(resource, &[Arc::clone(&object)], json!({}), Include::Metadata, recorded.now);
                }
            }
        }
    }
}
