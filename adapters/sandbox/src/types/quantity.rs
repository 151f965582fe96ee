//! Quantities in the one form in which an API server keeps each: `0.5` is `500m`, `1024Mi` is `1Gi`.

use serde_json::{Map, Value};

use super::Type;

const BINARY: [&str; 7] = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];
const DECIMAL: [&str; 7] = ["", "k", "M", "G", "T", "P", "E"];

/// How deep an object is looked into.
const DEEPEST: usize = 64;

/// Puts the quantities of an object of a built-in kind into their one form; numbers become text.
pub(crate) fn settle(api_version: &str, kind: &str, object: &mut Value) {
    if let (Some(own), Value::Object(fields)) = (Type::of(api_version, kind), object) {
        settle_fields(own, fields, 0);
    }
}

fn settle_fields(own: Type, fields: &mut Map<String, Value>, depth: usize) {
    if depth > DEEPEST {
        return;
    }
    for (name, value) in fields {
        let Some((_, field)) = own.field(name) else { continue };
        let kind = field.kind.trim_start_matches("List:").trim_start_matches("Map:");
        match kind {
            "Quantity" => each(value, &mut settle_one),
            "Part" => {
                let Some(part) = Type::named(field.target) else { continue };
                // A list or map of parts is one step further away than a part.
                let mut settle_part = |value: &mut Value| {
                    if let Value::Object(fields) = value {
                        settle_fields(part, fields, depth + 1);
                    }
                };
                if field.kind == "Part" { settle_part(value) } else { each(value, &mut settle_part) }
            }
            _ => {}
        }
    }
}

/// Every value of a list or a map, or the value itself.
fn each(value: &mut Value, act: &mut dyn FnMut(&mut Value)) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(act),
        Value::Object(entries) => entries.values_mut().for_each(act),
        other => act(other),
    }
}

fn settle_one(value: &mut Value) {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return,
    };
    *value = canonical(&text).unwrap_or(text).into();
}

/// The one form of a quantity; nothing for what is written with an exponent, is finer than a thousandth, or is none.
fn canonical(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '-')).unwrap_or(text.len());
    let (number, suffix) = text.split_at_checked(end)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.ends_with('.') || number.len() > 18 {
        return None;
    }
    let mantissa: i128 = format!("{whole}{fraction}").parse().ok()?;
    let scale = 10_i128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let binary = BINARY.iter().skip(1).position(|known| *known == suffix);
    let (times, parts) = match (binary, DECIMAL.iter().position(|known| *known == suffix), suffix) {
        (Some(place), ..) => (1024_i128.checked_pow(u32::try_from(place + 1).ok()?)?, 1),
        (None, Some(place), _) => (1000_i128.checked_pow(u32::try_from(place).ok()?)?, 1),
        (None, None, "m") => (1, 1000),
        (None, None, "u") => (1, 1_000_000),
        (None, None, "n") => (1, 1_000_000_000),
        _ => return None,
    };
    let thousandths = mantissa.checked_mul(times)?.checked_mul(1000)?;
    let divisor = scale * parts;
    if thousandths % divisor != 0 || i64::try_from(thousandths / divisor / 1000).is_err() {
        return None;
    }
    let thousandths = thousandths / divisor;
    Some(match (thousandths % 1000, binary) {
        (0, Some(_)) => with_suffix(thousandths / 1000, 1024, BINARY),
        (0, None) => with_suffix(thousandths / 1000, 1000, DECIMAL),
        _ => format!("{thousandths}m"),
    })
}

fn with_suffix(mut value: i128, step: i128, suffixes: [&str; 7]) -> String {
    let mut suffix = "";
    for next in suffixes.into_iter().skip(1) {
        if value == 0 || value % step != 0 {
            break;
        }
        value /= step;
        suffix = next;
    }
    format!("{value}{suffix}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    // What a 1.34 server made of each.
    #[test]
    fn quantities_have_one_form() {
        for (written, kept) in [
            (json!("0.5"), "500m"),
            (json!(0.5), "500m"),
            (json!(1), "1"),
            (json!(1.5), "1500m"),
            (json!(1_000_000), "1M"),
            (json!("1000m"), "1"),
            (json!("1500m"), "1500m"),
            (json!("1000"), "1k"),
            (json!("1024"), "1024"),
            (json!("1024Mi"), "1Gi"),
            (json!("1.5Gi"), "1536Mi"),
            (json!("0.5Gi"), "512Mi"),
            (json!("1500Mi"), "1500Mi"),
            (json!("0.1Ki"), "102400m"),
            (json!("0.25Ki"), "256"),
            (json!("3.14Gi"), "3371549327360m"),
            (json!("1000k"), "1M"),
            (json!("1.0"), "1"),
            (json!(".5"), "500m"),
            (json!("0m"), "0"),
            (json!("0Gi"), "0"),
            (json!("1000u"), "1m"),
            (json!("1Ei"), "1Ei"),
            (json!("1E"), "1E"),
            (json!("5."), "5."),
            (json!("+2"), "+2"),
            (json!("1e3"), "1e3"),
            (json!("123456789012345678901234567890"), "123456789012345678901234567890"),
            (json!("many"), "many"),
        ] {
            let mut value = written.clone();
            settle_one(&mut value);
            assert_eq!(value, kept, "{written}");
        }
    }

    #[test]
    fn quantities_are_found_wherever_a_kind_has_them() {
        let mut pod = json!({"spec": {
            "containers": [{"name": "1000m", "resources": {"limits": {"cpu": 1, "memory": "1024Mi"}}}],
            "volumes": [{"name": "v", "emptyDir": {"sizeLimit": "1024Ki"}}],
        }});
        settle("v1", "Pod", &mut pod);
        assert_eq!(pod["spec"]["containers"][0]["resources"]["limits"], json!({"cpu": "1", "memory": "1Gi"}));
        assert_eq!(pod["spec"]["containers"][0]["name"], "1000m");
        assert_eq!(pod["spec"]["volumes"][0]["emptyDir"]["sizeLimit"], "1Mi");
    }

    proptest! {
        #[test]
        fn no_text_panics_and_the_form_is_settled(text in "[-+0-9.]{0,20}[a-zA-Z]{0,2}|\\PC{0,12}") {
            if let Some(once) = canonical(&text) {
                prop_assert_eq!(canonical(&once).unwrap_or_else(|| once.clone()), once);
            }
        }
    }
}
