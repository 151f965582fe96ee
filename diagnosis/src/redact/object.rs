//! Trees of JSON and objects of a cluster.

use serde_json::Value;

use super::name::{Promise, promise};
use super::value::{is_credential, is_path, is_placeholder};
use super::{MARK, redact};

/// Takes secrets out of every string of a tree, and out of the values of fields whose names speak of secrets.
pub fn redact_value(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            // A variable of a container, or an item of any list of names and values.
            let named = fields.get("name").and_then(Value::as_str).and_then(promise);
            if let Some((promise, Value::String(entry))) = named.zip(fields.get_mut("value")) {
                hide(promise, entry);
            }
            for (key, entry) in fields.iter_mut() {
                if key == "kubectl.kubernetes.io/last-applied-configuration"
                    && let Some(mut applied) = entry.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok())
                {
                    redact_object(&mut applied);
                    *entry = Value::String(applied.to_string());
                } else if let (Some(promise), Value::String(words)) = (promise(key), &mut *entry) {
                    hide(promise, words);
                } else {
                    redact_value(entry);
                }
            }
        }
        Value::Array(items) => {
            // `["--password", "hunter2"]`: the flag and its value are two arguments.
            let mut before: Option<Promise> = None;
            for item in items.iter_mut() {
                if let (Some(promise), Value::String(words)) = (before.take(), &mut *item)
                    && !words.starts_with('-')
                {
                    hide(promise, words);
                }
                before =
                    item.as_str().filter(|words| words.starts_with("--") && !words.contains('=')).and_then(promise);
                redact_value(item);
            }
        }
        Value::String(words) => clean(words),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Takes secrets out of an object: all values of a Secret, of keys of a `ConfigMap` and of variables with telling names, and
/// tokens anywhere. The annotation of the last applied manifest is redacted as the object it is.
pub fn redact_object(object: &mut Value) {
    let is_secret = object.get("kind").and_then(Value::as_str) == Some("Secret");
    for field in ["data", "stringData"] {
        for (key, entry) in object.get_mut(field).and_then(Value::as_object_mut).into_iter().flatten() {
            if is_secret || promise(key).is_some_and(|promise| promise != Promise::Maybe) {
                *entry = Value::String(String::new());
            }
        }
    }
    if let Some(items) = object.get_mut("items").and_then(Value::as_array_mut) {
        items.iter_mut().for_each(redact_object);
    }
    redact_value(object);
}

/// Hides the value behind a telling name. What is a path or a reference is no secret.
fn hide(promise: Promise, words: &mut String) {
    clean(words);
    let keeps = is_placeholder(words) || is_path(words) || words.contains(MARK);
    if !keeps && (promise != Promise::Maybe || is_credential(words)) {
        *words = format!("{MARK}{}]", promise.kind());
    }
}

pub(super) fn clean(words: &mut String) {
    if let std::borrow::Cow::Owned(clean) = redact(words) {
        *words = clean;
    }
}
