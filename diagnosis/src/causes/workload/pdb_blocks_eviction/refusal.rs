//! A budget that allows no eviction: since it never does, or since pods that are not well use it up.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{Text, code, name, text};

use super::base;
use crate::ask::Filter;
use crate::case::Case;
use crate::facts::budgets::{self, Budget};
use crate::finding::{Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::{Kind, Object};
use crate::pods;
use crate::reader::Needs;

/// What it says of the pods that it guards, as far as they were read.
pub(super) fn refuses(case: &Case<'_>, budget: &Budget, guarded: Option<&[Arc<Pod>]>) -> Result<Finding, Needs> {
    let guarded = guarded.unwrap_or_default();
    let unwell = budgets::unwell(guarded);
    let mut finding = base(case, budget);
    let drained = drained_node(case, guarded)?;
    if let Some(node) = &drained {
        let reference = ObjectRef::new(Kind::Node, None, node);
        finding = finding
            .severity(Severity::Error)
            .evidence(Evidence::field(&reference, ".spec.unschedulable", "true"))
            .via(reference);
    }
    let waits = drained.map(|node| {
        text![
            "Node ",
            name(node),
            " is cordoned and still runs pods that it guards: a drain of it waits for this budget."
        ]
    });
    if budget.is_never_open() && unwell.is_empty() {
        return never(case, finding, budget, guarded, waits);
    }
    Ok(used_up(case, finding, budget, &unwell, waits))
}

/// It leaves no room even when every pod is well.
fn never(
    case: &Case<'_>,
    finding: Finding,
    budget: &Budget,
    guarded: &[Arc<Pod>],
    waits: Option<Text>,
) -> Result<Finding, Needs> {
    let path = name(budget.reference.path());
    let namespace = budget.reference.namespace.as_deref().unwrap_or_default();
    let replicas = budget.expected;
    let owner = match guarded.first() {
        Some(pod) => case.controllers(&Object::Pod(Arc::clone(pod)))?.pop(),
        None => None,
    };
    let grows = budget.rule.starts_with("minAvailable") && !budget.rule.ends_with("100%");
    let scales = |it: &ObjectRef| matches!(it.kind.as_ref(), "Deployment" | "StatefulSet" | "ReplicaSet");
    let more = owner.filter(|it| grows && scales(it)).map(|it| {
        let target = format!("{}/{}", it.kind.to_lowercase(), it.name);
        let count = format!("--replicas={}", replicas.saturating_add(1));
        Fix::safe(text!["run one replica more than the budget asks for"])
            .command(case.kubectl_in(namespace, ["scale", target.as_str(), count.as_str()]))
    });
    let (count, pods) = if replicas == 1 { (" replica", " pod") } else { (" replicas", " pods") };
    Ok(finding
        .title(text![
            "disruption budget ",
            path.clone(),
            " can never allow an eviction: ",
            code(budget.rule.clone()),
            " of ",
            replicas,
            count
        ])
        .explain(text![
            "Budget ",
            path,
            " wants ",
            budget.desired,
            " of ",
            replicas,
            pods,
            " to be up at all times, so that not one may be evicted even while all are well: ",
            code("kubectl drain"),
            ", upgrades of nodes and autoscalers wait without end."
        ])
        .also(waits)
        .fix(more)
        .fix(
            Fix::disruptive(text!["or let the budget allow one: ", code("maxUnavailable: 1")])
                .command(case.kubectl_in(namespace, ["edit", "poddisruptionbudget", &budget.reference.name])),
        ))
}

/// Pods that are not well use up what it would allow.
fn used_up(case: &Case<'_>, finding: Finding, budget: &Budget, unwell: &[&Arc<Pod>], waits: Option<Text>) -> Finding {
    let path = name(budget.reference.path());
    let namespace = budget.reference.namespace.as_deref().unwrap_or_default();
    let names: Vec<String> = unwell.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    let lacking = if names.is_empty() {
        text!["only ", budget.healthy, " of ", budget.expected, " pods are healthy"]
    } else {
        text![Text::names(names, 3), if unwell.len() == 1 { " is not ready" } else { " are not ready" }]
    };
    let mut finding = finding
        .title(text!["disruption budget ", path.clone(), " allows no eviction: ", lacking.clone()])
        .explain(text![
            "Budget ",
            path,
            " (",
            code(budget.rule.clone()),
            ") needs ",
            budget.desired,
            " healthy pods and has ",
            budget.healthy,
            " of ",
            budget.expected,
            ": ",
            lacking,
            ", which uses up what it would allow."
        ])
        .also(waits);
    for pod in unwell.iter().take(3) {
        let ready = pods::condition(pod, "Ready");
        let text = ready.map_or_else(
            || "no condition".to_owned(),
            |it| format!("{} {}", it.status, it.message.as_deref().unwrap_or_default()).trim().to_owned(),
        );
        finding = finding.evidence(Evidence::field(&of_pod(pod), ".status.conditions[Ready]", text));
    }
    let Some(pod) = unwell.first() else {
        return finding.fix(
            Fix::safe(text!["see which of its pods are not healthy"])
                .command(case.kubectl_in(namespace, ["describe", "poddisruptionbudget", &budget.reference.name])),
        );
    };
    let reference = of_pod(pod);
    let allow = (!budget.always_allows_unhealthy).then(|| {
        let body = r#"{"spec":{"unhealthyPodEvictionPolicy":"AlwaysAllow"}}"#;
        let command = ["patch", "poddisruptionbudget", &budget.reference.name, "--type=merge", "-p", body];
        Fix::disruptive(text!["or let pods that are not ready be evicted whatever the budget says"])
            .command(case.kubectl_in(namespace, command))
    });
    finding
        .fix(
            Fix::safe(text!["get ", name(reference.to_string()), " ready"])
                .command(case.kubectl_in(namespace, ["describe", "pod", &reference.name])),
        )
        .fix(allow)
        .explained_by(reference)
}

pub(super) fn of_pod(pod: &Pod) -> ObjectRef {
    ObjectRef::new(Kind::Pod, pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref().unwrap_or_default())
}

/// A cordoned node on which guarded pods remain.
fn drained_node(case: &Case<'_>, guarded: &[Arc<Pod>]) -> Result<Option<String>, Needs> {
    let mut nodes: Vec<&str> = guarded.iter().filter_map(|pod| pods::occupies(pod)).collect();
    nodes.sort_unstable();
    nodes.dedup();
    if nodes.is_empty() {
        return Ok(None);
    }
    let all = case.list::<Node>(None, Filter::All)?.found().unwrap_or_default();
    let cordoned = |node: &Node| node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
    Ok(all
        .iter()
        .filter(|node| cordoned(node))
        .filter_map(|node| node.metadata.name.clone())
        .find(|node| nodes.contains(&node.as_str())))
}
