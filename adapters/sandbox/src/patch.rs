//! Changes in the three forms of patch that an API server takes.

mod json;
mod merge;
mod merge_keys;
mod strategic;

use serde_json::{Value, error::Category};

use crate::{resources::Resource, status::Status};

const JSON: &str = "application/json-patch+json";
const MERGE: &str = "application/merge-patch+json";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const APPLY: &str = "application/apply-patch+yaml";

/// The form of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatchKind {
    /// A list of operations, RFC 6902.
    Json,
    /// A document laid over the object, RFC 7386.
    Merge,
    /// A document laid over the object that merges lists by the keys of their items.
    Strategic,
}

impl PatchKind {
    /// The form that a `Content-Type` names, parameters behind a semicolon left aside.
    ///
    /// # Errors
    /// 415 for every other media type, for server-side apply, and for a strategic patch of a custom resource.
    pub fn of(content_type: &str, resource: &Resource) -> Result<Self, Status> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        match media_type {
            JSON => Ok(Self::Json),
            MERGE => Ok(Self::Merge),
            STRATEGIC if resource.custom.is_none() => Ok(Self::Strategic),
            _ => Err(Self::unsupported(media_type, resource)),
        }
    }

    fn unsupported(media_type: &str, resource: &Resource) -> Status {
        match resource.custom {
            None if media_type != APPLY => {
                Status::new(415, "UnsupportedMediaType", "415: Unsupported Media Type").about("", "", "")
            }
            None => Status::unsupported_media_type(&[JSON, MERGE, STRATEGIC]),
            Some(_) => Status::unsupported_media_type(&[JSON, MERGE]),
        }
    }
}

/// Reads the body of a patch.
///
/// # Errors
/// 400 where it is no JSON, or not of the type that the form needs.
pub fn decode(kind: PatchKind, body: &[u8]) -> Result<Value, Status> {
    let why = match serde_json::from_slice::<Value>(body) {
        Ok(patch) => match (kind, &patch) {
            (PatchKind::Json, Value::Array(_)) | (PatchKind::Merge | PatchKind::Strategic, Value::Object(_)) => {
                return Ok(patch);
            }
            (PatchKind::Json, other) => {
                format!("json: cannot unmarshal {} into Go value of type []handlers.jsonPatchOp", type_name(other))
            }
            (_, other) => {
                format!("json: cannot unmarshal {} into Go value of type map[string]interface {{}}", type_name(other))
            }
        },
        Err(error) if error.classify() == Category::Eof => "unexpected end of JSON input".to_owned(),
        Err(error) => format!("invalid JSON: {error}"),
    };
    Err(Status::bad_request(match kind {
        PatchKind::Json | PatchKind::Merge => format!("error decoding patch: {why}"),
        PatchKind::Strategic => why,
    }))
}

/// Lays a patch over an object; the object itself stays as it is.
///
/// # Errors
/// What an API server refuses: 400 for a patch that is none, 415 for a strategic one of a custom resource, 422 for one that does not fit
/// the object, and 500 where Kubernetes has no better word.
pub fn apply(kind: PatchKind, resource: &Resource, object: &Value, patch: &Value) -> Result<Value, Status> {
    match kind {
        PatchKind::Json => json::apply(object, patch),
        PatchKind::Merge => merge::apply(object, patch),
        PatchKind::Strategic if resource.custom.is_some() => Err(PatchKind::unsupported(STRATEGIC, resource)),
        PatchKind::Strategic => strategic::apply(resource, object, patch),
    }
}

/// A value as Go prints it with `%v`, which is how refusals of strategic patches quote it.
pub(crate) fn as_go_prints(value: &Value) -> String {
    strategic::go(value)
}

/// The answer to a patch that can be read and does not fit the object.
fn does_not_fit() -> Status {
    Status::new(422, "Invalid", "the server rejected our request due to an error in our request").about("", "", "")
}

/// The type of a value as the server's decoder calls it.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
