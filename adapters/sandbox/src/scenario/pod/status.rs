//! A pod's status: what the kubelet says of containers, phase and conditions.

mod conditions;
mod container;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::defaults::quality_of_service;
use crate::scenario::format::{ContainerEntry, PodEntry};
use crate::scenario::identity::{node_address, pod_address};
use crate::scenario::json::{self, Map, each, text};
use crate::scenario::time::{Moment, write};

use super::Course;

/// What a status follows from.
pub(super) struct Facts<'a> {
    pub(super) spec: &'a Map,
    pub(super) entry: &'a PodEntry,
    pub(super) node: Option<&'a str>,
    pub(super) uid: &'a str,
    pub(super) name: &'a str,
    pub(super) namespace: &'a str,
    pub(super) created: Timestamp,
    pub(super) moment: &'a Moment,
    pub(super) course: Course,
}

impl Facts<'_> {
    fn containers(&self, list: &str) -> Vec<&Map> {
        each(self.spec, list).collect()
    }

    fn entry_of(&self, container: &str) -> Option<&ContainerEntry> {
        self.entry.containers.get(container)
    }

    fn is_host_network(&self) -> bool {
        self.spec.get("hostNetwork").and_then(Value::as_bool) == Some(true)
    }
}

/// Writes the status.
pub(super) fn build(facts: &Facts<'_>) -> Map {
    let mut status = Map::new();
    status.insert("observedGeneration".into(), 1.into());
    status.insert("qosClass".into(), quality_of_service(facts.spec).into());
    let statuses = container::all(facts);
    let phase = phase(facts, &statuses);
    status.insert("phase".into(), phase.into());
    if let Some(node) = facts.node {
        status.insert("startTime".into(), write(facts.created).into());
        let address = node_address(node);
        status.insert("hostIP".into(), address.clone().into());
        status.insert("hostIPs".into(), json!([{"ip": address}]));
        if statuses.has_sandbox || facts.is_host_network() {
            let address = if facts.is_host_network() { address } else { pod_address(node, facts.uid) };
            status.insert("podIP".into(), address.clone().into());
            status.insert("podIPs".into(), json!([{"ip": address}]));
        }
        if !statuses.init.is_empty() {
            status.insert("initContainerStatuses".into(), statuses.init.clone().into());
        }
        if !statuses.app.is_empty() {
            status.insert("containerStatuses".into(), statuses.app.clone().into());
        }
    }
    let mut listed = conditions::derive(facts, &statuses, phase);
    let is_over = matches!(facts.course, Course::AsWritten | Course::Again) || facts.node.is_none();
    if is_over {
        json::merge_keyed(&mut listed, &facts.entry.conditions, "type");
    }
    for condition in listed.iter_mut().filter_map(Value::as_object_mut) {
        json::fill(condition, "lastProbeTime", Value::Null);
        json::fill(condition, "lastTransitionTime", write(facts.created));
        json::fill(condition, "observedGeneration", 1);
    }
    status.insert("conditions".into(), listed.into());
    if is_over {
        json::merge(&mut status, &facts.entry.status);
    }
    status
}

fn phase(facts: &Facts<'_>, statuses: &container::Statuses) -> &'static str {
    if facts.node.is_none() {
        return "Pending";
    }
    if text(&facts.entry.status, "phase") == "Failed" && statuses.app.is_empty() {
        return "Failed";
    }
    let policy = text(facts.spec, "restartPolicy");
    if !statuses.is_initialized {
        return if policy == "Never" && statuses.init_failed { "Failed" } else { "Pending" };
    }
    let (mut waiting, mut running, mut stopped, mut failed) = (0, 0, 0, 0);
    for status in &statuses.app {
        let state = |kind: &str| json::at(status, &["state", kind]).is_some();
        if state("running") {
            running += 1;
        } else if state("terminated") {
            stopped += 1;
            failed += i32::from(json::at(status, &["state", "terminated", "exitCode"]) != Some(&json!(0)));
        } else if json::at(status, &["lastState", "terminated"]).is_some() {
            stopped += 1;
            failed += 1;
        } else {
            waiting += 1;
        }
    }
    match (waiting, running, policy) {
        (1.., _, _) => "Pending",
        (_, 1.., _) => "Running",
        (_, _, "Always") if stopped > 0 => "Running",
        (_, _, _) if stopped > 0 && failed == 0 => "Succeeded",
        (_, _, "Never") if stopped > 0 => "Failed",
        _ if stopped > 0 => "Running",
        _ => "Pending",
    }
}
