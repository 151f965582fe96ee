//! `readiness-probe-failing`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::flaws::flaw;
use crate::facts::neighbours;
use crate::facts::owner::edited;
use crate::facts::probes::{NotReady, budget, got, not_ready, shown};
use crate::facts::throttling;
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::probe::{Outcome, ProbeKind};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container runs, and its readiness probe fails, so the pod gets no traffic. The container is not restarted for
    /// that.
    /// ## Signals
    /// Event `Unhealthy` `Readiness probe failed: ...`, container `ready: false` and `started: true`, restarts unchanged, condition
    /// Ready False `ContainersNotReady`.
    /// ## Look-alikes
    /// `probe-misconfigured`: the probe itself is wrong. `liveness-probe-killing`: the other probe, which restarts.
    /// `dependency-unreachable`: the app does not get ready because a peer does not answer. `node-lost`: Ready False, and the
    /// kubelet did not say so. `readiness-gate-unmet`: all containers are ready, another condition is not.
    /// ## Fixes
    /// Find out why the app does not answer (its log, the path by hand); give it more time if it is only slow.
    /// ## Source
    /// pkg/kubelet/prober/prober.go, pkg/kubelet/status/generate.go
    ReadinessProbeFailing, stage Probe, since "0.1.0", detect
}

/// Words of variables that name a registry in which programs register themselves.
const REGISTRIES: [&str; 5] = ["EUREKA", "NACOS", "CONSUL", "DUBBO", "POLARIS"];

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for not_ready in not_ready(case)? {
        found.push(explain(case, &not_ready)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, not_ready: &NotReady<'_>) -> Result<Finding, Needs> {
    let NotReady { container, probe, failure, age, early } = not_ready;
    let asks = shown(container, probe);
    let base = case
        .finding_in(Code::ReadinessProbeFailing, container)
        .confidence(Confidence::Likely)
        .evidence(failure.as_ref().map(|(_, event)| Evidence::event(event)))
        .evidence(case.field(&format!("{}.ready", container.status_path()), "false"))
        .evidence(case.field(&format!("{}.readinessProbe", container.spec_path()), asks.clone()));
    let flawed = match failure {
        Some((outcome, _)) => {
            flaw(case, container, ProbeKind::Readiness, outcome)?.is_some_and(|found| !early || found.flaw.is_lasting())
        }
        None => false,
    };
    let logs = Fix::safe(text!["see what container ", name(container.name()), " says"]).command(case.kubectl([
        "logs",
        case.name(),
        "-c",
        container.name(),
        "--tail",
        "50",
    ]));
    if *early && !flawed {
        let patience = budget(probe).as_secs();
        return Ok(base
            .severity(Severity::Info)
            .title(text![container.subject(), " is not ready yet: started ", age.as_secs(), " s ago"])
            .explain(text![
                "The container runs, and its readiness probe (",
                code(asks),
                ") has not succeeded yet. It is given ",
                patience,
                " s at least; it is too early to call that a fault."
            ])
            .fix(logs));
    }
    let (title, said) = match failure {
        Some((outcome, event)) => (
            text![container.subject(), ": readiness probe fails: ", got(outcome)],
            text![times(event.count), " got: ", got(outcome), "."],
        ),
        None => (
            text![container.subject(), ": readiness probe has not succeeded"],
            text!["No event tells any more what it got; events are kept for about an hour."],
        ),
    };
    let slow = match failure {
        Some((Outcome::Timeout { .. } | Outcome::ExecTimeout, _)) => {
            let timeout = probe.timeout_seconds.unwrap_or(1);
            Some(text!["It waits ", timeout, " s for an answer (timeoutSeconds)."])
        }
        Some((Outcome::ExecFailed { output }, _)) if output.is_empty() => {
            Some(text!["Its command printed nothing and ended with an error."])
        }
        _ => None,
    };
    let late = matches!(failure, Some((Outcome::Timeout { .. } | Outcome::ExecTimeout, _)));
    let (strained, facts) = if late { neighbours::strained(case)?.unzip() } else { (None, None) };
    let finding = base
        .title(title)
        .explain(text![
            "The container runs, and its readiness probe (",
            code(asks.clone()),
            ") fails, so the pod gets no traffic from its Services. ",
            said
        ])
        .also(slow)
        .also(strained)
        .also(registers_itself(container));
    let finding = facts.into_iter().flatten().fold(finding, Finding::evidence);
    let throttled = case.pod().map(|pod| throttling::of_not_ready(case, pod, not_ready)).transpose()?.flatten();
    let finding = match throttled {
        Some(throttled) if throttled.is_cause() => finding.follows(Code::CpuThrottled),
        _ if flawed => finding.follows(Code::ProbeMisconfigured),
        _ => finding.follows_lead(),
    };
    let by_hand = by_hand(case, not_ready)
        .map(|command| Fix::safe(text!["ask by hand what the probe asks: ", quoted(asks)]).command(command));
    let adjust = Fix::disruptive(text![
        "if the app is only slow: raise ",
        code("timeoutSeconds"),
        " or ",
        code("failureThreshold"),
        " of its readinessProbe"
    ]);
    Ok(finding.fix(logs).fix(by_hand).fix(toolbox(case, not_ready)).fix(edited(case, adjust)?))
}

/// What is special where clients find the pod in a registry of their own instead of by a Service.
fn registers_itself(container: &ContainerView<'_>) -> Option<Text> {
    let variables = container.spec.env.iter().flatten().map(|variable| variable.name.as_str());
    let registry = variables.into_iter().find(|variable| {
        let words: Vec<&str> = variable.split('_').collect();
        REGISTRIES.iter().any(|registry| words.iter().any(|word| word.eq_ignore_ascii_case(registry)))
    })?;
    Some(text![
        "Its variable ",
        code(registry),
        " names a registry for discovery. If it registers itself there, that registry sends it traffic whether the pod is \
         ready or not: readiness governs Services only."
    ])
}

/// A container beside the app's with tools in it, for images that have not even a shell.
fn toolbox(case: &Case<'_>, not_ready: &NotReady<'_>) -> Option<Fix> {
    let container = &not_ready.container;
    container.running()?;
    let target = format!("--target={}", container.name());
    let words = ["debug", case.name(), "-it", "--image=busybox", target.as_str(), "--", "sh"];
    let title = text![
        "look from inside the pod, also where its image lacks a shell: a debug container beside ",
        name(container.name()),
        " (wget, nc, nslookup, ps; it stays until the pod goes)"
    ];
    Some(Fix::safe(title).command(case.kubectl(words)))
}

fn times(count: u32) -> kubewhy_text::Text {
    if count > 1 { text!["It has failed ", count, " times, and last"] } else { text!["It"] }
}

/// The command that asks what the probe asks.
fn by_hand(case: &Case<'_>, not_ready: &NotReady<'_>) -> Option<String> {
    let container = &not_ready.container;
    if let Some(exec) = &not_ready.probe.exec {
        let mut words = vec!["exec", case.name(), "-c", container.name(), "--"];
        words.extend(exec.command.iter().flatten().map(String::as_str));
        return Some(case.kubectl(words));
    }
    let Some(Ok(port)) = crate::facts::probes::port(container, not_ready.probe) else { return None };
    Some(case.kubectl(["port-forward", &format!("pod/{}", case.name()), &format!("{port}:{port}")]))
}
