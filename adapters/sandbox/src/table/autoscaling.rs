//! How many pods there should be, and how many may be missing.

use serde_json::Value;

use super::{
    Printer,
    column::{AGE, NAME, number, text},
    row::{NONE, Row, UNKNOWN, UNSET, shown, text as text_at},
};

pub(super) const HORIZONTAL_POD_AUTOSCALER: Printer = Printer {
    columns: &[NAME, text("Reference"), text("Targets"), text("MinPods"), text("MaxPods"), text("Replicas"), AGE],
    cells: |row| {
        let reference = format!("{}/{}", row.text("/spec/scaleTargetRef/kind"), row.text("/spec/scaleTargetRef/name"));
        vec![
            row.name(),
            reference.into(),
            targets(row).into(),
            row.object.pointer("/spec/minReplicas").map_or_else(|| UNSET.to_owned(), shown).into(),
            row.number("/spec/maxReplicas").into(),
            row.number("/status/currentReplicas").into(),
            row.age(),
        ]
    },
};

/// The metrics, each as its current value and its target; version 1 knows only the CPU.
fn targets(row: &Row<'_>) -> String {
    if let Some(target) = row.object.pointer("/spec/targetCPUUtilizationPercentage") {
        let current = row.object.pointer("/status/currentCPUUtilizationPercentage");
        return format!("cpu: {}/{}%", percent(current), shown(target));
    }
    let statuses = row.items("/status/currentMetrics");
    let metrics: Vec<String> = row
        .items("/spec/metrics")
        .iter()
        .enumerate()
        .map(|(place, metric)| target(metric, statuses.get(place).unwrap_or(&Value::Null)))
        .collect();
    let shown: Vec<&str> = metrics.iter().take(2).map(String::as_str).collect();
    match metrics.len() {
        0 => NONE.to_owned(),
        1..=2 => shown.join(", "),
        more => format!("{} + {} more...", shown.join(", "), more - 2),
    }
}

fn target(metric: &Value, status: &Value) -> String {
    let (field, named) = match text_at(metric, "/type") {
        "Resource" => ("resource", true),
        "ContainerResource" => ("containerResource", true),
        "Pods" => ("pods", false),
        "Object" => ("object", false),
        "External" => ("external", false),
        _ => return "<unknown type>".to_owned(),
    };
    let metric = metric.get(field).unwrap_or(&Value::Null);
    let status = status.get(field).unwrap_or(&Value::Null);
    let current = |pointer: &str| status.pointer(pointer).map_or_else(|| UNKNOWN.to_owned(), shown);
    let average = metric.pointer("/target/averageValue").map(shown);
    let text = match (average, named) {
        (Some(average), _) if field == "object" || field == "external" => {
            format!("{}/{average} (avg)", current("/current/averageValue"))
        }
        (Some(average), _) => format!("{}/{average}", current("/current/averageValue")),
        (None, true) => {
            let wanted = metric.pointer("/target/averageUtilization");
            let wanted = wanted.map_or_else(|| "<auto>".to_owned(), |wanted| format!("{}%", shown(wanted)));
            format!("{}/{wanted}", percent(status.pointer("/current/averageUtilization")))
        }
        (None, false) => {
            let wanted = metric.pointer("/target/value").map_or_else(|| "0".to_owned(), shown);
            format!("{}/{wanted}", current("/current/value"))
        }
    };
    if named { format!("{}: {text}", text_at(metric, "/name")) } else { text }
}

fn percent(value: Option<&Value>) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{}%", shown(value)))
}

pub(super) const POD_DISRUPTION_BUDGET: Printer = Printer {
    columns: &[NAME, text("Min Available"), text("Max Unavailable"), number("Allowed Disruptions"), AGE],
    cells: |row| {
        let bound = |pointer: &str| row.object.pointer(pointer).map_or_else(|| "N/A".to_owned(), shown);
        vec![
            row.name(),
            bound("/spec/minAvailable").into(),
            bound("/spec/maxUnavailable").into(),
            row.number("/status/disruptionsAllowed").into(),
            row.age(),
        ]
    },
};

pub(super) const SCALE: Printer = Printer {
    columns: &[text("Name"), number("Desired"), number("Available"), AGE],
    cells: |row| {
        vec![row.name(), row.number("/spec/replicas").into(), row.number("/status/replicas").into(), row.age()]
    },
};
