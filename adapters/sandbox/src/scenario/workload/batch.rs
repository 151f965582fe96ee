//! Jobs and `CronJob`s.

use serde_json::{Value, json};

use super::{Draft, Expansion, Owner, add_pods};
use crate::scenario::format::PodEntry;
use crate::scenario::identity::Seed;
use crate::scenario::json::{self, Map};
use crate::scenario::pod::{BuiltPod, later, normal};
use crate::scenario::time::Time;

/// Writes a Job and its pods.
pub(super) fn expand_job(draft: &Draft<'_>) -> Expansion {
    let name = &draft.workload.name;
    let uid = draft.uid("Job", name);
    let mut expansion = Expansion::default();
    let entries = draft.entries(1);
    let pods = pods_of(draft, name, &uid, draft.created, entries, &mut expansion);
    let mut spec = spec_of(draft, name, &uid);
    json::merge(&mut spec, &draft.workload.spec);
    let (status, conditions) = status_of(draft, draft.created, &pods, &spec);
    let metadata = draft.metadata(name, &job_labels(draft, name, &uid), &draft.annotations(), 1);
    let object = draft.owner_object(metadata, spec.into(), status, conditions);
    expansion.objects.insert(0, object);
    let mut events = Vec::new();
    if draft.is_young(draft.created) {
        for pod in &pods {
            let message = format!("Created pod: {}", pod.name());
            events.push(normal("SuccessfulCreate", message, draft.created, "job-controller"));
        }
    }
    draft.events(&mut expansion, events);
    expansion
}

/// Writes a `CronJob` and, for every pod as written, a Job.
pub(super) fn expand_cron(draft: &Draft<'_>) -> Expansion {
    let name = &draft.workload.name;
    let moment = &draft.context.moment;
    let mut below = Expansion::default();
    let mut active = Vec::new();
    let mut newest = None;
    let entries = if draft.workload.pods.is_some() { draft.entries(0) } else { Vec::new() };
    for entry in entries {
        let created = entry.created.unwrap_or_else(|| Time::ago(600));
        let at = moment.resolve(created);
        let job = format!("{name}-{}", at.as_second() / 60);
        let uid = draft.uid("Job", &job);
        let mut pods_below = Expansion::default();
        let pods = pods_of(draft, &job, &uid, created, vec![entry], &mut pods_below);
        let spec = spec_of(draft, &job, &uid);
        let (status, conditions) = status_of(draft, created, &pods, &spec);
        if conditions.is_empty() {
            active.push(
                json!({"apiVersion": "batch/v1", "kind": "Job", "name": job, "namespace": draft.namespace, "uid": uid}),
            );
        }
        newest = newest.max(Some(at));
        below.objects.push(job_of_cron(draft, &job, &uid, created, &spec, status, conditions));
        below.objects.append(&mut pods_below.objects);
        below.logs.append(&mut pods_below.logs);
        below.plans.append(&mut pods_below.plans);
    }
    let mut spec = json!({
        "schedule": "*/10 * * * *", "concurrencyPolicy": "Allow", "suspend": false,
        "successfulJobsHistoryLimit": 3, "failedJobsHistoryLimit": 1,
        "jobTemplate": {"metadata": {}, "spec": {"template": draft.template(&draft.labels, &draft.template)}},
    });
    if let Some(spec) = spec.as_object_mut() {
        json::merge(spec, &draft.workload.spec);
    }
    let mut status = Map::new();
    if !active.is_empty() {
        status.insert("active".into(), active.into());
    }
    if let Some(newest) = newest {
        status.insert("lastScheduleTime".into(), crate::scenario::time::write(newest).into());
    }
    let metadata = draft.metadata(name, &draft.labels, &draft.annotations(), 1);
    let object = draft.owner_object(metadata, spec, status, Vec::new());
    below.objects.insert(0, object);
    draft.events(&mut below, Vec::new());
    below
}

fn job_of_cron(
    draft: &Draft<'_>,
    job: &str,
    uid: &str,
    created: Time,
    spec: &Map,
    mut status: Map,
    conditions: Vec<Value>,
) -> Value {
    let name = &draft.workload.name;
    let written = draft.context.moment.write(created);
    let annotations =
        Map::from_iter([("batch.kubernetes.io/cronjob-scheduled-timestamp".to_owned(), Value::from(written.clone()))]);
    let mut metadata = draft.metadata(job, &job_labels(draft, job, uid), &annotations, 1);
    metadata.insert("uid".into(), uid.into());
    metadata.insert("creationTimestamp".into(), written.into());
    let owner = Owner { kind: "CronJob", api_version: "batch/v1", name, uid: draft.uid("CronJob", name) };
    metadata.insert("ownerReferences".into(), json!([owner.reference()]));
    if !conditions.is_empty() {
        status.insert("conditions".into(), conditions.into());
    }
    status.retain(|_, value| *value != json!(0));
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata, "spec": spec, "status": status})
}

fn job_labels(draft: &Draft<'_>, job: &str, uid: &str) -> Map {
    let mut labels = draft.labels.clone();
    for (key, value) in [("controller-uid", uid), ("job-name", job)] {
        labels.insert(format!("batch.kubernetes.io/{key}"), value.into());
        labels.insert(key.to_owned(), value.into());
    }
    labels
}

fn spec_of(draft: &Draft<'_>, job: &str, uid: &str) -> Map {
    let labels = job_labels(draft, job, uid);
    json::map_of(json!({
        "parallelism": 1, "completions": 1, "backoffLimit": 6, "completionMode": "NonIndexed", "suspend": false,
        "manualSelector": false, "podReplacementPolicy": "TerminatingOrFailed",
        "selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}},
        "template": draft.template(&labels, &draft.template),
    }))
}

fn pods_of(
    draft: &Draft<'_>,
    job: &str,
    uid: &str,
    created: Time,
    entries: Vec<PodEntry>,
    into: &mut Expansion,
) -> Vec<BuiltPod> {
    let owner = Owner { kind: "Job", api_version: "batch/v1", name: job, uid: uid.to_owned() };
    let labels = job_labels(draft, job, uid);
    let plans = entries.into_iter().enumerate().map(|(index, entry)| {
        let suffix =
            Seed::of(&[draft.context.scenario, draft.namespace, &draft.workload.name, "job", &index.to_string()]);
        let generated = || format!("{job}-{}", suffix.clone().letters(5));
        let name = entry.name.clone().unwrap_or_else(generated);
        let mut plan = draft.plan(name, labels.clone(), Some(&owner), entry, later(created, 1));
        plan.hash = String::new();
        plan
    });
    let plans = plans.collect();
    add_pods(into, plans)
}

fn status_of(draft: &Draft<'_>, created: Time, pods: &[BuiltPod], spec: &Map) -> (Map, Vec<Value>) {
    let moment = &draft.context.moment;
    let count = |phase: &str| pods.iter().filter(|pod| pod.phase() == phase).count();
    let (succeeded, failed) = (count("Succeeded"), count("Failed"));
    let active = pods.iter().filter(|pod| pod.is_active()).count();
    let ready = pods.iter().filter(|pod| pod.is_ready()).count();
    let completions = spec.get("completions").and_then(Value::as_u64).unwrap_or(1);
    let mut status = json!({
        "active": active, "ready": ready, "succeeded": succeeded, "failed": failed,
        "startTime": moment.write(created), "uncountedTerminatedPods": {},
    });
    let mut conditions = Vec::new();
    if succeeded as u64 >= completions && active == 0 {
        let ended = moment.write(later(created, 30));
        let message = "Reached expected number of succeeded pods";
        for type_ in ["SuccessCriteriaMet", "Complete"] {
            conditions
                .push(json!({"type": type_, "status": "True", "reason": "CompletionsReached", "message": message,
                "lastProbeTime": ended, "lastTransitionTime": ended}));
        }
        if let Some(status) = status.as_object_mut() {
            status.insert("completionTime".into(), ended.into());
        }
    }
    (json::map_of(status), conditions)
}
