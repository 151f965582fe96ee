//! `node-shutdown`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::{clean_up, message};
use crate::facts::node_state;
use crate::facts::owner::edited;
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction::{self, Status};
use crate::parse::node_condition::{self, Fault};
use crate::pods;

cause! {
    /// ## What it means
    /// The node was shut down in an orderly way (reboot, upgrade, spot or preemptible machine reclaimed), and its kubelet
    /// ended the pod or refused to take it any more.
    /// ## Signals
    /// Pod failed with reason `Terminated` and `Pod was terminated in response to imminent node shutdown.`, or reason
    /// `NodeShutdown` with `Pod was rejected as the node is shutting down.`; `DisruptionTarget` `TerminationByKubelet`. The node itself:
    /// Ready False with `node is shutting down`, event `Shutdown`.
    /// ## Look-alikes
    /// `node-lost`: the node went without a word. `evicted-by-drain`: somebody emptied the node first.
    /// ## Fixes
    /// Nothing, where a controller has made a new pod elsewhere; drain nodes before they go; run more than one replica.
    /// ## Source
    /// pkg/kubelet/nodeshutdown/nodeshutdown_manager.go
    NodeShutdown, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = node_state::subject(case) {
        return of_node(case, &node);
    }
    let Some(Status::Shutdown { refused }) = case.pod().and_then(eviction::of) else { return Ok(Vec::new()) };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let did = if refused { "refused the pod because it was shutting down" } else { "was shut down and ended the pod" };
    let alone = case.meta().owner_references.iter().flatten().all(|owner| owner.controller != Some(true));
    let next = if alone {
        "No controller owns this pod, so nobody makes it anew."
    } else {
        "Its controller makes a new pod on another node, where there is room; this one is only a record."
    };
    let anew = Fix::disruptive(text!["make the pod anew, best through a controller such as a Deployment"]);
    let drain = Fix::safe(text!["empty a node before it is shut down: then pods move in their own time"])
        .command(case.kubectl_cluster(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data"]));
    Ok(vec![
        case.finding(Code::NodeShutdown)
            .root(ObjectRef::new(Kind::Node, None, node))
            .title(text!["Node ", name(node), " ", did])
            .explain(text![
                "Node ",
                name(node),
                " went down in an orderly way: a reboot, an upgrade, or a machine that its owner took back. Its kubelet ends ",
                "the pods it has and takes no new ones then. ",
                next
            ])
            .evidence(message(case))
            .fix(if alone { edited(case, anew)? } else { clean_up(case) })
            .fix(drain),
    ])
}

/// The node says itself that it is going down.
fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let Some(ready) = node_state::condition(node, "Ready").filter(|ready| ready.status == "False") else {
        return Ok(Vec::new());
    };
    let parts = node_condition::parse(ready.message.as_deref().unwrap_or_default());
    if !parts.iter().any(|part| part.fault == Fault::ShuttingDown) {
        return Ok(Vec::new());
    }
    let event = node_state::recent_event(case, node, &["Shutdown", "NodeShutdown"], |_| true);
    let burden = node_state::burden(case, node_state::name_of(node));
    let (event, burden) = (event?, burden?);
    Ok(vec![
        case.finding(Code::NodeShutdown)
            .root(node_state::reference(node))
            .title(text![node_state::called(node), " is shutting down"])
            .explain(text![
                "Its kubelet was told that the machine goes down (a reboot, an upgrade, or a machine that its owner takes back). \
                 It ends its pods in order and takes no new ones; when the machine is back, the node is Ready again."
            ])
            .also(burden)
            .evidence(node_state::evidence(node, ready))
            .evidence(event.map(|event| Evidence::event(&event)))
            .since(node_state::since(ready))
            .fix(
                Fix::safe(text!["if nobody meant it: see on the node who asked for the shutdown"])
                    .command("systemd-inhibit --list; journalctl -u systemd-logind --since '1 hour ago' --no-pager; last -x shutdown | head"),
            )
            .fix(
                Fix::safe(text!["where the machine does not come back: look at it in the cloud or by its console"])
                    .command(case.kubectl_cluster(["describe", "node", node_state::name_of(node)])),
            ),
    ])
}
