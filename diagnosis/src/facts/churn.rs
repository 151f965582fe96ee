//! A controller that makes and deletes the same pods without end.

use std::sync::Arc;

use kubewhy_text::{name, text};

use crate::case::{Case, Workload};
use crate::causes::Code;
use crate::event::Event;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::reader::Needs;

/// From so many deletions on, and so many for each node, no rollout explains them.
const MANY: u32 = 10;
const FOR_EACH_NODE: u32 = 3;

/// The finding about a `DaemonSet` whose controller deletes its pods and makes them again, over and over; none where the
/// pods fail by themselves (their own causes speak then) or a rollout explains it.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn of_daemon_set(case: &Case<'_>) -> Result<Option<Finding>, Needs> {
    let Some(Workload::DaemonSet(set)) = case.workload() else { return Ok(None) };
    let events = case.own_events()?;
    let (made, deleted) = (total(events, "SuccessfulCreate"), total(events, "SuccessfulDelete"));
    let nodes =
        set.status.as_ref().map_or(0, |status| status.desired_number_scheduled.max(status.current_number_scheduled));
    let nodes = u32::try_from(nodes).unwrap_or_default().max(1);
    let enough = MANY.max(nodes.saturating_mul(FOR_EACH_NODE));
    let fails = events.iter().any(|event| event.reason == "FailedDaemonPod");
    if fails || deleted < enough || made < enough {
        return Ok(None);
    }
    let newest = events.iter().rev().find(|event| event.reason == "SuccessfulDelete");
    let since = events.iter().filter(|event| event.reason == "SuccessfulDelete").filter_map(|event| event.first).min();
    let finding = case
        .finding(Code::TerminatedExternally)
        .confidence(Confidence::Likely)
        .title(text![
            "The controller of ",
            name(case.reference().to_string()),
            " deletes its pods and makes them again without end (",
            deleted,
            " times)"
        ])
        .explain(text![
            "In the time that events reach back the DaemonSet controller made ",
            made,
            " pods for ",
            nodes,
            " nodes and deleted ",
            deleted,
            ", and none of them had failed. It deletes the pods of nodes that they may not run on: a taint or label that \
             comes and goes, or a node that flaps. Kubernetes 1.10 and 1.11 did it by a fault of their own, which an \
             upgrade ends."
        ])
        .evidence(newest.map(|event| Evidence::event(event)))
        .since(since)
        .fix(
            Fix::safe(text!["see which nodes change: their taints, labels, conditions and version"])
                .command(case.kubectl_cluster(["get", "nodes", "--show-labels", "-o", "wide", "--watch"])),
        )
        .fix(
            Fix::safe(text!["read what the controller says of each pod, and on which node it was"])
                .command(case.kubectl(["describe", "daemonset", case.name()])),
        )
        .fix(Fix::disruptive(text!["upgrade the control plane where its controller-manager is of 1.10 or 1.11"]));
    Ok(Some(finding))
}

fn total(events: &[Arc<Event>], reason: &str) -> u32 {
    events.iter().filter(|event| event.reason == reason).map(|event| event.count.max(1)).sum()
}
