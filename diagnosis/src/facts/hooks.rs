//! Facts of lifecycle hooks.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::LifecycleHandler;

use crate::case::Case;
use crate::event::Event;
use crate::finding::Evidence;
use crate::parse::start;
use crate::pods::ContainerView;
use crate::reader::Needs;

/// A postStart hook that failed, for which the kubelet kills the container.
#[derive(Debug)]
pub(crate) struct HookFailure {
    /// Where it is told.
    pub(crate) evidence: Evidence,
    /// Error and output as far as the kubelet tells them; newer ones keep them to themselves.
    pub(crate) words: Option<String>,
    /// It has not failed: it runs on and on.
    pub(crate) hangs: bool,
    /// A program that the hook calls and the container does not have.
    pub(crate) lacks: Option<String>,
}

/// The failed postStart hook of a container, where it holds the container back now. Its exit code, 137 or 143, is the
/// kubelet's kill then and no matter of the app.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn post_start(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<HookFailure>, Needs> {
    let hook = container.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.post_start.as_ref());
    if container.waiting_reason() == "PostStartHookError" {
        let message = container.waiting_message();
        return Ok(Some(failure(case.waiting_evidence(container), message)));
    }
    if hook.is_some() && matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing") {
        return hanging(case, container);
    }
    let holds = !container.is_ready() && (container.waiting().is_some() || container.terminated().is_some());
    if hook.is_none() || !holds {
        return Ok(None);
    }
    Ok(event(case, container, "FailedPostStartHook")?
        .filter(|event| belongs_to_end(container, event))
        .map(|event| failure(Evidence::event(&event), &event.message)))
}

/// How long a postStart hook may take.
const HOOK_PATIENCE: SignedDuration = SignedDuration::from_secs(60);

/// A hook that runs on: the kubelet has started the container, and does not count it as started before the hook returns.
fn hanging(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<HookFailure>, Needs> {
    let about = |event: &Event| super::probes::is_about(case, event, container);
    let newest = case.newest_event(&["Started", "Killing", "Failed", "FailedPostStartHook", "BackOff"], about)?;
    let started = newest.filter(|event| event.reason == "Started");
    let long = |event: &Arc<Event>| event.last.is_some_and(|last| case.age(last) > HOOK_PATIENCE);
    Ok(started.filter(long).map(|event| HookFailure {
        evidence: Evidence::event(&event),
        words: None,
        hangs: true,
        lacks: None,
    }))
}

/// The newest event of a failed preStop hook of a container.
///
/// # Errors
/// [`Needs`] where the events have not been asked yet.
pub(crate) fn pre_stop(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<HookFailure>, Needs> {
    if container.spec.lifecycle.as_ref().and_then(|lifecycle| lifecycle.pre_stop.as_ref()).is_none() {
        return Ok(None);
    }
    Ok(event(case, container, "FailedPreStopHook")?.map(|event| failure(Evidence::event(&event), &event.message)))
}

fn event(case: &Case<'_>, container: &ContainerView<'_>, reason: &str) -> Result<Option<Arc<Event>>, Needs> {
    case.newest_event(&[reason], |event| super::probes::is_about(case, event, container))
}

/// A hook that failed long before the container ended last did not end it.
fn belongs_to_end(container: &ContainerView<'_>, event: &Event) -> bool {
    let started = container.last_end().and_then(|end| end.started_at.as_ref()).map(|time| time.0);
    match (started, event.last) {
        // Reports are exact to the second only.
        (Some(started), Some(said)) => said >= started - jiff::SignedDuration::from_secs(2),
        _ => true,
    }
}

fn failure(evidence: Evidence, message: &str) -> HookFailure {
    let words = message.split_once("failed - error: ").map(|(_, words)| words.trim().to_owned());
    let missing = |text: &str| match start::parse(text) {
        Some(start::StartError::CommandNotFound { command, .. }) => Some(command),
        _ => text.replace("\\n", "\n").split(['\n', '"']).find_map(start::shell_lacks),
    };
    let lacks = words.as_deref().and_then(missing);
    HookFailure { evidence, words, hangs: false, lacks }
}

/// What a hook does, as a person would write it: a command line, a URL path and port.
pub(crate) fn shown(handler: &LifecycleHandler) -> String {
    if let Some(exec) = &handler.exec {
        return exec.command.iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    }
    if let Some(http) = &handler.http_get {
        let port = match &http.port {
            k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::Int(number) => number.to_string(),
            k8s_openapi::apimachinery::pkg::util::intstr::IntOrString::String(name) => name.clone(),
        };
        let host = http.host.as_deref().unwrap_or("POD");
        return format!("GET {host}:{port}{}", http.path.as_deref().unwrap_or("/"));
    }
    if let Some(sleep) = &handler.sleep {
        return format!("sleep {}", sleep.seconds);
    }
    "tcpSocket".to_owned()
}
