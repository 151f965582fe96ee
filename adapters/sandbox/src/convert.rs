//! Between the versions of a resource: one is kept, the others are made from it when asked for.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::object::{as_map, text};
use crate::resources::Resource;

/// The fields of an Event that have another name in `events.k8s.io/v1` (right) than in `v1` (left).
const EVENT_FIELDS: [(&str, &str); 7] = [
    ("involvedObject", "regarding"),
    ("message", "note"),
    ("source", "deprecatedSource"),
    ("firstTimestamp", "deprecatedFirstTimestamp"),
    ("lastTimestamp", "deprecatedLastTimestamp"),
    ("count", "deprecatedCount"),
    ("reportingComponent", "reportingController"),
];

/// The object in the version that is kept.
pub(crate) fn to_storage(resource: &Resource, mut object: Value) -> Value {
    if is_event(resource) && text(&object, "/apiVersion") == "events.k8s.io/v1" {
        rename(&mut object, EVENT_FIELDS.map(|(old, new)| (new, old)));
        set_version(&mut object, "v1");
    }
    if is_autoscaler(resource) && text(&object, "/apiVersion") == "autoscaling/v1" {
        cpu_target_to_metric(&mut object);
        set_version(&mut object, "autoscaling/v2");
    }
    object
}

/// The object in the version of this resource; the same one where that is the version it is kept in.
pub(crate) fn to_version(resource: &Resource, object: &Arc<Value>) -> Arc<Value> {
    let wanted = resource.api_version();
    if text(object, "/apiVersion") == wanted {
        return object.clone();
    }
    let mut converted = Value::clone(object);
    if is_event(resource) && resource.group == "events.k8s.io" {
        rename(&mut converted, EVENT_FIELDS);
        // The newer group leaves out what the older one shows empty.
        as_map(&mut converted)
            .retain(|field, value| !(field.starts_with("reporting") && value.as_str().is_some_and(str::is_empty)));
    }
    if is_autoscaler(resource) && resource.version == "v1" {
        cpu_metric_to_target(&mut converted);
    }
    set_version(&mut converted, &wanted);
    as_map(&mut converted).insert("kind".to_owned(), resource.kind.as_ref().into());
    Arc::new(converted)
}

fn is_event(resource: &Resource) -> bool {
    resource.kind == "Event" && resource.custom.is_none()
}

fn is_autoscaler(resource: &Resource) -> bool {
    resource.kind == "HorizontalPodAutoscaler" && resource.custom.is_none()
}

fn set_version(object: &mut Value, version: &str) {
    as_map(object).insert("apiVersion".to_owned(), version.into());
}

fn rename<const N: usize>(object: &mut Value, fields: [(&str, &str); N]) {
    let map = as_map(object);
    for (from, to) in fields {
        if let Some(value) = map.remove(from) {
            map.insert(to.to_owned(), value);
        }
    }
}

/// `v1` knows one target, the processor's; `v2` has it among its metrics.
fn cpu_target_to_metric(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let Some(target) = spec.remove("targetCPUUtilizationPercentage") else { return };
    let target = json!({"type": "Utilization", "averageUtilization": target});
    spec.insert("metrics".to_owned(), json!([{"type": "Resource", "resource": {"name": "cpu", "target": target}}]));
}

fn cpu_metric_to_target(object: &mut Value) {
    let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) else { return };
    spec.remove("behavior");
    if let Some(target) = spec.remove("metrics").as_ref().and_then(|metrics| cpu_number(metrics, "target")) {
        spec.insert("targetCPUUtilizationPercentage".to_owned(), target);
    }
    let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) else { return };
    status.remove("conditions");
    status.entry("currentReplicas").or_insert_with(|| 0.into());
    if let Some(current) = status.remove("currentMetrics").as_ref().and_then(|metrics| cpu_number(metrics, "current")) {
        status.insert("currentCPUUtilizationPercentage".to_owned(), current);
    }
}

fn cpu_number(metrics: &Value, field: &str) -> Option<Value> {
    let cpu = metrics.as_array()?.iter().find(|metric| text(metric, "/resource/name") == "cpu")?;
    let numbers: &Map<String, Value> = cpu.get("resource")?.get(field)?.as_object()?;
    numbers.get("averageUtilization").cloned()
}
