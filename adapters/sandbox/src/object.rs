//! Reading and writing the fields of an object that every kind has.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The string at a JSON pointer, or an empty one: an absent field and an empty one are the same to an API server.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer.
pub(crate) fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

/// The elements of the array at a JSON pointer.
pub(crate) fn elements<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    object.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A field of `metadata` as a string.
pub(crate) fn meta<'a>(object: &'a Value, field: &str) -> &'a str {
    object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_str).unwrap_or_default()
}

/// The entries of a map in the metadata, such as the labels.
pub(crate) fn metadata_map<'a>(object: &'a Value, field: &str) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let map = object.get("metadata").and_then(|metadata| metadata.get(field)).and_then(Value::as_object);
    map.into_iter().flatten()
}

/// Whether somebody asked for the object's deletion.
pub(crate) fn is_deleting(object: &Value) -> bool {
    !meta(object, "deletionTimestamp").is_empty()
}

/// The finalizers, without entries that are no strings.
pub(crate) fn finalizers(object: &Value) -> Vec<&str> {
    elements(object, "/metadata/finalizers").iter().filter_map(Value::as_str).collect()
}

/// The `metadata` of an object, made where it lacks; what is no object becomes one.
pub(crate) fn metadata_mut(object: &mut Value) -> &mut Map<String, Value> {
    as_map(field_mut(object, "metadata"))
}

/// A field of an object, null where it lacked; what is no object becomes one.
pub(crate) fn field_mut<'a>(object: &'a mut Value, field: &str) -> &'a mut Value {
    as_map(object).entry(field).or_insert(Value::Null)
}

/// The fields of a value; what is no object becomes an empty one.
pub(crate) fn as_map(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("made an object above"),
    }
}

/// Sets or, when empty, removes a field of `metadata`.
pub(crate) fn set_meta(object: &mut Value, field: &str, value: impl Into<Value>) {
    let value = value.into();
    let metadata = metadata_mut(object);
    if value == Value::Null || value.as_str() == Some("") || value.as_array().is_some_and(Vec::is_empty) {
        metadata.remove(field);
    } else {
        metadata.insert(field.to_owned(), value);
    }
}

/// Takes a field over from another object, its absence included.
pub(crate) fn take_over(object: &mut Value, field: &str, from: &Value) {
    let fields = as_map(object);
    match from.get(field) {
        Some(value) => drop(fields.insert(field.to_owned(), value.clone())),
        None => drop(fields.remove(field)),
    }
}

/// Takes a field of `metadata` over from another object, its absence included.
pub(crate) fn take_over_meta(object: &mut Value, field: &str, from: &Value) {
    let value = from.get("metadata").and_then(|metadata| metadata.get(field)).cloned();
    set_meta(object, field, value.unwrap_or(Value::Null));
}

/// A time as `metadata` has it: whole seconds, UTC.
pub(crate) fn stamp(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The object with another resource version, for events whose version is not that of the object's last state.
pub(crate) fn with_revision(object: &Arc<Value>, revision: u64) -> Arc<Value> {
    let mut changed = Value::clone(object);
    set_meta(&mut changed, "resourceVersion", revision.to_string());
    Arc::new(changed)
}

/// The quality-of-service class that follows from a pod's requests and limits.
pub(crate) fn qos_class(pod: &Value) -> &'static str {
    let containers = elements(pod, "/spec/containers").iter().chain(elements(pod, "/spec/initContainers"));
    let (mut any, mut all) = (false, true);
    for container in containers {
        for resource in ["cpu", "memory"] {
            let request = container.pointer(&format!("/resources/requests/{resource}"));
            let limit = container.pointer(&format!("/resources/limits/{resource}"));
            any |= request.is_some() || limit.is_some();
            // A request that is not given is the limit.
            all &= limit.is_some() && (request.is_none() || request == limit);
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
