//! Any other kind: what its conditions, finalizers, owner and events say.

use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::core::v1::{PersistentVolume, ResourceQuota};
use k8s_openapi::api::storage::v1::{StorageClass, VolumeAttachment};
use kubewhy_text::{Text, code, name, own, quoted, text};

use super::{NoScope, Scope, lone, named};
use crate::case::shell_quoted;
use crate::facts::{claims, conditions};
use crate::kind::{Foreign, Object};
use crate::reader::Reader;
use crate::report::Status;

pub(super) fn of_other(reader: &Reader<'_>, object: &Object) -> Result<Scope, NoScope> {
    if object.meta().deletion_timestamp.is_some() {
        return Ok(lone(object, (Status::Pending, text![named(object), " is being deleted"])));
    }
    if !matches!(object, Object::Event(_)) {
        // What was said about it comes in the same round.
        let _ = reader.events(object.kind(), object.namespace(), object.name(), None);
    }
    Ok(lone(object, otherwise(reader, object)))
}

/// How it is where no rule finds anything.
fn otherwise(reader: &Reader<'_>, object: &Object) -> (Status, Text) {
    let fine = |words: Text| (Status::Healthy, text![named(object), words]);
    match object {
        Object::Foreign(it) => foreign(reader, object, it),
        Object::PersistentVolume(it) => volume(object, it),
        Object::StorageClass(it) => fine(class(it)),
        Object::VolumeAttachment(it) => attachment(object, it),
        Object::CertificateSigningRequest(it) => request(object, it),
        Object::ResourceQuota(it) => fine(text![" is not used up", counts(it)]),
        Object::CustomResourceDefinition(_) => match conditions::of(object, reader.now()).well {
            Some(_) => fine(text![" is served"]),
            None => (Status::Pending, text![named(object), " is not served yet"]),
        },
        Object::Event(it) => {
            fine(text![" tells of ", name(it.involved.kind.clone()), " ", name(it.involved.name.clone())])
        }
        // What these hold is for others to use; there is nothing in them that could fail.
        Object::ConfigMap(_)
        | Object::Secret(_)
        | Object::ServiceAccount(_)
        | Object::Role(_)
        | Object::RoleBinding(_)
        | Object::ClusterRole(_)
        | Object::ClusterRoleBinding(_)
        | Object::LimitRange(_)
        | Object::PriorityClass(_)
        | Object::RuntimeClass(_)
        | Object::IngressClass(_)
        | Object::CSIDriver(_)
        | Object::CSINode(_)
        | Object::ControllerRevision(_)
        | Object::ResourceClaimTemplate(_) => fine(text![" is there"]),
        _ => fine(text![" shows no trouble"]),
    }
}

/// An object says itself how it is, or nothing does.
fn foreign(reader: &Reader<'_>, object: &Object, it: &Foreign) -> (Status, Text) {
    let signs = conditions::of(object, reader.now());
    if let Some(young) = signs.young.first() {
        let since = young.since.map(|since| text![" since ", since]);
        return (Status::Pending, text![named(object), " is not ready yet: ", code(young.what.clone()), since]);
    }
    if let Some(well) = signs.well {
        return (Status::Healthy, text![named(object), " says that ", code(well)]);
    }
    let looked = if it.fields.contains_key("status") {
        "its status and events were"
    } else {
        "it has no status; its events were"
    };
    (Status::Healthy, text![named(object), " shows no trouble (", looked, " looked at)"])
}

fn volume(object: &Object, it: &PersistentVolume) -> (Status, Text) {
    let phase = it.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
    let claim = it.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
    let path = claim.map(|claim| {
        format!("{}/{}", claim.namespace.as_deref().unwrap_or_default(), claim.name.as_deref().unwrap_or_default())
    });
    match (phase.as_str(), path) {
        ("Bound", Some(path)) => (Status::Healthy, text![named(object), " is bound to claim ", name(path)]),
        ("Available", _) => (Status::Healthy, text![named(object), " is free for a claim"]),
        ("Released", Some(path)) => {
            (Status::Pending, text![named(object), " is being given back: its claim ", name(path), " was deleted"])
        }
        ("", _) => (Status::Pending, text![named(object), " has no phase yet"]),
        _ => (Status::Healthy, text![named(object), " is ", name(phase)]),
    }
}

/// A request for a certificate: somebody approves it, then a signer signs it.
fn request(object: &Object, it: &CertificateSigningRequest) -> (Status, Text) {
    let status = it.status.as_ref();
    let of = |type_: &str| {
        let mut conditions = status.into_iter().flat_map(|status| status.conditions.iter().flatten());
        conditions.find(|condition| condition.type_ == type_ && condition.status == "True")
    };
    let by = it.spec.username.clone().map(|by| text![" (asked for by ", name(by), ")"]);
    if status.is_some_and(|status| status.certificate.is_some()) {
        return (Status::Healthy, text![named(object), by, " is signed"]);
    }
    let words = |said: Option<String>| said.filter(|said| !said.is_empty()).map(|said| text![": ", quoted(said)]);
    if let Some(denied) = of("Denied") {
        return (Status::Healthy, text![named(object), by, " was denied", words(denied.message.clone())]);
    }
    if let Some(failed) = of("Failed") {
        return (Status::Healthy, text![named(object), by, " could not be signed", words(failed.message.clone())]);
    }
    let signer = name(it.spec.signer_name.clone());
    if of("Approved").is_some() {
        return (
            Status::Pending,
            text![named(object), by, " is approved, and signer ", signer, " has not signed it yet"],
        );
    }
    let since = it.metadata.creation_timestamp.as_ref().map(|created| text![" since ", created.0]);
    let approve = text![" (", code(format!("kubectl certificate approve {}", shell_quoted(object.name()))), ")"];
    (Status::Pending, text![named(object), by, " waits", since, " for somebody to approve it", approve])
}

fn class(it: &StorageClass) -> Text {
    if it.provisioner == claims::NO_PROVISIONER {
        return text![" takes volumes that people make: it has no provisioner"];
    }
    let late = it.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer");
    let when = late.then(|| text![" once a pod that uses the claim is scheduled"]);
    text![" has volumes made by ", name(it.provisioner.clone()), when]
}

fn attachment(object: &Object, it: &VolumeAttachment) -> (Status, Text) {
    let attached = it.status.as_ref().is_some_and(|status| status.attached);
    let node = name(it.spec.node_name.clone());
    if attached {
        (Status::Healthy, text![named(object), " is attached to node ", node])
    } else {
        (Status::Pending, text![named(object), " is not attached to node ", node, " yet"])
    }
}

fn counts(it: &ResourceQuota) -> Option<Text> {
    let status = it.status.as_ref()?;
    let hard = status.hard.as_ref()?;
    let used = |resource: &String| status.used.as_ref()?.get(resource).map(|used| used.0.clone());
    let all: Vec<String> = hard
        .iter()
        .take(4)
        .map(|(resource, hard)| {
            format!("{resource} {} of {}", used(resource).unwrap_or_else(|| "0".to_owned()), hard.0)
        })
        .collect();
    (!all.is_empty()).then(|| text![": ", own(all.join(", "))])
}
