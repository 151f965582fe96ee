//! The node of a pod: whether it still answers.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Workload};
use crate::event::Event;
use crate::pods;
use crate::reader::{Needs, Read};
use crate::triage::{PodDigest, Triage, triage};

/// How long a kubelet may need to say a first word about a pod that was bound to its node.
const FIRST_WORD: SignedDuration = SignedDuration::from_secs(20);

/// A node that does not answer any more.
#[derive(Debug)]
pub(crate) struct LostNode {
    /// Its name.
    pub(crate) name: String,
    /// How that is known.
    pub(crate) how: Lost,
    /// When its kubelet renewed its lease last.
    pub(crate) heartbeat: Option<Timestamp>,
    /// What the pod itself shows.
    pub(crate) sign: Sign,
}

/// How a node is known to be lost.
#[derive(Debug)]
pub(crate) enum Lost {
    /// Its condition Ready is not True.
    NotReady(Box<NodeCondition>),
    /// Its object is gone.
    Deleted,
    /// The node could not be read; the pod says so.
    Told,
}

/// What a pod shows when its node is lost.
#[derive(Debug)]
pub(crate) enum Sign {
    /// The node controller marked it: event `NodeNotReady`.
    Event(Arc<Event>),
    /// The node controller turned its condition Ready to False, while its containers say they are ready.
    Condition,
    /// Its `status.reason` is `NodeLost`.
    Reason,
    /// Pod garbage collection removed it with its node.
    Collected,
    /// It was bound, and no kubelet has said a word about it.
    Silence,
}

/// Tells whether the node that the pod runs on is lost: then its conditions are old, and nothing else about it leads.
///
/// # Errors
/// [`Needs`] where the events or the node have not been asked yet.
pub(crate) fn node_is_lost(case: &Case<'_>) -> Result<bool, Needs> {
    Ok(lost_node(case)?.is_some())
}

/// The node that the pod runs on, where it is lost. It is read only where the pod shows a sign of it.
///
/// # Errors
/// [`Needs`] where the events or the node have not been asked yet.
pub(crate) fn lost_node(case: &Case<'_>) -> Result<Option<LostNode>, Needs> {
    let Some(name) = case.pod().and_then(pods::node_name) else { return Ok(None) };
    let Some(sign) = sign(case)? else { return Ok(None) };
    read(case, name, sign)
}

/// The lost node of a workload's pod that is on its way out there and cannot end: it waits for a kubelet that is silent.
///
/// # Errors
/// [`Needs`] where the pods or the node have not been asked yet.
pub(crate) fn lost_node_of_leaving(case: &Case<'_>) -> Result<Option<(LostNode, Arc<Pod>)>, Needs> {
    let Some(workload @ (Workload::Deployment(_) | Workload::StatefulSet(_) | Workload::DaemonSet(_))) =
        case.workload()
    else {
        return Ok(None);
    };
    let Some(selector) = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty()) else {
        return Ok(None);
    };
    // The same list that the pods of the workload were found in.
    let pods_ = case.list::<Pod>(case.namespace(), Filter::Labels(selector))?.found().unwrap_or_default();
    let leaving = pods_.into_iter().find(|pod| {
        let over = pod.metadata.deletion_timestamp.as_ref().is_some_and(|time| time.0 < case.now());
        over && !pods::is_finished(pod)
            && triage(&PodDigest::from(&**pod), case.now()) == Triage::Gone
            && is_overruled(pod)
    });
    let Some(pod) = leaving else { return Ok(None) };
    let Some(name) = pods::node_name(&pod) else { return Ok(None) };
    Ok(read(case, name, Sign::Condition)?.map(|lost| (lost, Arc::clone(&pod))))
}

fn read(case: &Case<'_>, name: &str, sign: Sign) -> Result<Option<LostNode>, Needs> {
    let node = case.get::<Node>(None, name);
    let lease = case.get::<Lease>(Some("kube-node-lease"), name);
    let (node, lease) = (node?, lease?);
    let renewed = |lease: Arc<Lease>| lease.spec.as_ref()?.renew_time.as_ref().map(|time| time.0);
    let heartbeat = lease.found().and_then(renewed);
    let how = match node {
        Read::Found(node) => match unready(&node) {
            Some(condition) => Lost::NotReady(Box::new(condition.clone())),
            None => return Ok(None),
        },
        // A pod that no kubelet ever saw on a node that does not exist was bound to a wrong name.
        Read::Absent if matches!(sign, Sign::Silence) => return Ok(None),
        Read::Absent => Lost::Deleted,
        Read::Unreadable if matches!(sign, Sign::Silence | Sign::Condition) => return Ok(None),
        Read::Unreadable => Lost::Told,
    };
    Ok(Some(LostNode { name: name.to_owned(), how, heartbeat, sign }))
}

fn unready(node: &Node) -> Option<&NodeCondition> {
    let conditions = node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status != "True")
}

fn sign(case: &Case<'_>) -> Result<Option<Sign>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    let status = pods::status(pod);
    let reason = status.and_then(|status| status.reason.as_deref()).unwrap_or_default();
    if reason == "NodeLost" || pods::phase(pod) == "Unknown" {
        return Ok(Some(Sign::Reason));
    }
    let disruption = pods::condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True");
    if disruption.and_then(|condition| condition.reason.as_deref()) == Some("DeletionByPodGC") {
        return Ok(Some(Sign::Collected));
    }
    if pods::is_finished(pod) {
        return Ok(None);
    }
    let untouched = status.is_none_or(|status| status.start_time.is_none() && status.container_statuses.is_none());
    if untouched {
        let bound = pods::condition(pod, "PodScheduled").and_then(|condition| condition.last_transition_time.as_ref());
        let since = bound.map(|time| time.0).or_else(|| pods::created(pod));
        return Ok(since.is_none_or(|since| case.age(since) > FIRST_WORD).then_some(Sign::Silence));
    }
    if pods::is_true(pod, "Ready") {
        return Ok(None);
    }
    let overruled = is_overruled(pod);
    let event = case.newest_event(&["NodeNotReady"], |_| true)?;
    Ok(match event {
        Some(event) if overruled || is_newest(pod, &event) => Some(Sign::Event(event)),
        _ => (overruled && pods::is_true(pod, "ContainersReady")).then_some(Sign::Condition),
    })
}

/// Tells whether the node controller turned the pod's readiness off: a kubelet always gives a reason.
fn is_overruled(pod: &Pod) -> bool {
    pods::condition(pod, "Ready").is_some_and(|condition| {
        condition.status != "True" && condition.reason.as_deref().unwrap_or_default().is_empty()
    })
}

/// Tells whether nothing has been said of the pod's readiness since that event.
fn is_newest(pod: &Pod, event: &Event) -> bool {
    let turned = pods::condition(pod, "ContainersReady").and_then(|condition| condition.last_transition_time.as_ref());
    match (turned, event.last) {
        (Some(turned), Some(said)) => turned.0 <= said,
        _ => true,
    }
}
