//! `nodes-cordoned`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{names, root_of_nodes};
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::sites::Block;
use crate::facts::node_state;
use crate::finding::{Action, Confidence, Evidence, Fix, ObjectRef, Severity};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The nodes that would suit the pod are cordoned: a person, an upgrade or an autoscaler has marked them so that
    /// no new pod is placed there. Pods that already run there go on.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) were unschedulable`, or the taint
    /// `node.kubernetes.io/unschedulable`; `spec.unschedulable: true` on the nodes. Of a node that is asked
    /// about itself it is told as a warning.
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
    if let Some(node) = node_state::subject(case) {
        return of_node(case, &node);
    }
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

/// A node that is well, and shut: somebody meant it, so it is told and no fault.
fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let cordoned = node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true);
    if !cordoned || !node_state::is(node, "Ready", "True") || node.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let node_name = node_state::name_of(node);
    let reference = node_state::reference(node);
    let since = node_state::taint(node, "node.kubernetes.io/unschedulable")
        .and_then(|taint| taint.time_added.as_ref())
        .map(|time| time.0);
    let by = node_state::cordoned_by(node).map(|setter| text![" (by ", name(setter.who), ")"]);
    let at = since.map(|at| text![" since ", at]);
    let pods = node_state::burden(case, node_name)?;
    Ok(vec![
        case.finding(Code::NodesCordoned)
            .root(reference.clone())
            // A drain that a budget holds up is what a person has to see to.
            .follows(Code::PdbBlocksEviction)
            .severity(Severity::Warning)
            .title(text![node_state::called(node), " is ready and cordoned", by, ": no new pod is placed there"])
            .explain(text![
                "A person, an upgrade or an autoscaler has marked it",
                at,
                " (",
                kubewhy_text::code("spec.unschedulable: true"),
                "). What runs there goes on, until somebody evicts it."
            ])
            .also(pods)
            .evidence(Evidence::field(&reference, ".spec.unschedulable", "true").at(since))
            .since(since)
            .fix(
                Fix::safe(text!["uncordon it, once the maintenance is over"])
                    .command(case.kubectl_cluster(["uncordon", node_name]))
                    .remedy(Action::Uncordon),
            )
            .fix(
                Fix::safe(text!["if a drain is under way and does not end: see which budgets allow no eviction"])
                    .command(case.kubectl_cluster(["get", "poddisruptionbudgets", "-A"])),
            ),
    ])
}

fn which(nodes: &[&str]) -> Text {
    if nodes.is_empty() {
        return text!["The verdict does not name the nodes: "];
    }
    text![Text::names(nodes.iter().copied(), 4), ": "]
}
