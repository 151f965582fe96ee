//! Why nobody is ready behind a selector.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment, StatefulSet};
use k8s_openapi::api::batch::v1::CronJob;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};

use super::{State, TRAILS, Trouble, trouble};
use crate::ask::{Filter, Requirement, Selector};
use crate::case::Case;
use crate::facts::probes;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::{Kind, Object};
use crate::nearest::nearest;
use crate::pods::{self, Role};
use crate::reader::Needs;

/// How long a pod may take to get ready before that is trouble.
const STARTING: SignedDuration = SignedDuration::from_mins(2);
/// Of how many pods the controllers are looked up.
const SAMPLE: usize = 6;

/// Why nobody is ready behind a selector.
pub(super) fn behind(
    case: &Case<'_>,
    namespace: &str,
    selector: &BTreeMap<String, String>,
    evidence: &mut Vec<Evidence>,
) -> Result<State, Needs> {
    let selector = Selector::labels(selector);
    let Some(selected) = case.list::<Pod>(Some(namespace), Filter::Labels(selector.clone()))?.found() else {
        return Ok(State::Hidden);
    };
    let stays = |pod: &&Arc<Pod>| pod.metadata.deletion_timestamp.is_none() && !pods::is_finished(pod);
    let live: Vec<&Arc<Pod>> = selected.iter().filter(stays).collect();
    if !live.is_empty() {
        return unready(case, namespace, &live, evidence);
    }
    let leaving: Vec<&Arc<Pod>> = selected.iter().filter(|pod| pod.metadata.deletion_timestamp.is_some()).collect();
    if leaving.is_empty() && !selected.is_empty() {
        let completed = selected.iter().find(|pod| pods::phase(pod) == "Succeeded");
        if let Some(pod) = completed {
            return Ok(State::Completed(reference(namespace, pod)));
        }
    }
    match templates(case, namespace, &selector, evidence)? {
        Some(state @ State::ScaledToZero(_)) => return Ok(state),
        Some(state) if selected.is_empty() => return Ok(state),
        _ => {}
    }
    if let Some(first) = leaving.first().or(selected.iter().collect::<Vec<_>>().first()) {
        let (ails, seen) = trouble(case, first)?;
        evidence.extend(seen);
        let controller = case.controllers(&Object::Pod(Arc::clone(first)))?.pop();
        let pod = reference(namespace, first);
        let it = Trouble { pod, controller, ails, of: selected.len(), others: Vec::new(), starting: false };
        let it = Box::new(it);
        return Ok(if leaving.is_empty() { State::NotReady(it) } else { State::Terminating(it) });
    }
    let near = near(case, namespace, &selector)?;
    Ok(State::SelectsNothing(selector.to_string(), near))
}

fn reference(namespace: &str, pod: &Pod) -> ObjectRef {
    ObjectRef::new(Kind::Pod, Some(namespace), pod.metadata.name.as_deref().unwrap_or_default())
}

/// Pods are there, and none of them is an endpoint that is ready.
fn unready(case: &Case<'_>, namespace: &str, live: &[&Arc<Pod>], evidence: &mut Vec<Evidence>) -> Result<State, Needs> {
    let now = case.now();
    let mut unready: Vec<&Arc<Pod>> = live.iter().copied().filter(|pod| !pods::is_true(pod, "Ready")).collect();
    if unready.is_empty() {
        let since = |pod: &Pod| pods::condition(pod, "Ready")?.last_transition_time.as_ref().map(|time| time.0);
        let settled = live.iter().all(|pod| since(pod).is_some_and(|since| now.duration_since(since) > TRAILS));
        if settled {
            for pod in live.iter().take(3) {
                let pod_ref = reference(namespace, pod);
                evidence.push(Evidence::field(&pod_ref, ".status.conditions[Ready]", "True").at(since(pod)));
            }
            return Ok(State::Stale(live.len()));
        }
        unready = live.to_vec();
    }
    unready.sort_by_key(|pod| (is_starting(pod, now), pods::created(pod), pod.metadata.name.clone()));
    let Some(first) = unready.first() else { return Ok(State::Hidden) };
    foresee(case, namespace, first);
    let controllers = case.controllers(&Object::Pod(Arc::clone(first)));
    let mut others = Vec::new();
    let further: Vec<Result<Vec<ObjectRef>, Needs>> =
        unready.iter().skip(1).take(SAMPLE).map(|pod| case.controllers(&Object::Pod(Arc::clone(pod)))).collect();
    let (ails, seen) = trouble(case, first)?;
    evidence.extend(seen);
    let controller = controllers?.pop();
    for found in further {
        let Some(other) = found?.pop() else { continue };
        if Some(&other) != controller.as_ref() && !others.contains(&other) {
            others.push(other);
        }
    }
    let starting = unready.iter().all(|pod| is_starting(pod, now));
    let pod = reference(namespace, first);
    Ok(State::NotReady(Box::new(Trouble { pod, controller, ails, of: live.len(), others, starting })))
}

/// Asks together with the rest for what an answer about the pod starts with: each round less is a link of a chain more.
fn foresee(case: &Case<'_>, namespace: &str, pod: &Pod) {
    let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
    let _ = case.events(Kind::Pod, Some(namespace), pod_name, pod.metadata.uid.as_deref());
    if let Some(deployment) = deployment_of(pod) {
        let _ = case.get::<Deployment>(Some(namespace), deployment);
    }
}

/// The Deployment that a pod is of, by the name of its `ReplicaSet`: `web` of `web-5d9c7b`.
pub(crate) fn deployment_of(pod: &Pod) -> Option<&str> {
    let owner = pod.metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    let hash = pod.metadata.labels.as_ref()?.get("pod-template-hash")?;
    owner.name.strip_suffix(hash.as_str())?.strip_suffix('-').filter(|_| owner.kind == "ReplicaSet")
}

/// It was made only just now, and no container of it waits for more than its start or has ended.
pub(crate) fn is_starting(pod: &Pod, now: Timestamp) -> bool {
    // Its probes say how long it may take to answer; without one it has some minutes.
    let main = || pods::containers(pod).filter(|container| container.role == Role::Main && !container.is_ready());
    if main().any(|container| probes::time_left(&container, now) == Some(false)) {
        return false;
    }
    let young = pods::created(pod).is_some_and(|created| now.duration_since(created) < STARTING)
        || main().all(|container| probes::time_left(&container, now) == Some(true));
    let ails = pods::containers(pod).any(|container| {
        let waits = !matches!(container.waiting_reason(), "" | "ContainerCreating" | "PodInitializing");
        waits || container.restarts() > 0 || pods::troubling_end(pod, &container, now).is_some()
    });
    let unplaced = pods::condition(pod, "PodScheduled").is_some_and(|condition| condition.status == "False");
    // Containers that are ready in a pod that is not: its node is lost, or a gate waits.
    let up = main().next().is_none();
    young && !ails && !unplaced && !up
}

/// A workload whose pods the selector would match: it wants none, or it has none.
fn templates(
    case: &Case<'_>,
    namespace: &str,
    selector: &Selector,
    evidence: &mut Vec<Evidence>,
) -> Result<Option<State>, Needs> {
    let deployments = case.list::<Deployment>(Some(namespace), Filter::All);
    let sets = case.list::<StatefulSet>(Some(namespace), Filter::All);
    let mut found: Vec<(ObjectRef, Option<i32>)> = Vec::new();
    let fitting = |kind: Kind, name: Option<&String>, template: &PodTemplateSpec, replicas: Option<i32>| {
        let name = name.map(String::as_str).unwrap_or_default();
        let fits = selector.matches(labels(template).as_ref());
        fits.then(|| (ObjectRef::new(kind, Some(namespace), name), replicas))
    };
    for it in deployments?.found().unwrap_or_default() {
        let Some(spec) = it.spec.as_ref() else { continue };
        found.extend(fitting(
            Kind::Deployment,
            it.metadata.name.as_ref(),
            &spec.template,
            Some(spec.replicas.unwrap_or(1)),
        ));
    }
    for it in sets?.found().unwrap_or_default() {
        let Some(spec) = it.spec.as_ref() else { continue };
        found.extend(fitting(
            Kind::StatefulSet,
            it.metadata.name.as_ref(),
            &spec.template,
            Some(spec.replicas.unwrap_or(1)),
        ));
    }
    if found.is_empty() {
        for it in case.list::<DaemonSet>(Some(namespace), Filter::All)?.found().unwrap_or_default() {
            let Some(spec) = it.spec.as_ref() else { continue };
            let wanted = it.status.as_ref().map(|status| status.desired_number_scheduled);
            found.extend(fitting(Kind::DaemonSet, it.metadata.name.as_ref(), &spec.template, wanted));
        }
    }
    if let Some((workload, _)) = found.iter().find(|(_, replicas)| replicas.is_some_and(|replicas| replicas > 0)) {
        return Ok(Some(State::NoPods(workload.clone())));
    }
    let Some((workload, _)) = found.into_iter().next() else { return Ok(None) };
    if workload.kind == Kind::DaemonSet.name() {
        return Ok(Some(State::NoPods(workload)));
    }
    evidence.push(Evidence::field(&workload, ".spec.replicas", "0"));
    Ok(Some(State::ScaledToZero(workload)))
}

fn labels(template: &PodTemplateSpec) -> Option<BTreeMap<String, String>> {
    template.metadata.as_ref().and_then(|meta| meta.labels.clone())
}

/// The label that the selector was most likely meant for.
fn near(case: &Case<'_>, namespace: &str, selector: &Selector) -> Result<Option<String>, Needs> {
    let deployments = case.list::<Deployment>(Some(namespace), Filter::All)?.found().unwrap_or_default();
    let sets = case.list::<StatefulSet>(Some(namespace), Filter::All)?.found().unwrap_or_default();
    let of_deployments = deployments.iter().filter_map(|it| it.spec.as_ref()).filter_map(|spec| labels(&spec.template));
    let of_sets = sets.iter().filter_map(|it| it.spec.as_ref()).filter_map(|spec| labels(&spec.template));
    let known: Vec<BTreeMap<String, String>> = of_deployments.chain(of_sets).collect();
    if let Some(near) = near_labels(selector, &known) {
        return Ok(Some(near));
    }
    // Pods of other workloads, and bare ones, are only asked for where no template explains it.
    let others = case.list::<Pod>(Some(namespace), Filter::All)?.found().unwrap_or_default();
    let pods = others.iter().filter_map(|pod| pod.metadata.labels.clone());
    Ok(near_labels(selector, &known.into_iter().chain(pods).collect::<Vec<_>>()))
}

/// Tells whether the selector is that of a `CronJob`'s pods, which come and go.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn is_of_cron_job(case: &Case<'_>, namespace: &str, selector: &Selector) -> Result<bool, Needs> {
    let crons = case.list::<CronJob>(Some(namespace), Filter::All)?.found().unwrap_or_default();
    let templates = crons.iter().filter_map(|it| it.spec.as_ref()?.job_template.spec.as_ref());
    Ok(templates.filter_map(|spec| labels(&spec.template)).any(|labels| selector.matches(Some(&labels))))
}

/// A label of some pod that has the selector's key with a value near to the wanted one, or its value under another key.
fn near_labels(selector: &Selector, all: &[BTreeMap<String, String>]) -> Option<String> {
    let wanted: Vec<(&String, &String)> = selector
        .requirements()
        .iter()
        .filter_map(|requirement| match requirement {
            Requirement::Equals(key, value) => Some((key, value)),
            _ => None,
        })
        .collect();
    for (key, value) in wanted {
        if all.iter().any(|labels| labels.get(key) == Some(value)) {
            continue;
        }
        let values = all.iter().filter_map(|labels| labels.get(key)).map(String::as_str);
        if let Some(near) = nearest(value, values) {
            return Some(format!("{key}={near}"));
        }
        let elsewhere = all.iter().flat_map(|labels| labels.iter()).find(|(_, other)| *other == value);
        if let Some((other, _)) = elsewhere {
            return Some(format!("{other}={value}"));
        }
    }
    partly(selector, all)
}

/// What the selector and some pod have in common, where they have something.
fn partly(selector: &Selector, all: &[BTreeMap<String, String>]) -> Option<String> {
    let common = |labels: &BTreeMap<String, String>| -> Vec<String> {
        let equal = selector.requirements().iter().filter_map(|requirement| match requirement {
            Requirement::Equals(key, value) => (labels.get(key) == Some(value)).then(|| format!("{key}={value}")),
            _ => None,
        });
        equal.collect()
    };
    all.iter().map(common).max_by_key(Vec::len).filter(|common| !common.is_empty()).map(|common| common.join(","))
}
