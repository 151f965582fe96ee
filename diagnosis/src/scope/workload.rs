//! A controller of pods: its own conditions, the refused creations of its pods, and one pod of each kind of failure.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, text};

use super::members::{Members, members};
use super::pod::heard_of_pods;
use super::{NoScope, Scope, Scoped, YOUNG, alone};
use crate::ask::Filter;
use crate::case::{Case, Refusal, Subject, Workload};
use crate::event::Event;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::{Kind, Object};
use crate::parse::eviction;
use crate::pods;
use crate::reader::{Needs, Reader};
use crate::report::Status;
use crate::triage::{PodDigest, Triage, triage};

/// How many different kinds of failing pods of a workload are read; what fails alike is read once.
const REPRESENTATIVES: usize = 4;

/// A controller stands for the pods that it has not made.
fn of_controller(workload: &Workload) -> Scoped {
    let (wanted, made) = match workload {
        Workload::Deployment(it) => (
            it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            it.status.as_ref().and_then(|status| status.replicas).unwrap_or(0),
        ),
        Workload::ReplicaSet(it) => (
            it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            it.status.as_ref().map_or(0, |status| status.replicas),
        ),
        Workload::StatefulSet(it) => (
            it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            it.status.as_ref().map_or(0, |status| status.replicas),
        ),
        Workload::DaemonSet(it) => it
            .status
            .as_ref()
            .map_or((1, 0), |status| (status.desired_number_scheduled, status.current_number_scheduled)),
        Workload::Job(_) | Workload::CronJob(_) => (1, 0),
    };
    let lacking = usize::try_from(wanted.saturating_sub(made)).unwrap_or(0).max(1);
    Scoped { stands_for: lacking, ..alone(Subject::Workload(workload.clone())) }
}

pub(super) fn of_workload(reader: &Reader<'_>, workload: &Workload) -> Result<Scope, NoScope> {
    let mut subjects = vec![of_controller(workload)];
    let members = members(reader, workload);
    if let (Workload::Deployment(deployment), Ok(Members { newest: Some(newest), .. })) = (workload, &members) {
        let mut set = of_controller(&Workload::ReplicaSet(Arc::clone(newest)));
        // Where the Deployment tells of the refusal too, it stands for the pods that are lacking.
        let told = conditions(workload).iter().any(|(type_, ..)| *type_ == "ReplicaFailure");
        if told || lacks_pods(workload) && named_set(deployment).is_some() {
            set.stands_for = 0;
        }
        subjects.push(set);
    }
    if let Workload::CronJob(cron) = workload {
        return of_cron_job(reader, cron, subjects);
    }
    let Members { newest, pods: members, .. } = members?;
    let is_newest = |pod: &Pod| {
        newest.as_ref().is_none_or(|newest| is_owned_by(&pod.metadata, &Object::ReplicaSet(Arc::clone(newest))))
    };
    let now = reader.now();
    let suspects: Vec<&Arc<Pod>> =
        members.iter().filter(|pod| triage(&PodDigest::from(&***pod), now) == Triage::Suspect).collect();
    let repeated = is_repeated(members.iter().map(|pod| &**pod).filter(|pod| is_newest(pod)), now);
    let is_history = |pod: &Pod| {
        is_superseded(workload, pod) && !(repeated && is_newest(pod) && failed_by_itself(pod) && !is_over(workload))
    };
    let needed = suspects.iter().filter(|pod| !is_history(pod)).count();
    let all = members.iter().filter(|pod| !is_history(pod)).count();
    let mut groups: BTreeMap<(bool, String), Vec<&Arc<Pod>>> = BTreeMap::new();
    if !is_over(workload) {
        for pod in suspects.iter().filter(|pod| !is_history(pod)) {
            groups.entry((!is_newest(pod), alike(pod))).or_default().push(pod);
        }
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|((old, alike), pods)| (*old, std::cmp::Reverse(pods.len()), alike.clone()));
    for ((old, _), pods) in groups.into_iter().take(REPRESENTATIVES) {
        // The oldest that fails so has said most about it.
        if let Some(pod) = pods.first() {
            let subject = Subject::Pod(Arc::clone(pod));
            subjects.push(Scoped { subject, stands_for: pods.len(), newest_revision: !old });
        }
    }
    if !is_over(workload) {
        subjects.extend(worn(&members, now, is_newest));
    }
    let mut otherwise = workload_status(reader, workload, needed);
    if otherwise.0 == Status::Unknown {
        otherwise.1.push(heard_of_pods(reader, &subjects));
    }
    Ok(Scope { subjects, otherwise, pods: Some((needed, all.max(needed))) })
}

/// Of the pods that work and restart often the one that does most; it stands for those that do at least half as often.
fn worn(members: &[Arc<Pod>], now: jiff::Timestamp, is_newest: impl Fn(&Pod) -> bool) -> Option<Scoped> {
    let digests = members.iter().map(|pod| (pod, PodDigest::from(&**pod)));
    let worn: Vec<_> = digests.filter(|(_, digest)| triage(digest, now) == Triage::Worn).collect();
    let (pod, most) = worn.iter().min_by_key(|(_, digest)| std::cmp::Reverse(digest.restarts))?;
    let stands_for = worn.iter().filter(|(_, digest)| digest.restarts.saturating_mul(2) >= most.restarts).count();
    Some(Scoped { subject: Subject::Pod(Arc::clone(pod)), stands_for, newest_revision: is_newest(pod) })
}

/// A failed pod that its controller has replaced, or a job's pod after the job has ended well: history.
pub(super) fn is_superseded(workload: &Workload, pod: &Pod) -> bool {
    is_over(workload) || pods::phase(pod) == "Failed" && replaces_failed(workload) && is_satisfied(workload)
}

/// A pod that failed for a reason of its own: it passed a limit of its own or its containers ended badly, and neither its
/// node, nor a drain, nor a more important pod took it.
fn failed_by_itself(pod: &Pod) -> bool {
    if pods::phase(pod) != "Failed" || pods::is_true(pod, "DisruptionTarget") {
        return false;
    }
    if matches!(eviction::of(pod), Some(eviction::Status::OverLimit { .. })) {
        return true;
    }
    let reason = pods::status(pod).and_then(|status| status.reason.as_deref()).unwrap_or_default();
    let ended_badly = |container: pods::ContainerView<'_>| container.last_end().is_some_and(|end| end.exit_code != 0);
    reason.is_empty() && pods::containers(pod).any(ended_badly)
}

/// Trouble that repeats: at least two pods of a revision failed by themselves, the last of them lately. The pod that
/// works at the moment is only the next one.
fn is_repeated<'p>(pods: impl Iterator<Item = &'p Pod>, now: jiff::Timestamp) -> bool {
    let failed: Vec<_> = pods.filter(|pod| failed_by_itself(pod)).map(pods::newest_time).collect();
    let lately = |last: jiff::Timestamp| now.duration_since(last) < pods::STABLE_AFTER;
    failed.len() >= 2 && failed.into_iter().flatten().max().is_some_and(lately)
}

fn replaces_failed(workload: &Workload) -> bool {
    matches!(workload, Workload::Deployment(_) | Workload::ReplicaSet(_) | Workload::DaemonSet(_) | Workload::Job(_))
}

/// The job has completed: what its pods went through is history.
pub(super) fn is_over(workload: &Workload) -> bool {
    let Workload::Job(job) = workload else { return false };
    job.status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .any(|condition| condition.type_ == "Complete" && condition.status == "True")
}

/// Desired and ready replicas as the controller counts them.
pub(crate) fn replicas(workload: &Workload) -> Option<(i32, i32)> {
    Some(match workload {
        Workload::Deployment(it) => (
            it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            it.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
        ),
        Workload::ReplicaSet(it) => (
            it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            it.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
        ),
        Workload::StatefulSet(it) => (
            it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            it.status.as_ref().and_then(|status| status.ready_replicas).unwrap_or(0),
        ),
        Workload::DaemonSet(it) => {
            let status = it.status.as_ref()?;
            (status.desired_number_scheduled, status.number_ready)
        }
        Workload::Job(_) | Workload::CronJob(_) => return None,
    })
}

/// Tells whether the controller has all the ready pods of the present template that it wants.
pub(crate) fn is_satisfied(workload: &Workload) -> bool {
    let ready = replicas(workload).is_some_and(|(desired, ready)| ready >= desired);
    let updated = match workload {
        Workload::Deployment(it) => {
            let desired = it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
            it.status.as_ref().and_then(|status| status.updated_replicas).unwrap_or(0) >= desired
        }
        Workload::StatefulSet(_)
        | Workload::DaemonSet(_)
        | Workload::ReplicaSet(_)
        | Workload::Job(_)
        | Workload::CronJob(_) => true,
    };
    ready && updated
}

/// With `OnDelete` a changed template reaches a pod only when somebody deletes it.
fn former_template(workload: &Workload) -> Option<Text> {
    let (strategy, updated, of) = match workload {
        Workload::StatefulSet(it) => {
            let (spec, status) = (it.spec.as_ref()?, it.status.as_ref()?);
            let changed = status.update_revision.is_some() && status.update_revision != status.current_revision;
            let strategy = spec.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
            (strategy.filter(|_| changed), status.updated_replicas.unwrap_or(0), status.replicas)
        }
        Workload::DaemonSet(it) => {
            let (spec, status) = (it.spec.as_ref()?, it.status.as_ref()?);
            let strategy = spec.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref());
            (strategy, status.updated_number_scheduled.unwrap_or(0), status.desired_number_scheduled)
        }
        _ => return None,
    };
    (strategy == Some("OnDelete") && updated < of).then(|| {
        let count = of - updated;
        text![
            "; ",
            count,
            if count == 1 { " still has" } else { " still have" },
            " the former template, which updateStrategy OnDelete changes only when they are deleted"
        ]
    })
}

fn workload_status(reader: &Reader<'_>, workload: &Workload, failing: usize) -> (Status, Text) {
    let object = workload.object();
    let reference = ObjectRef::new(object.kind(), object.namespace(), object.name());
    let subject = text![object.kind().name(), " ", name(reference.path())];
    if let Workload::Job(job) = workload {
        return job_status(job, failing, subject);
    }
    if object.meta().deletion_timestamp.is_some() {
        return (Status::Pending, text![subject, " is being deleted"]);
    }
    let (desired, ready) = replicas(workload).unwrap_or_default();
    if desired == 0 && matches!(workload, Workload::DaemonSet(_)) {
        return (Status::Healthy, text![subject, " wants no pod: no node is meant for it"]);
    }
    let are = if desired == 1 { " pod is ready" } else { " pods are ready" };
    let counts = text![": ", ready, " of ", desired, are];
    if failing == 0 && is_satisfied(workload) {
        return (Status::Healthy, text![subject, " is healthy", counts, former_template(workload)]);
    }
    let changed = object.meta().creation_timestamp.as_ref().map(|time| time.0).max(last_progress(workload));
    let young = changed.is_some_and(|time| reader.now().duration_since(time) < YOUNG);
    if young {
        return (Status::Pending, text![subject, " is on its way", counts]);
    }
    (Status::Unknown, text![subject, counts, ", and nothing that was read tells why"])
}

fn job_status(job: &Job, failing: usize, subject: Text) -> (Status, Text) {
    let status = job.status.as_ref();
    let is_true = |type_: &str| {
        status
            .into_iter()
            .flat_map(|status| status.conditions.iter().flatten())
            .any(|c| c.type_ == type_ && c.status == "True")
    };
    if is_true("Complete") || is_true("SuccessCriteriaMet") {
        return (Status::Healthy, text![subject, " has completed"]);
    }
    let suspended = job.spec.as_ref().and_then(|spec| spec.suspend) == Some(true);
    if suspended {
        return (Status::Pending, text![subject, " is suspended"]);
    }
    if is_true("Failed") {
        return (Status::Unknown, text![subject, " has failed, and nothing that was read tells why"]);
    }
    let active = status.and_then(|status| status.active).unwrap_or(0);
    if failing == 0 && active > 0 {
        return (Status::Healthy, text![subject, " is running"]);
    }
    (Status::Pending, text![subject, " has not finished"])
}

fn last_progress(workload: &Workload) -> Option<jiff::Timestamp> {
    let Workload::Deployment(deployment) = workload else { return None };
    deployment
        .status
        .iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .filter(|condition| condition.type_ == "Progressing")
        .filter_map(|condition| condition.last_update_time.as_ref())
        .map(|time| time.0)
        .max()
}

/// Jobs of a `CronJob`, the newest that matters: one that runs, else the last to end if it failed.
fn of_cron_job(reader: &Reader<'_>, cron: &Arc<CronJob>, mut subjects: Vec<Scoped>) -> Result<Scope, NoScope> {
    let object = Object::CronJob(Arc::clone(cron));
    let path = ObjectRef::new(Kind::CronJob, object.namespace(), object.name()).path();
    let jobs = reader.list::<Job>(object.namespace(), Filter::All)?.found().unwrap_or_default();
    let mut jobs = owned(jobs, &object);
    jobs.sort_by_key(|job| job.metadata.creation_timestamp.clone());
    let mut status = (Status::Healthy, text!["CronJob ", name(path), " runs as scheduled"]);
    let mut pods = None;
    if let Some(job) = jobs.last() {
        let inner = of_workload(reader, &Workload::Job(Arc::clone(job)))?;
        let over = is_over(&Workload::Job(Arc::clone(job)));
        if !over {
            pods = inner.pods;
            subjects.extend(inner.subjects);
            if inner.otherwise.0 != Status::Healthy {
                status = inner.otherwise;
            }
        }
    }
    Ok(Scope { subjects, otherwise: status, pods })
}

pub(super) fn owned<T: crate::kind::Evidential>(objects: Vec<Arc<T>>, owner: &Object) -> Vec<Arc<T>> {
    objects.into_iter().filter(|object| is_owned_by(object.meta(), owner)).collect()
}

/// Tells whether that object is the controller; by UID where both have one.
pub(crate) fn is_owned_by(meta: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta, owner: &Object) -> bool {
    meta.owner_references.iter().flatten().any(|reference| {
        let same_uid = owner.meta().uid.as_deref().is_none_or(|uid| reference.uid.is_empty() || uid == reference.uid);
        reference.kind == owner.kind().name() && reference.name == owner.name() && same_uid
    })
}

/// The annotation in which the Deployment controller counts revisions.
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";

/// The revision that a Deployment made last.
pub(crate) fn revision(set: &ReplicaSet) -> i64 {
    set.metadata
        .annotations
        .as_ref()
        .and_then(|annotations| annotations.get(REVISION))
        .and_then(|revision| revision.parse().ok())
        .unwrap_or(0)
}

pub(super) fn newest_set(sets: &[Arc<ReplicaSet>]) -> Option<Arc<ReplicaSet>> {
    sets.iter().max_by_key(|set| (revision(set), set.metadata.creation_timestamp.clone())).cloned()
}

/// Pods that fail alike have the same of this: where they stand and what holds each container.
pub(super) fn alike(pod: &Pod) -> String {
    let mut words = vec![pods::phase(pod).to_owned()];
    words.extend(pods::status(pod).and_then(|status| status.reason.clone()));
    words.push(if pods::node_name(pod).is_some() { "bound" } else { "unbound" }.to_owned());
    if pod.metadata.deletion_timestamp.is_some() {
        words.push("terminating".to_owned());
    }
    for container in pods::containers(pod) {
        // A container in its back-off fails like one that has just ended.
        let reason = match container.waiting_reason() {
            "CrashLoopBackOff" => "",
            "ImagePullBackOff" | "ErrImagePull" => "pull",
            reason => reason,
        };
        let end = container.last_end().map(|end| end.exit_code);
        if !reason.is_empty() || end.is_some() {
            words.push(format!("{}:{reason}:{end:?}", container.name()));
        }
    }
    words.join("/")
}

/// What the API said when the workload's pods were refused: conditions first, else events, only while pods are lacking.
pub(crate) fn refusals(case: &Case<'_>, workload: &Workload) -> Result<Vec<Refusal>, Needs> {
    if case.meta().deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    let by = case.reference();
    for (type_, reason, message, since) in conditions(workload) {
        let refused = type_ == "ReplicaFailure" && reason != "FailedDelete" || reason == "ReplicaSetCreateError";
        if refused && !message.is_empty() {
            let evidence = case.field(&format!(".status.conditions[{type_}]"), message).at(since);
            return Ok(vec![Refusal { message: message.to_owned(), evidence, by, since }]);
        }
    }
    if !lacks_pods(workload) {
        return Ok(Vec::new());
    }
    let mut events = case.own_events()?.to_vec();
    let refused = |event: &Arc<Event>| {
        event.is_warning() && matches!(event.reason.as_str(), "FailedCreate" | "ReplicaSetCreateError")
    };
    if let (Workload::Deployment(deployment), false) = (workload, events.iter().any(refused)) {
        // Where the ReplicaSet cannot be read, its events still may.
        if let Some(set) = named_set(deployment) {
            events = case.events(Kind::ReplicaSet, case.namespace(), &set, None)?;
        }
    }
    let Some(event) = events.iter().rev().find(|event| refused(event)) else { return Ok(Vec::new()) };
    // A controller that makes its pods one by one got over it, when it made one later. One that makes many at once may get
    // some through while others are refused.
    let slack = match workload {
        Workload::StatefulSet(_) | Workload::CronJob(_) => SignedDuration::ZERO,
        _ => SignedDuration::from_secs(30),
    };
    let started = match workload {
        Workload::CronJob(cron) => {
            cron.status.as_ref().and_then(|status| status.last_schedule_time.as_ref()).map(|it| it.0)
        }
        _ => None,
    };
    if started.is_some_and(|started| event.last.is_some_and(|refused| started > refused)) {
        return Ok(Vec::new());
    }
    let healed = events
        .iter()
        .filter(|later| later.reason == "SuccessfulCreate")
        .any(|later| later.last.zip(event.last).is_some_and(|(later, refused)| later.duration_since(refused) > slack));
    if healed {
        return Ok(Vec::new());
    }
    Ok(vec![Refusal { message: event.message.clone(), evidence: Evidence::event(event), by, since: event.first }])
}

/// The conditions that are True (or that say why nothing progresses): type, reason, message, since when.
fn conditions(workload: &Workload) -> Vec<(&str, &str, &str, Option<jiff::Timestamp>)> {
    // The two types of conditions have the same fields.
    macro_rules! told {
        ($status:expr, $is_told:expr) => {
            $status
                .iter()
                .flat_map(|status| status.conditions.iter().flatten())
                .filter($is_told)
                .map(|it| {
                    let (reason, message) = (it.reason.as_deref(), it.message.as_deref());
                    let since = it.last_transition_time.as_ref().map(|time| time.0);
                    (it.type_.as_str(), reason.unwrap_or_default(), message.unwrap_or_default(), since)
                })
                .collect()
        };
    }
    match workload {
        Workload::ReplicaSet(set) => told!(set.status, |it| it.status == "True"),
        Workload::Deployment(deployment) => told!(deployment.status, |it| {
            it.status == "True" || it.reason.as_deref() == Some("ReplicaSetCreateError")
        }),
        Workload::StatefulSet(_) | Workload::DaemonSet(_) | Workload::Job(_) | Workload::CronJob(_) => Vec::new(),
    }
}

/// The `ReplicaSet` that a Deployment's condition Progressing names: `ReplicaSet "cart-7c9" is progressing.`
fn named_set(deployment: &Deployment) -> Option<String> {
    let conditions = deployment.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let message = conditions.filter(|it| it.type_ == "Progressing").find_map(|it| it.message.as_deref())?;
    let named = message.to_lowercase().contains("replicaset \"") || message.contains("replica set \"");
    message.split('"').nth(1).filter(|_| named).map(str::to_owned)
}

/// Tells whether the controller has made fewer pods (or jobs) than it wants.
fn lacks_pods(workload: &Workload) -> bool {
    match workload {
        Workload::Deployment(it) => {
            it.status.as_ref().and_then(|status| status.replicas).unwrap_or(0)
                < it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
        }
        Workload::ReplicaSet(it) => {
            it.status.as_ref().map_or(0, |status| status.replicas)
                < it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
        }
        Workload::StatefulSet(it) => {
            it.status.as_ref().map_or(0, |status| status.replicas)
                < it.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1)
        }
        Workload::DaemonSet(it) => {
            it.status.as_ref().is_none_or(|status| status.current_number_scheduled < status.desired_number_scheduled)
        }
        Workload::Job(it) => {
            let (spec, status) = (it.spec.as_ref(), it.status.as_ref());
            let ended = status.into_iter().flat_map(|status| status.conditions.iter().flatten()).any(|condition| {
                matches!(condition.type_.as_str(), "Complete" | "Failed" | "SuccessCriteriaMet")
                    && condition.status == "True"
            });
            let active = status.and_then(|status| status.active).unwrap_or(0);
            let done = status.and_then(|status| status.succeeded).unwrap_or(0);
            let parallel = spec.and_then(|spec| spec.parallelism).unwrap_or(1);
            let open = spec.and_then(|spec| spec.completions).map_or(parallel, |wanted| wanted - done);
            !ended && spec.and_then(|spec| spec.suspend) != Some(true) && active < parallel.min(open)
        }
        Workload::CronJob(it) => it.spec.as_ref().and_then(|spec| spec.suspend) != Some(true),
    }
}
