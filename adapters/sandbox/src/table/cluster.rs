//! Nodes, namespaces, events and the small kinds of the core.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, flag, number, text},
    row::{NONE, Row, UNKNOWN, condition, number as number_at, or, shown, text as text_at},
};

pub(super) const NODE: Printer = Printer {
    columns: &[
        NAME,
        text("Status"),
        text("Roles"),
        AGE,
        text("Version"),
        text("Internal-IP").wide(),
        text("External-IP").wide(),
        text("OS-Image").wide(),
        text("Kernel-Version").wide(),
        text("Container-Runtime").wide(),
    ],
    cells: |row| {
        vec![
            row.name(),
            node_status(row).into(),
            or(&roles(row), NONE).into(),
            row.age(),
            row.text("/status/nodeInfo/kubeletVersion").into(),
            address(row, "InternalIP").into(),
            address(row, "ExternalIP").into(),
            row.text_or("/status/nodeInfo/osImage", UNKNOWN).into(),
            row.text_or("/status/nodeInfo/kernelVersion", UNKNOWN).into(),
            row.text_or("/status/nodeInfo/containerRuntimeVersion", UNKNOWN).into(),
        ]
    },
};

fn node_status(row: &Row<'_>) -> String {
    let status = match condition(row.items("/status/conditions"), "Ready").map(|ready| text_at(ready, "/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    };
    let closed = row.flag("/spec/unschedulable") == Some(true);
    if closed { format!("{status},SchedulingDisabled") } else { status.to_owned() }
}

fn roles(row: &Row<'_>) -> String {
    let mut roles = BTreeSet::new();
    for (key, value) in row.map("/metadata/labels").into_iter().flatten() {
        match (key.strip_prefix("node-role.kubernetes.io/"), key.as_str()) {
            (Some(role), _) if !role.is_empty() => roles.insert(role),
            (None, "kubernetes.io/role") => value.as_str().is_some_and(|role| !role.is_empty() && roles.insert(role)),
            _ => false,
        };
    }
    roles.into_iter().collect::<Vec<_>>().join(",")
}

fn address<'a>(row: &Row<'a>, kind: &str) -> &'a str {
    condition(row.items("/status/addresses"), kind).map_or(NONE, |address| text_at(address, "/address"))
}

pub(super) const NAMESPACE: Printer = Printer {
    columns: &[NAME, text("Status"), AGE],
    cells: |row| vec![row.name(), row.text("/status/phase").into(), row.age()],
};

pub(super) const EVENT: Printer = Printer {
    columns: &[
        text("Last Seen"),
        text("Type"),
        text("Reason"),
        text("Object"),
        text("Subobject").wide(),
        text("Source").wide(),
        text("Message"),
        text("First Seen").wide(),
        text("Count").wide(),
        super::column::name("Name").wide(),
    ],
    cells: |row| {
        let (first, last) = seen(row);
        let regarding = row.object.get("involvedObject").or_else(|| row.object.get("regarding"));
        let regarding = regarding.unwrap_or(&Value::Null);
        let message = or(row.text("/message"), row.text("/note"));
        vec![
            last.into(),
            row.text("/type").into(),
            row.text("/reason").into(),
            object(regarding).into(),
            text_at(regarding, "/fieldPath").into(),
            source(row).into(),
            message.trim().into(),
            first.into(),
            event_count(row).into(),
            row.name(),
        ]
    },
};

/// When an event was seen first and last.
fn seen(row: &Row<'_>) -> (String, String) {
    let since =
        |names: [&str; 2]| names.into_iter().find(|name| !row.text(name).is_empty()).map(|name| row.since(name));
    let first = since(["/firstTimestamp", "/deprecatedFirstTimestamp"]).unwrap_or_else(|| row.since("/eventTime"));
    let last = match row.object.get("series") {
        Some(Value::Object(_)) => row.since("/series/lastObservedTime"),
        _ => since(["/lastTimestamp", "/deprecatedLastTimestamp"]).unwrap_or_else(|| first.clone()),
    };
    (first, last)
}

fn event_count(row: &Row<'_>) -> i64 {
    match row.object.get("series") {
        Some(series @ Value::Object(_)) => number_at(series, "/count"),
        _ => row.number("/count").max(row.number("/deprecatedCount")).max(1),
    }
}

fn object(regarding: &Value) -> String {
    let kind = text_at(regarding, "/kind").to_lowercase();
    match text_at(regarding, "/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

fn source(row: &Row<'_>) -> String {
    let first = |pointers: [&str; 4]| pointers.into_iter().map(|one| row.text(one)).find(|text| !text.is_empty());
    let component =
        first(["/source/component", "/deprecatedSource/component", "/reportingComponent", "/reportingController"]);
    let instance = first(["/source/host", "/deprecatedSource/host", "/reportingInstance", "/reportingInstance"]);
    [component, instance].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

pub(super) const CONFIG_MAP: Printer = Printer {
    columns: &[NAME, text("Data"), AGE],
    cells: |row| vec![row.name(), (row.count("/data") + row.count("/binaryData")).into(), row.age()],
};

pub(super) const SECRET: Printer = Printer {
    columns: &[NAME, text("Type"), text("Data"), AGE],
    cells: |row| vec![row.name(), row.text("/type").into(), row.count("/data").into(), row.age()],
};

pub(super) const SERVICE_ACCOUNT: Printer = Printer {
    columns: &[NAME, text("Secrets"), AGE],
    cells: |row| vec![row.name(), row.count("/secrets").into(), row.age()],
};

pub(super) const RESOURCE_QUOTA: Printer = Printer {
    columns: &[NAME, text("Request"), text("Limit"), AGE],
    cells: |row| {
        let (limits, requests): (Vec<_>, Vec<_>) =
            quotas(row).into_iter().partition(|text| text.starts_with("limits."));
        vec![row.name(), requests.join(", ").into(), limits.join(", ").into(), row.age()]
    },
};

/// `pods: 2/4` for each resource that is counted.
fn quotas(row: &Row<'_>) -> Vec<String> {
    let hard: BTreeMap<&String, &Value> = row.map("/status/hard").into_iter().flatten().collect();
    let used = row.map("/status/used");
    hard.into_iter()
        .map(|(resource, hard)| {
            let used = used.and_then(|used| used.get(resource)).map_or_else(|| "0".to_owned(), shown);
            format!("{resource}: {used}/{}", shown(hard))
        })
        .collect()
}

pub(super) const COMPONENT_STATUS: Printer = Printer {
    columns: &[NAME, text("Status"), text("Message"), text("Error")],
    cells: |row| {
        let healthy = condition(row.items("/conditions"), "Healthy");
        let status = match healthy.map(|one| text_at(one, "/status")) {
            Some("True") => "Healthy",
            Some(_) => "Unhealthy",
            None => "Unknown",
        };
        let said = |pointer: &str| healthy.map_or("", |one| text_at(one, pointer));
        vec![row.name(), status.into(), said("/message").into(), said("/error").into()]
    },
};

pub(super) const LEASE: Printer = Printer {
    columns: &[NAME, text("Holder"), AGE],
    cells: |row| vec![row.name(), row.text("/spec/holderIdentity").into(), row.age()],
};

pub(super) const PRIORITY_CLASS: Printer = Printer {
    columns: &[NAME, number("Value"), flag("Global-Default"), AGE, text("PreemptionPolicy")],
    cells: |row| {
        vec![
            row.name(),
            row.number("/value").into(),
            row.flag("/globalDefault").unwrap_or(false).into(),
            row.age(),
            row.text("/preemptionPolicy").into(),
        ]
    },
};

pub(super) const RUNTIME_CLASS: Printer = Printer {
    columns: &[NAME, text("Handler"), AGE],
    cells: |row| vec![row.name(), row.text("/handler").into(), row.age()],
};
