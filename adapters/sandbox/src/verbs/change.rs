//! Update and patch, of an object or of one of its subresources.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Request, body, create, fields, immutable, shape};
use crate::answer::Answer;
use crate::call::Verb;
use crate::handle::Sandbox;
use crate::object::{as_map, field_mut, finalizers, is_deleting, meta, number, set_meta, take_over, take_over_meta};
use crate::patch::{self, PatchKind};
use crate::removal;
use crate::resources::Resource;
use crate::status::{Cause, Status};
use crate::store::{Place, Store};

/// Replaces or patches what the path names.
pub(super) fn change(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let options = if request.verb == Verb::Patch { "PatchOptions" } else { "UpdateOptions" };
    let dry_run = request.dry_run(options)?;
    super::check_field_validation(request, options)?;
    let draft = Draft::read(request)?;
    let mut store = sandbox.store();
    let place = request.place();
    let existing = store.at(&place).cloned().ok_or_else(|| request.not_found())?;
    let object = draft.object(request, &existing)?;
    let object = prepare(request, &place, &existing, object)?;
    let changed = commit(&mut store, &place, &existing, object, dry_run);
    sandbox.settle(&mut store, request.now);
    Ok(Answer::Object(200, request.resource.clone(), changed))
}

/// What the body holds.
enum Draft {
    Whole(Value),
    Patch(PatchKind, Value),
}

impl Draft {
    fn read(request: &Request) -> Result<Self, Status> {
        if request.verb == Verb::Patch {
            let kind = PatchKind::of(&request.content_type, &request.resource)?;
            return Ok(Self::Patch(kind, patch::decode(kind, &request.body)?));
        }
        Ok(Self::Whole(body::object(request)?))
    }

    /// The object as it is wanted, in the version of the request.
    fn object(self, request: &Request, existing: &Arc<Value>) -> Result<Value, Status> {
        let (kind, patch) = match self {
            Self::Whole(object) => {
                check_name(request, &object)?;
                return Ok(object);
            }
            Self::Patch(kind, patch) => (kind, patch),
        };
        let current = crate::convert::to_version(&request.resource, existing);
        let mut object = patch::apply(kind, &request.resource, &current, &patch)?;
        body::check_kind(&request.resource, &mut object, &request.body).map_err(|status| spoilt(&patch, &status))?;
        fields::check_patched(request, kind, &patch, &mut object)?;
        shape::check(&request.resource, &object).map_err(|status| spoilt(&patch, &status))?;
        check_name(request, &object)?;
        body::place(request, &mut object)?;
        Ok(object)
    }
}

/// The refusal for a patch that makes of an object what cannot be read.
fn spoilt(patch: &Value, status: &Status) -> Status {
    let cause = Cause::invalid("patch", &patch.to_string().into(), &status.message);
    Status::invalid("", "", "", vec![cause])
}

fn check_name(request: &Request, object: &Value) -> Result<(), Status> {
    let (found, wanted) = (meta(object, "name"), request.target.name.as_str());
    if found.is_empty() {
        let why = "name must be provided";
        return Err(Status::bad_request(format!(
            "the name of the object ({wanted} based on URL) was undeterminable: {why}"
        )));
    }
    if found != wanted {
        return Err(Status::bad_request(format!(
            "the name of the object ({found}) does not match the name on the URL ({wanted})"
        )));
    }
    Ok(())
}

/// Checks the wanted object against the existing one and sets what only the server sets.
fn prepare(request: &Request, place: &Place, existing: &Value, object: Value) -> Result<Value, Status> {
    let resource = &request.resource;
    let mut object = crate::convert::to_storage(resource, object);
    check_versions(request, place, existing, &object)?;
    if meta(&object, "uid").is_empty() {
        take_over_meta(&mut object, "uid", existing);
    }
    keep_servers_fields(&mut object, existing);
    match request.target.subresource.as_str() {
        "" => {
            if resource.subresource("status").is_some() {
                take_over(&mut object, "status", existing);
            }
        }
        "finalize" => object = with_spec_finalizers(existing, &object),
        "ephemeralcontainers" => object = with_ephemeral_containers(existing, &object),
        "resize" => object = with_resources(existing, &object),
        _ => keep_all_but_status(resource, &mut object, existing),
    }
    if request.target.subresource.is_empty() {
        crate::defaults::fill(resource, &mut object);
        if resource.kind == "Namespace" && resource.custom.is_none() {
            object = with_spec_finalizers(&object, existing);
        }
    }
    // Before and with the rules of the kind: what is wrong here is found twice.
    let mut causes = immutable::metadata(&object, existing);
    causes.extend(causes.clone());
    causes.extend(shape::validate(resource, &object));
    if request.target.subresource.is_empty() {
        causes.extend(immutable::spec(resource, &object, existing));
    }
    if !causes.is_empty() {
        return Err(Status::invalid(&resource.group, &resource.kind, &place.name, causes));
    }
    count(resource, &mut object, existing);
    Ok(object)
}

/// Refuses a write for another object, or for another state of it.
fn check_versions(request: &Request, place: &Place, existing: &Value, object: &Value) -> Result<(), Status> {
    let resource = &request.resource;
    let (wanted, uid) = (meta(object, "uid"), meta(existing, "uid"));
    if request.verb == Verb::Update && !wanted.is_empty() && wanted != uid {
        let key = key(resource, place);
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: {key}, ResourceVersion: 0, AdditionalErrorMsg: \
             Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}"
        );
        return Err(Status::conflict(&resource.group, &resource.plural, &place.name, &why));
    }
    let version = meta(object, "resourceVersion");
    if version.is_empty() && request.verb == Verb::Update && needs_version(resource) {
        let cause = Cause {
            reason: "FieldValueInvalid".into(),
            message: "Invalid value: 0: must be specified for an update".to_owned(),
            field: "metadata.resourceVersion".to_owned(),
        };
        return Err(Status::invalid(&resource.group, &resource.plural, &place.name, vec![cause]));
    }
    if !version.is_empty() && version.parse::<u64>().is_err() {
        let why = format!("strconv.ParseUint: parsing \"{version}\": invalid syntax");
        return Err(Status::new(500, "", why));
    }
    if !version.is_empty() && version != "0" && version != meta(existing, "resourceVersion") {
        return Err(Status::modified(&resource.group, &resource.plural, &place.name));
    }
    Ok(())
}

/// Whether this kind cannot be replaced blindly.
fn needs_version(resource: &Resource) -> bool {
    resource.custom.is_some()
        || matches!(
            resource.kind.as_ref(),
            "CustomResourceDefinition"
                | "APIService"
                | "Lease"
                | "PodDisruptionBudget"
                | "RuntimeClass"
                | "VolumeAttachment"
                | "ValidatingWebhookConfiguration"
                | "MutatingWebhookConfiguration"
        )
}

/// Where etcd would have the object, which one refusal names.
fn key(resource: &Resource, place: &Place) -> String {
    let group = if resource.custom.is_some() { format!("{}/", resource.group) } else { String::new() };
    let namespace = if place.namespace.is_empty() { String::new() } else { format!("{}/", place.namespace) };
    format!("/registry/{group}{}/{namespace}{}", resource.plural, place.name)
}

fn keep_servers_fields(object: &mut Value, existing: &Value) {
    take_over_meta(object, "creationTimestamp", existing);
    take_over_meta(object, "generation", existing);
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        let given =
            object.get("metadata").and_then(|metadata| metadata.get(field)).is_some_and(|given| !given.is_null());
        if !given {
            take_over_meta(object, field, existing);
        }
    }
    set_meta(object, "selfLink", Value::Null);
}

/// A write to `status` changes nothing else; of the metadata, kinds of the core group take what is written.
fn keep_all_but_status(resource: &Resource, object: &mut Value, existing: &Value) {
    let mut kept = Value::clone(existing);
    take_over(&mut kept, "status", object);
    if resource.kind == "Pod" && resource.custom.is_none() {
        complete_pod_status(as_map(field_mut(&mut kept, "status")), existing);
    }
    if resource.group.is_empty() {
        let metadata = object.get("metadata").cloned().unwrap_or_default();
        as_map(&mut kept).insert("metadata".to_owned(), metadata);
        take_over_meta(&mut kept, "ownerReferences", existing);
    }
    *object = kept;
}

/// A pod's status always has its class, and every container a last state, though an empty one.
fn complete_pod_status(status: &mut Map<String, Value>, existing: &Value) {
    if let Some(class) = existing.pointer("/status/qosClass") {
        status.entry("qosClass").or_insert_with(|| class.clone());
    }
    for list in ["containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"] {
        let containers = status.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
        for container in containers.filter_map(Value::as_object_mut) {
            container.entry("lastState").or_insert_with(|| json!({}));
        }
    }
}

fn with_spec_finalizers(existing: &Value, object: &Value) -> Value {
    let mut kept = Value::clone(existing);
    let wanted =
        object.pointer("/spec/finalizers").filter(|wanted| wanted.as_array().is_some_and(|all| !all.is_empty()));
    let spec = as_map(field_mut(&mut kept, "spec"));
    match wanted {
        Some(wanted) => drop(spec.insert("finalizers".to_owned(), wanted.clone())),
        None => drop(spec.remove("finalizers")),
    }
    kept
}

fn with_ephemeral_containers(existing: &Value, object: &Value) -> Value {
    let mut kept = Value::clone(existing);
    if let Some(wanted) = object.pointer("/spec/ephemeralContainers") {
        as_map(field_mut(&mut kept, "spec")).insert("ephemeralContainers".to_owned(), wanted.clone());
    }
    kept
}

fn with_resources(existing: &Value, object: &Value) -> Value {
    let mut kept = Value::clone(existing);
    let containers = kept.pointer_mut("/spec/containers").and_then(Value::as_array_mut);
    for container in containers.into_iter().flatten() {
        let wanted = crate::object::elements(object, "/spec/containers");
        if let Some(same) = wanted.iter().find(|one| one.get("name") == container.get("name")) {
            take_over(container, "resources", same);
        }
    }
    kept
}

/// Counts a change of what is wanted.
fn count(resource: &Resource, object: &mut Value, existing: &Value) {
    if !create::counts_generations(resource) {
        return;
    }
    let wanted = |object: &Value| {
        let fields = object.as_object().into_iter().flatten();
        let wanted = fields.filter(|(key, _)| !matches!(key.as_str(), "metadata" | "status" | "kind" | "apiVersion"));
        wanted.map(|(key, value)| (key.clone(), value.clone())).collect::<Vec<_>>()
    };
    if wanted(object) != wanted(existing) {
        let before = number(existing, "/metadata/generation").unwrap_or(0);
        set_meta(object, "generation", before.saturating_add(1));
    }
}

/// Stores the object if it differs, and ends it if it was only waiting for this.
pub(super) fn commit(
    store: &mut Store,
    place: &Place,
    existing: &Arc<Value>,
    mut object: Value,
    dry_run: bool,
) -> Arc<Value> {
    take_over_meta(&mut object, "resourceVersion", existing);
    if object == **existing {
        return existing.clone();
    }
    if dry_run {
        return Arc::new(object);
    }
    let freed = !finalizers(existing).is_empty() || is_deleting(existing);
    if freed && removal::may_go(&object) {
        // Its watchers see it go as it was: the last change is never stored.
        store.erase(place);
        return Arc::new(object);
    }
    store.write(place, object)
}
