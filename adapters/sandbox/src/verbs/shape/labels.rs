//! What keys and values of labels and annotations may be.

use serde_json::Value;

use crate::object::metadata_map;
use crate::status::Cause;

const NAME: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const PREFIX: &str = "prefix part a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' \
    or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const SLASHES: &str = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
    with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
    'example.com/MyName')";
const VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

/// The longest name of a label, and the longest value.
const LONGEST: usize = 63;

/// Adds what is wrong with the labels and annotations of an object.
pub(super) fn validate(object: &Value, causes: &mut Vec<Cause>) {
    for (key, value) in metadata_map(object, "labels") {
        if let Some(detail) = wrong_key(key) {
            causes.push(Cause::invalid("metadata.labels", &key.as_str().into(), detail));
        }
        let value = value.as_str().unwrap_or_default();
        if value.len() > LONGEST {
            let detail = "must be no more than 63 characters";
            causes.push(Cause::invalid("metadata.labels", &value.into(), detail));
        } else if !value.is_empty() && !is_name(value) {
            causes.push(Cause::invalid("metadata.labels", &value.into(), VALUE));
        }
    }
    for (key, _) in metadata_map(object, "annotations") {
        // Annotations may be written in upper case.
        if let Some(detail) = wrong_key(&key.to_lowercase()) {
            causes.push(Cause::invalid("metadata.annotations", &key.as_str().into(), detail));
        }
    }
}

fn wrong_key(key: &str) -> Option<&'static str> {
    let (prefix, name) = match key.split_once('/') {
        Some((_, name)) if name.contains('/') => return Some(SLASHES),
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let is_part = |part: &str| {
        let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        part.starts_with(inner) && part.ends_with(inner) && part.chars().all(|c| inner(c) || c == '-')
    };
    match prefix {
        Some("") => return Some("prefix part must be non-empty"),
        Some(prefix) if !prefix.split('.').all(is_part) => return Some(PREFIX),
        _ => {}
    }
    match name {
        "" => Some("name part must be non-empty"),
        name if name.len() > LONGEST => Some("name part must be no more than 63 characters"),
        name => (!is_name(name)).then_some(NAME),
    }
}

fn is_name(text: &str) -> bool {
    let outer = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(outer) && text.ends_with(outer) && text.chars().all(|c| outer(c) || matches!(c, '-' | '_' | '.'))
}
