//! Deployments with their `ReplicaSet`s.

use serde_json::{Value, json};

use super::{Draft, Expansion, Owner, add_pods, hash_of, named_hash, with};
use crate::scenario::format::{PodEntry, PodRevision};
use crate::scenario::json::{self, Map};
use crate::scenario::pod::{BuiltPod, for_template, later, normal};
use crate::scenario::time::Time;

/// After how long without progress a rollout counts as stalled, in seconds, unless the spec says otherwise.
const PROGRESS_DEADLINE: i64 = 600;

/// One `ReplicaSet` of a Deployment.
struct Revision {
    hash: String,
    name: String,
    number: u32,
    created: Time,
    template: Map,
    replicas: u32,
}

/// Writes the Deployment, its `ReplicaSet`s and their pods.
pub(super) fn expand(draft: &Draft<'_>) -> Expansion {
    let mut expansion = Expansion::default();
    let (old_entries, new_entries): (Vec<PodEntry>, Vec<PodEntry>) =
        draft.entries(draft.replicas()).into_iter().partition(|entry| entry.revision == PodRevision::Before);
    let mut new = current(draft);
    let old = before(draft, u32::try_from(old_entries.len()).unwrap_or(0));
    if old.as_ref().is_some_and(|old| old.replicas > 0) {
        new.replicas = u32::try_from(new_entries.len()).unwrap_or(0);
    }
    let mut sets: Vec<(&Revision, Vec<PodEntry>)> = Vec::new();
    sets.extend(old.as_ref().map(|old| (old, old_entries)));
    sets.push((&new, new_entries));
    let mut built = Vec::new();
    let mut pods_after = Expansion::default();
    let mut set_objects = Vec::new();
    for (revision, entries) in sets {
        let pods = pods_of(draft, revision, entries, &mut pods_after);
        set_objects.push(set_object(draft, revision, &pods, std::ptr::eq(revision, &raw const new)));
        built.push((revision.replicas, pods));
    }
    expansion.objects.push(object(draft, &new, old.as_ref(), &built));
    expansion.objects.extend(set_objects);
    expansion.objects.append(&mut pods_after.objects);
    expansion.logs = pods_after.logs;
    expansion.plans = pods_after.plans;
    let mut events = Vec::new();
    if draft.is_young(new.created) && new.replicas > 0 {
        let message = format!("Scaled up replica set {} from 0 to {}", new.name, new.replicas);
        events.push(normal("ScalingReplicaSet", message, new.created, "deployment-controller"));
        let pods = built.last().map(|(_, pods)| pods.as_slice()).unwrap_or_default();
        for pod in pods.iter().take(5) {
            let at = later(new.created, 1);
            let mut event =
                normal("SuccessfulCreate", format!("Created pod: {}", pod.name()), at, "replicaset-controller");
            event.on = Some("ReplicaSet".to_owned());
            events.push(event);
        }
    }
    draft.events(&mut expansion, events);
    expansion
}

fn current(draft: &Draft<'_>) -> Revision {
    let revision = draft.workload.revision.as_ref();
    Revision {
        hash: draft.hash.clone(),
        name: format!("{}-{}", draft.workload.name, draft.hash),
        number: revision.map_or(1, |revision| revision.number),
        created: revision.map_or(draft.created, |revision| revision.at),
        template: draft.template.clone(),
        replicas: draft.replicas(),
    }
}

fn before(draft: &Draft<'_>, replicas: u32) -> Option<Revision> {
    let revision = draft.workload.revision.as_ref().filter(|revision| revision.number > 1)?;
    let mut pod = draft.workload.pod.clone();
    let mut over = revision.before.clone();
    let containers = over.remove("containers");
    json::merge(&mut pod, &over);
    if let (Some(Value::Array(containers)), Some(Value::Array(list))) = (containers, pod.get_mut("containers")) {
        let containers: Vec<Map> = containers.into_iter().map(json::map_of).collect();
        json::merge_keyed(list, &containers, "name");
    }
    let hash =
        named_hash(draft.workload, PodRevision::Before).unwrap_or_else(|| hash_of(draft.context, draft.workload, &pod));
    for_template(&mut pod, "Always");
    let name = format!("{}-{hash}", draft.workload.name);
    Some(Revision { hash, name, number: revision.number - 1, created: draft.created, template: pod, replicas })
}

fn pods_of(draft: &Draft<'_>, revision: &Revision, entries: Vec<PodEntry>, into: &mut Expansion) -> Vec<BuiltPod> {
    let uid = draft.uid("ReplicaSet", &revision.name);
    let owner = Owner { kind: "ReplicaSet", api_version: "apps/v1", name: &revision.name, uid };
    let labels = with(&draft.labels, "pod-template-hash", &revision.hash);
    let plans = entries.into_iter().enumerate().map(|(index, entry)| {
        let name = entry.name.clone().unwrap_or_else(|| draft.pod_name(&revision.name, index));
        let mut plan = draft.plan(name, labels.clone(), Some(&owner), entry, later(revision.created, 1));
        plan.template.clone_from(&revision.template);
        plan.hash.clone_from(&revision.hash);
        plan
    });
    let plans = plans.collect();
    add_pods(into, plans)
}

fn set_object(draft: &Draft<'_>, revision: &Revision, pods: &[BuiltPod], is_current: bool) -> Value {
    let labels = with(&draft.labels, "pod-template-hash", &revision.hash);
    let max = draft.replicas() + draft.replicas().div_ceil(4);
    let mut annotations = draft.annotations();
    annotations.insert("deployment.kubernetes.io/revision".into(), revision.number.to_string().into());
    annotations.insert("deployment.kubernetes.io/desired-replicas".into(), draft.replicas().to_string().into());
    annotations.insert("deployment.kubernetes.io/max-replicas".into(), max.to_string().into());
    let mut metadata = draft.metadata(&revision.name, &labels, &annotations, 1);
    let created = if is_current { revision.created } else { draft.created };
    metadata.insert("creationTimestamp".into(), draft.context.moment.write(created).into());
    metadata.insert("uid".into(), draft.uid("ReplicaSet", &revision.name).into());
    let uid = draft.uid("Deployment", &draft.workload.name);
    let owner = Owner { kind: "Deployment", api_version: "apps/v1", name: &draft.workload.name, uid };
    metadata.insert("ownerReferences".into(), json!([owner.reference()]));
    let active: Vec<&BuiltPod> = pods.iter().filter(|pod| pod.is_active()).collect();
    let ready = active.iter().filter(|pod| pod.is_ready()).count();
    let mut status = json!({
        "replicas": active.len(), "observedGeneration": 1, "fullyLabeledReplicas": active.len(),
        "readyReplicas": ready, "availableReplicas": ready,
    });
    let failure = draft.workload.conditions.iter().find(|condition| json::text(condition, "type") == "ReplicaFailure");
    if let Some(status) = status.as_object_mut() {
        status.retain(|key, value| key == "replicas" || *value != json!(0));
        if let (Some(failure), true) = (failure, is_current) {
            let mut failure = failure.clone();
            failure.remove("lastUpdateTime");
            json::fill(&mut failure, "lastTransitionTime", draft.context.moment.write(revision.created));
            status.insert("conditions".into(), json!([failure]));
        }
    }
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": metadata,
        "spec": {
            "replicas": revision.replicas, "selector": {"matchLabels": labels},
            "template": draft.template(&labels, &revision.template),
        },
        "status": status,
    })
}

fn object(draft: &Draft<'_>, new: &Revision, old: Option<&Revision>, built: &[(u32, Vec<BuiltPod>)]) -> Value {
    let mut annotations = draft.annotations();
    annotations.insert("deployment.kubernetes.io/revision".into(), new.number.to_string().into());
    let metadata = draft.metadata(&draft.workload.name, &draft.labels, &annotations, new.number);
    let spec = json!({
        "replicas": draft.replicas(), "selector": {"matchLabels": draft.labels},
        "template": draft.template(&draft.labels, &draft.template),
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}},
        "revisionHistoryLimit": 10, "progressDeadlineSeconds": PROGRESS_DEADLINE,
    });
    let count = |pods: &[BuiltPod], pred: fn(&BuiltPod) -> bool| pods.iter().filter(|pod| pred(pod)).count();
    let all = built.iter().map(|(_, pods)| count(pods, BuiltPod::is_active)).sum::<usize>();
    let available = built.iter().map(|(_, pods)| count(pods, BuiltPod::is_ready)).sum::<usize>();
    let wanted = built.iter().map(|(replicas, _)| *replicas as usize).sum::<usize>();
    let updated = built.last().map_or(0, |(_, pods)| count(pods, BuiltPod::is_active));
    let updated_ready = built.last().map_or(0, |(_, pods)| count(pods, BuiltPod::is_ready));
    let status = json!({
        "observedGeneration": new.number, "replicas": all, "updatedReplicas": updated,
        "readyReplicas": available, "availableReplicas": available,
        "unavailableReplicas": wanted.saturating_sub(available),
    });
    let desired = draft.replicas() as usize;
    let is_complete = updated_ready >= desired && all == updated;
    let ran = built.last().is_some_and(|(_, pods)| pods.iter().any(has_run));
    let conditions = vec![
        available_condition(draft, new, available, desired),
        progressing(draft, new, is_complete, ran, old.is_some()),
    ];
    draft.owner_object(metadata, spec, json::map_of(status), conditions)
}

fn has_run(pod: &BuiltPod) -> bool {
    let statuses = json::at(&pod.object, &["status", "containerStatuses"]).and_then(Value::as_array);
    statuses.into_iter().flatten().any(|status| status.get("containerID").is_some())
}

fn available_condition(draft: &Draft<'_>, new: &Revision, available: usize, desired: usize) -> Value {
    let (status, reason, message) = if available >= desired - desired / 4 {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let since = draft.context.moment.write(later(new.created, 2));
    json!({"type": "Available", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": since, "lastUpdateTime": since})
}

/// How the rollout goes. A Deployment that is up for long and has no newer revision was complete once, and stays so.
fn progressing(draft: &Draft<'_>, new: &Revision, is_complete: bool, ran: bool, has_before: bool) -> Value {
    let moment = &draft.context.moment;
    let age = moment.at.duration_since(moment.resolve(new.created)).as_secs();
    let name = &new.name;
    if draft.workload.spec.get("paused") == Some(&json!(true)) {
        let since = moment.write(new.created);
        return json!({"type": "Progressing", "status": "Unknown", "reason": "DeploymentPaused",
            "message": "Deployment is paused", "lastTransitionTime": since, "lastUpdateTime": since});
    }
    let limit = draft.workload.spec.get("progressDeadlineSeconds").and_then(Value::as_i64).unwrap_or(PROGRESS_DEADLINE);
    let was_complete = is_complete || !has_before && ran && age > limit;
    let (status, reason, message, at) = if was_complete {
        let message = format!("ReplicaSet \"{name}\" has successfully progressed.");
        ("True", "NewReplicaSetAvailable", message, later(new.created, 8))
    } else if age > limit {
        let message = format!("ReplicaSet \"{name}\" has timed out progressing.");
        ("False", "ProgressDeadlineExceeded", message, later(new.created, limit + 1))
    } else {
        let message = format!("ReplicaSet \"{name}\" is progressing.");
        ("True", "ReplicaSetUpdated", message, later(new.created, 1))
    };
    json!({"type": "Progressing", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": moment.write(if status == "True" { new.created } else { at }), "lastUpdateTime": moment.write(at)})
}
