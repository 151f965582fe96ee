//! Whether a container is short of CPU by its own limit when a probe gets no answer from it.

use k8s_openapi::api::core::v1::Pod;

use crate::case::Case;
use crate::facts::probes::{Killed, NotReady};
use crate::facts::usage::{self, Usage};
use crate::parse::probe::{Outcome, ProbeKind};
use crate::parse::quantity::Amount;
use crate::pods::ContainerView;
use crate::reader::Needs;

/// At this share of the limit a container wants more than it gets, in percent: the measurement is an average.
const AT_LIMIT: i128 = 95;

/// A limit below this is too little for almost any start, in thousandths of a core.
const TINY: i128 = 100;

/// What speaks for a container being throttled.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// It uses all of its limit.
    AtLimit(Usage),
    /// Its limit is tiny, and nothing tells what it uses.
    Tiny,
}

/// A container that may be throttled.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Throttled {
    pub(crate) limit: Amount,
    pub(crate) proof: Proof,
    /// What the probe got is what a slow answer looks like.
    pub(crate) is_slow: bool,
}

impl Throttled {
    /// It uses all of its limit, and its probe waits in vain: the limit is the cause.
    pub(crate) fn is_cause(&self) -> bool {
        self.is_slow && matches!(self.proof, Proof::AtLimit(_))
    }
}

/// What speaks for throttling of a container that its probe kills.
///
/// # Errors
/// [`Needs`] where the metrics have not been asked yet.
pub(crate) fn of_killed(case: &Case<'_>, pod: &Pod, killed: &Killed<'_>) -> Result<Option<Throttled>, Needs> {
    let Some((outcome, _)) = &killed.failure else { return Ok(None) };
    of(case, pod, &killed.container, Some(outcome), killed.kind == ProbeKind::Startup)
}

/// What speaks for throttling of a container that runs and is not ready.
///
/// # Errors
/// [`Needs`] where the metrics have not been asked yet.
pub(crate) fn of_not_ready(case: &Case<'_>, pod: &Pod, not_ready: &NotReady<'_>) -> Result<Option<Throttled>, Needs> {
    if not_ready.early {
        return Ok(None);
    }
    let outcome = not_ready.failure.as_ref().map(|(outcome, _)| outcome);
    of(case, pod, &not_ready.container, outcome, false)
}

/// What speaks for a container being throttled whose probe fails with that outcome; none where nothing does.
///
/// # Errors
/// [`Needs`] where the metrics have not been asked yet.
fn of(
    case: &Case<'_>,
    pod: &Pod,
    container: &ContainerView<'_>,
    outcome: Option<&Outcome>,
    is_starting: bool,
) -> Result<Option<Throttled>, Needs> {
    let Some((limit, of_pod)) = usage::cpu_limit(pod, container) else { return Ok(None) };
    // A limit of the pod as a whole is measured against all of its containers; their sum is not worked out.
    if of_pod {
        return Ok(None);
    }
    let is_slow = match outcome {
        Some(Outcome::Timeout { .. } | Outcome::ExecTimeout) => true,
        Some(Outcome::Refused { .. }) => is_starting,
        _ => false,
    };
    // What answers with an error, or cannot be asked at all, is not slow.
    if !is_slow && outcome.is_some() {
        return Ok(None);
    }
    let usage = usage::of(case, container)?.found();
    let proof = match usage.and_then(|usage| Some((usage, usage.cpu?))) {
        Some((usage, used)) if is_at(used, limit) => Proof::AtLimit(usage),
        None if limit.milli() < TINY && is_slow => Proof::Tiny,
        Some(_) | None => return Ok(None),
    };
    Ok(Some(Throttled { limit, proof, is_slow }))
}

fn is_at(used: Amount, limit: Amount) -> bool {
    used.milli().saturating_mul(100) >= limit.milli().saturating_mul(AT_LIMIT)
}
