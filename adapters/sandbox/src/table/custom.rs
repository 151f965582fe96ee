//! Custom resources: the columns that their definition asks for.

use serde_json::{Number, Value, json};

use super::{
    column::NAME,
    row::{Row, shown},
};
use crate::resources::{Custom, PrinterColumn};

/// Longer paths find nothing, so that filters in filters cannot nest without end.
const LONGEST_PATH: usize = 1024;

pub(super) fn columns(custom: &Custom) -> Vec<Value> {
    let mut columns = vec![NAME.definition()];
    columns.extend(custom.columns.iter().map(definition));
    if custom.columns.is_empty() {
        columns.push(json!({"name": "Age", "type": "date", "format": "", "description": "", "priority": 0}));
    }
    columns
}

fn definition(column: &PrinterColumn) -> Value {
    let PrinterColumn { name, kind, format, description, priority, json_path } = column;
    let description = if description.is_empty() {
        format!("Custom resource definition column (in JSONPath format): {json_path}")
    } else {
        description.clone()
    };
    json!({"name": name, "type": kind, "format": format, "description": description, "priority": priority})
}

pub(super) fn cells(custom: &Custom, row: &Row<'_>) -> Vec<Value> {
    let mut cells = vec![row.name()];
    cells.extend(custom.columns.iter().map(|column| cell(column, row)));
    if custom.columns.is_empty() {
        cells.push(row.age());
    }
    cells
}

fn cell(column: &PrinterColumn, row: &Row<'_>) -> Value {
    let Some(value) = find(row.object, &column.json_path) else { return Value::Null };
    match (column.kind.as_str(), value) {
        ("string", Value::Null) => "<nil>".into(),
        ("string", value) => shown(value).into(),
        ("integer", Value::Number(number)) => whole(number),
        ("number", Value::Number(number)) => number.as_f64().map_or(Value::Null, Value::from),
        ("boolean", Value::Bool(flag)) => (*flag).into(),
        ("date", Value::String(text)) => {
            text.parse().map_or_else(|_| "<invalid>".into(), |then| row.ago(Some(then)).into())
        }
        _ => Value::Null,
    }
}

/// A number without its fraction.
fn whole(number: &Number) -> Value {
    let whole = || format!("{:.0}", number.as_f64()?.trunc()).parse().ok();
    number.as_i64().or_else(whole).map_or(Value::Null, Value::from)
}

/// The first value at a simple JSON path: fields, indexes, `[*]`, and a filter that compares one field.
fn find<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    if path.len() > LONGEST_PATH {
        return None;
    }
    let mut found = object;
    let mut rest = path.strip_prefix('$').unwrap_or(path);
    while !rest.is_empty() {
        let (step, after) = step(rest)?;
        found = match step {
            Step::Field(name) => found.get(name)?,
            Step::Index(index) => item(found, index)?,
            Step::Any => match found {
                Value::Array(items) => items.first()?,
                Value::Object(fields) => fields.values().next()?,
                _ => return None,
            },
            Step::Where { field, value } => found.as_array()?.iter().find(|item| {
                find(item, field)
                    .is_some_and(|found| found.as_str().map_or_else(|| shown(found) == value, |text| text == value))
            })?,
        };
        rest = after;
    }
    Some(found)
}

fn item(list: &Value, index: i64) -> Option<&Value> {
    let list = list.as_array()?;
    match usize::try_from(index) {
        Ok(index) => list.get(index),
        Err(_) => list.iter().nth_back(usize::try_from(index.checked_neg()?.checked_sub(1)?).ok()?),
    }
}

enum Step<'a> {
    Field(String),
    Index(i64),
    Any,
    Where { field: &'a str, value: &'a str },
}

/// The first step of a path and what is behind it.
fn step(path: &str) -> Option<(Step<'_>, &str)> {
    if let Some(path) = path.strip_prefix('[') {
        let (inside, after) = bracketed(path)?;
        return Some((selection(inside)?, after));
    }
    let path = path.strip_prefix('.')?;
    if path.starts_with('[') {
        return step(path);
    }
    let mut name = String::new();
    let mut characters = path.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '\\' => name.extend(characters.next().map(|(_, escaped)| escaped)),
            '.' | '[' => return Some((field(name), path.get(place..)?)),
            other => name.push(other),
        }
    }
    Some((field(name), ""))
}

fn field<'a>(name: String) -> Step<'a> {
    if name == "*" { Step::Any } else { Step::Field(name) }
}

/// What stands before the bracket that closes, and what behind it; brackets in quotes do not count.
fn bracketed(path: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut depth = 0_u32;
    for (place, character) in path.char_indices() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            (None, '[' | '(') => depth += 1,
            (None, ']') if depth == 0 => return Some((path.get(..place)?, path.get(place + 1..)?)),
            (None, ']' | ')') => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

fn selection(inside: &str) -> Option<Step<'_>> {
    if inside == "*" {
        return Some(Step::Any);
    }
    if let Ok(index) = inside.parse() {
        return Some(Step::Index(index));
    }
    if let Some(name) = unquoted(inside) {
        return Some(Step::Field(name.to_owned()));
    }
    let filter = inside.strip_prefix("?(@")?.strip_suffix(')')?;
    let (field, value) = filter.split_once("==")?;
    let value = value.trim();
    Some(Step::Where { field: field.trim(), value: unquoted(value).unwrap_or(value) })
}

fn unquoted(text: &str) -> Option<&str> {
    ['\'', '"'].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_they_name() {
        let object = json!({
            "spec": {"items": [{"name": "a"}, {"name": "b"}], "a.b/c": 1, "map": {"x": 2}},
            "status": {"conditions": [{"type": "Other", "status": "No"}, {"type": "Ready", "status": "True"}]},
        });
        for (path, value) in [
            (".spec.items[0].name", json!("a")),
            (".spec.items[-1].name", json!("b")),
            (".spec.items[*].name", json!("a")),
            (".spec['a.b/c']", json!(1)),
            (".spec.a\\.b/c", json!(1)),
            ("$.spec.map.x", json!(2)),
            (".spec.map.*", json!(2)),
            (".status.conditions[?(@.type==\"Ready\")].status", json!("True")),
            (".status.conditions[?(@.type=='Ready')].status", json!("True")),
            (".status.conditions[?(@.type == \"Ready\")].status", json!("True")),
        ] {
            assert_eq!(find(&object, path), Some(&value), "{path}");
        }
        for path in [".spec.nope", ".spec.items[2]", "spec", ".spec.items[", ".spec.items[?(@.name)]", "[", ".a]["] {
            assert_eq!(find(&object, path), None, "{path}");
        }
    }
}
