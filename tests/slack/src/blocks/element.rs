//! The rules of the elements that people press, choose from and fill in.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::rule::{length, list, plain_text, required_text, text};

/// What may stand in an `actions` block.
pub(super) const ACTIONS: &[&str] = &[
    "button",
    "overflow",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "radio_buttons",
    "checkboxes",
    "workflow_button",
];
/// What may stand beside a `section`.
pub(super) const ACCESSORIES: &[&str] = &[
    "image",
    "button",
    "overflow",
    "datepicker",
    "timepicker",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "radio_buttons",
    "checkboxes",
    "workflow_button",
];
/// What may stand in an `input`.
pub(super) const INPUTS: &[&str] = &[
    "plain_text_input",
    "number_input",
    "url_text_input",
    "email_text_input",
    "rich_text_input",
    "file_input",
    "datepicker",
    "timepicker",
    "datetimepicker",
    "static_select",
    "external_select",
    "users_select",
    "conversations_select",
    "channels_select",
    "multi_static_select",
    "multi_external_select",
    "multi_users_select",
    "multi_conversations_select",
    "multi_channels_select",
    "radio_buttons",
    "checkboxes",
];

/// Checks the elements of a block; no two may have the same action id.
pub(super) fn check_all(elements: &[Value], allowed: &[&str], pointer: &str, problems: &mut Vec<String>) {
    let mut ids = BTreeSet::new();
    for (index, element) in elements.iter().enumerate() {
        let listed = pointer.ends_with("/elements");
        let at = if listed { format!("{pointer}/{index}") } else { pointer.to_owned() };
        check(element, allowed, &at, problems);
        if let Some(id) = element.get("action_id").and_then(Value::as_str)
            && !ids.insert(id)
        {
            problems.push(format!("action_id already exists [json-pointer:{at}/action_id]"));
        }
    }
}

fn check(element: &Value, allowed: &[&str], at: &str, problems: &mut Vec<String>) {
    let Some(fields) = element.as_object() else {
        problems.push(format!("must be an object [json-pointer:{at}]"));
        return;
    };
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    if !allowed.contains(&kind) {
        problems.push(format!("unsupported type: {kind} [json-pointer:{at}]"));
        return;
    }
    length(fields, "action_id", 255, at, problems);
    match kind {
        "button" => button(fields, at, problems),
        "overflow" => options(fields, 1, 5, at, problems),
        "radio_buttons" | "checkboxes" => options(fields, 1, 10, at, problems),
        "plain_text_input" => {
            length(fields, "initial_value", 3_000, at, problems);
        }
        "static_select" | "multi_static_select" => menu(fields, at, problems),
        "image" => {
            for key in ["image_url", "alt_text"] {
                if !fields.contains_key(key) {
                    problems.push(format!("missing required field: {key} [json-pointer:{at}]"));
                }
            }
        }
        _ => {}
    }
    if let Some(placeholder) = fields.get("placeholder") {
        plain_text(placeholder, 150, &format!("{at}/placeholder"), problems);
    }
    if let Some(confirm) = fields.get("confirm") {
        confirmation(confirm, &format!("{at}/confirm"), problems);
    }
}

fn button(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    required_text(fields, "text", 75, true, at, problems);
    length(fields, "value", 2_000, at, problems);
    length(fields, "url", 3_000, at, problems);
    length(fields, "accessibility_label", 75, at, problems);
    if let Some(style) = fields.get("style")
        && !matches!(style.as_str(), Some("primary" | "danger"))
    {
        problems.push(format!("must be one of: primary, danger [json-pointer:{at}/style]"));
    }
}

fn menu(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    match (fields.contains_key("options"), fields.contains_key("option_groups")) {
        (true, false) => options(fields, 1, 100, at, problems),
        (false, true) => {
            for (index, group) in list(fields, "option_groups", 100, at, problems).iter().enumerate() {
                let at = format!("{at}/option_groups/{index}");
                let Some(group) = group.as_object() else {
                    problems.push(format!("must be an object [json-pointer:{at}]"));
                    continue;
                };
                required_text(group, "label", 75, true, &at, problems);
                options(group, 1, 100, &at, problems);
            }
        }
        _ => problems.push(format!("exactly one of options and option_groups [json-pointer:{at}]")),
    }
}

fn options(fields: &Map<String, Value>, least: usize, most: usize, at: &str, problems: &mut Vec<String>) {
    let items = list(fields, "options", most, at, problems);
    if !items.is_empty() && items.len() < least {
        problems.push(format!("no less than {least} items allowed [json-pointer:{at}/options]"));
    }
    for (index, option) in items.iter().enumerate() {
        let at = format!("{at}/options/{index}");
        let Some(option) = option.as_object() else {
            problems.push(format!("must be an object [json-pointer:{at}]"));
            continue;
        };
        required_text(option, "text", 75, false, &at, problems);
        if !option.contains_key("value") {
            problems.push(format!("missing required field: value [json-pointer:{at}]"));
        }
        length(option, "value", 150, &at, problems);
        if let Some(description) = option.get("description") {
            text(description, 75, &format!("{at}/description"), problems);
        }
    }
}

fn confirmation(confirm: &Value, at: &str, problems: &mut Vec<String>) {
    let Some(fields) = confirm.as_object() else {
        problems.push(format!("must be an object [json-pointer:{at}]"));
        return;
    };
    required_text(fields, "title", 100, true, at, problems);
    required_text(fields, "text", 300, false, at, problems);
    required_text(fields, "confirm", 30, true, at, problems);
    required_text(fields, "deny", 30, true, at, problems);
}
