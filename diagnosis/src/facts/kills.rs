//! Facts of the stage probe: containers that their own probe kills, explained.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::facts::flaws::flaw;
use crate::facts::owner::edited;
use crate::facts::probes::{Killed, budget, got, killed, shown};
use crate::facts::throttling;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::parse::probe::{Outcome, ProbeKind};
use crate::reader::Needs;

/// The findings of that code: containers killed by that kind of probe.
///
/// # Errors
/// [`Needs`] where the events, a log or a controller have not been asked yet.
pub(crate) fn explained(case: &Case<'_>, code_: Code, kind: ProbeKind) -> Verdict {
    let mut found = Vec::new();
    for killed in killed(case)?.iter().filter(|killed| killed.kind == kind) {
        found.push(explain(case, code_, killed)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, code_: Code, killed: &Killed<'_>) -> Result<Finding, Needs> {
    let Killed { container, kind, probe, kill, failure } = killed;
    let told = kill.reason == "Killing";
    let asks = shown(container, probe);
    let patience = budget(probe).as_secs();
    let what = failure.as_ref().map(|(outcome, _)| text![": ", got(outcome)]);
    let flawed = match failure {
        Some((outcome, _)) => flaw(case, container, *kind, outcome)?.is_some(),
        None => false,
    };
    let times = i64::from(container.restarts());
    let restarts = (times > 0).then(|| text![" It has been restarted ", times, " times."]);
    let finding = case
        .finding_in(code_, container)
        .confidence(if told { Confidence::Certain } else { Confidence::Likely })
        .title(text![container.subject(), " is killed by its own ", kind.word(), " probe", what.clone()])
        .explain(text![
            "The app did not end by itself: its ",
            kind.word(),
            " probe (",
            code(asks.clone()),
            ") failed",
            what,
            ", and for that the kubelet killed the container and starts it again.",
            restarts
        ])
        .also(exit_text(killed))
        .also(timing(killed, patience).filter(|_| !flawed))
        .evidence(Evidence::event(kill))
        .evidence(failure.as_ref().filter(|(_, event)| event != kill).map(|(_, event)| Evidence::event(event)))
        .evidence(case.end_evidence(container))
        .evidence(case.field(&format!("{}.{}", container.spec_path(), kind.field()), asks))
        .since(kill.first);
    let throttled = case.pod().map(|pod| throttling::of_killed(case, pod, killed)).transpose()?.flatten();
    let finding = match throttled {
        Some(throttled) if throttled.is_cause() => finding.follows(Code::CpuThrottled),
        _ if flawed => finding.follows(Code::ProbeMisconfigured),
        _ => finding,
    };
    let previous = if container.restarts() > 0 { "--previous" } else { "--tail=100" };
    let logs = Fix::safe(text!["see what container ", name(container.name()), " said before it was killed"])
        .command(case.kubectl(["logs", case.name(), "-c", container.name(), previous]));
    Ok(finding.fix(edited(case, Fix::disruptive(adjust(killed)))?).fix(logs))
}

/// What the exit code means here.
fn exit_text(killed: &Killed<'_>) -> Option<Text> {
    let end = killed.container.last_end()?;
    Some(match end.exit_code {
        137 => text!["Exit code 137 is that kill: the app did not end on SIGTERM within its grace period."],
        143 => text!["Exit code 143 is that kill: the app ended on SIGTERM."],
        other => text!["Exit code ", other, " is how the app ends on SIGTERM."],
    })
}

/// How long the probe gives it, and whether the container ever had more.
fn timing(killed: &Killed<'_>, patience: i64) -> Option<Text> {
    let end = killed.container.last_end()?;
    let lived = end.finished_at.as_ref()?.0.duration_since(end.started_at.as_ref()?.0).as_secs();
    let guarded = killed.kind == ProbeKind::Liveness && killed.container.spec.startup_probe.is_some();
    let period = i64::from(killed.probe.period_seconds.unwrap_or(10));
    let first = !guarded && lived <= patience + period * 2 + 35;
    first.then(|| {
        text![
            "It lived for ",
            lived,
            " s and never answered: the probe gives it ",
            patience,
            " s from its start. Either it needs longer to start, or it does not answer there at all."
        ]
    })
}

fn adjust(killed: &Killed<'_>) -> Text {
    let failure = killed.failure.as_ref().map(|(outcome, _)| outcome);
    let timeout = killed.probe.timeout_seconds.unwrap_or(1);
    let asked = match (&killed.probe.exec, &killed.probe.http_get) {
        (Some(_), _) => "command",
        (None, Some(_)) => "port and path",
        (None, None) => "port",
    };
    match (killed.kind, failure) {
        (_, Some(Outcome::Timeout { .. } | Outcome::ExecTimeout)) => text![
            "give the ",
            killed.kind.word(),
            " probe more than ",
            timeout,
            " s for an answer (",
            code("timeoutSeconds"),
            "), and look whether the container is short of cpu"
        ],
        (ProbeKind::Startup, _) => text![
            "give the start more time: raise ",
            code("failureThreshold"),
            " of the startupProbe, or correct its ",
            asked
        ],
        _ => text![
            "correct the ",
            asked,
            " of the liveness probe, or give a slow start its own ",
            code("startupProbe"),
            ", which holds the liveness probe back"
        ],
    }
}
