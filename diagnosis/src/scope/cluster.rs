//! The cluster: its control plane, its nodes, and the add-ons that everybody needs.
//!
//! One look at each of them; only what is not well is asked further.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use kubewhy_text::{Text, code, name, text};

use super::{NoScope, Scope, alone, is_satisfied};
use crate::ask::Filter;
use crate::case::{Subject, Workload};
use crate::facts::control_plane::{self, Component, NAMESPACE};
use crate::facts::{guards, name_service, node_state, service_proxy};
use crate::health::Cluster;
use crate::kind::Object;
use crate::pods;
use crate::reader::{Needs, Read, Reader};
use crate::report::Status;
use crate::triage::{PodDigest, Triage, triage};

/// How many kinds of nodes in trouble are looked at; what fails alike is looked at once.
const NODES: usize = 3;
/// How many workloads of the system.
const WORKLOADS: usize = 4;
/// How many APIs, webhooks and pods of the control plane.
const OTHERS: usize = 3;
/// How long a node or a request may be on its way.
const YOUNG: SignedDuration = SignedDuration::from_mins(3);
/// How long an add-on may.
const JUST_MADE: SignedDuration = SignedDuration::from_mins(1);

/// What one look shows, before anything is asked further.
struct Looks {
    nodes: Read<Vec<Arc<Node>>>,
    /// Each component with whether it leads, where its lease tells.
    leads: Vec<(Component, Option<bool>)>,
    static_pods: Vec<Arc<Pod>>,
    deployments: Vec<Arc<Deployment>>,
    daemon_sets: Vec<Arc<DaemonSet>>,
    apis: Vec<Arc<APIService>>,
    guards: Vec<Object>,
    waiting_requests: usize,
}

pub(super) fn of_cluster(reader: &Reader<'_>, it: &Arc<Cluster>) -> Result<Scope, NoScope> {
    let mut subjects = vec![alone(Subject::Other(Object::Cluster(Arc::clone(it))))];
    if it.unreachable.is_some() {
        // Nothing else can be asked either.
        let otherwise = (Status::Unknown, text![named(it), " could not be reached"]);
        return Ok(Scope { subjects, otherwise, pods: None });
    }
    let looks = look(reader)?;
    let Sick { kinds: sick, names: down_nodes } = sick_nodes(reader, &looks)?;
    for (component, leads) in &looks.leads {
        if *leads == Some(false)
            && let Some(lease) = reader.get::<Lease>(Some(NAMESPACE), component.program())?.found()
        {
            subjects.push(alone(Subject::Other(Object::Lease(lease))));
        }
    }
    let ailing =
        looks.static_pods.iter().filter(|pod| triage(&PodDigest::from(&***pod), reader.now()) == Triage::Suspect);
    subjects.extend(ailing.take(OTHERS).map(|pod| alone(Subject::Pod(Arc::clone(pod)))));
    for (node, alike) in &sick {
        let mut inner = super::node::of_node(reader, node)?.subjects;
        if let Some(first) = inner.first_mut() {
            first.stands_for = *alike;
        }
        subjects.extend(inner);
    }
    let down = down_nodes.len();
    for workload in lacking(reader, &looks, down) {
        let inner = super::workload::of_workload(reader, &workload)?.subjects;
        // What waits on or for a node that is down follows from that node.
        subjects.extend(inner.into_iter().filter(|scoped| match &scoped.subject {
            Subject::Pod(pod) => down == 0 || pods::node_name(pod).is_some_and(|node| !down_nodes.contains(node)),
            _ => true,
        }));
    }
    let unavailable = looks.apis.iter().filter(|api| is_unavailable(api));
    subjects.extend(unavailable.take(OTHERS).map(|api| alone(Subject::Other(Object::APIService(Arc::clone(api))))));
    subjects.extend(looks.guards.iter().take(OTHERS).map(|guard| alone(Subject::Other(guard.clone()))));
    let otherwise = summary(it, &looks, down, subjects.len() > 1);
    Ok(Scope { subjects, otherwise, pods: None })
}

fn named(it: &Cluster) -> Text {
    text!["Cluster ", name(it.metadata.name.clone().unwrap_or_default())]
}

/// One look at everything, in one round.
fn look(reader: &Reader<'_>) -> Result<Looks, Needs> {
    let nodes = reader.list::<Node>(None, Filter::All);
    let leads = Component::ALL.map(|component| control_plane::leads(reader, component).map(|leads| (component, leads)));
    let static_pods = control_plane::pods_of_control_plane(reader);
    let deployments = reader.list::<Deployment>(Some(NAMESPACE), Filter::All);
    let daemon_sets = reader.list::<DaemonSet>(Some(NAMESPACE), Filter::All);
    let apis = reader.list::<APIService>(None, Filter::All);
    let guards = guards::unanswered(reader);
    let requests = reader.list::<CertificateSigningRequest>(None, Filter::All);
    let mut components = Vec::new();
    for component in leads {
        components.push(component?);
    }
    let waits = |request: &&Arc<CertificateSigningRequest>| {
        let decided = request.status.as_ref().and_then(|status| status.conditions.as_ref());
        let made = request.metadata.creation_timestamp.as_ref().map(|time| time.0);
        decided.is_none_or(Vec::is_empty) && made.is_some_and(|made| reader.now().duration_since(made) > YOUNG)
    };
    Ok(Looks {
        nodes: nodes?,
        leads: components,
        static_pods: static_pods?,
        deployments: deployments?.found().unwrap_or_default(),
        daemon_sets: daemon_sets?.found().unwrap_or_default(),
        apis: apis?.found().unwrap_or_default(),
        guards: guards?,
        waiting_requests: requests?.found().unwrap_or_default().iter().filter(waits).count(),
    })
}

/// Nodes in trouble.
#[derive(Default)]
struct Sick {
    /// One of each kind with how many there are; the kind that hits most first.
    kinds: Vec<(Arc<Node>, usize)>,
    /// All of them.
    names: BTreeSet<String>,
}

fn sick_nodes(reader: &Reader<'_>, looks: &Looks) -> Result<Sick, Needs> {
    let Read::Found(nodes) = &looks.nodes else { return Ok(Sick::default()) };
    let mut silent: Vec<String> = Vec::new();
    if looks.leads.contains(&(Component::ControllerManager, Some(false))) {
        // Nobody marks a node whose kubelet has gone silent: its lease alone tells.
        let leases = reader.list::<Lease>(Some("kube-node-lease"), Filter::All)?.found().unwrap_or_default();
        let renewed = |lease: &Lease| lease.spec.as_ref()?.renew_time.as_ref().map(|time| time.0);
        let system = reader.list::<Lease>(Some(NAMESPACE), Filter::All)?.found().unwrap_or_default();
        let newest = leases.iter().chain(&system).filter_map(|lease| renewed(lease)).max();
        let old = leases.iter().filter(|lease| {
            let age = newest.zip(renewed(lease)).map(|(newest, renewed)| newest.duration_since(renewed));
            age.is_some_and(|age| age > SignedDuration::from_secs(60))
        });
        silent.extend(old.filter_map(|lease| lease.metadata.name.clone()));
    }
    let mut kinds: BTreeMap<String, (Arc<Node>, usize)> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for node in nodes {
        let young =
            node.metadata.creation_timestamp.as_ref().is_some_and(|made| reader.now().duration_since(made.0) < YOUNG);
        let own = node.metadata.name.as_ref().is_some_and(|name| silent.contains(name));
        let kind = ailment(node).or_else(|| own.then(|| "silent".to_owned()));
        // A node that has just come takes a while; one that has fallen silent was there.
        let Some(kind) = kind.filter(|kind| !young || kind.starts_with("Unknown")) else { continue };
        names.extend(node.metadata.name.clone());
        kinds.entry(kind).or_insert_with(|| (Arc::clone(node), 0)).1 += 1;
    }
    let mut kinds: Vec<_> = kinds.into_values().collect();
    kinds.sort_by_key(|(node, alike)| (std::cmp::Reverse(*alike), node.metadata.name.clone()));
    kinds.truncate(NODES);
    Ok(Sick { kinds, names })
}

/// What holds a node, in short: nodes of the same ailment are alike.
fn ailment(node: &Node) -> Option<String> {
    let condition = node_state::ailment(node)?;
    if condition.type_ != "Ready" {
        return Some(condition.type_.clone());
    }
    // What the kubelet says after its first words differs from node to node.
    let message: String = condition.message.as_deref().unwrap_or_default().chars().take(40).collect();
    Some(format!("{}/{}/{message}", condition.status, condition.reason.as_deref().unwrap_or_default()))
}

/// Workloads of the system that lack pods, what most depend on first. A DNS without any pod is told as such, and what only
/// lacks its pods on nodes that are down follows from those.
fn lacking(reader: &Reader<'_>, looks: &Looks, down: usize) -> Vec<Workload> {
    let young = |made: Option<&k8s_openapi::apimachinery::pkg::apis::meta::v1::Time>| {
        made.is_some_and(|made| reader.now().duration_since(made.0) < JUST_MADE)
    };
    let down = i32::try_from(down).unwrap_or(i32::MAX);
    let mut found: Vec<(u8, String, Workload)> = Vec::new();
    for set in &looks.daemon_sets {
        let workload = Workload::DaemonSet(Arc::clone(set));
        let lacks = set.status.as_ref().map_or(0, |status| status.desired_number_scheduled - status.number_ready);
        let nowhere = service_proxy::runs_nowhere(set);
        let short = lacks > down && !is_satisfied(&workload);
        if (short || nowhere) && !young(set.metadata.creation_timestamp.as_ref()) {
            let name = set.metadata.name.clone().unwrap_or_default();
            let rank = if name.contains("proxy") || is_network(&name) { 0 } else { 2 };
            found.push((rank, name, workload));
        }
    }
    for deployment in &looks.deployments {
        let workload = Workload::Deployment(Arc::clone(deployment));
        let ready = deployment.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
        let is_dns = name_service::is_dns(deployment);
        if is_dns && ready == 0 || young(deployment.metadata.creation_timestamp.as_ref()) || is_satisfied(&workload) {
            continue;
        }
        found.push((u8::from(!is_dns), deployment.metadata.name.clone().unwrap_or_default(), workload));
    }
    found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    found.into_iter().take(WORKLOADS).map(|(_, _, workload)| workload).collect()
}

fn is_network(name: &str) -> bool {
    ["calico", "cilium", "flannel", "aws-node", "weave", "canal", "antrea", "kindnet", "ovn", "azure-cni", "multus"]
        .iter()
        .any(|part| name.contains(part))
}

fn is_unavailable(api: &APIService) -> bool {
    let conditions = api.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.into_iter().any(|condition| condition.type_ == "Available" && condition.status == "False")
}

/// How the cluster is in figures: `5 of 5 nodes ready; API server, scheduler and DNS well`.
fn summary(it: &Cluster, looks: &Looks, down: usize, troubled: bool) -> (Status, Text) {
    let mut well: Vec<&'static str> = Vec::new();
    let answers = it.readyz.as_ref().is_some_and(|endpoint| endpoint.status == 200);
    well.extend(answers.then_some("API server"));
    for (component, leads) in &looks.leads {
        if *leads == Some(true) {
            well.push(match component {
                Component::Scheduler => "scheduler",
                Component::ControllerManager => "controller manager",
            });
        }
    }
    let mut dns = looks.deployments.iter().filter(|deployment| name_service::is_dns(deployment)).peekable();
    // None of no pods is ready: a DNS that is scaled to zero answers nobody.
    let is_well = |dns: &Arc<Deployment>| {
        let ready = dns.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0);
        ready > 0 && is_satisfied(&Workload::Deployment(Arc::clone(dns)))
    };
    well.extend((dns.peek().is_some() && dns.all(is_well)).then_some("DNS"));
    let mut figures = Text::default();
    if let Read::Found(nodes) = &looks.nodes {
        let ready = nodes.iter().filter(|node| node_state::is(node, "Ready", "True")).count();
        figures.push(text![ready, " of ", nodes.len(), if nodes.len() == 1 { " node ready" } else { " nodes ready" }]);
    }
    let last = well.len().saturating_sub(1);
    for (at, part) in well.iter().enumerate() {
        let joint = if at == 0 {
            if figures.is_empty() { "" } else { "; " }
        } else if at == last {
            " and "
        } else {
            ", "
        };
        figures.push(joint);
        figures.push(*part);
    }
    if !well.is_empty() {
        figures.push(" well");
    }
    if looks.waiting_requests > 4 {
        figures.push(text!["; ", looks.waiting_requests, " certificate requests wait for approval"]);
    }
    if figures.is_empty() {
        return (Status::Unknown, text![named(it), ": nothing that tells how it is could be read"]);
    }
    let version = it.version.clone().map(|version| text![" (", code(version), ")"]);
    let status = if down > 0 || troubled { Status::Unknown } else { Status::Healthy };
    (status, text![named(it), version, ": ", figures])
}
