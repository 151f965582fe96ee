//! `pdb-blocks-eviction`.

mod drain;
mod refusal;

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kubewhy_text::{code, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::budgets::Budget;
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::kind::Object;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// A PodDisruptionBudget allows no eviction: drains and upgrades of nodes wait for it, and so does an autoscaler that
    /// wants to remove a node. Nothing else is hurt by it.
    /// ## Signals
    /// `status.disruptionsAllowed: 0` with `currentHealthy`, `desiredHealthy`, `expectedPods`; condition `DisruptionAllowed`
    /// False with `InsufficientPods` or `SyncFailed`; `minAvailable` as large as the replicas, or `maxUnavailable: 0`: it can
    /// never allow one. Several budgets that select one pod: eviction then fails with `This pod has more than one
    /// PodDisruptionBudget`. The client sees 429 `Cannot evict pod as it would violate the pod's disruption budget.`
    /// ## Look-alikes
    /// `nodes-cordoned`: the drain went through, and new pods find no node. `evicted-by-drain`: the eviction went through.
    /// `terminating-ignores-sigterm`: the pod was evicted and does not go.
    /// ## Fixes
    /// Run one replica more, or let the budget allow one; get the pods ready that use it up, or let unhealthy ones go
    /// (`unhealthyPodEvictionPolicy: AlwaysAllow`).
    /// ## Source
    /// pkg/registry/core/pod/storage/eviction.go, pkg/controller/disruption/disruption.go;
    /// <https://kubernetes.io/docs/tasks/run-application/configure-pdb/>
    PdbBlocksEviction, stage Workload, since "0.1.0", detect
}

/// How long the controller may take to count.
const COUNTS_WITHIN: SignedDuration = SignedDuration::from_mins(1);

fn detect(case: &Case<'_>) -> Verdict {
    match case.object() {
        Object::PodDisruptionBudget(it) => of_budget(case, it),
        Object::Node(node) => drain::of_node(case, node),
        _ => Ok(Vec::new()),
    }
}

fn of_budget(case: &Case<'_>, it: &Arc<PodDisruptionBudget>) -> Verdict {
    if it.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let budget = Budget::of(it);
    let pods = match budget.selector.clone() {
        Some(selector) => case.list::<Pod>(case.namespace(), Filter::Labels(selector)),
        None => Ok(Read::Found(Vec::new())),
    };
    let others = case.list::<PodDisruptionBudget>(case.namespace(), Filter::All);
    let (pods, others) = (pods?, others?.found().unwrap_or_default());
    let guarded = pods.found();
    let mut found = Vec::new();
    if let Some(message) = &budget.failed {
        found.push(cannot_count(case, &budget, message)?);
    } else if !budget.counted {
        let age = it.metadata.creation_timestamp.as_ref().map_or(COUNTS_WITHIN, |created| case.age(created.0));
        if age >= COUNTS_WITHIN {
            found.push(not_counted(case));
        }
    } else if budget.refuses() {
        found.push(refusal::refuses(case, &budget, guarded.as_deref())?);
    } else if budget.expected == 0 && guarded.as_ref().is_some_and(Vec::is_empty) {
        found.extend(guards_nothing(case, &budget)?);
    }
    found.extend(overlap(case, &budget, &others, guarded.as_deref().unwrap_or_default()));
    Ok(found)
}

fn base(case: &Case<'_>, budget: &Budget) -> Finding {
    case.finding(Code::PdbBlocksEviction)
        .severity(Severity::Warning)
        .root(budget.reference.clone())
        .evidence(Evidence::field(&budget.reference, ".spec", budget.rule.clone()))
        .evidence(Evidence::field(&budget.reference, ".status", budget.counts()))
}

fn cannot_count(case: &Case<'_>, budget: &Budget, message: &str) -> Result<Finding, Needs> {
    let event = case.newest_event(&["CalculateExpectedPodCountFailed", "UnmanagedPods"], |_| true)?;
    let said = if message.is_empty() { event.as_ref().map_or("", |event| event.message.as_str()) } else { message };
    let path = name(budget.reference.path());
    Ok(base(case, budget)
        .severity(Severity::Error)
        .title(text!["disruption budget ", path.clone(), " allows no eviction: it cannot be counted (", quoted(said.to_owned()), ")"])
        .explain(text![
            "The controller cannot tell how many pods budget ",
            path,
            " guards, and allows no eviction as long as that is so: ",
            quoted(said.to_owned()),
            ". A share or maxUnavailable needs pods whose controller has a scale (Deployment, ReplicaSet, StatefulSet, or a \
             custom resource with one)."
        ])
        .evidence(Evidence::field(&budget.reference, ".status.conditions[DisruptionAllowed]", format!("SyncFailed: {said}")))
        .evidence(event.as_deref().map(Evidence::event))
        .fix(
            Fix::safe(text!["ask for a number of pods (", code("minAvailable"), " as a number), or select pods of one controller with a scale"])
                .command(case.kubectl(["edit", "poddisruptionbudget", case.name()])),
        ))
}

/// Its status is not of its present specification: the controller manager has not looked at it.
fn not_counted(case: &Case<'_>) -> Finding {
    let path = name(case.reference().path());
    case.finding(Code::PdbBlocksEviction)
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .title(text!["disruption budget ", path.clone(), " has not been counted yet: evictions are refused until then"])
        .explain(text![
            "The status of budget ",
            path,
            " is not of its present specification, so the API refuses evictions of its pods. The controller manager counts \
             within seconds where it is at work."
        ])
        .evidence(case.field(".status.observedGeneration", "behind .metadata.generation"))
        .fix(
            Fix::safe(text!["see whether the controller manager is alive"])
                .command(case.kubectl_in("kube-system", ["get", "lease", "kube-controller-manager", "-o", "yaml"])),
        )
}

/// It selects no pod, and no workload of the namespace has pods that it would select.
fn guards_nothing(case: &Case<'_>, budget: &Budget) -> Result<Option<Finding>, Needs> {
    let deployments = case.list::<Deployment>(case.namespace(), Filter::All);
    let sets = case.list::<StatefulSet>(case.namespace(), Filter::All);
    let (deployments, sets) = (deployments?, sets?);
    let (Read::Found(deployments), Read::Found(sets)) = (deployments, sets) else { return Ok(None) };
    let of_deployments = deployments.iter().filter_map(|it| it.spec.as_ref()).map(|spec| &spec.template);
    let of_sets = sets.iter().filter_map(|it| it.spec.as_ref()).map(|spec| &spec.template);
    let Some(selector) = budget.selector.clone() else { return Ok(None) };
    let labels = |meta: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| meta.labels.clone();
    let mut templates = of_deployments.chain(of_sets);
    if templates.any(|template| selector.matches(template.metadata.as_ref().and_then(labels).as_ref())) {
        return Ok(None);
    }
    let path = name(budget.reference.path());
    Ok(Some(
        base(case, budget)
            .title(text!["disruption budget ", path.clone(), " selects no pod: it protects nothing"])
            .explain(text![
                "No pod has the labels ",
                code(selector.to_string()),
                " that budget ",
                path,
                " selects, and no Deployment or StatefulSet of the namespace makes such pods. It stops no eviction, and guards \
                 nothing either."
            ])
            .evidence(case.field(".spec.selector", selector.to_string()))
            .fix(
                Fix::safe(text!["make its selector match the pods that it is meant for, or delete it"])
                    .command(case.kubectl(["get", "pods", "--show-labels"]))
                    .command(case.kubectl(["edit", "poddisruptionbudget", case.name()])),
            ),
    ))
}

/// Two budgets that guard one pod: the API can evict it no more.
fn overlap(
    case: &Case<'_>,
    budget: &Budget,
    others: &[Arc<PodDisruptionBudget>],
    guarded: &[Arc<Pod>],
) -> Option<Finding> {
    let others =
        others.iter().filter(|other| other.metadata.deletion_timestamp.is_none()).map(|other| Budget::of(other));
    let mut shared = others
        .filter(|other| other.reference != budget.reference)
        .filter_map(|other| guarded.iter().find(|pod| other.guards(pod)).map(|pod| (other, refusal::of_pod(pod))));
    let (other, pod) = shared.next()?;
    let (path, second) = (name(budget.reference.path()), name(other.reference.path()));
    Some(
        base(case, budget)
            .root(budget.reference.clone().with_detail("selector"))
            .title(text![
                name(pod.to_string()),
                " is guarded by two disruption budgets, ",
                path.clone(),
                " and ",
                second.clone(),
                ": it cannot be evicted"
            ])
            .explain(text![
                "The eviction API supports one budget for a pod and refuses with an error where there are more, whatever they \
                 allow. Budgets ",
                path,
                " and ",
                second,
                " both select ",
                name(pod.to_string()),
                "."
            ])
            .evidence(Evidence::field(&other.reference, ".spec.selector", other.selector.map(|it| it.to_string()).unwrap_or_default()))
            .fix(
                Fix::safe(text!["delete one of them, or make their selectors differ"])
                    .command(case.kubectl(["get", "poddisruptionbudgets"])),
            ),
    )
}
