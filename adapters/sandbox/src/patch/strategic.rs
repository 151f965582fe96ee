//! Strategic merge patches: a document laid over the object, in which lists of objects are merged by a key of their items, and directives
//! say what merging alone cannot.

mod lists;

use serde_json::{Map, Value};

use super::{
    merge_keys::{self, Field},
    type_name,
};
use crate::{resources::Resource, status::Status};

const DIRECTIVE: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList";
const ELEMENT_ORDER: &str = "$setElementOrder";

type Object = Map<String, Value>;

pub(super) fn apply(resource: &Resource, object: &Value, patch: &Value) -> Result<Value, Status> {
    let (Value::Object(original), Value::Object(patch)) = (object, patch) else {
        let message =
            format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", type_name(patch));
        return Err(Status::bad_request(message));
    };
    // A subresource may show another kind than the resource has: `Scale`.
    let kind = object.get("kind").and_then(Value::as_str).unwrap_or(&resource.kind);
    merge_objects(original.clone(), patch.clone(), kind).map(Value::Object)
}

fn merge_objects(mut original: Object, mut patch: Object, kind: &str) -> Result<Object, Status> {
    if let Some(directive) = patch.get(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => {
                patch.remove(DIRECTIVE);
                Ok(patch)
            }
            Some("delete") => Ok(Object::new()),
            _ => Err(unknown_directive(directive, &patch)),
        };
    }
    retain_keys(&mut original, &mut patch)?;
    lists::merge_ordered(&mut original, &mut patch, kind)?;
    for (key, value) in patch {
        let (key, deletes) = deletion(key)?;
        if value.is_null() {
            original.remove(&key);
            continue;
        }
        let merged = match (original.remove(&key), value) {
            (None, _) if deletes => None,
            (Some(Value::Object(old)), Value::Object(new)) => {
                Some(Value::Object(merge_field(merge_keys::field(kind, &key), old, new)?))
            }
            (Some(Value::Array(old)), Value::Array(new)) => {
                let field = merge_keys::field(kind, &key);
                Some(Value::Array(match (deletes, field.merges) {
                    (true, _) => lists::remove(old, &new),
                    (false, true) => lists::merge(old, new, &field)?,
                    (false, false) => new,
                }))
            }
            (Some(old), _) if deletes => Some(old),
            (_, new) => without_directives(new, Nulls::Drop),
        };
        if let Some(merged) = merged {
            original.insert(key, merged);
        }
    }
    Ok(original)
}

fn merge_field(field: Field, old: Object, new: Object) -> Result<Object, Status> {
    if field.replaces { Ok(new) } else { merge_objects(old, new, field.target) }
}

/// The name that a key stands for, and whether it names what is to be taken out of a list.
fn deletion(key: String) -> Result<(String, bool), Status> {
    let Some(rest) = key.strip_prefix(DELETE_FROM) else { return Ok((key, false)) };
    match rest.strip_prefix('/') {
        Some(name) => Ok((name.to_owned(), true)),
        None => Err(Status::bad_request("invalid patch format of primitive list")),
    }
}

/// `$retainKeys` names every key that may stay: a union changes its member in one patch.
fn retain_keys(original: &mut Object, patch: &mut Object) -> Result<(), Status> {
    let bad = || Status::bad_request("invalid patch format of retainKeys");
    let Some(retained) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    let Value::Array(retained) = retained else { return Err(bad()) };
    let stays = |key: &str| retained.iter().any(|name| name.as_str() == Some(key));
    let is_directive = |key: &str| key.starts_with(DELETE_FROM) || key.starts_with(ELEMENT_ORDER);
    if patch.iter().any(|(key, value)| !value.is_null() && !is_directive(key) && !stays(key)) {
        return Err(bad());
    }
    original.retain(|key, _| stays(key));
    Ok(())
}

#[derive(Clone, Copy)]
enum Nulls {
    Keep,
    Drop,
}

/// What is left of a new value without the directives in it; nothing of one that is a directive itself.
fn without_directives(value: Value, nulls: Nulls) -> Option<Value> {
    match value {
        Value::Object(fields) if fields.contains_key(DIRECTIVE) => None,
        Value::Object(fields) => Some(Value::Object(
            fields
                .into_iter()
                .filter(|(_, value)| matches!(nulls, Nulls::Keep) || !value.is_null())
                .filter_map(|(key, value)| Some((key, without_directives(value, nulls)?)))
                .collect(),
        )),
        Value::Array(items) => Some(items.into_iter().filter_map(|item| without_directives(item, nulls)).collect()),
        other => Some(other),
    }
}

fn unknown_directive(directive: &Value, patch: &Object) -> Status {
    failed(format!("unknown patch type: {} in map: {}", go(directive), go_map(patch)))
}

fn no_merge_key(object: &Object, key: &str) -> Status {
    failed(format!("map: {} does not contain declared merge key: {key}", go_map(object)))
}

/// A failure for which Kubernetes has no code of its own.
fn failed(message: String) -> Status {
    Status::new(500, "", message)
}

/// A value as Go prints it with `%v`, which is what these messages quote.
pub(super) fn go(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => go_list(items),
        Value::Object(fields) => go_map(fields),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn go_list(items: &[Value]) -> String {
    format!("[{}]", items.iter().map(go).collect::<Vec<_>>().join(" "))
}

fn go_map(fields: &Object) -> String {
    let mut shown: Vec<String> = fields.iter().map(|(key, value)| format!("{key}:{}", go(value))).collect();
    shown.sort();
    format!("map[{}]", shown.join(" "))
}
