//! What the node of a pod carries beside it: the other pods there, how they fare, and what the node itself reports.

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod};
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::Needs;

/// From so many neighbours in trouble on it says more about the node than about them.
const TELLING: usize = 2;

/// The other pods that are bound to the pod's node and not finished; none where they could not be read.
///
/// # Errors
/// [`Needs`] where they have not been asked yet.
pub(crate) fn beside(case: &Case<'_>) -> Result<Vec<Arc<Pod>>, Needs> {
    let Some(node) = case.pod().and_then(pods::node_name) else { return Ok(Vec::new()) };
    let mut there = case.list::<Pod>(None, Filter::OnNode(node.to_owned()))?.found().unwrap_or_default();
    there.retain(|pod| {
        pod.metadata.name.as_deref() != Some(case.name()) || pod.metadata.namespace.as_deref() != case.namespace()
    });
    Ok(there)
}

/// The sentence about a node that is itself in trouble while its pods answer late, with the facts it rests on; none where
/// nothing speaks against the node.
///
/// # Errors
/// [`Needs`] where the node or its pods have not been asked yet.
pub(crate) fn strained(case: &Case<'_>) -> Result<Option<(Text, Vec<Evidence>)>, Needs> {
    let Some(node_name) = case.pod().and_then(pods::node_name) else { return Ok(None) };
    let (node, there) = (case.node(), beside(case));
    let (node, there) = (node?.found(), there?);
    let pressure: Vec<&NodeCondition> = node.as_deref().map(pressures).unwrap_or_default();
    let running = there.iter().filter(|pod| pods::phase(pod) == "Running").count();
    let unready = there.iter().filter(|pod| pods::phase(pod) == "Running" && !pods::is_true(pod, "Ready")).count();
    let many = unready >= TELLING && unready * 2 >= running;
    if pressure.is_empty() && !many {
        return Ok(None);
    }
    let reference = ObjectRef::new(Kind::Node, None, node_name);
    let evidence = pressure
        .iter()
        .map(|condition| {
            let message = condition.message.as_deref().unwrap_or_default();
            let path = format!(".status.conditions[{}]", condition.type_);
            Evidence::field(&reference, &path, format!("{}: {message}", condition.status))
                .at(condition.last_transition_time.as_ref().map(|time| time.0))
        })
        .collect();
    let reports = (!pressure.is_empty()).then(|| {
        let types = pressure.iter().map(|condition| condition.type_.clone());
        text!["Node ", name(node_name), " reports ", Text::names(types, 3), ". "]
    });
    let neighbours = text![
        "Of the other pods on node ",
        name(node_name),
        ", ",
        unready,
        " of ",
        running,
        " are not ready either: look at the node's load before the app."
    ];
    let neighbours = if unready > 0 {
        neighbours
    } else {
        text!["A node short of memory, disk or processes lets an app answer late: look at it before the app."]
    };
    Ok(Some((text![reports, neighbours], evidence)))
}

fn pressures(node: &Node) -> Vec<&NodeCondition> {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.type_.ends_with("Pressure") && condition.status == "True").collect()
}

/// The sentence about the pods that wait on the node for their images as well; none where this one waits alone.
///
/// # Errors
/// [`Needs`] where the pods of the node have not been asked yet.
pub(crate) fn queue(case: &Case<'_>) -> Result<Option<Text>, Needs> {
    let there = beside(case)?;
    let waiting = there.iter().filter(|pod| is_being_created(pod)).count();
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let (pods, wait) = if waiting == 1 { (" other pod", " waits") } else { (" other pods", " wait") };
    Ok((waiting > 0).then(|| {
        text![
            waiting,
            pods,
            " on node ",
            name(node),
            wait,
            " for containers too: a kubelet pulls one image at a time by default (",
            code("serializeImagePulls"),
            "), and the rest queues."
        ]
    }))
}

fn is_being_created(pod: &Pod) -> bool {
    let waits = |reason: &str| matches!(reason, "ContainerCreating" | "PodInitializing");
    pods::containers(pod).any(|container| waits(container.waiting_reason()))
}

/// The sentence about memory promised beyond what the node has, with the other pods that were killed for it in the same
/// minute; none where neither is known.
///
/// # Errors
/// [`Needs`] where the node or its pods have not been asked yet.
pub(crate) fn overcommitted(case: &Case<'_>, ended: Option<jiff::Timestamp>) -> Result<Option<Text>, Needs> {
    let (node, there) = (case.node(), beside(case));
    let (Some(node), there) = (node?.found(), there?) else { return Ok(None) };
    let has = node.status.as_ref().and_then(|status| Amount::in_list(status.allocatable.as_ref(), "memory"));
    let Some(has) = has.filter(|_| !there.is_empty()) else { return Ok(None) };
    let own = case.pod();
    let limits: Vec<Option<Amount>> = there
        .iter()
        .map(|pod| &**pod)
        .chain(own)
        .flat_map(pods::containers)
        .map(|container| container.spec.resources.as_ref()?.limits.as_ref())
        .map(|limits| Amount::in_list(limits, "memory"))
        .collect();
    let sum: Amount = limits.iter().flatten().copied().sum();
    let open = limits.iter().filter(|limit| limit.is_none()).count();
    let unlimited = (open > 0).then(|| text![", and ", open, " more may take what they like (no limit)"]);
    let beyond = sum > has || open > 0;
    let promised = beyond.then(|| {
        text![
            "The memory limits of its pods come to ",
            code(sum.show("memory")),
            unlimited,
            "; it has ",
            code(has.show("memory")),
            "."
        ]
    });
    let victims: Vec<String> = there.iter().filter(|pod| was_killed_at(pod, ended)).map(|pod| path(pod)).collect();
    let victims =
        (!victims.is_empty()).then(|| text![" Killed there in the same minute: ", Text::names(victims, 4), "."]);
    let sentence = text![promised, victims];
    Ok((!sentence.is_empty()).then(|| sentence.trimmed()))
}

fn path(pod: &Pod) -> String {
    let meta = &pod.metadata;
    format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
}

fn was_killed_at(pod: &Pod, ended: Option<jiff::Timestamp>) -> bool {
    let Some(ended) = ended else { return false };
    pods::containers(pod).filter_map(|container| container.last_end()).any(|end| {
        let killed = end.exit_code == 137 || end.reason.as_deref() == Some("OOMKilled");
        let near = end.finished_at.as_ref().is_some_and(|time| time.0.duration_since(ended).abs().as_secs() <= 90);
        killed && near
    })
}
