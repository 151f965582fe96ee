//! The rules of blocks and of the texts in them.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::Surface;
use super::element;

/// What Slack finds wrong with blocks, in its words, each with where.
pub(crate) fn problems(blocks: &[Value], surface: Surface, pointer: &str) -> Vec<String> {
    let mut problems = Vec::new();
    let most = if surface == Surface::Message { 50 } else { 100 };
    if blocks.len() > most {
        problems.push(format!("no more than {most} items allowed [json-pointer:{pointer}]"));
    }
    let mut ids = BTreeSet::new();
    let mut tables = 0;
    for (index, block) in blocks.iter().enumerate() {
        let at = format!("{pointer}/{index}");
        check(block, surface, &at, &mut problems);
        if let Some(id) = block.get("block_id").and_then(Value::as_str)
            && !ids.insert(id)
        {
            problems.push(format!("block_id already exists [json-pointer:{at}/block_id]"));
        }
        tables += usize::from(block.get("type").is_some_and(|kind| kind == "table"));
    }
    if tables > 1 {
        problems.push(format!("only one table allowed [json-pointer:{pointer}]"));
    }
    problems
}

/// Block types that are known, and not looked into.
const UNCHECKED: [&str; 11] = [
    "file",
    "video",
    "rich_text",
    "card",
    "carousel",
    "context_actions",
    "container",
    "plan",
    "task_card",
    "data_table",
    "data_visualization",
];

fn check(block: &Value, surface: Surface, at: &str, problems: &mut Vec<String>) {
    let Some(fields) = block.as_object() else {
        problems.push(format!("must be an object [json-pointer:{at}]"));
        return;
    };
    let Some(kind) = fields.get("type").and_then(Value::as_str) else {
        problems.push(format!("missing required field: type [json-pointer:{at}]"));
        return;
    };
    length(fields, "block_id", 255, at, problems);
    match kind {
        "divider" => {}
        "section" => section(fields, at, problems),
        "header" => required_text(fields, "text", 150, true, at, problems),
        "image" => image(fields, at, problems),
        "actions" => {
            let elements = list(fields, "elements", 25, at, problems);
            element::check_all(elements, element::ACTIONS, &format!("{at}/elements"), problems);
        }
        "context" => context(fields, at, problems),
        "input" => input(fields, at, problems),
        "markdown" => markdown(fields, at, problems),
        "table" => table(fields, at, problems),
        "alert" if surface == Surface::Modal => required_text(fields, "text", 200, false, at, problems),
        "alert" => problems.push(format!("block type is only allowed in modals: alert [json-pointer:{at}/type]")),
        kind if UNCHECKED.contains(&kind) => {}
        kind => problems.push(format!("unsupported type: {kind} [json-pointer:{at}]")),
    }
}

fn section(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    match fields.get("text") {
        Some(value) => text(value, 3_000, &format!("{at}/text"), problems),
        None if fields.contains_key("fields") => {}
        None => problems.push(format!("missing required field: text [json-pointer:{at}]")),
    }
    if fields.contains_key("fields") {
        for (index, field) in list(fields, "fields", 10, at, problems).iter().enumerate() {
            text(field, 2_000, &format!("{at}/fields/{index}"), problems);
        }
    }
    if let Some(accessory) = fields.get("accessory") {
        let at = format!("{at}/accessory");
        element::check_all(std::slice::from_ref(accessory), element::ACCESSORIES, &at, problems);
    }
}

fn image(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    if !fields.contains_key("image_url") && !fields.contains_key("slack_file") {
        problems.push(format!("missing required field: image_url [json-pointer:{at}]"));
    }
    length(fields, "image_url", 3_000, at, problems);
    if !fields.contains_key("alt_text") {
        problems.push(format!("missing required field: alt_text [json-pointer:{at}]"));
    }
    length(fields, "alt_text", 2_000, at, problems);
    if let Some(title) = fields.get("title") {
        plain_text(title, 2_000, &format!("{at}/title"), problems);
    }
}

fn context(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    for (index, element) in list(fields, "elements", 10, at, problems).iter().enumerate() {
        let at = format!("{at}/elements/{index}");
        match element.get("type").and_then(Value::as_str) {
            Some("image") => image(element.as_object().unwrap_or(&Map::new()), &at, problems),
            _ => text(element, 3_000, &at, problems),
        }
    }
}

fn input(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    required_text(fields, "label", 2_000, true, at, problems);
    if let Some(hint) = fields.get("hint") {
        plain_text(hint, 2_000, &format!("{at}/hint"), problems);
    }
    match fields.get("element") {
        None => problems.push(format!("missing required field: element [json-pointer:{at}]")),
        Some(one) => {
            let at = format!("{at}/element");
            element::check_all(std::slice::from_ref(one), element::INPUTS, &at, problems);
        }
    }
}

fn markdown(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    match fields.get("text").and_then(Value::as_str) {
        None => problems.push(format!("missing required field: text [json-pointer:{at}]")),
        Some("") => problems.push(format!("must be more than 0 characters [json-pointer:{at}/text]")),
        Some(_) => length(fields, "text", 12_000, at, problems),
    }
}

fn table(fields: &Map<String, Value>, at: &str, problems: &mut Vec<String>) {
    let rows = list(fields, "rows", 100, at, problems);
    for (index, row) in rows.iter().enumerate() {
        let cells = row.as_array().map_or(0, Vec::len);
        if cells == 0 || cells > 20 {
            problems.push(format!("must have 1 to 20 cells [json-pointer:{at}/rows/{index}]"));
        }
    }
    let characters: usize = super::shown(rows).chars().count();
    if characters > 10_000 {
        problems.push(format!("must be less than 10001 characters [json-pointer:{at}/rows]"));
    }
}

/// The items of a list that must be there and may have so many.
pub(super) fn list<'a>(
    fields: &'a Map<String, Value>,
    key: &str,
    most: usize,
    at: &str,
    problems: &mut Vec<String>,
) -> &'a [Value] {
    let Some(items) = fields.get(key).and_then(Value::as_array) else {
        problems.push(format!("missing required field: {key} [json-pointer:{at}]"));
        return &[];
    };
    if items.is_empty() {
        problems.push(format!("no less than 1 items allowed [json-pointer:{at}/{key}]"));
    }
    if items.len() > most {
        problems.push(format!("no more than {most} items allowed [json-pointer:{at}/{key}]"));
    }
    items
}

/// A string that may be so long.
pub(super) fn length(fields: &Map<String, Value>, key: &str, most: usize, at: &str, problems: &mut Vec<String>) {
    let Some(value) = fields.get(key).filter(|value| !value.is_null()) else {
        return;
    };
    match value.as_str() {
        None => problems.push(format!("must be a string [json-pointer:{at}/{key}]")),
        Some(text) if text.chars().count() > most => {
            problems.push(format!("must be less than {} characters [json-pointer:{at}/{key}]", most + 1));
        }
        Some(_) => {}
    }
}

pub(super) fn required_text(
    fields: &Map<String, Value>,
    key: &str,
    most: usize,
    plain: bool,
    at: &str,
    problems: &mut Vec<String>,
) {
    let pointer = format!("{at}/{key}");
    match fields.get(key) {
        None => problems.push(format!("missing required field: {key} [json-pointer:{at}]")),
        Some(value) if plain => plain_text(value, most, &pointer, problems),
        Some(value) => text(value, most, &pointer, problems),
    }
}

/// A text object without markup.
pub(crate) fn plain_text(value: &Value, most: usize, at: &str, problems: &mut Vec<String>) {
    if value.get("type").and_then(Value::as_str) != Some("plain_text") {
        problems.push(format!("must be one of: plain_text [json-pointer:{at}/type]"));
    }
    characters(value, most, at, problems);
}

/// A text object.
pub(super) fn text(value: &Value, most: usize, at: &str, problems: &mut Vec<String>) {
    if !matches!(value.get("type").and_then(Value::as_str), Some("plain_text" | "mrkdwn")) {
        problems.push(format!("must be one of: plain_text, mrkdwn [json-pointer:{at}/type]"));
    }
    if value.get("type").is_some_and(|kind| kind == "mrkdwn") && value.get("emoji").is_some() {
        problems.push(format!("additional property: emoji [json-pointer:{at}/emoji]"));
    }
    characters(value, most, at, problems);
}

fn characters(value: &Value, most: usize, at: &str, problems: &mut Vec<String>) {
    match value.get("text").and_then(Value::as_str) {
        None => problems.push(format!("missing required field: text [json-pointer:{at}]")),
        Some("") => problems.push(format!("must be more than 0 characters [json-pointer:{at}/text]")),
        Some(text) if text.chars().count() > most => {
            problems.push(format!("must be less than {} characters [json-pointer:{at}/text]", most + 1));
        }
        Some(_) => {}
    }
}
