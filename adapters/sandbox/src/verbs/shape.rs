//! The types of the fields that this server itself works with. Everything else is kept as it comes.

mod labels;

use serde_json::Value;

use crate::patch::type_name;
use crate::resources::Resource;
use crate::status::{Cause, Status};

/// Refuses objects whose metadata, or whose pod template's containers, have other types than Kubernetes'.
///
/// # Errors
/// 400 in the words of Go's decoder.
pub(super) fn check(resource: &Resource, object: &Value) -> Result<(), Status> {
    let wrong = |found: &Value, field: &str, wanted: &str| {
        let (kind, version, found) = (&resource.kind, &resource.version, type_name(found));
        Err(Status::bad_request(format!(
            "{kind} in version \"{version}\" cannot be handled as a {kind}: json: cannot unmarshal {found} into Go \
             struct field {field} of type {wanted}"
        )))
    };
    for field in ["metadata", "spec", "status"] {
        if let Some(value) = object.get(field).filter(|value| !value.is_object() && !value.is_null()) {
            // The spec of a custom resource may be anything.
            if field == "metadata" || resource.custom.is_none() {
                let kind = if field == "metadata" { "ObjectMeta" } else { resource.kind.as_ref() };
                return wrong(value, &format!("{}.{field}", resource.kind), &format!("{}.{kind}", resource.version));
            }
        }
    }
    let Some(metadata) = object.get("metadata").and_then(Value::as_object) else { return Ok(()) };
    for (field, value) in metadata {
        let path = format!("ObjectMeta.metadata.{field}");
        let (fits, wanted) = match field.as_str() {
            "name" | "namespace" | "generateName" | "uid" | "resourceVersion" | "selfLink" | "creationTimestamp"
            | "deletionTimestamp" => (value.is_string(), "string"),
            "generation" | "deletionGracePeriodSeconds" => (value.is_i64(), "int64"),
            "labels" | "annotations" => (all_strings(value), "map[string]string"),
            "finalizers" => (value.as_array().is_some_and(|all| all.iter().all(Value::is_string)), "[]string"),
            "ownerReferences" | "managedFields" => {
                (value.as_array().is_some_and(|all| all.iter().all(Value::is_object)), "[]v1.OwnerReference")
            }
            _ => (true, ""),
        };
        if !fits && !value.is_null() {
            return wrong(value, &path, wanted);
        }
    }
    Ok(())
}

/// Refuses what breaks rules that hold for every kind: names, owners, finalizers.
pub(super) fn validate(resource: &Resource, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let start = crate::object::meta(object, "generateName");
    // What ends in a dash gets something behind it.
    let prefix = start.strip_suffix('-').map_or_else(|| start.to_owned(), |start| format!("{start}a"));
    if let Some(detail) = Some(prefix).filter(|_| !start.is_empty()).and_then(|prefix| wrong_name(resource, &prefix)) {
        causes.push(Cause::invalid("metadata.generateName", &start.into(), detail));
    }
    let name = crate::object::meta(object, "name");
    if let Some(detail) = wrong_name(resource, name) {
        causes.push(Cause::invalid("metadata.name", &name.into(), detail));
    }
    for (at, owner) in crate::object::elements(object, "/metadata/ownerReferences").iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner.get(field).and_then(Value::as_str).unwrap_or_default().is_empty() {
                let path = format!("metadata.ownerReferences[{at}].{field}");
                causes.push(Cause::invalid(path, &"".into(), "must not be empty"));
            }
        }
    }
    labels::validate(object, &mut causes);
    for (at, finalizer) in crate::object::finalizers(object).into_iter().enumerate() {
        if !finalizer.contains('/') && !matches!(finalizer, "kubernetes" | "orphan" | "foregroundDeletion") {
            let detail = "name is neither a standard finalizer name nor is it fully qualified";
            causes.push(Cause::invalid(format!("metadata.finalizers[{at}]"), &finalizer.into(), detail));
        }
    }
    if resource.kind == "Pod" && resource.custom.is_none() {
        validate_containers(object, &mut causes);
    }
    if resource.kind == "Event" && resource.group.is_empty() {
        causes.extend(misplaced_event(object));
    }
    causes
}

/// An event stands beside what it is about, and one about no namespace in the default one.
fn misplaced_event(event: &Value) -> Option<Cause> {
    let about = crate::object::text(event, "/involvedObject/namespace");
    let here = crate::object::meta(event, "namespace");
    let misplaced = if about.is_empty() { here != "default" } else { about != here };
    misplaced.then(|| Cause::invalid("involvedObject.namespace", &about.into(), "does not match event.namespace"))
}

fn validate_containers(pod: &Value, causes: &mut Vec<Cause>) {
    let containers = crate::object::elements(pod, "/spec/containers");
    if containers.is_empty() {
        causes.push(Cause::required("spec.containers", ""));
    }
    for (at, container) in containers.iter().enumerate() {
        for field in ["name", "image"] {
            if container.get(field).and_then(Value::as_str).unwrap_or_default().is_empty() {
                causes.push(Cause::required(format!("spec.containers[{at}].{field}"), ""));
            }
        }
    }
}

/// What is wrong with a name, if anything.
fn wrong_name(resource: &Resource, name: &str) -> Option<&'static str> {
    const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or \
        '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
        '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and \
        must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation \
        is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    const OLD_LABEL: &str = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an \
        alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for \
        validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
    let is_label = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !part.is_empty()
            && part.starts_with(inner)
            && part.ends_with(inner)
            && part.chars().all(|c| inner(c) || c == '-')
    };
    match (resource.group.as_ref(), resource.kind.as_ref()) {
        ("rbac.authorization.k8s.io", _) => match name {
            "." => Some("may not be '.'"),
            ".." => Some("may not be '..'"),
            _ if name.contains('/') => Some("may not contain '/'"),
            _ if name.contains('%') => Some("may not contain '%'"),
            _ => None,
        },
        ("", "Namespace" | "Service") if name.len() > 63 => Some("must be no more than 63 characters"),
        ("", "Namespace") if !is_label(name) && name.split('.').all(is_label) => Some("must not contain dots"),
        ("", "Namespace") => (!is_label(name)).then_some(LABEL),
        ("", "Service") => (!is_label(name) || name.starts_with(|c: char| c.is_ascii_digit())).then_some(OLD_LABEL),
        _ if name.len() > 253 => Some("must be no more than 253 characters"),
        _ => (!name.split('.').all(is_label)).then_some(SUBDOMAIN),
    }
}

fn all_strings(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.values().all(Value::is_string))
}
