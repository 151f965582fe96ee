//! Get.

use std::sync::Arc;

use serde_json::Value;

use super::Request;
use crate::answer::Answer;
use crate::call::Verb;
use crate::handle::Sandbox;
use crate::object::meta;
use crate::status::Status;
use crate::store::Store;

/// Reads one object.
pub(super) fn get(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let store = sandbox.store();
    check_reached(&store, request)?;
    let object = find(&store, request).ok_or_else(|| request.not_found())?;
    Ok(Answer::Object(200, request.resource.clone(), object))
}

/// The object that the path names, as a replica that lags may still have it.
pub(super) fn find(store: &Store, request: &Request) -> Option<Arc<Value>> {
    let place = request.place();
    let Some(revision) = request.stale else { return store.at(&place).cloned() };
    let then = store.objects_at(&place.shelf, Some(&place.namespace), revision)?;
    then.into_iter().find(|object| meta(object, "name") == place.name)
}

/// Refuses to answer from a revision that is not there yet.
pub(super) fn check_reached(store: &Store, request: &Request) -> Result<(), Status> {
    let asked = revision(request)?;
    let current = request.stale.unwrap_or(store.revision());
    if asked > current { Err(Status::too_large(asked, current)) } else { Ok(()) }
}

/// The `resourceVersion` parameter; 0 where there is none.
pub(super) fn revision(request: &Request) -> Result<u64, Status> {
    let text = request.query.get("resourceVersion");
    if text.is_empty() {
        return Ok(0);
    }
    text.parse().map_err(|_| {
        let why = format!(
            "resourceVersion: Invalid value: \"{text}\": strconv.ParseUint: parsing \"{text}\": invalid syntax"
        );
        // Only a list has a word for it.
        if request.verb == Verb::List {
            return Status::bad_request(format!("invalid resource version: {why}"));
        }
        Status::new(500, "", why)
    })
}
