//! A node that runs low: its own condition, and pods that its kubelet refused because of it.

use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::facts::{evictions, node_state};
use crate::finding::{Finding, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction::{self, Status};
use crate::pods;
use crate::reader::{Needs, Read};

/// The condition of the subject that says so now.
pub(crate) fn now<'n>(node: &'n Node, type_: &str) -> Option<&'n NodeCondition> {
    node_state::condition(node, type_).filter(|condition| condition.status == "True")
}

/// The start of the finding on a node.
pub(crate) fn start(case: &Case<'_>, node: &Node, condition: &NodeCondition, code: Code) -> Finding {
    case.finding(code)
        .root(node_state::reference(node))
        .evidence(node_state::evidence(node, condition))
        .since(node_state::since(condition))
}

/// The pressures for which the kubelet refused the pod, where it did.
pub(crate) fn refused_for(case: &Case<'_>) -> Vec<String> {
    match case.pod().and_then(eviction::of) {
        Some(Status::UnderPressure { conditions }) => conditions,
        _ => Vec::new(),
    }
}

/// Tells whether the node of the pod still is under one of these pressures.
///
/// # Errors
/// [`Needs`] where the node has not been asked yet.
pub(crate) fn lasts(case: &Case<'_>, conditions: &[String]) -> Result<bool, Needs> {
    let Read::Found(node) = case.node()? else { return Ok(false) };
    Ok(conditions.iter().any(|condition| now(&node, condition).is_some()))
}

/// A pod that was refused under that pressure, where the node does not show it any more or cannot be read: then the pod's
/// own status is all there is.
///
/// # Errors
/// [`Needs`] where the node has not been asked yet.
pub(crate) fn of_refused_pod(case: &Case<'_>, type_: &'static str, code: Code, what: &'static str) -> Verdict {
    let conditions = refused_for(case);
    // The first of several speaks.
    if conditions.first().is_none_or(|first| first != type_) || lasts(case, &conditions)? {
        return Ok(Vec::new());
    }
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let over = match case.node()? {
        Read::Found(_) => Some(text!["The node has recovered since: a new pod may start there."]),
        Read::Absent | Read::Unreadable => None,
    };
    Ok(vec![
        case.finding(code)
            .root(ObjectRef::new(Kind::Node, None, node))
            .title(text!["Node ", name(node), " was short of ", what, " (", name(type_), ") and refused the pod"])
            .explain(text![
                "While node ",
                name(node),
                " is short of ",
                what,
                " its kubelet takes no new pods, and refuses its own after a restart. The pod itself did nothing wrong."
            ])
            .also(over)
            .evidence(evictions::message(case))
            .since(case.pod().and_then(pods::newest_time))
            .fix(
                crate::finding::Fix::safe(text!["see what takes the ", what, " of node ", name(node)])
                    .command(case.kubectl_cluster(["describe", "node", node])),
            )
            .fix(evictions::clean_up(case)),
    ])
}
