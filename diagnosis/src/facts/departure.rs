//! Why something that was deleted is still there: one [`Story`] for a pod, so that exactly one cause speaks.
//!
//! `deletionTimestamp` of a pod is when its grace ENDS; it was deleted `deletionGracePeriodSeconds` before.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::Text;

use crate::case::Case;
use crate::event::Event;
use crate::finding::Severity;
use crate::pods::{self, ContainerView, Role};
use crate::reader::{Needs, Read};

/// The grace that a pod gets by default: what stops well stops within it.
const USUAL_GRACE: SignedDuration = SignedDuration::from_secs(30);
/// How long finalizers and the last steps may take.
const FINALIZERS: SignedDuration = SignedDuration::from_secs(10);
/// The kill itself takes a moment after the grace.
const SLACK: SignedDuration = SignedDuration::from_secs(10);
const LAST_STEPS: SignedDuration = SignedDuration::from_secs(60);
/// After that long beyond the grace the runtime has had its time to kill.
const KILL: SignedDuration = SignedDuration::from_secs(120);
/// `Killing` repeated so often means that killing fails.
const MANY: u32 = 5;
/// Events live an hour: later their absence says nothing.
const EVENTS_LIVE: SignedDuration = SignedDuration::from_mins(55);

/// A pod on its way out, and what holds it.
#[derive(Clone, Debug)]
pub(crate) struct Departure {
    /// When somebody asked.
    pub(crate) asked: Timestamp,
    /// When its grace ends.
    pub(crate) grace_ends: Timestamp,
    /// How long its grace is.
    pub(crate) grace: SignedDuration,
    /// What holds it.
    pub(crate) story: Story,
}

/// What holds a pod that was deleted.
#[derive(Clone, Debug)]
pub(crate) enum Story {
    /// Its containers are done, and finalizers are left.
    Finalizers,
    /// Its node is gone, or does not answer.
    NodeLost { gone: bool },
    /// A container's preStop hook takes its time.
    PreStop { container: String, event: Arc<Event> },
    /// A container's process does not end; its preStop hook failed at once where there is an event of that.
    IgnoresSigterm { container: String, event: Arc<Event>, failed_hook: Option<Arc<Event>> },
    /// The runtime does not kill.
    RuntimeHung { event: Option<Arc<Event>> },
    /// The network of the sandbox cannot be taken down.
    NetworkTeardown { event: Arc<Event> },
    /// Its containers are done, nothing else holds it: the volumes.
    VolumeBusy,
    /// The kubelet has not taken it up.
    Unobserved,
}

impl Departure {
    /// Within its grace it may still end by itself.
    pub(crate) fn severity(&self, now: Timestamp) -> Severity {
        if now < self.grace_ends { Severity::Warning } else { Severity::Error }
    }
}

/// What holds the pod under examination; `None` where it is not being deleted, or still has its time.
pub(crate) fn of(case: &Case<'_>) -> Result<Option<Departure>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Option<Departure>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    let Some(grace_ends) = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0) else { return Ok(None) };
    let seconds = pod.metadata.deletion_grace_period_seconds;
    let seconds = seconds.or_else(|| pods::spec(pod)?.termination_grace_period_seconds).unwrap_or(30).max(0);
    let grace = SignedDuration::from_secs(seconds);
    let asked = grace_ends.checked_sub(grace).unwrap_or(grace_ends);
    let departure = |story| Some(Departure { asked, grace_ends, grace, story });
    let now = case.now();
    let past = now.duration_since(grace_ends);
    let running: Vec<ContainerView<'_>> = case.containers().filter(|container| container.running().is_some()).collect();
    let has_finalizers = pod.metadata.finalizers.as_ref().is_some_and(|all| !all.is_empty());
    if has_finalizers && (running.is_empty() || seconds == 0) {
        return Ok((past > FINALIZERS).then(|| departure(Story::Finalizers)).flatten());
    }
    let bound = pods::node_name(pod).is_some();
    let node = case.node();
    let events = case.own_events();
    let (node, events) = (node?, events?);
    let newest = |reasons: &[&str]| events.iter().rev().find(|event| reasons.contains(&event.reason.as_str())).cloned();
    let failed = newest(&["FailedKillPod", "ExceededGracePeriod"]).or_else(|| silent_runtime(events));
    if let Some(event) = failed.filter(|event| event.last.is_none_or(|last| last >= asked)) {
        let story = if is_network(&event.message) {
            Story::NetworkTeardown { event }
        } else {
            Story::RuntimeHung { event: Some(event) }
        };
        if !(bound && is_silent(&node)) {
            return Ok(departure(story));
        }
    }
    if bound && runtime_is_down(&node) {
        return Ok(departure(Story::RuntimeHung { event: None }));
    }
    if bound && (is_lost(&node) || is_said_lost(pod, events, &node)) {
        return Ok(departure(Story::NodeLost { gone: node.is_absent() }));
    }
    let killing: Vec<&Arc<Event>> = events.iter().filter(|event| is_stop(event, asked)).collect();
    if let Some(container) = running.iter().max_by_key(|container| container.role == Role::Main) {
        let of_it = |event: &&&Arc<Event>| names(event, container.name());
        let event = killing.iter().rev().find(of_it).or_else(|| killing.last()).map(|event| Arc::clone(event));
        return Ok(while_running(case, container, event, events, (past, asked)).and_then(departure));
    }
    if past <= LAST_STEPS || has_finalizers {
        return Ok(None);
    }
    let ended = case.containers().any(|container| container.terminated().is_some());
    if ended || pods::is_finished(pod) {
        return Ok(departure(Story::VolumeBusy));
    }
    Ok(departure(Story::Unobserved))
}

/// A kubelet that reports, and whose container runtime does not answer it: the node is there, and nothing is killed on it.
fn runtime_is_down(node: &Read<Arc<Node>>) -> bool {
    let Read::Found(node) = node else { return false };
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.type_ == "Ready" && condition.status == "False").any(|condition| {
        let words = condition.message.as_deref().unwrap_or_default();
        words.contains("container runtime is down") || words.contains("PLEG is not healthy")
    })
}

fn while_running(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    killing: Option<Arc<Event>>,
    events: &[Arc<Event>],
    (past, asked): (SignedDuration, Timestamp),
) -> Option<Story> {
    let elapsed = case.now().duration_since(asked);
    if past > KILL {
        let seen = case.pod().is_some_and(is_seen_by_kubelet);
        let young = elapsed < EVENTS_LIVE && !events.is_empty();
        if killing.is_none() && !seen && (young || events.is_empty()) {
            return Some(Story::Unobserved);
        }
        return Some(Story::RuntimeHung { event: killing });
    }
    if killing.as_ref().is_some_and(|event| event.count > MANY) && past > SignedDuration::ZERO {
        return Some(Story::RuntimeHung { event: killing });
    }
    let visible = past > SLACK || (past < SignedDuration::ZERO && elapsed > USUAL_GRACE);
    let Some(event) = killing.filter(|_| visible) else {
        let unseen = past > LAST_STEPS && !events.is_empty() && !case.pod().is_some_and(is_seen_by_kubelet);
        return unseen.then_some(Story::Unobserved);
    };
    let container_name = container.name().to_owned();
    let hook = container.spec.lifecycle.as_ref().is_some_and(|lifecycle| lifecycle.pre_stop.is_some());
    let failed_hook = events
        .iter()
        .rev()
        .find(|event| event.reason == "FailedPreStopHook" && names(event, container.name()))
        .cloned();
    if hook && failed_hook.is_none() {
        return Some(Story::PreStop { container: container_name, event });
    }
    Some(Story::IgnoresSigterm { container: container_name, event, failed_hook })
}

fn names(event: &Event, container: &str) -> bool {
    event.container().is_none_or(|named| named == container)
}

/// `Killing` for a stop of the whole pod, not for a restart by a probe before it.
fn is_stop(event: &Event, asked: Timestamp) -> bool {
    // The clock of the event is whole seconds.
    let early = asked.checked_sub(SignedDuration::from_secs(3)).unwrap_or(asked);
    let of_pod = event.message.starts_with("Stopping container");
    event.reason == "Killing" && (of_pod || event.last.is_none_or(|last| last >= early))
}

/// The kubelet wrote the status of the deleted generation (from 1.34), or took the containers for no longer ready.
fn is_seen_by_kubelet(pod: &Pod) -> bool {
    let observed = pods::status(pod).and_then(|status| status.observed_generation);
    observed.is_some_and(|observed| observed > 1 && Some(observed) == pod.metadata.generation)
}

fn silent_runtime(events: &[Arc<Event>]) -> Option<Arc<Event>> {
    let is = |event: &&Arc<Event>| event.reason == "FailedSync" && event.message.contains("error determining status");
    events.iter().rev().find(is).cloned()
}

fn is_network(message: &str) -> bool {
    const WORDS: [&str; 6] = [
        "failed to destroy network for sandbox",
        "failed (delete)",
        "failed to teardown pod",
        "networkPlugin cni failed to teardown",
        "failed to tear down network",
        "error removing pod",
    ];
    WORDS.iter().any(|words| message.contains(words))
}

/// Tells whether a node is gone or not Ready.
pub(crate) fn is_lost(node: &Read<Arc<Node>>) -> bool {
    match node {
        Read::Found(node) => ready(node).is_some_and(|status| status != "True"),
        Read::Absent => true,
        Read::Unreadable => false,
    }
}

/// Its kubelet says nothing at all: gone, or Ready is Unknown.
fn is_silent(node: &Read<Arc<Node>>) -> bool {
    match node {
        Read::Found(node) => ready(node) == Some("Unknown"),
        Read::Absent => true,
        Read::Unreadable => false,
    }
}

fn ready(node: &Node) -> Option<&str> {
    let mut conditions = node.status.as_ref()?.conditions.iter().flatten();
    conditions.find(|condition| condition.type_ == "Ready").map(|condition| condition.status.as_str())
}

/// Where the node cannot be read, the pod itself tells that it is lost.
fn is_said_lost(pod: &Pod, events: &[Arc<Event>], node: &Read<Arc<Node>>) -> bool {
    if !matches!(node, Read::Unreadable) {
        return false;
    }
    let by_taint = pods::condition(pod, "DisruptionTarget")
        .is_some_and(|target| target.reason.as_deref() == Some("DeletionByTaintManager"));
    let reason = pods::status(pod).and_then(|status| status.reason.as_deref());
    let not_ready = events.iter().rev().find(|event| event.reason == "NodeNotReady").is_some();
    let stopped = events.iter().any(|event| event.reason == "Killing");
    reason == Some("NodeLost") || ((by_taint || not_ready) && !stopped && !pods::is_true(pod, "Ready"))
}

/// A length of time as people say it: `48 s`, `10 min`, `3 h`.
pub(crate) fn spoken(time: SignedDuration) -> Text {
    let seconds = time.as_secs().max(0);
    let words = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 if seconds % 60 == 0 => format!("{} min", seconds / 60),
        120..600 => format!("{} min {} s", seconds / 60, seconds % 60),
        600..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    kubewhy_text::text![kubewhy_text::own(words)]
}
