//! What a node says about the time when a container ended: out of memory, rebooted, away.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Node;

use crate::case::Case;
use crate::event::Event;
use crate::facts::ends::End;
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};

/// How far a node's event may lie from the end that it explains.
const NEAR: SignedDuration = SignedDuration::from_secs(90);

/// The node's report that it ran out of memory when the container ended.
///
/// # Errors
/// [`Needs`] where the node's events have not been asked yet.
pub(crate) fn system_oom(case: &Case<'_>, end: &End<'_>) -> Result<Option<Arc<Event>>, Needs> {
    let Some(node) = case.pod().and_then(pods::node_name) else { return Ok(None) };
    let events = case.events(Kind::Node, None, node, None)?;
    let is_near = |event: &Arc<Event>| match (event.last, event.first, end.ended()) {
        (Some(last), first, Some(ended)) => {
            let first = first.unwrap_or(last);
            first.saturating_sub(NEAR).is_ok_and(|from| from <= ended)
                && last.saturating_add(NEAR).is_ok_and(|to| to >= ended)
        }
        _ => true,
    };
    let found = events.into_iter().rev().find(|event| {
        matches!(event.reason.as_str(), "SystemOOM" | "OOMKilling") && is_near(event) && is_global(event)
    });
    Ok(found)
}

/// node-problem-detector reports kills within a container's own limit too.
pub(crate) fn is_global(event: &Event) -> bool {
    event.reason == "SystemOOM" || !event.message.contains("Memory cgroup")
}

/// Tells whether the node is gone, not ready, or was rebooted after the container had started.
///
/// # Errors
/// [`Needs`] where the node has not been asked yet.
pub(crate) fn node_was_away(case: &Case<'_>, end: &End<'_>) -> Result<bool, Needs> {
    let Some(name) = case.pod().and_then(pods::node_name) else { return Ok(false) };
    let events = case.events(Kind::Node, None, name, None);
    let node = case.get::<Node>(None, name)?;
    let started = end.state.started_at.as_ref().map(|time| time.0);
    let rebooted = events?.iter().any(|event| event.reason == "Rebooted" && event.last >= started);
    let conditions = |node: &Node| {
        node.status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .any(|c| c.type_ == "Ready" && c.status != "True")
    };
    Ok(match node {
        Read::Absent => true,
        Read::Found(node) => rebooted || conditions(&node),
        Read::Unreadable => rebooted,
    })
}
