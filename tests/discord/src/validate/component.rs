//! Buttons and selects of messages: five rows of five, or one select in a row.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{at, list, number, range, text, url};
use crate::error::Form;
use crate::state::set;

/// A row of buttons, or with one select.
pub(crate) const ROW: u64 = 1;
/// A button.
pub(crate) const BUTTON: u64 = 2;
/// A text input of a modal.
pub(crate) const TEXT_INPUT: u64 = 4;
/// A label around one input of a modal.
pub(crate) const LABEL: u64 = 18;
/// Components a message of the second version may have.
const SECOND_VERSION_TOTAL: usize = 40;

/// Says whether a component type is a select: strings, users, roles, mentionables, channels.
pub(crate) fn is_select(kind: u64) -> bool {
    kind == 3 || (5..=8).contains(&kind)
}

/// Checks the components of a message and writes them as Discord keeps them, each with its number.
pub(crate) fn components(form: &mut Form, path: &str, components: &[Value], second_version: bool) -> Vec<Value> {
    let mut ids = BTreeSet::new();
    if second_version {
        let total = each(components).len();
        form.count(path, total, 1, SECOND_VERSION_TOTAL);
    } else {
        form.count(path, components.len(), 0, 5);
    }
    for (place, component) in components.iter().enumerate() {
        let path = at(path, place);
        match number(component, "type") {
            Some(ROW) => row(form, &path, component, &mut ids),
            Some(9..=17) if second_version => {}
            _ => form.wrong(&at(&path, "type"), "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,)."),
        }
    }
    let mut count = 0;
    components.iter().map(|component| numbered(component, &mut count)).collect()
}

fn row(form: &mut Form, path: &str, row: &Value, ids: &mut BTreeSet<String>) {
    let children = list(row, "components");
    let path = at(path, "components");
    form.count(&path, children.len(), 1, 5);
    let selects = children.iter().filter(|child| number(child, "type").is_some_and(is_select)).count();
    if selects > 0 && children.len() > 1 {
        let text = "The specified component exceeds the maximum width";
        form.wrong(&at(&path, children.len() - 1), "COMPONENT_LAYOUT_WIDTH_EXCEEDED", text);
    }
    for (place, child) in children.iter().enumerate() {
        let path = at(&path, place);
        match number(child, "type") {
            Some(BUTTON) => button(form, &path, child),
            Some(kind) if is_select(kind) => select(form, &path, child, kind),
            _ => {
                let text = "Value of field \"type\" must be one of (2, 3, 5, 6, 7, 8).";
                form.wrong(&at(&path, "type"), "UNION_TYPE_CHOICES", text);
            }
        }
        unique(form, &path, child, ids);
    }
}

/// Checks that a custom id is the only one of its message.
pub(crate) fn unique(form: &mut Form, path: &str, component: &Value, ids: &mut BTreeSet<String>) {
    let Some(id) = component.get("custom_id").and_then(Value::as_str) else { return };
    if !ids.insert(id.to_owned()) {
        let text = "Component custom id cannot be duplicated";
        form.wrong(&at(path, "custom_id"), "COMPONENT_CUSTOM_ID_DUPLICATED", text);
    }
}

fn button(form: &mut Form, path: &str, button: &Value) {
    let style = number(button, "style");
    form.text(&at(path, "label"), button.get("label"), 0, 80);
    let is_bare = text(button, "label").is_empty() && button.get("emoji").is_none_or(Value::is_null);
    if is_bare && style != Some(6) {
        form.wrong(path, "BUTTON_COMPONENT_INVALID", "Must have label or emoji.");
    }
    match style {
        Some(1..=4) => {
            form.text(&at(path, "custom_id"), button.get("custom_id"), 1, 100);
            if button.get("url").is_some_and(|url| !url.is_null()) {
                form.wrong(path, "BUTTON_COMPONENT_INVALID", "A custom id and url cannot both be specified");
            }
        }
        Some(5) => {
            form.text(&at(path, "url"), button.get("url"), 1, 512);
            if let Some(link) = button.get("url").and_then(Value::as_str) {
                url(form, &at(path, "url"), link, &["http", "https", "discord"]);
            }
            if button.get("custom_id").is_some_and(|id| !id.is_null()) {
                form.wrong(path, "BUTTON_COMPONENT_INVALID", "A custom id and url cannot both be specified");
            }
        }
        Some(6) if number(button, "sku_id").is_some() => {}
        Some(6) => form.required(&at(path, "sku_id")),
        None => form.required(&at(path, "style")),
        Some(_) => {
            form.wrong(&at(path, "style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5, 6}.");
        }
    }
}

/// Checks a select of a message or of a modal.
pub(crate) fn select(form: &mut Form, path: &str, select: &Value, kind: u64) {
    form.text(&at(path, "custom_id"), select.get("custom_id"), 1, 100);
    form.text(&at(path, "placeholder"), select.get("placeholder"), 0, 150);
    range(form, &at(path, "min_values"), select.get("min_values"), 0, 25);
    range(form, &at(path, "max_values"), select.get("max_values"), 1, 25);
    if kind != 3 {
        return;
    }
    let options = list(select, "options");
    form.count(&at(path, "options"), options.len(), 1, 25);
    let mut values = BTreeSet::new();
    for (place, option) in options.iter().enumerate() {
        let path = at(path, format!("options.{place}"));
        form.text(&at(&path, "label"), option.get("label"), 1, 100);
        form.text(&at(&path, "value"), option.get("value"), 1, 100);
        form.text(&at(&path, "description"), option.get("description"), 0, 100);
        if !values.insert(text(option, "value")) {
            let text = "The specified option value is already used";
            form.wrong(&at(&path, "value"), "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", text);
        }
    }
    if number(select, "max_values").is_some_and(|most| most > options.len() as u64) {
        let text = "The number of options is less than the maximum of values";
        form.wrong(&at(path, "max_values"), "SELECT_COMPONENT_MAX_VALUES_TOO_LARGE", text);
    }
}

fn numbered(component: &Value, count: &mut u64) -> Value {
    *count += 1;
    let mut kept = component.clone();
    if number(component, "id").is_none_or(|id| id == 0) {
        set(&mut kept, "id", json!(*count));
    }
    for key in ["components", "component", "accessory"] {
        match kept.get_mut(key) {
            Some(Value::Array(children)) => {
                *children = children.iter().map(|child| numbered(child, count)).collect();
            }
            Some(child @ Value::Object(_)) => *child = numbered(child, count),
            _ => {}
        }
    }
    kept
}

/// Every component of a tree, outer ones first.
pub(crate) fn each(components: &[Value]) -> Vec<&Value> {
    let mut found = Vec::new();
    let mut open: Vec<&Value> = components.iter().rev().collect();
    while let Some(component) = open.pop() {
        found.push(component);
        open.extend(list(component, "components").iter().rev());
        open.extend(["accessory", "component"].iter().filter_map(|key| component.get(key)));
    }
    found
}
