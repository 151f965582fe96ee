//! The arithmetic of capacity: which resource lacks, by how much, and whether the cluster could ever hold the pod.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;

use crate::ask::Filter;
use crate::case::Case;
use crate::facts::capacity::blockers::{Blocker, Blockers, blockers};
use crate::facts::capacity::demand::{Amounts, Demand, asked, is_extended, is_hugepages};
use crate::facts::capacity::sites::{Block, Site};
use crate::finding::Evidence;
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::{Needs, Read, Reading};

/// Up to this many nodes their pods are read node by node.
const FEW_NODES: usize = 4;

/// How a resource lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// No node offers the device.
    Missing,
    /// Huge pages lack.
    HugePages,
    /// No eligible node could hold the request if it were empty.
    TooLarge,
    /// Enough is free in total, and no node has it.
    Fragmented,
    /// It is used up.
    Full,
}

/// A node with what is free on it.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    /// Its name.
    pub(crate) node: String,
    /// What it can give.
    pub(crate) allocatable: Amounts,
    /// What is left of it.
    pub(crate) free: Amounts,
    /// The pods that take room on it.
    pub(crate) pods: Vec<Arc<Pod>>,
}

impl Room {
    /// What is free of a resource.
    pub(crate) fn free(&self, resource: &str) -> Amount {
        self.free.get(resource).copied().unwrap_or_default()
    }

    fn holds(&self, demand: &Demand) -> bool {
        demand.amounts.iter().all(|(resource, asked)| self.free(resource) >= *asked || !self.names(resource))
    }

    /// A node cut short in a report need not name every resource.
    fn names(&self, resource: &str) -> bool {
        self.allocatable.contains_key(resource) || is_extended(resource) || is_hugepages(resource)
    }
}

/// What lacks.
#[derive(Clone, Debug)]
pub(crate) struct Shortage {
    /// The obstacles it is one of.
    pub(crate) blockers: Blockers,
    /// How it lacks.
    pub(crate) shape: Shape,
    /// The resource.
    pub(crate) resource: String,
    /// What the pod asks for.
    pub(crate) demand: Demand,
    /// The nodes that are eligible, with what is free; none where that is not known.
    pub(crate) rooms: Vec<Room>,
    /// The eligible nodes' names, and what each can give of the resource.
    pub(crate) offers: Vec<(String, Amount)>,
    /// The one node that the pod was made for.
    pub(crate) only_node: Option<String>,
    /// The API says so, all nodes read.
    pub(crate) certain: bool,
}

impl Shortage {
    /// How much of the resource the pod asks for.
    pub(crate) fn asked(&self) -> Amount {
        self.demand.amount(&self.resource)
    }

    /// It in people's units.
    pub(crate) fn show(&self, amount: Amount) -> String {
        amount.show(&self.resource)
    }

    /// What is free of the resource on all eligible nodes together.
    pub(crate) fn free_in_total(&self) -> Amount {
        self.rooms.iter().map(|room| room.free(&self.resource).max(Amount::ZERO)).sum()
    }

    /// The eligible node that can give most, and how much.
    pub(crate) fn largest(&self) -> Option<&(String, Amount)> {
        self.offers.iter().max_by_key(|(name, amount)| (*amount, std::cmp::Reverse(name.clone())))
    }

    /// What nodes say of the resource.
    pub(crate) fn node_evidence(&self) -> Vec<Evidence> {
        let all = self.offers.iter().take(3).map(|(node, amount)| {
            let reference = crate::finding::ObjectRef::new(Kind::Node, None, node);
            let free = self.rooms.iter().find(|room| room.node == *node).map(|room| room.free(&self.resource));
            let free = free.map(|free| format!(", requested by its pods {}", self.show(*amount - free)));
            let text = format!("{}{}", self.show(*amount), free.unwrap_or_default());
            Evidence::field(&reference, &format!(".status.allocatable[{}]", self.resource), text)
        });
        all.collect()
    }

    /// The pods that use most of the resource on the eligible nodes: where, who, how much, priority.
    pub(crate) fn users(&self) -> Vec<(String, String, Amount, i32)> {
        let mut users: Vec<(String, String, Amount, i32)> = Vec::new();
        for room in &self.rooms {
            for pod in &room.pods {
                let meta = &pod.metadata;
                let (namespace, name) =
                    (meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default());
                let amount = Demand::of(pod).amount(&self.resource);
                let priority = pods::spec(pod).and_then(|spec| spec.priority).unwrap_or(0);
                users.push((format!("{namespace}/{name}"), room.node.clone(), amount, priority));
            }
        }
        users.retain(|(_, _, amount, _)| *amount > Amount::ZERO);
        users.sort_by(|a, b| b.2.cmp(&a.2).then_with(|| a.0.cmp(&b.0)));
        users
    }
}

/// What lacks, if the scheduler says that something does (or the nodes are known to be too small for the pod).
pub(crate) fn shortage(case: &Case<'_>) -> Result<Option<Shortage>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Option<Shortage>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    let Some(blockers) = blockers(case)?.filter(|blockers| blockers.has(Blocker::Capacity)) else { return Ok(None) };
    let demand = Demand::of(pod);
    let only_node = super::matching::pinned_node(pod).map(str::to_owned);
    let eligible: Vec<&Site> =
        blockers.known().filter(|_| blockers.verified).map(|sites| sites.best()).unwrap_or_default();
    let mut lacking: Vec<String> = blockers.unscheduled.verdict.lacking().into_iter().map(str::to_owned).collect();
    if lacking.is_empty() {
        let small = eligible.iter().flat_map(|site| &site.blocks).filter_map(|block| match block {
            Block::TooSmall(resource) => Some(resource.clone()),
            _ => None,
        });
        lacking.extend(small);
    }
    lacking.sort_by_key(|resource| (!is_extended(resource), !is_hugepages(resource), resource.clone()));
    lacking.dedup();
    let Some(first) = lacking.first().cloned() else { return Ok(None) };
    let (shape, resource, rooms) = if eligible.is_empty() {
        (by_verdict(&blockers, &first), first, Vec::new())
    } else {
        by_nodes(case, &eligible, &demand, &lacking, blockers.is_mixed())?
    };
    let complete = blockers.known().is_some_and(|sites| sites.complete) && blockers.verified;
    let counted = !rooms.is_empty() || matches!(shape, Shape::Missing | Shape::TooLarge | Shape::HugePages);
    let offers =
        eligible.iter().filter_map(|site| Some((site.name().to_owned(), site.allocatable(&resource)?))).collect();
    let certain = complete && counted;
    Ok(Some(Shortage { blockers, shape, resource, demand, rooms, offers, only_node, certain }))
}

/// The shape where only the verdict is known. From 1.31 on the scheduler says that preemption is not helpful on nodes
/// that could never hold the pod.
fn by_verdict(blockers: &Blockers, resource: &str) -> Shape {
    let verdict = &blockers.unscheduled.verdict;
    let preemption = &verdict.preemption;
    let never =
        preemption.no_victims == 0 && preemption.not_helpful > 0 && verdict.nodes == Some(preemption.not_helpful);
    if is_hugepages(resource) {
        return Shape::HugePages;
    }
    if is_extended(resource) {
        // Schedulers of 1.31 and later say `No preemption victims found` only where the node has the device at all.
        let lacking =
            verdict.count(|reason| *reason == crate::parse::scheduler::Reason::Insufficient(resource.to_owned()));
        let some_have_it = preemption.no_victims > 0
            && (verdict.modern || (preemption.not_helpful > 0 && preemption.no_victims < lacking));
        return if some_have_it { Shape::Full } else { Shape::Missing };
    }
    if never && resource != "pods" { Shape::TooLarge } else { Shape::Full }
}

fn by_nodes(
    case: &Case<'_>,
    eligible: &[&Site],
    demand: &Demand,
    lacking: &[String],
    mixed: bool,
) -> Result<(Shape, String, Vec<Room>), Needs> {
    let offered = |resource: &str| eligible.iter().filter_map(|site| site.allocatable(resource)).max();
    for resource in lacking {
        let none = offered(resource).is_none_or(|most| most == Amount::ZERO);
        if is_extended(resource) && none {
            return Ok((Shape::Missing, resource.clone(), Vec::new()));
        }
        if is_hugepages(resource) {
            let rooms = if none { Vec::new() } else { rooms(case, eligible)?.found().unwrap_or_default() };
            return Ok((Shape::HugePages, resource.clone(), rooms));
        }
    }
    let Some(first) = lacking.first() else { return Ok((Shape::Full, String::new(), Vec::new())) };
    let too_small = |site: &&Site| site.has(|block| matches!(block, Block::TooSmall(_)));
    if eligible.iter().all(too_small) {
        let resource = too_large(eligible, demand).unwrap_or_else(|| first.clone());
        return Ok((Shape::TooLarge, resource, Vec::new()));
    }
    let Read::Found(rooms) = rooms(case, eligible)? else { return Ok((Shape::Full, first.clone(), Vec::new())) };
    let held = rooms.iter().filter(|room| room.holds(demand)).count();
    if held > 0 {
        // Nodes with room fail for another reason that the verdict names; else the books do not add up, because not all
        // pods of these nodes were read.
        let full: Vec<Room> = rooms.into_iter().filter(|room| mixed && !room.holds(demand)).collect();
        let short = lacking.iter().find(|it| full.iter().all(|room| room.free(it) < demand.amount(it)));
        return Ok((Shape::Full, short.unwrap_or(first).clone(), full));
    }
    let total = |resource: &str| rooms.iter().map(|room| room.free(resource).max(Amount::ZERO)).sum::<Amount>();
    let named = |resource: &String| rooms.iter().any(|room| room.names(resource));
    let short = |resource: &String| named(resource) && total(resource) < demand.amount(resource);
    let short_of = lacking.iter().find(|resource| short(resource)).or_else(|| demand.amounts.keys().find(|r| short(r)));
    Ok(match short_of {
        Some(resource) => (Shape::Full, resource.clone(), rooms),
        None if rooms.len() > 1 => (Shape::Fragmented, first.clone(), rooms),
        None => (Shape::Full, first.clone(), rooms),
    })
}

/// The resource that keeps the pod off even empty nodes: the one whose request is farthest above the largest node's.
fn too_large(eligible: &[&Site], demand: &Demand) -> Option<String> {
    let mut worst: Option<(i128, &String)> = None;
    for (resource, asked) in &demand.amounts {
        let blocked = eligible.iter().any(|site| site.has(|it| matches!(it, Block::TooSmall(r) if r == resource)));
        if !blocked {
            continue;
        }
        let most = eligible.iter().filter_map(|site| site.allocatable(resource)).max().unwrap_or_default();
        let percent = asked.milli().saturating_mul(100) / most.milli().max(1);
        if worst.is_none_or(|(other, _)| percent > other) {
            worst = Some((percent, resource));
        }
    }
    worst.map(|(_, resource)| resource.clone())
}

/// What is free on nodes, from the requests of the pods bound to them.
pub(crate) fn rooms(case: &Case<'_>, nodes: &[&Site]) -> Reading<Vec<Room>> {
    let pods = pods_on(case, nodes.iter().map(|site| site.name()).collect())?;
    let Read::Found(pods) = pods else { return Ok(Read::Unreadable) };
    let mut rooms = Vec::new();
    for site in nodes {
        let allocatable = site.node.status.as_ref().and_then(|status| status.allocatable.as_ref());
        let Some(allocatable) = allocatable else { return Ok(Read::Unreadable) };
        let allocatable: Amounts =
            allocatable.iter().map(|(resource, amount)| (resource.clone(), Amount::of(amount))).collect();
        let mut free = allocatable.clone();
        let here: Vec<Arc<Pod>> =
            pods.iter().filter(|pod| pods::occupies(pod) == Some(site.name())).map(Arc::clone).collect();
        for pod in &here {
            for (resource, amount) in in_use(pod) {
                if let Some(left) = free.get_mut(&resource) {
                    *left = *left - amount;
                }
            }
        }
        rooms.push(Room { node: site.name().to_owned(), allocatable, free, pods: here });
    }
    Ok(Read::Found(rooms))
}

/// What a bound pod takes: its request, or what its node has granted where a resize can never be done.
fn in_use(pod: &Pod) -> Amounts {
    let mut amounts = Demand::of(pod).amounts;
    let infeasible =
        pods::condition(pod, "PodResizePending").is_some_and(|it| it.reason.as_deref() == Some("Infeasible"));
    if infeasible {
        for (resource, amount) in &mut amounts {
            let surplus = pods::containers(pod).filter_map(|container| {
                let granted = Amount::in_list(container.status?.allocated_resources.as_ref(), resource)?;
                Some(asked(container.spec.resources.as_ref(), resource) - granted)
            });
            *amount = *amount - surplus.sum();
        }
    }
    amounts
}

/// The pods that take room on these nodes: node by node where they are few, else all that are bound.
pub(crate) fn pods_on(case: &Case<'_>, nodes: Vec<&str>) -> Reading<Vec<Arc<Pod>>> {
    if nodes.len() > FEW_NODES || nodes.is_empty() {
        return case.list::<Pod>(None, Filter::Scheduled);
    }
    let answers: Vec<_> =
        nodes.into_iter().map(|node| case.list::<Pod>(None, Filter::OnNode(node.to_owned()))).collect();
    let mut all = Vec::new();
    for answer in answers {
        let Read::Found(pods) = answer? else { return Ok(Read::Unreadable) };
        all.extend(pods);
    }
    Ok(Read::Found(all))
}
