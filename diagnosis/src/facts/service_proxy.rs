//! kube-proxy beside a pod: what turns the addresses of Services into those of their pods on that node.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, text};

use crate::ask::{Filter, Instance, Selector};
use crate::case::{Case, Subject};
use crate::facts::control_plane::NAMESPACE;
use crate::facts::peers::{Peer, Place};
use crate::facts::services::State;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};
use crate::triage::{PodDigest, triage};

/// The `DaemonSet` of kube-proxy where it is one.
pub(crate) const DAEMON_SET: &str = "kube-proxy";

/// What is wrong with kube-proxy on a node.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) node: String,
    /// The pod in trouble; none where there is no pod of it on the node.
    pub(crate) pod: Option<ObjectRef>,
    /// `is not ready`, `has no pod there`.
    pub(crate) clause: Text,
    pub(crate) evidence: Vec<Evidence>,
}

/// Its `DaemonSet`.
pub(crate) fn daemon_set() -> ObjectRef {
    ObjectRef::new(Kind::DaemonSet, Some(NAMESPACE), DAEMON_SET)
}

/// Tells whether kube-proxy is meant for no node at all. A network plugin that takes its place (Calico's eBPF) parks it so,
/// by a label of its own.
pub(crate) fn runs_nowhere(set: &DaemonSet) -> bool {
    let is_it =
        set.metadata.name.as_deref() == Some(DAEMON_SET) && set.metadata.namespace.as_deref() == Some(NAMESPACE);
    let selector =
        set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).and_then(|it| it.node_selector.as_ref());
    let parked = selector.is_some_and(|all| all.keys().any(|key| key.contains("non-calico") || key.contains("cilium")));
    is_it && !parked && set.status.as_ref().is_some_and(|status| status.desired_number_scheduled == 0)
}

/// Tells whether a pod is one of kube-proxy.
pub(crate) fn is_proxy(pod: &Pod) -> bool {
    let label = pod.metadata.labels.as_ref().and_then(|labels| labels.get("k8s-app"));
    pod.metadata.namespace.as_deref() == Some(NAMESPACE) && label.is_some_and(|label| label == "kube-proxy")
}

fn all(case: &Case<'_>) -> Result<Option<Vec<Arc<Pod>>>, Needs> {
    let labels = BTreeMap::from([("k8s-app".to_owned(), "kube-proxy".to_owned())]);
    Ok(case.list::<Pod>(Some(NAMESPACE), Filter::Labels(Selector::labels(&labels)))?.found())
}

/// kube-proxy on the pod's node, where it is seen not to run. A cluster without kube-proxy (Cilium, OVN) says nothing.
///
/// # Errors
/// [`Needs`] where its pods have not been asked yet.
pub(crate) fn down_beside(case: &Case<'_>) -> Result<Option<Fault>, Needs> {
    let Some(node) = case.pod().and_then(pods::node_name) else { return Ok(None) };
    let Some(all) = all(case)? else { return Ok(None) };
    let mine: Vec<&Arc<Pod>> = all.iter().filter(|pod| pods::node_name(pod) == Some(node)).collect();
    if mine.is_empty() {
        return missing(case, node, all.len());
    }
    let works = |pod: &&&Arc<Pod>| {
        pod.metadata.deletion_timestamp.is_none()
            && triage(&PodDigest::from(&****pod), case.now()).works()
            && pods::phase(pod) == "Running"
    };
    if mine.iter().any(|pod| works(&pod)) {
        return Ok(None);
    }
    let Some(pod) = mine.first() else { return Ok(None) };
    let reference = ObjectRef::new(Kind::Pod, Some(NAMESPACE), pod.metadata.name.as_deref().unwrap_or_default());
    let about = case.about(Subject::Pod(Arc::clone(pod)));
    let mut evidence = vec![Evidence::field(&reference, ".status.conditions[Ready]", "not True")];
    for container in about.containers() {
        if container.waiting().is_some() {
            evidence.push(about.waiting_evidence(&container));
        }
    }
    let clause = text!["its pod there, ", name(reference.name.clone()), ", does not run well"];
    Ok(Some(Fault { node: node.to_owned(), pod: Some(reference), clause, evidence }))
}

/// kube-proxy on the pod's node, where it is down and a peer is a Service that others reach.
///
/// # Errors
/// [`Needs`] where its pods have not been asked yet.
pub(crate) fn in_the_way(case: &Case<'_>, peer: &Peer) -> Result<Option<Fault>, Needs> {
    let Place::Service(standing, None) = &peer.place else { return Ok(None) };
    let reached = !standing.headless && matches!(standing.state, State::Fine);
    if !reached || case.pod().is_some_and(is_proxy) {
        return Ok(None);
    }
    down_beside(case)
}

/// There is no pod of it on the node: a fault where the cluster has kube-proxy at all.
fn missing(case: &Case<'_>, node: &str, others: usize) -> Result<Option<Fault>, Needs> {
    let Read::Found(set) = case.get::<DaemonSet>(Some(NAMESPACE), DAEMON_SET)? else { return Ok(None) };
    let selector =
        set.spec.as_ref().and_then(|spec| spec.template.spec.as_ref()).and_then(|spec| spec.node_selector.clone());
    let wanted = set.status.as_ref().map_or(0, |status| status.desired_number_scheduled);
    let status = format!("desiredNumberScheduled {wanted}, pods {others}, none on node {node}");
    let mut evidence = vec![Evidence::field(&daemon_set(), ".status", status)];
    if let Some(selector) = selector.filter(|selector| !selector.is_empty()) {
        let shown: Vec<String> = selector.iter().map(|(key, value)| format!("{key}={value}")).collect();
        evidence.push(Evidence::field(&daemon_set(), ".spec.template.spec.nodeSelector", shown.join(",")));
    }
    let clause = text!["there is no pod of it there"];
    Ok(Some(Fault { node: node.to_owned(), pod: None, clause, evidence }))
}

/// The words of kube-proxy that has no `conntrack` program to clean up with: of the pod beside the subject, or of one of
/// the pods of the `DaemonSet` that is asked about.
///
/// # Errors
/// [`Needs`] where pods or logs have not been asked yet.
pub(crate) fn lacks_conntrack(case: &Case<'_>) -> Result<Option<Fault>, Needs> {
    let (node, most) = match case.pod() {
        Some(pod) => (pods::node_name(pod), 1),
        None => (None, 2),
    };
    if case.pod().is_some() && node.is_none() {
        return Ok(None);
    }
    let all = all(case)?.unwrap_or_default();
    let mut needs = None;
    for pod in all.iter().filter(|pod| node.is_none() || pods::node_name(pod) == node).take(most) {
        match conntrack_line(case, pod) {
            Ok(Some(fault)) => return Ok(Some(fault)),
            Ok(None) => {}
            Err(lacking) => needs = Some(lacking),
        }
    }
    needs.map_or(Ok(None), Err)
}

fn conntrack_line(case: &Case<'_>, pod: &Arc<Pod>) -> Result<Option<Fault>, Needs> {
    let about = case.about(Subject::Pod(Arc::clone(pod)));
    let Some(container) = about.containers().next() else { return Ok(None) };
    let ended = container.running().is_none() && container.last_terminated().is_some();
    let instance = if ended { Instance::Previous } else { Instance::Current };
    let Read::Found(log) = case.log(pod, container.name(), instance)? else { return Ok(None) };
    let line = log.lines().enumerate().filter(|(_, line)| is_about_conntrack(line)).last();
    let Some((at, line)) = line else { return Ok(None) };
    let line: String = line.chars().take(400).collect();
    let reference = ObjectRef::new(Kind::Pod, Some(NAMESPACE), pod.metadata.name.as_deref().unwrap_or_default());
    Ok(Some(Fault {
        node: pods::node_name(pod).unwrap_or_default().to_owned(),
        pod: Some(reference),
        clause: text!["it finds no conntrack program"],
        evidence: vec![about.log_evidence(&container, at + 1, &line)],
    }))
}

/// `error looking for path of conntrack: exec: "conntrack": executable file not found in $PATH`
fn is_about_conntrack(line: &str) -> bool {
    line.contains("conntrack")
        && (line.contains("executable file not found") || line.contains("looking for path of conntrack"))
}
