//! How an aggregated API stands, the metrics APIs above all: its registration, its Service, and who answers there.

mod scrape;

use std::collections::BTreeSet;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::core::v1::{Node, Pod, Service};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::{APIService, APIServiceCondition};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Workload};
use crate::facts::scaling::Family;
use crate::facts::services::{self, Standing, State as Behind};
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};

pub(crate) use scrape::{Scrape, scrape, scrape_behind};

/// An aggregated API.
#[derive(Clone, Debug)]
pub(crate) struct Api {
    /// Its `APIService`: `v1beta1.metrics.k8s.io`.
    pub(crate) reference: ObjectRef,
    pub(crate) state: State,
}

/// How it stands.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It could not be read, or nobody has looked at it yet.
    Unknown,
    /// It is not registered.
    Missing,
    /// It answers, or the API server serves it itself.
    Fine,
    /// It is registered and does not answer.
    Down(Box<Down>),
}

/// An aggregated API that does not answer.
#[derive(Clone, Debug)]
pub(crate) struct Down {
    /// The reason in one word: `MissingEndpoints`.
    pub(crate) reason: String,
    /// The API server's words.
    pub(crate) message: String,
    pub(crate) evidence: Evidence,
    pub(crate) since: Option<jiff::Timestamp>,
    /// The Service that should answer, and how it stands.
    pub(crate) behind: Option<Standing>,
    /// The workload whose pods should answer.
    pub(crate) workload: Option<ObjectRef>,
    /// The node that took all its pods with it.
    pub(crate) lost_node: Option<ObjectRef>,
    /// A workload of the Service's name is there, whatever the Service selects.
    installed: bool,
    /// The certificates are not checked.
    pub(crate) unchecked: bool,
}

impl Down {
    /// The workload behind it, where that wants no pods.
    pub(crate) fn scaled_to_zero(&self) -> Option<&ObjectRef> {
        match &self.behind.as_ref()?.state {
            Behind::ScaledToZero(workload) => Some(workload),
            _ => None,
        }
    }

    /// Tells whether what it is registered for is gone: its Service, or all that could answer there.
    pub(crate) fn is_left_over(&self) -> bool {
        let gone = |standing: &Standing| match &standing.state {
            Behind::Missing(_) => true,
            Behind::SelectsNothing(..) => self.workload.is_none(),
            _ => false,
        };
        if self.installed {
            return false;
        }
        self.reason == "ServiceNotFound" && self.behind.as_ref().is_none_or(|it| !it.is_at_fault() || gone(it))
            || self.behind.as_ref().is_some_and(gone)
    }

    /// Tells whether pods are what is lacking, not the way to them.
    pub(crate) fn lacks_pods(&self) -> bool {
        let state = self.behind.as_ref().map(|standing| &standing.state);
        self.lost_node.is_none()
            && matches!(state, Some(Behind::NotReady(_) | Behind::SelectsNothing(..) | Behind::Hidden))
            || state.is_none() && matches!(self.reason.as_str(), "MissingEndpoints" | "EndpointsNotFound")
    }
}

/// How the API of that name stands.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn of(case: &Case<'_>, name: &str) -> Result<Api, Needs> {
    let reference = ObjectRef::new(Kind::APIService, None, name);
    let state = match case.get::<APIService>(None, name)? {
        Read::Found(service) => state(case, &service)?,
        Read::Absent => State::Missing,
        Read::Unreadable => State::Unknown,
    };
    Ok(Api { reference, state })
}

/// How the API stands from which these figures come: of several versions, one that answers.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn of_family(case: &Case<'_>, family: Family) -> Result<Api, Needs> {
    let read: Vec<_> =
        family.versions().iter().map(|version| of(case, &format!("{version}.{}", family.group()))).collect();
    let mut apis = read.into_iter().collect::<Result<Vec<_>, _>>()?;
    let rank = |api: &Api| match api.state {
        State::Down(_) => 0,
        State::Fine => 1,
        State::Unknown => 2,
        State::Missing => 3,
    };
    apis.sort_by_key(rank);
    let usual = || ObjectRef::new(Kind::APIService, None, &format!("v1beta1.{}", family.group()));
    Ok(apis.into_iter().next().unwrap_or_else(|| Api { reference: usual(), state: State::Unknown }))
}

/// How a registered API stands.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn state(case: &Case<'_>, it: &APIService) -> Result<State, Needs> {
    let Some(condition) = available(it) else { return Ok(State::Unknown) };
    let local = it.spec.as_ref().is_some_and(|spec| spec.service.is_none())
        && condition.reason.as_deref().is_none_or(|reason| reason == "Local");
    if condition.status == "True" || local {
        return Ok(State::Fine);
    }
    let reference = ObjectRef::new(Kind::APIService, None, it.metadata.name.as_deref().unwrap_or_default());
    let (reason, message) =
        (condition.reason.clone().unwrap_or_default(), condition.message.clone().unwrap_or_default());
    let since = condition.last_transition_time.as_ref().map(|time| time.0);
    let text = format!("{}, {reason}: {message}", condition.status);
    let evidence = Evidence::field(&reference, ".status.conditions[Available]", text).at(since);
    let backend = backend(it).or_else(|| named_service(&message));
    let behind = match &backend {
        Some((namespace, service)) => {
            // Asked together: the workload mostly has the Service's name, and its pods' nodes are looked at too.
            let _ = case.get::<Deployment>(Some(namespace), service);
            let standing = services::standing(case, namespace, service, None);
            let _ = pods_behind(case, &ObjectRef::new(Kind::Service, Some(namespace), service))
                .and_then(|pods| silent_node(case, &pods));
            Some(standing?)
        }
        None => None,
    };
    let workload = match &behind {
        Some(standing) => workload_behind(case, standing)?,
        None => None,
    };
    let lost_node = match &behind {
        Some(standing) => lost_node(case, standing)?,
        None => None,
    };
    let installed = match &behind {
        Some(standing) => is_installed(case, standing)?,
        None => false,
    };
    let unchecked = it.spec.as_ref().is_some_and(|spec| spec.insecure_skip_tls_verify == Some(true));
    Ok(State::Down(Box::new(Down {
        reason,
        message,
        evidence,
        since,
        behind,
        workload,
        lost_node,
        installed,
        unchecked,
    })))
}

fn available(it: &APIService) -> Option<&APIServiceCondition> {
    let conditions = it.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Available")
}

fn backend(it: &APIService) -> Option<(String, String)> {
    let service = it.spec.as_ref()?.service.as_ref()?;
    Some((service.namespace.clone()?, service.name.clone()?))
}

/// `service/metrics-server in "kube-system" is not present`
fn named_service(message: &str) -> Option<(String, String)> {
    let (_, rest) = message.split_once("service/")?;
    let (service, rest) = rest.split_once(" in \"")?;
    let (namespace, _) = rest.split_once('"')?;
    Some((namespace.to_owned(), service.to_owned()))
}

fn workload_behind(case: &Case<'_>, standing: &Standing) -> Result<Option<ObjectRef>, Needs> {
    match &standing.state {
        Behind::ScaledToZero(workload) => Ok(Some(workload.clone())),
        Behind::NotReady(trouble) => Ok(Some(trouble.controller.clone().unwrap_or_else(|| trouble.pod.clone()))),
        Behind::SelectsNothing(..) => selected(case, &standing.service),
        _ => Ok(None),
    }
}

/// The silent node on which all pods behind a Service are that were bound to any.
fn lost_node(case: &Case<'_>, standing: &Standing) -> Result<Option<ObjectRef>, Needs> {
    if !matches!(standing.state, Behind::NotReady(_)) {
        return Ok(None);
    }
    silent_node(case, &pods_behind(case, &standing.service)?)
}

fn pods_behind(case: &Case<'_>, service: &ObjectRef) -> Result<Vec<Arc<Pod>>, Needs> {
    let Some(selector) = selector(case, service)? else { return Ok(Vec::new()) };
    let found = case.list::<Pod>(service.namespace.as_deref(), Filter::Labels(selector))?.found();
    Ok(found.unwrap_or_default())
}

/// How many nodes are looked at for some pods.
const HOSTS: usize = 4;

/// The first of the nodes that these pods are bound to, where none of them is ready.
///
/// # Errors
/// [`Needs`] where one has not been asked yet.
pub(crate) fn silent_node(case: &Case<'_>, pods: &[Arc<Pod>]) -> Result<Option<ObjectRef>, Needs> {
    let hosts: BTreeSet<&str> = pods.iter().filter_map(|pod| pods::node_name(pod)).collect();
    let read: Vec<_> = hosts.iter().take(HOSTS).map(|host| (host, case.get::<Node>(None, host))).collect();
    let mut silent = None;
    for (host, node) in read {
        if !node?.found().is_some_and(|node| is_unready(&node)) {
            return Ok(None);
        }
        silent.get_or_insert_with(|| ObjectRef::new(Kind::Node, None, host));
    }
    Ok(silent)
}

fn is_unready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.type_ == "Ready").any(|condition| condition.status != "True")
}

/// Tells whether a Deployment of the Service's name is there although the Service does not lead to it.
fn is_installed(case: &Case<'_>, standing: &Standing) -> Result<bool, Needs> {
    if !matches!(standing.state, Behind::Missing(_) | Behind::SelectsNothing(..)) {
        return Ok(false);
    }
    let service = &standing.service;
    Ok(case.get::<Deployment>(service.namespace.as_deref(), &service.name)?.found().is_some())
}

/// The workload that should have pods for a Service and has none.
fn selected(case: &Case<'_>, service: &ObjectRef) -> Result<Option<ObjectRef>, Needs> {
    let namespace = service.namespace.as_deref();
    let Some(selector) = selector(case, service)? else { return Ok(None) };
    let deployments = case.list::<Deployment>(namespace, Filter::All);
    let sets = case.list::<StatefulSet>(namespace, Filter::All);
    let deployments = deployments?.found().unwrap_or_default().into_iter().map(Workload::Deployment);
    let sets = sets?.found().unwrap_or_default().into_iter().map(Workload::StatefulSet);
    let found = deployments.chain(sets).find(|workload| {
        let meta = workload.template().and_then(|template| template.metadata.as_ref());
        selector.matches(meta.and_then(|meta| meta.labels.as_ref()))
    });
    Ok(found.map(|workload| {
        let object = workload.object();
        ObjectRef::new(object.kind(), object.namespace(), object.name())
    }))
}

fn selector(case: &Case<'_>, service: &ObjectRef) -> Result<Option<Selector>, Needs> {
    let service = case.get::<Service>(service.namespace.as_deref(), &service.name)?.found();
    let labels = service.as_ref().and_then(|service| service.spec.as_ref()?.selector.as_ref());
    Ok(labels.map(Selector::labels).filter(|selector| !selector.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_service_is_read_from_the_words_too() {
        let message =
            r#"endpoints for service/metrics-server in "kube-system" have no addresses with port name "https""#;
        let named = named_service(message);
        assert_eq!(named, Some(("kube-system".to_owned(), "metrics-server".to_owned())));
        assert_eq!(named_service("failing or missing response from https://10.0.0.1"), None);
    }
}
