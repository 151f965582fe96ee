//! Who may do what.

use jiff::SignedDuration;
use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, text},
    human,
    row::{NONE, Row, condition, text as text_at},
};

pub(super) const BINDING: Printer = Printer {
    columns: &[NAME, text("Role"), AGE, text("Users").wide(), text("Groups").wide(), text("ServiceAccounts").wide()],
    cells: |row| {
        let role = format!("{}/{}", row.text("/roleRef/kind"), row.text("/roleRef/name"));
        vec![
            row.name(),
            role.into(),
            row.age(),
            subjects(row, "User").into(),
            subjects(row, "Group").into(),
            subjects(row, "ServiceAccount").into(),
        ]
    },
};

fn subjects(row: &Row<'_>, kind: &str) -> String {
    let subjects = row.items("/subjects").iter().filter(|subject| text_at(subject, "/kind") == kind);
    let names: Vec<String> = subjects
        .map(|subject| match (kind, text_at(subject, "/name")) {
            ("ServiceAccount", name) => format!("{}/{name}", text_at(subject, "/namespace")),
            (_, name) => name.to_owned(),
        })
        .collect();
    names.join(", ")
}

pub(super) const CERTIFICATE_SIGNING_REQUEST: Printer = Printer {
    columns: &[NAME, AGE, text("SignerName"), text("Requestor"), text("RequestedDuration"), text("Condition")],
    cells: |row| {
        let wanted = row.object.pointer("/spec/expirationSeconds").and_then(Value::as_i64);
        let wanted = wanted.map_or_else(|| NONE.to_owned(), |seconds| human(SignedDuration::from_secs(seconds)));
        vec![
            row.name(),
            row.age(),
            row.text_or("/spec/signerName", NONE).into(),
            row.text("/spec/username").into(),
            wanted.into(),
            request_state(row).into(),
        ]
    },
};

fn request_state(row: &Row<'_>) -> String {
    let conditions = row.items("/status/conditions");
    let has = |kind: &str| condition(conditions, kind).is_some();
    let mut state = vec![match (has("Denied"), has("Approved")) {
        (true, _) => "Denied",
        (false, true) => "Approved",
        (false, false) => "Pending",
    }];
    if has("Failed") {
        state.push("Failed");
    }
    if !row.text("/status/certificate").is_empty() {
        state.push("Issued");
    }
    state.join(",")
}
