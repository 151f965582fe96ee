//! `terminating-prestop-hook`.

use k8s_openapi::api::core::v1::LifecycleHandler;
use kubewhy_text::{Text, code, name, text};

use super::terminating_ignores_sigterm::how_long;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::departure::{self, Story};
use crate::finding::{Confidence, Evidence, Fix};

cause! {
    /// ## What it means
    /// The container has a preStop hook, and the pod waits for it: SIGTERM comes only after the hook. Both share the
    /// grace.
    /// ## Signals
    /// Event Killing, `lifecycle.preStop` is set, no FailedPreStopHook, and the container runs on: longer than 30 s, or
    /// beyond the grace.
    /// ## Look-alikes
    /// `terminating-ignores-sigterm`: no hook, or FailedPreStopHook: then the process is what stays.
    /// `pre-stop-hook-failed`: the hook failed, the pod went all the same.
    /// ## Fixes
    /// Bound the hook (`timeout 20 ...`); a grace that is longer than hook and shutdown together.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_container.go, executePreStopHook.
    TerminatingPrestopHook, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(departure) = departure::of(case)? else { return Ok(Vec::new()) };
    let Story::PreStop { container, event } = &departure.story else { return Ok(Vec::new()) };
    let Some(container) = case.containers().find(|view| view.name() == container) else { return Ok(Vec::new()) };
    let hook = container.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref());
    let does = hook.map(spoken);
    let path = format!("{}.lifecycle.preStop", container.spec_path());
    Ok(vec![
        case.finding_in(Code::TerminatingPrestopHook, &container)
            .confidence(Confidence::Likely)
            .severity(departure.severity(case.now()))
            .title(text![
                "Pod ",
                name(case.reference().path()),
                " waits for the preStop hook of container ",
                name(container.name()),
                " (grace ",
                departure::spoken(departure.grace),
                ")"
            ])
            .explain(text![
                "Pod ",
                name(case.name()),
                " was deleted at ",
                departure.asked,
                ". Container ",
                name(container.name()),
                " has a preStop hook",
                does.clone().map(|does| text![" (", does, ")"]),
                ", and it gets SIGTERM only when the hook is done. ",
                how_long(case, &departure),
            ])
            .evidence(Evidence::event(event))
            .evidence(does.map(|does| case.field(&path, does.plain())))
            .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
            .evidence(case.field(".metadata.deletionGracePeriodSeconds", departure.grace.as_secs().to_string()))
            .fix(
                Fix::disruptive(text!["end this pod sooner: delete it again with a grace of one second"])
                    .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=1"])),
            )
            .fix(Fix::disruptive(text![
                "bound the preStop hook (",
                code("timeout 20 ..."),
                "), and keep ",
                code("terminationGracePeriodSeconds"),
                " longer than hook and shutdown together"
            ]))
            .since(Some(departure.asked)),
    ])
}

fn spoken(hook: &LifecycleHandler) -> Text {
    if let Some(exec) = &hook.exec {
        return text![code(exec.command.clone().unwrap_or_default().join(" "))];
    }
    if let Some(http) = &hook.http_get {
        return text!["an HTTP request to ", code(http.path.clone().unwrap_or_else(|| "/".to_owned()))];
    }
    if let Some(sleep) = &hook.sleep {
        return text!["sleep ", sleep.seconds, " s"];
    }
    text!["a TCP connection"]
}
