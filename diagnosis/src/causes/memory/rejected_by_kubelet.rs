//! `rejected-by-kubelet`.

use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::{clean_up, message};
use crate::facts::node_pressure;
use crate::facts::owner::edited;
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction::{self, Status};
use crate::parse::quantity::{Amount, bytes};
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod was bound to a node, and that node's kubelet refused to run it: too little room after all, labels that no
    /// longer match, a device or CPU manager that cannot serve it, or a node under pressure.
    /// ## Signals
    /// Pod failed with reason `OutOfcpu`, `OutOfmemory`, `OutOfpods`, `OutOf...` (`Node didn't have enough resource: R, requested: N,
    /// used: N, capacity: N`), `NodeAffinity`, `NodePorts`, `TaintToleration`, `UnexpectedAdmissionError` (`Allocate failed due to
    /// ...`), `TopologyAffinityError`, `SMTAlignmentError` and others, with `Pod was rejected: ` before the text; reason `Evicted`
    /// with `Pod was rejected: The node had condition: [DiskPressure]`.
    /// ## Look-alikes
    /// `evicted-memory`, `evicted-disk`: evicted while it ran (`The node was low on resource`). `cluster-out-of-capacity`: the
    /// scheduler found no node. `security-profile-missing`: refused for a sysctl or an `AppArmor` profile. `node-shutdown`:
    /// refused because the node was going down.
    /// ## Fixes
    /// Do not set `nodeName` by hand; lower the request or free the node; repair the device plugin; relieve the node of its
    /// pressure; delete the failed pods that pile up.
    /// ## Source
    /// pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/kubelet.go rejectPod, pkg/kubelet/cm
    RejectedByKubelet, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let found = match case.pod().and_then(eviction::of) {
        Some(Status::UnderPressure { conditions }) => under_pressure(case, node, &conditions)?,
        Some(Status::OutOf { resource, numbers }) => out_of(case, node, &resource, numbers.as_ref())?,
        Some(Status::Refused { reason, words }) => refused(case, node, &reason, &words)?,
        _ => return Ok(Vec::new()),
    };
    Ok(vec![found.evidence(message(case)).fix(clean_up(case))])
}

fn base(case: &Case<'_>) -> Finding {
    case.finding(Code::RejectedByKubelet).since(case.pod().and_then(pods::newest_time))
}

fn under_pressure(case: &Case<'_>, node: &str, conditions: &[String]) -> Result<Finding, Needs> {
    let pressure = match conditions.first().map(String::as_str) {
        Some("DiskPressure") => Some(Code::NodeDiskPressure),
        Some("MemoryPressure") => Some(Code::NodeMemoryPressure),
        Some("PIDPressure") => Some(Code::NodePidPressure),
        _ => None,
    };
    let lacks: Vec<&str> = conditions
        .iter()
        .map(|condition| match condition.as_str() {
            "DiskPressure" => "disk space",
            "MemoryPressure" => "memory",
            "PIDPressure" => "process ids",
            _ => "a resource",
        })
        .collect();
    let finding = base(case);
    // The node's own condition tells most while it lasts; after that, what the pod's status says of it.
    let finding = if node_pressure::lasts(case, conditions)? {
        finding.caused_in(ObjectRef::new(Kind::Node, None, node))
    } else if let Some(pressure) = pressure {
        finding.follows(pressure)
    } else {
        finding
    };
    Ok(finding
        .root(ObjectRef::new(Kind::Node, None, node))
        .title(text!["Node ", name(node), " is under pressure (", Text::names(conditions.iter().cloned(), 3), ") and refused the pod"])
        .explain(text![
            "Node ",
            name(node),
            " is short of ",
            own(lacks.join(" and ")),
            ". While it is, its kubelet takes no new pods, and refuses its own after a restart of the kubelet. The pod itself ",
            "did nothing wrong; the node is the matter."
        ])
        .fix(
            Fix::safe(text!["relieve node ", name(node), " of its pressure: see what takes its ", own(lacks.join(" and "))])
                .command(case.kubectl_cluster(["describe", "node", node])),
        ))
}

fn out_of(case: &Case<'_>, node: &str, resource: &str, numbers: Option<&[String; 3]>) -> Result<Finding, Needs> {
    let sum = numbers.and_then(|[requested, used, capacity]| {
        let amount = |text: &str| text.parse::<i128>().ok();
        let (requested, used, capacity) = (amount(requested)?, amount(used)?, amount(capacity)?);
        let show = |value: i128| code(shown(resource, value));
        Some(text![
            "It asks for ",
            show(requested),
            " of ",
            name(resource),
            "; of the node's ",
            show(capacity),
            ", ",
            show(used),
            " are taken, so ",
            show((requested + used - capacity).max(0)),
            " are lacking."
        ])
    });
    let move_on = Fix::disruptive(text![
        "let the scheduler choose the node: leave ",
        code("nodeName"),
        " out of the template, and run only one scheduler for a node"
    ]);
    Ok(base(case)
        .root(ObjectRef::new(Kind::Node, None, node).with_detail(resource))
        .title(text!["Node ", name(node), " has too little ", name(resource), " left and refused the pod"])
        .explain(text![
            "The pod was bound to node ",
            name(node),
            ", and the node's kubelet counted again and refused it."
        ])
        .also(sum)
        .also(text![
            "That happens when something takes room that the scheduler does not see: a pod with nodeName set by hand, a second ",
            "scheduler, static pods, a node that has just restarted."
        ])
        .fix(edited(case, move_on)?)
        .fix(
            Fix::safe(text!["see what takes the node's ", name(resource)])
                .command(case.kubectl_cluster(["describe", "node", node])),
        ))
}

/// The kubelet counts CPU in thousandths and everything else in whole units.
fn shown(resource: &str, value: i128) -> String {
    match resource {
        "cpu" => format!("{value}m"),
        "memory" | "ephemeral-storage" => bytes(value),
        _ => Amount::parse(&value.to_string()).unwrap_or_default().to_string(),
    }
}

fn refused(case: &Case<'_>, node: &str, reason: &str, words: &str) -> Result<Finding, Needs> {
    let (why, fix, of_node) = meaning(node, reason, words);
    let finding = base(case)
        .confidence(Confidence::Certain)
        .title(text!["Node ", name(node), " refused the pod: ", name(reason)])
        .explain(text![
            "The pod was bound to node ",
            name(node),
            ", and its kubelet refused to run it: ",
            quoted(words),
            ". ",
            why
        ]);
    let look = Fix::safe(text!["look at node ", name(node)]).command(case.kubectl_cluster(["describe", "node", node]));
    if of_node {
        return Ok(finding.root(ObjectRef::new(Kind::Node, None, node)).fix(fix).fix(look));
    }
    Ok(finding.via(ObjectRef::new(Kind::Node, None, node)).fix(edited(case, fix)?).fix(look))
}

/// What a refusal means, what ends it, and whether it is the node's matter.
fn meaning(node: &str, reason: &str, words: &str) -> (Text, Fix, bool) {
    match reason {
        "NodeAffinity" | "NodeSelectorMismatching" | "MatchNodeSelector" | "PodOSSelectorNodeLabelDoesNotMatch" => (
            text![
                "The node's labels do not match the pod's node selector or affinity: they changed after the pod was bound, or nodeName was set by hand."
            ],
            Fix::disruptive(text!["give node ", name(node), " its label back, or correct the pod's node selector"]),
            false,
        ),
        "TaintToleration" | "PodToleratesNodeTaints" => (
            text![
                "The node has a taint that the pod does not tolerate, and the scheduler was passed over (nodeName set by hand)."
            ],
            Fix::disruptive(text!["tolerate the taint, or let the scheduler choose the node"]),
            false,
        ),
        "NodePorts" | "PodFitsHostPorts" => (
            text!["Another pod of the node has the host port already."],
            Fix::disruptive(text!["use another ", code("hostPort"), ", or none: a Service needs none"]),
            false,
        ),
        "UnexpectedAdmissionError" if words.contains("device") || words.contains("Allocate failed") => (
            text![
                "The device plugin had no healthy device for it: it was restarting, or its devices are taken or broken."
            ],
            Fix::safe(text![
                "look at the device plugin's pod on node ",
                name(node),
                "; a new pod works when the devices are back"
            ]),
            true,
        ),
        "TopologyAffinityError" | "SMTAlignmentError" => (
            text![
                "The node's topology policy asks for CPUs and devices of one NUMA node or whole cores, and there are none left together."
            ],
            Fix::disruptive(text![
                "ask for less or for whole cores, or relax the node's topologyManagerPolicy or cpuManagerPolicy"
            ]),
            true,
        ),
        _ => (
            text!["A new pod on the same node ends in the same way until that is changed."],
            Fix::disruptive(text!["change what the kubelet names, or let the pod run on other nodes"]),
            false,
        ),
    }
}
