//! `init-container-failed`.

use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::pods::{self, ContainerView, Role};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// An init container ends with an error or cannot be started, so the pod's containers after it wait.
    /// ## Signals
    /// An init container's status: ended with an exit code other than 0, `CrashLoopBackOff`, `RunContainerError`; condition
    /// Initialized False `containers with incomplete status: [NAMES]`; the others `PodInitializing`; `kubectl` prints
    /// `Init:Error`, `Init:CrashLoopBackOff`.
    /// ## Look-alikes
    /// `init-container-stuck`: it runs and does not end. `command-not-found`, `app-error`, `dependency-unreachable` and all
    /// others of a container: they are the cause of the failure, and lead where they can be told.
    /// ## Fixes
    /// Repair what the init container's log names.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_manager.go, pkg/kubelet/status/generate.go
    InitContainerFailed, stage Init, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for container in case.containers().filter(|container| container.role != Role::Main) {
        if has_failed(pod, &container, case) {
            found.push(explain(case, &container)?);
        }
    }
    Ok(found)
}

fn has_failed(pod: &k8s_openapi::api::core::v1::Pod, container: &ContainerView<'_>, case: &Case<'_>) -> bool {
    // A pod that was ended as a whole did not fail by its init container.
    let ended = pods::status(pod).is_some_and(|status| status.reason.is_some());
    if ended || (container.role == Role::Sidecar && pods::is_true(pod, "Initialized")) || container.running().is_some()
    {
        return false;
    }
    if matches!(container.waiting_reason(), "RunContainerError" | "CreateContainerError" | "PostStartHookError") {
        return true;
    }
    pods::troubling_end(pod, container, case.now()).is_some_and(|end| end.exit_code != 0)
}

/// The last lines of a log as one; standard output and error may come in either order.
fn last_lines(tail: &[String]) -> Option<String> {
    let lines: Vec<&str> = tail.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(3)..)?.join(" / ");
    (!last.is_empty()).then_some(last)
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Finding, Needs> {
    let all = case.containers().filter(|other| other.role != Role::Main).count();
    let waiting: Vec<&str> = case
        .containers()
        .filter(|other| other.waiting_reason() == "PodInitializing")
        .map(|other| other.name())
        .collect();
    let end = container.last_end().filter(|end| end.reason.as_deref() != Some("StartError"));
    let words = match end {
        Some(_) => case.last_words(container)?,
        None => Read::Absent,
    };
    let last = match &words {
        Read::Found(words) => {
            words.signature.as_ref().map(|signature| signature.line.clone()).or_else(|| last_lines(&words.tail))
        }
        Read::Absent | Read::Unreadable => None,
    };
    let how =
        if let Some(end) = end { text![" ended with exit code ", end.exit_code] } else { text![" cannot be started"] };
    let said = last.as_ref().map(|line| text![" Its log says: ", quoted(line.trim_end_matches('.')), "."]);
    let behind = (!waiting.is_empty()).then(|| {
        let many = if waiting.len() == 1 { " waits for it." } else { " wait for it." };
        text![" ", Text::names(waiting, 4), many]
    });
    let restarts = (container.restarts() > 0).then(|| text![", restarted ", container.restarts(), " times"]);
    let log = case.kubectl(["logs", case.name(), "-c", container.name(), "--previous"]);
    let log = if container.restarts() > 0 { log } else { case.kubectl(["logs", case.name(), "-c", container.name()]) };
    let read =
        Fix::safe(text!["read what init container ", name(container.name()), " says, and repair that"]).command(log);
    let edit = Fix::disruptive(text!["correct its command, settings or image in the template"]);
    let source = format!("log of container {} of {}", container.name(), case.reference());
    Ok(case
        .finding_in(Code::InitContainerFailed, container)
        .confidence(Confidence::Likely)
        .follows_lead()
        .title(text![
            "Init container ",
            name(container.name()),
            how.clone(),
            last.as_ref().filter(|line| line.chars().count() <= 160).map(|line| text![": ", quoted(line.as_str())])
        ])
        .explain(text![
            "Init containers run one after another before the pod's own containers, and each has to end well. ",
            name(container.name()),
            " (",
            container.index + 1,
            " of ",
            all,
            ")",
            how,
            restarts,
            ".",
            said,
            behind
        ])
        .evidence(if container.waiting().is_some() { Some(case.waiting_evidence(container)) } else { None })
        .evidence(case.end_evidence(container))
        .evidence(last.map(|text| Evidence { source, text, at: None }))
        .fix(read)
        .fix(edited(case, edit)?))
}
