//! As much `OpenAPI` as kubectl reads before it writes: that the server checks fields itself (`fieldValidation`).
//! Without schemas, kubectl takes its own knowledge of built-in kinds for `apply` and a merge patch for others.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Map, Value, json};

use super::{Answer, groups, of};
use crate::{
    resources::{Registry, Resource},
    status::Status,
};

/// The table of contents of version 3: one document for each group and version.
pub(super) fn third(registry: &Registry) -> Value {
    let mut paths = Map::new();
    let named = groups(registry).into_iter().flat_map(|group| {
        group.versions.into_iter().map(move |version| (group.name.clone(), version)).collect::<Vec<_>>()
    });
    for (group, version) in std::iter::once((String::new(), "v1".to_owned())).chain(named) {
        let path = base(&group, &version);
        let Some(document) = group_version(registry, &group, &version) else { continue };
        // Clients keep a document for as long as its address stays the same.
        let mut hasher = DefaultHasher::new();
        document.to_string().hash(&mut hasher);
        let hash = format!("{:016X}", hasher.finish());
        paths.insert(path.clone(), json!({"serverRelativeURL": format!("/openapi/v3/{path}?hash={hash}")}));
    }
    json!({"paths": paths})
}

/// The document of one group and version.
pub(super) fn group_version(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let paths = paths(of(registry, group, version), Form::Third);
    let document = json!({
        "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": super::VERSION}, "paths": paths, "components": {},
    });
    (!paths.is_empty()).then_some(document)
}

/// The one document of version 2. Kubectl wants it in protobuf and does without where there is none.
pub(super) fn second(registry: &Registry, accept: &str) -> Answer {
    let takes_json = accept.is_empty() || accept.contains("application/json") || accept.contains("*/*");
    if !takes_json {
        return Answer::Refused(Status::not_acceptable());
    }
    let resources = registry.resources().iter().map(AsRef::as_ref);
    Answer::json(json!({
        "swagger": "2.0", "info": {"title": "Kubernetes", "version": super::VERSION},
        "paths": paths(resources, Form::Second), "definitions": {},
    }))
}

#[derive(Clone, Copy)]
enum Form {
    Second,
    Third,
}

fn paths<'a>(resources: impl Iterator<Item = &'a Resource>, form: Form) -> Map<String, Value> {
    let mut paths = Map::new();
    for resource in resources {
        let namespace = if resource.namespaced { "namespaces/{namespace}/" } else { "" };
        let path = format!("/{}/{namespace}{}/{{name}}", base(&resource.group, &resource.version), resource.plural);
        paths.insert(path, operations(resource, form));
    }
    paths
}

fn operations(resource: &Resource, form: Form) -> Value {
    let parameters: Vec<Value> = ["dryRun", "fieldManager", "fieldValidation"]
        .iter()
        .map(|name| match form {
            Form::Third => json!({"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": true}}),
            Form::Second => json!({"name": name, "in": "query", "type": "string", "uniqueItems": true}),
        })
        .collect();
    let kind = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
    let operation = |action: &str| {
        json!({
            "parameters": parameters, "responses": {"200": {"description": "OK"}},
            "x-kubernetes-action": action, "x-kubernetes-group-version-kind": kind,
        })
    };
    let mut operations = Map::new();
    for (verb, method, action) in [("get", "get", "get"), ("update", "put", "put"), ("patch", "patch", "patch")] {
        if resource.allows(verb) {
            operations.insert(method.to_owned(), operation(action));
        }
    }
    Value::Object(operations)
}

fn base(group: &str, version: &str) -> String {
    if group.is_empty() { format!("api/{version}") } else { format!("apis/{group}/{version}") }
}
