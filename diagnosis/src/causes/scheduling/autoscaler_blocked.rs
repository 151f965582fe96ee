//! `autoscaler-blocked`.

use std::sync::Arc;

use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::unscheduled::{is_schedulers, waits_for_node};
use crate::finding::{Confidence, Evidence, Fix, ObjectRef};

cause! {
    /// ## What it means
    /// Capacity lacks, and the autoscaler says that it will not add a node: a limit is reached, a scale-up failed
    /// before, or no kind of node that it may add would hold the pod.
    /// ## Signals
    /// Cluster Autoscaler: event `NotTriggerScaleUp` on the pod, `pod didn't trigger scale-up: n max node group size
    /// reached, n in backoff after failed scale-up, n max cluster cpu limit reached, ...`. Karpenter: event
    /// `FailedScheduling` from `karpenter` (`Failed to schedule pod, ...`), `NoCompatibleInstanceTypes`. It follows
    /// from the capacity that lacks: with room in the cluster nobody would need the autoscaler.
    /// ## Look-alikes
    /// A verdict about selectors, taints or volumes is the cause itself, and the autoscaler only repeats it.
    /// `TriggeredScaleUp` after the refusal: a node is on its way.
    /// ## Fixes
    /// Raise the limit of the node group, clear what failed at the cloud (quota, no machines left), or add a node group
    /// whose nodes hold the pod.
    /// ## Source
    /// cluster-autoscaler/processors/status/eventing_scale_up_processor.go; karpenter pkg/controllers/provisioning.
    AutoscalerBlocked, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if !waits_for_node(case) {
        return Ok(Vec::new());
    }
    let events = case.own_events()?;
    let Some(event) = events.iter().rev().find(|event| refuses(event) || orders(event)).filter(|event| refuses(event))
    else {
        return Ok(Vec::new());
    };
    let blockers = blockers(case)?;
    let limits = own_reasons(&event.message);
    let finding = case.finding(Code::AutoscalerBlocked).evidence(Evidence::event(event)).since(event.first);
    let finding = match &blockers {
        Some(blockers) if blockers.leads(Blocker::Capacity) => finding.follows_lead(),
        // Another obstacle leads: the autoscaler only repeats it.
        Some(_) => return Ok(Vec::new()),
        None if limits.is_empty() => return Ok(Vec::new()),
        None => finding.confidence(Confidence::Likely),
    };
    let karpenter = !is_schedulers(event) || event.component.contains("karpenter");
    let (who, root) =
        if karpenter { ("Karpenter", "karpenter") } else { ("The cluster autoscaler", "cluster-autoscaler") };
    let finding = finding
        .root(ObjectRef::virtual_("Cluster", root))
        .title(text![who, " adds no node for Pod ", name(case.reference().path()), first(&limits)])
        .explain(text![
            "Room lacks, and ",
            own_name(karpenter),
            " was asked for a node and refused. It said: ",
            quoted(short(&event.message)),
            "."
        ])
        .also(meaning(&event.message));
    let finding = if karpenter {
        finding.fix(
            Fix::safe(text![
                "see which NodePools there are, their limits and requirements, and widen the one that is meant"
            ])
            .command(case.kubectl_cluster(["get", "nodepools.karpenter.sh", "-o", "yaml"])),
        )
    } else {
        finding
            .fix(
                Fix::safe(text![
                    "raise the maximum size of the node group, or add one whose nodes hold the \
            pod; its state stands in a ConfigMap"
                ])
                .command(
                    case.kubectl_in("kube-system", ["get", "configmap", "cluster-autoscaler-status", "-o", "yaml"]),
                ),
            )
            .fix(Fix::safe(text![
                "after a failed scale-up see the cloud's quota and whether it has such \
            machines left; the autoscaler tries again by itself"
            ]))
    };
    Ok(vec![finding])
}

fn refuses(event: &Arc<Event>) -> bool {
    event.reason == "NotTriggerScaleUp"
        || event.reason == "NoCompatibleInstanceTypes"
        || (event.reason == "FailedScheduling" && !is_schedulers(event))
}

fn orders(event: &Arc<Event>) -> bool {
    matches!(event.reason.as_str(), "TriggeredScaleUp" | "Nominated")
}

/// The autoscaler's own reasons, not the scheduler's that it repeats.
fn own_reasons(message: &str) -> Vec<&'static str> {
    let table = [
        ("max node group size reached", "max node group size reached"),
        ("in backoff after failed scale-up", "in backoff after a failed scale-up"),
        ("max total nodes in cluster reached", "max total nodes in cluster reached"),
        ("all-or-nothing", "not all pods of the group would fit"),
        ("not ready for scale-up", "node group not ready for scale-up"),
        ("exceed limits for nodepool", "the NodePool's limit is reached"),
        ("no instance type", "no instance type satisfies the pod"),
        ("incompatible with nodepool", "no NodePool is compatible"),
    ];
    let cluster = message.contains("max cluster") && message.contains("limit reached");
    let listed = table.into_iter().filter(|(mark, _)| message.contains(mark)).map(|(_, words)| words);
    listed.chain(cluster.then_some("a resource limit of the cluster is reached")).collect()
}

fn first(reasons: &[&'static str]) -> Option<Text> {
    reasons.first().map(|reason| text![": ", *reason])
}

fn own_name(karpenter: bool) -> &'static str {
    if karpenter { "Karpenter" } else { "the cluster autoscaler" }
}

fn meaning(message: &str) -> Option<Text> {
    if message.contains("in backoff") {
        return Some(text!["A node was ordered before and did not come; for some minutes the group is left alone."]);
    }
    if message.contains("max node group size") {
        return Some(text!["The node group has as many nodes as it is allowed."]);
    }
    message.contains("Insufficient").then(|| text!["Not even a new node of a group would hold the pod."])
}

fn short(message: &str) -> String {
    message.chars().take(400).collect()
}
