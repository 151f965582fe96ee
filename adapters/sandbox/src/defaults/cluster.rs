//! Namespaces, secrets, limits, nodes and definitions.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{Object, child, each, part, put, put_into, text};

pub(super) fn namespace(namespace: &mut Object) {
    let name = part(namespace, "metadata").map(|metadata| text(metadata, "name").to_owned()).unwrap_or_default();
    if let Some(labels) = child(namespace, "metadata").and_then(|metadata| child(metadata, "labels")) {
        labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
    }
    put_into(namespace, "spec", "finalizers", json!(["kubernetes"]));
    put_into(namespace, "status", "phase", "Active");
}

pub(super) fn event(event: &mut Object) {
    put(event, "source", json!({}));
    put(event, "reportingComponent", "");
    put(event, "reportingInstance", "");
}

/// `stringData` can be written and is never read back.
pub(super) fn secret(secret: &mut Object) {
    put(secret, "type", "Opaque");
    let Some(Value::Object(plain)) = secret.remove("stringData") else { return };
    let Some(data) = child(secret, "data") else { return };
    for (key, value) in plain {
        if let Value::String(text) = value {
            data.insert(key, BASE64_STANDARD.encode(text).into());
        }
    }
}

pub(super) fn limit_range(range: &mut Object) {
    let Some(spec) = part(range, "spec") else { return };
    for limit in each(spec, "limits").filter(|limit| text(limit, "type") == "Container") {
        for (to, from) in [("default", "max"), ("defaultRequest", "default"), ("defaultRequest", "min")] {
            let Some(bounds) = limit.get(from).and_then(Value::as_object).cloned() else { continue };
            for (resource, bound) in bounds {
                put_into(limit, to, &resource, bound);
            }
        }
    }
}

pub(super) fn node(node: &mut Object) {
    put(node, "spec", json!({}));
    let Some(status) = child(node, "status") else { return };
    put(status, "daemonEndpoints", json!({"kubeletEndpoint": {"Port": 0}}));
    for field in [
        "machineID",
        "systemUUID",
        "bootID",
        "kernelVersion",
        "osImage",
        "containerRuntimeVersion",
        "kubeletVersion",
        "kubeProxyVersion",
        "operatingSystem",
        "architecture",
    ] {
        put_into(status, "nodeInfo", field, "");
    }
}

/// A definition is served at once, so its status says so at once.
pub(super) fn definition(definition: &mut Object) {
    let since = part(definition, "metadata").map(|metadata| text(metadata, "creationTimestamp").to_owned());
    let Some(spec) = child(definition, "spec") else { return };
    put(spec, "conversion", json!({"strategy": "None"}));
    let Some(names) = child(spec, "names") else { return };
    let kind = text(names, "kind").to_owned();
    put(names, "singular", kind.to_lowercase());
    put(names, "listKind", format!("{kind}List"));
    let names = names.clone();
    let stored: Vec<Value> = each(spec, "versions")
        .filter(|version| version.get("storage") == Some(&Value::Bool(true)))
        .filter_map(|version| version.get("name").cloned())
        .collect();
    let condition = |kind: &str, reason: &str, message: &str| json!({"type": kind, "status": "True", "reason": reason, "message": message, "lastTransitionTime": since});
    let Some(status) = child(definition, "status") else { return };
    put(
        status,
        "conditions",
        json!([
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ]),
    );
    status.insert("acceptedNames".to_owned(), names.into());
    put(status, "storedVersions", stored);
}
