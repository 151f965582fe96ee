//! Facts of the stage probe: what is wrong with a probe itself, where the evidence shows it.

use std::sync::{Arc, LazyLock};

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Probe;
use regex::Regex;

use crate::ask::Instance;
use crate::case::Case;
use crate::facts::probes::{budget, newest_failure, port, spec};
use crate::finding::{Confidence, Evidence};
use crate::parse::probe::{Outcome, ProbeKind};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

/// What is wrong with a probe itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Its command does not exist in the container.
    ExecMissing(String),
    /// Its command may not be executed.
    ExecNotExecutable(String),
    /// It names a port that the container does not declare.
    PortName(String),
    /// It asks a port that is not the app's: declared ones, or those that the log says it listens on.
    Port {
        /// The probe's.
        port: i32,
        /// The container's.
        others: Vec<i32>,
        /// The log says so.
        listens: bool,
    },
    /// The app listens on the loopback address alone.
    Loopback(i32),
    /// It asks the node itself: `host: 127.0.0.1`.
    Host(String),
    /// It speaks HTTPS to a plain port.
    PlainHttp,
    /// It speaks HTTP to something else: TLS, gRPC.
    NotHttp,
    /// The answer says that the request is wrong: 404, 401, 403, 400, 405.
    Status(u16),
    /// It is redirected in a circle.
    Redirects,
    /// The server has no gRPC health service.
    GrpcNotImplemented,
    /// The gRPC health service does not know the name that is asked for.
    GrpcService,
    /// The app takes longer to start than the probe waits.
    SlowStart {
        /// Seconds that the app says it took.
        took: u64,
        /// Seconds that the probe waits.
        budget: i64,
    },
    /// One answer that is a moment late is enough for it, and the container is ready again in between.
    Impatient {
        /// Seconds between two questions.
        period: i32,
        /// Seconds that it waits for an answer.
        timeout: i32,
    },
}

impl Flaw {
    /// Tells whether waiting does not help: an app that still starts cannot be the reason.
    pub(crate) fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::ExecMissing(_)
                | Self::ExecNotExecutable(_)
                | Self::PortName(_)
                | Self::PlainHttp
                | Self::NotHttp
                | Self::GrpcNotImplemented
                | Self::Port { listens: true, .. }
        )
    }
}

/// A flaw with what proves it.
#[derive(Debug)]
pub(crate) struct Found {
    /// What is wrong.
    pub(crate) flaw: Flaw,
    /// The line of the log that shows it, where one does.
    pub(crate) evidence: Option<Evidence>,
    /// How sure that is.
    pub(crate) confidence: Confidence,
}

static LISTENS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let words = r"(?i)\b(?:listen(?:ing|s)?|serving|running|started|bound|binding|ready|accepting connections)\b";
    Regex::new(&format!(r"{words}[^\n]{{0,80}}?(?::|\bport(?:\(s\)|s)?\b\D{{0,8}})(\d{{3,5}}|80|443)\b")).ok()
});
static TOOK: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)\bstart(?:ed|up)\b[^\n]{0,100}?\bin (\d+)(?:\.\d+)? ?(?:s|sec|secs|seconds)\b").ok()
});
static WAITS: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?i)refused|could not connect|unable to connect|failed to connect|no such host|bad address|timed? ?out|waiting for|retry|unreachable|ENOTFOUND|exception|fatal|panic",
    )
    .ok()
});

/// What is wrong with a probe itself, if what it got and what the app says show it.
///
/// # Errors
/// [`Needs`] where the log has not been asked yet.
pub(crate) fn flaw(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    kind: ProbeKind,
    outcome: &Outcome,
) -> Result<Option<Found>, Needs> {
    let Some(probe) = spec(container, kind) else { return Ok(None) };
    let found = |flaw, confidence| Ok(Some(Found { flaw, evidence: None, confidence }));
    match outcome {
        Outcome::ExecMissing { binary } => found(Flaw::ExecMissing(binary.clone()), Confidence::Certain),
        Outcome::ExecNotExecutable { binary } => found(Flaw::ExecNotExecutable(binary.clone()), Confidence::Certain),
        Outcome::PortNameUnknown { port } => found(Flaw::PortName(port.clone()), Confidence::Certain),
        Outcome::PlainHttp => found(Flaw::PlainHttp, Confidence::Certain),
        Outcome::NotHttp => found(Flaw::NotHttp, Confidence::Certain),
        Outcome::GrpcNotImplemented => found(Flaw::GrpcNotImplemented, Confidence::Certain),
        Outcome::GrpcUnhealthy { status } if status == "SERVICE_UNKNOWN" => {
            found(Flaw::GrpcService, Confidence::Certain)
        }
        Outcome::Http { status: status @ (400 | 401 | 403 | 404 | 405) } => {
            found(Flaw::Status(*status), Confidence::Likely)
        }
        Outcome::Redirects => found(Flaw::Redirects, Confidence::Likely),
        Outcome::Refused { .. } | Outcome::Timeout { .. } | Outcome::NoRoute if node_host(probe).is_some() => {
            found(Flaw::Host(node_host(probe).unwrap_or_default()), Confidence::Likely)
        }
        Outcome::Refused { .. } => by_log(case, container, kind, probe),
        Outcome::Timeout { .. } | Outcome::ExecTimeout if kind == ProbeKind::Readiness => {
            impatient(case, container, probe)
        }
        Outcome::Timeout { .. } | Outcome::Dropped | Outcome::Http { status: 500.. } => {
            Ok(slow_start(&logs(case, container)?, case, container, kind, probe))
        }
        _ => Ok(None),
    }
}

/// The host of a probe that means the node instead of the pod.
fn node_host(probe: &Probe) -> Option<String> {
    let http = probe.http_get.as_ref().and_then(|http| http.host.clone());
    let host = http.or_else(|| probe.tcp_socket.as_ref().and_then(|tcp| tcp.host.clone()))?;
    matches!(host.as_str(), "127.0.0.1" | "localhost" | "0.0.0.0" | "::1").then_some(host)
}

/// The logs of the container's instances, the newest first, as far as they are needed.
fn logs(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Vec<Arc<str>>, Needs> {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    let current = case.log(pod, container.name(), Instance::Current)?;
    if let Read::Found(log) = current {
        found.push(log);
    }
    let told = found.iter().any(|log| LISTENS.as_ref().is_some_and(|listens| listens.is_match(log)));
    if !told
        && container.restarts() > 0
        && let Read::Found(log) = case.log(pod, container.name(), Instance::Previous)?
    {
        found.push(log);
    }
    Ok(found)
}

/// Nothing answers at the probe's port: what the app says of its own, or what the container declares.
fn by_log(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    kind: ProbeKind,
    probe: &Probe,
) -> Result<Option<Found>, Needs> {
    let Some(Ok(asked)) = port(container, probe) else { return Ok(None) };
    let logs = logs(case, container)?;
    if let Some(slow) = slow_start(&logs, case, container, kind, probe) {
        return Ok(Some(slow));
    }
    let listens = listens(&logs);
    if let Some((_, line)) = listens.iter().find(|(port, _)| *port == asked) {
        let loopback = line.contains("127.0.0.1") || line.contains("localhost") || line.contains("[::1]");
        return Ok(loopback.then(|| Found {
            flaw: Flaw::Loopback(asked),
            evidence: Some(log_line(case, container, line)),
            confidence: Confidence::Likely,
        }));
    }
    if let Some((_, line)) = listens.first() {
        let mut others: Vec<i32> = listens.iter().map(|(port, _)| *port).collect();
        others.sort_unstable();
        others.dedup();
        return Ok(Some(Found {
            flaw: Flaw::Port { port: asked, others, listens: true },
            evidence: Some(log_line(case, container, line)),
            confidence: Confidence::Likely,
        }));
    }
    let declared: Vec<i32> = declared(container);
    let anywhere = case.containers().any(|other| self::declared(&other).contains(&asked));
    let troubled = logs.iter().any(|log| WAITS.as_ref().is_some_and(|waits| waits.is_match(log)));
    // An app that waits or fails before it listens answers nowhere, whatever it declares.
    if declared.is_empty() || anywhere || troubled {
        return Ok(None);
    }
    let flaw = Flaw::Port { port: asked, others: declared, listens: false };
    Ok(Some(Found { flaw, evidence: None, confidence: Confidence::Likely }))
}

fn declared(container: &ContainerView<'_>) -> Vec<i32> {
    let ports = container.spec.ports.iter().flatten();
    ports.filter(|port| port.protocol.as_deref().is_none_or(|it| it == "TCP")).map(|port| port.container_port).collect()
}

/// The ports that an app says it listens on, with the lines.
fn listens(logs: &[Arc<str>]) -> Vec<(i32, String)> {
    let Some(regex) = LISTENS.as_ref() else { return Vec::new() };
    let lines = logs.iter().flat_map(|log| log.lines());
    lines
        .filter_map(|line| {
            let port = regex.captures(line)?.get(1)?.as_str().parse().ok()?;
            Some((port, line.trim().chars().take(300).collect()))
        })
        .collect()
}

fn slow_start(
    logs: &[Arc<str>],
    case: &Case<'_>,
    container: &ContainerView<'_>,
    kind: ProbeKind,
    probe: &Probe,
) -> Option<Found> {
    let guarded = kind == ProbeKind::Liveness && container.spec.startup_probe.is_some();
    if kind == ProbeKind::Readiness || guarded {
        return None;
    }
    let budget = budget(probe);
    let (took, line) = logs.iter().flat_map(|log| log.lines()).find_map(|line| {
        let took: i64 = TOOK.as_ref()?.captures(line)?.get(1)?.as_str().parse().ok()?;
        (SignedDuration::from_secs(took) >= budget).then_some((took, line))
    })?;
    let flaw = Flaw::SlowStart { took: u64::try_from(took).ok()?, budget: budget.as_secs() };
    Some(Found { flaw, evidence: Some(log_line(case, container, line)), confidence: Confidence::Likely })
}

/// At most so many seconds between two questions are called impatient where one failure is enough.
const HASTE: i32 = 2;
/// How long after its first failure the container has to have been ready again: not the same failure still.
const AGAIN: SignedDuration = SignedDuration::from_secs(60);
/// How long not being ready counts as a moment.
const MOMENT: SignedDuration = SignedDuration::from_mins(5);

/// A readiness probe that gives up at the first late answer. Only where the container was ready after earlier failures:
/// one that never answers has another trouble.
fn impatient(case: &Case<'_>, container: &ContainerView<'_>, probe: &Probe) -> Result<Option<Found>, Needs> {
    let period = probe.period_seconds.unwrap_or(10);
    if probe.failure_threshold != Some(1) || period > HASTE {
        return Ok(None);
    }
    let condition = case.pod().and_then(|pod| pods::condition(pod, "ContainersReady"));
    let turned = condition.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
    let failure = newest_failure(case, container, ProbeKind::Readiness)?;
    let first = failure.and_then(|(_, event)| event.first);
    let (Some(turned), Some(first)) = (turned, first) else { return Ok(None) };
    if turned.duration_since(first) < AGAIN || case.age(turned) > MOMENT {
        return Ok(None);
    }
    let words = format!("not ready since {turned}, and its probe has failed since {first}: ready in between");
    let evidence = Some(case.field(".status.conditions[ContainersReady]", words));
    let flaw = Flaw::Impatient { period, timeout: probe.timeout_seconds.unwrap_or(1) };
    Ok(Some(Found { flaw, evidence, confidence: Confidence::Likely }))
}

fn log_line(case: &Case<'_>, container: &ContainerView<'_>, line: &str) -> Evidence {
    let source = format!("log of container {} of {}", container.name(), case.reference());
    Evidence { source, text: line.trim().chars().take(300).collect(), at: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_say_where_an_app_listens() {
        let rows = [
            ("listening on :8080", Some(8080)),
            ("2026-11-20T10:00:00Z INFO Server listening on port 3000", Some(3000)),
            ("Tomcat started on port(s): 8081 (http) with context path ''", Some(8081)),
            ("Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)", Some(8000)),
            ("Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...", Some(8000)),
            ("Now listening on: http://[::]:80", Some(80)),
            ("Started worker 3 in 4.2 seconds", None),
            ("10:30:45 connecting to db:5432", None),
        ];
        for (line, wanted) in rows {
            let found = listens(&[Arc::from(line)]);
            assert_eq!(found.first().map(|(port, _)| *port), wanted, "{line}");
        }
    }
}
