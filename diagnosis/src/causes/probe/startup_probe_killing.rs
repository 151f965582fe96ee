//! `startup-probe-killing`.

use kubewhy_text::{code, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::kills::explained;
use crate::facts::probes::{budget, newest_failure, shown};
use crate::finding::{Confidence, Evidence, Fix, Severity};
use crate::parse::probe::ProbeKind;
use crate::pods::Role;

cause! {
    /// ## What it means
    /// The container does not become ready in the time that its startup probe gives it, so the kubelet kills it and starts
    /// it again.
    /// ## Signals
    /// Event `Unhealthy` `Startup probe failed: ...`, then `Killing` `Container C failed startup probe, will be restarted`; `started:
    /// false` all the time. While the time is not over it is no fault.
    /// ## Look-alikes
    /// `liveness-probe-killing`: the container had started. `probe-misconfigured`: the probe asks the wrong thing. `app-error`:
    /// the app ended by itself.
    /// ## Fixes
    /// Give it more time (`failureThreshold` × `periodSeconds`), or find out why the start takes so long.
    /// ## Source
    /// pkg/kubelet/prober/worker.go, pkg/kubelet/kuberuntime/kuberuntime_manager.go
    StartupProbeKilling, stage Probe, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let found = explained(case, Code::StartupProbeKilling, ProbeKind::Startup)?;
    if found.is_empty() { starting(case) } else { Ok(found) }
}

/// A container that is still in the time that its startup probe gives it.
fn starting(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    if case.meta().deletion_timestamp.is_some() {
        return Ok(found);
    }
    for container in case.containers().filter(|container| container.role != Role::Init && container.restarts() == 0) {
        let Some(probe) = container.spec.startup_probe.as_ref() else { continue };
        let started = container.status.and_then(|status| status.started) == Some(true);
        let running = container.running().and_then(|running| running.started_at.as_ref()).map(|time| time.0);
        let Some(since) = running.filter(|_| !started) else { continue };
        let Some((_, event)) = newest_failure(case, &container, ProbeKind::Startup)? else { continue };
        let (age, patience) = (case.age(since).as_secs(), budget(probe).as_secs());
        found.push(
            case.finding_in(Code::StartupProbeKilling, &container)
                .severity(Severity::Info)
                .confidence(Confidence::Possible)
                .title(text![container.subject(), " is still starting: ", age, " of ", patience, " s"])
                .explain(text![
                    "Its startup probe (",
                    code(shown(&container, probe)),
                    ") has not succeeded yet. It has ",
                    patience,
                    " s before the container is killed, so this is no fault yet."
                ])
                .evidence(Evidence::event(&event))
                .fix(Fix::safe(text!["see how far it is"]).command(case.kubectl([
                    "logs",
                    case.name(),
                    "-c",
                    container.name(),
                    "--tail",
                    "20",
                ]))),
        );
    }
    Ok(found)
}
