//! What the pods of a node are told by its kubelet: words that speak of the node and not of the pod.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};

use crate::case::Case;
use crate::event::Event;
use crate::facts::node_state;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::parse::sandbox::{self, SandboxFault};
use crate::pods;
use crate::reader::Needs;

/// How many failing pods are listened to.
const LISTENED: usize = 4;

/// What one pod of the node was told.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// The pod; none where the node itself was told.
    pub(crate) pod: Option<ObjectRef>,
    /// What the words speak of.
    pub(crate) fault: SandboxFault,
    /// The words.
    pub(crate) words: String,
    /// Where they stand.
    pub(crate) source: Evidence,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
}

/// What was heard on a node: worked out once for all rules of the node.
struct Heard(Vec<Told>);

/// What the node's own events and those of its failing pods say now.
///
/// # Errors
/// [`Needs`] where the pods or the events have not been asked yet.
pub(crate) fn heard(case: &Case<'_>, node: &Node) -> Result<Vec<Told>, Needs> {
    Ok(case.once(|| listen(case, node).map(Heard))?.0.clone())
}

/// The words of that fault, if there are any.
///
/// # Errors
/// [`Needs`] where the pods or the events have not been asked yet.
pub(crate) fn of(case: &Case<'_>, node: &Node, fault: &SandboxFault) -> Result<Vec<Told>, Needs> {
    let mut told = heard(case, node)?;
    told.retain(|told| told.fault == *fault);
    Ok(told)
}

fn listen(case: &Case<'_>, node: &Node) -> Result<Vec<Told>, Needs> {
    let node_name = node_state::name_of(node);
    let own = node_state::events(case, node);
    let on_node = node_state::pods_on(case, node_name);
    let (own, on_node) = (own?, on_node?.found().unwrap_or_default());
    let recent =
        |event: &&Arc<Event>| event.is_warning() && event.last.is_none_or(|last| case.age(last) < node_state::RECENT);
    let mut told: Vec<Told> = own.iter().filter(recent).map(|event| of_event(None, event)).collect();
    // A silent kubelet tells its pods nothing: what was said before is old.
    if node_state::is(node, "Ready", "Unknown") {
        return Ok(told);
    }
    let failing: Vec<&Arc<Pod>> =
        on_node.iter().filter(|pod| node_state::is_unready(pod)).filter(|pod| waits(pod)).take(LISTENED).collect();
    let asked: Vec<_> = failing
        .iter()
        .map(|pod| {
            let meta = &pod.metadata;
            let name = meta.name.as_deref().unwrap_or_default();
            case.events(Kind::Pod, meta.namespace.as_deref(), name, meta.uid.as_deref())
        })
        .collect();
    for (pod, events) in failing.into_iter().zip(asked) {
        let reference = ObjectRef::new(
            Kind::Pod,
            pod.metadata.namespace.as_deref(),
            pod.metadata.name.as_deref().unwrap_or_default(),
        );
        let events = events?;
        if let Some(event) = events.iter().rev().find(recent) {
            told.push(of_event(Some(reference), event));
        }
    }
    Ok(told)
}

/// Tells whether a pod waits for something of its node: its sandbox, its volumes or its containers' start.
fn waits(pod: &Pod) -> bool {
    let reasons = ["ContainerCreating", "PodInitializing", "CreateContainerError", "RunContainerError"];
    pods::containers(pod).any(|container| reasons.contains(&container.waiting_reason()))
}

fn of_event(pod: Option<ObjectRef>, event: &Event) -> Told {
    Told {
        pod,
        fault: sandbox::parse(&event.message),
        words: sandbox::words(&event.message).to_owned(),
        source: Evidence::event(event),
        since: event.first,
    }
}
