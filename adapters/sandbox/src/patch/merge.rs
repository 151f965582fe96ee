//! Merge patches.

use serde_json::Value;

use super::type_name;
use crate::status::Status;

pub(super) fn apply(object: &Value, patch: &Value) -> Result<Value, Status> {
    if !patch.is_object() {
        return Err(Status::bad_request(format!("error decoding patch: {} is no object", type_name(patch))));
    }
    let mut merged = object.clone();
    json_patch::merge(&mut merged, patch);
    Ok(merged)
}
