//! Facts of the stage probe: which probe of which container fails, what it got, and whether it killed the container.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Probe;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kubewhy_text::{Text, code, quoted, text};

use crate::case::Case;
use crate::event::Event;
use crate::parse::probe::{self, Outcome, ProbeKind};
use crate::pods::{self, ContainerView, Role};
use crate::reader::Needs;

/// How far a kill and the end it causes may be apart beside the grace period: clocks and reports are not exact.
const SLACK: SignedDuration = SignedDuration::from_secs(30);

/// The probe of that kind in a container's specification.
pub(crate) fn spec<'c>(container: &ContainerView<'c>, kind: ProbeKind) -> Option<&'c Probe> {
    match kind {
        ProbeKind::Readiness => container.spec.readiness_probe.as_ref(),
        ProbeKind::Liveness => container.spec.liveness_probe.as_ref(),
        ProbeKind::Startup => container.spec.startup_probe.as_ref(),
    }
}

/// The probe that killed a container when it ended last, if one did. Its exit code says nothing: 137, 143, 0 and the app's
/// own all follow a probe's kill.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn killed_by_probe(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<ProbeKind>, Needs> {
    Ok(kill(case, container)?.map(|(kind, _)| kind))
}

/// The same with the event that proves it: `Killing`, or `Unhealthy` where the kill itself is no longer told.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn kill(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<(ProbeKind, Arc<Event>)>, Needs> {
    if !has_killing_probe(container) {
        return Ok(None);
    }
    let events = case.own_events()?;
    let told = events.iter().rev().filter(|event| event.reason == "Killing" && is_about(case, event, container));
    for event in told {
        let Some(kind) = probe::kills(&event.message) else { continue };
        let fits = match container.last_end() {
            Some(end) => is_end_of(case, container, event.last, end.finished_at.as_ref().map(|time| time.0)),
            // Killed, and not gone yet: its grace period runs. Or its end is no longer told.
            None => container.running().is_some() || container.restarts() > 0,
        };
        if fits {
            return Ok(Some((kind, Arc::clone(event))));
        }
    }
    Ok(inferred_kill(case, container, events))
}

fn has_killing_probe(container: &ContainerView<'_>) -> bool {
    container.spec.liveness_probe.is_some() || container.spec.startup_probe.is_some()
}

/// Without a `Killing` event: SIGKILL or SIGTERM right after the probe failed its last time.
fn inferred_kill(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    events: &[Arc<Event>],
) -> Option<(ProbeKind, Arc<Event>)> {
    let end = container.last_end()?;
    if !matches!(end.exit_code, 137 | 143) || end.reason.as_deref() == Some("OOMKilled") || container.restarts() == 0 {
        return None;
    }
    let gone = case.meta().deletion_timestamp.is_some() || case.pod().is_some_and(pods::is_finished);
    if gone {
        return None;
    }
    let finished = end.finished_at.as_ref().map(|time| time.0);
    let started = end.started_at.as_ref().map(|time| time.0);
    let lived = finished.zip(started).map(|(finished, started)| finished.duration_since(started));
    events.iter().rev().filter(|event| event.reason == "Unhealthy" && is_about(case, event, container)).find_map(
        |event| {
            let failed = probe::unhealthy(&event.message)?;
            let kills = failed.probe != ProbeKind::Readiness && failed.outcome != Outcome::ContainerGone;
            let right_before = || is_end_of(case, container, event.last, finished);
            let before = || {
                let patient = spec(container, failed.probe).map(patience)?;
                let lately = is_within(event.last, finished, UNTOLD);
                let goes_on = event.count > 1 && lately && lived? >= patient;
                (goes_on && has_killed(case, container, events, failed.probe)).then_some(())
            };
            (kills && (right_before() || before().is_some())).then(|| (failed.probe, Arc::clone(event)))
        },
    )
}

/// The kubelet sends few events about one object once it has sent 25: one in five minutes, so that of a container that
/// its probe kills again and again the later kills and failures are mostly not told.
const UNTOLD: SignedDuration = SignedDuration::from_mins(11);

/// That probe has killed an earlier instance.
fn has_killed(case: &Case<'_>, container: &ContainerView<'_>, events: &[Arc<Event>], kind: ProbeKind) -> bool {
    let mut killings = events.iter().filter(|event| event.reason == "Killing" && is_about(case, event, container));
    killings.any(|event| probe::kills(&event.message) == Some(kind))
}

/// Tells whether a failure lies no longer before an end than that.
fn is_within(failure: Option<Timestamp>, end: Option<Timestamp>, most: SignedDuration) -> bool {
    let (Some(failure), Some(end)) = (failure, end) else { return false };
    end.duration_since(failure) <= most
}

/// The least time from the first failure of a probe to the kill: as many failures as it takes, less one period for the
/// first.
fn patience(probe: &Probe) -> SignedDuration {
    let period = i64::from(probe.period_seconds.unwrap_or(10).max(1));
    let threshold = i64::from(probe.failure_threshold.unwrap_or(3).max(1));
    SignedDuration::from_secs(period * (threshold - 1))
}

/// Tells whether a kill at one time explains an end at another: the end lies within the grace period after it.
fn is_end_of(case: &Case<'_>, container: &ContainerView<'_>, kill: Option<Timestamp>, end: Option<Timestamp>) -> bool {
    let (Some(kill), Some(end)) = (kill, end) else { return true };
    let grace = [ProbeKind::Liveness, ProbeKind::Startup]
        .into_iter()
        .filter_map(|kind| spec(container, kind)?.termination_grace_period_seconds)
        .chain(case.pod().and_then(pods::spec).and_then(|spec| spec.termination_grace_period_seconds))
        .max()
        .unwrap_or(30);
    let after = end.duration_since(kill);
    // A kill that is newer than the last end known is the present instance's; it fails alike.
    after <= SignedDuration::from_secs(grace.clamp(0, 86_400)) + SLACK
}

/// Tells whether an event is about that container: by its field path, its text, or because there is only one.
pub(crate) fn is_about(case: &Case<'_>, event: &Event, container: &ContainerView<'_>) -> bool {
    if let Some(name) = event.container() {
        return name == container.name();
    }
    let named = event.message.split_whitespace().any(|word| word == container.name());
    let alone = || case.containers().filter(|other| other.role == Role::Main).count() == 1;
    named || (container.role == Role::Main && alone())
}

/// The newest failure of a probe in the container's present instance, or right before its last end.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn newest_failure(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    kind: ProbeKind,
) -> Result<Option<(Outcome, Arc<Event>)>, Needs> {
    let events = case.own_events()?;
    // An event that names no container is about the only one that has such a probe.
    let only =
        case.containers().filter(|other| spec(other, kind).is_some()).count() == 1 && spec(container, kind).is_some();
    let is_about = |event: &Event| is_about(case, event, container) || (only && event.container().is_none());
    let about = events.iter().rev().filter(|event| event.reason == "Unhealthy" && is_about(event));
    let mut second = None;
    for event in about {
        let Some(failed) = probe::unhealthy(&event.message).filter(|failed| failed.probe == kind) else { continue };
        if failed.outcome == Outcome::ContainerGone {
            // The race with a container that ends; an older event says more.
            second.get_or_insert((failed.outcome, Arc::clone(event)));
            continue;
        }
        return Ok(Some((failed.outcome, Arc::clone(event))));
    }
    Ok(second)
}

/// A container that runs and is not ready, with what its readiness probe got.
#[derive(Debug)]
pub(crate) struct NotReady<'c> {
    /// The container.
    pub(crate) container: ContainerView<'c>,
    /// Its readiness probe.
    pub(crate) probe: &'c Probe,
    /// What the probe got last, where an event still tells.
    pub(crate) failure: Option<(Outcome, Arc<Event>)>,
    /// How long this instance has been running.
    pub(crate) age: SignedDuration,
    /// It has had less time than twice its budget: nothing is wrong with it yet.
    pub(crate) early: bool,
}

/// The containers that run and are not ready by their own readiness probe.
///
/// # Errors
/// [`Needs`] where the events or the node have not been asked yet.
pub(crate) fn not_ready<'c>(case: &'c Case<'_>) -> Result<Vec<NotReady<'c>>, Needs> {
    let mut found = Vec::new();
    let Some(pod) = case.pod() else { return Ok(found) };
    if case.meta().deletion_timestamp.is_some() || pods::is_finished(pod) {
        return Ok(found);
    }
    for container in case.containers().filter(|container| container.role != Role::Init && !container.is_ready()) {
        let Some(probe) = container.spec.readiness_probe.as_ref() else { continue };
        let Some(running) = container.running() else { continue };
        if container.status.and_then(|status| status.started) == Some(false) || super::nodes::node_is_lost(case)? {
            continue;
        }
        let started = running.started_at.as_ref().map(|time| time.0);
        let failure =
            newest_failure(case, &container, ProbeKind::Readiness)?.filter(|(_, event)| is_since(event, started));
        let age = started.map_or(SignedDuration::ZERO, |started| case.age(started));
        let early = started.is_some() && age <= budget(probe) * 2;
        found.push(NotReady { container, probe, failure, age, early });
    }
    Ok(found)
}

/// Tells whether a container that runs and is not ready still has time by the probe that it waits for: twice the probe's
/// budget, as for a pod that is asked about itself. `None` where no probe says.
pub(crate) fn time_left(container: &ContainerView<'_>, now: Timestamp) -> Option<bool> {
    let running = container.running().filter(|_| !container.is_ready())?;
    let is_started = container.status.and_then(|status| status.started) != Some(false);
    let probe = if is_started { &container.spec.readiness_probe } else { &container.spec.startup_probe };
    let since = running.started_at.as_ref()?.0;
    Some(now.duration_since(since) <= budget(probe.as_ref()?) * 2)
}

/// Tells whether an event was seen since that time; reports are exact to the second only.
fn is_since(event: &Event, time: Option<Timestamp>) -> bool {
    match (event.last, time) {
        (Some(last), Some(time)) => last >= time - SignedDuration::from_secs(1),
        _ => true,
    }
}

/// A container that its own probe kills.
#[derive(Debug)]
pub(crate) struct Killed<'c> {
    /// The container.
    pub(crate) container: ContainerView<'c>,
    /// Which probe: liveness or startup.
    pub(crate) kind: ProbeKind,
    /// The probe.
    pub(crate) probe: &'c Probe,
    /// The event that tells of the kill.
    pub(crate) kill: Arc<Event>,
    /// What the probe got last.
    pub(crate) failure: Option<(Outcome, Arc<Event>)>,
}

/// The containers that their own probes kill, now or until a short while ago.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn killed<'c>(case: &'c Case<'_>) -> Result<Vec<Killed<'c>>, Needs> {
    let mut found = Vec::new();
    let Some(pod) = case.pod() else { return Ok(found) };
    let ended_whole = pods::status(pod).is_some_and(|status| status.reason.is_some());
    if case.meta().deletion_timestamp.is_some() || ended_whole {
        return Ok(found);
    }
    for container in case.containers() {
        let going = container.running().is_some() && (!container.is_ready() || container.restarts() == 0);
        let loops = container.waiting_reason() == "CrashLoopBackOff";
        if !going && !loops && pods::troubling_end(pod, &container, case.now()).is_none() {
            continue;
        }
        let Some((kind, kill)) = kill(case, &container)? else { continue };
        let old = kill.last.is_some_and(|last| case.age(last) > pods::STABLE_AFTER) && container.running().is_some();
        let Some(probe) = spec(&container, kind).filter(|_| !old) else { continue };
        let failure = newest_failure(case, &container, kind)?;
        found.push(Killed { container, kind, probe, kill, failure });
    }
    Ok(found)
}

/// The number of a probe's port; `Err` with the name where the container does not declare it.
pub(crate) fn port(container: &ContainerView<'_>, probe: &Probe) -> Option<Result<i32, String>> {
    let port = match (&probe.http_get, &probe.tcp_socket, &probe.grpc) {
        (Some(http), _, _) => &http.port,
        (None, Some(tcp), _) => &tcp.port,
        (None, None, Some(grpc)) => return Some(Ok(grpc.port)),
        (None, None, None) => return None,
    };
    Some(match port {
        IntOrString::Int(number) => Ok(*number),
        IntOrString::String(name) => {
            let declared = container.spec.ports.iter().flatten();
            let named =
                declared.filter(|port| port.name.as_deref() == Some(name)).map(|port| port.container_port).next();
            named.or_else(|| name.parse().ok()).ok_or_else(|| name.clone())
        }
    })
}

/// How long a probe gives a container from its start until it counts as failed.
pub(crate) fn budget(probe: &Probe) -> SignedDuration {
    let seconds = |value: Option<i32>, default: i32| i64::from(value.unwrap_or(default).max(0));
    let delay = seconds(probe.initial_delay_seconds, 0);
    let period = seconds(probe.period_seconds, 10).max(1);
    let threshold = seconds(probe.failure_threshold, 3).max(1);
    SignedDuration::from_secs(delay + period * threshold)
}

/// What a probe asks, as a person would write it: `GET http://:8080/healthz`, `tcp :6379`, a command line.
pub(crate) fn shown(container: &ContainerView<'_>, probe: &Probe) -> String {
    let port = match port(container, probe) {
        Some(Ok(number)) => number.to_string(),
        Some(Err(name)) => name,
        None => String::new(),
    };
    if let Some(http) = &probe.http_get {
        let scheme = http.scheme.as_deref().unwrap_or("HTTP").to_lowercase();
        let host = http.host.as_deref().unwrap_or_default();
        return format!("GET {scheme}://{host}:{port}{}", http.path.as_deref().unwrap_or("/"));
    }
    if let Some(exec) = &probe.exec {
        return exec.command.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    }
    if let Some(grpc) = &probe.grpc {
        return format!("grpc :{port} {}", grpc.service.as_deref().unwrap_or_default()).trim().to_owned();
    }
    format!("tcp :{port}")
}

/// What a probe got, for a sentence.
pub(crate) fn got(outcome: &Outcome) -> Text {
    let at = |address: &Option<String>| address.as_ref().map(|address| text![" at ", code(address.as_str())]);
    match outcome {
        Outcome::Http { status } => text!["HTTP status ", *status],
        Outcome::Refused { address } => text!["connection refused", at(address)],
        Outcome::Timeout { address } => text!["no answer in time (timeout)", at(address)],
        Outcome::Dropped => text!["the connection was dropped without an answer"],
        Outcome::NoRoute => text!["no route to the pod"],
        Outcome::UnknownHost { host } => text!["host ", code(host.as_str()), " is unknown"],
        Outcome::PlainHttp => text!["plain HTTP in answer to HTTPS"],
        Outcome::NotHttp => text!["an answer that is no HTTP"],
        Outcome::TlsFailed => text!["a TLS handshake that failed"],
        Outcome::Redirects => text!["more than ten redirects"],
        Outcome::ExecFailed { output } if output.is_empty() => text!["its command failed and printed nothing"],
        Outcome::ExecFailed { output } => {
            let words: String = output.chars().take(200).collect();
            text!["its command failed and said ", quoted(words)]
        }
        Outcome::ExecMissing { binary } => text!["its command ", code(binary.as_str()), " does not exist"],
        Outcome::ExecNotExecutable { binary } => text!["its command ", code(binary.as_str()), " may not be executed"],
        Outcome::ExecTimeout => text!["its command did not end in time (timeout)"],
        Outcome::GrpcNotImplemented => text!["no gRPC health service"],
        Outcome::GrpcUnhealthy { status } => text!["gRPC health status ", code(status.as_str())],
        Outcome::PortNameUnknown { port } => text!["port name ", code(port.as_str()), " is not declared"],
        Outcome::ContainerGone => text!["the container was gone"],
        Outcome::Other { words } => {
            let words: String = words.chars().take(200).collect();
            text![quoted(words)]
        }
    }
}
