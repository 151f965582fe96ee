//! What is in blocks: text, elements, fields.

use serde_json::{Map, Value, json};

/// A field of a view.
#[derive(Clone, Debug)]
pub(crate) struct Input {
    pub(crate) block: String,
    pub(crate) action: String,
    pub(crate) label: String,
    pub(crate) optional: bool,
    pub(crate) element: Value,
}

/// Element types that do something when used.
const INTERACTIVE: [&str; 23] = [
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
    "plain_text_input",
    "number_input",
    "url_text_input",
    "email_text_input",
    "workflow_button",
    "rich_text_input",
];

/// Gives a block and its elements the ids that they lack.
pub(crate) fn name(block: &mut Value, number: u64) {
    let Some(fields) = block.as_object_mut() else {
        return;
    };
    fields.entry("block_id").or_insert_with(|| format!("b{number:04}").into());
    let mut count = 0;
    for key in ["accessory", "element"] {
        if let Some(element) = fields.get_mut(key) {
            name_element(element, number, &mut count);
        }
    }
    for element in fields.get_mut("elements").and_then(Value::as_array_mut).into_iter().flatten() {
        name_element(element, number, &mut count);
    }
}

fn name_element(element: &mut Value, number: u64, count: &mut u32) {
    let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
    if !INTERACTIVE.contains(&kind) {
        return;
    }
    *count += 1;
    let id = format!("a{number:04}-{count}");
    if let Some(fields) = element.as_object_mut() {
        fields.entry("action_id").or_insert_with(|| id.into());
    }
}

/// The elements of blocks that can be used, each with its block id.
pub(crate) fn interactive<'a>(blocks: impl IntoIterator<Item = &'a Value>) -> Vec<(String, &'a Value)> {
    let mut found = Vec::new();
    for block in blocks {
        let id = block.get("block_id").and_then(Value::as_str).unwrap_or_default();
        let single = ["accessory", "element"].into_iter().filter_map(|key| block.get(key));
        let listed = block.get("elements").and_then(Value::as_array).into_iter().flatten();
        for element in single.chain(listed) {
            if element.get("type").and_then(Value::as_str).is_some_and(|kind| INTERACTIVE.contains(&kind)) {
                found.push((id.to_owned(), element));
            }
        }
    }
    found
}

/// The fields of a view.
pub(crate) fn inputs(view: &Value) -> Vec<Input> {
    let blocks = view.get("blocks").and_then(Value::as_array).into_iter().flatten();
    blocks
        .filter(|block| block.get("type").is_some_and(|kind| kind == "input"))
        .filter_map(|block| {
            let element = block.get("element")?;
            let text = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(Input {
                block: text(block, "block_id")?,
                action: text(element, "action_id")?,
                label: block.pointer("/label/text").and_then(Value::as_str).unwrap_or_default().to_owned(),
                optional: block.get("optional").and_then(Value::as_bool).unwrap_or(false),
                element: element.clone(),
            })
        })
        .collect()
}

/// What stands in the fields of a view before anybody touched them.
pub(crate) fn initial_values(view: &Value) -> Value {
    let mut values = Map::new();
    for Input { block, action, element, .. } in inputs(view) {
        let initial = [
            "initial_value",
            "initial_option",
            "initial_options",
            "initial_date",
            "initial_time",
            "initial_date_time",
            "initial_user",
            "initial_channel",
            "initial_conversation",
        ]
        .into_iter()
        .find_map(|key| element.get(key))
        .cloned()
        .unwrap_or(Value::Null);
        let actions = values.entry(block).or_insert_with(|| json!({}));
        if let Some(actions) = actions.as_object_mut() {
            actions.insert(action, super::state_value(&element, &initial));
        }
    }
    Value::Object(values)
}

/// The text of blocks as a person reads it, a line for each piece.
pub(crate) fn shown(blocks: &[Value]) -> String {
    let mut lines = Vec::new();
    for block in blocks {
        collect(block, &mut lines);
    }
    lines.join("\n")
}

fn collect(value: &Value, lines: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, lines)),
        Value::Object(fields) => {
            if let Some(text) = fields.get("text").and_then(Value::as_str) {
                lines.push(text.to_owned());
            }
            if let Some(alt) = fields.get("alt_text").and_then(Value::as_str) {
                lines.push(alt.to_owned());
            }
            for key in [
                "title",
                "label",
                "text",
                "fields",
                "elements",
                "accessory",
                "element",
                "rows",
                "placeholder",
                "options",
            ] {
                if let Some(inner) = fields.get(key) {
                    collect(inner, lines);
                }
            }
        }
        _ => {}
    }
}
