//! Block Kit: what Slack would refuse, and what can be pressed, chosen and filled in.

use serde_json::{Map, Value, json};

mod element;
mod part;
mod rule;

pub(crate) use part::{Input, initial_values, inputs, interactive, name, shown};
pub(crate) use rule::{plain_text, problems};

/// Where blocks stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Message,
    Modal,
    Home,
}

/// The value of a chosen option or typed text, as the state of a view or message holds it.
pub(crate) fn state_value(element: &Value, chosen: &Value) -> Value {
    let kind = element.get("type").and_then(Value::as_str).unwrap_or_default();
    let mut value = Map::new();
    value.insert("type".to_owned(), kind.into());
    let key = match kind {
        "plain_text_input" | "number_input" | "url_text_input" | "email_text_input" => "value",
        "datepicker" => "selected_date",
        "timepicker" => "selected_time",
        "datetimepicker" => "selected_date_time",
        "users_select" => "selected_user",
        "channels_select" => "selected_channel",
        "conversations_select" => "selected_conversation",
        "multi_users_select" => "selected_users",
        "multi_channels_select" => "selected_channels",
        "multi_conversations_select" => "selected_conversations",
        "checkboxes" | "multi_static_select" | "multi_external_select" => "selected_options",
        _ => "selected_option",
    };
    value.insert(key.to_owned(), chosen.clone());
    Value::Object(value)
}

/// An option with that text or value, in a menu, in checkboxes or radio buttons.
pub(crate) fn option(element: &Value, wanted: &str) -> Option<Value> {
    let groups = element.get("option_groups").and_then(Value::as_array).into_iter().flatten();
    let grouped = groups.filter_map(|group| group.get("options")?.as_array()).flatten();
    let plain = element.get("options").and_then(Value::as_array).into_iter().flatten();
    let matches = |option: &&Value| {
        option.get("value").and_then(Value::as_str) == Some(wanted)
            || option.pointer("/text/text").and_then(Value::as_str) == Some(wanted)
    };
    plain.chain(grouped).find(matches).map(|option| {
        let mut option = option.clone();
        if let Some(fields) = option.as_object_mut() {
            fields.remove("description");
        }
        option
    })
}

/// A free text as an option, for menus whose options come from the app.
pub(crate) fn external_option(text: &str, value: &str) -> Value {
    json!({ "text": { "type": "plain_text", "text": text, "emoji": true }, "value": value })
}
