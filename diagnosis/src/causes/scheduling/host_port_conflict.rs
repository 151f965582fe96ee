//! `host-port-conflict`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, Blockers, blockers};
use crate::facts::capacity::neighbours::{HostPort, are_siblings, collide, host_ports, path};
use crate::facts::capacity::shortage::pods_on;
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The pod wants a port of the node itself, and on every node that would suit it another pod has that port.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) didn't have free ports for the requested pod ports`.
    /// With `hostNetwork` every declared port is one of the node. One node holds one replica; a rolling update that
    /// starts the new pod first needs a free node.
    /// ## Look-alikes
    /// `port-in-use`: the pod was placed and its process cannot listen. `rejected-by-kubelet` (`NodePorts`): the
    /// kubelet refused it. `pod-anti-affinity-conflict`: a rule keeps replicas apart, not a port.
    /// ## Fixes
    /// Do without the host port (a Service reaches pods without it), run as many replicas as nodes, or let the old
    /// pod go first (`maxSurge: 0`).
    /// ## Source
    /// pkg/scheduler/framework/plugins/nodeports/node_ports.go.
    HostPortConflict, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (blockers(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::HostPortConflict, Blocker::HostPort) else { return Ok(Vec::new()) };
    let wanted = host_ports(pod);
    let holders = holders(case, &blockers, pod, &wanted)?;
    let edit = edit_template(case)?;
    let held = |port: &&HostPort| holders.is_empty() || holders.iter().any(|(_, held)| collide(port, held));
    let taken: Vec<&HostPort> = wanted.iter().filter(held).collect();
    let siblings = holders.iter().any(|(holder, _)| are_siblings(holder, pod));
    let container = case.containers().find(|view| {
        let ports = view.spec.ports.iter().flatten();
        ports.into_iter().any(|port| taken.iter().any(|(_, _, number)| port.host_port == Some(*number)))
    });
    let finding = finding
        .title(text![
            "Host port ",
            ports(&taken),
            " that Pod ",
            name(case.reference().path()),
            " wants is taken \
        on every suitable node"
        ])
        .explain(text![
            "A host port is a port of the node itself, so one node can hold one such pod. ",
            held_by(&holders),
        ])
        .also(siblings.then(|| {
            text![
                "The holder is a replica of the same workload: it can have only as many replicas as there are \
            suitable nodes, and a rolling update needs one node more unless the old pod goes first."
            ]
        }));
    let finding = match &container {
        Some(container) => finding.container(container.name()).evidence(case.field(
            &format!("{}.ports", container.spec_path()),
            taken.iter().map(|port| format!("hostPort {} {}", port.2, port.0)).collect::<Vec<_>>().join(", "),
        )),
        None => finding,
    };
    let finding = holders.iter().take(3).fold(finding, |finding, (holder, port)| {
        let meta = &holder.metadata;
        let reference = ObjectRef::new(Kind::Pod, meta.namespace.as_deref(), meta.name.as_deref().unwrap_or_default());
        let node = pods::node_name(holder).unwrap_or_default();
        finding.evidence(Evidence::field(
            &reference,
            ".spec.containers[*].ports",
            format!("hostPort {} {} on node {node}", port.2, port.0),
        ))
    });
    let drop =
        Fix::disruptive(text!["drop the hostPort (a Service reaches the pod without it), or choose another port"])
            .command(edit.clone());
    let fewer = siblings.then(|| {
        Fix::disruptive(text![
            "or run no more replicas than nodes, and let an update stop the old pod first \
        (maxSurge 0, maxUnavailable 1)"
        ])
        .command(edit)
    });
    let see = holders.is_empty().then(|| {
        Fix::safe(text!["find the pod that has the port"]).command(case.kubectl_cluster([
            "get",
            "pods",
            "--all-namespaces",
            "-o",
            "wide",
        ]))
    });
    Ok(blockers.finish(finding.fix(see).fix(drop).fix(fewer)))
}

/// The pods that have one of the ports, on the nodes that would suit the pod.
fn holders(
    case: &Case<'_>,
    blockers: &Blockers,
    pod: &Pod,
    wanted: &[HostPort],
) -> Result<Vec<(Arc<Pod>, HostPort)>, Needs> {
    let Some(sites) = blockers.known() else { return Ok(Vec::new()) };
    let nodes: Vec<&str> = sites.best().into_iter().map(crate::facts::capacity::sites::Site::name).collect();
    let Read::Found(pods) = pods_on(case, nodes.clone())? else { return Ok(Vec::new()) };
    let mut holders = Vec::new();
    for other in pods {
        let here = pods::occupies(&other).is_some_and(|node| nodes.contains(&node));
        if !here || other.metadata.uid.is_some() && other.metadata.uid == pod.metadata.uid {
            continue;
        }
        let held = host_ports(&other).into_iter().find(|held| wanted.iter().any(|port| collide(port, held)));
        if let Some(held) = held {
            holders.push((other, held));
        }
    }
    Ok(holders)
}

fn ports(taken: &[&HostPort]) -> Text {
    let mut numbers: Vec<String> = taken.iter().map(|(protocol, _, number)| format!("{number}/{protocol}")).collect();
    numbers.dedup();
    text![own(numbers.join(", "))]
}

fn held_by(holders: &[(Arc<Pod>, HostPort)]) -> Text {
    if holders.is_empty() {
        return text!["Which pods have it could not be read."];
    }
    let mut text = Text::default();
    for (index, (holder, port)) in holders.iter().take(3).enumerate() {
        if index > 0 {
            text.push("; ");
        }
        let node = pods::node_name(holder).unwrap_or_default();
        text.push(text!["Pod ", name(path(holder)), " has ", own(port.2.to_string()), " on Node ", name(node)]);
    }
    let more = holders.len().saturating_sub(3);
    if more > 0 {
        text.push(text![" and ", more, " more"]);
    }
    text.push(".");
    text
}
