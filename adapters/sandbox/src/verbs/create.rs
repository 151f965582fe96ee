//! Create.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Request, body, shape};
use crate::answer::Answer;
use crate::handle::Sandbox;
use crate::object::{as_map, is_deleting, meta, set_meta, stamp};
use crate::resources::Resource;
use crate::status::{Cause, Status};
use crate::store::{Place, ShelfName, Store};

/// The longest start of a generated name; the rest of 63 is for the end.
const LONGEST_PREFIX: usize = 58;

/// Makes an object.
pub(super) fn create(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let resource = &request.resource;
    let dry_run = request.dry_run("CreateOptions")?;
    super::check_field_validation(request, "CreateOptions")?;
    let mut object = body::object(request)?;
    let mut store = sandbox.store();
    if !meta(&object, "resourceVersion").is_empty() {
        return Err(Status::new(500, "", "resourceVersion should not be set on objects to be created"));
    }
    check_namespace(&store, request)?;
    let generated = generate_name(&mut store, &mut object);
    prepare(&mut store, request, &mut object);
    crate::defaults::fill(resource, &mut object);
    let mut causes = shape::validate(resource, &object);
    if meta(&object, "name").is_empty() {
        causes = vec![Cause::required("metadata.name", "name or generateName is required")];
    }
    if !causes.is_empty() {
        return Err(Status::invalid(&resource.group, &resource.kind, meta(&object, "name"), causes));
    }
    let object = crate::convert::to_storage(resource, object);
    let place = Place::of(&resource.shelf(), &object);
    if let Some(present) = store.at(&place) {
        let refuse = if is_deleting(present) { Status::still_exists } else { Status::already_exists };
        let mut status = refuse(&resource.group, &resource.plural, &place.name);
        if generated {
            status.message.push_str(", the server was not able to generate a unique name for the object");
        }
        return Err(status);
    }
    if dry_run {
        return Ok(Answer::Object(201, resource.clone(), Arc::new(object)));
    }
    let created = store.write(&place, object);
    sandbox.settle(&mut store, request.now);
    Ok(Answer::Object(201, resource.clone(), created))
}

/// Answers a question about access, which is not kept.
pub(super) fn review(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let mut question = body::parse(request, &request.resource.kind)?;
    body::check_kind(&request.resource, &mut question, &request.body)?;
    let mut answered = crate::access::review(&sandbox.access(), &request.resource, &request.user, question)?;
    if request.resource.kind == "SelfSubjectReview" {
        set_meta(&mut answered, "creationTimestamp", stamp(request.now));
    }
    Ok(Answer::Document(201, answered))
}

/// Refuses to make something where no namespace is, or one that ends.
fn check_namespace(store: &Store, request: &Request) -> Result<(), Status> {
    let Some(name) = request.namespace() else { return Ok(()) };
    let Some(namespace) = store.get(&ShelfName::namespaces(), "", name) else {
        return Err(Status::not_found("", "namespaces", name));
    };
    if !is_deleting(namespace) {
        return Ok(());
    }
    let why = format!("unable to create new content in namespace {name} because it is being terminated");
    let resource = &request.resource;
    // The name is the body's, which may still have to be generated.
    let wanted = serde_json::from_slice::<Value>(&request.body).unwrap_or_default();
    Err(Status::forbidden(&resource.group, &resource.plural, meta(&wanted, "name"), &why).because(Cause {
        reason: "NamespaceTerminating".into(),
        message: format!("namespace {name} is being terminated"),
        field: "metadata.namespace".to_owned(),
    }))
}

/// Makes a name where only its start is given; says whether it did.
fn generate_name(store: &mut Store, object: &mut Value) -> bool {
    let start = meta(object, "generateName").to_owned();
    if !meta(object, "name").is_empty() || start.is_empty() {
        return false;
    }
    let start: String = start.chars().take(LONGEST_PREFIX).collect();
    set_meta(object, "name", format!("{start}{}", store.next_suffix()));
    true
}

/// Sets what only the server sets.
fn prepare(store: &mut Store, request: &Request, object: &mut Value) {
    let resource = &request.resource;
    set_meta(object, "uid", store.next_uid());
    set_meta(object, "creationTimestamp", stamp(request.now));
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds", "selfLink", "generation"] {
        set_meta(object, field, Value::Null);
    }
    if counts_generations(resource) {
        set_meta(object, "generation", 1);
    }
    if resource.subresource("status").is_some() {
        as_map(object).remove("status");
    }
    let name = meta(object, "name").to_owned();
    match (resource.group.as_ref(), resource.kind.as_ref()) {
        ("", "Pod") => {
            let mut status = json!({"phase": "Pending", "qosClass": crate::object::qos_class(object)});
            if !crate::object::elements(object, "/spec/schedulingGates").is_empty() {
                as_map(&mut status).insert("conditions".to_owned(), json!([gated(&stamp(request.now))]));
            }
            as_map(object).insert("status".to_owned(), status);
        }
        ("", "PersistentVolumeClaim") => protect(object, "kubernetes.io/pvc-protection"),
        ("storage.k8s.io", "VolumeAttachment") => {
            as_map(object).insert("status".to_owned(), json!({"attached": false}));
        }
        ("", "PersistentVolume") => {
            protect(object, "kubernetes.io/pv-protection");
            let status = json!({"phase": "Pending", "lastPhaseTransitionTime": stamp(request.now)});
            as_map(object).insert("status".to_owned(), status);
        }
        ("", "Namespace") => {
            let labels =
                as_map(as_map(crate::object::field_mut(object, "metadata")).entry("labels").or_insert(Value::Null));
            labels.insert("kubernetes.io/metadata.name".to_owned(), name.into());
            as_map(crate::object::field_mut(object, "spec")).insert("finalizers".to_owned(), json!(["kubernetes"]));
            as_map(object).insert("status".to_owned(), json!({"phase": "Active"}));
        }
        _ => {}
    }
}

/// Keeps storage that is in use from going.
fn protect(object: &mut Value, finalizer: &str) {
    let mut all: Vec<String> = crate::object::finalizers(object).into_iter().map(ToOwned::to_owned).collect();
    if !all.iter().any(|one| one == finalizer) {
        all.push(finalizer.to_owned());
        set_meta(object, "finalizers", all);
    }
}

/// The condition of a pod that its gates keep from the scheduler.
fn gated(now: &str) -> Value {
    json!({
        "type": "PodScheduled",
        "status": "False",
        "lastProbeTime": null,
        "lastTransitionTime": now,
        "reason": "SchedulingGated",
        "message": "Scheduling is blocked due to non-empty scheduling gates",
    })
}

/// Whether changes of the wanted state of this kind are counted.
pub(super) fn counts_generations(resource: &Resource) -> bool {
    let kind = resource.kind.as_ref();
    match resource.group.as_ref() {
        _ if resource.custom.is_some() => true,
        "" => matches!(kind, "Pod" | "PodTemplate" | "ReplicationController"),
        "apps" => kind != "ControllerRevision",
        "batch"
        | "policy"
        | "apiextensions.k8s.io"
        | "admissionregistration.k8s.io"
        | "scheduling.k8s.io"
        | "flowcontrol.apiserver.k8s.io"
        | "discovery.k8s.io" => true,
        "networking.k8s.io" => matches!(kind, "Ingress" | "IngressClass" | "NetworkPolicy"),
        _ => false,
    }
}
