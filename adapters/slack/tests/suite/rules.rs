//! What must hold of everything that is sent, checked on the JSON that Slack reads.

use kubewhy_chat::Message;
use kubewhy_slack::limits;
use kubewhy_slack::render::{Rendering, render};
use kubewhy_text::is_hostile;
use serde_json::Value;

/// Renders a message, checks what comes out, and says how many blocks that are.
pub(crate) fn check(message: &Message) -> Result<usize, String> {
    let Rendering { first, thread, files } = render(message);
    let mut count = 0;
    let mut actions = Vec::new();
    for screen in std::iter::once(&first).chain(&thread) {
        let content = serde_json::to_value(screen.content()).map_err(|error| error.to_string())?;
        let blocks = serde_json::to_value(&screen.blocks).map_err(|error| error.to_string())?;
        let size = blocks.to_string().len();
        within("the JSON of the blocks", size, limits::MESSAGE + 2)?;
        within("the weight of the blocks", limits::weight(&blocks), limits::MESSAGE + 2)?;
        within("the blocks", screen.blocks.len(), limits::BLOCKS)?;
        if screen.blocks.is_empty() || screen.text.trim().is_empty() {
            return Err("a message with nothing in it".to_owned());
        }
        // Letters that are escaped are longer than they are read.
        within("the text", screen.text.chars().count(), 5 * limits::TEXT + 1)?;
        if screen.text.contains(['<', '>', '`', '*']) {
            return Err(format!("a sign of Slack in the text: {:?}", screen.text));
        }
        let tables =
            screen.blocks.iter().filter(|block| matches!(block, slack_morphism::prelude::SlackBlock::Table(_)));
        within("the tables", tables.count(), 1)?;
        value(&content, &mut actions)?;
        count += screen.blocks.len();
    }
    within("the thread", thread.len(), limits::THREAD)?;
    let all = actions.len();
    actions.sort();
    actions.dedup();
    if actions.len() != all {
        return Err("two buttons with the same place".to_owned());
    }
    for file in &files {
        let harmless = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if !file.name.chars().all(harmless) || file.name.starts_with('.') || file.bytes.is_empty() {
            return Err(format!("a file {:?} of {} bytes", file.name, file.bytes.len()));
        }
        within("the title of a file", limits::length(&file.title), limits::PLACEHOLDER)?;
    }
    Ok(count)
}

pub(crate) fn within(what: &str, is: usize, most: usize) -> Result<(), String> {
    if is <= most { Ok(()) } else { Err(format!("{what}: {is} of {most}")) }
}

/// Checks everything in a part of a message by its type.
pub(crate) fn value(part: &Value, actions: &mut Vec<String>) -> Result<(), String> {
    match part {
        Value::Array(parts) => parts.iter().try_for_each(|part| value(part, actions)),
        Value::String(words) => clean(words),
        Value::Object(fields) => {
            if let Some(kind) = fields.get("type").and_then(Value::as_str) {
                by_type(kind, part, actions)?;
            }
            fields.values().try_for_each(|part| value(part, actions))
        }
        _ => Ok(()),
    }
}

fn clean(words: &str) -> Result<(), String> {
    match words.chars().find(|c| is_hostile(*c) && *c != '\n') {
        Some(c) => Err(format!("{c:?} in {words:?}")),
        None => Ok(()),
    }
}

fn by_type(kind: &str, part: &Value, actions: &mut Vec<String>) -> Result<(), String> {
    let words = |name: &str| part[name].as_str().unwrap_or_default();
    let long = |name: &str| part[name].as_array().map_or(0, Vec::len);
    let label = |name: &str| limits::length(part[name]["text"].as_str().unwrap_or_default());
    if let Some(id) = part["action_id"].as_str() {
        actions.push(id.to_owned());
        within("an action's id", id.len(), limits::ID)?;
    }
    match kind {
        "text" | "raw_text" | "plain_text" | "mrkdwn" => {
            let words = words("text");
            if words.is_empty() {
                return Err(format!("{kind} without words"));
            }
            if kind == "plain_text" {
                within("plain text", limits::length(words), limits::TEXT_OBJECT)?;
                if words.contains(['<', '>']) {
                    return Err(format!("brackets in plain text: {words:?}"));
                }
            }
            if kind == "mrkdwn" && !(words.starts_with("<!date^") && words.ends_with(" UTC>")) {
                return Err(format!("Slack's own language for more than a time: {words:?}"));
            }
        }
        "rich_text_section" | "rich_text_quote" | "rich_text_preformatted" | "rich_text_list" | "rich_text" => {
            if long("elements") == 0 {
                return Err(format!("{kind} without elements"));
            }
        }
        "context" => within("a context", long("elements"), limits::CONTEXT_ELEMENTS)?,
        "actions" => within("the actions", long("elements"), limits::ACTIONS)?,
        "static_select" => {
            within("the options", long("options"), limits::OPTIONS)?;
            for option in part["options"].as_array().into_iter().flatten() {
                within(
                    "an option",
                    limits::length(option["text"]["text"].as_str().unwrap_or_default()),
                    limits::OPTION,
                )?;
                within("an option's value", option["value"].as_str().unwrap_or_default().len(), 100)?;
            }
        }
        "button" => {
            within("a button", label("text"), limits::BUTTON)?;
            within("a button's value", words("value").len(), 100)?;
            within("a button's address", words("url").len(), limits::URL)?;
            if !part["url"].is_null() && !(words("url").starts_with("https://") || words("url").starts_with("http://"))
            {
                return Err(format!("a button leads to {}", part["url"]));
            }
        }
        "table" => {
            within("the rows", long("rows"), limits::TABLE_ROWS)?;
            let widths: Vec<usize> =
                part["rows"].as_array().into_iter().flatten().map(|row| row.as_array().map_or(0, Vec::len)).collect();
            within("the columns", widths.iter().copied().max().unwrap_or(0), limits::TABLE_COLUMNS)?;
            if widths.iter().any(|width| Some(width) != widths.first()) {
                return Err("rows of different lengths".to_owned());
            }
        }
        "date" | "input" | "plain_text_input" | "modal" => {}
        other => return Err(format!("{other} is not used by us")),
    }
    Ok(())
}
