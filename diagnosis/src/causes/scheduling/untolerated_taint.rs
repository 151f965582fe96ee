//! `untolerated-taint`.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Node, Taint};
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{edit_template, names, root_of_nodes};
use crate::facts::capacity::blockers::{Blocker, Blockers, blockers, tells_of_trouble};
use crate::facts::capacity::sites::{Block, Site};
use crate::facts::node_state;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::parse::scheduler::Reason;

cause! {
    /// ## What it means
    /// The nodes that would suit the pod carry a taint that it does not tolerate: a mark that keeps pods away.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) had untolerated taint {key: value}`, in newer
    /// versions also `node(s) had untolerated taint(s)` without the key (the key is read from the nodes), in old ones
    /// `node(s) had taint {key: value}, that the pod didn't tolerate`. Taints of `node.kubernetes.io/disk-pressure`,
    /// `memory-pressure`, `pid-pressure`, `network-unavailable` are set by the node's own trouble.
    /// ## Look-alikes
    /// `no-ready-nodes`: the taint is `not-ready` or `unreachable`. `nodes-cordoned`: it is `unschedulable`. The
    /// taint of control-plane nodes is the cause only where there is no other node. `evicted-by-taint`: a pod that
    /// ran was removed.
    /// ## Fixes
    /// Mend the node where the taint tells of trouble; else remove the taint, or tolerate it in the template.
    /// ## Source
    /// pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go;
    /// <https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/>
    UntoleratedTaint, stage Scheduling, since "0.1.0", detect
}

/// A taint and the nodes that carry it.
struct Barrier<'s> {
    taint: Taint,
    sites: Vec<&'s Site>,
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = node_state::subject(case) {
        return Ok(uninitialised(case, &node).into_iter().collect());
    }
    let Some(blockers) = blockers(case)? else { return Ok(Vec::new()) };
    let which = if blockers.has(Blocker::Taint) { Blocker::Taint } else { Blocker::ControlPlane };
    let Some(finding) = blockers.start(case, Code::UntoleratedTaint, which) else { return Ok(Vec::new()) };
    let edit = edit_template(case)?;
    let barriers = barriers(&blockers, which);
    let Some(first) = barriers.first() else {
        return Ok(blockers.finish(unnamed(case, finding, edit)));
    };
    let finding = if blockers.verified { finding } else { finding.confidence(Confidence::Likely) };
    let key = first.taint.key.clone();
    let trouble = tells_of_trouble(&key);
    let total = blockers.known().map_or(0, |sites| sites.all.len());
    let shut_out = total > 0 && first.sites.len() == total;
    let finding = match first.sites.first().filter(|_| trouble) {
        // The node's own trouble is what a person has to end.
        Some(site) => finding.caused_in(ObjectRef::new(Kind::Node, None, site.name())),
        None => finding,
    };
    let finding = if trouble || shut_out { finding.root(root_of_nodes(&first.sites, &key)) } else { finding };
    let finding = finding
        .title(title(case, first))
        .explain(text![
            on_nodes(first, &blockers),
            " the taint ",
            name(show(&first.taint)),
            ", and Pod ",
            name(case.reference().path()),
            " does not tolerate it, so it may not be placed there.",
        ])
        .also(meaning(&key))
        .also((barriers.len() > 1).then(|| {
            let others = barriers.iter().skip(1).map(|barrier| show(&barrier.taint));
            text!["Other taints in the way: ", Text::names(others, 4), "."]
        }));
    let finding = first.sites.iter().take(3).fold(finding, |finding, site| {
        let node = ObjectRef::new(Kind::Node, None, site.name());
        finding.evidence(Evidence::field(&node, ".spec.taints", show(&first.taint)))
    });
    Ok(blockers.finish(fixes(case, finding, first, edit)))
}

/// A node that its cloud has not taken up: no pod is placed there until it has.
fn uninitialised(case: &Case<'_>, node: &Node) -> Option<Finding> {
    let taint = node_state::taint(node, "node.cloudprovider.kubernetes.io/uninitialized")?;
    if node_state::is_joining(node, case.now()) || !node_state::is(node, "Ready", "True") {
        return None;
    }
    let reference = node_state::reference(node);
    let finding = case
        .finding(Code::UntoleratedTaint)
        .root(reference.clone())
        .severity(Severity::Warning)
        .title(text!["The cloud controller manager has not taken up ", node_state::called(node), " yet"])
        .explain(text![
            node_state::called(node),
            " is Ready and carries the taint ",
            name(show(taint)),
            " since it joined, so ordinary pods may not be placed there."
        ])
        .also(meaning(&taint.key))
        .evidence(Evidence::field(&reference, ".spec.taints", show(taint)))
        .since(node.metadata.creation_timestamp.as_ref().map(|time| time.0))
        .fix(
            Fix::safe(text!["see whether the cloud controller manager runs, and what it says of the node"])
                .command(case.kubectl_in("kube-system", ["get", "pods", "-o", "wide"]))
                .command(
                    case.kubectl_in("kube-system", ["logs", "-l", "component=cloud-controller-manager", "--tail=50"]),
                ),
        );
    Some(finding)
}

/// The taints in the way on the nodes nearest to suitable, the most frequent first; from the verdict where nodes are
/// unknown.
fn barriers(blockers: &Blockers, which: Blocker) -> Vec<Barrier<'_>> {
    let passes = |block: &Block| match block {
        Block::Pressure(_) | Block::Taint(_) => which == Blocker::Taint,
        Block::ControlPlane(_) => which == Blocker::ControlPlane,
        _ => false,
    };
    let mut found: BTreeMap<(String, String), Barrier<'_>> = BTreeMap::new();
    for site in blockers.nodes_with(passes) {
        for block in &site.blocks {
            let (Block::Pressure(taint) | Block::Taint(taint) | Block::ControlPlane(taint)) = block else { continue };
            if !passes(block) {
                continue;
            }
            let key = (taint.key.clone(), taint.value.clone().unwrap_or_default());
            let barrier = found.entry(key).or_insert_with(|| Barrier { taint: taint.clone(), sites: Vec::new() });
            if !barrier.sites.iter().any(|other| other.name() == site.name()) {
                barrier.sites.push(site);
            }
        }
    }
    if found.is_empty() {
        for part in &blockers.unscheduled.verdict.parts {
            let Reason::Taint { key, value } = &part.reason else { continue };
            let passive =
                matches!(key.as_str(), "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master");
            if passive != (which == Blocker::ControlPlane) {
                continue;
            }
            let taint = Taint { key: key.clone(), value: Some(value.clone()), ..Taint::default() };
            found.insert((key.clone(), value.clone()), Barrier { taint, sites: Vec::new() });
        }
    }
    let mut barriers: Vec<Barrier<'_>> = found.into_values().collect();
    barriers.sort_by_key(|barrier| std::cmp::Reverse(barrier.sites.len()));
    barriers
}

/// `key=value:Effect`, as `kubectl taint` takes it.
fn show(taint: &Taint) -> String {
    let value = taint.value.as_deref().filter(|value| !value.is_empty()).map(|value| format!("={value}"));
    let effect = if taint.effect.is_empty() { String::new() } else { format!(":{}", taint.effect) };
    format!("{}{}{effect}", taint.key, value.unwrap_or_default())
}

fn title(case: &Case<'_>, barrier: &Barrier<'_>) -> Text {
    let taint = name(show(&barrier.taint));
    match barrier.sites.as_slice() {
        [] => text!["Pod ", name(case.reference().path()), " does not tolerate the taint ", taint],
        [one] => text![
            "Pod ",
            name(case.reference().path()),
            " does not tolerate the taint ",
            taint,
            " of Node ",
            name(one.name())
        ],
        many => text![
            "Pod ",
            name(case.reference().path()),
            " does not tolerate the taint ",
            taint,
            " of ",
            many.len(),
            " nodes"
        ],
    }
}

fn on_nodes(barrier: &Barrier<'_>, blockers: &Blockers) -> Text {
    if barrier.sites.is_empty() {
        let nodes = blockers.unscheduled.verdict.count(|reason| match reason {
            Reason::Taint { key, .. } => *key == barrier.taint.key,
            _ => false,
        });
        return if nodes == 1 { text!["1 node carries"] } else { text![nodes, " nodes carry"] };
    }
    let carry = if barrier.sites.len() == 1 { " carries" } else { " carry" };
    text!["Node ", names(&barrier.sites), carry]
}

/// What a well-known taint tells.
fn meaning(key: &str) -> Option<Text> {
    Some(match key {
        "node.kubernetes.io/disk-pressure" => {
            text![
                "The node sets it by itself while its disk is nearly full, and takes it away some minutes after \
                there is space again."
            ]
        }
        "node.kubernetes.io/memory-pressure" => {
            text!["The node sets it by itself while its memory is nearly used up."]
        }
        "node.kubernetes.io/pid-pressure" => {
            text!["The node sets it by itself while it has nearly no process ids left."]
        }
        "node.kubernetes.io/network-unavailable" => {
            text![
                "It stays until the network plugin or the cloud's route controller says that the node's network \
                is set up."
            ]
        }
        "node.cloudprovider.kubernetes.io/uninitialized" => {
            text![
                "It stays until the cloud controller manager has seen the node; where it lasts, that controller \
                does not run."
            ]
        }
        "node.cloudprovider.kubernetes.io/shutdown" => text!["The cloud says that the machine is shut down."],
        "node.kubernetes.io/out-of-service" => text!["A person has declared the node dead."],
        "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master" => {
            text!["It keeps ordinary pods off control-plane nodes, and there is no other node that would do."]
        }
        "ToBeDeletedByClusterAutoscaler" | "DeletionCandidateOfClusterAutoscaler" => {
            text!["The cluster autoscaler is removing the node."]
        }
        "karpenter.sh/disrupted" | "karpenter.sh/disruption" => text!["Karpenter is replacing the node."],
        key if key.ends_with("agent-not-ready") || key.ends_with("unregistered") => {
            text!["It stays until an agent on the node is up; where it lasts, look at that agent's pod."]
        }
        _ => return None,
    })
}

fn fixes(case: &Case<'_>, finding: Finding, barrier: &Barrier<'_>, edit: String) -> Finding {
    let taint = &barrier.taint;
    let node = barrier.sites.first().map(|site| site.name());
    if tells_of_trouble(&taint.key) {
        let what = match taint.key.as_str() {
            "node.kubernetes.io/disk-pressure" => {
                "free disk space on the node (old images, logs, emptyDir volumes); the taint goes by itself"
            }
            "node.kubernetes.io/memory-pressure" => {
                "free memory on the node: find what uses it; the taint goes by itself"
            }
            "node.kubernetes.io/pid-pressure" => {
                "find what has so many processes on the node; the taint goes by itself"
            }
            _ => "mend what the taint tells of; it goes by itself then",
        };
        let command = node.map(|node| case.kubectl_cluster(["describe", "node", node]));
        let fix = Fix::safe(text![what]);
        return finding.fix(match command {
            Some(command) => fix.command(command),
            None => fix.command(case.kubectl_cluster(["describe", "nodes"])),
        });
    }
    let tolerate = Fix::disruptive(text![
        "tolerate the taint, if the pod is meant for these nodes: add a toleration for ",
        name(show(taint)),
        " to the template",
    ])
    .command(edit);
    let effect = if taint.effect.is_empty() { String::new() } else { format!(":{}", taint.effect) };
    let remove = format!("{}{effect}-", taint.key);
    let remove = match node {
        Some(node) => Fix::disruptive(text![
            "or remove the taint, if it has served its purpose: pods without a toleration may run there then"
        ])
        .command(case.kubectl_cluster(["taint", "node", node, &remove])),
        None => Fix::safe(text!["see the taints of the nodes"]).command(case.kubectl_cluster([
            "get",
            "nodes",
            "-o",
            "custom-columns=NAME:.metadata.name,TAINTS:.spec.taints[*].key",
        ])),
    };
    finding.fix(tolerate).fix(remove)
}

/// The verdict does not name the taint, and the nodes could not be read.
fn unnamed(case: &Case<'_>, finding: Finding, edit: String) -> Finding {
    finding
        .confidence(Confidence::Likely)
        .title(text!["Pod ", name(case.reference().path()), " does not tolerate a taint of the nodes"])
        .explain(text![
            "The nodes carry a taint, a mark that keeps pods away unless they tolerate it, and this pod does \
            not. The scheduler of this version does not name the taint.",
        ])
        .fix(Fix::safe(text!["see the taints of the nodes"]).command(case.kubectl_cluster([
            "get",
            "nodes",
            "-o",
            "custom-columns=NAME:.metadata.name,TAINTS:.spec.taints[*].key",
        ])))
        .fix(
            Fix::disruptive(text![
                "add a toleration to the template, if the pod is meant for these \
        nodes"
            ])
            .command(edit),
        )
}
