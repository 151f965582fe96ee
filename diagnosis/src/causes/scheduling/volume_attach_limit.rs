//! `volume-attach-limit`.

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::storage::v1::CSINode;
use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::shortage::pods_on;
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::scheduler::Reason;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// A machine can have only so many volumes attached, and every node that would suit the pod has as many as it may.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) exceed max volume count`; `CSINode`
    /// `.spec.drivers[].allocatable.count` is the limit of each driver.
    /// ## Look-alikes
    /// `cluster-out-of-capacity`: cpu, memory or places for pods lack. `volume-attach-failed`: the pod was placed,
    /// and the attachment fails. `rejected-by-kubelet` (`VolumeAttachmentLimitExceeded`): the kubelet refused it.
    /// ## Fixes
    /// Add a node, move pods with volumes elsewhere, or use machines that take more volumes.
    /// ## Source
    /// pkg/scheduler/framework/plugins/nodevolumelimits/csi.go.
    VolumeAttachLimit, stage Scheduling, since "0.1.0", detect
}

/// A node at its limit.
struct Full {
    node: String,
    driver: String,
    limit: i32,
    used: Option<usize>,
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(blockers) = blockers(case)? else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::VolumeAttachLimit, Blocker::AttachLimit) else {
        return Ok(Vec::new());
    };
    let nodes: Vec<String> = blockers
        .known()
        .map(|sites| sites.best().into_iter().take(4).map(|site| site.name().to_owned()).collect())
        .unwrap_or_default();
    let full = limits(case, &nodes)?;
    let edit = edit_template(case)?;
    let count = blockers.unscheduled.verdict.count(|reason| *reason == Reason::VolumeCount);
    let driver = full.first().map_or_else(|| "volumes".to_owned(), |full| full.driver.clone());
    let finding = finding
        .root(ObjectRef::virtual_("Cluster", &driver))
        .title(text![
            "Every node that would suit Pod ",
            name(case.reference().path()),
            " has as many volumes attached as it may"
        ])
        .explain(text![
            "A machine takes only so many volumes at a time; ",
            count,
            if count == 1 { " node has reached its limit, so" } else { " nodes have reached their limit, so" },
            " the pod's volume could not be attached there.",
        ])
        .also(full.first().map(|full| {
            let used = full.used.map(|used| text![" and about ", used, " in use"]);
            text![
                "Node ",
                name(full.node.clone()),
                " has a limit of ",
                full.limit,
                " for ",
                name(full.driver.clone()),
                used,
                "."
            ]
        }));
    let finding = full.iter().take(3).fold(finding, |finding, full| {
        let reference = ObjectRef::new(Kind::CSINode, None, &full.node);
        let path = format!(".spec.drivers[{}].allocatable.count", full.driver);
        finding.evidence(Evidence::field(&reference, &path, full.limit.to_string()))
    });
    let add = Fix::safe(text!["add a node, or move pods with volumes to a node with places left"])
        .command(case.kubectl_cluster(["get", "volumeattachments"]));
    let fewer =
        Fix::disruptive(text!["or use fewer volumes in the pod, or a machine type that takes more"]).command(edit);
    Ok(blockers.finish(finding.fix(add).fix(fewer)))
}

/// The limits of these nodes, and how many different claims their pods use.
fn limits(case: &Case<'_>, nodes: &[String]) -> Result<Vec<Full>, Needs> {
    let answers: Vec<_> = nodes.iter().map(|node| case.get::<CSINode>(None, node)).collect();
    let pods =
        if nodes.is_empty() { Ok(Read::Unreadable) } else { pods_on(case, nodes.iter().map(String::as_str).collect()) };
    let mut limits = Vec::new();
    for (node, answer) in nodes.iter().zip(answers) {
        let Read::Found(csi) = answer? else { continue };
        let known = csi
            .spec
            .drivers
            .iter()
            .filter_map(|driver| Some((driver.name.clone(), driver.allocatable.as_ref()?.count?)));
        if let Some((driver, limit)) = known.min_by_key(|(_, limit)| *limit) {
            limits.push(Full { node: node.clone(), driver, limit, used: None });
        }
    }
    if let Read::Found(pods) = pods? {
        for full in &mut limits {
            let here = pods.iter().filter(|pod| pods::occupies(pod) == Some(full.node.as_str()));
            let claims: BTreeSet<(Option<String>, String)> = here
                .flat_map(|pod: &std::sync::Arc<Pod>| {
                    pods::claims(pod).map(|claim| (pod.metadata.namespace.clone(), claim)).collect::<Vec<_>>()
                })
                .collect();
            full.used = Some(claims.len()).filter(|used| *used > 0);
        }
    }
    Ok(limits)
}
