//! Embeds: ten of them, 6,000 characters together.

use serde_json::{Value, json};

use super::{at, list, range, text, url};
use crate::error::Form;
use crate::state::set;

/// Characters of all embeds of a message together.
const TOTAL: usize = 6_000;

/// Checks the embeds of a message and writes them as Discord keeps them.
pub(crate) fn embeds(form: &mut Form, path: &str, embeds: &[Value]) -> Vec<Value> {
    form.count(path, embeds.len(), 0, 10);
    let mut total = 0;
    for (place, embed) in embeds.iter().enumerate() {
        total += one(form, &at(path, place), embed);
    }
    if total > TOTAL {
        form.wrong(path, "MAX_EMBED_SIZE_EXCEEDED", format!("Embed size exceeds maximum size of {TOTAL}"));
    }
    embeds.iter().map(kept).collect()
}

fn one(form: &mut Form, path: &str, embed: &Value) -> usize {
    if !embed.is_object() {
        form.wrong(path, "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        return 0;
    }
    form.text(&at(path, "title"), embed.get("title"), 0, 256);
    form.text(&at(path, "description"), embed.get("description"), 0, 4_096);
    range(form, &at(path, "color"), embed.get("color"), 0, 0xff_ffff);
    for (holder, key, most) in [("footer", "text", 2_048), ("author", "name", 256)] {
        if let Some(holding) = embed.get(holder).filter(|value| value.is_object()) {
            form.text(&at(path, format!("{holder}.{key}")), holding.get(key), 1, most);
        }
    }
    if let Some(link) = embed.get("url").and_then(Value::as_str) {
        url(form, &at(path, "url"), link, &["http", "https"]);
    }
    for holder in ["image", "thumbnail"] {
        if let Some(link) = embed.get(holder).and_then(|image| image.get("url")).and_then(Value::as_str) {
            url(form, &at(path, format!("{holder}.url")), link, &["http", "https", "attachment"]);
        }
    }
    if let Some(time) = embed.get("timestamp").and_then(Value::as_str)
        && time.parse::<jiff::Timestamp>().is_err()
    {
        form.wrong(
            &at(path, "timestamp"),
            "DATE_TIME_TYPE_PARSE",
            format!("Could not parse {time}. Should be ISO8601."),
        );
    }
    let fields = list(embed, "fields");
    form.count(&at(path, "fields"), fields.len(), 0, 25);
    for (place, field) in fields.iter().enumerate() {
        form.text(&at(path, format!("fields.{place}.name")), field.get("name"), 1, 256);
        form.text(&at(path, format!("fields.{place}.value")), field.get("value"), 1, 1_024);
    }
    size(embed)
}

/// The characters of an embed that count.
fn size(embed: &Value) -> usize {
    let length = |value: &Value, key: &str| text(value, key).chars().count();
    let held = |holder: &str, key: &str| embed.get(holder).map_or(0, |value| length(value, key));
    let fields: usize = list(embed, "fields").iter().map(|field| length(field, "name") + length(field, "value")).sum();
    length(embed, "title") + length(embed, "description") + held("footer", "text") + held("author", "name") + fields
}

fn kept(embed: &Value) -> Value {
    let mut embed = embed.clone();
    set(&mut embed, "type", json!("rich"));
    if let Some(Value::Array(fields)) = embed.get_mut("fields") {
        for field in fields {
            let inline = super::flag(field, "inline");
            set(field, "inline", json!(inline));
        }
    }
    embed
}

/// Says whether an embed shows anything.
pub(crate) fn is_empty(embed: &Value) -> bool {
    let shows = ["title", "description", "fields", "image", "thumbnail", "footer", "author", "url"];
    !shows.iter().any(|key| embed.get(key).is_some_and(|value| !value.is_null() && value != "" && value != &json!([])))
}
