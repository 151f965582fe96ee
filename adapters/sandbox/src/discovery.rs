//! What a server says about itself: its version, its health, its resources, and as much `OpenAPI` as a client needs before it writes.

mod aggregated;
mod openapi;

use serde_json::{Map, Value, json};

use crate::{
    resources::{Registry, Resource},
    status::Status,
};

/// The version that is mimicked.
pub const VERSION: &str = "v1.34.1";

/// An answer about the server.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A JSON document.
    Json {
        /// Its media type, with parameters.
        content_type: &'static str,
        /// The document.
        value: Value,
    },
    /// Plain text.
    Text(String),
    /// A refusal.
    Refused(Status),
}

impl Answer {
    fn json(value: Value) -> Self {
        Self::Json { content_type: "application/json", value }
    }
}

/// Answers a GET of `path` (with its leading slash, without a query) where it is about the server and not about objects in it.
pub fn answer(registry: &Registry, path: &str, query: &str, accept: &str) -> Option<Answer> {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        [] => Some(Answer::json(root(registry))),
        ["version"] => Some(Answer::json(version())),
        [check @ ("healthz" | "livez" | "readyz")] => Some(Answer::Text(health(check, query))),
        ["healthz" | "livez" | "readyz", single] => CHECKS.contains(single).then(|| Answer::Text("ok".to_owned())),
        ["api"] if aggregated::wanted(accept) => Some(aggregated::core(registry)),
        ["api"] => Some(Answer::json(json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": "127.0.0.1"}],
        }))),
        ["apis"] if aggregated::wanted(accept) => Some(aggregated::named(registry)),
        ["apis"] => Some(Answer::json(group_list(registry))),
        ["api", version] => resource_list(registry, "", version),
        ["apis", group] => Some(Answer::json(described(&group_of(registry, group)?, "APIGroup"))),
        ["apis", group, version] => resource_list(registry, group, version),
        ["openapi", "v2"] => Some(openapi::second(registry, accept)),
        ["openapi", "v3"] => Some(Answer::json(openapi::third(registry))),
        ["openapi", "v3", "api", version] => openapi::group_version(registry, "", version).map(Answer::json),
        ["openapi", "v3", "apis", group, version] => openapi::group_version(registry, group, version).map(Answer::json),
        _ => None,
    }
}

const CHECKS: [&str; 3] = ["ping", "log", "etcd"];

fn health(check: &str, query: &str) -> String {
    let verbose = query.split('&').any(|parameter| parameter == "verbose" || parameter.starts_with("verbose="));
    if !verbose {
        return "ok".to_owned();
    }
    let passed = CHECKS.map(|name| format!("[+]{name} ok\n")).concat();
    format!("{passed}{check} check passed\n")
}

fn version() -> Value {
    json!({
        "major": "1", "minor": "34", "emulationMajor": "1", "emulationMinor": "34",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "33",
        "gitVersion": VERSION, "gitCommit": "", "gitTreeState": "clean", "buildDate": "1970-01-01T00:00:00Z",
        "goVersion": "go1.24.6", "compiler": "gc", "platform": "linux/amd64",
    })
}

fn root(registry: &Registry) -> Value {
    let mut paths: Vec<String> =
        ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
            .map(str::to_owned)
            .to_vec();
    for group in groups(registry) {
        paths.push(format!("/apis/{}", group.name));
        paths.extend(group.versions.iter().map(|version| format!("/apis/{}/{version}", group.name)));
    }
    paths.sort();
    json!({"paths": paths})
}

/// A named group and its versions, the preferred one first.
struct Group {
    name: String,
    versions: Vec<String>,
}

/// The named groups in the order of discovery: built-in ones as a server has them, custom ones by name behind them.
fn groups(registry: &Registry) -> Vec<Group> {
    let mut groups: Vec<(bool, Group)> = Vec::new();
    for resource in registry.resources().iter().filter(|resource| !resource.group.is_empty()) {
        let version = resource.version.to_string();
        match groups.iter_mut().find(|(_, group)| group.name == resource.group) {
            Some((_, group)) if group.versions.contains(&version) => {}
            Some((_, group)) => group.versions.push(version),
            None => groups
                .push((resource.custom.is_some(), Group { name: resource.group.to_string(), versions: vec![version] })),
        }
    }
    let builtin = groups.iter().filter(|(custom, _)| !custom).count();
    if let Some(custom) = groups.get_mut(builtin..) {
        custom.sort_by(|(_, left), (_, right)| left.name.cmp(&right.name));
        for (_, group) in custom {
            group.versions.sort_by_key(|version| std::cmp::Reverse(crate::resources::version_rank(version)));
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

fn group_of(registry: &Registry, name: &str) -> Option<Group> {
    groups(registry).into_iter().find(|group| group.name == name)
}

fn group_list(registry: &Registry) -> Value {
    let groups: Vec<Value> = groups(registry).iter().map(group).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

fn group(group: &Group) -> Value {
    let named = |version: &String| json!({"groupVersion": format!("{}/{version}", group.name), "version": version});
    let versions: Vec<Value> = group.versions.iter().map(named).collect();
    json!({"name": group.name, "preferredVersion": versions.first(), "versions": versions})
}

fn described(one: &Group, kind: &str) -> Value {
    let mut value = group(one);
    if let Value::Object(fields) = &mut value {
        fields.insert("kind".to_owned(), kind.into());
        fields.insert("apiVersion".to_owned(), "v1".into());
    }
    value
}

fn resource_list(registry: &Registry, group: &str, version: &str) -> Option<Answer> {
    let resources: Vec<Value> = of(registry, group, version).flat_map(with_subresources).collect();
    if resources.is_empty() {
        return None;
    }
    let group_version = if group.is_empty() { version.to_owned() } else { format!("{group}/{version}") };
    let mut list = json!({"kind": "APIResourceList", "groupVersion": group_version, "resources": resources});
    // The oldest group's list never got a version of its own.
    if let Some(fields) = list.as_object_mut().filter(|_| !group.is_empty()) {
        fields.insert("apiVersion".to_owned(), "v1".into());
    }
    Some(Answer::json(list))
}

fn of<'a>(registry: &'a Registry, group: &'a str, version: &'a str) -> impl Iterator<Item = &'a Resource> {
    let resources = registry.resources().iter().map(AsRef::as_ref);
    resources.filter(move |resource| resource.group == group && resource.version == version)
}

fn with_subresources(resource: &Resource) -> Vec<Value> {
    let mut own = fields(json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": resource.verbs,
    }));
    add_names(&mut own, resource);
    let mut entries = vec![Value::Object(own)];
    for subresource in &resource.subresources {
        let mut entry = fields(json!({
            "name": format!("{}/{}", resource.plural, subresource.name), "singularName": "",
            "namespaced": resource.namespaced, "kind": subresource.kind, "verbs": subresource.verbs,
        }));
        if !subresource.group.is_empty() {
            entry.insert("group".to_owned(), subresource.group.as_ref().into());
            entry.insert("version".to_owned(), subresource.version.as_ref().into());
        }
        entries.push(Value::Object(entry));
    }
    entries
}

fn add_names(entry: &mut Map<String, Value>, resource: &Resource) {
    if !resource.short_names.is_empty() {
        entry.insert("shortNames".to_owned(), json!(resource.short_names));
    }
    if !resource.categories.is_empty() {
        entry.insert("categories".to_owned(), json!(resource.categories));
    }
}

fn fields(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests;
