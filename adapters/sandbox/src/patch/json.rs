//! JSON patches, with the two liberties that an API server takes: `replace` may name a key that is not there yet, and `test` for null holds
//! where nothing is.

use json_patch::{AddOperation, PatchOperation};
use serde_json::Value;

use super::{does_not_fit, type_name};
use crate::status::Status;

const MOST_OPERATIONS: usize = 10_000;

/// How many bytes the copies of one patch may add, as in Kubernetes: copies of copies would double without end.
const MOST_COPIED: usize = 3 * 1024 * 1024;

/// How deep a patch may reach, as deep as JSON that is read may nest: what is deeper exhausts the stack.
const DEEPEST: usize = 128;

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
    let (mut patched, mut copied) = (object.clone(), 0);
    for operation in operations {
        let operation: PatchOperation = serde_json::from_value(operation.clone()).map_err(|_| does_not_fit())?;
        check_size(&patched, &operation, &mut copied)?;
        apply_one(&mut patched, operation)?;
    }
    Ok(patched)
}

/// Refuses an operation that would make the object too deep or too large.
fn check_size(object: &Value, operation: &PatchOperation, copied: &mut usize) -> Result<(), Status> {
    let (path, value) = match operation {
        PatchOperation::Add(add) => (&add.path, Some(&add.value)),
        PatchOperation::Replace(replace) => (&replace.path, Some(&replace.value)),
        PatchOperation::Move(from) => (&from.path, from.from.resolve(object).ok()),
        PatchOperation::Copy(from) => (&from.path, from.from.resolve(object).ok()),
        PatchOperation::Remove(_) | PatchOperation::Test(_) => return Ok(()),
    };
    if path.count() + value.map_or(0, depth) > DEEPEST {
        return Err(does_not_fit());
    }
    if let (PatchOperation::Copy(_), Some(value)) = (operation, value) {
        *copied += value.to_string().len();
        if *copied > MOST_COPIED {
            return Err(Status::new(
                413,
                "RequestEntityTooLarge",
                format!(
                    "Request entity too large: unable to complete the copy, the accumulated size increase of copy is \
                     {copied}, exceeding the limit {MOST_COPIED}"
                ),
            ));
        }
    }
    Ok(())
}

fn depth(value: &Value) -> usize {
    let of_parts = match value {
        Value::Array(items) => items.iter().map(depth).max(),
        Value::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + of_parts.unwrap_or(0)
}

fn apply_one(object: &mut Value, operation: PatchOperation) -> Result<(), Status> {
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
