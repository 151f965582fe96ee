//! A pod that the scheduler could not place, and whether a place is being made for it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::case::Case;
use crate::event::Event;
use crate::finding::{Evidence, Severity};
use crate::parse::scheduler::SchedulerVerdict;
use crate::pods;
use crate::reader::Needs;

/// How long a node that an autoscaler has ordered may take.
const NODE_COMES_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// An autoscaler that orders nodes for a pod for longer than this without its being placed does not help it.
const NODE_IS_OVERDUE: SignedDuration = SignedDuration::from_mins(10);

/// What the scheduler said of the pod.
#[derive(Clone, Debug)]
pub(crate) struct Unscheduled {
    /// Its verdict.
    pub(crate) verdict: SchedulerVerdict,
    /// Where it stands.
    pub(crate) evidence: Evidence,
    /// Since when the pod is unschedulable.
    pub(crate) since: Option<Timestamp>,
    /// The event that says that a node is on its way.
    pub(crate) coming: Option<Arc<Event>>,
    /// The node on which room is being made for it by preemption.
    pub(crate) nominated: Option<String>,
}

impl Unscheduled {
    /// An error, unless a node is on its way.
    pub(crate) fn severity(&self) -> Severity {
        if self.coming.is_some() { Severity::Info } else { Severity::Error }
    }
}

/// Tells whether the pod waits for a node: it is bound to none, has not ended and is not being deleted.
pub(crate) fn waits_for_node(case: &Case<'_>) -> bool {
    case.pod().is_some_and(|pod| {
        pods::node_name(pod).is_none()
            && pod.metadata.deletion_timestamp.is_none()
            && matches!(pods::phase(pod), "" | "Pending" | "Unknown")
            && !pods::is_true(pod, "PodScheduled")
            // A kubelet that reports has the pod: the report of it was cut short.
            && pods::containers(pod).all(|container| container.status.is_none())
    })
}

/// Tells whether an event is of the scheduler that places pods, not of Karpenter, which says `FailedScheduling` too.
pub(crate) fn is_schedulers(event: &Event) -> bool {
    !event.component.contains("karpenter") && !event.message.starts_with("Failed to schedule pod")
}

/// The scheduler's verdict: from the condition, which is whole, else from the newest event.
pub(crate) fn unscheduled(case: &Case<'_>) -> Result<Option<Unscheduled>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Option<Unscheduled>, Needs> {
    let Some(pod) = case.pod().filter(|_| waits_for_node(case)) else { return Ok(None) };
    let events = case.own_events()?;
    let coming = coming(case, events);
    let nominated =
        pods::status(pod).and_then(|status| status.nominated_node_name.clone()).filter(|node| !node.is_empty());
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False");
    if let Some(condition) = condition {
        let message = condition.message.as_deref().unwrap_or_default();
        let reason = condition.reason.as_deref().unwrap_or_default();
        if reason == "SchedulingGated" {
            return Ok(None);
        }
        if let Some(verdict) = SchedulerVerdict::parse(message) {
            let since = condition.last_transition_time.as_ref().map(|time| time.0);
            let evidence = case.field(".status.conditions[PodScheduled]", format!("{reason}: {message}")).at(since);
            return Ok(Some(Unscheduled { verdict, evidence, since, coming, nominated }));
        }
    }
    let event = events.iter().rev().find(|event| event.reason == "FailedScheduling" && is_schedulers(event));
    let Some(event) = event else { return Ok(None) };
    let since = event.first.or_else(|| pods::created(pod));
    let evidence = Evidence::event(event);
    Ok(SchedulerVerdict::parse(&event.message).map(|verdict| Unscheduled {
        verdict,
        evidence,
        since,
        coming,
        nominated,
    }))
}

/// The event by which an autoscaler has ordered a node not long ago, if it has not given up since.
fn coming(case: &Case<'_>, events: &[Arc<Event>]) -> Option<Arc<Event>> {
    let orders = |event: &Event| match event.reason.as_str() {
        "TriggeredScaleUp" | "Nominated" => Some(true),
        "NotTriggerScaleUp" => Some(false),
        _ => None,
    };
    let newest = events.iter().rev().find_map(|event| orders(event).map(|orders| (event, orders)));
    let (event, _) = newest.filter(|(_, orders)| *orders)?;
    let recent = event.last.is_some_and(|last| case.age(last) <= NODE_COMES_WITHIN);
    (recent && !is_overdue(case, event)).then(|| Arc::clone(event))
}

/// Tells whether an autoscaler ordered a node so long ago, or again and again for so long, that it should be there.
pub(crate) fn is_overdue(case: &Case<'_>, order: &Event) -> bool {
    order.first.is_some_and(|first| case.age(first) > NODE_IS_OVERDUE)
}
