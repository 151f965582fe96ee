//! Reading a Pod: its containers with their states, and whether it takes room on a node.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    Container, ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStateWaiting, ContainerStatus,
    Pod, PodCondition, PodSpec, PodStatus,
};
use kubewhy_text::{Text, name, text};

/// How long a container has to hold after a crash or an OOM until that is history (the back-off reaches 5 minutes).
pub const STABLE_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// What a container is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Runs to its end before the main containers.
    Init,
    /// An init container with restartPolicy Always: starts before the main containers and runs beside them.
    Sidecar,
    /// A main container.
    Main,
}

/// A container: what was asked for, and how it is.
#[derive(Clone, Copy, Debug)]
pub struct ContainerView<'p> {
    /// Its specification.
    pub spec: &'p Container,
    /// Its status, once a kubelet has reported one.
    pub status: Option<&'p ContainerStatus>,
    /// What it is for.
    pub role: Role,
    /// Its index among the containers of its list, as in `spec.containers[0]`.
    pub index: usize,
}

impl<'p> ContainerView<'p> {
    /// Its name.
    pub fn name(&self) -> &'p str {
        &self.spec.name
    }

    /// Its image as the pod names it.
    pub fn image(&self) -> &'p str {
        self.spec.image.as_deref().unwrap_or_default()
    }

    fn state(&self) -> Option<&'p ContainerState> {
        self.status.and_then(|status| status.state.as_ref())
    }

    /// Its waiting state, if it waits.
    pub fn waiting(&self) -> Option<&'p ContainerStateWaiting> {
        self.state().and_then(|state| state.waiting.as_ref())
    }

    /// Why it waits, in one word; empty where it does not wait.
    pub fn waiting_reason(&self) -> &'p str {
        self.waiting().and_then(|waiting| waiting.reason.as_deref()).unwrap_or_default()
    }

    /// Why it waits, in the kubelet's words; empty where it does not wait.
    pub fn waiting_message(&self) -> &'p str {
        self.waiting().and_then(|waiting| waiting.message.as_deref()).unwrap_or_default()
    }

    /// Its running state, if it runs.
    pub fn running(&self) -> Option<&'p ContainerStateRunning> {
        self.state().and_then(|state| state.running.as_ref())
    }

    /// Its terminated state, if it has ended and is not started again yet.
    pub fn terminated(&self) -> Option<&'p ContainerStateTerminated> {
        self.state().and_then(|state| state.terminated.as_ref())
    }

    /// How the instance before ended, if there was one.
    pub fn last_terminated(&self) -> Option<&'p ContainerStateTerminated> {
        self.status.and_then(|status| status.last_state.as_ref()).and_then(|state| state.terminated.as_ref())
    }

    /// How it ended last: its present state where it has ended, else the state before.
    pub fn last_end(&self) -> Option<&'p ContainerStateTerminated> {
        self.terminated().or_else(|| self.last_terminated())
    }

    /// How often it was restarted.
    pub fn restarts(&self) -> i32 {
        self.status.map_or(0, |status| status.restart_count)
    }

    /// Tells whether it is ready.
    pub fn is_ready(&self) -> bool {
        self.status.is_some_and(|status| status.ready)
    }

    /// Its path in the status: `.status.containerStatuses[app]`.
    pub fn status_path(&self) -> String {
        let list = if self.role == Role::Main { "containerStatuses" } else { "initContainerStatuses" };
        format!(".status.{list}[{}]", self.name())
    }

    /// It as the subject of a sentence: `Container app`, `Init container migrate`.
    pub fn subject(&self) -> Text {
        let what = if self.role == Role::Init { "Init container " } else { "Container " };
        text![what, name(self.name())]
    }

    /// Its path in the specification: `.spec.containers[app]`.
    pub fn spec_path(&self) -> String {
        let list = if self.role == Role::Main { "containers" } else { "initContainers" };
        format!(".spec.{list}[{}]", self.name())
    }
}

/// The containers of a pod in the order of their start: init containers and sidecars, then main containers.
pub fn containers(pod: &Pod) -> impl Iterator<Item = ContainerView<'_>> {
    let spec = pod.spec.as_ref();
    let status = pod.status.as_ref();
    let init = spec.into_iter().flat_map(|spec| spec.init_containers.iter().flatten()).enumerate().map(
        move |(index, spec)| {
            let statuses = status.and_then(|status| status.init_container_statuses.as_deref());
            let role = if spec.restart_policy.as_deref() == Some("Always") { Role::Sidecar } else { Role::Init };
            ContainerView { spec, status: find(statuses, &spec.name), role, index }
        },
    );
    let main = spec.into_iter().flat_map(|spec| &spec.containers).enumerate().map(move |(index, spec)| {
        let statuses = status.and_then(|status| status.container_statuses.as_deref());
        ContainerView { spec, status: find(statuses, &spec.name), role: Role::Main, index }
    });
    init.chain(main)
}

fn find<'s>(statuses: Option<&'s [ContainerStatus]>, name: &str) -> Option<&'s ContainerStatus> {
    statuses.into_iter().flatten().find(|status| status.name == name)
}

/// The specification, if the pod has one.
pub fn spec(pod: &Pod) -> Option<&PodSpec> {
    pod.spec.as_ref()
}

/// The status, if the pod has one.
pub fn status(pod: &Pod) -> Option<&PodStatus> {
    pod.status.as_ref()
}

/// Its phase; empty where it has none.
pub fn phase(pod: &Pod) -> &str {
    status(pod).and_then(|status| status.phase.as_deref()).unwrap_or_default()
}

/// The node it is bound to.
pub fn node_name(pod: &Pod) -> Option<&str> {
    spec(pod).and_then(|spec| spec.node_name.as_deref()).filter(|name| !name.is_empty())
}

/// How it is, in a few words: the first waiting reason with the restarts of that container, or its phase.
pub fn in_short(pod: &Pod) -> String {
    let waits = containers(pod).find(|container| !container.waiting_reason().is_empty());
    match waits {
        Some(container) => format!("{}, restarted {} times", container.waiting_reason(), container.restarts()),
        None => phase(pod).to_owned(),
    }
}

/// The condition of that type.
pub fn condition<'p>(pod: &'p Pod, type_: &str) -> Option<&'p PodCondition> {
    status(pod)
        .into_iter()
        .flat_map(|status| status.conditions.iter().flatten())
        .find(|condition| condition.type_ == type_)
}

/// Tells whether the condition of that type is True.
pub fn is_true(pod: &Pod, type_: &str) -> bool {
    condition(pod, type_).is_some_and(|condition| condition.status == "True")
}

/// The restart policy; Kubernetes' default is Always.
pub fn restart_policy(pod: &Pod) -> &str {
    spec(pod).and_then(|spec| spec.restart_policy.as_deref()).unwrap_or("Always")
}

/// Tells whether it has ended and will not run again.
pub fn is_finished(pod: &Pod) -> bool {
    matches!(phase(pod), "Succeeded" | "Failed")
}

/// The node on which it takes room: bound and not finished.
pub fn occupies(pod: &Pod) -> Option<&str> {
    node_name(pod).filter(|_| !is_finished(pod))
}

/// When it was made.
pub fn created(pod: &Pod) -> Option<Timestamp> {
    pod.metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// The newest time that its status speaks of.
pub fn newest_time(pod: &Pod) -> Option<Timestamp> {
    let status = status(pod)?;
    let mut newest = status.start_time.as_ref().map(|time| time.0);
    for condition in status.conditions.iter().flatten() {
        newest = newest.max(condition.last_transition_time.as_ref().map(|time| time.0));
    }
    let statuses = status.init_container_statuses.iter().chain(&status.container_statuses).flatten();
    for state in statuses.flat_map(|status| [status.state.as_ref(), status.last_state.as_ref()]).flatten() {
        newest = newest.max(state.running.as_ref().and_then(|running| running.started_at.as_ref()).map(|time| time.0));
        newest = newest.max(state.terminated.as_ref().and_then(|end| end.finished_at.as_ref()).map(|time| time.0));
    }
    newest
}

/// The end of a container that still counts as trouble: it has not held since for [`STABLE_AFTER`], or is not up again.
/// An end with 0 of an init container, or where the restart policy lets it end, is none.
pub fn troubling_end<'p>(
    pod: &Pod,
    container: &ContainerView<'p>,
    now: Timestamp,
) -> Option<&'p ContainerStateTerminated> {
    let ended_well = |end: &ContainerStateTerminated| {
        end.exit_code == 0
            && end.reason.as_deref() != Some("OOMKilled")
            && (container.role == Role::Init || restart_policy(pod) != "Always")
    };
    if let Some(end) = container.terminated() {
        return Some(end).filter(|end| !ended_well(end));
    }
    let end = container.last_terminated()?;
    if container.waiting().is_some() {
        return Some(end).filter(|end| !ended_well(end) || container.waiting_reason() == "CrashLoopBackOff");
    }
    let finished = end.finished_at.as_ref().map(|time| time.0);
    let recent = finished.is_none_or(|finished| now.duration_since(finished) < STABLE_AFTER);
    let counts = container.restarts() >= 2 || !container.is_ready() || end.reason.as_deref() == Some("OOMKilled");
    Some(end).filter(|end| recent && counts && !ended_well(end))
}

/// The names of the claims that it uses: named ones and those made for its ephemeral volumes.
pub fn claims(pod: &Pod) -> impl Iterator<Item = String> {
    let owner = pod.metadata.name.as_deref().unwrap_or_default();
    spec(pod).into_iter().flat_map(|spec| spec.volumes.iter().flatten()).filter_map(move |volume| {
        let named = volume.persistent_volume_claim.as_ref().map(|source| source.claim_name.clone());
        named.or_else(|| volume.ephemeral.as_ref().map(|_| format!("{owner}-{}", volume.name)))
    })
}

/// The message of a condition that is True.
pub(crate) fn condition_message(pod: Option<&Pod>, type_: &str) -> Option<String> {
    condition(pod?, type_)
        .filter(|condition| condition.status == "True")
        .and_then(|condition| condition.message.clone())
}
