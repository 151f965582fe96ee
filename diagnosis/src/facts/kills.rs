//! Facts of the stage probe: containers that their own probe kills, explained.

use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::facts::flaws::flaw;
use crate::facts::owner::{self, edited};
use crate::facts::probes::{Killed, budget, got, killed, shown};
use crate::facts::throttling;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::parse::probe::{Outcome, ProbeKind};
use crate::reader::{Needs, Read};

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
    let (flood, blocked) = (flood(case, killed)?, blocked(case, killed));
    let finding = finding.also(flood).fix(edited(case, Fix::disruptive(adjust(killed)))?).fix(logs);
    Ok(finding.fix(blocked))
}

/// What an autoscaler does to pods that are killed while they are new.
fn flood(case: &Case<'_>, killed: &Killed<'_>) -> Result<Option<Text>, Needs> {
    if killed.kind != ProbeKind::Liveness || killed.container.spec.startup_probe.is_some() {
        return Ok(None);
    }
    let owner = owner::top(case)?;
    if !matches!(owner.kind.as_ref(), "Deployment" | "StatefulSet" | "ReplicaSet") {
        return Ok(None);
    }
    let Read::Found(autoscalers) = case.list::<HorizontalPodAutoscaler>(case.namespace(), Filter::All)? else {
        return Ok(None);
    };
    let scales = |autoscaler: &HorizontalPodAutoscaler| {
        let target = autoscaler.spec.as_ref().map(|spec| &spec.scale_target_ref);
        target.is_some_and(|target| target.kind == owner.kind && target.name == owner.name)
    };
    let Some(autoscaler) = autoscalers.into_iter().find(|autoscaler| scales(autoscaler)) else { return Ok(None) };
    let least = autoscaler.spec.as_ref().and_then(|spec| spec.min_replicas).unwrap_or(1);
    let now = autoscaler.status.as_ref().and_then(|status| status.current_replicas).unwrap_or_default();
    let reference =
        case.neighbour(Kind::HorizontalPodAutoscaler, autoscaler.metadata.name.as_deref().unwrap_or_default());
    Ok((now > least).then(|| {
        text![
            name(reference.to_string()),
            " has scaled it from ",
            least,
            " to ",
            now,
            " pods under load: a new pod gets its full share of the requests at once, is killed before it is warm, and \
             its load falls on the others. A startupProbe, a warm-up before the pod calls itself ready, and slower \
             scaling (behavior.scaleUp) break that circle."
        ]
    }))
}

/// How to look into a program that blocks: in a copy that no probe kills.
fn blocked(case: &Case<'_>, killed: &Killed<'_>) -> Option<Fix> {
    let outcome = killed.failure.as_ref().map(|(outcome, _)| outcome)?;
    if !matches!(outcome, Outcome::Timeout { .. } | Outcome::ExecTimeout) {
        return None;
    }
    let copy = format!("--copy-to={}-debug", case.name());
    let words = ["debug", case.name(), "-it", copy.as_str(), "--share-processes", "--image=busybox", "--", "sh"];
    let title = text![
        "let the program block without being killed: in a copy of the pod, which has no probes, labels or owner (so no \
         traffic and no restart), and take the stack of the blocked process there: ",
        code("kill -QUIT PID"),
        " for Java and Go (it goes to the log), ",
        code("py-spy dump"),
        ", gdb"
    ];
    Some(Fix::safe(title).command(case.kubectl(words)))
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
