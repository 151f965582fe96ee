//! What network policies let through: the union of the rules of all that select a pod.
//!
//! Everything is worked out with three values, since a policy may speak of what was not read: only what is surely closed
//! is told.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::networking::v1::{IPBlock, NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::ask::{Requirement, Selector};
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::pods;

/// The label that every namespace carries: its name.
const NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Which way the traffic goes, seen from the pod that a policy selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Into the pod.
    Ingress,
    /// Out of the pod.
    Egress,
}

impl Direction {
    /// As policies name it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ingress => "Ingress",
            Self::Egress => "Egress",
        }
    }
}

/// One end of a connection.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// A pod.
    Pod(PodEnd),
    /// Something outside, or of which only the address is known: it may be a pod's then.
    Address { ip: Option<IpAddr>, may_be_pod: bool },
}

/// A pod as policies see it.
#[derive(Clone, Debug, Default)]
pub(crate) struct PodEnd {
    pub(crate) namespace: String,
    /// The namespace's labels; `None` where they were not read.
    pub(crate) namespace_labels: Option<BTreeMap<String, String>>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Ports by their names.
    pub(crate) ports: Vec<(String, i32, String)>,
    /// It has the node's address: policies do not select it.
    pub(crate) on_host: bool,
}

impl PodEnd {
    /// That pod; labels of its namespace are added where they were read.
    pub(crate) fn of(pod: &Pod, namespace_labels: Option<BTreeMap<String, String>>) -> Self {
        let ports = pods::containers(pod)
            .flat_map(|container| container.spec.ports.iter().flatten())
            .filter_map(|port| {
                let protocol = port.protocol.clone().unwrap_or_else(|| "TCP".to_owned());
                port.name.clone().map(|name| (name, port.container_port, protocol))
            })
            .collect();
        Self {
            namespace: pod.metadata.namespace.clone().unwrap_or_default(),
            namespace_labels,
            labels: pod.metadata.labels.clone().unwrap_or_default(),
            ports,
            on_host: pods::spec(pod).and_then(|spec| spec.host_network) == Some(true),
        }
    }
}

/// The port of the pod that is connected to, and its protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Port {
    pub(crate) number: i32,
    pub(crate) protocol: &'static str,
}

/// Whether there is a way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// No policy selects the pod, or a rule lets it through.
    Open,
    /// What was read does not decide it.
    Unknown,
    /// Policies select the pod, and no rule of them lets it through.
    Closed(Vec<Closing>),
}

/// A policy that selects the pod and has no rule that lets the traffic through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closing {
    pub(crate) policy: ObjectRef,
    pub(crate) created: Option<Timestamp>,
    pub(crate) lacks: Lack,
}

/// What a policy lacks for the traffic to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// It has no rule at all: it denies everything.
    Everything,
    /// A rule lets the other end through, at other ports.
    ThePort,
    /// Rules let others through.
    TheEnd,
}

/// Yes, no, or not decided by what was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Truth {
    No,
    Unknown,
    Yes,
}

impl From<bool> for Truth {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}

/// Whether policies of the pod's namespace leave a way between it and the other end, in that direction. `port` is that of
/// the end that is connected to; `None` where it is not known.
pub(crate) fn way<'p>(
    policies: impl IntoIterator<Item = &'p NetworkPolicy>,
    of: &PodEnd,
    direction: Direction,
    other: &End,
    port: Option<&Port>,
) -> Way {
    if of.on_host {
        return Way::Open;
    }
    let mut closing = Vec::new();
    let mut best = Truth::No;
    for policy in policies.into_iter().filter(|policy| selects(policy, of, direction)) {
        let mut lacks = Lack::Everything;
        for (peers, ports) in rules(policy, direction) {
            let namespace = policy.metadata.namespace.as_deref().unwrap_or_default();
            let end = allows_end(peers, namespace, other);
            let named = match direction {
                Direction::Ingress => Some(of),
                Direction::Egress => {
                    if let End::Pod(pod) = other {
                        Some(pod)
                    } else {
                        None
                    }
                }
            };
            let at = allows_port(ports, named, port);
            best = best.max(end.min(at));
            if end == Truth::Yes {
                lacks = Lack::ThePort;
            } else if lacks == Lack::Everything {
                lacks = Lack::TheEnd;
            }
        }
        closing.push(Closing {
            policy: ObjectRef::new(
                Kind::NetworkPolicy,
                policy.metadata.namespace.as_deref(),
                policy.metadata.name.as_deref().unwrap_or_default(),
            ),
            created: policy.metadata.creation_timestamp.as_ref().map(|time| time.0),
            lacks,
        });
    }
    match best {
        _ if closing.is_empty() => Way::Open,
        Truth::Yes => Way::Open,
        Truth::Unknown => Way::Unknown,
        Truth::No => Way::Closed(closing),
    }
}

/// Tells whether a policy selects a pod for that direction.
pub(crate) fn selects(policy: &NetworkPolicy, pod: &PodEnd, direction: Direction) -> bool {
    let Some(spec) = policy.spec.as_ref().filter(|_| policy.metadata.deletion_timestamp.is_none()) else {
        return false;
    };
    let types = spec.policy_types.as_deref().filter(|types| !types.is_empty());
    let concerned = match (types, direction) {
        (Some(types), direction) => types.iter().any(|type_| type_ == direction.name()),
        (None, Direction::Ingress) => true,
        (None, Direction::Egress) => spec.egress.is_some(),
    };
    let selector = spec.pod_selector.as_ref().map(Selector::from_api).unwrap_or_default();
    let same = policy.metadata.namespace.as_deref() == Some(pod.namespace.as_str());
    concerned && same && selector.matches(Some(&pod.labels))
}

type Rule<'p> = (&'p [NetworkPolicyPeer], &'p [NetworkPolicyPort]);

fn rules(policy: &NetworkPolicy, direction: Direction) -> Vec<Rule<'_>> {
    let Some(spec) = policy.spec.as_ref() else { return Vec::new() };
    match direction {
        Direction::Ingress => spec
            .ingress
            .iter()
            .flatten()
            .map(|rule| (rule.from.as_deref().unwrap_or_default(), rule.ports.as_deref().unwrap_or_default()))
            .collect(),
        Direction::Egress => spec
            .egress
            .iter()
            .flatten()
            .map(|rule| (rule.to.as_deref().unwrap_or_default(), rule.ports.as_deref().unwrap_or_default()))
            .collect(),
    }
}

/// An empty list lets everybody through.
fn allows_end(peers: &[NetworkPolicyPeer], namespace: &str, other: &End) -> Truth {
    if peers.is_empty() {
        return Truth::Yes;
    }
    peers.iter().map(|peer| is_meant(peer, namespace, other)).max().unwrap_or(Truth::No)
}

fn is_meant(peer: &NetworkPolicyPeer, namespace: &str, other: &End) -> Truth {
    match (&peer.ip_block, other) {
        (Some(block), End::Address { ip: Some(ip), .. }) => holds(block, *ip),
        // Without the address only a block of everything is decided.
        (Some(block), End::Address { ip: None, .. }) if is_everything(block) => Truth::Yes,
        // Whether a block counts for pods is the network plugin's choice.
        (Some(_), _) => Truth::Unknown,
        (None, End::Address { may_be_pod, .. }) => {
            if *may_be_pod {
                Truth::Unknown
            } else {
                Truth::No
            }
        }
        (None, End::Pod(pod)) => {
            let of_namespace = match &peer.namespace_selector {
                Some(selector) => in_namespace(selector, pod),
                None => Truth::from(pod.namespace == namespace),
            };
            let of_pod = peer.pod_selector.as_ref().map(Selector::from_api).unwrap_or_default();
            let meant = of_namespace.min(Truth::from(of_pod.matches(Some(&pod.labels))));
            // A pod on its host's network is mostly seen as its node.
            if pod.on_host { Truth::Unknown } else { meant }
        }
    }
}

fn in_namespace(selector: &LabelSelector, pod: &PodEnd) -> Truth {
    let selector = Selector::from_api(selector);
    if let Some(labels) = &pod.namespace_labels {
        let mut labels = labels.clone();
        labels.entry(NAME_LABEL.to_owned()).or_insert_with(|| pod.namespace.clone());
        return Truth::from(selector.matches(Some(&labels)));
    }
    let known = BTreeMap::from([(NAME_LABEL.to_owned(), pod.namespace.clone())]);
    let by_name = |requirement: &Requirement| match requirement {
        Requirement::Equals(key, _)
        | Requirement::In(key, _)
        | Requirement::NotIn(key, _)
        | Requirement::Exists(key)
        | Requirement::Missing(key) => key == NAME_LABEL,
    };
    let name_alone = selector.requirements().iter().all(by_name);
    if name_alone { Truth::from(selector.matches(Some(&known))) } else { Truth::Unknown }
}

fn allows_port(ports: &[NetworkPolicyPort], named: Option<&PodEnd>, port: Option<&Port>) -> Truth {
    if ports.is_empty() {
        return Truth::Yes;
    }
    let Some(port) = port else { return Truth::Unknown };
    ports.iter().map(|allowed| is_port(allowed, named, port)).max().unwrap_or(Truth::No)
}

fn is_port(allowed: &NetworkPolicyPort, named: Option<&PodEnd>, port: &Port) -> Truth {
    if allowed.protocol.as_deref().unwrap_or("TCP") != port.protocol {
        return Truth::No;
    }
    match &allowed.port {
        None => Truth::Yes,
        Some(IntOrString::Int(from)) => {
            let to = allowed.end_port.unwrap_or(*from);
            Truth::from((*from..=to).contains(&port.number))
        }
        Some(IntOrString::String(name)) => match named {
            Some(pod) => Truth::from(
                pod.ports
                    .iter()
                    .any(|(has, number, protocol)| has == name && *number == port.number && protocol == port.protocol),
            ),
            None => Truth::Unknown,
        },
    }
}

fn is_everything(block: &IPBlock) -> bool {
    matches!(block.cidr.as_str(), "0.0.0.0/0" | "::/0") && block.except.as_ref().is_none_or(Vec::is_empty)
}

fn holds(block: &IPBlock, ip: IpAddr) -> Truth {
    let excepted = block.except.iter().flatten().any(|cidr| contains(cidr, ip) != Some(false));
    match contains(&block.cidr, ip) {
        Some(true) if excepted => Truth::No,
        Some(held) => Truth::from(held),
        None => Truth::Unknown,
    }
}

/// Tells whether a range like `10.0.0.0/8` holds an address; `None` where it is no range.
fn contains(cidr: &str, ip: IpAddr) -> Option<bool> {
    let (base, bits) = cidr.split_once('/')?;
    let bits: u32 = bits.parse().ok()?;
    match (base.parse::<IpAddr>().ok()?, ip) {
        (IpAddr::V4(base), IpAddr::V4(ip)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            Some(u32::from(base) & mask == u32::from(ip) & mask)
        }
        (IpAddr::V6(base), IpAddr::V6(ip)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            Some(u128::from(base) & mask == u128::from(ip) & mask)
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
