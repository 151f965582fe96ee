//! The one prefilter: which pods are worth a look.
//!
//! "Healthy" is decided here and nowhere else: a rule finds errors only on pods that triage calls [`Triage::Suspect`].

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use serde::Deserialize;

use crate::pods::{self, Role};

/// What a first look says of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Triage {
    /// It runs and is ready, or has ended as it should.
    Fine,
    /// It runs and is ready, and has restarted so often that its siblings and its last end are worth a look.
    Worn,
    /// It is to be read whole.
    Suspect,
    /// It is going away in its own time.
    Gone,
}

impl Triage {
    /// Tells whether it does its work, however often it restarts.
    pub const fn works(self) -> bool {
        matches!(self, Self::Fine | Self::Worn)
    }
}

/// How long after the end of its grace a deleted pod may still be there.
pub const GONE_WITHIN: SignedDuration = SignedDuration::from_secs(60);

/// How many restarts are worth a word at all: more than five.
const LEAST_RESTARTS: i32 = 6;

/// How rarely a container may restart on average until nobody minds.
const RAREST: SignedDuration = SignedDuration::from_hours(72);

/// After how many times the usual time between two restarts they are over.
const OVER_AFTER: i32 = 5;

/// The little of a pod that triage looks at: what a compact watch record holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own that a watch record keeps in a bit")]
pub struct PodDigest {
    /// When its grace ends, if it was deleted.
    pub deletion: Option<Timestamp>,
    /// Its phase is Succeeded.
    pub succeeded: bool,
    /// Its phase is Running.
    pub running: bool,
    /// Its condition Ready is True.
    pub ready: bool,
    /// A container waits or has ended badly, a resize is pending, or a disruption was announced.
    pub marked: bool,
    /// The last end of a container that was restarted at least twice, or was out of memory.
    pub last_end: Option<Timestamp>,
    /// When it was made.
    pub created: Option<Timestamp>,
    /// How often the running container was restarted that was restarted most; zero where it is not restarted always.
    pub restarts: i32,
    /// Since when that container runs.
    pub running_since: Option<Timestamp>,
}

impl PodDigest {
    fn count(&mut self, restarts: i32, running_since: Option<Timestamp>) {
        if restarts > self.restarts && running_since.is_some() {
            self.restarts = restarts;
            self.running_since = running_since;
        }
    }
}

/// Says whether a pod is worth a look at that time.
pub fn triage(digest: &PodDigest, now: Timestamp) -> Triage {
    if let Some(deletion) = digest.deletion {
        return if now.duration_since(deletion) > GONE_WITHIN { Triage::Suspect } else { Triage::Gone };
    }
    let unstable = digest.last_end.is_some_and(|end| now.duration_since(end) < pods::STABLE_AFTER);
    let fine = (digest.succeeded || (digest.running && digest.ready)) && !digest.marked && !unstable;
    match fine {
        true if is_worn(digest, now) => Triage::Worn,
        true => Triage::Fine,
        false => Triage::Suspect,
    }
}

fn is_worn(digest: &PodDigest, now: Timestamp) -> bool {
    let Some((created, since)) = digest.created.zip(digest.running_since) else { return false };
    keeps_restarting(digest.restarts, now.duration_since(created), now.duration_since(since))
}

/// Tells whether a container that lives for that long, and now runs for that long, restarts often and still does.
pub(crate) fn keeps_restarting(restarts: i32, life: SignedDuration, uptime: SignedDuration) -> bool {
    if restarts < LEAST_RESTARTS || life <= SignedDuration::ZERO {
        return false;
    }
    let usual = life / restarts;
    usual <= RAREST && uptime <= usual * OVER_AFTER
}

impl From<&Pod> for PodDigest {
    fn from(pod: &Pod) -> Self {
        let mut digest = Self {
            deletion: pod.metadata.deletion_timestamp.as_ref().map(|time| time.0),
            succeeded: pods::phase(pod) == "Succeeded",
            running: pods::phase(pod) == "Running",
            ready: pods::is_true(pod, "Ready"),
            marked: pods::is_true(pod, "PodResizePending") || pods::is_true(pod, "DisruptionTarget"),
            created: pods::created(pod),
            ..Self::default()
        };
        let always = pods::restart_policy(pod) == "Always";
        for container in pods::containers(pod) {
            let since = container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
            if always && container.role != Role::Init {
                digest.count(container.restarts(), since);
            }
            digest.marked |= container.waiting().is_some();
            digest.marked |= container.terminated().is_some_and(|end| {
                end.reason.as_deref() == Some("OOMKilled") || (end.exit_code != 0 && container.role != Role::Init)
            });
            if let Some(end) = container.last_terminated() {
                let counts = container.restarts() >= 2 || end.reason.as_deref() == Some("OOMKilled");
                let bad =
                    end.exit_code != 0 || end.reason.as_deref() == Some("OOMKilled") || container.role != Role::Init;
                if counts && bad {
                    digest.last_end = digest.last_end.max(end.finished_at.as_ref().map(|time| time.0));
                }
            }
        }
        digest
    }
}

/// The fields of a Pod in JSON that [`PodDigest`] needs; everything else is skipped while parsing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Trimmed<'a> {
    metadata: TrimmedMeta,
    #[serde(borrow, default)]
    status: TrimmedStatus<'a>,
    #[serde(borrow, default)]
    spec: TrimmedSpec<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedMeta {
    creation_timestamp: Option<Timestamp>,
    deletion_timestamp: Option<Timestamp>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TrimmedSpec<'a> {
    restart_policy: Option<&'a str>,
    #[serde(borrow)]
    init_containers: Option<Vec<TrimmedContainer<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedContainer<'a> {
    name: &'a str,
    restart_policy: Option<&'a str>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct TrimmedStatus<'a> {
    phase: Option<&'a str>,
    #[serde(borrow)]
    conditions: Option<Vec<TrimmedCondition<'a>>>,
    #[serde(borrow)]
    container_statuses: Option<Vec<TrimmedContainerStatus<'a>>>,
    #[serde(borrow)]
    init_container_statuses: Option<Vec<TrimmedContainerStatus<'a>>>,
}

#[derive(Deserialize)]
struct TrimmedCondition<'a> {
    #[serde(rename = "type")]
    type_: &'a str,
    status: &'a str,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedContainerStatus<'a> {
    name: &'a str,
    #[serde(default)]
    restart_count: i32,
    #[serde(borrow)]
    state: Option<TrimmedState<'a>>,
    #[serde(borrow)]
    last_state: Option<TrimmedState<'a>>,
}

#[derive(Deserialize)]
struct TrimmedState<'a> {
    waiting: Option<serde::de::IgnoredAny>,
    running: Option<TrimmedRun>,
    #[serde(borrow)]
    terminated: Option<TrimmedEnd<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedRun {
    started_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TrimmedEnd<'a> {
    #[serde(default)]
    exit_code: i32,
    reason: Option<&'a str>,
    finished_at: Option<Timestamp>,
}

impl PodDigest {
    /// Reads a digest from a Pod in JSON, as a watch sends it, without building the Pod.
    ///
    /// # Errors
    /// Where the JSON is no Pod; the caller reads it whole then.
    pub fn from_json(json: &[u8]) -> Result<Self, serde_json::Error> {
        let pod: Trimmed<'_> = serde_json::from_slice(json)?;
        let conditions = pod.status.conditions.unwrap_or_default();
        let is_true = |type_: &str| conditions.iter().any(|c| c.type_ == type_ && c.status == "True");
        let mut digest = Self {
            deletion: pod.metadata.deletion_timestamp,
            succeeded: pod.status.phase == Some("Succeeded"),
            running: pod.status.phase == Some("Running"),
            ready: is_true("Ready"),
            marked: is_true("PodResizePending") || is_true("DisruptionTarget"),
            created: pod.metadata.creation_timestamp,
            ..Self::default()
        };
        let always = pod.spec.restart_policy.is_none_or(|policy| policy == "Always");
        let inits = pod.spec.init_containers.unwrap_or_default();
        let is_init = |name: &str| inits.iter().any(|c| c.name == name && c.restart_policy != Some("Always"));
        let init_statuses = pod.status.init_container_statuses.unwrap_or_default();
        let main_statuses = pod.status.container_statuses.unwrap_or_default();
        let all = init_statuses.iter().map(|s| (s, is_init(s.name))).chain(main_statuses.iter().map(|s| (s, false)));
        for (status, init) in all {
            let since = status.state.as_ref().and_then(|state| state.running.as_ref()).and_then(|run| run.started_at);
            if always && !init {
                digest.count(status.restart_count, since);
            }
            if let Some(state) = &status.state {
                digest.marked |= state.waiting.is_some();
                digest.marked |= state
                    .terminated
                    .as_ref()
                    .is_some_and(|end| end.reason == Some("OOMKilled") || (end.exit_code != 0 && !init));
            }
            if let Some(end) = status.last_state.as_ref().and_then(|state| state.terminated.as_ref()) {
                let oom = end.reason == Some("OOMKilled");
                if (status.restart_count >= 2 || oom) && (end.exit_code != 0 || oom || !init) {
                    digest.last_end = digest.last_end.max(end.finished_at);
                }
            }
        }
        Ok(digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_count_while_they_go_on() {
        let (day, hour) = (SignedDuration::from_hours(24), SignedDuration::from_hours(1));
        assert!(keeps_restarting(140, day * 46, hour * 6));
        assert!(keeps_restarting(20, day * 46, day), "siblings tell whether that is much");
        assert!(!keeps_restarting(140, day * 46, day * 3), "over: it holds for ten times as long as it used to");
        assert!(!keeps_restarting(5, hour, hour / 10), "five are no habit");
        assert!(!keeps_restarting(7, day * 46, day), "once a week");
        assert!(keeps_restarting(6, hour * 12, hour));
        assert!(!keeps_restarting(i32::MAX, SignedDuration::ZERO, hour));
        assert!(!keeps_restarting(6, SignedDuration::MIN, hour), "made in the future");
    }

    #[test]
    fn a_pod_that_restarts_often_is_worn_and_one_whose_last_end_was_a_moment_ago_suspect() {
        let now: Timestamp = "2026-11-20T10:10:00Z".parse().expect("a time");
        let ago = |minutes| Some(now - SignedDuration::from_mins(minutes));
        let worn = PodDigest {
            running: true,
            ready: true,
            created: ago(46 * 24 * 60),
            restarts: 140,
            running_since: ago(360),
            last_end: ago(361),
            ..PodDigest::default()
        };
        assert_eq!(triage(&worn, now), Triage::Worn);
        assert_eq!(triage(&PodDigest { last_end: ago(3), running_since: ago(2), ..worn }, now), Triage::Suspect);
        assert_eq!(triage(&PodDigest { restarts: 2, ..worn }, now), Triage::Fine);
        assert_eq!(triage(&PodDigest { ready: false, ..worn }, now), Triage::Suspect);
        assert_eq!(triage(&PodDigest { created: None, ..worn }, now), Triage::Fine);
    }
}
