//! `nodes-cordoned`.

use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{names, root_of_nodes};
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::sites::Block;
use crate::finding::{Action, Confidence, Evidence, Fix, ObjectRef};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The nodes that would suit the pod are cordoned: a person, an upgrade or an autoscaler has marked them so that
    /// no new pod is placed there. Pods that already run there go on.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) were unschedulable`, or the taint
    /// `node.kubernetes.io/unschedulable`; `spec.unschedulable: true` on the nodes.
    /// ## Look-alikes
    /// `untolerated-taint`: another taint. `no-ready-nodes`: the nodes are down. `cluster-out-of-capacity`: nodes
    /// that are not cordoned are full. A pod that runs on a cordoned node is no fault.
    /// ## Fixes
    /// Uncordon the nodes when their maintenance is over, or add others.
    /// ## Source
    /// pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go.
    NodesCordoned, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(blockers) = blockers(case)? else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::NodesCordoned, Blocker::Cordoned) else { return Ok(Vec::new()) };
    let sites = blockers.nodes_with(|block| matches!(block, Block::Cordoned));
    let title = match sites.as_slice() {
        [] => text!["The nodes that would suit Pod ", name(case.reference().path()), " are cordoned"],
        [one] => text![
            "Node ",
            name(one.name()),
            " is cordoned, and no other is suitable for Pod ",
            name(case.reference().path())
        ],
        many => text![
            "All ",
            many.len(),
            " nodes suitable for Pod ",
            name(case.reference().path()),
            " are cordoned: ",
            names(many)
        ],
    };
    let finding = if sites.is_empty() { finding.confidence(Confidence::Likely) } else { finding };
    let finding = finding
        .root(root_of_nodes(&sites, "nodes"))
        .title(if blockers.leads(Blocker::Cordoned) {
            title
        } else {
            text!["Cordoned, and so not used: ", names(&sites)]
        })
        .explain(text![
            "A cordoned node takes no new pods; those that run there go on. ",
            which(&sites.iter().map(|site| site.name()).collect::<Vec<_>>()),
            "a person, an upgrade or an autoscaler has marked them (",
            kubewhy_text::code("spec.unschedulable: true"),
            ").",
        ]);
    let finding = sites.iter().take(3).fold(finding, |finding, site| {
        let node = ObjectRef::new(Kind::Node, None, site.name());
        finding.evidence(Evidence::field(&node, ".spec.unschedulable", "true"))
    });
    let uncordon = Fix::safe(text!["uncordon them, once the maintenance is over"]).remedy(Action::Uncordon);
    let uncordon = if sites.is_empty() {
        uncordon.command(case.kubectl_cluster(["get", "nodes"]))
    } else {
        sites.iter().take(4).fold(uncordon, |fix, site| fix.command(case.kubectl_cluster(["uncordon", site.name()])))
    };
    let add = Fix::safe(text!["or add nodes in their place"]);
    Ok(blockers.finish(finding.fix(uncordon).fix(add)))
}

fn which(nodes: &[&str]) -> Text {
    if nodes.is_empty() {
        return text!["The verdict does not name the nodes: "];
    }
    text![Text::names(nodes.iter().copied(), 4), ": "]
}
