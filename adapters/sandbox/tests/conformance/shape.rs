//! The comparable form of an answer: what two servers must have in common, without versions, ids and times.

use std::sync::LazyLock;

use http::{header, response::Parts};
use regex::Regex;
use serde_json::{Map, Value, json};

use crate::suite::{Message, Step};

static UUID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}").expect("the pattern is a constant")
});
static TIME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)").expect("the pattern is a constant")
});
static AGO: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\(\w+ ago\)").expect("the pattern is a constant"));
static VERSIONS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b\d+ \(\d+\)|(precondition|record) \(\d+\)|current: \d+").expect("the pattern is a constant")
});

/// Columns whose cells are as old as the run.
const AGES: [&str; 4] = ["Age", "Last Seen", "First Seen", "Duration"];

/// The comparable form of one answer.
pub(crate) fn answer(parts: &Parts, body: &[u8], step: &Step) -> Value {
    let mut form = Map::new();
    form.insert("code".to_owned(), json!(parts.status.as_u16()));
    if let Some(media) = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) {
        let media = media.split(';').next().unwrap_or_default().trim();
        form.insert("type".to_owned(), json!(media));
    }
    if let Some(after) = parts.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()) {
        form.insert("retryAfter".to_owned(), json!(after));
    }
    let text = String::from_utf8_lossy(body);
    if let Some(events) = events(&text, step).filter(|_| parts.status.is_success()) {
        form.insert("events".to_owned(), events);
    } else if let Ok(value) = serde_json::from_slice::<Value>(body) {
        form.insert("body".to_owned(), value_form(&value, step));
    } else {
        form.insert("text".to_owned(), json!(text));
    }
    Value::Object(form)
}

/// The events of a watch; nothing where the answer is no stream of them.
fn events(text: &str, step: &Step) -> Option<Value> {
    if !step.send.contains("watch=") && !step.send.contains("/watch/") {
        return None;
    }
    let mut events = text.lines().map(|line| event(line, step)).collect::<Option<Vec<_>>>()?;
    // How often a bookmark comes is the server's choice.
    events.dedup_by(|later, earlier| {
        later["type"] == "BOOKMARK"
            && earlier["type"] == "BOOKMARK"
            && later.pointer("/object/metadata/annotations").is_none()
    });
    Some(Value::Array(events))
}

fn event(line: &str, step: &Step) -> Option<Value> {
    let event = serde_json::from_str::<Value>(line).ok()?;
    let (kind, object) = (event.get("type")?, event.get("object")?);
    Some(json!({ "type": kind, "object": value_form(object, step) }))
}

fn value_form(value: &Value, step: &Step) -> Value {
    let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
    let mut form = Map::new();
    for field in ["kind", "apiVersion"] {
        if let Some(found) = value.get(field) {
            form.insert(field.to_owned(), found.clone());
        }
    }
    if kind == "Status" {
        status(value, step, &mut form);
        return Value::Object(form);
    }
    if kind == "Table" {
        table(value, &mut form);
    } else if let Some(items) = value.get("items").and_then(Value::as_array) {
        form.insert("metadata".to_owned(), list_metadata(value));
        form.insert("items".to_owned(), offered(items.iter().map(name_of).collect(), step));
    } else if let Some(metadata) = value.get("metadata").and_then(Value::as_object) {
        form.insert("metadata".to_owned(), object_metadata(metadata));
        // What a review says of somebody depends on who asks.
        if !kind.ends_with("Review") {
            form.insert("content".to_owned(), content(kind, value));
        }
    }
    let fields: Map<String, Value> =
        step.compare.iter().map(|pointer| (pointer.clone(), offered(select(value, pointer), step))).collect();
    if !fields.is_empty() {
        form.insert("fields".to_owned(), Value::Object(fields));
    }
    Value::Object(form)
}

/// Everything of an object but what it is and its metadata.
fn content(kind: &str, value: &Value) -> Value {
    let fields = value.as_object().into_iter().flatten();
    let fields = fields.filter(|(field, _)| !matches!(field.as_str(), "kind" | "apiVersion" | "metadata"));
    let mut content: Value = fields.map(|(field, value)| (field.clone(), value.clone())).collect();
    if let Some(spec) = content.get_mut("spec").and_then(Value::as_object_mut).filter(|_| kind == "Pod") {
        // The plugin that sets the account also wants it to exist, and is switched off on the real server.
        for field in ["serviceAccount", "serviceAccountName"] {
            if spec.get(field).is_some_and(|account| account == "default") {
                spec.remove(field);
            }
        }
    }
    content
}

fn status(value: &Value, step: &Step, form: &mut Map<String, Value>) {
    for field in ["status", "reason", "code", "details"] {
        if let Some(found) = value.get(field) {
            form.insert(field.to_owned(), found.clone());
        }
    }
    if let Some(metadata) = value.get("metadata").and_then(Value::as_object).filter(|metadata| !metadata.is_empty()) {
        form.insert("metadata".to_owned(), metadata.keys().map(|field| json!(field)).collect());
    }
    if step.message == Message::Exact {
        form.insert("message".to_owned(), value.get("message").cloned().unwrap_or(Value::Null));
    } else if let Some(causes) = form.get_mut("details").and_then(|details| details.get_mut("causes")) {
        for cause in causes.as_array_mut().into_iter().flatten() {
            cause.as_object_mut().map(|cause| cause.remove("message"));
        }
    }
}

fn name_of(item: &Value) -> Value {
    item.pointer("/metadata/name").or_else(|| item.get("name")).cloned().unwrap_or(Value::Null)
}

fn list_metadata(value: &Value) -> Value {
    let mut form = Map::new();
    for (field, found) in value.get("metadata").and_then(Value::as_object).into_iter().flatten() {
        let found = match field.as_str() {
            "remainingItemCount" => found.clone(),
            _ if found == "" => continue,
            _ => json!("<set>"),
        };
        form.insert(field.clone(), found);
    }
    Value::Object(form)
}

fn object_metadata(metadata: &Map<String, Value>) -> Value {
    let mut form = Map::new();
    for (field, found) in metadata {
        let found = match field.as_str() {
            "managedFields" => continue,
            "uid" | "resourceVersion" | "creationTimestamp" | "deletionTimestamp" if !found.is_null() => json!("<set>"),
            _ => found.clone(),
        };
        form.insert(field.clone(), found);
    }
    Value::Object(form)
}

fn table(value: &Value, form: &mut Map<String, Value>) {
    let columns = value.get("columnDefinitions").and_then(Value::as_array).cloned().unwrap_or_default();
    let names: Vec<&str> = columns.iter().filter_map(|column| column.get("name")?.as_str()).collect();
    let rows = value.get("rows").and_then(Value::as_array).cloned().unwrap_or_default();
    let rows: Vec<Value> = rows
        .iter()
        .map(|row| {
            let cells = row.get("cells").and_then(Value::as_array).cloned().unwrap_or_default();
            let cells: Vec<Value> = cells
                .into_iter()
                .zip(&names)
                .map(|(cell, name)| if AGES.contains(name) { json!("<age>") } else { cell })
                .collect();
            let object = row.get("object").unwrap_or(&Value::Null);
            json!({ "cells": cells, "object": object.get("kind"), "name": name_of(object) })
        })
        .collect();
    let columns: Vec<Value> = columns
        .iter()
        .map(|column| json!([column.get("name"), column.get("type"), column.get("format"), column.get("priority")]))
        .collect();
    form.insert("metadata".to_owned(), list_metadata(value));
    form.insert("columns".to_owned(), json!(columns));
    form.insert("rows".to_owned(), json!(rows));
}

/// The value at a JSON pointer; a `*` stands for every element and makes an array of what follows.
fn select(value: &Value, pointer: &str) -> Value {
    let mut segments = pointer.trim_start_matches('/').splitn(2, '/');
    let Some(first) = segments.next().filter(|first| !first.is_empty()) else {
        return value.clone();
    };
    let rest = segments.next().unwrap_or_default();
    if first == "*" {
        let all = value.as_array().into_iter().flatten().chain(value.as_object().into_iter().flat_map(Map::values));
        return all.map(|element| select(element, rest)).collect();
    }
    let first = first.replace("~1", "/").replace("~0", "~");
    let next = match value {
        Value::Array(elements) => first.parse::<usize>().ok().and_then(|index| elements.get(index)),
        _ => value.get(&first),
    };
    next.map_or(Value::Null, |next| select(next, rest))
}

/// A discovery document without the hashes of how the real server stores what it offers, and without the groups that
/// other areas define meanwhile.
fn offered(value: Value, step: &Step) -> Value {
    let passing = |element: &Value| step.subset && element.to_string().contains(".example.org");
    match value {
        Value::Array(elements) => {
            elements.into_iter().filter(|element| !passing(element)).map(|element| offered(element, step)).collect()
        }
        Value::Object(mut fields) => {
            fields.remove("storageVersionHash");
            Value::Object(fields)
        }
        other => other,
    }
}

/// The form with what differs from run to run replaced: the run's name, ids, times, versions.
pub(crate) fn masked(form: Value, step: &Step, run: &str) -> Value {
    let prefix = step.body.as_ref().and_then(|body| body.pointer("/metadata/generateName")).and_then(Value::as_str);
    let random = prefix.map(|prefix| {
        let pattern = format!("{}[bcdfghjklmnpqrstvwxz2456789]{{5}}", regex::escape(prefix));
        (Regex::new(&pattern).expect("an escaped prefix is a pattern"), format!("{prefix}<random>"))
    });
    walk(form, &|text| {
        let mut text = text.replace(run, "RUN");
        if let Some((pattern, replacement)) = &random {
            text = pattern.replace_all(&text, replacement).into_owned();
        }
        let text = UUID.replace_all(&text, "<uid>");
        let text = TIME.replace_all(&text, "<time>");
        let text = AGO.replace_all(&text, "(<age> ago)");
        VERSIONS.replace_all(&text, "<version>").into_owned()
    })
}

fn walk(form: Value, mask: &impl Fn(&str) -> String) -> Value {
    match form {
        Value::String(text) => Value::String(mask(&text)),
        Value::Array(elements) => elements.into_iter().map(|element| walk(element, mask)).collect(),
        Value::Object(fields) => fields.into_iter().map(|(name, value)| (mask(&name), walk(value, mask))).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(text: &str) -> Step {
        serde_saphyr::from_str(text).expect("a step")
    }

    #[test]
    fn pointers_select_and_stars_spread() {
        let object = json!({"spec": {"containers": [{"name": "a", "image": "i"}, {"name": "b"}]}, "a/b": 1});
        assert_eq!(select(&object, "/spec/containers/*/name"), json!(["a", "b"]));
        assert_eq!(select(&object, "/spec/containers/*/image"), json!(["i", null]));
        assert_eq!(select(&object, "/spec/containers/1/name"), json!("b"));
        assert_eq!(select(&object, "/a~1b"), json!(1));
        assert_eq!(select(&object, "/spec/none/deeper"), Value::Null);
    }

    #[test]
    fn ids_times_versions_and_generated_names_are_masked_and_nothing_else() {
        let step = step("{name: n, behaviour: b, send: POST /x, body: {metadata: {generateName: gen-}}}");
        let form = json!({
            "name": "gen-x7k2q",
            "kept": "gen-other",
            "message": "too old resource version: 1 (45) at 2024-01-01T00:00:00Z of 01234567-89ab-cdef-0123-456789abcdef in conf-a-r1",
            "code": 410,
        });
        assert_eq!(
            masked(form, &step, "r1"),
            json!({
                "name": "gen-<random>",
                "kept": "gen-other",
                "message": "too old resource version: <version> at <time> of <uid> in conf-a-RUN",
                "code": 410,
            })
        );
    }

    #[test]
    fn a_watch_is_a_sequence_of_events_and_a_refusal_is_none() {
        let step = step("{name: n, behaviour: b, send: GET /x?watch=true}");
        let lines = concat!(
            r#"{"type":"ADDED","object":{"kind":"Pod","metadata":{"name":"a"}}}"#,
            "\n",
            r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"7"}}}"#,
            "\n",
            r#"{"type":"BOOKMARK","object":{"kind":"Pod","metadata":{"resourceVersion":"8"}}}"#,
            "\n",
        );
        let events = events(lines, &step).expect("events");
        let kinds: Vec<_> = events.as_array().expect("a list").iter().map(|event| event["type"].clone()).collect();
        assert_eq!(kinds, ["ADDED", "BOOKMARK"], "a repeated bookmark says nothing");
        assert!(super::events(r#"{"kind":"Status","code":400}"#, &step).is_none());
    }
}
