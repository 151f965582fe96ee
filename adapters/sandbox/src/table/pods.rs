//! Pods.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Printer,
    column::{AGE, NAME, text as column},
    row::{NONE, Row, condition, items, number, or, text, time},
};
use crate::resources::Resource;

pub(super) const POD: Printer = Printer {
    columns: &[
        NAME,
        column("Ready"),
        column("Status"),
        column("Restarts"),
        AGE,
        column("IP").wide(),
        column("Node").wide(),
        column("Nominated Node").wide(),
        column("Readiness Gates").wide(),
    ],
    cells,
};

/// What a row says about a pod that has come to its end.
pub(super) fn row_conditions(resource: &Resource, object: &Value) -> Option<Value> {
    if resource.kind != "Pod" || !resource.group.is_empty() {
        return None;
    }
    let (reason, message) = match text(object, "/status/phase") {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([{"type": "Completed", "status": "True", "reason": reason, "message": message}]))
}

fn cells(row: &Row<'_>) -> Vec<Value> {
    let summary = Summary::of(row);
    let restarts = match (summary.restarts.count, summary.restarts.last) {
        (count @ 1.., Some(last)) => format!("{count} ({} ago)", row.ago(Some(last))),
        (count, _) => count.to_string(),
    };
    vec![
        row.name(),
        format!("{}/{}", summary.ready, summary.containers).into(),
        summary.status.into(),
        restarts.into(),
        row.age(),
        or(text(row.object, "/status/podIPs/0/ip"), NONE).into(),
        row.text_or("/spec/nodeName", NONE).into(),
        row.text_or("/status/nominatedNodeName", NONE).into(),
        readiness_gates(row).into(),
    ]
}

#[derive(Clone, Copy, Default)]
struct Restarts {
    count: i64,
    last: Option<Timestamp>,
}

impl Restarts {
    fn add(&mut self, container: &Value) {
        self.count = self.count.saturating_add(number(container, "/restartCount"));
        self.last = self.last.max(time(container, "/lastState/terminated/finishedAt"));
    }
}

/// The cells of a pod that take some finding out.
struct Summary {
    containers: usize,
    ready: usize,
    status: String,
    restarts: Restarts,
}

impl Summary {
    fn of(row: &Row<'_>) -> Self {
        let phase = row.text("/status/phase");
        let conditions = row.items("/status/conditions");
        let mut status = row.text_or("/status/reason", phase).to_owned();
        if condition(conditions, "PodScheduled").is_some_and(|one| text(one, "/reason") == "SchedulingGated") {
            "SchedulingGated".clone_into(&mut status);
        }
        let sidecars = row.items("/spec/initContainers").iter().filter(|container| is_sidecar(container)).count();
        let mut summary = Self {
            containers: row.items("/spec/containers").len() + sidecars,
            ready: 0,
            status,
            restarts: Restarts::default(),
        };
        let (initializing, sidecar_restarts) = summary.look_at_init_containers(row);
        if !initializing || is_true(conditions, "Initialized") {
            summary.restarts = sidecar_restarts;
            summary.look_at_containers(row);
        }
        if row.is_deleted() && row.text("/status/reason") == "NodeLost" {
            "Unknown".clone_into(&mut summary.status);
        } else if row.is_deleted() && !matches!(phase, "Succeeded" | "Failed") {
            "Terminating".clone_into(&mut summary.status);
        }
        summary
    }

    /// Whether the pod is still at its init containers, and how often sidecars among them restarted.
    fn look_at_init_containers(&mut self, row: &Row<'_>) -> (bool, Restarts) {
        let specs = row.items("/spec/initContainers");
        let mut sidecar_restarts = Restarts::default();
        for (place, container) in row.items("/status/initContainerStatuses").iter().enumerate() {
            let name = text(container, "/name");
            let sidecar = specs.iter().any(|spec| text(spec, "/name") == name && is_sidecar(spec));
            self.restarts.add(container);
            if sidecar {
                sidecar_restarts.add(container);
            }
            let terminated = container.pointer("/state/terminated");
            if terminated.is_some_and(|state| number(state, "/exitCode") == 0) {
                continue;
            }
            if sidecar && container.get("started") == Some(&Value::Bool(true)) {
                self.ready += usize::from(container.get("ready") == Some(&Value::Bool(true)));
                continue;
            }
            let waiting = text(container, "/state/waiting/reason");
            self.status = match terminated {
                Some(terminated) => format!("Init:{}", end_of(terminated)),
                None if !matches!(waiting, "" | "PodInitializing") => format!("Init:{waiting}"),
                None => format!("Init:{place}/{}", specs.len()),
            };
            return (true, sidecar_restarts);
        }
        (false, sidecar_restarts)
    }

    fn look_at_containers(&mut self, row: &Row<'_>) {
        let mut one_runs = false;
        for container in row.items("/status/containerStatuses").iter().rev() {
            self.restarts.add(container);
            let waiting = text(container, "/state/waiting/reason");
            if !waiting.is_empty() {
                waiting.clone_into(&mut self.status);
            } else if let Some(terminated) = container.pointer("/state/terminated") {
                self.status = end_of(terminated);
            } else if container.get("ready") == Some(&Value::Bool(true))
                && container.pointer("/state/running").is_some()
            {
                one_runs = true;
                self.ready += 1;
            }
        }
        if self.status == "Completed" && one_runs {
            let ready = is_true(row.items("/status/conditions"), "Ready");
            (if ready { "Running" } else { "NotReady" }).clone_into(&mut self.status);
        }
    }
}

/// How a container ended, in one word.
fn end_of(terminated: &Value) -> String {
    match (text(terminated, "/reason"), number(terminated, "/signal")) {
        ("", 0) => format!("ExitCode:{}", number(terminated, "/exitCode")),
        ("", signal) => format!("Signal:{signal}"),
        (reason, _) => reason.to_owned(),
    }
}

fn is_sidecar(container: &Value) -> bool {
    text(container, "/restartPolicy") == "Always"
}

fn is_true(conditions: &[Value], kind: &str) -> bool {
    condition(conditions, kind).is_some_and(|one| text(one, "/status") == "True")
}

fn readiness_gates(row: &Row<'_>) -> String {
    let gates = items(row.object, "/spec/readinessGates");
    if gates.is_empty() {
        return NONE.to_owned();
    }
    let conditions = row.items("/status/conditions");
    let open = gates.iter().filter(|gate| is_true(conditions, text(gate, "/conditionType"))).count();
    format!("{open}/{}", gates.len())
}
