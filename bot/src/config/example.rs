//! What can be written, from the example file.

use toml::de::{DeTable, DeValue};

/// The example with everything in it switched on.
pub(super) fn whole() -> String {
    let lines = super::EXAMPLE.lines().map(|line| match line.strip_prefix('#') {
        // A setting that is off stands right behind the sign, words after a space.
        Some(setting) if !setting.starts_with(' ') => setting,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A value that could be written at a key, which wants one of that type; `None` for a section.
pub(super) fn of(key: &str, wanted: &str) -> Option<String> {
    let whole = whole();
    let value = DeTable::parse(&whole).ok().and_then(|table| find(table.get_ref(), key));
    let general = match wanted {
        "a section" => None,
        "a list" => Some("[\"a\", \"b\"]"),
        "true or false" => Some("true"),
        "a text" => Some("\"...\""),
        _ => Some("1"),
    };
    value.or_else(|| general.map(str::to_owned))
}

/// The last part of a key: what stands before the sign of equality.
pub(super) fn name(key: &str) -> &str {
    let last = key.rsplit('.').next().unwrap_or(key);
    last.split('[').next().unwrap_or(last)
}

/// The example's value at a key, where it has one that says something.
fn find(table: &DeTable<'_>, key: &str) -> Option<String> {
    let mut parts = key.split('.').map(name).peekable();
    let mut table = table;
    while let Some(part) = parts.next() {
        let value = table.get(part)?.get_ref();
        if parts.peek().is_none() {
            return if matches!(value, DeValue::Table(_)) { None } else { shown(value) };
        }
        table = match value {
            DeValue::Table(inner) => inner,
            DeValue::Array(items) => items.iter().next()?.get_ref().as_table()?,
            _ => return None,
        };
    }
    None
}

/// A value in one line; `None` for one that says nothing.
fn shown(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) => (!text.is_empty()).then(|| format!("\"{text}\"")),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        DeValue::Array(items) => {
            let items: Vec<String> = items.iter().filter_map(|item| shown(item.get_ref())).collect();
            (!items.is_empty()).then(|| format!("[{}]", items.join(", ")))
        }
        DeValue::Table(fields) => {
            let fields = fields
                .iter()
                .filter_map(|(name, value)| Some(format!("{} = {}", name.get_ref(), shown(value.get_ref())?)));
            Some(format!("{{{}}}", fields.collect::<Vec<_>>().join(", ")))
        }
        DeValue::Float(_) | DeValue::Datetime(_) => None,
    }
}
