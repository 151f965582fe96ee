//! Facts of the stage start: why a container could not be created or started, read once from its state, its last end, the
//! events or, behind a shell, its log. One failure has one [`StartError`], and one cause speaks for each of these.

use k8s_openapi::api::core::v1::{Volume, VolumeMount};
use kubewhy_text::{Text, code, name, text};

use crate::case::Case;
use crate::finding::{Confidence, Evidence};
use crate::parse::log::{Failure, Signature};
use crate::parse::start::{self, StartError};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

/// A container that could not be created or started.
#[derive(Debug)]
pub(crate) struct StartFailure<'c> {
    /// The container.
    pub(crate) container: ContainerView<'c>,
    /// What the runtime, the kernel or a shell said.
    pub(crate) error: StartError,
    /// Where it stands.
    pub(crate) evidence: Evidence,
    /// How sure that is.
    pub(crate) confidence: Confidence,
    /// A program inside the container said it: the container itself started.
    pub(crate) in_log: bool,
}

/// The containers that could not be created or started, except for what the stages before and volumes explain.
///
/// # Errors
/// [`Needs`] where events or a log have not been asked yet.
pub(crate) fn failures<'c>(case: &'c Case<'_>) -> Result<Vec<StartFailure<'c>>, Needs> {
    let mut found = Vec::new();
    for container in case.containers() {
        let failure = match from_state(case, &container) {
            Some(failure) => Some(failure),
            None => from_outside(case, &container)?,
        };
        found.extend(failure.filter(|failure| !matches!(failure.error, StartError::Mount | StartError::Runtime)));
    }
    Ok(found)
}

/// What the container's own status says.
fn from_state<'c>(case: &Case<'_>, container: &ContainerView<'c>) -> Option<StartFailure<'c>> {
    let said = |error, evidence| StartFailure {
        container: *container,
        error,
        evidence,
        confidence: Confidence::Certain,
        in_log: false,
    };
    match container.waiting_reason() {
        "RunContainerError" | "CreateContainerError" => {
            if let Some(error) = start::parse(container.waiting_message()) {
                return Some(said(error, case.waiting_evidence(container)));
            }
        }
        "PreStartHookError" => return Some(said(StartError::Device, case.waiting_evidence(container))),
        "CreateContainerConfigError" => {
            let message = container.waiting_message();
            let profile = message.contains("localhostProfile") || message.to_lowercase().contains("apparmor profile");
            return start::parse(message)
                .filter(|_| profile)
                .map(|error| said(error, case.waiting_evidence(container)));
        }
        _ => {}
    }
    if container.running().is_some() {
        return None;
    }
    let end = container.last_end()?;
    let message = end.message.as_deref().unwrap_or_default();
    let by_runtime = matches!(end.reason.as_deref(), Some("StartError" | "ContainerCannotRun"))
        || (matches!(end.exit_code, -1 | 126 | 127 | 128) && start::is_runtimes(message));
    let error = start::parse(message).filter(|_| by_runtime)?;
    Some(said(error, case.end_evidence(container)?))
}

/// Where the status does not say it: the events, or the log of a shell.
fn from_outside<'c>(case: &Case<'_>, container: &ContainerView<'c>) -> Result<Option<StartFailure<'c>>, Needs> {
    if container.running().is_some() || container.is_ready() {
        return Ok(None);
    }
    match container.last_end() {
        Some(end) if matches!(end.exit_code, 1 | 126 | 127 | 255) => from_log(case, container, end.exit_code),
        Some(_) => Ok(None),
        None => from_event(case, container),
    }
}

fn from_event<'c>(case: &Case<'_>, container: &ContainerView<'c>) -> Result<Option<StartFailure<'c>>, Needs> {
    let lost =
        ["RunContainerError", "CreateContainerError", "CrashLoopBackOff", "ContainerCreating", "PodInitializing"];
    if !lost.contains(&container.waiting_reason()) {
        return Ok(None);
    }
    let about = |event: &crate::event::Event| super::probes::is_about(case, event, container);
    let Some(event) = case.newest_event(&["Failed", "Started"], about)? else { return Ok(None) };
    if event.reason == "Started" {
        return Ok(None);
    }
    let slow = event.message.trim_end() == "Error: context deadline exceeded";
    let error = start::parse(&event.message).filter(|_| slow || start::is_runtimes(&event.message));
    Ok(error.map(|error| StartFailure {
        container: *container,
        error,
        evidence: Evidence::event(&event),
        confidence: Confidence::Certain,
        in_log: false,
    }))
}

/// What a shell, or runc after it had started the container, printed. Exit codes 126 and 127 are a shell's way to say it;
/// with 1 and 255 only what leaves no doubt counts: a shell may say it in passing and go on.
fn from_log<'c>(
    case: &Case<'_>,
    container: &ContainerView<'c>,
    exit_code: i32,
) -> Result<Option<StartFailure<'c>>, Needs> {
    let failure =
        |error, evidence, confidence| StartFailure { container: *container, error, evidence, confidence, in_log: true };
    let words = match case.last_words(container)? {
        Read::Found(words) => words,
        Read::Absent | Read::Unreadable => {
            let error = match exit_code {
                127 => StartError::CommandNotFound { command: String::new(), interpreter: false },
                126 => StartError::NotExecutable { path: String::new(), directory: false },
                _ => return Ok(None),
            };
            return Ok(case.end_evidence(container).map(|evidence| failure(error, evidence, Confidence::Likely)));
        }
    };
    let by_shell = matches!(exit_code, 126 | 127);
    let alone = words.tail.len() <= 2;
    let said = words.signature.iter().chain(by_shell.then_some(&words.others).into_iter().flatten());
    let told = said.filter_map(|signature| Some((unrunnable(signature)?, signature)));
    let found = told.into_iter().find(|(error, signature)| by_shell || (alone && !is_shells(error, &signature.line)));
    Ok(found.map(|(error, signature)| {
        let evidence = case.log_evidence(container, signature.line_number, &signature.line);
        failure(error, evidence, Confidence::Certain)
    }))
}

/// The program that could not be run, according to a line of a log.
fn unrunnable(signature: &Signature) -> Option<StartError> {
    let line = signature.line.to_lowercase();
    match &signature.kind {
        Failure::CommandNotFound { command } => {
            let interpreter = is_kernels(&line)
                || line.contains("bad interpreter")
                || line.contains("cannot execute: required file not found");
            Some(StartError::CommandNotFound { command: command.clone(), interpreter })
        }
        Failure::NotExecutable { path } => {
            Some(StartError::NotExecutable { path: path.clone(), directory: line.ends_with("is a directory") })
        }
        Failure::ExecFormat { path } => {
            Some(StartError::ExecFormat { path: Some(path.clone()).filter(|path| !path.is_empty()) })
        }
        _ => None,
    }
}

/// The kernel's answer, which runc prints in the container's log once it has started it.
fn is_kernels(line: &str) -> bool {
    line.contains("exec user process caused") || line.starts_with("exec /") || line.starts_with("exec ./")
}

/// Tells whether a shell may say this in passing and go on.
fn is_shells(error: &StartError, line: &str) -> bool {
    match error {
        StartError::CommandNotFound { interpreter, .. } => !interpreter,
        StartError::NotExecutable { .. } => !is_kernels(&line.to_lowercase()),
        _ => false,
    }
}

/// The field of the container that names that program: `command[0]`, `args[0]`; none where the image does.
pub(crate) fn field_of(container: &ContainerView<'_>, program: &str) -> Option<&'static str> {
    let first = |list: &Option<Vec<String>>| list.iter().flatten().next().map(String::as_str) == Some(program);
    if first(&container.spec.command) {
        return Some("command[0]");
    }
    let no_command = container.spec.command.iter().flatten().next().is_none();
    (no_command && first(&container.spec.args)).then_some("args[0]")
}

/// The volume that is mounted over the directory of a path, with its mount.
pub(crate) fn volume_over<'p>(
    case: &'p Case<'_>,
    container: &ContainerView<'p>,
    path: &str,
) -> Option<(&'p VolumeMount, &'p Volume)> {
    let covers = |mount: &&VolumeMount| {
        let at = mount.mount_path.trim_end_matches('/');
        path == at || path.strip_prefix(at).is_some_and(|rest| rest.starts_with('/'))
    };
    let mount =
        container.spec.volume_mounts.iter().flatten().filter(covers).max_by_key(|mount| mount.mount_path.len())?;
    let volumes = case.pod().and_then(pods::spec).and_then(|spec| spec.volumes.as_ref());
    let volume = volumes.into_iter().flatten().find(|volume| volume.name == mount.name)?;
    Some((mount, volume))
}

/// What a volume holds, for a sentence: `ConfigMap scripts`.
pub(crate) fn volume_source(volume: &Volume) -> Text {
    if let Some(source) = &volume.config_map {
        return text!["ConfigMap ", name(source.name.clone())];
    }
    if let Some(source) = &volume.secret {
        return text!["Secret ", name(source.secret_name.clone().unwrap_or_default())];
    }
    if let Some(source) = &volume.persistent_volume_claim {
        return text!["PersistentVolumeClaim ", name(source.claim_name.clone())];
    }
    if volume.empty_dir.is_some() {
        return text!["an empty directory (volume ", name(volume.name.clone()), ")"];
    }
    if let Some(source) = &volume.host_path {
        return text!["the node's directory ", code(source.path.clone())];
    }
    text!["volume ", name(volume.name.clone())]
}
