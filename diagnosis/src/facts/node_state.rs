//! A node as its own object, its lease and its events show it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod, Taint};
use kubewhy_text::{Text, name, own, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::event::Event;
use crate::facts::managers;
use crate::finding::{Evidence, Finding, ObjectRef};
use crate::kind::Kind;
use crate::parse::node_condition::{self, Fault};
use crate::parse::node_problem::{self, Judgement};
use crate::pods;
use crate::reader::{Needs, Read, Reader};

/// How long a node may take to join: until then what it lacks is on its way.
pub(crate) const JOINING: SignedDuration = SignedDuration::from_mins(5);
/// How long after it happened an event still tells of the present.
pub(crate) const RECENT: SignedDuration = SignedDuration::from_hours(1);
/// In how many namespaces a node's load is looked up.
const NAMESPACES: usize = 5;
/// How long beyond its term a lease may go without renewal; the kubelet renews it every 10 s.
const SLACK: SignedDuration = SignedDuration::from_secs(15);

/// The node that is asked about.
pub(crate) fn subject(case: &Case<'_>) -> Option<Arc<Node>> {
    case.subject_as::<Node>()
}

/// A condition of a node.
pub(crate) fn condition<'n>(node: &'n Node, type_: &str) -> Option<&'n NodeCondition> {
    conditions(node).find(|condition| condition.type_ == type_)
}

/// All conditions of a node.
pub(crate) fn conditions(node: &Node) -> impl Iterator<Item = &NodeCondition> {
    node.status.iter().flat_map(|status| status.conditions.iter().flatten())
}

/// The taints of a node.
pub(crate) fn taints(node: &Node) -> impl Iterator<Item = &Taint> {
    node.spec.iter().flat_map(|spec| spec.taints.iter().flatten())
}

/// The taint with that key.
pub(crate) fn taint<'n>(node: &'n Node, key: &str) -> Option<&'n Taint> {
    taints(node).find(|taint| taint.key == key)
}

/// Tells whether a condition has that status.
pub(crate) fn is(node: &Node, type_: &str, status: &str) -> bool {
    condition(node, type_).is_some_and(|condition| condition.status == status)
}

/// The condition that says that the node is not well, what weighs most first: Ready, the kubelet's own, then what others
/// are known to set. One that nobody knows is no word against a node by itself.
pub(crate) fn ailment(node: &Node) -> Option<&NodeCondition> {
    const OWN: [&str; 4] = ["MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"];
    let is_bad = |condition: &&NodeCondition| {
        let (type_, status) = (condition.type_.as_str(), condition.status.as_str());
        let judged = || node_problem::judge(type_, status, condition.reason.as_deref().unwrap_or_default());
        OWN.contains(&type_) && status == "True" || matches!(judged(), Judgement::Known(_) | Judgement::NotWell)
    };
    let unready = condition(node, "Ready").filter(|ready| ready.status != "True");
    unready.or_else(|| conditions(node).find(is_bad))
}

/// Since when a condition is as it is.
pub(crate) fn since(condition: &NodeCondition) -> Option<Timestamp> {
    condition.last_transition_time.as_ref().map(|time| time.0)
}

/// When its kubelet wrote a condition last.
pub(crate) fn heartbeat(condition: &NodeCondition) -> Option<Timestamp> {
    condition.last_heartbeat_time.as_ref().map(|time| time.0)
}

/// Its name.
pub(crate) fn name_of(node: &Node) -> &str {
    node.metadata.name.as_deref().unwrap_or_default()
}

/// It as a reference.
pub(crate) fn reference(node: &Node) -> ObjectRef {
    ObjectRef::new(Kind::Node, None, name_of(node))
}

/// Tells whether it has joined just now, so that what it lacks is on its way.
pub(crate) fn is_joining(node: &Node, now: Timestamp) -> bool {
    let created = node.metadata.creation_timestamp.as_ref().map(|time| time.0);
    created.is_some_and(|created| now.duration_since(created) < JOINING)
}

/// A condition as evidence: status, reason and message.
pub(crate) fn evidence(node: &Node, condition: &NodeCondition) -> Evidence {
    let (reason, message) =
        (condition.reason.as_deref().unwrap_or_default(), condition.message.as_deref().unwrap_or_default());
    let text = format!("{} {reason}: {message}", condition.status);
    Evidence::field(&reference(node), &format!(".status.conditions[{}]", condition.type_), text).at(since(condition))
}

/// The events about a node, oldest first. Kubelets write the node's name where its UID belongs, so the reader's own
/// look at UIDs would leave theirs out; events older than the Node object are of an earlier one.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn events(reader: &Reader<'_>, node: &Node) -> Result<Vec<Arc<Event>>, Needs> {
    let own_name = name_of(node);
    let uid = node.metadata.uid.as_deref();
    let created = node.metadata.creation_timestamp.as_ref().map(|time| time.0);
    let mut events = reader.events(Kind::Node, None, own_name, None)?;
    events.retain(|event| {
        let said = event.involved.uid.as_str();
        let same = said.is_empty() || said == own_name || uid.is_none_or(|uid| uid == said);
        same && created.is_none_or(|created| event.last.is_none_or(|last| last >= created))
    });
    Ok(events)
}

/// The newest event with one of these reasons that is no older than [`RECENT`].
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn recent_event(
    case: &Case<'_>,
    node: &Node,
    reasons: &[&str],
    passes: impl Fn(&Event) -> bool,
) -> Result<Option<Arc<Event>>, Needs> {
    let events = events(case, node)?;
    let now = case.now();
    Ok(events.into_iter().rev().find(|event| {
        reasons.contains(&event.reason.as_str())
            && event.last.is_some_and(|last| now.duration_since(last) < RECENT)
            && passes(event)
    }))
}

/// The pods bound to a node that have not ended.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn pods_on(reader: &Reader<'_>, node: &str) -> Result<Read<Vec<Arc<Pod>>>, Needs> {
    reader.list::<Pod>(None, Filter::OnNode(node.to_owned()))
}

/// The namespaces that have most pods on a node, a few of them: what is not on a list of the node's pods is looked for
/// there, and nowhere else.
///
/// # Errors
/// [`Needs`] where the pods have not been asked yet.
pub(crate) fn namespaces_on(reader: &Reader<'_>, node: &str) -> Result<Vec<String>, Needs> {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for pod in pods_on(reader, node)?.found().unwrap_or_default() {
        *counts.entry(pod.metadata.namespace.clone().unwrap_or_default()).or_default() += 1;
    }
    let mut ranked: Vec<(String, usize)> = counts.into_iter().collect();
    ranked.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    ranked.truncate(NAMESPACES);
    Ok(ranked.into_iter().map(|(namespace, _)| namespace).collect())
}

/// The lease by which a kubelet says that it lives.
#[derive(Debug)]
pub(crate) struct Pulse {
    /// When it was renewed last.
    pub(crate) renewed: Timestamp,
    /// Whether it has run out.
    pub(crate) stale: bool,
    lease: ObjectRef,
    term: i32,
}

impl Pulse {
    /// It as evidence.
    pub(crate) fn evidence(&self) -> Evidence {
        let text = format!("{} (renewed every 10 s by a kubelet that lives; good for {} s)", self.renewed, self.term);
        Evidence::field(&self.lease, ".spec.renewTime", text).at(Some(self.renewed))
    }
}

/// The pulse of a node; none where its lease is not there, cannot be read or was never renewed.
///
/// # Errors
/// [`Needs`] where the lease has not been asked yet.
pub(crate) fn pulse(reader: &Reader<'_>, node: &str) -> Result<Option<Pulse>, Needs> {
    let Read::Found(lease) = reader.get::<Lease>(Some("kube-node-lease"), node)? else { return Ok(None) };
    let Some(spec) = &lease.spec else { return Ok(None) };
    let Some(renewed) = spec.renew_time.as_ref().map(|time| time.0) else { return Ok(None) };
    let term = spec.lease_duration_seconds.unwrap_or(40);
    let stale = reader.now().duration_since(renewed) > SignedDuration::from_secs(term.into()) + SLACK;
    Ok(Some(Pulse { renewed, stale, lease: ObjectRef::new(Kind::Lease, Some("kube-node-lease"), node), term }))
}

/// Whether the cluster's own leases are renewed: the check that a stale lease is no matter of clocks or of an old dump.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Watch {
    /// The controller manager's lease is fresh.
    Fresh,
    /// The controller manager's is stale, and the scheduler's is fresh: nobody marks silent nodes.
    ManagerDown,
    /// Neither is known to be fresh.
    Unknown,
}

/// Whether somebody watches the nodes.
///
/// # Errors
/// [`Needs`] where the leases have not been asked yet.
pub(crate) fn watch(reader: &Reader<'_>) -> Result<Watch, Needs> {
    let manager = reader.get::<Lease>(Some("kube-system"), "kube-controller-manager");
    let scheduler = reader.get::<Lease>(Some("kube-system"), "kube-scheduler");
    let fresh = |lease: Read<Arc<Lease>>| {
        let spec = lease.found()?.spec.clone()?;
        let renewed = spec.renew_time.as_ref().map(|time| time.0)?;
        Some(reader.now().duration_since(renewed) < SignedDuration::from_secs(60))
    };
    let (manager, scheduler) = (fresh(manager?), fresh(scheduler?));
    Ok(match (manager, scheduler) {
        (Some(true), _) => Watch::Fresh,
        (Some(false), Some(true)) => Watch::ManagerDown,
        _ => Watch::Unknown,
    })
}

/// Who cordoned a node, where it tells.
pub(crate) fn cordoned_by(node: &Node) -> Option<managers::Setter> {
    managers::of_field(&node.metadata, &["f:spec", "f:unschedulable"])
}

/// The address at which a node is reached from inside.
pub(crate) fn address(node: &Node) -> Option<&str> {
    let addresses = node.status.as_ref()?.addresses.as_ref()?;
    let of = |type_: &str| addresses.iter().find(|address| address.type_ == type_);
    of("InternalIP").or_else(|| of("ExternalIP")).map(|address| address.address.as_str())
}

/// The service of the node's container runtime: `containerd`, `crio`, `docker`.
pub(crate) fn runtime_service(node: &Node) -> &'static str {
    let version = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    match version.map(|info| info.container_runtime_version.as_str()) {
        Some(version) if version.starts_with("cri-o") => "crio",
        Some(version) if version.starts_with("docker") => "docker",
        _ => "containerd",
    }
}

/// How many pods are on a node, and how many of them are not ready, in a sentence.
///
/// # Errors
/// [`Needs`] where the pods have not been asked yet.
pub(crate) fn burden(reader: &Reader<'_>, node: &str) -> Result<Option<Text>, Needs> {
    let Read::Found(all) = pods_on(reader, node)? else { return Ok(None) };
    let first: Vec<String> = all
        .iter()
        .map(|pod| {
            let meta = &pod.metadata;
            format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
        })
        .collect();
    Ok(match first.len() {
        0 => None,
        1 => Some(text!["One pod is on it: ", Text::names(first, 1), "."]),
        count => Some(text![count, " pods are on it: ", Text::names(first, 3), "."]),
    })
}

/// A time span in words: `40 s`, `12 min`, `3 h`, `2 days`.
pub(crate) fn ago(duration: SignedDuration) -> Text {
    let seconds = duration.as_secs().max(0);
    let (count, unit) = match seconds {
        0..=119 => (seconds, "s"),
        120..=7_199 => (seconds / 60, "min"),
        7_200..=172_799 => (seconds / 3_600, "h"),
        _ => (seconds / 86_400, "days"),
    };
    text![own(format!("{count} {unit}"))]
}

/// The node as words: `Node node-1`.
pub(crate) fn called(node: &Node) -> Text {
    text!["Node ", name(name_of(node))]
}

/// Tells whether a pod runs on a node although it is not ready there.
pub(crate) fn is_unready(pod: &Pod) -> bool {
    !pods::is_finished(pod) && pod.metadata.deletion_timestamp.is_none() && !pods::is_true(pod, "Ready")
}

/// The finding with the pod's node as the place of its cause, where the kubelet there says so itself.
/// The finding stands without it, so a node that is not read yet holds nothing up.
pub(crate) fn blamed(case: &Case<'_>, finding: Finding, fits: impl Fn(&Fault) -> bool) -> Finding {
    let Ok(Read::Found(node)) = case.node() else { return finding };
    let says = condition(&node, "Ready").filter(|ready| ready.status == "False").is_some_and(|ready| {
        node_condition::parse(ready.message.as_deref().unwrap_or_default()).iter().any(|part| fits(&part.fault))
    });
    if says { finding.caused_in(reference(&node)) } else { finding }
}
