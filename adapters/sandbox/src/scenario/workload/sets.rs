//! `StatefulSet`s and `DaemonSet`s.

use serde_json::{Value, json};

use super::{Draft, Expansion, Owner, add_pods, with};
use crate::scenario::format::PodEntry;
use crate::scenario::json::{self, Map, each, text};
use crate::scenario::pod::{BuiltPod, for_node, later, normal};

/// The nodes that a healthy daemon runs on.
const ALL_NODES: [&str; 5] = ["control-plane-1", "worker-1", "worker-2", "worker-3", "worker-4"];

/// Writes a `StatefulSet` and its pods.
pub(super) fn expand_stateful(draft: &Draft<'_>) -> Expansion {
    let name = &draft.workload.name;
    let revision = format!("{name}-{}", draft.hash);
    let owner = owner(draft);
    let claims: Vec<&Map> = each(&draft.workload.spec, "volumeClaimTemplates").collect();
    let claim_names: Vec<String> = claims.iter().map(|claim| claim_name(claim)).collect();
    let entries = draft.entries(draft.replicas());
    let plans = entries.into_iter().enumerate().map(|(index, entry)| {
        let pod = entry.name.clone().unwrap_or_else(|| format!("{name}-{index}"));
        let ordinal = pod.rsplit('-').next().unwrap_or_default().to_owned();
        let mut labels = with(&draft.labels, "controller-revision-hash", &revision);
        labels.insert("statefulset.kubernetes.io/pod-name".into(), pod.clone().into());
        labels.insert("apps.kubernetes.io/pod-index".into(), ordinal.into());
        let seconds = 10 * i64::try_from(index).unwrap_or_default();
        let mut plan = draft.plan(pod.clone(), labels, Some(&owner), entry, later(draft.created, seconds));
        plan.template.insert("hostname".into(), pod.clone().into());
        let service = draft.workload.spec.get("serviceName").and_then(Value::as_str).unwrap_or(name);
        plan.template.insert("subdomain".into(), service.into());
        add_claims(&mut plan.template, &claim_names, &pod);
        plan
    });
    let plans: Vec<_> = plans.collect();
    let mut below = Expansion::default();
    let pods = add_pods(&mut below, plans);
    let claims: Vec<Value> = claims.into_iter().cloned().map(claim_template).collect();
    let mut spec = json!({
        "replicas": draft.replicas(), "selector": {"matchLabels": draft.labels},
        "template": draft.template(&draft.labels, &draft.template),
        "serviceName": name, "podManagementPolicy": "OrderedReady",
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}, "revisionHistoryLimit": 10,
        "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
    });
    // Pods on their way out are pods of the set still.
    let (active, ready) = (count(&pods, BuiltPod::is_active), count(&pods, BuiltPod::says_ready));
    let status = json!({
        "observedGeneration": 1, "replicas": pods.len(), "readyReplicas": ready, "availableReplicas": ready,
        "currentReplicas": active, "updatedReplicas": active, "currentRevision": revision, "updateRevision": revision,
        "collisionCount": 0,
    });
    let metadata = draft.metadata(name, &draft.labels, &draft.annotations(), 1);
    if let Some(spec) = spec.as_object_mut() {
        json::merge(spec, &draft.workload.spec);
    }
    let mut object = draft.owner_object(metadata, spec, json::map_of(status), Vec::new());
    if let (false, Some(spec)) = (claims.is_empty(), object.get_mut("spec").and_then(Value::as_object_mut)) {
        spec.insert("volumeClaimTemplates".into(), claims.into());
    }
    let mut expansion = finish(draft, object, &revision, below);
    let mut events = Vec::new();
    for pod in pods.iter().filter(|_| draft.is_young(draft.created)) {
        let message = format!("create Pod {} in StatefulSet {name} successful", pod.name());
        events.push(normal("SuccessfulCreate", message, draft.created, "statefulset-controller"));
    }
    draft.events(&mut expansion, events);
    expansion
}

/// Writes a `DaemonSet` and its pods.
pub(super) fn expand_daemon(draft: &Draft<'_>) -> Expansion {
    let name = &draft.workload.name;
    let revision = format!("{name}-{}", draft.hash);
    let owner = owner(draft);
    let entries = if draft.workload.pods.is_some() {
        draft.entries(0)
    } else {
        let entry = |node: &&str| PodEntry { node: Some((*node).to_owned()), ..PodEntry::default() };
        ALL_NODES.iter().map(entry).collect()
    };
    let mut labels = with(&draft.labels, "controller-revision-hash", &draft.hash);
    labels.insert("pod-template-generation".into(), "1".into());
    let plans = entries.into_iter().enumerate().map(|(index, entry)| {
        let pod = entry.name.clone().unwrap_or_else(|| draft.pod_name(name, index));
        let mut plan = draft.plan(pod, labels.clone(), Some(&owner), entry, later(draft.created, 1));
        plan.daemon = true;
        if let Some(node) = &plan.entry.node {
            for_node(&mut plan.template, node);
        }
        plan
    });
    let plans: Vec<_> = plans.collect();
    let mut below = Expansion::default();
    let pods = add_pods(&mut below, plans);
    let spec = json!({
        "selector": {"matchLabels": draft.labels}, "template": draft.template(&draft.labels, &draft.template),
        "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
        "revisionHistoryLimit": 10,
    });
    let (all, ready) = (count(&pods, BuiltPod::is_active), count(&pods, BuiltPod::is_ready));
    let wanted = draft.workload.replicas.map_or(pods.len(), |replicas| replicas as usize);
    let status = json!({
        "observedGeneration": 1, "currentNumberScheduled": all, "desiredNumberScheduled": wanted,
        "numberReady": ready, "numberAvailable": ready, "numberUnavailable": wanted.saturating_sub(ready),
        "updatedNumberScheduled": all,
    });
    let mut annotations = draft.annotations();
    annotations.insert("deprecated.daemonset.template.generation".into(), "1".into());
    let metadata = draft.metadata(name, &draft.labels, &annotations, 1);
    let mut object = draft.owner_object(metadata, spec, json::map_of(status), Vec::new());
    // The API always writes these, also where they are zero.
    if let Some(status) = object.get_mut("status").and_then(Value::as_object_mut) {
        for key in ["currentNumberScheduled", "desiredNumberScheduled", "numberReady", "numberMisscheduled"] {
            json::fill(status, key, 0);
        }
    }
    let mut expansion = finish(draft, object, &revision, below);
    draft.events(&mut expansion, Vec::new());
    expansion
}

fn owner<'a>(draft: &'a Draft<'_>) -> Owner<'a> {
    let kind = draft.workload.kind;
    let uid = draft.uid(kind.name(), &draft.workload.name);
    Owner { kind: kind.name(), api_version: kind.api_version(), name: &draft.workload.name, uid }
}

/// The set, the record of its revision, then its pods.
fn finish(draft: &Draft<'_>, object: Value, revision: &str, mut below: Expansion) -> Expansion {
    let mut metadata =
        draft.metadata(revision, &with(&draft.labels, "controller-revision-hash", &draft.hash), &Map::new(), 1);
    metadata.remove("generation");
    metadata.insert("uid".into(), draft.uid("ControllerRevision", revision).into());
    metadata.insert("creationTimestamp".into(), draft.context.moment.write(draft.created).into());
    metadata.insert("ownerReferences".into(), json!([owner(draft).reference()]));
    let mut template = json::map_of(draft.template(&draft.labels, &draft.template));
    template.insert("$patch".into(), "replace".into());
    let record = json!({
        "apiVersion": "apps/v1", "kind": "ControllerRevision", "metadata": metadata, "revision": 1,
        "data": {"spec": {"template": template}},
    });
    let mut objects = vec![object, record];
    objects.append(&mut below.objects);
    Expansion { objects, ..below }
}

fn count(pods: &[BuiltPod], holds: fn(&BuiltPod) -> bool) -> usize {
    pods.iter().filter(|pod| holds(pod)).count()
}

fn claim_name(claim: &Map) -> String {
    claim.get("metadata").map(|metadata| json::text_at(metadata, &["name"]).to_owned()).unwrap_or_default()
}

fn claim_template(mut claim: Map) -> Value {
    json::fill(&mut claim, "apiVersion", "v1");
    json::fill(&mut claim, "kind", "PersistentVolumeClaim");
    json::fill(json::child(&mut claim, "spec"), "volumeMode", "Filesystem");
    json::fill(&mut claim, "status", json!({"phase": "Pending"}));
    Value::Object(claim)
}

fn add_claims(spec: &mut Map, claims: &[String], pod: &str) {
    let present: Vec<String> = each(spec, "volumes").map(|volume| text(volume, "name").to_owned()).collect();
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        for claim in claims.iter().filter(|claim| !present.contains(claim)) {
            let source = json!({"claimName": format!("{claim}-{pod}")});
            volumes.insert(0, json!({"name": claim, "persistentVolumeClaim": source}));
        }
    }
}
