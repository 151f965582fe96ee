//! Delete, of one object or of a collection.

use std::sync::Arc;

use serde_json::Value;

use super::{Request, body, dry_run};
use crate::answer::{Answer, List};
use crate::call::Query;
use crate::handle::Sandbox;
use crate::object::{elements, meta};
use crate::removal::{self, DeleteOptions, Propagation, Removal};
use crate::resources::Resource;
use crate::selector::Selector;
use crate::status::{Cause, Status};
use crate::store::Place;

/// Deletes an object or begins to.
pub(super) fn delete(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let options = options(request)?;
    let resource = &request.resource;
    let place = request.place();
    let mut store = sandbox.store();
    let removal =
        removal::delete(&mut store, &place, &options, request.now).map_err(|status| named(status, request))?;
    let answer = match removal {
        Removal::Gone(object) if returns_object(resource) => Answer::Object(200, resource.clone(), object),
        Removal::Gone(object) => {
            let (group, plural) = (resource.group.as_ref(), resource.plural.as_ref());
            Answer::Document(200, Status::success(group, plural, &place.name, meta(&object, "uid")))
        }
        Removal::Pending(object) => Answer::Object(200, resource.clone(), object),
    };
    if !options.dry_run {
        sandbox.settle(&mut store, request.now);
    }
    Ok(answer)
}

/// Deletes what a collection's selectors select.
pub(super) fn delete_collection(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let options = options(request)?;
    let resource = &request.resource;
    let selector = Selector::of(resource, &request.query)?;
    let mut store = sandbox.store();
    let shelf = resource.shelf();
    let objects = store.objects(&shelf, request.namespace());
    let selected: Vec<Arc<Value>> = objects.filter(|object| selector.matches(object)).cloned().collect();
    let mut deleted = Vec::new();
    for object in selected {
        removal::delete(&mut store, &Place::of(&shelf, &object), &options, request.now)?;
        // The answer shows what was found.
        deleted.push(crate::convert::to_version(resource, &object));
    }
    let metadata = serde_json::json!({"resourceVersion": store.revision().to_string()});
    if !options.dry_run {
        sandbox.settle(&mut store, request.now);
    }
    Ok(Answer::List(List { resource: resource.clone(), objects: deleted, metadata }))
}

/// A refusal speaks of the resource by the group that was asked.
fn named(status: Status, request: &Request) -> Status {
    if status.code == 404 { request.not_found() } else { status }
}

/// Whether a deletion answers with the object instead of a bare success.
fn returns_object(resource: &Resource) -> bool {
    let kind = resource.kind.as_ref();
    match resource.group.as_ref() {
        "" => matches!(
            kind,
            "Pod"
                | "Service"
                | "ServiceAccount"
                | "PersistentVolume"
                | "PersistentVolumeClaim"
                | "PodTemplate"
                | "ResourceQuota"
                | "Namespace"
        ),
        "storage.k8s.io" => kind != "CSIStorageCapacity",
        "resource.k8s.io" => true,
        _ => false,
    }
}

/// The options of a deletion: those of the body or, without one, those of the query.
fn options(request: &Request) -> Result<DeleteOptions, Status> {
    let mut options = if request.body.is_empty() {
        parse(&request.query, &Value::Null)?
    } else {
        parse(&Query::default(), &read(request)?)?
    };
    // The oldest kinds leave their pods behind where nobody says otherwise.
    let orphans = matches!(
        (request.resource.group.as_ref(), request.resource.kind.as_ref()),
        ("", "ReplicationController") | ("batch", "Job")
    );
    if orphans {
        options.propagation.get_or_insert(Propagation::Orphan);
    }
    Ok(options)
}

fn read(request: &Request) -> Result<Value, Status> {
    // A server that cannot read options has no better word than 500, and no words around it.
    let failed = |status: Status| {
        let start = "the object provided is unrecognized (must be of type DeleteOptions): ";
        let why =
            status.message.strip_prefix(start).and_then(|why| why.rsplit_once(" (")).map(|(why, _)| why.to_owned());
        if status.code == 400 { Status::new(500, "", why.unwrap_or(status.message)) } else { status }
    };
    let options = body::parse(request, "DeleteOptions").map_err(failed)?;
    let (kind, version) = (crate::object::text(&options, "/kind"), crate::object::text(&options, "/apiVersion"));
    if !kind.is_empty() && kind != "DeleteOptions" {
        let scheme = "in scheme \"pkg/runtime/scheme.go:110\"";
        let message = format!("no kind \"{kind}\" is registered for version \"{version}\" {scheme}");
        return Err(Status::new(500, "", message));
    }
    Ok(options)
}

/// Understands the options of a deletion or an eviction.
pub(super) fn parse(query: &Query, body: &Value) -> Result<DeleteOptions, Status> {
    let wrong_type = |field: &str, wanted: &str| {
        Status::bad_request(format!(
            "json: cannot unmarshal into Go struct field DeleteOptions.{field} of type {wanted}"
        ))
    };
    let mut values: Vec<&str> = elements(body, "/dryRun").iter().filter_map(Value::as_str).collect();
    values.extend(query.all("dryRun").filter(|value| !value.is_empty()));
    let grace = match body.get("gracePeriodSeconds") {
        None | Some(Value::Null) => query.number("gracePeriodSeconds")?,
        Some(value) => Some(value.as_i64().ok_or_else(|| wrong_type("gracePeriodSeconds", "int64"))?),
    };
    let word = |pointer: &str| match body.pointer(pointer) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => match value.as_str() {
            Some(word) => Ok(Some(word.to_owned())),
            None => Err(wrong_type(pointer.rsplit('/').next().unwrap_or_default(), "string")),
        },
    };
    let propagation = match word("/propagationPolicy")? {
        Some(policy) => policy,
        None => query.get("propagationPolicy").to_owned(),
    };
    let orphan = body.get("orphanDependents").and_then(Value::as_bool);
    Ok(DeleteOptions {
        grace_period_seconds: grace,
        propagation: self::propagation(&propagation, orphan)?,
        uid: word("/preconditions/uid")?,
        resource_version: word("/preconditions/resourceVersion")?,
        dry_run: dry_run(&values, "DeleteOptions")?,
    })
}

fn propagation(policy: &str, orphan: Option<bool>) -> Result<Option<Propagation>, Status> {
    let refuse = |cause: Cause| Err(Status::invalid("meta.k8s.io", "DeleteOptions", "", vec![cause]));
    if orphan.is_some() && !policy.is_empty() {
        let detail = "orphanDependents and deletionPropagation cannot be both set";
        return refuse(Cause::invalid("propagationPolicy", &policy.into(), detail));
    }
    match policy {
        "" => Ok(orphan.map(|orphan| if orphan { Propagation::Orphan } else { Propagation::Background })),
        "Background" => Ok(Some(Propagation::Background)),
        "Foreground" => Ok(Some(Propagation::Foreground)),
        "Orphan" => Ok(Some(Propagation::Orphan)),
        other => {
            let supported = ["Foreground", "Background", "Orphan", "nil"];
            refuse(Cause::not_supported("propagationPolicy", &other.into(), &supported))
        }
    }
}
