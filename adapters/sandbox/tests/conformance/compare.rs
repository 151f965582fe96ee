//! Compares two servers' answers.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    send::Answers,
    suite::{Area, Step},
};

/// Whether a step's `subset` is honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whole {
    /// Everything is compared.
    Exact,
    /// Lists of what a server offers may be shorter.
    Offered,
}

/// A line for each step whose answers differ.
pub(crate) fn differing(
    areas: &[Area],
    expected: &BTreeMap<String, Answers>,
    found: &BTreeMap<String, Answers>,
    whole: Whole,
) -> Vec<String> {
    let mut lines = Vec::new();
    for area in areas {
        for step in &area.steps {
            let expected = expected.get(&area.name).and_then(|answers| answers.get(&step.name));
            let found = found.get(&area.name).and_then(|answers| answers.get(&step.name));
            let differences = step_differences(step, expected, found, whole);
            if !differences.is_empty() {
                lines.push(format!(
                    "{} / {} ({})\n    {}",
                    area.name,
                    step.name,
                    step.send,
                    differences.join("\n    ")
                ));
            }
        }
    }
    lines
}

/// What differs in one step, field by field.
pub(crate) fn step_differences(
    step: &Step,
    expected: Option<&Value>,
    found: Option<&Value>,
    whole: Whole,
) -> Vec<String> {
    let mut differences = Vec::new();
    let subset = step.subset && whole == Whole::Offered;
    walk("", expected.unwrap_or(&Value::Null), found.unwrap_or(&Value::Null), subset, &mut differences);
    differences
}

fn walk(path: &str, expected: &Value, found: &Value, subset: bool, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left.keys().chain(right.keys().filter(|name| !left.contains_key(*name))) {
                let (left, right) = (left.get(name), right.get(name));
                let path = format!("{path}/{name}");
                walk(&path, left.unwrap_or(&Value::Null), right.unwrap_or(&Value::Null), subset, differences);
            }
        }
        (Value::Array(left), Value::Array(right))
            if subset && (path.starts_with("/body/fields") || path == "/body/items") =>
        {
            for claimed in right.iter().filter(|claimed| !left.contains(claimed)) {
                differences.push(format!("{path}: the real server does not offer {claimed}"));
            }
            if right.is_empty() {
                differences.push(format!("{path}: nothing is offered"));
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                walk(&format!("{path}/{index}"), left, right, subset, differences);
            }
        }
        _ if expected == found => {}
        _ => differences.push(format!("{path}: real {expected}, here {found}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(expected: &Value, found: &Value, subset: bool) -> Vec<String> {
        let mut differences = Vec::new();
        walk("", expected, found, subset, &mut differences);
        differences
    }

    #[test]
    fn what_differs_is_named_with_its_path() {
        let real = json!({"code": 404, "body": {"reason": "NotFound", "items": ["a"]}});
        assert!(differences(&real, &real, false).is_empty());
        let here = json!({"code": 200, "body": {"items": ["a", "b"]}});
        let found = differences(&real, &here, false);
        assert_eq!(
            found,
            [
                r#"/body/items: real ["a"], here ["a","b"]"#,
                r#"/body/reason: real "NotFound", here null"#,
                "/code: real 404, here 200",
            ]
        );
        assert_eq!(differences(&real, &Value::Null, false).len(), 1, "no answer at all differs");
    }

    #[test]
    fn of_what_is_offered_less_is_fine_and_other_is_not() {
        let offer = |resources: Value| json!({"body": {"fields": {"/resources": resources}}});
        let real = offer(json!([{"name": "pods"}, {"name": "nodes"}]));
        assert!(differences(&real, &offer(json!([{"name": "nodes"}])), true).is_empty());
        assert_eq!(differences(&real, &offer(json!([{"name": "nodes"}])), false).len(), 1);
        assert_eq!(differences(&real, &offer(json!([{"name": "gadgets"}])), true).len(), 1);
        assert_eq!(differences(&real, &offer(json!([])), true).len(), 1, "to offer nothing is no subset");
    }
}
