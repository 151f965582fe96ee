//! Small steps on JSON objects that no hostile shape can make fail.

use serde_json::Value;

/// A JSON object.
pub(crate) type Map = serde_json::Map<String, Value>;

/// The object in a value, and an empty one where it is something else.
pub(crate) fn map_of(value: Value) -> Map {
    if let Value::Object(map) = value { map } else { Map::new() }
}

/// Sets a field that is not there yet.
pub(crate) fn fill(map: &mut Map, key: &str, value: impl Into<Value>) {
    if !map.contains_key(key) {
        map.insert(key.to_owned(), value.into());
    }
}

/// The object in a field, made where it is missing or something else.
pub(crate) fn child<'a>(map: &'a mut Map, key: &str) -> &'a mut Map {
    let value = map.entry(key).or_insert_with(|| Value::Object(Map::new()));
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("it was made an object just now")
}

/// The objects of a list.
pub(crate) fn each_mut<'a>(map: &'a mut Map, key: &str) -> impl Iterator<Item = &'a mut Map> {
    map.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

/// The objects of a list.
pub(crate) fn each<'a>(map: &'a Map, key: &str) -> impl Iterator<Item = &'a Map> {
    map.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
}

/// The string in a field, and an empty one where there is none.
pub(crate) fn text<'a>(map: &'a Map, key: &str) -> &'a str {
    map.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// What a path of fields leads to.
pub(crate) fn at<'a>(value: &'a Value, path: &[&str]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, key| value.get(key))
}

/// The string that a path of fields leads to, and an empty one where there is none.
pub(crate) fn text_at<'a>(value: &'a Value, path: &[&str]) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

/// Merges a patch over an object (RFC 7396).
pub(crate) fn merge(target: &mut Map, patch: &Map) {
    let mut value = Value::Object(std::mem::take(target));
    json_patch::merge(&mut value, &Value::Object(patch.clone()));
    *target = map_of(value);
}

/// Merges conditions (or other lists with a key field) by that field: same key over, others added.
pub(crate) fn merge_keyed(list: &mut Vec<Value>, over: &[Map], key: &str) {
    for patch in over {
        let same = list.iter_mut().filter_map(Value::as_object_mut).find(|item| item.get(key) == patch.get(key));
        if let Some(item) = same {
            merge(item, patch);
        } else {
            list.push(Value::Object(patch.clone()));
        }
    }
}

/// Runs over every string value with the key it stands under.
pub(crate) fn each_string(value: &mut Value, key: &str, change: &mut dyn FnMut(&str, &str) -> Option<String>) {
    match value {
        Value::String(text) => {
            if let Some(new) = change(key, text) {
                *text = new;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| each_string(item, key, change)),
        Value::Object(map) => map.iter_mut().for_each(|(key, value)| each_string(value, key, change)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
