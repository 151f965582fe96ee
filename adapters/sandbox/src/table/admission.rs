//! What stands between a request and its object: webhooks, policies, flow control, aggregated servers.

use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, number, text},
    row::{NONE, Row, UNSET, condition, text as text_at},
    selector::label_selector,
};

pub(super) const WEBHOOK_CONFIGURATION: Printer = Printer {
    columns: &[NAME, number("Webhooks"), AGE],
    cells: |row| vec![row.name(), row.count("/webhooks").into(), row.age()],
};

pub(super) const POLICY: Printer = Printer {
    columns: &[NAME, number("Validations"), text("ParamKind"), AGE],
    cells: |row| {
        let kind = row.object.pointer("/spec/paramKind").map_or_else(
            || UNSET.to_owned(),
            |kind| format!("{}/{}", text_at(kind, "/apiVersion"), text_at(kind, "/kind")),
        );
        vec![row.name(), row.count("/spec/validations").into(), kind.into(), row.age()]
    },
};

pub(super) const POLICY_BINDING: Printer = Printer {
    columns: &[NAME, text("PolicyName"), text("ParamRef"), AGE],
    cells: |row| vec![row.name(), row.text("/spec/policyName").into(), parameters(row).into(), row.age()],
};

fn parameters(row: &Row<'_>) -> String {
    let Some(reference) = row.object.pointer("/spec/paramRef") else { return UNSET.to_owned() };
    match (text_at(reference, "/namespace"), text_at(reference, "/name")) {
        ("", "") => reference.get("selector").map_or_else(|| UNSET.to_owned(), |one| label_selector(Some(one))),
        ("", name) => format!("*/{name}"),
        (namespace, name) => format!("{namespace}/{name}"),
    }
}

pub(super) const API_SERVICE: Printer = Printer {
    columns: &[NAME, text("Service"), text("Available"), AGE],
    cells: |row| vec![row.name(), service(row).into(), available(row).into(), row.age()],
};

fn service(row: &Row<'_>) -> String {
    match row.object.pointer("/spec/service") {
        Some(service @ Value::Object(_)) => {
            format!("{}/{}", text_at(service, "/namespace"), text_at(service, "/name"))
        }
        _ => "Local".to_owned(),
    }
}

fn available(row: &Row<'_>) -> String {
    let Some(available) = condition(row.items("/status/conditions"), "Available") else { return "Unknown".to_owned() };
    match (text_at(available, "/status"), text_at(available, "/reason")) {
        ("True", _) => "True".to_owned(),
        (status, "") => status.to_owned(),
        (status, reason) => format!("{status} ({reason})"),
    }
}

pub(super) const FLOW_SCHEMA: Printer = Printer {
    columns: &[
        NAME,
        text("PriorityLevel"),
        text("MatchingPrecedence"),
        text("DistinguisherMethod"),
        AGE,
        text("MissingPL"),
    ],
    cells: |row| {
        let dangling = condition(row.items("/status/conditions"), "Dangling");
        vec![
            row.name(),
            row.text("/spec/priorityLevelConfiguration/name").into(),
            row.number("/spec/matchingPrecedence").into(),
            row.text_or("/spec/distinguisherMethod/type", NONE).into(),
            row.age(),
            dangling.map_or("?", |one| text_at(one, "/status")).into(),
        ]
    },
};

pub(super) const PRIORITY_LEVEL: Printer = Printer {
    columns: &[
        NAME,
        text("Type"),
        text("NominalConcurrencyShares"),
        text("Queues"),
        text("HandSize"),
        text("QueueLengthLimit"),
        AGE,
    ],
    cells: |row| {
        let limit = |pointer: &str| row.object.pointer(pointer).cloned().unwrap_or_else(|| NONE.into());
        vec![
            row.name(),
            row.text("/spec/type").into(),
            limit("/spec/limited/nominalConcurrencyShares"),
            limit("/spec/limited/limitResponse/queuing/queues"),
            limit("/spec/limited/limitResponse/queuing/handSize"),
            limit("/spec/limited/limitResponse/queuing/queueLengthLimit"),
            row.age(),
        ]
    },
};
