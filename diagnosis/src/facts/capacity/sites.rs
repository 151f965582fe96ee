//! The nodes, and what bars the pod from each of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod, Taint};

use crate::ask::Filter;
use crate::case::Case;
use crate::facts::capacity::demand::Demand;
use crate::facts::capacity::matching::{label, pinned_node, required_affinity, selects, untolerated};
use crate::parse::quantity::Amount;
use crate::parse::scheduler::{Reason, SchedulerVerdict};
use crate::pods;
use crate::reader::{Needs, Read, Reading};

/// What bars a pod from a node, whatever runs there.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Block {
    /// The pod was made for another node (`DaemonSet`).
    OtherNode,
    /// The node is cordoned.
    Cordoned,
    /// The node is not ready.
    Unready,
    /// A taint by which the node tells of its own trouble: `node.kubernetes.io/disk-pressure`.
    Pressure(Taint),
    /// A taint that the pod does not tolerate.
    Taint(Taint),
    /// The taint of control-plane nodes.
    ControlPlane(Taint),
    /// A label of the nodeSelector that the node has not.
    Selector(String, String),
    /// The required node affinity.
    Affinity,
    /// A bound volume that can be reached from other nodes only.
    Volume,
    /// The node could not hold the request if it were empty.
    TooSmall(String),
}

impl Block {
    /// How far from suitable a node is with it: what is there by design weighs more than what came to pass.
    fn weight(&self) -> u32 {
        match self {
            Self::Cordoned | Self::Unready => 2,
            Self::Pressure(_) | Self::Taint(_) => 3,
            Self::Volume => 6,
            Self::TooSmall(_) => 7,
            Self::ControlPlane(_) => 8,
            Self::Selector(..) | Self::Affinity => 10,
            Self::OtherNode => 100,
        }
    }
}

/// A node and what bars the pod from it.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The node.
    pub(crate) node: Arc<Node>,
    /// What bars the pod.
    pub(crate) blocks: Vec<Block>,
}

impl Site {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.node.metadata.name.as_deref().unwrap_or_default()
    }

    /// How far from suitable it is.
    pub(crate) fn weight(&self) -> u32 {
        let mut seen: Vec<std::mem::Discriminant<Block>> = Vec::new();
        let mut weight = 0;
        for block in &self.blocks {
            let kind = std::mem::discriminant(block);
            if !seen.contains(&kind) {
                seen.push(kind);
                weight += block.weight();
            }
        }
        weight
    }

    /// Tells whether one of its blocks passes.
    pub(crate) fn has(&self, passes: impl Fn(&Block) -> bool) -> bool {
        self.blocks.iter().any(passes)
    }

    /// What the node can give of a resource; `None` where it does not name it.
    pub(crate) fn allocatable(&self, resource: &str) -> Option<Amount> {
        let status = self.node.status.as_ref()?;
        Amount::in_list(status.allocatable.as_ref(), resource)
    }
}

/// All nodes.
#[derive(Clone, Debug)]
pub(crate) struct Sites {
    /// Each with what bars the pod.
    pub(crate) all: Vec<Site>,
    /// The list holds as many nodes as the scheduler knew.
    pub(crate) complete: bool,
    /// The volumes that the pod is bound to.
    pub(crate) volumes: Vec<HeldVolume>,
}

impl Sites {
    /// The nodes that are nearest to suitable.
    pub(crate) fn best(&self) -> Vec<&Site> {
        let least = self.all.iter().map(Site::weight).min();
        self.all.iter().filter(|site| Some(site.weight()) == least).collect()
    }
}

/// A volume that the pod uses, and its claim.
#[derive(Clone, Debug)]
pub(crate) struct HeldVolume {
    /// The claim.
    pub(crate) claim: String,
    /// The volume.
    pub(crate) volume: Arc<PersistentVolume>,
}

impl HeldVolume {
    /// Its name.
    pub(crate) fn name(&self) -> &str {
        self.volume.metadata.name.as_deref().unwrap_or_default()
    }

    /// Tells whether a node may use it: its node affinity, and its zone and region labels (several are joined by `__`).
    pub(crate) fn reaches(&self, node: &Node) -> bool {
        let required = self.volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref()?.required.as_ref());
        let labels = self.volume.metadata.labels.iter().flatten().filter(|(key, _)| {
            let key = key.as_str();
            matches!(key, "topology.kubernetes.io/zone" | "failure-domain.beta.kubernetes.io/zone")
                || matches!(key, "topology.kubernetes.io/region" | "failure-domain.beta.kubernetes.io/region")
        });
        required.is_none_or(|required| selects(required, node))
            && labels
                .into_iter()
                .all(|(key, zones)| label(node, key).is_none_or(|zone| zones.split("__").any(|one| one == zone)))
    }
}

/// The nodes of the cluster; unreadable where they cannot be listed or the list is empty.
pub(crate) fn sites(case: &Case<'_>, pod: &Pod, verdict: &SchedulerVerdict) -> Reading<Sites> {
    let nodes = case.list::<Node>(None, Filter::All);
    let about_volumes = verdict.says(|reason| {
        let plugins = matches!(reason, Reason::Plugins(plugins) if plugins.iter().any(|name| name == "VolumeBinding"));
        plugins || matches!(reason, Reason::VolumeNodeAffinity | Reason::VolumeZone)
    });
    let volumes = if about_volumes { held_volumes(case, pod) } else { Ok(Vec::new()) };
    let Some(nodes) = nodes?.found().filter(|nodes| !nodes.is_empty()) else { return Ok(Read::Unreadable) };
    let volumes = volumes?;
    let demand = Demand::of(pod);
    let known = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
    let complete = verdict.nodes.is_none_or(|total| known >= total);
    let all = nodes
        .into_iter()
        .map(|node| {
            let blocks = blocks(pod, &node, &demand, &volumes);
            Site { node, blocks }
        })
        .collect();
    Ok(Read::Found(Sites { all, complete, volumes }))
}

/// The bound volumes of the pod, as far as they can be read.
pub(crate) fn held_volumes(case: &Case<'_>, pod: &Pod) -> Result<Vec<HeldVolume>, Needs> {
    let names: Vec<String> = pods::claims(pod).collect();
    let claims: Vec<_> = names.iter().map(|name| case.get::<PersistentVolumeClaim>(case.namespace(), name)).collect();
    let mut wanted = Vec::new();
    for (name, claim) in names.into_iter().zip(claims) {
        let bound = claim?.found().and_then(|claim| claim.spec.as_ref()?.volume_name.clone());
        if let Some(volume) = bound.filter(|volume| !volume.is_empty()) {
            wanted.push((name, case.get::<PersistentVolume>(None, &volume)));
        }
    }
    let mut held = Vec::new();
    for (claim, volume) in wanted {
        if let Read::Found(volume) = volume? {
            held.push(HeldVolume { claim, volume });
        }
    }
    Ok(held)
}

fn is_unready(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.type_ == "Ready").any(|condition| condition.status != "True")
}

fn blocks(pod: &Pod, node: &Node, demand: &Demand, volumes: &[HeldVolume]) -> Vec<Block> {
    let mut blocks = Vec::new();
    let pinned = pinned_node(pod);
    if pinned.is_some_and(|pinned| Some(pinned) != node.metadata.name.as_deref()) {
        return vec![Block::OtherNode];
    }
    for taint in untolerated(pod, node) {
        blocks.push(match taint.key.as_str() {
            "node.kubernetes.io/unschedulable" => Block::Cordoned,
            "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable" => Block::Unready,
            key if is_condition(key) => Block::Pressure(taint.clone()),
            "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master" => {
                Block::ControlPlane(taint.clone())
            }
            _ => Block::Taint(taint.clone()),
        });
    }
    let unschedulable = Taint {
        key: "node.kubernetes.io/unschedulable".to_owned(),
        effect: "NoSchedule".to_owned(),
        ..Taint::default()
    };
    let bears = pods::spec(pod)
        .into_iter()
        .flat_map(|spec| spec.tolerations.iter().flatten())
        .any(|toleration| super::matching::tolerates(toleration, &unschedulable));
    if node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true) && !bears {
        blocks.push(Block::Cordoned);
    }
    let untainted = node.spec.as_ref().and_then(|spec| spec.taints.as_ref()).is_none_or(Vec::is_empty);
    if untainted && is_unready(node) {
        // The taints follow within seconds, or were cut from a report.
        blocks.push(Block::Unready);
    }
    let empty = BTreeMap::new();
    for (key, value) in pods::spec(pod).and_then(|spec| spec.node_selector.as_ref()).unwrap_or(&empty) {
        if label(node, key) != Some(value) {
            blocks.push(Block::Selector(key.clone(), value.clone()));
        }
    }
    if required_affinity(pod).is_some_and(|required| !selects(required, node)) {
        blocks.push(Block::Affinity);
    }
    if volumes.iter().any(|volume| !volume.reaches(node)) {
        blocks.push(Block::Volume);
    }
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    if let Some(allocatable) = allocatable {
        for (resource, asked) in &demand.amounts {
            let named = Amount::in_list(Some(allocatable), resource);
            // A node cut short in a report may not name cpu or pods; only device resources are absent in earnest.
            let device = resource.contains('/') || super::demand::is_hugepages(resource);
            let offered = named.or_else(|| device.then_some(Amount::ZERO));
            if offered.is_some_and(|offered| *asked > offered) {
                blocks.push(Block::TooSmall(resource.clone()));
            }
        }
    }
    blocks
}

/// Taints that a controller sets for the time of a node's trouble.
pub(crate) fn is_condition(key: &str) -> bool {
    matches!(
        key,
        "node.kubernetes.io/disk-pressure"
            | "node.kubernetes.io/memory-pressure"
            | "node.kubernetes.io/pid-pressure"
            | "node.kubernetes.io/network-unavailable"
            | "node.kubernetes.io/out-of-service"
            | "node.cloudprovider.kubernetes.io/uninitialized"
            | "node.cloudprovider.kubernetes.io/shutdown"
            | "node.cilium.io/agent-not-ready"
            | "ebs.csi.aws.com/agent-not-ready"
    )
}
