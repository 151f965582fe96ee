//! What makes pods.

use serde_json::{Value, json};

use super::{Object, child, each, is_set, part, pods, put, put_into, text};

pub(super) fn template(owner: &mut Object) {
    let Some(template) = child(owner, "template") else { return };
    put(template, "metadata", json!({}));
    if let Some(spec) = child(template, "spec") {
        pods::spec(spec);
    }
}

pub(super) fn deployment(deployment: &mut Object) {
    put(deployment, "status", json!({}));
    let Some(spec) = child(deployment, "spec") else { return };
    put(spec, "replicas", 1);
    put(spec, "revisionHistoryLimit", 10);
    put(spec, "progressDeadlineSeconds", 600);
    rolling(spec, "strategy", &[("maxUnavailable", "25%".into()), ("maxSurge", "25%".into())]);
    template(spec);
}

/// A strategy that rolls unless it says otherwise, with the bounds of rolling.
fn rolling(spec: &mut Object, strategy: &str, bounds: &[(&str, Value)]) {
    let Some(strategy) = child(spec, strategy) else { return };
    put(strategy, "type", "RollingUpdate");
    if text(strategy, "type") != "RollingUpdate" {
        return;
    }
    for (name, bound) in bounds {
        put_into(strategy, "rollingUpdate", name, bound.clone());
    }
}

pub(super) fn stateful_set(set: &mut Object) {
    for count in ["replicas", "availableReplicas"] {
        put_into(set, "status", count, 0);
    }
    let Some(spec) = child(set, "spec") else { return };
    put(spec, "replicas", 1);
    put(spec, "revisionHistoryLimit", 10);
    put(spec, "serviceName", "");
    put(spec, "podManagementPolicy", "OrderedReady");
    put_into(spec, "persistentVolumeClaimRetentionPolicy", "whenDeleted", "Retain");
    put_into(spec, "persistentVolumeClaimRetentionPolicy", "whenScaled", "Retain");
    rolling(spec, "updateStrategy", &[("partition", 0.into())]);
    for claim in each(spec, "volumeClaimTemplates") {
        put(claim, "kind", "PersistentVolumeClaim");
        put(claim, "apiVersion", "v1");
        put_into(claim, "spec", "volumeMode", "Filesystem");
        put_into(claim, "status", "phase", "Pending");
    }
    template(spec);
}

pub(super) fn daemon_set(set: &mut Object) {
    for count in ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"] {
        put_into(set, "status", count, 0);
    }
    let Some(spec) = child(set, "spec") else { return };
    put(spec, "revisionHistoryLimit", 10);
    rolling(spec, "updateStrategy", &[("maxUnavailable", 1.into()), ("maxSurge", 0.into())]);
    template(spec);
}

pub(super) fn replica_set(set: &mut Object) {
    put_into(set, "status", "replicas", 0);
    let Some(spec) = child(set, "spec") else { return };
    put(spec, "replicas", 1);
    template(spec);
}

/// The old kind of replica set takes selector and labels from its template.
pub(super) fn replication_controller(controller: &mut Object) {
    replica_set(controller);
    let labels = controller.get("spec").and_then(|spec| spec.pointer("/template/metadata/labels")).cloned();
    let Some(labels @ Value::Object(_)) = labels else { return };
    put_into(controller, "spec", "selector", labels.clone());
    put_into(controller, "metadata", "labels", labels);
}

pub(super) fn job(job: &mut Object) {
    put(job, "status", json!({}));
    let metadata =
        part(job, "metadata").map(|metadata| (text(metadata, "uid").to_owned(), text(metadata, "name").to_owned()));
    let Some(spec) = child(job, "spec") else { return };
    if !is_set(spec, "completions") && !is_set(spec, "parallelism") {
        put(spec, "completions", 1);
    }
    put(spec, "parallelism", 1);
    put(spec, "completionMode", "NonIndexed");
    put(spec, "suspend", false);
    let limit = if is_set(spec, "backoffLimitPerIndex") { i32::MAX } else { 6 };
    put(spec, "backoffLimit", limit);
    let replaced = if is_set(spec, "podFailurePolicy") { "Failed" } else { "TerminatingOrFailed" };
    put(spec, "podReplacementPolicy", replaced);
    template(spec);
    put(spec, "manualSelector", false);
    let manual = spec.get("manualSelector") == Some(&Value::Bool(true));
    let Some((uid, name)) = metadata.filter(|(uid, _)| !uid.is_empty() && !manual) else { return };
    own_pods(job, &uid, &name);
}

/// A job knows its pods by labels that it makes up from its UID.
fn own_pods(job: &mut Object, uid: &str, name: &str) {
    let Some(spec) = part(job, "spec") else { return };
    put(spec, "selector", json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}}));
    let metadata = part(spec, "template").and_then(|template| child(template, "metadata"));
    let Some(labels) = metadata.and_then(|metadata| child(metadata, "labels")) else { return };
    for (key, value) in [
        ("batch.kubernetes.io/controller-uid", uid),
        ("batch.kubernetes.io/job-name", name),
        ("controller-uid", uid),
        ("job-name", name),
    ] {
        put(labels, key, value);
    }
    let labels = Value::Object(labels.clone());
    put_into(job, "metadata", "labels", labels);
}

pub(super) fn cron_job(job: &mut Object) {
    put(job, "status", json!({}));
    let Some(spec) = child(job, "spec") else { return };
    put(spec, "concurrencyPolicy", "Allow");
    put(spec, "suspend", false);
    put(spec, "successfulJobsHistoryLimit", 3);
    put(spec, "failedJobsHistoryLimit", 1);
    let Some(one) = child(spec, "jobTemplate") else { return };
    put(one, "metadata", json!({}));
    if let Some(spec) = child(one, "spec") {
        template(spec);
    }
}

pub(super) fn autoscaler(autoscaler: &mut Object, version: &str) {
    put_into(autoscaler, "status", "desiredReplicas", 0);
    let Some(spec) = child(autoscaler, "spec") else { return };
    put(spec, "minReplicas", 1);
    if version == "v1" {
        put(spec, "targetCPUUtilizationPercentage", 80);
        put_into(autoscaler, "status", "currentReplicas", 0);
    } else {
        let cpu = json!({"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}});
        put(spec, "metrics", json!([{"type": "Resource", "resource": cpu}]));
    }
}

pub(super) fn disruption_budget(budget: &mut Object) {
    for count in ["disruptionsAllowed", "currentHealthy", "desiredHealthy", "expectedPods"] {
        put_into(budget, "status", count, 0);
    }
}
