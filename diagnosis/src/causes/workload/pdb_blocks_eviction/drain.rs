//! A drain that waits for a budget, seen from the node.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;

use super::refusal::{of_pod, refuses};
use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::facts::budgets::Budget;
use crate::finding::{Evidence, Severity};

/// A cordoned node with pods that a budget holds: a drain waits for it.
pub(super) fn of_node(case: &Case<'_>, node: &Arc<Node>) -> Verdict {
    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
    if !cordoned {
        return Ok(Vec::new());
    }
    let running = case.list::<Pod>(None, Filter::OnNode(case.name().to_owned()))?.found().unwrap_or_default();
    let stays = |pod: &Pod| {
        let owners = pod.metadata.owner_references.iter().flatten();
        let by_node = owners.into_iter().any(|owner| matches!(owner.kind.as_str(), "DaemonSet" | "Node"));
        by_node || pod.metadata.deletion_timestamp.is_some()
    };
    let movable: Vec<&Arc<Pod>> = running.iter().filter(|pod| !stays(pod)).collect();
    let mut namespaces: Vec<&str> = movable.iter().filter_map(|pod| pod.metadata.namespace.as_deref()).collect();
    namespaces.sort_unstable();
    namespaces.dedup();
    let lists: Vec<_> =
        namespaces.iter().take(4).map(|of| case.list::<PodDisruptionBudget>(Some(of), Filter::All)).collect();
    let mut all = Vec::new();
    for list in lists {
        all.extend(list?.found().unwrap_or_default().iter().map(|it| Budget::of(it)));
    }
    let holder = |pod: &Pod| all.iter().find(|budget| budget.refuses() && budget.guards(pod));
    let held: Vec<(&Arc<Pod>, &Budget)> =
        movable.iter().filter_map(|pod| holder(pod).map(|budget| (*pod, budget))).collect();
    let Some((pod, budget)) = held.first() else { return Ok(Vec::new()) };
    let guarded: Vec<Arc<Pod>> = held.iter().map(|(pod, _)| Arc::clone(pod)).collect();
    let finding = refuses(case, budget, Some(&guarded))?;
    Ok(vec![finding.severity(Severity::Warning).evidence(Evidence::field(&of_pod(pod), ".spec.nodeName", case.name()))])
}
