//! All groups, versions and resources in one document.

use serde_json::{Value, json};

use super::{Answer, add_names, fields, groups, of};
use crate::resources::{Registry, Resource};

const CONTENT_TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Whether the client takes the aggregated form before the plain one.
pub(super) fn wanted(accept: &str) -> bool {
    for media_type in accept.split(',') {
        let mut parts = media_type.split(';').map(str::trim);
        let json = parts.next() == Some("application/json");
        let parameters: Vec<&str> = parts.collect();
        let aggregated =
            ["g=apidiscovery.k8s.io", "v=v2", "as=APIGroupDiscoveryList"].iter().all(|one| parameters.contains(one));
        if json && aggregated {
            return true;
        }
        if json && !parameters.iter().any(|parameter| parameter.starts_with("as=")) {
            return false;
        }
    }
    false
}

/// The core group, which `/api` serves.
pub(super) fn core(registry: &Registry) -> Answer {
    list(&[json!({"metadata": {}, "versions": [version(registry, "", "v1")]})])
}

/// The named groups, which `/apis` serves.
pub(super) fn named(registry: &Registry) -> Answer {
    let items: Vec<Value> = groups(registry)
        .iter()
        .map(|group| {
            let versions: Vec<Value> = group.versions.iter().map(|name| version(registry, &group.name, name)).collect();
            json!({"metadata": {"name": group.name}, "versions": versions})
        })
        .collect();
    list(&items)
}

fn list(items: &[Value]) -> Answer {
    let value = json!({"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items});
    Answer::Json { content_type: CONTENT_TYPE, value }
}

fn version(registry: &Registry, group: &str, version: &str) -> Value {
    let resources: Vec<Value> = of(registry, group, version).map(resource).collect();
    json!({"version": version, "resources": resources, "freshness": "Current"})
}

fn resource(resource: &Resource) -> Value {
    let mut entry = fields(json!({
        "resource": resource.plural,
        "responseKind": response_kind(resource, "", "", &resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": resource.singular,
        "verbs": resource.verbs,
    }));
    add_names(&mut entry, resource);
    let subresources: Vec<Value> = resource
        .subresources
        .iter()
        .map(|subresource| {
            let kind = response_kind(resource, &subresource.group, &subresource.version, &subresource.kind);
            json!({"subresource": subresource.name, "responseKind": kind, "verbs": subresource.verbs})
        })
        .collect();
    if !subresources.is_empty() {
        entry.insert("subresources".to_owned(), subresources.into());
    }
    Value::Object(entry)
}

/// Kinds of a built-in resource are said without its own group and version, those of a custom one with them.
fn response_kind(resource: &Resource, group: &str, version: &str, kind: &str) -> Value {
    if version.is_empty() && resource.custom.is_some() {
        return json!({"group": resource.group, "version": resource.version, "kind": kind});
    }
    json!({"group": group, "version": version, "kind": kind})
}
