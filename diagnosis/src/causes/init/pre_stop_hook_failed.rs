//! `pre-stop-hook-failed`.

use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::hooks::{HookFailure, pre_stop, shown};
use crate::facts::owner::edited;
use crate::finding::{Finding, Fix, Severity};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The preStop hook of a container failed. The stop goes on at once without what the hook was to do.
    /// ## Signals
    /// Event `FailedPreStopHook` (`PreStopHook failed`) on a pod that is being deleted, or whose container is killed for another
    /// reason.
    /// ## Look-alikes
    /// `terminating-prestop-hook`: the hook runs on and holds the pod. `terminating-ignores-sigterm`: what holds the pod is its
    /// process. `post-start-hook-failed`: the other hook.
    /// ## Fixes
    /// Correct the hook's command: it has to exist in the image and to end with 0.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_container.go, executePreStopHook
    PreStopHookFailed, stage Init, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    // A hook that failed at an earlier stop is history once the container runs again.
    if case.meta().deletion_timestamp.is_none() {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for container in case.containers() {
        if let Some(failure) = pre_stop(case, &container)? {
            found.push(explain(case, &container, failure)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>, failure: HookFailure) -> Result<Finding, Needs> {
    let handler = container.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
    let hook = handler.map(shown);
    let named = hook.as_ref().map(|hook| text![" ", code(hook.as_str())]);
    let said = failure.words.as_ref().map(|words| text![" It said: ", quoted(words.as_str()), "."]);
    let program = handler.and_then(|it| it.exec.as_ref()).and_then(|exec| exec.command.iter().flatten().next());
    let check = program.map(|program| text![" See first whether the image has ", code(program.as_str()), " at all."]);
    let grace = case.meta().deletion_grace_period_seconds.unwrap_or(30);
    let runs = container.running().is_some().then(|| {
        text![
            " The container still runs: what the pod waits for now is its process, which got SIGTERM after the hook and has a ",
            "grace period of ",
            grace,
            " s to end by itself."
        ]
    });
    let correct = text![
        "correct the preStop hook of container ",
        name(container.name()),
        ": its command has to exist in the image and to end with 0 within the grace period"
    ];
    Ok(case
        .finding_in(Code::PreStopHookFailed, container)
        .severity(Severity::Warning)
        // The hook is over; what holds the pod is its process.
        .follows(Code::TerminatingIgnoresSigterm)
        .title(text![container.subject(), ": its preStop hook", named.clone(), " failed"])
        .explain(text![
            "Before a container is stopped, the kubelet runs its preStop hook",
            named,
            ". It failed, and the stop went on without it.",
            check,
            said,
            runs
        ])
        .evidence(failure.evidence)
        .evidence(hook.map(|hook| case.field(&format!("{}.lifecycle.preStop", container.spec_path()), hook)))
        .fix(edited(case, Fix::disruptive(correct))?))
}
