//! Other pods that a pod has to stand beside or away from: affinity, anti-affinity, spread, host ports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Pod, PodAffinityTerm};

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::pods;
use crate::reader::{Needs, Read, Reading};

/// Up to this many namespaces their pods are read one by one.
const FEW_NAMESPACES: usize = 4;

/// The required affinity terms of a pod.
pub(crate) fn affinity_terms(pod: &Pod) -> Vec<&PodAffinityTerm> {
    let affinity = pods::spec(pod).and_then(|spec| spec.affinity.as_ref()?.pod_affinity.as_ref());
    affinity
        .into_iter()
        .flat_map(|it| it.required_during_scheduling_ignored_during_execution.iter().flatten())
        .collect()
}

/// The required anti-affinity terms of a pod.
pub(crate) fn anti_affinity_terms(pod: &Pod) -> Vec<&PodAffinityTerm> {
    let affinity = pods::spec(pod).and_then(|spec| spec.affinity.as_ref()?.pod_anti_affinity.as_ref());
    affinity
        .into_iter()
        .flat_map(|it| it.required_during_scheduling_ignored_during_execution.iter().flatten())
        .collect()
}

/// What a term selects; no selector selects nothing.
pub(crate) fn selector(term: &PodAffinityTerm) -> Option<Selector> {
    term.label_selector.as_ref().map(Selector::from_api)
}

/// Tells whether a term of a pod in that namespace speaks of pods in the other namespace. What a namespaceSelector
/// selects stands in the labels of the namespace; where they cannot be read it may be any.
pub(crate) fn speaks_of(
    case: &Case<'_>,
    term: &PodAffinityTerm,
    own: Option<&str>,
    other: Option<&str>,
) -> Result<bool, Needs> {
    let listed = term.namespaces.as_deref().unwrap_or_default();
    if listed.iter().any(|namespace| Some(namespace.as_str()) == other) {
        return Ok(true);
    }
    let Some(wanted) = &term.namespace_selector else { return Ok(listed.is_empty() && own == other) };
    let wanted = Selector::from_api(wanted);
    let Some(other) = other.filter(|_| !wanted.is_empty()) else { return Ok(true) };
    Ok(match case.get::<Namespace>(None, other)? {
        Read::Found(namespace) => wanted.matches(namespace.metadata.labels.as_ref()),
        Read::Absent => false,
        Read::Unreadable => true,
    })
}

/// The namespaces that a term of this pod speaks of; `None` where it may be any.
fn namespaces(case: &Case<'_>, term: &PodAffinityTerm) -> Result<Option<BTreeSet<String>>, Needs> {
    let mut names: BTreeSet<String> = term.namespaces.iter().flatten().cloned().collect();
    let Some(wanted) = &term.namespace_selector else {
        if names.is_empty() {
            names.extend(case.namespace().map(str::to_owned));
        }
        return Ok(Some(names));
    };
    let wanted = Selector::from_api(wanted);
    if wanted.is_empty() {
        return Ok(None);
    }
    let Read::Found(selected) = case.list::<Namespace>(None, Filter::Labels(wanted))? else { return Ok(None) };
    names.extend(selected.iter().filter_map(|namespace| namespace.metadata.name.clone()));
    Ok(Some(names))
}

/// The pods that a term selects, bound or not; those of its own namespace where it names no other.
pub(crate) fn selected(case: &Case<'_>, term: &PodAffinityTerm) -> Reading<Vec<Arc<Pod>>> {
    let Some(selector) = selector(term) else { return Ok(Read::Found(Vec::new())) };
    let namespaces = namespaces(case, term)?;
    let Some(few) = namespaces.as_ref().filter(|names| names.len() <= FEW_NAMESPACES) else {
        return Ok(case.list::<Pod>(None, Filter::Scheduled)?.map(|pods| {
            let passes = |pod: &Arc<Pod>| {
                let here = pod.metadata.namespace.as_deref().unwrap_or_default();
                namespaces.as_ref().is_none_or(|names| names.contains(here))
                    && selector.matches(pod.metadata.labels.as_ref())
            };
            pods.into_iter().filter(passes).collect()
        }));
    };
    let reads: Vec<_> =
        few.iter().map(|namespace| case.list::<Pod>(Some(namespace), Filter::Labels(selector.clone()))).collect();
    let mut all = Vec::new();
    for read in reads {
        let Read::Found(pods) = read? else { return Ok(Read::Unreadable) };
        all.extend(pods);
    }
    Ok(Read::Found(all))
}

/// Tells whether two pods have the same controller, as replicas do.
pub(crate) fn are_siblings(a: &Pod, b: &Pod) -> bool {
    let controller = |pod: &Pod| {
        let owners = pod.metadata.owner_references.iter().flatten();
        owners
            .filter(|owner| owner.controller == Some(true))
            .map(|owner| (owner.kind.clone(), owner.name.clone()))
            .next()
    };
    let (a, b) = (controller(a), controller(b));
    a.is_some() && a == b
}

/// `namespace/name on node`, for evidence.
pub(crate) fn place(pod: &Pod) -> String {
    format!("{} on {}", path(pod), pods::node_name(pod).unwrap_or("no node"))
}

/// `namespace/name`.
pub(crate) fn path(pod: &Pod) -> String {
    let meta = &pod.metadata;
    format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

/// A host port that a pod takes: protocol, address, port.
pub(crate) type HostPort = (String, String, i32);

/// The host ports that a pod takes; a pod on the host's network takes all ports it declares.
pub(crate) fn host_ports(pod: &Pod) -> Vec<HostPort> {
    let on_host = pods::spec(pod).and_then(|spec| spec.host_network) == Some(true);
    let ports = pods::containers(pod).flat_map(|container| container.spec.ports.iter().flatten());
    ports
        .filter_map(|port| {
            let number = port.host_port.filter(|port| *port > 0).or_else(|| on_host.then_some(port.container_port))?;
            let address = port.host_ip.clone().filter(|it| !it.is_empty()).unwrap_or_else(|| "0.0.0.0".to_owned());
            Some((port.protocol.clone().unwrap_or_else(|| "TCP".to_owned()), address, number))
        })
        .collect()
}

/// Tells whether two pods cannot have these ports on one node.
pub(crate) fn collide(a: &HostPort, b: &HostPort) -> bool {
    let any = |address: &str| matches!(address, "0.0.0.0" | "::");
    a.2 == b.2 && a.0 == b.0 && (a.1 == b.1 || any(&a.1) || any(&b.1))
}

/// How many of these pods stand in each domain of a topology.
pub(crate) fn by_domain(pods: &[Arc<Pod>], domain_of: impl Fn(&str) -> Option<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for domain in pods.iter().filter_map(|pod| pods::occupies(pod)).filter_map(domain_of) {
        *counts.entry(domain).or_default() += 1;
    }
    counts
}

/// The pods that a `Needs`-free list gives, or none.
pub(crate) fn or_none(read: Reading<Vec<Arc<Pod>>>) -> Result<Vec<Arc<Pod>>, Needs> {
    Ok(read?.found().unwrap_or_default())
}
