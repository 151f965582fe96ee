//! `autoscaler-blocked`.

use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::capacity::blockers::{Blocker, blockers, is_of_storage};
use crate::facts::capacity::demand::is_extended;
use crate::facts::capacity::unscheduled::{is_overdue, is_schedulers, unscheduled, waits_for_node};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::parse::scheduler::{Reason, SchedulerVerdict};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// Capacity lacks, and the autoscaler says that it will not add a node: a limit is reached, a scale-up failed
    /// before, or no kind of node that it may add would hold the pod. Or it orders nodes for more than 10 minutes, and
    /// the pod gets none.
    /// ## Signals
    /// Cluster Autoscaler: event `NotTriggerScaleUp` on the pod, `pod didn't trigger scale-up: n max node group size
    /// reached, n in backoff after failed scale-up, n max cluster cpu limit reached, ...`, `pod didn't trigger scale-up (it
    /// wouldn't fit if a new node is added): n Insufficient nvidia.com/gpu`. Karpenter: event
    /// `FailedScheduling` from `karpenter` (`Failed to schedule pod, ...`), `NoCompatibleInstanceTypes`; `Nominated` (`Pod should schedule on: ...`) again and again. It follows
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
    let Some(event) = events.iter().rev().find(|event| refuses(event) || orders(event)) else {
        return Ok(Vec::new());
    };
    if orders(event) && !is_overdue(case, event) {
        return Ok(Vec::new());
    }
    let limits = own_reasons(&event.message);
    let finding = case.finding(Code::AutoscalerBlocked).evidence(Evidence::event(event)).since(event.first);
    let finding = match blockers(case)? {
        Some(blockers) if blockers.leads(Blocker::Capacity) => finding.follows_lead(),
        // Another obstacle leads: the autoscaler only repeats it.
        Some(_) => return Ok(Vec::new()),
        // Without a verdict the autoscaler's words are all there is.
        None if unscheduled(case)?.is_none() => finding.confidence(Confidence::Likely),
        None if limits.is_empty() || is_storages(case)? => return Ok(Vec::new()),
        None => finding.confidence(Confidence::Likely),
    };
    let finding = if orders(event) { overdue(case, finding, event) } else { refused(case, finding, event, &limits) };
    Ok(vec![finding])
}

/// Tells whether the verdict is about the pod's claims: more nodes would not help.
fn is_storages(case: &Case<'_>) -> Result<bool, Needs> {
    Ok(unscheduled(case)?.is_some_and(|unscheduled| unscheduled.verdict.says(is_of_storage)))
}

fn is_karpenters(event: &Event) -> bool {
    !is_schedulers(event) || event.component.contains("karpenter") || event.reason == "Nominated"
}

/// A node was ordered long ago, and the pod is on none.
fn overdue(case: &Case<'_>, finding: Finding, event: &Event) -> Finding {
    let karpenter = is_karpenters(event);
    let (who, root) =
        if karpenter { ("Karpenter", "karpenter") } else { ("The cluster autoscaler", "cluster-autoscaler") };
    let finding = finding
        .confidence(Confidence::Likely)
        .root(ObjectRef::virtual_("Cluster", root))
        .title(text![
            who,
            " ordered a node for Pod ",
            name(case.reference().path()),
            " more than 10 minutes ago, and the pod is still on none"
        ])
        .explain(text![
            "A node was ordered first at ",
            event.first.unwrap_or_else(|| case.now()),
            " (",
            quoted(short(&event.message)),
            "), and the scheduler has not put the pod on it. Either the machine did not come or join the cluster, \
            or the scheduler sees it otherwise than ",
            own_name(karpenter),
            " does."
        ]);
    let nodes = Fix::safe(text!["see whether the node came and is ready, and which taints it carries"])
        .command(case.kubectl_cluster(["get", "nodes", "-o", "wide"]));
    if karpenter {
        finding.fix(nodes.command(case.kubectl_cluster(["get", "nodeclaims.karpenter.sh", "-o", "wide"])))
    } else {
        finding.fix(nodes).fix(state(case))
    }
}

/// The autoscaler will add no node.
fn refused(case: &Case<'_>, finding: Finding, event: &Event, limits: &[&'static str]) -> Finding {
    let karpenter = is_karpenters(event);
    let wanted = SchedulerVerdict::parse_scale_up(&event.message);
    let (who, root) =
        if karpenter { ("Karpenter", "karpenter") } else { ("The cluster autoscaler", "cluster-autoscaler") };
    let finding = finding
        .root(ObjectRef::virtual_("Cluster", root))
        .title(text![who, " adds no node for Pod ", name(case.reference().path()), why(limits, wanted.as_ref())])
        .explain(text![
            "No node takes the pod, and ",
            own_name(karpenter),
            " was asked for a node and refused. It said: ",
            quoted(short(&event.message)),
            "."
        ])
        .also(meaning(&event.message, wanted.as_ref()));
    if karpenter {
        return finding.fix(
            Fix::safe(text![
                "see which NodePools there are, their limits and requirements, and widen the one that is meant"
            ])
            .command(case.kubectl_cluster(["get", "nodepools.karpenter.sh", "-o", "yaml"])),
        );
    }
    let lacking = wanted.as_ref().and_then(|wanted| wanted.lacking().first().map(|resource| (*resource).to_owned()));
    let offer = lacking.filter(|resource| is_extended(resource)).map(|resource| {
        Fix::safe(text![
            "add a node group whose machines offer ",
            name(resource.clone()),
            "; for a group that is empty tell the autoscaler that they do (a tag or label of the group, such as \
            k8s.io/cluster-autoscaler/node-template/resources/",
            name(resource),
            ")"
        ])
    });
    let retry = event.message.contains("in backoff").then(|| {
        Fix::safe(text![
            "after a failed scale-up see the cloud's quota and whether it has such machines left; the autoscaler \
            tries again by itself"
        ])
    });
    finding.fix(offer).fix(state(case)).fix(retry)
}

fn state(case: &Case<'_>) -> Fix {
    Fix::safe(text![
        "raise the maximum size of the node group, or add one whose nodes hold the pod; its state stands in a ConfigMap"
    ])
    .command(case.kubectl_in("kube-system", ["get", "configmap", "cluster-autoscaler-status", "-o", "yaml"]))
}

fn refuses(event: &Event) -> bool {
    event.reason == "NotTriggerScaleUp"
        || event.reason == "NoCompatibleInstanceTypes"
        || (event.reason == "FailedScheduling" && !is_schedulers(event))
}

fn orders(event: &Event) -> bool {
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
        ("exceed limits for", "the NodePool's limit is reached"),
        ("no instance type", "no instance type satisfies the pod"),
        ("no nodepools found", "there is no NodePool"),
        ("incompatible with nodepool", "no NodePool is compatible"),
        ("incompatible with provisioner", "no Provisioner is compatible"),
        ("did not tolerate", "the pod does not tolerate a taint of the new nodes"),
    ];
    let cluster = message.contains("max cluster") && message.contains("limit reached");
    let listed = table.into_iter().filter(|(mark, _)| message.contains(mark)).map(|(_, words)| words);
    listed.chain(cluster.then_some("a resource limit of the cluster is reached")).collect()
}

/// The first of the autoscaler's own reasons, else what its new nodes would lack.
fn why(limits: &[&'static str], wanted: Option<&SchedulerVerdict>) -> Option<Text> {
    if let Some(limit) = limits.first() {
        return Some(text![": ", *limit]);
    }
    let wanted = wanted?;
    if let Some(resource) = wanted.lacking().first() {
        return Some(text![": a new one would not have enough ", name(*resource)]);
    }
    wanted.says(is_of_new_nodes).then(|| text![": a new one would not match it"])
}

fn own_name(karpenter: bool) -> &'static str {
    if karpenter { "Karpenter" } else { "the cluster autoscaler" }
}

/// Tells whether labels or taints of the nodes that would be added are in the way.
fn is_of_new_nodes(reason: &Reason) -> bool {
    matches!(reason, Reason::NodeAffinity | Reason::Taint { .. } | Reason::Taints)
}

fn meaning(message: &str, wanted: Option<&SchedulerVerdict>) -> Option<Text> {
    if message.contains("in backoff") {
        return Some(text!["A node was ordered before and did not come; for some minutes the group is left alone."]);
    }
    if message.contains("max node group size") {
        return Some(text!["The node group has as many nodes as it is allowed."]);
    }
    if message.contains("exceed limits for") {
        return Some(text!["The NodePool may not use more resources than its limit, and these are used."]);
    }
    let wanted = wanted?;
    if let Some(resource) = wanted.lacking().first() {
        return Some(text![
            "Not even a new, empty node of a group would have enough ",
            name(*resource),
            " for the pod."
        ]);
    }
    wanted
        .says(is_of_new_nodes)
        .then(|| text!["A new node of these groups would carry labels or taints that keep the pod away."])
}

fn short(message: &str) -> String {
    message.chars().take(400).collect()
}
