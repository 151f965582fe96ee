//! What a container uses at the moment, as the metrics API shows it: one measurement, no history. It is asked for only
//! where the answer turns on it.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, own, text};

use crate::case::Case;
use crate::facts::ends;
use crate::facts::heap::Limit;
use crate::finding::Evidence;
use crate::metrics::PodMetrics;
use crate::parse::quantity::{Amount, bytes};
use crate::pods::ContainerView;
use crate::reader::{Needs, Read, Reading};

/// Within this share of its limit a container will reach it again, in percent.
const NEAR: i128 = 80;

/// What a container used when it was measured.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Usage {
    pub(crate) cpu: Option<Amount>,
    pub(crate) memory: Option<Amount>,
    /// When it was measured.
    pub(crate) at: Option<Timestamp>,
}

/// What the present instance of a container uses. Absent where it does not run or was not measured since it started.
///
/// # Errors
/// [`Needs`] where the metrics have not been asked yet.
pub(crate) fn of(case: &Case<'_>, container: &ContainerView<'_>) -> Reading<Usage> {
    let Some(running) = container.running() else { return Ok(Read::Absent) };
    let metrics = match case.get::<PodMetrics>(case.namespace(), case.name())? {
        Read::Found(metrics) => metrics,
        Read::Absent => return Ok(Read::Absent),
        Read::Unreadable => return Ok(Read::Unreadable),
    };
    let at = metrics.timestamp.as_ref().map(|time| time.0);
    let started = running.started_at.as_ref().map(|time| time.0);
    let of_another = at.zip(started).is_some_and(|(at, started)| at < started);
    let measured = metrics.containers.iter().find(|it| it.name == container.name()).filter(|_| !of_another);
    Ok(measured.map_or(Read::Absent, |it| {
        let amount = |resource: &str| Amount::in_list(Some(&it.usage), resource);
        Read::Found(Usage { cpu: amount("cpu"), memory: amount("memory"), at })
    }))
}

impl Usage {
    /// Evidence of what it uses of a resource.
    pub(crate) fn evidence(&self, case: &Case<'_>, container: &ContainerView<'_>, resource: &str) -> Option<Evidence> {
        let amount = if resource == "cpu" { self.cpu } else { self.memory }?;
        let reference = case.neighbour(crate::kind::Kind::PodMetrics, case.name());
        let path = format!(".containers[{}].usage.{resource}", container.name());
        Some(Evidence::field(&reference, &path, amount.show(resource)).at(self.at))
    }
}

/// The memory that the instance after a kill uses already, with what it rests on; none where it cannot be told.
///
/// # Errors
/// [`Needs`] where the metrics have not been asked yet.
pub(crate) fn memory_again(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    limit: Option<Limit>,
) -> Result<Option<(Text, Option<Evidence>)>, Needs> {
    let Some(limit) = limit.filter(|limit| limit.bytes > 0 && !limit.is_of_pod()) else { return Ok(None) };
    let Some(usage) = of(case, container)?.found() else { return Ok(None) };
    let Some(memory) = usage.memory.map(Amount::units) else { return Ok(None) };
    let share = memory.saturating_mul(200).saturating_add(limit.bytes) / limit.bytes.saturating_mul(2);
    let started = container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
    let age = usage.at.zip(started).map(|(at, started)| at.duration_since(started));
    let after = age.map(|age| text![" ", own(ends::show(age)), " after its start"]);
    let next = outlook(share, age, last_run(container));
    let sentence = text![
        "The instance that runs now is at ",
        own(share.to_string()),
        "% of that limit (",
        own(bytes(memory)),
        ")",
        after,
        next,
        "."
    ];
    Ok(Some((sentence, usage.evidence(case, container, "memory"))))
}

fn last_run(container: &ContainerView<'_>) -> Option<SignedDuration> {
    let end = container.last_terminated()?;
    Some(end.finished_at.as_ref()?.0.duration_since(end.started_at.as_ref()?.0)).filter(SignedDuration::is_positive)
}

/// What one measurement tells of the next end.
fn outlook(share: i128, age: Option<SignedDuration>, last_run: Option<SignedDuration>) -> &'static str {
    let (Some(age), Some(last_run)) = (age, last_run) else {
        return if share >= NEAR { ": it will reach it again" } else { "" };
    };
    let (age, last_run) = (i128::from(age.as_secs()), i128::from(last_run.as_secs()));
    if share >= NEAR {
        return if age.saturating_mul(4) < last_run {
            ", sooner than the run before: it will reach it again soon"
        } else {
            ": it will reach it again"
        };
    }
    // At an even growth from nothing it reaches the limit when the run before did.
    let due = age.saturating_mul(100).checked_div(share).unwrap_or(0);
    let even = age >= 60 && share >= 10 && due.saturating_mul(2) >= last_run && due <= last_run.saturating_mul(2);
    if even { "; at that pace it reaches it when the run before did, as with a leak" } else { "" }
}

/// The CPU limit that binds a container: its own, else the pod's, and whether it is the pod's.
pub(crate) fn cpu_limit(pod: &Pod, container: &ContainerView<'_>) -> Option<(Amount, bool)> {
    let limits = container.spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let own = Amount::in_list(limits, "cpu").map(|amount| (amount, false));
    let of_pod = || {
        let limits = pod.spec.as_ref()?.resources.as_ref()?.limits.as_ref();
        Amount::in_list(limits, "cpu").map(|amount| (amount, true))
    };
    own.or_else(of_pod).filter(|(amount, _)| amount.milli() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_measurement_tells_a_leak_from_a_start() {
        let minutes = |count| Some(SignedDuration::from_mins(count));
        assert!(outlook(87, minutes(4), minutes(60)).contains("soon"));
        assert!(outlook(85, minutes(50), minutes(60)).ends_with("reach it again"));
        assert!(outlook(40, minutes(24), minutes(60)).contains("leak"));
        assert_eq!(outlook(40, minutes(2), minutes(60)), "", "what it takes at its start");
        assert_eq!(outlook(3, minutes(24), minutes(60)), "");
        assert_eq!(outlook(0, minutes(24), minutes(60)), "");
        assert_eq!(outlook(40, None, minutes(60)), "");
    }
}
