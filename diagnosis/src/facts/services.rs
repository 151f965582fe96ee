//! How a Service stands: whether anybody answers behind it, and if not, why.

pub(crate) mod behind;
mod target;
mod trouble;
mod words;

use std::collections::BTreeMap;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Service;
use k8s_openapi::api::discovery::v1::{Endpoint, EndpointSlice};
use kubewhy_text::Text;

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::facts::peers::ClusterName;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::reader::{Needs, Read};

pub(crate) use target::{check_target, show_ports};
pub(crate) use trouble::trouble;

/// The label by which the slices of a Service are found.
pub(crate) const SERVICE_NAME: &str = "kubernetes.io/service-name";
/// How long the endpoints may trail behind the pods.
const TRAILS: SignedDuration = SignedDuration::from_secs(60);

/// How a Service stands.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) service: ObjectRef,
    pub(crate) state: State,
    /// Endpoints that are ready.
    pub(crate) ready: usize,
    /// It has no address of its own: names lead to its pods.
    pub(crate) headless: bool,
    pub(crate) evidence: Vec<Evidence>,
}

/// What is wrong with a Service, if anything.
#[derive(Clone, Debug)]
pub(crate) enum State {
    /// It could not be read.
    Unknown,
    /// There is none of that name; the nearest that there is.
    Missing(Option<String>),
    /// It has no such port; those that it has.
    WrongPort(u16, Vec<String>),
    /// It stands for a name outside the cluster.
    External(String),
    /// It stands for a name that leads nowhere, and why.
    Nowhere(String, Alias),
    /// It has no selector and no endpoints: nobody has written any.
    Handmade,
    /// It has no endpoints, and its pods could not be read.
    Hidden,
    /// Its selector, and a pod's label that is near to it.
    SelectsNothing(String, Option<String>),
    /// The workload behind it has no replicas.
    ScaledToZero(ObjectRef),
    /// The workload behind it wants pods and has none.
    NoPods(ObjectRef),
    /// Its pods are not ready: the first of them, its trouble, and how many there are.
    NotReady(Box<Trouble>),
    /// Its pods are all on their way out: one of them, and how many there are.
    Terminating(Box<Trouble>),
    /// Its pods have done their work and ended: one of them.
    Completed(ObjectRef),
    /// Its pods are ready, so many of them, and its endpoints do not know.
    Stale(usize),
    /// Its targetPort, which none of its pods declares, and the ports that they declare.
    WrongTarget(String, Vec<String>),
    /// Endpoints are ready.
    Fine,
}

/// Why a name that a Service stands for leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alias {
    /// It is the Service's own.
    Itself,
    /// It is of a Service of this cluster that does not exist.
    NoService(ObjectRef),
    /// It is an address, which no name server answers for.
    Address,
    /// There is none.
    Empty,
}

/// A pod behind a Service that does not answer.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    pub(crate) pod: ObjectRef,
    pub(crate) controller: Option<ObjectRef>,
    /// What ails it: `container main ends with exit code 1: "..."`.
    pub(crate) ails: Text,
    pub(crate) of: usize,
    /// Top controllers of further pods that are not ready.
    pub(crate) others: Vec<ObjectRef>,
    /// They have only just begun, and nothing is seen to ail them.
    pub(crate) starting: bool,
}

impl Trouble {
    /// What a person looks at: the controllers of the pods, else the pod itself.
    pub(crate) fn culprits(&self) -> Vec<ObjectRef> {
        let known = |it: &ObjectRef| Kind::from_name(&it.kind).is_some_and(|kind| kind != Kind::Node);
        let first = self.controller.clone().filter(known).unwrap_or_else(|| self.pod.clone());
        std::iter::once(first).chain(self.others.iter().filter(|it| known(it)).cloned()).collect()
    }
}

/// How the Service of that name stands, asked for that port.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn standing(
    case: &Case<'_>,
    namespace: &str,
    service_name: &str,
    port: Option<u16>,
) -> Result<Standing, Needs> {
    let reference = ObjectRef::new(Kind::Service, Some(namespace), service_name);
    let slices = slices(case, namespace, service_name);
    let service = case.get::<Service>(Some(namespace), service_name)?;
    let mut standing =
        Standing { service: reference, state: State::Unknown, ready: 0, headless: false, evidence: Vec::new() };
    let service = match service {
        Read::Found(service) => service,
        Read::Absent => {
            let others = case.list::<Service>(Some(namespace), Filter::All)?.found().unwrap_or_default();
            let names = others.iter().filter_map(|other| other.metadata.name.as_deref());
            standing.state = State::Missing(nearest(service_name, names));
            return Ok(standing);
        }
        Read::Unreadable => return Ok(standing),
    };
    let Some(spec) = service.spec.as_ref() else { return Ok(standing) };
    standing.headless = spec.cluster_ip.as_deref() == Some("None");
    if spec.type_.as_deref() == Some("ExternalName") {
        let outside = spec.external_name.clone().unwrap_or_default();
        let evidence = Evidence::field(&standing.service, ".spec.externalName", outside.clone());
        standing.state = match alias(case, namespace, service_name, &outside)? {
            Some(why) => State::Nowhere(outside, why),
            None => State::External(outside),
        };
        standing.evidence.push(evidence);
        return Ok(standing);
    }
    // The port of a headless Service binds nobody: its name leads to the pods themselves.
    if let Some(port) = port.filter(|_| !standing.headless)
        && spec.ports.iter().flatten().all(|has| has.port != i32::from(port))
    {
        let has = spec.ports.iter().flatten().map(|has| has.port.to_string()).collect();
        standing.evidence.push(Evidence::field(&standing.service, ".spec.ports", show_ports(&service)));
        standing.state = State::WrongPort(port, has);
        return Ok(standing);
    }
    let slices = slices?.found();
    let endpoints = slices.iter().flatten().flat_map(|slice| &slice.endpoints);
    standing.ready = endpoints.clone().filter(|endpoint| is_ready(endpoint)).count();
    if standing.ready > 0 || slices.is_none() {
        standing.state = if slices.is_none() { State::Unknown } else { State::Fine };
        return Ok(standing);
    }
    let unready = endpoints.count();
    standing.evidence.push(endpoints_evidence(&standing.service, unready));
    standing.state = match spec.selector.clone().filter(|selector| !selector.is_empty()) {
        None => State::Handmade,
        Some(selector) => behind::behind(case, namespace, &selector, &mut standing.evidence)?,
    };
    if let State::SelectsNothing(selector, _) = &standing.state {
        let evidence = Evidence::field(&standing.service, ".spec.selector", selector.clone());
        standing.evidence.push(evidence);
    }
    Ok(standing)
}

/// The endpoints of a Service, slice by slice.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn slices(
    case: &Case<'_>,
    namespace: &str,
    service_name: &str,
) -> Result<Read<Vec<std::sync::Arc<EndpointSlice>>>, Needs> {
    let labels = BTreeMap::from([(SERVICE_NAME.to_owned(), service_name.to_owned())]);
    case.list::<EndpointSlice>(Some(namespace), Filter::Labels(Selector::labels(&labels)))
}

/// Tells whether traffic goes to an endpoint; where nothing is said, it does.
pub(crate) fn is_ready(endpoint: &Endpoint) -> bool {
    endpoint.conditions.as_ref().is_none_or(|conditions| conditions.ready != Some(false))
}

/// Why the name that a Service stands for leads nowhere, where that can be seen.
fn alias(case: &Case<'_>, namespace: &str, service_name: &str, outside: &str) -> Result<Option<Alias>, Needs> {
    if outside.is_empty() {
        return Ok(Some(Alias::Empty));
    }
    if outside.parse::<std::net::IpAddr>().is_ok() {
        return Ok(Some(Alias::Address));
    }
    // A short name is not completed here: only a full one is surely of this cluster.
    if !outside.trim_end_matches('.').ends_with(".svc.cluster.local") {
        return Ok(None);
    }
    let Some(of) = ClusterName::parse(outside, namespace) else { return Ok(None) };
    if of.namespace == namespace && of.service == service_name {
        return Ok(Some(Alias::Itself));
    }
    let reference = ObjectRef::new(Kind::Service, Some(&of.namespace), &of.service);
    let absent = case.get::<Service>(Some(&of.namespace), &of.service)?.is_absent();
    Ok(absent.then_some(Alias::NoService(reference)))
}

fn endpoints_evidence(service: &ObjectRef, unready: usize) -> Evidence {
    let text = if unready == 0 { "no endpoints".to_owned() } else { format!("no ready endpoint, {unready} not ready") };
    Evidence { source: format!("EndpointSlices of {service}"), text, at: None }
}
