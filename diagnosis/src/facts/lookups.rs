//! Names that a container could not resolve: its own settings, the cluster's DNS, or the name itself.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Pod, Service};
use kubewhy_text::text;

use crate::ask::Filter;
use crate::case::Case;
use crate::facts::name_service::{self, Complaint};
use crate::facts::peers::ClusterName;
use crate::facts::service_proxy::{self, Fault};
use crate::facts::services::{self, Standing, State};
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::{Kind, Object};
use crate::parse::log::DnsAnswer;
use crate::pods::{self, Role};
use crate::reader::Needs;

/// Where the Service of the cluster's DNS is found: namespace, name.
const DNS_SERVICES: &[(&str, &str)] = &[("kube-system", "kube-dns"), ("openshift-dns", "dns-default")];

/// How long a program runs before it counts as well again.
const WELL_FOR: SignedDuration = SignedDuration::from_mins(2);

/// Why a name was not resolved.
#[derive(Clone, Debug)]
pub(crate) enum Why {
    /// The pod asks a name server that knows no Services; the Service it wants exists.
    Policy(Policy, Box<Standing>),
    /// The cluster's DNS has nobody who answers.
    DnsDown(Box<Dns>),
    /// The cluster's DNS runs and says what keeps it from answering.
    Complains(Box<Dns>, Complaint, Evidence),
    /// The DNS cache of the pod's node is down: its pod.
    Cache(ObjectRef),
    /// DNS is well, and kube-proxy on the pod's node does not lead to it.
    Proxy(Box<Fault>),
    /// DNS is well, and kube-proxy on the pod's node cannot forget pods that are gone.
    Conntrack(Box<Fault>),
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

/// The cluster's DNS.
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
    // A pod that does not ask the cluster's DNS is not hurt by it, and DNS itself asks others.
    if policy(pod).is_some() || name_service::is_dns_pod(pod) {
        return Ok(Why::Name);
    }
    let exists = match (&cluster_name, answer) {
        (_, DnsAnswer::NoAnswer) => false,
        (Some(wanted), DnsAnswer::NoSuchName) if wanted.pod.is_none() => {
            let standing = services::standing(case, &wanted.namespace, &wanted.service, None)?;
            !standing.headless && !matches!(standing.state, State::Missing(_) | State::Unknown | State::External(_))
        }
        (_, DnsAnswer::NoSuchName) => return Ok(Why::Name),
    };
    // Who got "no such name" was answered, unless the name is there and should have resolved: some clients say the same
    // of silence.
    if answer == DnsAnswer::NoSuchName && !exists {
        return Ok(Why::Name);
    }
    let inside = cluster_name.as_ref().is_some_and(|it| !it.may_be_outside());
    match dns(case)? {
        Some(dns) if dns.standing.is_at_fault() => Ok(Why::DnsDown(Box::new(dns))),
        Some(dns) => of_running(case, host, inside, answer, dns),
        None => Ok(Why::Name),
    }
}

/// What keeps a DNS from answering that has ready endpoints.
fn of_running(case: &Case<'_>, host: &str, inside: bool, answer: DnsAnswer, dns: Dns) -> Result<Why, Needs> {
    let namespace = dns.standing.service.namespace.clone().unwrap_or_default();
    // The log of DNS has no times: who has been well for a while was not kept from names by what it says last.
    let over = case.pod().is_some_and(|pod| is_well_again(pod, case.now()));
    let is_of_now = |said: &(Complaint, Evidence)| !(over && matches!(said.0, Complaint::Api));
    let said = name_service::complaint(case, &namespace, host).map(|said| said.filter(is_of_now));
    if answer == DnsAnswer::NoSuchName {
        let said = said?.filter(|(complaint, _)| !matches!(complaint, Complaint::Upstream(_)));
        return Ok(said.map_or(Why::Name, |(complaint, line)| Why::Complains(Box::new(dns), complaint, line)));
    }
    // Asked together.
    let proxy = service_proxy::down_beside(case);
    let conntrack = service_proxy::lacks_conntrack(case);
    let cache = name_service::cache_down_beside(case);
    let said = said?.filter(|(complaint, _)| !(inside && matches!(complaint, Complaint::Upstream(_))));
    if let Some((complaint, line)) = said {
        return Ok(Why::Complains(Box::new(dns), complaint, line));
    }
    if let Some(pod) = cache? {
        return Ok(Why::Cache(pod));
    }
    if let Some(fault) = proxy? {
        return Ok(Why::Proxy(Box::new(fault)));
    }
    Ok(conntrack?.map_or(Why::Name, |fault| Why::Conntrack(Box::new(fault))))
}

/// Every container of the pod is ready, and has been running for some minutes.
fn is_well_again(pod: &Pod, now: Timestamp) -> bool {
    let mut main = pods::containers(pod).filter(|container| container.role == Role::Main);
    main.all(|container| {
        let since = container.running().and_then(|running| running.started_at.as_ref());
        container.is_ready() && since.is_some_and(|since| now.duration_since(since.0) > WELL_FOR)
    })
}

/// The step that shows whether the cluster's DNS answers at all, from where it is asked.
pub(crate) fn ask_it(case: &Case<'_>, host: Option<&str>) -> Fix {
    let host = host.unwrap_or("kubernetes.default");
    Fix::safe(text!["see whether the cluster's DNS answers from there, and whether all its pods do"])
        .command(case.kubectl(["run", "dns-test", "--rm", "-it", "--image=busybox", "--", "nslookup", host]))
        .command(case.kubectl_in("kube-system", ["get", "pods", "-l", "k8s-app=kube-dns", "-o", "wide"]))
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

/// The cluster's DNS with its address, where a log names that address as the name server that did not answer:
/// `lookup db on 10.96.0.10:53: ... i/o timeout`.
///
/// # Errors
/// [`Needs`] where its Service has not been asked yet.
pub(crate) fn silent(case: &Case<'_>, line: &str) -> Result<Option<(Dns, String)>, Needs> {
    let Some(dns) = dns(case)?.filter(|dns| !dns.standing.is_at_fault()) else { return Ok(None) };
    let service = case.get::<Service>(dns.standing.service.namespace.as_deref(), &dns.standing.service.name)?.found();
    let address = service.and_then(|service| service.spec.as_ref()?.cluster_ip.clone());
    let named =
        |address: &String| line.contains(&format!(" on {address}:53")) || line.contains(&format!(">{address}:53"));
    Ok(address.filter(|address| address != "None" && named(address)).map(|address| (dns, address)))
}

/// The cluster's DNS: its Service and what stands behind it; none where its Service cannot be found.
fn dns(case: &Case<'_>) -> Result<Option<Dns>, Needs> {
    for (namespace, service) in DNS_SERVICES {
        // Its pods are needed if it is down, which is likely: asked together with the Service.
        let _ = case.list::<Pod>(Some(namespace), Filter::Labels(name_service::labels()));
        let standing = services::standing(case, namespace, service, None)?;
        let standing = match standing.state {
            State::Missing(_) => match labelled(case, namespace)? {
                Some(other) => services::standing(case, namespace, &other, None)?,
                None => continue,
            },
            _ => standing,
        };
        if matches!(standing.state, State::Missing(_) | State::Unknown) {
            continue;
        }
        let root = root(case, &standing)?;
        return Ok(Some(Dns { standing, root }));
    }
    Ok(None)
}

/// The Service of a DNS that goes by another name: `rke2-coredns-rke2-coredns`.
fn labelled(case: &Case<'_>, namespace: &str) -> Result<Option<String>, Needs> {
    let all = case.list::<Service>(Some(namespace), Filter::All)?.found().unwrap_or_default();
    let is_dns = |service: &&Arc<Service>| {
        let label = service.metadata.labels.as_ref().and_then(|labels| labels.get("k8s-app"));
        let ports = service.spec.iter().flat_map(|spec| spec.ports.iter().flatten());
        label.is_some_and(|label| label == "kube-dns") && ports.clone().any(|port| port.port == 53)
    };
    Ok(all.iter().find(is_dns).and_then(|service| service.metadata.name.clone()))
}

fn root(case: &Case<'_>, standing: &Standing) -> Result<ObjectRef, Needs> {
    match &standing.state {
        State::NotReady(trouble) => Ok(trouble.controller.clone().unwrap_or_else(|| trouble.pod.clone())),
        State::ScaledToZero(workload) => Ok(workload.clone()),
        State::Hidden | State::SelectsNothing(..) | State::Fine => {
            let namespace = standing.service.namespace.as_deref();
            let pods = case.list::<Pod>(namespace, Filter::Labels(name_service::labels()))?.found().unwrap_or_default();
            let controller = match pods.first() {
                Some(pod) => case.controllers(&Object::Pod(Arc::clone(pod)))?.pop(),
                None => None,
            };
            Ok(controller.unwrap_or_else(|| ObjectRef::new(Kind::Deployment, namespace, "coredns")))
        }
        _ => Ok(standing.service.clone()),
    }
}
