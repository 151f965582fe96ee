//! `terminating-ignores-sigterm`.

use jiff::SignedDuration;
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::departure::{self, Departure, Story};
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::pods::{self, ContainerView};

cause! {
    /// ## What it means
    /// The container was asked to end (SIGTERM) and its process goes on; it is killed only when the grace period is
    /// over.
    /// ## Signals
    /// Event Killing `Stopping container NAME`, and the container runs on: longer than 30 s, or beyond the grace. No
    /// preStop hook runs (none is set, or FailedPreStopHook says that it failed at once).
    /// ## Look-alikes
    /// `terminating-prestop-hook`: a hook is set and has not failed. `terminating-runtime-hung`: long after the grace,
    /// when the process should have been killed. `terminating-node-lost`: the node does not answer. `killed-by-signal`,
    /// `terminated-externally`: it has ended, with 137 or 143.
    /// ## Fixes
    /// Let the app handle SIGTERM; start it in exec form (`exec app`) so that no shell stands between; a shorter grace.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_container.go, killContainer.
    TerminatingIgnoresSigterm, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(departure) = departure::of(case)? else { return Ok(Vec::new()) };
    let Story::IgnoresSigterm { container, event, failed_hook } = &departure.story else { return Ok(Vec::new()) };
    let Some(container) = case.containers().find(|view| view.name() == container) else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &departure, &container, event, failed_hook.as_deref())])
}

fn explain(
    case: &Case<'_>,
    departure: &Departure,
    container: &ContainerView<'_>,
    event: &Event,
    failed_hook: Option<&Event>,
) -> Finding {
    let hook = failed_hook
        .map(|_| text![" Its preStop hook failed at once, so the hook is not what holds it; the process is."]);
    let path = format!("{}.command", container.spec_path());
    let command = container.spec.command.as_ref().map(|command| case.field(&path, command.join(" ")));
    let shorter = Fix::disruptive(text!["end this pod sooner: delete it again with a grace of one second"])
        .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=1"]));
    let handle = Fix::disruptive(text![
        "let the app end on SIGTERM: handle the signal, and start it in exec form (",
        code("exec app"),
        ", or ",
        code("tini"),
        " as first process) so that no shell swallows it"
    ]);
    let grace = Fix::disruptive(text![
        "or give it a shorter ",
        code("terminationGracePeriodSeconds"),
        " than ",
        departure::spoken(departure.grace),
        ", if it never ends by itself anyway"
    ]);
    case.finding_in(Code::TerminatingIgnoresSigterm, container)
        .confidence(Confidence::Likely)
        .severity(departure.severity(case.now()))
        .title(text![
            "Container ",
            name(container.name()),
            " of pod ",
            name(case.reference().path()),
            " does not end on SIGTERM (grace ",
            departure::spoken(departure.grace),
            ")"
        ])
        .explain(text![
            "Pod ",
            name(case.name()),
            " was deleted at ",
            departure.asked,
            ", and container ",
            name(container.name()),
            " was asked to end with SIGTERM. ",
            how_long(case, departure),
            hook,
        ])
        .also(shell(container))
        .also(evicted(case))
        .evidence(Evidence::event(event))
        .evidence(failed_hook.map(Evidence::event))
        .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
        .evidence(case.field(".metadata.deletionGracePeriodSeconds", departure.grace.as_secs().to_string()))
        .evidence(command)
        .evidence(
            pods::condition_message(case.pod(), "DisruptionTarget")
                .map(|message| case.field(".status.conditions[DisruptionTarget]", message)),
        )
        .fix(shorter)
        .fix(handle)
        .fix(grace)
        .since(Some(departure.asked))
}

/// How long it has run on, and until when it may.
pub(super) fn how_long(case: &Case<'_>, departure: &Departure) -> Text {
    let elapsed = departure::spoken(case.age(departure.asked));
    let left = departure.grace_ends.duration_since(case.now());
    let grace = departure::spoken(departure.grace);
    if left > SignedDuration::ZERO {
        let left = departure::spoken(left);
        return text![
            "It still runs after ",
            elapsed,
            "; its grace period is ",
            grace,
            ", so it is killed in ",
            left,
            "."
        ];
    }
    text![
        "It still runs after ",
        elapsed,
        ", beyond its grace period of ",
        grace,
        "; it is being killed (SIGKILL) now."
    ]
}

/// A shell as first process hands no signal on, and one that traps the signal does so on purpose.
fn shell(container: &ContainerView<'_>) -> Option<Text> {
    let mut words = container.spec.command.iter().flatten().chain(container.spec.args.iter().flatten());
    let first = words.next()?;
    let program = first.rsplit('/').next().unwrap_or(first);
    if !matches!(program, "sh" | "bash" | "ash" | "dash" | "zsh") {
        return None;
    }
    let script = words.next_back().cloned().unwrap_or_default();
    if script.contains("trap ''") || script.contains("trap \"\"") {
        return Some(text!["Its first process is a shell that is told to ignore the signal (", code("trap"), ")."]);
    }
    let exec = script.contains("exec ");
    let text = text![
        "Its first process is ",
        code(format!("{program} -c")),
        ": a shell does not hand SIGTERM on to what it started."
    ];
    (!exec).then_some(text)
}

/// A drain waits for it.
fn evicted(case: &Case<'_>) -> Option<Text> {
    let target = pods::condition(case.pod()?, "DisruptionTarget").filter(|target| target.status == "True")?;
    let by_drain = target.reason.as_deref() == Some("EvictionByEvictionAPI");
    by_drain.then(|| text!["It was evicted through the API, as a drain of its node does; the drain waits for it."])
}
