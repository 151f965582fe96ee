//! The form of what a bot sends, checked as Discord checks it: every violated limit at its path.

pub(crate) mod component;
pub(crate) mod embed;
pub(crate) mod modal;

use std::fmt::Write as _;

use serde_json::Value;

use crate::error::Form;

/// The elements of a list, none for anything else.
pub(crate) fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text of an object, empty for none.
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// A whole number of an object, however it is written.
pub(crate) fn number(value: &Value, key: &str) -> Option<u64> {
    match value.get(key)? {
        Value::Number(number) => number.as_u64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

/// A flag of an object, false for none.
pub(crate) fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

/// Puts a key behind a path.
pub(crate) fn at(path: &str, key: impl std::fmt::Display) -> String {
    let mut longer = path.to_owned();
    if !longer.is_empty() {
        longer.push('.');
    }
    let _ = write!(longer, "{key}");
    longer
}

/// Checks an address: only the schemes a person can safely follow.
pub(crate) fn url(form: &mut Form, path: &str, url: &str, schemes: &[&str]) {
    let Some((scheme, rest)) = url.split_once(':') else {
        form.wrong(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
        return;
    };
    if !schemes.contains(&scheme.to_ascii_lowercase().as_str()) {
        let text = format!("Scheme \"{scheme}\" must be one of {schemes:?}.");
        form.wrong(path, "URL_TYPE_INVALID_SCHEME", text);
    } else if rest.trim_start_matches('/').is_empty() || url.contains(char::is_whitespace) {
        form.wrong(path, "URL_TYPE_INVALID_URL", "Not a well formed URL.");
    }
}

/// Checks a number's range.
pub(crate) fn range(form: &mut Form, path: &str, value: Option<&Value>, least: u64, most: u64) {
    let Some(value) = value.filter(|value| !value.is_null()) else { return };
    match value.as_u64() {
        None => form.wrong(path, "NUMBER_TYPE_COERCE", format!("Value \"{value}\" is not int.")),
        Some(number) if number < least => {
            form.wrong(path, "NUMBER_TYPE_MIN", format!("int value should be greater than or equal to {least}."));
        }
        Some(number) if number > most => {
            form.wrong(path, "NUMBER_TYPE_MAX", format!("int value should be less than or equal to {most}."));
        }
        Some(_) => {}
    }
}
