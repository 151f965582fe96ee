//! Where network policies leave the traffic between a pod and a peer no way.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Namespace, Pod, Service};
use k8s_openapi::api::networking::v1::NetworkPolicy;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kubewhy_text::{Text, name, text};
use serde_json::{Value, json};

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::facts::peers::{Peer, Place};
use crate::facts::policies::{self, Closing, Direction, End, PodEnd, Port, Way};
use crate::facts::services::{self, Standing, State};
use crate::pods;
use crate::reader::{Needs, Read};

/// How many pods of a peer are looked at.
const SAMPLE: usize = 5;
/// Where the cluster's DNS is.
const DNS: (&str, &str) = ("kube-system", "kube-dns");

/// Traffic that no policy lets through.
#[derive(Clone, Debug)]
pub(crate) struct Loss {
    pub(crate) direction: Direction,
    pub(crate) closing: Vec<Closing>,
    /// The other end: `Service shop/db`, `the cluster's DNS`, `203.0.113.9`.
    pub(crate) peer: Text,
    pub(crate) port: Option<Port>,
    /// The rule that is lacking.
    pub(crate) rule: Value,
    /// Whether the policy has rules already.
    pub(crate) has_rules: bool,
}

/// Whether policies close the way to a peer that looks well.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn towards(case: &Case<'_>, peer: &Peer) -> Result<Option<Loss>, Needs> {
    match &peer.place {
        Place::Service(standing, _) if matches!(standing.state, State::Fine) => to_service(case, standing, peer.port),
        Place::Outside | Place::Private => {
            let ip = peer.host.as_ref().and_then(|host| host.parse::<IpAddr>().ok());
            let port = peer.port.map(|number| Port { number: i32::from(number), protocol: "TCP" });
            let other = End::Address { ip, may_be_pod: matches!(peer.place, Place::Private) };
            let shown = name(peer.address().unwrap_or_default());
            let to = match ip {
                Some(IpAddr::V4(ip)) => json!([{"ipBlock": {"cidr": format!("{ip}/32")}}]),
                Some(IpAddr::V6(ip)) => json!([{"ipBlock": {"cidr": format!("{ip}/128")}}]),
                None => json!([{"ipBlock": {"cidr": "0.0.0.0/0"}}]),
            };
            out(case, &[other], port.as_ref(), text![shown], &to)
        }
        _ => Ok(None),
    }
}

/// Whether policies close the way to the cluster's DNS, which looks well.
///
/// # Errors
/// [`Needs`] where something has not been asked yet.
pub(crate) fn towards_dns(case: &Case<'_>) -> Result<Option<Loss>, Needs> {
    let spec = case.pod().and_then(pods::spec);
    let asks_cluster = spec.is_some_and(|spec| match spec.dns_policy.as_deref() {
        Some("ClusterFirstWithHostNet") => true,
        Some("ClusterFirst") | None => spec.host_network != Some(true),
        _ => false,
    });
    if !asks_cluster {
        return Ok(None);
    }
    let (namespace, service) = DNS;
    let standing = services::standing(case, namespace, service, None)?;
    if standing.is_at_fault() {
        return Ok(None);
    }
    let labels = BTreeMap::from([("k8s-app".to_owned(), "kube-dns".to_owned())]);
    let listed = case.list::<Pod>(Some(namespace), Filter::Labels(Selector::labels(&labels)))?.found();
    let of_namespace = namespace_labels(case, namespace)?;
    let mut ends: Vec<End> = listed
        .iter()
        .flatten()
        .filter(|pod| pods::is_true(pod, "Ready"))
        .map(|pod| End::Pod(PodEnd::of(pod, of_namespace.clone())))
        .collect();
    if ends.is_empty() {
        let ports = vec![("dns".to_owned(), 53, "UDP".to_owned()), ("dns-tcp".to_owned(), 53, "TCP".to_owned())];
        let namespace = namespace.to_owned();
        ends.push(End::Pod(PodEnd { namespace, namespace_labels: of_namespace, labels, ports, on_host: false }));
    }
    let to = json!([{
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }]);
    let port = Port { number: 53, protocol: "UDP" };
    let loss = out(case, &ends, Some(&port), text!["the cluster's DNS"], &to)?;
    Ok(loss.map(|mut loss| {
        loss.rule = json!({"to": to, "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]});
        loss
    }))
}

/// The pod under examination as policies see it.
fn own(case: &Case<'_>) -> Result<Option<PodEnd>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    Ok(Some(PodEnd::of(pod, namespace_labels(case, case.namespace().unwrap_or_default())?)))
}

fn namespace_labels(case: &Case<'_>, namespace: &str) -> Result<Option<BTreeMap<String, String>>, Needs> {
    let read = case.get::<Namespace>(None, namespace)?.found();
    Ok(read.map(|it| it.metadata.labels.clone().unwrap_or_default()))
}

fn policies_of(case: &Case<'_>, namespace: &str) -> Result<Option<Vec<Arc<NetworkPolicy>>>, Needs> {
    Ok(case.list::<NetworkPolicy>(Some(namespace), Filter::All)?.found())
}

/// Whether the way out is closed to all of these.
fn out(case: &Case<'_>, ends: &[End], port: Option<&Port>, peer: Text, to: &Value) -> Result<Option<Loss>, Needs> {
    let Some(policies) = policies_of(case, case.namespace().unwrap_or_default())? else { return Ok(None) };
    if policies.is_empty() {
        return Ok(None);
    }
    let Some(own) = own(case)? else { return Ok(None) };
    let mut first = None;
    for end in ends {
        match policies::way(policies.iter().map(Arc::as_ref), &own, Direction::Egress, end, port) {
            Way::Closed(closing) => first = first.or(Some(closing)),
            Way::Open | Way::Unknown => return Ok(None),
        }
    }
    Ok(first.map(|closing| {
        let has_rules = has_rules(&policies, &closing, Direction::Egress);
        let rule = with_port(json!({"to": to}), port);
        Loss { direction: Direction::Egress, closing, peer, port: port.cloned(), rule, has_rules }
    }))
}

fn with_port(mut rule: Value, port: Option<&Port>) -> Value {
    if let (Some(port), Some(fields)) = (port, rule.as_object_mut()) {
        fields.insert("ports".to_owned(), json!([{"protocol": port.protocol, "port": port.number}]));
    }
    rule
}

/// The newest of them is the one that changed something.
pub(crate) fn newest(closing: &[Closing]) -> Option<&Closing> {
    closing.iter().max_by_key(|closing| closing.created)
}

fn has_rules(policies: &[Arc<NetworkPolicy>], closing: &[Closing], direction: Direction) -> bool {
    let Some(newest) = newest(closing) else { return false };
    policies
        .iter()
        .filter(|policy| policy.metadata.name.as_deref() == Some(newest.policy.name.as_str()))
        .filter_map(|policy| policy.spec.as_ref())
        .any(|spec| match direction {
            Direction::Ingress => spec.ingress.is_some(),
            Direction::Egress => spec.egress.is_some(),
        })
}

/// Whether the way to all pods of a Service is closed, on either side.
fn to_service(case: &Case<'_>, standing: &Standing, port: Option<u16>) -> Result<Option<Loss>, Needs> {
    let namespace = standing.service.namespace.clone().unwrap_or_default();
    let own_policies = policies_of(case, case.namespace().unwrap_or_default());
    let peer_policies = policies_of(case, &namespace);
    let (own_policies, peer_policies) = (own_policies?.unwrap_or_default(), peer_policies?.unwrap_or_default());
    if own_policies.is_empty() && peer_policies.is_empty() {
        return Ok(None);
    }
    let Read::Found(service) = case.get::<Service>(Some(&namespace), &standing.service.name)? else { return Ok(None) };
    let selector = service.spec.as_ref().and_then(|spec| spec.selector.clone()).filter(|it| !it.is_empty());
    let Some(selector) = selector else { return by_addresses(case, standing, port) };
    let shown = text!["Service ", name(standing.service.path())];
    let listed = case.list::<Pod>(Some(&namespace), Filter::Labels(Selector::labels(&selector)))?.found();
    let of_namespace = namespace_labels(case, &namespace)?;
    let Some(own) = own(case)? else { return Ok(None) };
    let mut lost: Option<Loss> = None;
    let ready = listed.iter().flatten().filter(|pod| pods::is_true(pod, "Ready"));
    for pod in ready.take(SAMPLE) {
        let target = target(&service, port, standing.headless, pod);
        let peer = PodEnd::of(pod, of_namespace.clone());
        let out = policies::way(
            own_policies.iter().map(Arc::as_ref),
            &own,
            Direction::Egress,
            &End::Pod(peer.clone()),
            target.as_ref(),
        );
        let into = policies::way(
            peer_policies.iter().map(Arc::as_ref),
            &peer,
            Direction::Ingress,
            &End::Pod(own.clone()),
            target.as_ref(),
        );
        let (direction, closing) = match (out, into) {
            (Way::Closed(closing), _) => (Direction::Egress, closing),
            (_, Way::Closed(closing)) => (Direction::Ingress, closing),
            _ => return Ok(None),
        };
        if lost.is_some() {
            continue;
        }
        let (side, labels, of) = match direction {
            Direction::Egress => ("to", selector.clone(), namespace.as_str()),
            Direction::Ingress => ("from", lasting(&own.labels), own.namespace.as_str()),
        };
        let end = end_rule(&labels, of, own.namespace != namespace);
        let rule = with_port(json!({side: [end]}), target.as_ref());
        let all = if direction == Direction::Egress { &own_policies } else { &peer_policies };
        let has_rules = has_rules(all, &closing, direction);
        lost = Some(Loss { direction, closing, peer: shown.clone(), port: target, rule, has_rules });
    }
    Ok(lost)
}

fn end_rule(labels: &BTreeMap<String, String>, namespace: &str, other_namespace: bool) -> Value {
    let pods = json!({"matchLabels": labels});
    if other_namespace {
        json!({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}, "podSelector": pods})
    } else {
        json!({"podSelector": pods})
    }
}

/// The labels that do not change with each revision or pod.
fn lasting(labels: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    const PASSING: &[&str] = &[
        "pod-template-hash",
        "controller-revision-hash",
        "statefulset.kubernetes.io/pod-name",
        "apps.kubernetes.io/pod-index",
        "pod-template-generation",
        "controller-uid",
        "batch.kubernetes.io/controller-uid",
    ];
    labels
        .iter()
        .filter(|(key, _)| !PASSING.contains(&key.as_str()))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// A Service without a selector: its endpoints are addresses, such as those of the API server.
fn by_addresses(case: &Case<'_>, standing: &Standing, port: Option<u16>) -> Result<Option<Loss>, Needs> {
    let namespace = standing.service.namespace.clone().unwrap_or_default();
    let slices = services::slices(case, &namespace, &standing.service.name)?.found().unwrap_or_default();
    let addresses: Vec<IpAddr> = slices
        .iter()
        .flat_map(|slice| &slice.endpoints)
        .flat_map(|endpoint| &endpoint.addresses)
        .filter_map(|address| address.parse().ok())
        .take(SAMPLE)
        .collect();
    if addresses.is_empty() {
        return Ok(None);
    }
    let number = slices.iter().flat_map(|slice| slice.ports.iter().flatten()).find_map(|port| port.port);
    let number = number.or(port.map(i32::from));
    let port = number.map(|number| Port { number, protocol: "TCP" });
    let blocks: Vec<Value> = addresses.iter().map(|ip| json!({"ipBlock": {"cidr": cidr(ip)}})).collect();
    let ends: Vec<End> = addresses.iter().map(|ip| End::Address { ip: Some(*ip), may_be_pod: false }).collect();
    let shown = text!["Service ", name(standing.service.path())];
    out(case, &ends, port.as_ref(), shown, &Value::Array(blocks))
}

fn cidr(ip: &IpAddr) -> String {
    let bits = if ip.is_ipv4() { 32 } else { 128 };
    format!("{ip}/{bits}")
}

/// The port of the pod that a port of the Service leads to.
fn target(service: &Service, port: Option<u16>, headless: bool, pod: &Pod) -> Option<Port> {
    let wanted = port.map(i32::from);
    let all = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
    if headless && let Some(number) = wanted {
        return Some(Port { number, protocol: "TCP" });
    }
    let mut fitting = all.filter(|port| wanted.is_none_or(|wanted| port.port == wanted));
    let found = fitting.next().filter(|_| wanted.is_some() || fitting.next().is_none())?;
    let protocol = if found.protocol.as_deref() == Some("UDP") { "UDP" } else { "TCP" };
    let number = match &found.target_port {
        Some(IntOrString::Int(number)) => *number,
        None => found.port,
        Some(IntOrString::String(name)) => {
            let declared = pods::containers(pod).flat_map(|container| container.spec.ports.iter().flatten());
            declared.filter(|port| port.name.as_deref() == Some(name)).map(|port| port.container_port).next()?
        }
    };
    Some(Port { number, protocol })
}
