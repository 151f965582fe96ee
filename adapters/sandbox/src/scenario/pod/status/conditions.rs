//! A pod's conditions, as the scheduler and the kubelet write them.

use serde_json::{Value, json};

use super::Facts;
use super::container::Statuses;
use crate::scenario::json::{self, each, text};
use crate::scenario::time::write;

/// The conditions that follow from the containers.
pub(super) fn derive(facts: &Facts<'_>, statuses: &Statuses, phase: &str) -> Vec<Value> {
    let created = write(facts.created);
    if facts.node.is_none() {
        let mut scheduled = json!({"type": "PodScheduled", "status": "False", "reason": "Unschedulable"});
        if let (true, Some(fields)) = (is_gated(facts), scheduled.as_object_mut()) {
            fields.insert("reason".into(), "SchedulingGated".into());
            fields.insert("message".into(), "Scheduling is blocked due to non-empty scheduling gates".into());
        }
        // A pod that no scheduler has seen has no condition at all.
        let seen = is_gated(facts) || facts.entry.conditions.iter().any(|over| text(over, "type") == "PodScheduled");
        return if seen { vec![scheduled] } else { Vec::new() };
    }
    if statuses.app.is_empty() && text(&facts.entry.status, "phase") == "Failed" {
        return vec![json!({"type": "PodScheduled", "status": "True", "lastTransitionTime": created})];
    }
    let condition = |type_: &str, holds: bool| json!({"type": type_, "status": if holds { "True" } else { "False" }, "lastTransitionTime": created});
    let has_ended = matches!(phase, "Succeeded" | "Failed");
    let sandbox = condition("PodReadyToStartContainers", statuses.has_sandbox && !has_ended);
    let mut initialized = condition("Initialized", statuses.is_initialized);
    if phase == "Succeeded" {
        reason(&mut initialized, "PodCompleted", None);
    } else if !statuses.is_initialized {
        let message = format!("containers with incomplete status: [{}]", statuses.not_done.join(" "));
        reason(&mut initialized, "ContainersNotInitialized", Some(message));
    }
    let scheduled = condition("PodScheduled", true);
    let (ready, containers_ready) = readiness(facts, statuses, phase);
    vec![sandbox, initialized, ready, containers_ready, scheduled]
}

fn readiness(facts: &Facts<'_>, statuses: &Statuses, phase: &str) -> (Value, Value) {
    let is_ready = |status: &&Value| status.get("ready").and_then(Value::as_bool) == Some(true);
    let name = |status: &Value| json::text_at(status, &["name"]).to_owned();
    let sidecars = statuses.init.iter().filter(|status| {
        let spec = each(facts.spec, "initContainers").find(|spec| text(spec, "name") == name(status));
        spec.is_some_and(|spec| text(spec, "restartPolicy") == "Always")
    });
    let counted: Vec<&Value> = sidecars.chain(&statuses.app).collect();
    let unready: Vec<String> = counted.iter().filter(|status| !is_ready(status)).map(|status| name(status)).collect();
    let since = since(facts, statuses, unready.is_empty());
    let make = |type_: &str, holds: bool| json!({"type": type_, "status": if holds { "True" } else { "False" }, "lastTransitionTime": since});
    let (mut ready, mut containers) = (make("Ready", unready.is_empty()), make("ContainersReady", unready.is_empty()));
    if let (true, Some(why)) = (
        matches!(phase, "Succeeded" | "Failed"),
        match phase {
            "Succeeded" => Some("PodCompleted"),
            _ => Some("PodFailed"),
        },
    ) {
        (ready, containers) = (make("Ready", false), make("ContainersReady", false));
        reason(&mut ready, why, None);
        reason(&mut containers, why, None);
    } else if !unready.is_empty() {
        let message = format!("containers with unready status: [{}]", unready.join(" "));
        reason(&mut ready, "ContainersNotReady", Some(message.clone()));
        reason(&mut containers, "ContainersNotReady", Some(message));
    } else if let Some(message) = open_gate(facts) {
        ready = make("Ready", false);
        reason(&mut ready, "ReadinessGatesNotReady", Some(message));
    }
    (ready, containers)
}

/// The kubelet's words on the first readiness gate that is not met.
fn open_gate(facts: &Facts<'_>) -> Option<String> {
    each(facts.spec, "readinessGates").find_map(|gate| {
        let wanted = text(gate, "conditionType");
        let condition = facts.entry.conditions.iter().find(|condition| text(condition, "type") == wanted);
        match condition.map(|condition| text(condition, "status")) {
            Some("True") => None,
            Some(_) => Some(format!("the status of pod readiness gate \"{wanted}\" is not \"True\", but False")),
            None => Some(format!("corresponding condition of pod readiness gate \"{wanted}\" does not exist.")),
        }
    })
}

/// Since when the pod is as ready as it is.
fn since(facts: &Facts<'_>, statuses: &Statuses, is_ready: bool) -> String {
    let newest = |path: &[&str]| {
        let times = statuses.app.iter().map(|status| json::text_at(status, path));
        times.filter(|time| !time.is_empty()).max().map(str::to_owned)
    };
    let found = if is_ready {
        newest(&["state", "running", "startedAt"])
    } else {
        newest(&["state", "terminated", "finishedAt"]).or_else(|| newest(&["lastState", "terminated", "finishedAt"]))
    };
    found.unwrap_or_else(|| write(facts.created))
}

fn is_gated(facts: &Facts<'_>) -> bool {
    each(facts.spec, "schedulingGates").next().is_some()
}

fn reason(condition: &mut Value, reason: &str, message: Option<String>) {
    if let Some(fields) = condition.as_object_mut() {
        fields.insert("reason".into(), reason.into());
        if let Some(message) = message {
            fields.insert("message".into(), message.into());
        }
    }
}
