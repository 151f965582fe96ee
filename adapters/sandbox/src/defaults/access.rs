//! Who may do what, and who is asked about it.

use serde_json::json;

use super::{Object, each, part, put, text};

const GROUP: &str = "rbac.authorization.k8s.io";

pub(super) fn binding(binding: &mut Object) {
    if let Some(role) = part(binding, "roleRef") {
        put(role, "apiGroup", GROUP);
    }
    for subject in each(binding, "subjects") {
        if matches!(text(subject, "kind"), "User" | "Group") {
            put(subject, "apiGroup", GROUP);
        }
    }
}

pub(super) fn webhooks(configuration: &mut Object, mutating: bool) {
    for webhook in each(configuration, "webhooks") {
        put(webhook, "failurePolicy", "Fail");
        put(webhook, "matchPolicy", "Equivalent");
        put(webhook, "namespaceSelector", json!({}));
        put(webhook, "objectSelector", json!({}));
        put(webhook, "timeoutSeconds", 10);
        if mutating {
            put(webhook, "reinvocationPolicy", "Never");
        }
        if let Some(service) = part(webhook, "clientConfig").and_then(|client| part(client, "service")) {
            put(service, "port", 443);
        }
        each(webhook, "rules").for_each(|rule| put(rule, "scope", "*"));
    }
}
