//! `node-lost`.

use k8s_openapi::api::core::v1::ContainerStateTerminated;
use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::nodes::{Lost, LostNode, Sign, lost_node, lost_node_of_leaving};
use crate::finding::{Action, Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod's node does not answer any more or is gone, so nobody knows how the pod is: what its status says is old.
    /// ## Signals
    /// Event `NodeNotReady` on the pod, condition Ready False without a reason while its containers still say ready, the node's
    /// condition Ready Unknown (`Kubelet stopped posting node status.`) or False, a stale lease; status reason `NodeLost`, phase
    /// `Unknown`; containers ended with `ContainerStatusUnknown` or with `Unknown` 255; `DisruptionTarget` `DeletionByPodGC`;
    /// a pod that was bound and of which no kubelet has said a word.
    /// ## Look-alikes
    /// `readiness-probe-failing`: the kubelet answers and says so. `terminating-node-lost`: the same, of a pod that is being
    /// deleted. `node-shutdown`: the node said that it goes. `bound-to-missing-node`: there never was such a node.
    /// ## Fixes
    /// Bring the node's kubelet back, or, when the machine is gone for good, delete the Node object so that its pods are
    /// made anew elsewhere.
    /// ## Source
    /// pkg/controller/nodelifecycle/node_lifecycle_controller.go, pkg/controller/podgc
    NodeLost, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some((lost, pod)) = lost_node_of_leaving(case)? {
        let pod = case.neighbour(Kind::Pod, pod.metadata.name.as_deref().unwrap_or_default());
        let note = text![
            "Its pod ",
            name(pod.name.as_str()),
            " is on its way out there, and cannot end before the node answers or is deleted."
        ];
        let condition = Evidence::field(&pod, ".metadata.deletionTimestamp", "over, and the pod is still there");
        return Ok(vec![
            explain(case, &lost).also(note).evidence(condition).via(pod).follows(Code::TerminatingNodeLost),
        ]);
    }
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    if let Some(lost) = lost_node(case)? {
        return Ok(vec![explain(case, &lost)]);
    }
    lost_containers(case)
}

fn explain(case: &Case<'_>, lost: &LostNode) -> Finding {
    let node = ObjectRef::new(Kind::Node, None, &lost.name);
    let finding = case.finding(Code::NodeLost).root(node.clone());
    let silent = lost.heartbeat.map(|time| text!["Its kubelet renewed its lease last at ", time, "."]);
    let speaks = matches!(&lost.how, Lost::NotReady(condition) if condition.status == "False");
    let shown = match &lost.sign {
        Sign::Silence => text!["The pod was bound to it, and nobody has started it."],
        Sign::Collected => text!["Its pods were removed with it."],
        Sign::Condition if case.pod().is_none() => text![],
        _ if speaks => text!["Its kubelet says so itself; until it is well, all its pods count as not ready."],
        _ => text!["Whether the pod still runs is not known: what its status says is old."],
    };
    let finding = match &lost.how {
        Lost::NotReady(condition) => {
            let message = condition.message.as_deref().unwrap_or_default();
            let unknown = condition.status == "Unknown";
            let state = if unknown { " does not answer" } else { " is NotReady" };
            let said = (!message.is_empty()).then(|| text![": ", quoted(message)]);
            let since = condition.last_transition_time.as_ref().map(|time| time.0);
            finding
                .title(text!["Node ", name(lost.name.as_str()), state, said, ""])
                .explain(text![
                    subject(case),
                    " node ",
                    name(lost.name.as_str()),
                    ", whose condition Ready is ",
                    name(condition.status.as_str()),
                    ". ",
                    shown
                ])
                .evidence(Evidence::field(
                    &node,
                    ".status.conditions[Ready]",
                    format!("{} {}: {message}", condition.status, condition.reason.as_deref().unwrap_or_default()),
                ))
                .since(since)
        }
        Lost::Deleted => finding
            .title(text!["Node ", name(lost.name.as_str()), " does not exist any more"])
            .explain(text!["The pod was on node ", name(lost.name.as_str()), ", and that Node object is gone. ", shown])
            .evidence(case.field(".spec.nodeName", format!("{} (no such Node)", lost.name))),
        Lost::Told => finding
            .confidence(Confidence::Likely)
            .title(text!["Node ", name(lost.name.as_str()), " was lost"])
            .explain(text![
                "The cluster marked the pod because its node ",
                name(lost.name.as_str()),
                " did not answer. The node itself could not be read. ",
                shown
            ]),
    };
    let finding = finding.also(silent).also(what_next(case)).evidence(sign_evidence(case, &lost.sign));
    // The node's own trouble is what a person has to end.
    let finding = if matches!(lost.how, Lost::NotReady(_)) { finding.caused_in(node) } else { finding };
    if matches!(lost.how, Lost::Deleted) { removed(case, finding) } else { with_fixes(case, finding, &lost.name) }
}

fn subject(case: &Case<'_>) -> &'static str {
    if case.pod().is_some() { "The pod is on" } else { "A pod of it is on" }
}

fn what_next(case: &Case<'_>) -> Option<Text> {
    let owner = case.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    Some(match owner.kind.as_str() {
        "ReplicaSet" => {
            text!["After about 5 minutes it is deleted and made anew on another node, where there is room."]
        }
        "StatefulSet" => {
            text!["A StatefulSet does not replace it until the node is back or its Node object is deleted."]
        }
        _ => return None,
    })
}

fn sign_evidence(case: &Case<'_>, sign: &Sign) -> Option<Evidence> {
    match sign {
        Sign::Event(event) => Some(Evidence::event(event)),
        Sign::Condition if case.pod().is_none() => None,
        Sign::Condition => {
            Some(case.field(".status.conditions[Ready]", "False, without a reason, while ContainersReady is True"))
        }
        Sign::Reason => crate::facts::evictions::message(case).or_else(|| Some(case.field(".status.phase", "Unknown"))),
        Sign::Collected => Some(case.field(".status.conditions[DisruptionTarget]", "DeletionByPodGC")),
        Sign::Silence => Some(case.field(".status", "no start time and no container status since it was bound")),
    }
}

fn with_fixes(case: &Case<'_>, finding: Finding, node: &str) -> Finding {
    let look = Fix::safe(text![
        "bring the kubelet of node ",
        name(node),
        " back: look at the machine, then at the kubelet on it; its pods then go on, or end, by themselves, and nothing needs \
         to be forced"
    ])
    .command(case.kubectl_cluster(["describe", "node", node]))
    .command("systemctl status kubelet containerd; journalctl -u kubelet --since '30 min ago'");
    let gone = Fix::risking_data(text![
        "if the machine is gone for good: delete Node ",
        name(node),
        ", so that its pods and volumes are let go (never while the machine may still run)"
    ])
    .command(case.kubectl_cluster(["delete", "node", node]))
    .remedy(Action::DeleteNode);
    finding.fix(look).fix(gone)
}

/// The node is gone: its pods are only records.
fn removed(case: &Case<'_>, finding: Finding) -> Finding {
    let wait = Fix::safe(text![
        "wait a minute: the controller manager removes pods whose node is gone, and controllers make new ones"
    ])
    .command(case.kubectl(["get", "pod", case.name(), "-o", "wide"]));
    let delete =
        Fix::risking_data(text!["if it stays: delete the pod by force, once it is certain that the machine is off"])
            .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=0", "--force"]))
            .remedy(Action::ForceDeletePod);
    finding.fix(wait).fix(delete)
}

/// Containers whose end nobody saw: the runtime or the machine went away under them.
fn lost_containers(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    // An eviction, a deadline or a shutdown leaves such containers too, and is the cause then.
    if eviction::of(pod).is_some() || pods::phase(pod) == "Succeeded" {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for container in case.containers() {
        if container.running().is_some() {
            continue;
        }
        let Some(end) = pods::troubling_end(pod, &container, case.now()) else { continue };
        let unseen = match end.reason.as_deref() {
            Some("ContainerStatusUnknown") => true,
            Some("Unknown") => end.exit_code == 255,
            _ => false,
        };
        if !unseen {
            continue;
        }
        let node = pods::node_name(pod).unwrap_or_default();
        let reboot = rebooted(case, node, end)?;
        let finding = case
            .finding_in(Code::NodeLost, &container)
            .root(ObjectRef::new(Kind::Node, None, node))
            .confidence(Confidence::Likely)
            .title(text!["Node ", name(node), " lost sight of container ", name(container.name()), " (restart or power loss)"])
            .explain(text![
                "Nobody saw how the container ended: its node or the node's container runtime went away under it, as in a reboot ",
                "or power loss. Its exit code says nothing about the program."
            ])
            .evidence(case.end_evidence(&container))
            .evidence(reboot.as_ref().map(|event| Evidence::event(event)));
        let finding =
            if reboot.is_some() { finding.caused_in(ObjectRef::new(Kind::Node, None, node)) } else { finding };
        let look = Fix::safe(text!["see whether node ", name(node), " was restarted (event Rebooted), and why"])
            .command(case.kubectl_cluster(["describe", "node", node]))
            .command(case.kubectl_cluster([
                "get",
                "events",
                "-A",
                "--field-selector",
                &format!("involvedObject.kind=Node,involvedObject.name={node}"),
            ]));
        let owned = case.meta().owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
        let again = if owned {
            Fix::disruptive(text![
                "if the pod is not started again by itself: delete it, and its controller makes a new one"
            ])
            .command(case.kubectl(["delete", "pod", case.name()]))
            .remedy(Action::DeletePod)
        } else {
            // Nobody but a person has its manifest.
            Fix::disruptive(text!["no controller owns this pod, so nobody makes it anew: delete it and apply it again"])
                .command(case.kubectl(["delete", "pod", case.name()]))
        };
        found.push(finding.fix(look).fix(again));
        break;
    }
    Ok(found)
}

/// The node's report that it was rebooted since the container started.
fn rebooted(
    case: &Case<'_>,
    node: &str,
    end: &ContainerStateTerminated,
) -> Result<Option<std::sync::Arc<Event>>, Needs> {
    let started = end.started_at.as_ref().map(|time| time.0);
    let mut events = case.events(Kind::Node, None, node, None)?;
    events.retain(|event| event.reason == "Rebooted" && event.last >= started);
    Ok(events.pop())
}
