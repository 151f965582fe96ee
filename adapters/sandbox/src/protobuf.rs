//! Bodies in protobuf. Clients written in Go send built-in kinds so, kubectl's `create` among them, and take no other form for an answer
//! to a refusal; what is sent to them may be JSON.

mod wire;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use jiff::Timestamp;
use serde_json::{Map, Value};

use self::wire::{Reader, Wire};
use crate::{status::Status, types::Type};

/// The media type of these bodies.
const MEDIA_TYPE: &str = "application/vnd.kubernetes.protobuf";

/// With what every such body starts.
const MAGIC: &[u8] = b"k8s\0";

/// How deep messages may nest; no kind of Kubernetes comes near.
const DEEPEST: usize = 48;

/// Turns a body in protobuf into JSON, and its headers with it; leaves every other body as it is.
///
/// # Errors
/// 415 for a kind that is not known in this form, 400 for a body that cannot be read.
pub(crate) fn as_json(headers: &mut HeaderMap, body: Bytes) -> Result<Bytes, Status> {
    let content_type = headers.get(CONTENT_TYPE).map_or(&[][..], HeaderValue::as_bytes);
    if body.is_empty() || !content_type.starts_with(MEDIA_TYPE.as_bytes()) {
        return Ok(body);
    }
    let object = decode(&body)?;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(object.to_string().into())
}

/// The object in a body, as JSON has it.
fn decode(body: &[u8]) -> Result<Value, Status> {
    let unreadable = || Status::bad_request("the body of the request could not be decoded as protobuf");
    let envelope = body.strip_prefix(MAGIC).ok_or_else(unreadable)?;
    let (api_version, kind, raw) = open(envelope).ok_or_else(unreadable)?;
    let own = Type::of(&api_version, &kind)
        .ok_or_else(|| Status::unsupported_media_type(&["application/json", "application/yaml"]))?;
    let mut object = message(own, raw, 0).ok_or_else(unreadable)?;
    object.insert("apiVersion".to_owned(), api_version.into());
    object.insert("kind".to_owned(), kind.into());
    Ok(Value::Object(object))
}

/// Version, kind and content of the envelope around every object.
fn open(envelope: &[u8]) -> Option<(String, String, &[u8])> {
    let (mut api_version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for field in Reader::new(envelope) {
        match field? {
            (1, Wire::Bytes(type_meta)) => {
                for field in Reader::new(type_meta) {
                    match field? {
                        (1, Wire::Bytes(text)) => api_version = text_of(text)?,
                        (2, Wire::Bytes(text)) => kind = text_of(text)?,
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(content)) => raw = content,
            _ => {}
        }
    }
    Some((api_version, kind, raw))
}

fn message(own: Type, bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    if depth > DEEPEST {
        return None;
    }
    let mut object = Map::new();
    for found in Reader::new(bytes) {
        let (number, wire) = found?;
        let Some(field) = own.numbered(number) else { continue };
        if let Some(kind) = field.kind.strip_prefix("List:") {
            let item = value(kind, field.target, &wire, depth)?;
            match object.entry(field.name).or_insert_with(|| Value::Array(Vec::new())) {
                Value::Array(items) => items.push(item),
                other => *other = item,
            }
        } else if let Some(kind) = field.kind.strip_prefix("Map:") {
            let (key, item) = entry(kind, field.target, &wire, depth)?;
            match object.entry(field.name).or_insert_with(|| Value::Object(Map::new())) {
                Value::Object(entries) => drop(entries.insert(key, item)),
                other => *other = item,
            }
        } else {
            let value = value(field.kind, field.target, &wire, depth)?;
            match value {
                Value::Object(inlined) if field.name == "-" => object.extend(inlined),
                Value::Null => {}
                value if field.omits_zero && is_zero(&value) => {}
                value => drop(object.insert(field.name.to_owned(), value)),
            }
        }
    }
    Some(object)
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_i64() == Some(0),
        Value::Bool(flag) => !flag,
        _ => false,
    }
}

fn entry(kind: &str, target: &str, wire: &Wire<'_>, depth: usize) -> Option<(String, Value)> {
    let Wire::Bytes(bytes) = wire else { return None };
    let (mut key, mut item) = (String::new(), Value::Null);
    for field in Reader::new(bytes) {
        match field? {
            (1, Wire::Bytes(text)) => key = text_of(text)?,
            (2, wire) => item = value(kind, target, &wire, depth)?,
            _ => {}
        }
    }
    Some((key, item))
}

fn value(kind: &str, target: &str, wire: &Wire<'_>, depth: usize) -> Option<Value> {
    let bytes = match wire {
        Wire::Number(number) if kind == "Flag" => return Some((*number != 0).into()),
        // Negative numbers are sent as their two's complement.
        Wire::Number(number) => return Some(number.cast_signed().into()),
        Wire::Bytes(bytes) => *bytes,
        Wire::Fixed => return None,
    };
    match kind {
        "Text" => text_of(bytes).map(Value::from),
        "Bytes" => Some(BASE64_STANDARD.encode(bytes).into()),
        "Part" => message(Type::named(target)?, bytes, depth + 1).map(Value::Object),
        "Quantity" => first_text(bytes).map(|text| if text.is_empty() { "0".into() } else { text.into() }),
        "Fields" | "Raw" => raw_json(bytes),
        "Items" => items(bytes),
        "IntOrText" => int_or_text(bytes),
        "Time" => time(bytes, "%Y-%m-%dT%H:%M:%SZ"),
        "Micro" => time(bytes, "%Y-%m-%dT%H:%M:%S.%6fZ"),
        _ => None,
    }
}

fn text_of(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// The text in the first field of a message; empty where it has none.
fn first_text(bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    for field in Reader::new(bytes) {
        if let (1, Wire::Bytes(bytes)) = field? {
            text = text_of(bytes)?;
        }
    }
    Some(text)
}

fn raw_json(bytes: &[u8]) -> Option<Value> {
    match first_text(bytes)? {
        text if text.is_empty() => Some(Value::Null),
        text => serde_json::from_str(&text).ok(),
    }
}

fn items(bytes: &[u8]) -> Option<Value> {
    let mut items = Vec::new();
    for field in Reader::new(bytes) {
        if let (1, Wire::Bytes(bytes)) = field? {
            items.push(Value::from(text_of(bytes)?));
        }
    }
    Some(items.into())
}

fn int_or_text(bytes: &[u8]) -> Option<Value> {
    let (mut is_text, mut number, mut text) = (false, 0, String::new());
    for field in Reader::new(bytes) {
        match field? {
            (1, Wire::Number(kind)) => is_text = kind == 1,
            (2, Wire::Number(value)) => number = value.cast_signed(),
            (3, Wire::Bytes(bytes)) => text = text_of(bytes)?,
            _ => {}
        }
    }
    Some(if is_text { text.into() } else { number.into() })
}

/// A point in time; null where it is not set.
fn time(bytes: &[u8], format: &str) -> Option<Value> {
    let (mut seconds, mut nanoseconds) = (0, 0);
    for field in Reader::new(bytes) {
        match field? {
            (1, Wire::Number(value)) => seconds = value.cast_signed(),
            (2, Wire::Number(value)) => nanoseconds = i32::try_from(value.cast_signed()).ok()?,
            _ => {}
        }
    }
    if bytes.is_empty() {
        return Some(Value::Null);
    }
    Some(Timestamp::new(seconds, nanoseconds).ok()?.strftime(format).to_string().into())
}

#[cfg(test)]
mod tests;
