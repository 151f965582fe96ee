//! Label selectors as text.

use std::collections::BTreeMap;

use serde_json::Value;

use super::row::{NONE, items, text};

/// Labels, or a plain selector, as `a=b,c=d`.
pub(super) fn labels(labels: Option<&Value>) -> String {
    let Some(Value::Object(labels)) = labels else { return NONE.to_owned() };
    let sorted: BTreeMap<&String, &Value> = labels.iter().collect();
    let pairs: Vec<String> =
        sorted.iter().map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default())).collect();
    if pairs.is_empty() { NONE.to_owned() } else { pairs.join(",") }
}

/// A `LabelSelector`, or `<none>` where it selects all or nothing.
pub(super) fn label_selector(selector: Option<&Value>) -> String {
    match written(selector) {
        Some(text) if text.is_empty() => NONE.to_owned(),
        Some(text) => text,
        None => "<error>".to_owned(),
    }
}

/// A `LabelSelector` in the form of a query; nothing where it cannot be one.
pub(super) fn written(selector: Option<&Value>) -> Option<String> {
    let Some(selector) = selector else { return Some(String::new()) };
    let mut requirements: Vec<(String, String)> = Vec::new();
    if let Some(Value::Object(labels)) = selector.get("matchLabels") {
        for (key, value) in labels {
            requirements.push((key.clone(), format!("{key}={}", value.as_str()?)));
        }
    }
    for expression in items(selector, "/matchExpressions") {
        let key = text(expression, "/key");
        let mut values: Vec<&str> = items(expression, "/values").iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        let values = values.join(",");
        let requirement = match text(expression, "/operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            "DoesNotExist" => format!("!{key}"),
            _ => return None,
        };
        requirements.push((key.to_owned(), requirement));
    }
    requirements.sort_by(|left, right| left.0.cmp(&right.0));
    Some(requirements.into_iter().map(|(_, requirement)| requirement).collect::<Vec<_>>().join(","))
}
