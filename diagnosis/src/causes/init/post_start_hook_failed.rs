//! `post-start-hook-failed`.

use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::hooks::{HookFailure, post_start, shown};
use crate::facts::owner::edited;
use crate::finding::{Confidence, Finding, Fix};
use crate::pods::ContainerView;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container started, its postStart hook failed, and for that the kubelet kills it and starts it again.
    /// ## Signals
    /// Waiting `PostStartHookError` with `Exec lifecycle hook ([COMMAND]) for Container "C" in Pod "P" failed - error: ...`; event
    /// `FailedPostStartHook` (`PostStartHook failed`, without details in newer versions), then `Killing` `FailedPostStartHook`. A
    /// hook that does not end: waiting `ContainerCreating` long after the event `Started`.
    /// ## Look-alikes
    /// `terminated-externally`, `killed-by-signal`: 137 or 143 without such an event. `pre-stop-hook-failed`: the other hook.
    /// `liveness-probe-killing`: `Killing` names a probe.
    /// ## Fixes
    /// Correct the hook's command or URL; wait in the hook until the app answers; drop the hook.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_container.go, pkg/kubelet/lifecycle/handlers.go
    PostStartHookFailed, stage Init, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for container in case.containers() {
        if let Some(failure) = post_start(case, &container)? {
            found.push(explain(case, &container, failure)?);
        }
    }
    Ok(found)
}

/// The hook runs on and on.
fn hangs(case: &Case<'_>, container: &ContainerView<'_>, failure: HookFailure) -> Result<Finding, Needs> {
    let hook = container.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref()).map(shown);
    let named = hook.as_ref().map(|hook| text![" ", code(hook.as_str())]);
    let correct = text!["have the postStart hook of container ", name(container.name()), " end soon, or take it out"];
    let look = Fix::safe(text!["see what the container does while its hook runs"]).command(case.kubectl([
        "logs",
        case.name(),
        "-c",
        container.name(),
        "--tail",
        "20",
    ]));
    Ok(case
        .finding_in(Code::PostStartHookFailed, container)
        .confidence(Confidence::Likely)
        .title(text![container.subject(), ": its postStart hook does not end"])
        .explain(text![
            "The kubelet has started the container and runs its postStart hook",
            named,
            ". Until the hook returns, the container does not count as started: it stays at ",
            code("ContainerCreating"),
            ", and the containers after it wait too."
        ])
        .since(failure.evidence.at)
        .evidence(failure.evidence)
        .evidence(hook.map(|hook| case.field(&format!("{}.lifecycle.postStart", container.spec_path()), hook)))
        .evidence(case.waiting_evidence(container))
        .fix(edited(case, Fix::disruptive(correct))?)
        .fix(look))
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>, failure: HookFailure) -> Result<Finding, Needs> {
    if failure.hangs {
        return hangs(case, container, failure);
    }
    let hook = container.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref()).map(shown);
    let named = hook.as_ref().map(|hook| text![" ", code(hook.as_str())]);
    let lacks =
        failure.lacks.as_ref().map(|program| text![": ", quoted(program.as_str()), " does not exist in the container"]);
    let said = if let Some(words) = &failure.words {
        text!["It said: ", quoted(words.as_str()), "."]
    } else {
        text!["The kubelet keeps the hook's output to itself (it may hold secrets)."]
    };
    let exec = container.spec.lifecycle.as_ref().and_then(|it| it.post_start.as_ref()).and_then(|it| it.exec.as_ref());
    let correct = if let Some(program) = &failure.lacks {
        text!["use a command that the image has instead of ", code(program.as_str()), " in the postStart hook"]
    } else {
        text!["correct the postStart hook of container ", name(container.name()), ", or take it out"]
    };
    let by_hand = exec.map(|exec| {
        let image = container.image();
        let mut words = vec!["run", "hook", "--rm", "-it", "--restart=Never", "--image", image, "--command", "--"];
        words.extend(exec.command.iter().flatten().map(String::as_str));
        Fix::safe(text!["run the hook's command by hand to see what it says"]).command(case.kubectl(words))
    });
    Ok(case
        .finding_in(Code::PostStartHookFailed, container)
        .title(text![container.subject(), ": its postStart hook fails", lacks])
        .explain(text![
            "Right after the container's start the kubelet runs its postStart hook",
            named,
            ". The hook failed, and for that the kubelet kills the container, again and again. The app itself did nothing wrong. ",
            said
        ])
        .evidence(failure.evidence)
        .evidence(hook.map(|hook| case.field(&format!("{}.lifecycle.postStart", container.spec_path()), hook)))
        .evidence(case.end_evidence(container))
        .fix(edited(case, Fix::disruptive(correct))?)
        .fix(by_hand))
}
