//! The statuses of a pod's containers.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Facts;
use crate::scenario::format::{ContainerEntry, End};
use crate::scenario::identity::{Seed, full_image, image_id};
use crate::scenario::json::{Map, each, text};
use crate::scenario::pod::Course;
use crate::scenario::time::write;

/// The statuses, and what follows from them.
pub(super) struct Statuses {
    pub(super) init: Vec<Value>,
    pub(super) app: Vec<Value>,
    /// Whether all init containers are done.
    pub(super) is_initialized: bool,
    /// Whether an init container ended with a failure.
    pub(super) init_failed: bool,
    /// Whether the pod has its sandbox (and an address).
    pub(super) has_sandbox: bool,
    /// The init containers that are not done, by name.
    pub(super) not_done: Vec<String>,
}

/// What a container has by default.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Usual {
    Running,
    Done,
    Creating,
    Initializing,
}

/// Writes the statuses of all containers.
pub(super) fn all(facts: &Facts<'_>) -> Statuses {
    let init = facts.containers("initContainers");
    let app = facts.containers("containers");
    let nothing = Statuses {
        init: Vec::new(),
        app: Vec::new(),
        is_initialized: init.is_empty(),
        init_failed: false,
        has_sandbox: false,
        not_done: init.iter().map(|container| text(container, "name").to_owned()).collect(),
    };
    let over = text(&facts.entry.status, "phase") == "Failed" && facts.entry.containers.is_empty();
    if facts.node.is_none() || over && facts.course != Course::Starting {
        return nothing;
    }
    if facts.course == Course::Starting {
        let usual = if init.is_empty() { Usual::Creating } else { Usual::Initializing };
        return Statuses {
            init: init.iter().map(|container| status(facts, container, usual, None)).collect(),
            app: app.iter().map(|container| status(facts, container, usual, None)).collect(),
            ..nothing
        };
    }
    let mut statuses = Statuses { is_initialized: true, not_done: Vec::new(), ..nothing };
    for container in &init {
        init_status(facts, container, &mut statuses);
    }
    let usual = if statuses.is_initialized { Usual::Running } else { Usual::Initializing };
    for container in &app {
        let entry = facts.entry_of(text(container, "name"));
        statuses.app.push(status(facts, container, usual, entry));
    }
    statuses.has_sandbox = !is_creating(&statuses);
    statuses
}

fn init_status(facts: &Facts<'_>, container: &Map, statuses: &mut Statuses) {
    let name = text(container, "name");
    let entry = facts.entry_of(name);
    let is_sidecar = text(container, "restartPolicy") == "Always";
    let usual = match (statuses.is_initialized, is_sidecar) {
        (false, _) => Usual::Initializing,
        (true, true) => Usual::Running,
        (true, false) => Usual::Done,
    };
    let status = status(facts, container, usual, entry);
    let state = |kind: &str| status.get("state").and_then(|state| state.get(kind));
    let exit = state("terminated").and_then(|end| end.get("exitCode")).and_then(Value::as_i64);
    let is_done =
        if is_sidecar { status.get("started").and_then(Value::as_bool) == Some(true) } else { exit == Some(0) };
    statuses.init_failed |= exit.is_some_and(|code| code != 0);
    if !is_done {
        statuses.is_initialized = false;
        statuses.not_done.push(name.to_owned());
    }
    statuses.init.push(status);
}

/// Tells whether the kubelet is still making the sandbox: nothing has run, and what comes first is being created.
fn is_creating(statuses: &Statuses) -> bool {
    let first = statuses.init.first().or(statuses.app.first());
    let reason = |status: &Value| {
        let waiting = status.get("state").and_then(|state| state.get("waiting"));
        waiting.and_then(|waiting| waiting.get("reason")).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let nothing_ran = statuses.init.iter().chain(&statuses.app).all(|status| status.get("containerID").is_none());
    nothing_ran
        && first.is_some_and(|first| {
            reason(first) == "ContainerCreating" || !statuses.init.is_empty() && reason(first) == "PodInitializing"
        })
        && statuses.app.iter().all(|status| matches!(reason(status).as_str(), "ContainerCreating" | "PodInitializing"))
}

fn status(facts: &Facts<'_>, container: &Map, usual: Usual, entry: Option<&ContainerEntry>) -> Value {
    let name = text(container, "name");
    let blank = ContainerEntry::default();
    let entry = entry.unwrap_or(&blank);
    let restarts = if facts.course == Course::Again { entry.restarts.min(1) } else { entry.restarts };
    let id = |number: u32| format!("containerd://{}", Seed::of(&[facts.uid, name, &number.to_string()]).hex(64));
    let last = entry.last.as_ref().map(|end| {
        let mut last = end_of(facts, end, facts.created);
        last.insert("containerID".into(), id(restarts.saturating_sub(1)).into());
        json!({"terminated": last})
    });
    let (state, ran) = state(facts, name, usual, entry, restarts);
    let is_running = state.get("running").is_some();
    let image = text(container, "image");
    let knows_image = ran || last.is_some();
    let shown = entry.image.clone().unwrap_or_else(|| if knows_image { full_image(image) } else { image.to_owned() });
    let shown_id = entry.image_id.clone().unwrap_or_else(|| if knows_image { image_id(image) } else { String::new() });
    let mut state = state;
    if let Some(end) = state.get_mut("terminated").and_then(Value::as_object_mut) {
        end.insert("containerID".into(), id(restarts).into());
    }
    let is_done =
        usual == Usual::Done && state.get("terminated").and_then(|end| end.get("exitCode")) == Some(&json!(0));
    let mut status = json!({
        "name": name,
        "image": shown,
        "imageID": shown_id,
        "ready": entry.ready.unwrap_or(is_running || is_done),
        "started": entry.started.unwrap_or(is_running),
        "restartCount": restarts,
        "state": state,
        "lastState": last.unwrap_or_else(|| json!({})),
    });
    let Some(fields) = status.as_object_mut() else {
        return status;
    };
    if knows_image {
        let number = if ran { restarts } else { restarts.saturating_sub(1) };
        fields.insert("containerID".into(), id(number).into());
        if let Some(resources) = container.get("resources").filter(|resources| **resources != json!({})) {
            fields.insert("resources".into(), resources.clone());
            if let Some(requests) = resources.get("requests") {
                fields.insert("allocatedResources".into(), requests.clone());
            }
        }
    }
    let mounts: Vec<Value> = each(container, "volumeMounts").map(mount_status).collect();
    if !mounts.is_empty() {
        fields.insert("volumeMounts".into(), mounts.into());
    }
    status
}

fn mount_status(mount: &Map) -> Value {
    let mut status = json!({"name": text(mount, "name"), "mountPath": text(mount, "mountPath")});
    if let (Some(Value::Bool(true)), Some(fields)) = (mount.get("readOnly"), status.as_object_mut()) {
        fields.insert("readOnly".into(), true.into());
        fields.insert("recursiveReadOnly".into(), "Disabled".into());
    }
    status
}

/// The state, and whether this instance of the container exists.
fn state(facts: &Facts<'_>, name: &str, usual: Usual, entry: &ContainerEntry, restarts: u32) -> (Value, bool) {
    if let Some(waiting) = &entry.waiting {
        let mut state = json!({"reason": waiting.reason});
        let message = waiting
            .message
            .clone()
            .or_else(|| (waiting.reason == "CrashLoopBackOff").then(|| back_off(facts, name, restarts)));
        if let (Some(message), Some(fields)) = (message, state.as_object_mut()) {
            fields.insert("message".into(), message.into());
        }
        return (json!({"waiting": state}), false);
    }
    if let Some(end) = &entry.terminated {
        return (json!({"terminated": end_of(facts, end, facts.created)}), true);
    }
    if let Some(running) = &entry.running {
        let started = running.started.map_or_else(|| started(facts), |time| facts.moment.resolve(time));
        return (json!({"running": {"startedAt": write(started)}}), true);
    }
    match usual {
        Usual::Running => {
            let again = entry.last.as_ref().and_then(|end| end.finished).map(|end| facts.moment.resolve(end));
            let started = again.map_or_else(|| started(facts), |end| plus(end, 1));
            (json!({"running": {"startedAt": write(started)}}), true)
        }
        Usual::Done => {
            let (from, to) = (plus(facts.created, 1), plus(facts.created, 2));
            let end = json!({"exitCode": 0, "reason": "Completed", "startedAt": write(from), "finishedAt": write(to)});
            (json!({"terminated": end}), true)
        }
        Usual::Creating => (json!({"waiting": {"reason": "ContainerCreating"}}), false),
        Usual::Initializing => (json!({"waiting": {"reason": "PodInitializing"}}), false),
    }
}

fn started(facts: &Facts<'_>) -> Timestamp {
    plus(facts.created, if facts.containers("initContainers").is_empty() { 1 } else { 3 })
}

fn end_of(facts: &Facts<'_>, end: &End, created: Timestamp) -> Map {
    let finished = end.finished.map(|time| facts.moment.resolve(time));
    let started = end.started.map(|time| facts.moment.resolve(time));
    let started = started.unwrap_or_else(|| finished.map_or(plus(created, 1), |end| plus(end, -1).max(created)));
    let finished = finished.unwrap_or_else(|| plus(started, 1)).max(started);
    let mut out = Map::new();
    out.insert("exitCode".into(), end.exit_code.into());
    let usual = if end.exit_code == 0 { "Completed" } else { "Error" };
    out.insert("reason".into(), end.reason.as_deref().unwrap_or(usual).into());
    if let Some(message) = &end.message {
        out.insert("message".into(), message.clone().into());
    }
    if let Some(signal) = end.signal {
        out.insert("signal".into(), signal.into());
    }
    out.insert("startedAt".into(), write(started).into());
    out.insert("finishedAt".into(), write(finished).into());
    out
}

/// The kubelet's words for a wait after a crash.
fn back_off(facts: &Facts<'_>, container: &str, restarts: u32) -> String {
    let seconds = 10_u64.saturating_mul(1 << restarts.saturating_sub(1).min(5)).min(300);
    let span = if seconds >= 60 { format!("{}m{}s", seconds / 60, seconds % 60) } else { format!("{seconds}s") };
    let (name, namespace, uid) = (facts.name, facts.namespace, facts.uid);
    format!("back-off {span} restarting failed container={container} pod={name}_{namespace}({uid})")
}

fn plus(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(time)
}
