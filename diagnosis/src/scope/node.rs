//! A node, and what keeps it from running pods.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, code, name, text};

use super::{NoScope, Scope, lone, named};
use crate::facts::node_state;
use crate::kind::Object;
use crate::reader::{Read, Reader};
use crate::report::Status;

pub(super) fn of_node(reader: &Reader<'_>, node: &Arc<Node>) -> Result<Scope, NoScope> {
    let object = Object::Node(Arc::clone(node));
    // What nearly every rule of a node reads comes in the first round.
    let events = node_state::events(reader, node);
    let pulse = node_state::pulse(reader, node_state::name_of(node));
    let pods = node_state::pods_on(reader, node_state::name_of(node));
    events?;
    pulse?;
    let pods = match pods? {
        Read::Found(pods) => Some(pods.len()),
        Read::Absent | Read::Unreadable => None,
    };
    Ok(lone(&object, otherwise(reader, node, named(&object), pods)))
}

/// How a node is in which no rule finds anything wrong.
fn otherwise(reader: &Reader<'_>, node: &Node, called: Text, pods: Option<usize>) -> (Status, Text) {
    let load = match pods {
        Some(0) => text![": no pod runs there"],
        Some(1) => text![": 1 pod runs there"],
        Some(count) => text![": ", count, " pods run there"],
        None => text![],
    };
    if node.metadata.deletion_timestamp.is_some() {
        return (Status::Pending, text![called, " is being deleted", load]);
    }
    let Some(ready) = node_state::condition(node, "Ready") else {
        return (Status::Unknown, text![called, " shows no condition Ready"]);
    };
    if ready.status != "True" {
        let joining = node_state::is_joining(node, reader.now());
        return if joining {
            (Status::Pending, text![called, " has just joined and is not ready yet"])
        } else {
            (Status::Unknown, text![called, " is not ready (Ready is ", name(ready.status.clone()), ")"])
        };
    }
    if let Some(taint) = held_back(node) {
        return (Status::Degraded, text![called, " is ready, and carries the taint ", code(taint), load]);
    }
    let apart = set_apart(node).map(|taint| text![" (those that tolerate its taint ", code(taint), ")"]);
    (Status::Healthy, text![called, " is ready", load, apart])
}

/// A taint that a person gave it: a machine for some pods only, which is no trouble of its own.
fn set_apart(node: &Node) -> Option<String> {
    let is_own = |key: &str| !key.contains("kubernetes.io/");
    let taint = node_state::taints(node).find(|taint| taint.effect != "PreferNoSchedule" && is_own(&taint.key))?;
    let value = taint.value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("={value}"));
    Some(format!("{}{}:{}", taint.key, value.unwrap_or_default(), taint.effect))
}

/// A taint by which a person or the cloud has taken a node that is ready out of service.
fn held_back(node: &Node) -> Option<String> {
    node_state::taints(node)
        .find(|taint| {
            matches!(
                taint.key.as_str(),
                "node.kubernetes.io/out-of-service"
                    | "node.cloudprovider.kubernetes.io/shutdown"
                    | "node.cloudprovider.kubernetes.io/uninitialized"
                    | "ToBeDeletedByClusterAutoscaler"
                    | "karpenter.sh/disrupted"
            )
        })
        .map(|taint| format!("{}:{}", taint.key, taint.effect))
}
