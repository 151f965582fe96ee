//! The revisions of a `StatefulSet` or `DaemonSet` whose update is on its way: what the new one changed, and the way back.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ControllerRevision;
use k8s_openapi::api::core::v1::PodSpec;
use kubewhy_text::{Text, text};

use super::joined_differences;
use crate::ask::{Filter, Selector};
use crate::case::{Workload, shell_quoted};
use crate::finding::{Fix, ObjectRef};
use crate::kind::{Kind, Object};
use crate::reader::{Needs, Reader};
use crate::report::{Change, RankedFinding};
use crate::scope;

/// The revision that is being rolled out and the one before it.
pub(super) struct Revisions {
    new: Arc<ControllerRevision>,
    old: Arc<ControllerRevision>,
    owner: ObjectRef,
}

/// The revisions of the workload that leads to a finding, where it was read and is amid an update.
///
/// # Errors
/// [`Needs`] where the revisions have not been asked yet.
pub(super) fn revisions(reader: &Reader<'_>, lead: &RankedFinding) -> Result<Option<Revisions>, Needs> {
    let kinds = [Kind::StatefulSet.name(), Kind::DaemonSet.name()];
    let Some(owner) = lead.chain.iter().find(|link| kinds.contains(&link.kind.as_ref())) else { return Ok(None) };
    let is_owner =
        |object: &&Object| ObjectRef::new(object.kind(), object.namespace(), object.name()).is_same_object(owner);
    let Some(object) = reader.known().find(is_owner) else { return Ok(None) };
    let Some(workload) = Workload::of(object).filter(is_amid_update) else { return Ok(None) };
    let selector = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty());
    let Some(selector) = selector else { return Ok(None) };
    let all = reader.list::<ControllerRevision>(object.namespace(), Filter::Labels(selector))?.found();
    let mut own: Vec<_> = all.unwrap_or_default();
    own.retain(|revision| scope::is_owned_by(&revision.metadata, object));
    own.sort_by_key(|revision| revision.revision);
    let updates_to = match &workload {
        Workload::StatefulSet(set) => set.status.as_ref().and_then(|status| status.update_revision.clone()),
        _ => None,
    };
    let named = |revision: &&Arc<ControllerRevision>| revision.metadata.name == updates_to;
    let new = own.iter().rev().find(|revision| updates_to.is_none() || named(revision)).cloned();
    let Some(new) = new else { return Ok(None) };
    let old = own.iter().rev().find(|revision| revision.revision < new.revision).cloned();
    let mut owner = owner.clone();
    owner.detail = None;
    Ok(old.map(|old| Revisions { new, old, owner }))
}

/// Some of its pods are of the new template and some of the one before.
fn is_amid_update(workload: &Workload) -> bool {
    match workload {
        Workload::StatefulSet(set) => set.status.as_ref().is_some_and(|status| {
            let (current, update) = (status.current_revision.as_ref(), status.update_revision.as_ref());
            current.zip(update).is_some_and(|(current, update)| current != update)
        }),
        Workload::DaemonSet(set) => set.status.as_ref().is_some_and(|status| {
            status.updated_number_scheduled.is_some_and(|updated| updated < status.desired_number_scheduled)
        }),
        _ => false,
    }
}

impl Revisions {
    fn difference(&self) -> Option<Text> {
        joined_differences(&template(&self.old)?, &template(&self.new)?)
    }

    /// What the new revision changed.
    pub(super) fn change(&self) -> Option<Change> {
        let at = self.new.metadata.creation_timestamp.as_ref()?.0;
        let what = text!["revision ", self.new.revision, ": ", self.difference()?];
        Some(Change { at, object: self.owner.clone(), what })
    }

    /// The step back to the one before. A `StatefulSet` waits for its broken pod even then.
    pub(super) fn way_back(&self, context: Option<&str>) -> Fix {
        let kubectl = context.map_or("kubectl".to_owned(), |it| format!("kubectl --context {}", shell_quoted(it)));
        let namespace = shell_quoted(self.owner.namespace.as_deref().unwrap_or_default());
        let argument = shell_quoted(&format!("{}/{}", self.owner.kind.to_lowercase(), self.owner.name));
        let number = self.old.revision;
        let command = format!("{kubectl} -n {namespace} rollout undo {argument} --to-revision={number}");
        let undone = self.difference().map(|difference| text![", which undoes: ", difference]);
        let waits = (self.owner.kind == Kind::StatefulSet.name())
            .then(|| text!["; then delete the pod that fails: the StatefulSet waits for it and does not replace it"]);
        Fix::disruptive(text!["go back to revision ", number, undone, waits]).command(command)
    }
}

/// The specification of the pods in a revision's data: `{"spec": {"template": {...}}}`.
fn template(revision: &ControllerRevision) -> Option<PodSpec> {
    let spec = revision.data.as_ref()?.0.pointer("/spec/template/spec")?;
    serde_json::from_value(spec.clone()).ok()
}
