//! JSON patches, with the two liberties that an API server takes: `replace` may name a key that is not there yet, and `test` for null holds
//! where nothing is.

use json_patch::{AddOperation, PatchOperation};
use serde_json::Value;

use super::{does_not_fit, type_name};
use crate::status::Status;

const MOST_OPERATIONS: usize = 10_000;

pub(super) fn apply(object: &Value, patch: &Value) -> Result<Value, Status> {
    let Value::Array(operations) = patch else {
        return Err(Status::bad_request(format!("error decoding patch: {} is no list", type_name(patch))));
    };
    if operations.len() > MOST_OPERATIONS {
        let count = operations.len();
        let message = format!("The allowed maximum operations in a JSON patch is {MOST_OPERATIONS}, got {count}");
        return Err(Status::new(413, "RequestEntityTooLarge", format!("Request entity too large: {message}")));
    }
    if let Some(odd) = operations.iter().find(|operation| !operation.is_object()) {
        let kind = type_name(odd);
        return Err(Status::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {kind} into an operation"
        )));
    }
    let mut patched = object.clone();
    for operation in operations {
        apply_one(&mut patched, operation)?;
    }
    Ok(patched)
}

fn apply_one(object: &mut Value, operation: &Value) -> Result<(), Status> {
    let operation: PatchOperation = serde_json::from_value(operation.clone()).map_err(|_| does_not_fit())?;
    let operation = match operation {
        PatchOperation::Test(test) if test.value.is_null() && test.path.resolve(object).is_err() => return Ok(()),
        PatchOperation::Replace(replace)
            if replace.path.parent().is_some_and(|parent| parent.resolve(object).is_ok_and(Value::is_object)) =>
        {
            PatchOperation::Add(AddOperation { path: replace.path, value: replace.value })
        }
        other => other,
    };
    json_patch::patch(object, &[operation]).map_err(|_| does_not_fit())
}
