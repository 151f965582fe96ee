//! What changed shortly before the first failure: revisions and their differences, edits of the objects that were read,
//! nodes that changed their state. Nothing is read for this but the revisions of the workload.

mod templates;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Container, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubewhy_text::{Text, code, name, text};

use crate::ask::{Filter, Selector};
use crate::case::Subject;
use crate::finding::{Action, Fix, ObjectRef};
use crate::kind::{Kind, Object};
use crate::reader::{Needs, Reader};
use crate::report::{Change, RankedFinding};
use crate::scope::{self, Scope};

/// How long before the answer a change is still worth telling.
const RECENT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// How long after an object's creation its first writes belong to the creation.
const SETTLED: SignedDuration = SignedDuration::from_secs(5);
/// How many changes are told.
const MOST: usize = 6;

/// What changed before the trouble that leads the report, newest first.
///
/// # Errors
/// [`Needs`] where the revisions have not been asked yet.
pub(crate) fn before(reader: &Reader<'_>, scope: &Scope, lead: &RankedFinding) -> Result<Vec<Change>, Needs> {
    let mut changes: Vec<Change> = edits(reader, lead).collect();
    changes.extend(node_changes(reader));
    if let Some(revisions) = revisions(reader, scope, lead)? {
        changes.extend(revisions.change());
    } else if let Some(revisions) = templates::revisions(reader, lead)? {
        changes.extend(revisions.change());
    }
    changes.retain(|change| reader.now().duration_since(change.at) < RECENT);
    changes.sort_by(|a, b| b.at.cmp(&a.at).then_with(|| a.object.cmp(&b.object)));
    changes.dedup();
    changes.truncate(MOST);
    Ok(changes)
}

/// The step back to the revision before, where the fault is one of the template and there is such a revision.
///
/// # Errors
/// [`Needs`] where the revisions have not been asked yet.
pub(crate) fn way_back(
    reader: &Reader<'_>,
    scope: &Scope,
    lead: &RankedFinding,
    context: Option<&str>,
) -> Result<Option<Fix>, Needs> {
    if !lead.root().is_same_object(lead.chain.first().unwrap_or(lead.root())) {
        return Ok(None);
    }
    if lead.root().kind != Kind::Deployment.name() {
        return Ok(templates::revisions(reader, lead)?.map(|revisions| revisions.way_back(context)));
    }
    let Some(revisions) = revisions(reader, scope, lead)? else { return Ok(None) };
    let (namespace, deployment) = (lead.root().namespace.clone().unwrap_or_default(), &lead.root().name);
    let mut command = String::from("kubectl");
    if let Some(context) = context {
        command = format!("{command} --context {}", crate::case::shell_quoted(context));
    }
    let number = scope::revision(&revisions.old);
    let command = format!(
        "{command} -n {} rollout undo {} --to-revision={number}",
        crate::case::shell_quoted(&namespace),
        crate::case::shell_quoted(&format!("deployment/{deployment}")),
    );
    let undone = revisions.difference().map(|difference| text![", which undoes: ", difference]);
    let title = text!["go back to revision ", number, undone];
    Ok(Some(Fix::disruptive(title).command(command).remedy(Action::Undo)))
}

/// The revision of the failing pods and the one before it.
struct Revisions {
    new: Arc<ReplicaSet>,
    old: Arc<ReplicaSet>,
    deployment: ObjectRef,
}

fn revisions(reader: &Reader<'_>, scope: &Scope, lead: &RankedFinding) -> Result<Option<Revisions>, Needs> {
    let Some(deployment) = lead.chain.iter().find(|link| link.kind == Kind::Deployment.name()).cloned() else {
        return Ok(None);
    };
    let Some(set_name) =
        lead.chain.iter().find(|link| link.kind == Kind::ReplicaSet.name()).map(|link| link.name.clone())
    else {
        return Ok(None);
    };
    let namespace = deployment.namespace.as_deref();
    let Some(set) = reader.known().find_map(|object| match object {
        Object::ReplicaSet(set) if object.name() == set_name && object.namespace() == namespace => {
            Some(Arc::clone(set))
        }
        _ => None,
    }) else {
        return Ok(None);
    };
    if scope::revision(&set) < 2 {
        return Ok(None);
    }
    let Some(filter) = family(scope, &set) else { return Ok(None) };
    let sets = reader.list::<ReplicaSet>(namespace, Filter::Labels(filter))?.found().unwrap_or_default();
    let number = scope::revision(&set);
    let same_owner = |other: &ReplicaSet| {
        other
            .metadata
            .owner_references
            .iter()
            .flatten()
            .any(|owner| owner.kind == "Deployment" && owner.name == deployment.name)
    };
    let earlier = sets.into_iter().filter(|other| same_owner(other) && scope::revision(other) < number);
    let old = earlier.max_by_key(|other| scope::revision(other));
    Ok(old.map(|old| Revisions { new: set, old, deployment }))
}

/// The selector of a Deployment's sets: its own where it was asked about, else that of the set without the hash.
fn family(scope: &Scope, set: &ReplicaSet) -> Option<Selector> {
    for scoped in &scope.subjects {
        if let Subject::Workload(crate::case::Workload::Deployment(deployment)) = &scoped.subject {
            return deployment.spec.as_ref().map(|spec| Selector::from_api(&spec.selector));
        }
    }
    let mut selector = set.spec.as_ref()?.selector.clone();
    if let Some(labels) = &mut selector.match_labels {
        labels.remove("pod-template-hash");
    }
    let selector = Selector::from_api(&selector);
    (!selector.is_empty()).then_some(selector)
}

impl Revisions {
    fn difference(&self) -> Option<Text> {
        let template = |set: &ReplicaSet| {
            set.spec.as_ref().and_then(|spec| spec.template.as_ref()).and_then(|template| template.spec.clone())
        };
        joined_differences(&template(&self.old)?, &template(&self.new)?)
    }

    fn change(&self) -> Option<Change> {
        let at = self.new.metadata.creation_timestamp.as_ref()?.0;
        let what = text!["revision ", scope::revision(&self.new), ": ", self.difference()?];
        Some(Change { at, object: self.deployment.clone(), what })
    }
}

/// What two pod templates differ in, as a list; none where they do not.
fn joined_differences(old: &PodSpec, new: &PodSpec) -> Option<Text> {
    let mut out = Text::default();
    for (index, part) in differences(old, new).into_iter().enumerate() {
        if index > 0 {
            out.push(", ");
        }
        out.push(part);
    }
    (!out.is_empty()).then_some(out)
}

/// What two pod templates differ in, in words of the template.
fn differences(old: &PodSpec, new: &PodSpec) -> Vec<Text> {
    let mut parts = Vec::new();
    let all = |spec: &PodSpec| -> BTreeMap<String, Container> {
        let init = spec.init_containers.iter().flatten();
        init.chain(&spec.containers).map(|container| (container.name.clone(), container.clone())).collect()
    };
    let (before, after) = (all(old), all(new));
    for (container, now) in &after {
        match before.get(container) {
            Some(was) => parts.extend(container_differences(was, now)),
            None => parts.push(text!["container +", name(container.clone())]),
        }
    }
    for container in before.keys().filter(|container| !after.contains_key(*container)) {
        parts.push(text!["container -", name(container.clone())]);
    }
    let volumes =
        |spec: &PodSpec| spec.volumes.iter().flatten().map(|volume| volume.name.clone()).collect::<BTreeSet<_>>();
    parts.extend(plus_minus("volume", &volumes(old), &volumes(new)));
    for (what, differs) in [
        ("nodeSelector", old.node_selector != new.node_selector),
        ("affinity", old.affinity != new.affinity),
        ("tolerations", old.tolerations != new.tolerations),
        ("serviceAccountName", old.service_account_name != new.service_account_name),
        ("securityContext", old.security_context != new.security_context),
        ("imagePullSecrets", old.image_pull_secrets != new.image_pull_secrets),
        ("volumes", old.volumes != new.volumes && volumes(old) == volumes(new)),
    ] {
        if differs {
            parts.push(Text::from(what));
        }
    }
    parts
}

fn container_differences(old: &Container, new: &Container) -> Vec<Text> {
    let mut parts = Vec::new();
    if old.image != new.image {
        let image = |container: &Container| code(container.image.clone().unwrap_or_default());
        parts.push(text!["image ", image(old), " -> ", image(new)]);
    }
    let variables =
        |container: &Container| container.env.iter().flatten().map(|env| env.name.clone()).collect::<BTreeSet<_>>();
    parts.extend(plus_minus("env", &variables(old), &variables(new)));
    for env in new.env.iter().flatten() {
        // The value itself may be a secret; that it changed is not.
        if old.env.iter().flatten().any(|was| was.name == env.name && was != env) {
            parts.push(text!["env ", name(env.name.clone()), " changed"]);
        }
    }
    for (what, differs) in [
        ("command", old.command != new.command),
        ("args", old.args != new.args),
        ("envFrom", old.env_from != new.env_from),
        ("resources", old.resources != new.resources),
        ("livenessProbe", old.liveness_probe != new.liveness_probe),
        ("readinessProbe", old.readiness_probe != new.readiness_probe),
        ("startupProbe", old.startup_probe != new.startup_probe),
        ("ports", old.ports != new.ports),
        ("volumeMounts", old.volume_mounts != new.volume_mounts),
        ("securityContext", old.security_context != new.security_context),
        ("lifecycle", old.lifecycle != new.lifecycle),
        ("workingDir", old.working_dir != new.working_dir),
    ] {
        if differs {
            parts.push(text![what, " of container ", name(new.name.clone())]);
        }
    }
    parts
}

fn plus_minus(what: &'static str, old: &BTreeSet<String>, new: &BTreeSet<String>) -> Vec<Text> {
    let plus = new.difference(old).map(|it| text![what, " +", name(it.clone())]);
    let minus = old.difference(new).map(|it| text![what, " -", name(it.clone())]);
    plus.chain(minus).collect()
}

/// Edits, after their creation, of the configuration objects that the answer has read.
fn edits<'r>(reader: &'r Reader<'_>, lead: &'r RankedFinding) -> impl Iterator<Item = Change> + 'r {
    reader.known().filter_map(move |object| {
        let reference = ObjectRef::new(object.kind(), object.namespace(), object.name());
        let told = matches!(
            object.kind(),
            Kind::ConfigMap
                | Kind::Secret
                | Kind::ResourceQuota
                | Kind::LimitRange
                | Kind::NetworkPolicy
                | Kind::Service
        );
        let in_chain = lead.chain.iter().any(|link| link.is_same_object(&reference))
            && !matches!(object, Object::Pod(_) | Object::ReplicaSet(_));
        if !told && !in_chain {
            return None;
        }
        let (at, manager) = last_edit(object.meta())?;
        Some(Change { at, object: reference, what: text!["changed by ", name(manager)] })
    })
}

/// The newest write of a person or tool to anything but the status, after the creation.
fn last_edit(meta: &ObjectMeta) -> Option<(Timestamp, String)> {
    let created = meta.creation_timestamp.as_ref()?.0;
    meta.managed_fields
        .iter()
        .flatten()
        .filter(|entry| entry.subresource.as_deref().is_none_or(str::is_empty))
        .filter(|entry| entry.manager.as_deref().is_none_or(|manager| !manager.starts_with("kube-")))
        .filter_map(|entry| Some((entry.time.as_ref()?.0, entry.manager.clone().unwrap_or_default())))
        .filter(|(at, _)| at.duration_since(created) > SETTLED)
        .max()
}

/// Nodes that were read and whose readiness is not what it was.
fn node_changes<'r>(reader: &'r Reader<'_>) -> impl Iterator<Item = Change> + 'r {
    reader.known().filter_map(|object| {
        let Object::Node(node) = object else { return None };
        let conditions = node.status.as_ref()?.conditions.as_ref()?;
        let ready = conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status != "True")?;
        let at = ready.last_transition_time.as_ref()?.0;
        let what = text!["Ready became ", code(ready.status.clone())];
        Some(Change { at, object: ObjectRef::new(Kind::Node, None, object.name()), what })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_new_revision_is_told_by_what_it_changed() {
        let spec = |value| serde_json::from_value::<PodSpec>(value).expect("a pod spec");
        let old =
            spec(json!({"containers": [{"name": "app", "image": "cart:1.4.2", "env": [{"name": "A", "value": "1"}]}]}));
        let new = spec(
            json!({"containers": [{"name": "app", "image": "cart:1.4.3", "env": [{"name": "A", "value": "2"},
            {"name": "DB_PASSWORD", "value": "hunter2"}], "resources": {"limits": {"cpu": "1"}}}], "nodeSelector": {"a": "b"}}),
        );
        let words: Vec<String> = differences(&old, &new).iter().map(Text::plain).collect();
        assert_eq!(
            words,
            [
                "image cart:1.4.2 -> cart:1.4.3",
                "env +DB_PASSWORD",
                "env A changed",
                "resources of container app",
                "nodeSelector"
            ]
        );
    }
}
