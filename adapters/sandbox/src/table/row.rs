//! Reading an object for its row. What is missing or of another type reads as empty.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::duration::human;

pub(super) const NONE: &str = "<none>";
pub(super) const UNSET: &str = "<unset>";
pub(super) const UNKNOWN: &str = "<unknown>";

/// One object that is printed, and when.
pub(super) struct Row<'a> {
    pub object: &'a Value,
    pub now: Timestamp,
}

impl<'a> Row<'a> {
    pub(super) fn name(&self) -> Value {
        self.text("/metadata/name").into()
    }

    pub(super) fn age(&self) -> Value {
        self.since("/metadata/creationTimestamp").into()
    }

    /// The text at a JSON pointer.
    pub(super) fn text(&self, pointer: &str) -> &'a str {
        text(self.object, pointer)
    }

    /// The text at a JSON pointer, or another where there is none.
    pub(super) fn text_or(&self, pointer: &str, otherwise: &'a str) -> &'a str {
        or(self.text(pointer), otherwise)
    }

    pub(super) fn number(&self, pointer: &str) -> i64 {
        number(self.object, pointer)
    }

    pub(super) fn flag(&self, pointer: &str) -> Option<bool> {
        self.object.pointer(pointer).and_then(Value::as_bool)
    }

    pub(super) fn items(&self, pointer: &str) -> &'a [Value] {
        items(self.object, pointer)
    }

    pub(super) fn map(&self, pointer: &str) -> Option<&'a Map<String, Value>> {
        self.object.pointer(pointer).and_then(Value::as_object)
    }

    /// How many items or fields stand at a JSON pointer.
    pub(super) fn count(&self, pointer: &str) -> usize {
        match self.object.pointer(pointer) {
            Some(Value::Array(items)) => items.len(),
            Some(Value::Object(fields)) => fields.len(),
            _ => 0,
        }
    }

    pub(super) fn is_deleted(&self) -> bool {
        !self.text("/metadata/deletionTimestamp").is_empty()
    }

    /// How long ago the time at a JSON pointer was.
    pub(super) fn since(&self, pointer: &str) -> String {
        self.ago(time(self.object, pointer))
    }

    pub(super) fn ago(&self, then: Option<Timestamp>) -> String {
        then.map_or_else(|| UNKNOWN.to_owned(), |then| human(self.now.duration_since(then)))
    }

    /// Names and images of the containers at a JSON pointer, as two cells.
    pub(super) fn containers(&self, pointer: &str) -> [Value; 2] {
        let containers = self.items(pointer);
        ["/name", "/image"].map(|field| joined(containers, field, ",").into())
    }
}

pub(super) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.is_empty() { otherwise } else { text }
}

pub(super) fn number(value: &Value, pointer: &str) -> i64 {
    value.pointer(pointer).and_then(Value::as_i64).unwrap_or(0)
}

pub(super) fn items<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value.pointer(pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

pub(super) fn time(value: &Value, pointer: &str) -> Option<Timestamp> {
    text(value, pointer).parse().ok()
}

/// The texts at the same place of each item, joined.
pub(super) fn joined(items: &[Value], pointer: &str, separator: &str) -> String {
    items.iter().map(|item| text(item, pointer)).collect::<Vec<_>>().join(separator)
}

/// A number or text, as it is written: counts may be percentages.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The first of a list, joined by commas, and how many more there are.
pub(super) fn first_of(list: &[String], most: usize) -> String {
    let first: Vec<&str> = list.iter().take(most).map(String::as_str).collect();
    let first = first.join(",");
    match list.len().saturating_sub(most) {
        0 => first,
        more => format!("{first} + {more} more..."),
    }
}

/// The condition of a type.
pub(super) fn condition<'a>(conditions: &'a [Value], kind: &str) -> Option<&'a Value> {
    conditions.iter().find(|condition| text(condition, "/type") == kind)
}
