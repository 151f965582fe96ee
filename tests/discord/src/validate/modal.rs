//! Modals: a title and up to five inputs.

use std::collections::BTreeSet;

use serde_json::Value;

use super::component::{LABEL, ROW, TEXT_INPUT, is_select, select, unique};
use super::{at, list, number, range, text};
use crate::error::Form;

/// Checks a modal, the data of a callback of type 9.
pub(crate) fn modal(form: &mut Form, path: &str, modal: &Value) {
    form.text(&at(path, "custom_id"), modal.get("custom_id"), 1, 100);
    form.text(&at(path, "title"), modal.get("title"), 1, 45);
    let rows = list(modal, "components");
    let path = at(path, "components");
    form.count(&path, rows.len(), 1, 5);
    let mut ids = BTreeSet::new();
    for (place, row) in rows.iter().enumerate() {
        let path = at(&path, place);
        match number(row, "type") {
            Some(ROW) => {
                let inputs = list(row, "components");
                form.count(&at(&path, "components"), inputs.len(), 1, 1);
                for (place, child) in inputs.iter().enumerate() {
                    let path = at(&path, format!("components.{place}"));
                    form.text(&at(&path, "label"), child.get("label"), 1, 45);
                    input(form, &path, child, &mut ids);
                }
            }
            Some(LABEL) => {
                form.text(&at(&path, "label"), row.get("label"), 1, 45);
                form.text(&at(&path, "description"), row.get("description"), 0, 100);
                match row.get("component") {
                    Some(child) => input(form, &at(&path, "component"), child, &mut ids),
                    None => form.required(&at(&path, "component")),
                }
            }
            Some(10) => form.text(&at(&path, "content"), row.get("content"), 1, 4_000),
            _ => {
                let text = "Value of field \"type\" must be one of (1, 10, 18).";
                form.wrong(&at(&path, "type"), "UNION_TYPE_CHOICES", text);
            }
        }
    }
}

fn input(form: &mut Form, path: &str, input: &Value, ids: &mut BTreeSet<String>) {
    unique(form, path, input, ids);
    match number(input, "type") {
        Some(TEXT_INPUT) => text_input(form, path, input),
        Some(kind) if is_select(kind) => select(form, path, input, kind),
        Some(19) => form.text(&at(path, "custom_id"), input.get("custom_id"), 1, 100),
        _ => form.wrong(&at(path, "type"), "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (4,)."),
    }
}

fn text_input(form: &mut Form, path: &str, input: &Value) {
    form.text(&at(path, "custom_id"), input.get("custom_id"), 1, 100);
    form.text(&at(path, "placeholder"), input.get("placeholder"), 0, 100);
    form.text(&at(path, "value"), input.get("value"), 0, 4_000);
    range(form, &at(path, "min_length"), input.get("min_length"), 0, 4_000);
    range(form, &at(path, "max_length"), input.get("max_length"), 1, 4_000);
    if !matches!(number(input, "style"), Some(1 | 2)) {
        form.wrong(&at(path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2}.");
    }
    let filled = text(input, "value").chars().count() as u64;
    if filled > number(input, "max_length").unwrap_or(4_000) {
        form.wrong(&at(path, "value"), "BASE_TYPE_MAX_LENGTH", "The value is longer than max_length allows.");
    }
}
