//! Containers that run and restart again and again: how often, how that compares with their siblings, and whether the
//! node as a whole was to blame for the last end.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStateTerminated, Pod};
use kubewhy_text::{Text, own, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Workload};
use crate::facts::ends;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::pods::{self, ContainerView, Role};
use crate::reader::{Needs, Read, Reader};
use crate::triage::keeps_restarting;

/// A day in seconds: the measure of a rate.
const DAY: i64 = 86_400;

/// How many times as often as its siblings a container restarts that has something they do not have.
const FAR_BEYOND: i64 = 3;

/// How far apart ends may lie that have one cause.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(120);

/// How often a container restarted, and over which time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) restarts: i32,
    pub(crate) life: SignedDuration,
}

impl Pace {
    /// The time from one restart to the next on average.
    pub(crate) fn interval(self) -> SignedDuration {
        self.life / self.restarts.max(1)
    }

    /// Restarts in a thousand days; a life of less than a day counts as one.
    fn rate(self) -> i64 {
        i64::from(self.restarts).saturating_mul(1000 * DAY) / self.life.as_secs().max(DAY)
    }

    /// At least once a day.
    pub(crate) fn is_daily(self) -> bool {
        self.rate() >= 1000
    }

    /// `140 times in 46 days`.
    pub(crate) fn show(self) -> Text {
        text![self.restarts, " times in ", own(ends::show(self.life))]
    }
}

/// A container that restarts again and again, and runs at the moment.
#[derive(Debug)]
pub(crate) struct Worn<'c> {
    pub(crate) container: ContainerView<'c>,
    pub(crate) pace: Pace,
    /// How long it runs now.
    pub(crate) uptime: SignedDuration,
    /// How it ended last, where the kubelet still knows.
    pub(crate) end: Option<&'c ContainerStateTerminated>,
}

/// The containers of the pod that restart again and again, none of them in a crash loop at this moment or just out of one.
pub(crate) fn worn<'c>(case: &'c Case<'_>) -> Vec<Worn<'c>> {
    let Some(pod) = case.pod().filter(|pod| pods::restart_policy(pod) == "Always" && !pods::is_finished(pod)) else {
        return Vec::new();
    };
    if pod.metadata.deletion_timestamp.is_some() {
        return Vec::new();
    }
    let Some(life) = pods::created(pod).map(|created| case.age(created)) else { return Vec::new() };
    let found = case.containers().filter(|container| container.role != Role::Init).filter_map(|container| {
        let uptime = case.age(container.running()?.started_at.as_ref()?.0);
        let pace = Pace { restarts: container.restarts(), life };
        let worn = Worn { container, pace, uptime, end: container.last_terminated() };
        (keeps_restarting(pace.restarts, life, uptime) && !worn.loops() && !worn.has_left_a_loop()).then_some(worn)
    });
    found.collect()
}

impl Worn<'_> {
    /// How long the run before the present one lasted.
    pub(crate) fn last_run(&self) -> Option<SignedDuration> {
        let end = self.end?;
        let (started, finished) = (end.started_at.as_ref()?.0, end.finished_at.as_ref()?.0);
        Some(finished.duration_since(started)).filter(|run| !run.is_negative() && started.as_second() > 0)
    }

    /// When it ended last.
    pub(crate) fn ended(&self) -> Option<Timestamp> {
        self.end?.finished_at.as_ref().map(|time| time.0)
    }

    fn last_was_short(&self) -> bool {
        self.last_run().is_some_and(|run| run < pods::STABLE_AFTER)
    }

    /// Its back-off still grows: the matter of the cause of its crash.
    fn loops(&self) -> bool {
        self.uptime < pods::STABLE_AFTER && self.last_was_short()
    }

    /// One crash loop explains all its restarts, and it holds for longer now than that loop took.
    fn has_left_a_loop(&self) -> bool {
        let capped = i64::from(self.pace.restarts).saturating_sub(5).max(0);
        // Pauses of 10, 20, 40, 80 and 160 s, then of 5 minutes.
        let took = SignedDuration::from_secs(capped.saturating_mul(300).saturating_add(310));
        self.last_was_short() && self.uptime > took
    }
}

/// A pod of the same template.
#[derive(Clone, Debug)]
pub(crate) struct Sibling {
    pub(crate) name: String,
    pub(crate) pace: Pace,
    pub(crate) node: Option<String>,
    pub(crate) ended: Option<Timestamp>,
}

/// The pods that the same controller made of the same template, with what that container went through in each.
///
/// # Errors
/// [`Needs`] where the controller or its pods have not been asked yet.
pub(crate) fn siblings(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Vec<Sibling>, Needs> {
    let Some(owner) = case.meta().owner_references.iter().flatten().find(|owner| owner.controller == Some(true)) else {
        return Ok(Vec::new());
    };
    let Some(selector) = selector(case)? else { return Ok(Vec::new()) };
    let pods_ = case.list::<Pod>(case.namespace(), Filter::Labels(selector))?.found().unwrap_or_default();
    let is_sibling = |pod: &Pod| {
        let mut owners = pod.metadata.owner_references.iter().flatten();
        let same = owners.any(|other| other.kind == owner.kind && other.name == owner.name && other.uid == owner.uid);
        same && pod.metadata.name.as_deref() != Some(case.name()) && !pods::is_finished(pod)
    };
    let found = pods_.iter().filter(|pod| is_sibling(pod)).filter_map(|pod| {
        let life = case.age(pods::created(pod)?);
        let same = pods::containers(pod).find(|other| other.name() == container.name())?;
        Some(Sibling {
            name: pod.metadata.name.clone()?,
            pace: Pace { restarts: same.restarts(), life },
            node: pods::node_name(pod).map(str::to_owned),
            ended: same.last_end().and_then(|end| end.finished_at.as_ref()).map(|time| time.0),
        })
    });
    Ok(found.collect())
}

/// The selector of the top controller that can be read: a question about a Deployment has listed its pods by that.
fn selector(case: &Case<'_>) -> Result<Option<Selector>, Needs> {
    let mut found = None;
    for controller in case.controllers(case.object())? {
        let Some(kind) = Kind::from_name(&controller.kind) else { break };
        let read = Reader::object(case, kind, controller.namespace.as_deref(), &controller.name)?;
        let workload = read.found().and_then(|object| Workload::of(&object));
        let Some(workload) = workload else { break };
        let own = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty());
        found = own.or(found);
    }
    Ok(found)
}

/// How a container compares with its siblings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Against {
    /// There are none, or none that are old enough to compare with.
    Nobody,
    /// They restart much less.
    FarBeyond,
    /// They restart as often.
    Alike,
    /// Neither nor.
    Between,
}

/// How a pace compares with that of its siblings, by their median.
pub(crate) fn against(pace: Pace, siblings: &[Sibling]) -> Against {
    let mut rates: Vec<i64> = siblings
        .iter()
        .filter(|sibling| sibling.pace.life.saturating_mul(8) >= pace.life)
        .map(|sibling| sibling.pace.rate())
        .collect();
    rates.sort_unstable();
    let Some(median) = rates.get(rates.len() / 2) else { return Against::Nobody };
    if pace.rate() >= median.saturating_mul(FAR_BEYOND) {
        Against::FarBeyond
    } else if median.saturating_mul(2) >= pace.rate() {
        Against::Alike
    } else {
        Against::Between
    }
}

/// What happened on the node when the container ended.
#[derive(Debug)]
pub(crate) enum Around {
    /// Other pods' containers ended with it: as many, and how often the one of them restarted that did so most.
    Together(usize, i32),
    /// No other pod's container ended then.
    Alone,
    /// It cannot be told.
    Unknown,
}

/// What happened to other pods of the node when the container ended.
///
/// # Errors
/// [`Needs`] where the pods of the node have not been asked yet.
pub(crate) fn around(case: &Case<'_>, worn: &Worn<'_>) -> Result<Around, Needs> {
    let node = case.pod().and_then(pods::node_name);
    let (Some(node), Some(ended)) = (node, worn.ended()) else { return Ok(Around::Unknown) };
    let Read::Found(all) = case.list::<Pod>(None, Filter::OnNode(node.to_owned()))? else {
        return Ok(Around::Unknown);
    };
    let own = case.reference();
    let others: Vec<&Arc<Pod>> = all
        .iter()
        .filter(|pod| {
            let meta = &pod.metadata;
            let name = meta.name.as_deref().unwrap_or_default();
            !ObjectRef::new(Kind::Pod, meta.namespace.as_deref(), name).is_same_object(&own)
        })
        .collect();
    let ended_then = |pod: &Pod| {
        let ends = pods::containers(pod).filter_map(|container| container.last_end()?.finished_at.as_ref());
        ends.into_iter().any(|time| time.0.duration_since(ended).abs() <= AT_ONCE)
    };
    let together: Vec<&Arc<Pod>> = others.iter().copied().filter(|pod| ended_then(pod)).collect();
    let most = together.iter().flat_map(|pod| pods::containers(pod)).map(|container| container.restarts()).max();
    let restarted = others.iter().filter(|pod| pods::containers(pod).any(|container| container.restarts() > 0)).count();
    Ok(match most {
        Some(most) if together.len() >= 2 && together.len() * 2 >= restarted => Around::Together(together.len(), most),
        _ if others.is_empty() => Around::Unknown,
        _ => Around::Alone,
    })
}

/// The siblings that ended within a short time of that.
pub(crate) fn ended_with(siblings: &[Sibling], ended: Timestamp) -> usize {
    let near = |sibling: &&Sibling| sibling.ended.is_some_and(|it| it.duration_since(ended).abs() <= AT_ONCE);
    siblings.iter().filter(near).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(restarts: i32, days: i64) -> Pace {
        Pace { restarts, life: SignedDuration::from_secs(days * DAY) }
    }

    fn sibling(restarts: i32, days: i64) -> Sibling {
        Sibling { name: "cart-a".to_owned(), pace: pace(restarts, days), node: None, ended: None }
    }

    #[test]
    fn one_that_restarts_far_more_than_its_siblings_is_told_from_one_among_many() {
        let few = [sibling(19, 46), sibling(22, 46), sibling(24, 46)];
        assert_eq!(against(pace(140, 46), &few), Against::FarBeyond);
        assert_eq!(against(pace(30, 46), &few), Against::Alike);
        assert_eq!(against(pace(50, 46), &few), Against::Between);
        assert_eq!(against(pace(140, 46), &[sibling(0, 1)]), Against::Nobody, "too young to compare with");
        assert_eq!(against(pace(140, 46), &[]), Against::Nobody);
    }

    #[test]
    fn rates_count_a_first_day_as_whole() {
        assert!(pace(140, 46).is_daily());
        assert!(!pace(24, 46).is_daily());
        assert!(Pace { restarts: 1, life: SignedDuration::from_secs(60) }.is_daily(), "one on its first day");
        assert_eq!(pace(140, 46).interval().as_hours(), 7);
    }
}
