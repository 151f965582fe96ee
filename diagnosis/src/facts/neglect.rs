//! Signs that nobody acts on a workload: what its controller would have done within seconds is not done, and nothing says
//! why.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::{Pod, Service};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kubewhy_text::{Text, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Workload};
use crate::finding::Evidence;
use crate::kind::Object;
use crate::pods;
use crate::reader::{Needs, Read};

/// What its controller has not done.
pub(crate) struct Sign {
    /// `Deployment shop/cart was changed, and nobody has taken note. `
    pub(crate) sentence: Text,
    pub(crate) evidence: Evidence,
}

/// A sign that the workload's controller does not act on it. Young objects show it too: it only says that the controller
/// manager is worth a look.
///
/// # Errors
/// [`Needs`] where pods or events have not been asked yet.
pub(crate) fn of_workload(case: &Case<'_>) -> Result<Option<Sign>, Needs> {
    let Some(workload) = case.workload().filter(|_| case.meta().deletion_timestamp.is_none()) else {
        return Ok(None);
    };
    if let Some(sign) = unseen(case, workload) {
        return Ok(Some(sign));
    }
    match workload {
        Workload::Job(job) => of_job(case, job),
        Workload::CronJob(_) => Ok(None),
        _ => lacking(case, workload),
    }
}

/// The object was changed, and its status is of an older generation.
fn unseen(case: &Case<'_>, workload: &Workload) -> Option<Sign> {
    let observed = match workload {
        Workload::Deployment(it) => it.status.as_ref().and_then(|status| status.observed_generation),
        Workload::ReplicaSet(it) => it.status.as_ref().and_then(|status| status.observed_generation),
        Workload::StatefulSet(it) => it.status.as_ref().and_then(|status| status.observed_generation),
        Workload::DaemonSet(it) => it.status.as_ref().and_then(|status| status.observed_generation),
        Workload::Job(_) | Workload::CronJob(_) => return None,
    };
    let generation = case.meta().generation?;
    if observed.is_some_and(|observed| observed >= generation) {
        return None;
    }
    let subject = subject(case);
    let (sentence, text) = match observed {
        Some(observed) => (
            text![subject, " was changed, and no controller has taken note of it. "],
            format!("observedGeneration {observed}, while metadata.generation is {generation}"),
        ),
        None => (
            text![subject, " was made, and no controller has taken it up: its status is empty. "],
            format!("no observedGeneration, while metadata.generation is {generation}"),
        ),
    };
    Some(Sign { sentence, evidence: case.field(".status", text) })
}

/// By what the Deployment of a set selects, where that was asked about: its pods are known by then, the set's among them.
fn of_deployment(case: &Case<'_>) -> Option<Selector> {
    let Some(Workload::ReplicaSet(_)) = case.workload() else { return None };
    let owner = case.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    let deployment = case.known().find_map(|object| match object {
        Object::Deployment(it) if object.name() == owner.name && object.namespace() == case.namespace() => Some(it),
        _ => None,
    })?;
    let selector = Selector::from_api(&deployment.spec.as_ref()?.selector);
    Some(selector).filter(|selector| !selector.is_empty())
}

/// Fewer pods than wanted, none of them in trouble, and no refusal.
fn lacking(case: &Case<'_>, workload: &Workload) -> Result<Option<Sign>, Needs> {
    let wanted = match workload {
        Workload::Deployment(it) => it.spec.as_ref().filter(|spec| spec.paused != Some(true)).map(|spec| spec.replicas),
        Workload::ReplicaSet(it) => it.spec.as_ref().map(|spec| spec.replicas),
        Workload::StatefulSet(it) => it.spec.as_ref().map(|spec| spec.replicas),
        Workload::DaemonSet(it) => it.status.as_ref().map(|status| Some(status.desired_number_scheduled)),
        Workload::Job(_) | Workload::CronJob(_) => None,
    };
    let Some(wanted) = wanted.map(|wanted| wanted.unwrap_or(1)).filter(|wanted| *wanted > 0) else { return Ok(None) };
    let Some(selector) = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty()) else {
        return Ok(None);
    };
    // The same list that the scope has read.
    let selector = of_deployment(case).unwrap_or(selector);
    let Read::Found(listed) = case.list::<Pod>(case.namespace(), Filter::Labels(selector))? else { return Ok(None) };
    let alive: Vec<&Arc<Pod>> = listed
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none() && !pods::is_finished(pod))
        .filter(|pod| {
            matches!(workload, Workload::Deployment(_)) || crate::scope::is_owned_by(&pod.metadata, case.object())
        })
        .collect();
    let has = i32::try_from(alive.len()).unwrap_or(i32::MAX);
    // An ordered StatefulSet waits for its pods, and a pod on its way out for its kubelet.
    let ordered = matches!(workload, Workload::StatefulSet(_));
    let waits = ordered && (alive.len() < listed.len() || alive.iter().any(|pod| !pods::is_true(pod, "Ready")));
    if has >= wanted || waits || !case.refusals()?.is_empty() {
        return Ok(None);
    }
    let sentence = text![
        subject(case),
        " wants ",
        wanted,
        if wanted == 1 { " pod" } else { " pods" },
        " and has ",
        has,
        ", and nothing says what keeps the others from being made. "
    ];
    let evidence = Evidence {
        source: format!("Pods of {}", case.reference()),
        text: format!("{has} of {wanted}, and no refused creation"),
        at: None,
    };
    Ok(Some(Sign { sentence, evidence }))
}

/// A Job that nobody has started.
fn of_job(case: &Case<'_>, job: &Job) -> Result<Option<Sign>, Needs> {
    let spec = job.spec.as_ref();
    let managed = spec.and_then(|spec| spec.managed_by.as_deref());
    let own = managed.is_none_or(|by| by == "kubernetes.io/job-controller");
    let suspended = spec.and_then(|spec| spec.suspend) == Some(true);
    let status = job.status.as_ref();
    let begun = status.is_some_and(|status| status.start_time.is_some() || status.conditions.is_some());
    if !own || suspended || begun || !case.refusals()?.is_empty() {
        return Ok(None);
    }
    Ok(Some(Sign {
        sentence: text![subject(case), " was made, and no controller has started it: it has no startTime and no pod. "],
        evidence: case.field(".status", "no startTime"),
    }))
}

/// A Service whose endpoints stand still: they name pods that are gone, or miss pods that are ready.
///
/// # Errors
/// [`Needs`] where endpoints or pods have not been asked yet.
pub(crate) fn of_service(case: &Case<'_>) -> Result<Option<Sign>, Needs> {
    let Some(service) = case.subject_as::<Service>() else { return Ok(None) };
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.as_ref()).filter(|it| !it.is_empty());
    let Some(selector) = selector else { return Ok(None) };
    let labels = BTreeMap::from([("kubernetes.io/service-name".to_owned(), case.name().to_owned())]);
    let slices = case.list::<EndpointSlice>(case.namespace(), Filter::Labels(Selector::labels(&labels)));
    let pods = case.list::<Pod>(case.namespace(), Filter::Labels(Selector::labels(selector)))?;
    let (Read::Found(slices), Read::Found(pods)) = (slices?, pods) else { return Ok(None) };
    let named: BTreeSet<&str> = slices
        .iter()
        .flat_map(|slice| &slice.endpoints)
        .filter_map(|endpoint| {
            endpoint.target_ref.as_ref().filter(|it| it.kind.as_deref() == Some("Pod"))?.name.as_deref()
        })
        .collect();
    let there: BTreeSet<&str> = pods.iter().filter_map(|pod| pod.metadata.name.as_deref()).collect();
    let gone = named.iter().find(|name| !there.contains(**name));
    let missed = pods.iter().filter(|pod| pods::is_true(pod, "Ready") && pod.metadata.deletion_timestamp.is_none());
    let mut missed = missed.filter_map(|pod| pod.metadata.name.as_deref()).filter(|name| !named.contains(name));
    let (what, text) = match (gone, missed.next()) {
        (Some(gone), _) => (
            text!["an address of its is that of Pod ", name(*gone), ", which is gone"],
            format!("targetRef Pod {gone}, which does not exist"),
        ),
        (None, Some(missed)) => (
            text!["Pod ", name(missed), " is ready and not among its addresses"],
            format!("none for Pod {missed}, which is ready"),
        ),
        (None, None) => return Ok(None),
    };
    Ok(Some(Sign {
        sentence: text![subject(case), " is not kept up to date: ", what, ". "],
        evidence: Evidence { source: format!("EndpointSlices of {}", case.reference()), text, at: None },
    }))
}

fn subject(case: &Case<'_>) -> Text {
    text![case.object().kind().name(), " ", name(case.reference().path())]
}
