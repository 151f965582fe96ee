//! The `scale` subresource.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Request, body, change as object_change};
use crate::answer::Answer;
use crate::call::Verb;
use crate::handle::Sandbox;
use crate::object::{as_map, meta, number, set_meta, text};
use crate::patch::{self, PatchKind};
use crate::resources::Resource;
use crate::status::{Cause, Status};

/// Reads the scale of an object.
pub(super) fn get(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let store = sandbox.store();
    let object = super::read::find(&store, request).ok_or_else(|| request.not_found())?;
    Ok(Answer::Document(200, scale(&request.resource, &object)))
}

/// Changes the number of replicas.
pub(super) fn change(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let resource = &request.resource;
    let dry_run = request.dry_run(if request.verb == Verb::Patch { "PatchOptions" } else { "UpdateOptions" })?;
    let mut store = sandbox.store();
    let place = request.place();
    let existing = store.at(&place).cloned().ok_or_else(|| request.not_found())?;
    let wanted = wanted(request, &existing)?;
    let uid = meta(&wanted, "uid");
    if !uid.is_empty() && uid != meta(&existing, "uid") {
        let why =
            format!("Precondition failed: UID in precondition: {uid}, UID in object meta: {}", meta(&existing, "uid"));
        return Err(Status::conflict(&resource.group, &resource.plural, &place.name, &why));
    }
    let version = meta(&wanted, "resourceVersion");
    if !version.is_empty() && version != meta(&existing, "resourceVersion") {
        return Err(Status::modified(&resource.group, &resource.plural, &place.name));
    }
    let replicas = number(&wanted, "/spec/replicas").unwrap_or(0);
    if replicas < 0 {
        let cause = Cause::invalid("spec.replicas", &replicas.into(), "must be greater than or equal to 0");
        return Err(Status::invalid("autoscaling", "Scale", &place.name, vec![cause]));
    }
    let mut object = Value::clone(&existing);
    let (spec_path, ..) = paths(resource);
    set_number(&mut object, &spec_path, replicas);
    if object != *existing {
        let generation = number(&existing, "/metadata/generation").unwrap_or(0);
        set_meta(&mut object, "generation", generation.saturating_add(1));
    }
    let changed = object_change::commit(&mut store, &place, &existing, object, dry_run);
    sandbox.settle(&mut store, request.now);
    Ok(Answer::Document(200, scale(resource, &changed)))
}

/// The scale that is asked for.
fn wanted(request: &Request, existing: &Arc<Value>) -> Result<Value, Status> {
    let scale = if request.verb == Verb::Patch {
        let kind = PatchKind::of(&request.content_type, &request.resource)?;
        // A Scale has no lists, so that a strategic patch is a merge patch.
        let kind = if kind == PatchKind::Strategic { PatchKind::Merge } else { kind };
        let patch = patch::decode(kind, &request.body)?;
        patch::apply(kind, &request.resource, &scale(&request.resource, existing), &patch)?
    } else {
        body::parse(request, "Scale")?
    };
    body::check_posted(&scale, "autoscaling", "Scale")?;
    let replicas = scale.pointer("/spec/replicas");
    if replicas.is_some_and(|replicas| !replicas.is_i64() && !replicas.is_null()) {
        let message = "Scale in version \"v1\" cannot be handled as a Scale: json: cannot unmarshal into Go struct \
                       field ScaleSpec.spec.replicas of type int32";
        return Err(Status::bad_request(message));
    }
    let name = meta(&scale, "name");
    if !name.is_empty() && name != request.target.name {
        return Err(Status::bad_request(format!(
            "the name of the object ({name}) does not match the name on the URL ({})",
            request.target.name
        )));
    }
    Ok(scale)
}

/// An object as its scale.
fn scale(resource: &Resource, object: &Value) -> Value {
    let (spec_path, status_path, selector_path) = paths(resource);
    let mut metadata = Map::new();
    for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
        let value = meta(object, field);
        if !value.is_empty() {
            metadata.insert(field.to_owned(), value.into());
        }
    }
    let mut status = json!({"replicas": number(object, &status_path).unwrap_or(0)});
    let selector = selector_path.map(|path| object.pointer(&path).map(selector_text).unwrap_or_default());
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        as_map(&mut status).insert("selector".to_owned(), selector.into());
    }
    // A nought is left out, as everywhere in this kind's specification.
    let spec = match number(object, &spec_path).filter(|replicas| *replicas != 0) {
        Some(replicas) => json!({"replicas": replicas}),
        None => json!({}),
    };
    json!({
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": metadata,
        "spec": spec,
        "status": status,
    })
}

/// Where the numbers are: wanted, there, and the selector, as JSON pointers.
fn paths(resource: &Resource) -> (String, String, Option<String>) {
    let pointer = |path: &str| path.replace('.', "/");
    match resource.custom.as_ref().and_then(|custom| custom.scale.as_ref()) {
        Some(scale) => {
            (pointer(&scale.spec_replicas), pointer(&scale.status_replicas), scale.selector.as_deref().map(pointer))
        }
        None => ("/spec/replicas".to_owned(), "/status/replicas".to_owned(), Some("/spec/selector".to_owned())),
    }
}

/// A selector as text: labels, then expressions.
fn selector_text(selector: &Value) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    // A ReplicationController's selector is the map of labels itself.
    let labels = selector.get("matchLabels").or(Some(selector)).and_then(Value::as_object);
    let pairs = labels.into_iter().flatten().filter_map(|(key, value)| Some((key, value.as_str()?)));
    let mut parts: Vec<String> = pairs.map(|(key, value)| format!("{key}={value}")).collect();
    for expression in crate::object::elements(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let values: Vec<&str> =
            crate::object::elements(expression, "/values").iter().filter_map(Value::as_str).collect();
        parts.push(match text(expression, "/operator") {
            "In" => format!("{key} in ({})", values.join(",")),
            "NotIn" => format!("{key} notin ({})", values.join(",")),
            "DoesNotExist" => format!("!{key}"),
            _ => key.to_owned(),
        });
    }
    parts.sort();
    parts.join(",")
}

/// Sets a number at a JSON pointer, making what lacks on the way.
fn set_number(object: &mut Value, pointer: &str, number: i64) {
    let mut at = object;
    for part in pointer.split('/').filter(|part| !part.is_empty()) {
        at = crate::object::field_mut(at, part);
    }
    *at = number.into();
}
