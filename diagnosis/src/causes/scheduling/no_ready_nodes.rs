//! `no-ready-nodes`.

use k8s_openapi::api::core::v1::NodeCondition;
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::cluster::network_partition;
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{names, root_of_nodes};
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::sites::{Block, Site};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The nodes that would suit the pod are not ready, or the cluster has no node at all. No pod can be placed until
    /// a node is back.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `no nodes available to schedule pods`, or untolerated taints
    /// `node.kubernetes.io/not-ready` and `node.kubernetes.io/unreachable`; condition `Ready` of the nodes False (the
    /// kubelet says why) or Unknown (the kubelet has fallen silent: `Kubelet stopped posting node status.`).
    /// ## Look-alikes
    /// `nodes-cordoned`: the nodes are well and shut. `untolerated-taint`: any other taint.
    /// `cluster-out-of-capacity`: a ready node is there and full. `node-lost`: the pod ran on the node that went away.
    /// ## Fixes
    /// Bring a node back: look at its kubelet, its runtime and its network; or add a node.
    /// ## Source
    /// pkg/controller/nodelifecycle/node_lifecycle_controller.go; pkg/scheduler/schedule_one.go (ErrNoNodesAvailable).
    NoReadyNodes, stage Scheduling, since "0.1.0", detect
}

/// So many nodes are told one by one.
const SHOWN: usize = 3;

fn detect(case: &Case<'_>) -> Verdict {
    let Some(blockers) = blockers(case)? else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::NoReadyNodes, Blocker::Unready) else { return Ok(Vec::new()) };
    let sites = blockers.nodes_with(|block| matches!(block, Block::Unready));
    let no_node = blockers.unscheduled.verdict.nodes == Some(0);
    if no_node {
        return Ok(blockers.finish(without_nodes(case, finding)));
    }
    let total = blockers.known().map_or(0, |sites| sites.all.len());
    let all = if total > 0 && sites.len() == total {
        "No node is ready: "
    } else {
        "No node suitable for the pod is ready: "
    };
    let finding = lead(case, finding, &sites)?;
    let silent = sites.iter().any(|site| ready(site).is_some_and(|condition| condition.status == "Unknown"));
    let finding = if sites.is_empty() { finding.confidence(Confidence::Likely) } else { finding };
    let finding = finding
        .root(root_of_nodes(&sites, "nodes"))
        .title(match sites.as_slice() {
            [] => text!["No suitable node is ready for Pod ", name(case.reference().path())],
            many => text![all, names(many)],
        })
        .explain(text!["A node that is not ready is tainted, and no pod is placed there.", states(&sites),])
        .also(silent.then(|| {
            text![
                "Unknown means that the kubelet of the node has stopped reporting: the \
        machine is down, cut off, or its kubelet does not run."
            ]
        }));
    let finding = sites.iter().take(SHOWN).fold(finding, |finding, site| finding.evidence(evidence(site)));
    let look = match sites.first() {
        Some(site) => {
            Fix::safe(text!["bring Node ", name(site.name()), " back: see what it says, then look at its kubelet"])
                .command(case.kubectl_cluster(["describe", "node", site.name()]))
                .command("systemctl status kubelet; journalctl -u kubelet -n 50 --no-pager".to_owned())
        }
        None => Fix::safe(text!["see which node is not ready, and look at its kubelet"])
            .command(case.kubectl_cluster(["get", "nodes", "-o", "wide"])),
    };
    Ok(blockers.finish(finding.fix(look).fix(Fix::safe(text!["or add a node in its place"]))))
}

/// One node's own trouble leads, and so does what several have in common; else each has its own.
fn lead(case: &Case<'_>, finding: Finding, sites: &[&Site]) -> Result<Finding, Needs> {
    let Some(first) = sites.first() else { return Ok(finding) };
    let node = ObjectRef::new(Kind::Node, None, first.name());
    let together = sites.len() > 1 && network_partition::among(case)?.is_some_and(|it| it.holds(first.name()));
    Ok(if sites.len() == 1 || together { finding.caused_in(node) } else { finding })
}

fn without_nodes(case: &Case<'_>, finding: Finding) -> Finding {
    finding
        .root(ObjectRef::virtual_("Cluster", "nodes"))
        .confidence(Confidence::Certain)
        .title(text!["The cluster has no node on which Pod ", name(case.reference().path()), " could be placed"])
        .explain(text![
            "The scheduler knows no node at all. Either none has joined the cluster (its kubelet does not reach \
            the API server, or may not register), or all were removed.",
        ])
        .fix(Fix::safe(text!["see whether nodes are registered"]).command(case.kubectl_cluster(["get", "nodes"])))
        .fix(
            Fix::safe(text!["start a node, or look at the kubelet of a machine that should have joined"])
                .command("journalctl -u kubelet -n 50 --no-pager".to_owned()),
        )
}

fn ready(site: &Site) -> Option<&NodeCondition> {
    let conditions = site.node.status.as_ref()?.conditions.as_ref()?;
    conditions.iter().find(|condition| condition.type_ == "Ready")
}

/// What each node says of itself; beyond a few, the rest is counted.
fn states(sites: &[&Site]) -> Text {
    let mut all = Text::default();
    for site in sites.iter().take(SHOWN) {
        all.push(" ");
        all.push(state(site));
    }
    let rest = sites.len().saturating_sub(SHOWN);
    if rest > 0 {
        all.push(text![" So have ", rest, " more nodes."]);
    }
    all
}

fn state(site: &Site) -> Text {
    let Some(condition) = ready(site) else { return Text::default() };
    let message = condition.message.clone().filter(|message| !message.is_empty());
    let said = message.map(|message| text![": ", kubewhy_text::quoted(message)]);
    let since = condition.last_transition_time.as_ref().map(|time| text![" since ", time.0]);
    text!["Node ", name(site.name()), " has Ready ", name(condition.status.clone()), since, said, "."]
}

fn evidence(site: &Site) -> Option<Evidence> {
    let condition = ready(site)?;
    let node = ObjectRef::new(Kind::Node, None, site.name());
    let message = condition.message.as_deref().unwrap_or_default();
    let reason = condition.reason.as_deref().unwrap_or_default();
    let text = format!("{} {reason}: {message}", condition.status);
    Some(
        Evidence::field(&node, ".status.conditions[Ready]", text)
            .at(condition.last_transition_time.as_ref().map(|t| t.0)),
    )
}
