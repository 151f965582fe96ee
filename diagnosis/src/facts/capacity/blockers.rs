//! What keeps a pod from being placed, in the order in which it has to be cleared.
//!
//! A verdict names the first obstacle of every node. What a person must change is the obstacle of the nodes that are
//! otherwise suitable: nodes that the pod's own selector leaves out, or the taint of control-plane nodes, are
//! background wherever another node is nearer.

use std::cmp::Reverse;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{name, text};

use crate::case::Case;
use crate::causes::Code;
use crate::facts::capacity::matching::{pinned_node, required_affinity};
use crate::facts::capacity::sites::{Block, Site, Sites, is_condition, sites};
use crate::facts::capacity::unscheduled::{Unscheduled, unscheduled};
use crate::facts::claims::{Trouble, Troubled, troubled};
use crate::finding::{Confidence, Evidence, Finding};
use crate::parse::scheduler::{Reason, SchedulerVerdict};
use crate::pods;
use crate::reader::{Needs, Read};

/// A kind of obstacle; each has one cause that speaks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blocker {
    /// A resource lacks.
    Capacity,
    /// Nodes have as many volumes attached as they may.
    AttachLimit,
    /// A host port is taken.
    HostPort,
    /// Device claims cannot be allocated.
    DeviceClaims,
    /// Topology spread.
    Spread,
    /// Anti-affinity of this pod or of others.
    AntiAffinity,
    /// Pod affinity.
    PodAffinity,
    /// Nodes are cordoned.
    Cordoned,
    /// Nodes are not ready, or there is none.
    Unready,
    /// Taints.
    Taint,
    /// The volume can be reached from other nodes only.
    VolumeAffinity,
    /// The nodeSelector.
    Selector,
    /// The required node affinity.
    NodeAffinity,
    /// The taint of control-plane nodes.
    ControlPlane,
}

impl Blocker {
    /// Depends on what runs on the node, not on the node alone.
    const fn is_dynamic(self) -> bool {
        matches!(
            self,
            Self::Capacity
                | Self::AttachLimit
                | Self::HostPort
                | Self::DeviceClaims
                | Self::Spread
                | Self::AntiAffinity
                | Self::PodAffinity
        )
    }

    const fn weight(self) -> u32 {
        match self {
            Self::Capacity | Self::AttachLimit => 1,
            Self::HostPort | Self::DeviceClaims => 2,
            Self::Spread | Self::AntiAffinity => 3,
            Self::PodAffinity => 4,
            Self::Cordoned | Self::Unready => 12,
            Self::Taint => 13,
            Self::VolumeAffinity => 16,
            Self::Selector | Self::NodeAffinity => 20,
            Self::ControlPlane => 30,
        }
    }

    fn of_block(block: &Block) -> Option<Self> {
        Some(match block {
            Block::OtherNode => return None,
            Block::Cordoned => Self::Cordoned,
            Block::Unready => Self::Unready,
            Block::Pressure(_) | Block::Taint(_) => Self::Taint,
            Block::ControlPlane(_) => Self::ControlPlane,
            Block::Selector(..) => Self::Selector,
            Block::Affinity => Self::NodeAffinity,
            Block::Volume => Self::VolumeAffinity,
            Block::TooSmall(_) => Self::Capacity,
        })
    }

    fn of_reason(reason: &Reason, pod: &Pod) -> Option<Self> {
        Some(match reason {
            Reason::NoNodes | Reason::NotReady => Self::Unready,
            Reason::Unschedulable => Self::Cordoned,
            Reason::Taint { key, .. } => of_taint(key),
            Reason::Taints => Self::Taint,
            Reason::NodeAffinity => {
                let selects = pods::spec(pod).and_then(|spec| spec.node_selector.as_ref()).is_some();
                if required_affinity(pod).is_some() && !selects { Self::NodeAffinity } else { Self::Selector }
            }
            Reason::HostPorts => Self::HostPort,
            Reason::TooManyPods | Reason::Insufficient(_) => Self::Capacity,
            Reason::VolumeCount => Self::AttachLimit,
            Reason::VolumeNodeAffinity | Reason::VolumeZone => Self::VolumeAffinity,
            Reason::TopologySpread { .. } => Self::Spread,
            Reason::PodAffinity => Self::PodAffinity,
            Reason::PodAntiAffinity | Reason::ExistingAntiAffinity => Self::AntiAffinity,
            Reason::DeviceClaims(_) => Self::DeviceClaims,
            Reason::PluginError { plugin, .. } if plugin == "DynamicResources" => Self::DeviceClaims,
            Reason::Plugins(plugins) if plugins.iter().any(|name| name == "VolumeBinding") => Self::VolumeAffinity,
            _ => return None,
        })
    }
}

fn of_taint(key: &str) -> Blocker {
    match key {
        "node.kubernetes.io/unschedulable" => Blocker::Cordoned,
        "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable" => Blocker::Unready,
        "node-role.kubernetes.io/control-plane" | "node-role.kubernetes.io/master" => Blocker::ControlPlane,
        _ => Blocker::Taint,
    }
}

/// Tells whether the volume stage answers for a reason.
pub(crate) fn is_of_storage(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::UnboundClaims
            | Reason::ClaimMissing(_)
            | Reason::ClaimDeleting(_)
            | Reason::ClaimLost(_)
            | Reason::ClaimAwaited(_)
            | Reason::NoVolumeToBind
            | Reason::NoStorageLeft
            | Reason::VolumeInUse
            | Reason::DriverMissing(_)
    )
}

/// The obstacles of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Blockers {
    /// What the scheduler said.
    pub(crate) unscheduled: Unscheduled,
    /// The nodes, where they could be read.
    pub(crate) sites: Read<Sites>,
    /// The obstacles; the first leads.
    order: Vec<Blocker>,
    /// The nodes bear the verdict out.
    pub(crate) verified: bool,
}

impl Blockers {
    /// The nodes, where they could be read.
    pub(crate) fn known(&self) -> Option<&Sites> {
        if let Read::Found(sites) = &self.sites { Some(sites) } else { None }
    }

    /// Tells whether an obstacle is there.
    pub(crate) fn has(&self, blocker: Blocker) -> bool {
        self.order.contains(&blocker)
    }

    /// Tells whether nodes fail for different reasons that depend on what runs there.
    pub(crate) fn is_mixed(&self) -> bool {
        self.order.iter().filter(|blocker| blocker.is_dynamic()).count() > 1
            || self.unscheduled.verdict.says(|reason| matches!(reason, Reason::VolumeNodeAffinity | Reason::VolumeZone))
    }

    /// Tells whether an obstacle leads.
    pub(crate) fn leads(&self, blocker: Blocker) -> bool {
        self.order.first() == Some(&blocker)
    }

    /// The nodes that are nearest to suitable and have that obstacle; all that have it where none of those does.
    pub(crate) fn nodes_with(&self, passes: impl Fn(&Block) -> bool + Copy) -> Vec<&Site> {
        let Some(sites) = self.known() else { return Vec::new() };
        let best: Vec<&Site> = sites.best().into_iter().filter(|site| site.has(passes)).collect();
        if !best.is_empty() {
            return best;
        }
        let alone = |site: &&Site| site.blocks.iter().all(passes) && site.has(passes);
        let alone: Vec<&Site> = sites.all.iter().filter(alone).collect();
        if alone.is_empty() { sites.all.iter().filter(|site| site.has(passes)).collect() } else { alone }
    }

    /// The verdict itself names a single obstacle, or all nodes were read and bear it out.
    fn is_certain(&self) -> bool {
        self.verified && self.known().is_some_and(|sites| sites.complete)
    }

    /// A finding for an obstacle, with the verdict as its first evidence; none where the obstacle is not there. What
    /// does not lead follows from what does.
    pub(crate) fn start(&self, case: &Case<'_>, code: Code, blocker: Blocker) -> Option<Finding> {
        if !self.has(blocker) {
            return None;
        }
        let finding = case
            .finding(code)
            .severity(self.unscheduled.severity())
            .confidence(if self.is_certain() { Confidence::Certain } else { Confidence::Likely })
            .since(self.unscheduled.since)
            .evidence(self.unscheduled.evidence.clone());
        Some(if self.leads(blocker) { finding } else { finding.follows_lead() })
    }

    /// Says what is said of every finding of this stage.
    pub(crate) fn finish(&self, finding: Finding) -> Vec<Finding> {
        let finding = finding.also(self.unscheduled.nominated.as_ref().map(|node| {
            text![
                "The scheduler is removing pods of lower priority from Node ",
                name(node.clone()),
                " to make room for it."
            ]
        }));
        let Some(coming) = &self.unscheduled.coming else { return vec![finding] };
        let sentence =
            text!["A node has been ordered by ", name(coming.component.clone()), ", so this may pass by itself."];
        vec![finding.also(sentence).evidence(Evidence::event(coming))]
    }
}

/// The obstacles of the pod; none where the scheduler did not refuse it.
pub(crate) fn blockers(case: &Case<'_>) -> Result<Option<Blockers>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Option<Blockers>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    let Some(unscheduled) = unscheduled(case)? else { return Ok(None) };
    let verdict = &unscheduled.verdict;
    let storage = verdict.says(is_of_storage);
    let elsewhere = verdict.parts.iter().any(|part| part.nodes.is_none() && is_of_storage(&part.reason));
    let speaks =
        verdict.says(|reason| Blocker::of_reason(reason, pod).is_some() || matches!(reason, Reason::Plugins(_)));
    if elsewhere || !speaks {
        return Ok(None);
    }
    let sites = sites(case, pod, verdict)?;
    let said = said(verdict, pod);
    let by_verdict = from_verdict(&said, verdict, pod);
    let by_nodes = match &sites {
        // Nodes that were not read may be the ones that matter.
        Read::Found(sites) => {
            from_nodes(sites, &said, verdict).filter(|order| sites.complete || order.first() == by_verdict.first())
        }
        Read::Absent | Read::Unreadable => None,
    };
    let verified = by_nodes.is_some();
    let mut order = by_nodes.unwrap_or(by_verdict);
    let open = verdict.count(is_of_storage);
    let lack_room = verdict.count(|reason| Blocker::of_reason(reason, pod) == Some(Blocker::Capacity));
    if storage && open >= lack_room && is_explained_by_claims(case)? {
        // The nodes that lack a volume have room: the claim is the matter, and the volume stage speaks for it.
        order.retain(|blocker| *blocker == Blocker::VolumeAffinity);
    }
    Ok(Some(Blockers { unscheduled, sites, order, verified }))
}

/// Tells whether a claim of the pod is known to be in trouble: the volume stage has an answer then, and where it has
/// none the rest of the verdict must not go unsaid.
fn is_explained_by_claims(case: &Case<'_>) -> Result<bool, Needs> {
    let guessed = |it: &Troubled| it.claim.is_none() && matches!(it.trouble, Trouble::NoMatch { .. });
    Ok(troubled(case)?.iter().any(|it| !guessed(it)))
}

/// The obstacles that the verdict names, with the number of nodes, the nearest to suitable first.
fn said(verdict: &SchedulerVerdict, pod: &Pod) -> Vec<(Blocker, u32)> {
    let mut said: Vec<(Blocker, u32)> = Vec::new();
    for part in &verdict.parts {
        let Some(blocker) = Blocker::of_reason(&part.reason, pod) else { continue };
        let count = part.nodes.unwrap_or(0);
        match said.iter_mut().find(|(other, _)| *other == blocker) {
            Some((_, sum)) => *sum = sum.saturating_add(count),
            None => said.push((blocker, count)),
        }
    }
    said.sort_by_key(|(blocker, count)| (blocker.weight(), Reverse(*count), *blocker));
    said
}

/// The order by the nodes themselves; `None` where they do not bear the verdict out (they have changed since, or were
/// read in part).
fn from_nodes(sites: &Sites, said: &[(Blocker, u32)], verdict: &SchedulerVerdict) -> Option<Vec<Blocker>> {
    let says = |blocker: Blocker| {
        let unnamed = matches!(blocker, Blocker::Taint | Blocker::ControlPlane | Blocker::Unready | Blocker::Cordoned)
            && verdict.says(|reason| *reason == Reason::Taints);
        // One text for nodeSelector and node affinity.
        let one_text = matches!(blocker, Blocker::Selector | Blocker::NodeAffinity)
            && verdict.says(|reason| *reason == Reason::NodeAffinity);
        unnamed || one_text || said.iter().any(|(other, _)| *other == blocker)
    };
    let dynamic: Vec<Blocker> = said.iter().map(|(blocker, _)| *blocker).filter(|it| it.is_dynamic()).collect();
    let best = sites.best();
    let open = best.iter().any(|site| site.weight() == 0);
    if open && !dynamic.is_empty() {
        let mut order = dynamic;
        let barred_by = |passes: fn(&Block) -> bool| {
            sites.all.iter().any(|site| site.weight() > 0 && site.blocks.iter().all(passes))
        };
        if says(Blocker::Cordoned) && barred_by(|block| matches!(block, Block::Cordoned)) {
            order.push(Blocker::Cordoned);
        }
        if says(Blocker::Taint) && barred_by(|block| matches!(block, Block::Taint(_) | Block::Pressure(_))) {
            order.push(Blocker::Taint);
        }
        return Some(order);
    }
    let mut kinds: Vec<(Blocker, usize)> = Vec::new();
    for site in best {
        let mut seen: Vec<Blocker> = site.blocks.iter().filter_map(Blocker::of_block).collect();
        seen.sort();
        seen.dedup();
        for blocker in seen {
            match kinds.iter_mut().find(|(other, _)| *other == blocker) {
                Some((_, sum)) => *sum += 1,
                None => kinds.push((blocker, 1)),
            }
        }
    }
    if !kinds.iter().any(|(blocker, _)| says(*blocker)) {
        return None;
    }
    // What the scheduler names comes first: what it does not name shows only after.
    kinds.sort_by_key(|(blocker, count)| (!says(*blocker), Reverse(*count), blocker.weight()));
    Some(kinds.into_iter().map(|(blocker, _)| blocker).collect())
}

/// The order by the verdict alone.
fn from_verdict(said: &[(Blocker, u32)], verdict: &SchedulerVerdict, pod: &Pod) -> Vec<Blocker> {
    if said.is_empty() && verdict.says(|reason| matches!(reason, Reason::Plugins(_))) {
        // Nothing but nodes that the pod was not made for: the node it was made for is not there.
        return if pinned_node(pod).is_some() { vec![Blocker::NodeAffinity] } else { Vec::new() };
    }
    let unnamed = verdict.count(|reason| *reason == Reason::Taints);
    let others = verdict.nodes.unwrap_or(0).saturating_sub(unnamed);
    // Few nodes with a taint that is not named, beside others: as a rule the control plane.
    let background = |blocker: Blocker| {
        blocker == Blocker::ControlPlane || (blocker == Blocker::Taint && unnamed > 0 && unnamed < others)
    };
    let mut order: Vec<Blocker> = said.iter().map(|(blocker, _)| *blocker).collect();
    if order.iter().any(|blocker| !background(*blocker)) {
        order.retain(|blocker| !background(*blocker));
    }
    if order.iter().any(|blocker| !matches!(blocker, Blocker::Selector | Blocker::NodeAffinity)) {
        // A selector leaves nodes out by design wherever it leaves any.
        order.retain(|blocker| !matches!(blocker, Blocker::Selector | Blocker::NodeAffinity));
    }
    if order.iter().any(|blocker| blocker.is_dynamic()) {
        order.retain(|blocker| *blocker != Blocker::Unready);
    }
    let count = |blocker: Blocker| said.iter().find(|(other, _)| *other == blocker).map_or(0, |(_, count)| *count);
    let pinned = order.iter().position(|blocker| *blocker == Blocker::VolumeAffinity);
    let spread = |blocker: Blocker| matches!(blocker, Blocker::Spread | Blocker::AntiAffinity | Blocker::PodAffinity);
    if let (Some(place), Some(first)) = (pinned, order.first().copied())
        && (spread(first) || !first.is_dynamic())
        && count(Blocker::VolumeAffinity) >= count(first)
    {
        // A bound volume pins the pod to its nodes: a rule about other pods or a mark on other nodes is beside it.
        let pinned = order.remove(place);
        order.insert(0, pinned);
    }
    order
}

/// Tells whether a taint tells of a node's own trouble, for the wording.
pub(crate) fn tells_of_trouble(key: &str) -> bool {
    is_condition(key)
}
