//! Whether the fields of an object that is written are those of its kind.

use serde_json::Value;

use super::Request;
use crate::{
    patch::{self, PatchKind},
    status::{Cause, Status},
    types::{self, Findings, Mismatch},
};

/// Refuses an object with values of wrong types and, where the request asks for it, with fields that its kind does not
/// have; takes such fields out of it otherwise.
///
/// # Errors
/// 400 in the words of Go's decoder.
pub(super) fn check(request: &Request, object: &mut Value) -> Result<(), Status> {
    let Some(why) = wrong(request, object, Mismatch::decoding_error) else { return Ok(()) };
    let (kind, version) = (&request.resource.kind, &request.resource.version);
    Err(Status::bad_request(format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}")))
}

/// Like [`check`], for what a patch made of an object.
///
/// # Errors
/// 422, with the patch where it was a strategic one and with the object where it was another.
pub(super) fn check_patched(
    request: &Request,
    kind: PatchKind,
    patch: &Value,
    object: &mut Value,
) -> Result<(), Status> {
    let (words, shown): (fn(&Mismatch) -> String, _) = match kind {
        PatchKind::Strategic => (Mismatch::conversion_error, patch::as_go_prints(patch)),
        PatchKind::Json | PatchKind::Merge => (Mismatch::decoding_error, object.to_string()),
    };
    let Some(why) = wrong(request, object, words) else { return Ok(()) };
    Err(Status::invalid("", "", "", vec![Cause::invalid("patch", &shown.into(), &why)]))
}

/// What is wrong with an object: a value of another type, or, where the request is strict, fields that nobody knows.
fn wrong(request: &Request, object: &mut Value, words: fn(&Mismatch) -> String) -> Option<String> {
    let strict = request.query.all("fieldValidation").any(|value| value == "Strict");
    let resource = &request.resource;
    let Findings { mismatch, unknown } = types::check(&resource.api_version(), &resource.kind, object);
    if let Some(mismatch) = mismatch {
        return Some(words(&mismatch));
    }
    if unknown.is_empty() || !strict {
        return None;
    }
    let unknown: Vec<String> = unknown.iter().map(|field| format!("unknown field \"{field}\"")).collect();
    Some(format!("strict decoding error: {}", unknown.join(", ")))
}
