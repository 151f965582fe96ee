//! Names that a container could not resolve: its own settings, the cluster's DNS, or the name itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::facts::peers::ClusterName;
use crate::facts::services::{self, Standing, State};
use crate::finding::ObjectRef;
use crate::kind::{Kind, Object};
use crate::parse::log::DnsAnswer;
use crate::pods;
use crate::reader::Needs;

/// Where the Service of the cluster's DNS is found: namespace, name.
const DNS_SERVICES: &[(&str, &str)] = &[("kube-system", "kube-dns"), ("openshift-dns", "dns-default")];

/// Why a name was not resolved.
#[derive(Clone, Debug)]
pub(crate) enum Why {
    /// The pod asks a name server that knows no Services; the Service it wants exists.
    Policy(Policy, Box<Standing>),
    /// The cluster's DNS has nobody who answers.
    DnsDown(Box<Dns>),
    /// The name itself, or nothing that can be seen.
    Name,
}

/// How a pod's settings keep it from the cluster's DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    /// `dnsPolicy: Default`.
    Default,
    /// `dnsPolicy: None` without a name server of the cluster.
    None,
    /// hostNetwork with `ClusterFirst`, which then means Default.
    HostNetwork,
}

/// The cluster's DNS, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Dns {
    pub(crate) standing: Standing,
    /// The workload behind it, else its Service.
    pub(crate) root: ObjectRef,
}

/// Sorts out why a name was not resolved.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn why(case: &Case<'_>, host: &str, answer: DnsAnswer) -> Result<Why, Needs> {
    let Some(pod) = case.pod() else { return Ok(Why::Name) };
    let cluster_name = ClusterName::parse(host, case.namespace().unwrap_or_default());
    if let (Some(policy), Some(wanted)) = (policy(pod), &cluster_name) {
        let standing = services::standing(case, &wanted.namespace, &wanted.service, None)?;
        if !matches!(standing.state, State::Missing(_) | State::Unknown) {
            return Ok(Why::Policy(policy, Box::new(standing)));
        }
    }
    // A pod that does not ask the cluster's DNS is not hurt by it; one that got "no such name" was answered.
    if answer == DnsAnswer::NoSuchName || policy(pod).is_some() {
        return Ok(Why::Name);
    }
    Ok(dns(case)?.map_or(Why::Name, |dns| Why::DnsDown(Box::new(dns))))
}

fn policy(pod: &Pod) -> Option<Policy> {
    let spec = pods::spec(pod)?;
    match spec.dns_policy.as_deref() {
        Some("Default") => Some(Policy::Default),
        Some("None") => Some(Policy::None),
        Some("ClusterFirst") | None if spec.host_network == Some(true) => Some(Policy::HostNetwork),
        _ => None,
    }
}

/// The cluster's DNS where it is seen to be down.
fn dns(case: &Case<'_>) -> Result<Option<Dns>, Needs> {
    for (namespace, service) in DNS_SERVICES {
        // Its pods are needed if it is down, which is likely: asked together with the Service.
        let _ = case.list::<Pod>(Some(namespace), Filter::Labels(dns_pods()));
        let standing = services::standing(case, namespace, service, None)?;
        if matches!(standing.state, State::Missing(_) | State::Unknown) {
            continue;
        }
        if !standing.is_at_fault() {
            return Ok(None);
        }
        let root = root(case, &standing)?;
        return Ok(Some(Dns { standing, root }));
    }
    Ok(None)
}

fn dns_pods() -> Selector {
    Selector::labels(&BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]))
}

fn root(case: &Case<'_>, standing: &Standing) -> Result<ObjectRef, Needs> {
    match &standing.state {
        State::NotReady(trouble) => Ok(trouble.controller.clone().unwrap_or_else(|| trouble.pod.clone())),
        State::ScaledToZero(workload) => Ok(workload.clone()),
        State::Hidden | State::SelectsNothing(..) => {
            let namespace = standing.service.namespace.as_deref();
            let pods = case.list::<Pod>(namespace, Filter::Labels(dns_pods()))?.found().unwrap_or_default();
            let controller = match pods.first() {
                Some(pod) => case.controllers(&Object::Pod(Arc::clone(pod)))?.pop(),
                None => None,
            };
            Ok(controller.unwrap_or_else(|| ObjectRef::new(Kind::Deployment, namespace, "coredns")))
        }
        _ => Ok(standing.service.clone()),
    }
}
