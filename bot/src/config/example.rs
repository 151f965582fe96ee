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

/// What could be written at a key, which wants a value of that type.
pub(super) fn of(key: &str, wanted: &str) -> String {
    let whole = whole();
    let value = DeTable::parse(&whole).ok().and_then(|table| find(table.get_ref(), key));
    let name = key.rsplit('.').next().unwrap_or(key).split('[').next().unwrap_or(key);
    match (value, wanted) {
        (Some(value), _) => format!("{name} = {value}"),
        (None, "a list") => format!("{name} = [\"a\", \"b\"]"),
        (None, "a section") => format!("[{key}] and its keys below it"),
        (None, "true or false") => format!("{name} = true"),
        (None, "a text") => format!("{name} = \"...\""),
        (None, _) => format!("{name} = 1"),
    }
}

/// The example's value at a key, where it has one that says something.
fn find(table: &DeTable<'_>, key: &str) -> Option<String> {
    let mut parts = key.split('.').peekable();
    let mut table = table;
    while let Some(part) = parts.next() {
        let value = table.get(part.split('[').next()?)?.get_ref();
        let last = parts.peek().is_none();
        table = match value {
            DeValue::Table(inner) => inner,
            DeValue::Array(items) if !last => items.iter().next()?.get_ref().as_table()?,
            DeValue::Array(items) => {
                let words: Option<Vec<String>> = items.iter().map(|item| scalar(item.get_ref())).collect();
                return words.filter(|words| !words.is_empty()).map(|words| format!("[{}]", words.join(", ")));
            }
            value => return scalar(value).filter(|_| last),
        };
    }
    None
}

fn scalar(value: &DeValue<'_>) -> Option<String> {
    match value {
        DeValue::String(text) if !text.is_empty() => Some(format!("\"{text}\"")),
        DeValue::Integer(number) => Some(number.as_str().to_owned()),
        DeValue::Boolean(truth) => Some(truth.to_string()),
        _ => None,
    }
}
