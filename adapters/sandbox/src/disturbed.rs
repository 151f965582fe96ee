//! Real objects with something else in some of their places, for tests that nothing panics on.

use serde_json::Value;

/// Puts other values in every fifth place of an object; `place` is the number of its first one.
pub(crate) fn disturbed(object: &Value, noise: &[Value], place: &mut usize) -> Value {
    *place += 1;
    if place.is_multiple_of(5)
        && let Some(other) = noise.get(*place % noise.len().max(1))
    {
        return other.clone();
    }
    match object {
        Value::Object(fields) => {
            fields.iter().map(|(key, value)| (key.clone(), disturbed(value, noise, place))).collect()
        }
        Value::Array(items) => items.iter().map(|item| disturbed(item, noise, place)).collect(),
        other => other.clone(),
    }
}
