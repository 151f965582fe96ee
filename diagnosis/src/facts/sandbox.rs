//! Facts about the sandbox of a pod: whether it fails now, why, and which one cause speaks for it.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, quoted, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::causes::Code;
use crate::event::Event;
use crate::facts::pull::is_live;
use crate::finding::{Confidence, Evidence, Finding, ObjectRef};
use crate::kind::Kind;
use crate::parse::sandbox::{self, SandboxFault};
use crate::pods;
use crate::reader::{Needs, Read};

/// Events that speak of a sandbox.
const FAILURES: [&str; 3] = ["FailedCreatePodSandBox", "NetworkNotReady", "FailedPodSandBoxStatus"];
/// Events that come only once a sandbox stands.
const LATER: [&str; 5] = ["Pulling", "Pulled", "Created", "Started", "BackOff"];

/// Agents of network plugins by the names of their pods.
const AGENTS: [&str; 17] = [
    "calico-node",
    "canal",
    "cilium",
    "kube-flannel",
    "aws-node",
    "weave-net",
    "antrea-agent",
    "kube-router",
    "kube-ovn-cni",
    "kube-multus",
    "multus",
    "ovnkube-node",
    "kindnet",
    "azure-cns",
    "azure-cni",
    "netd",
    "terway",
];

/// A sandbox that cannot be made now.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    /// Why.
    pub(crate) fault: SandboxFault,
    /// The runtime's or the plugin's words.
    pub(crate) words: String,
    /// Where they stand.
    pub(crate) source: Evidence,
    /// Since when.
    pub(crate) since: Option<Timestamp>,
}

impl Sandbox {
    /// The words as a sentence.
    pub(crate) fn said(&self) -> Text {
        text!["The node reports: ", quoted(self.words.clone()), "."]
    }

    /// A finding with its evidence, its root the node.
    pub(crate) fn finding(&self, case: &Case<'_>, code: Code) -> Finding {
        let finding = case.finding(code).root(node(case)).evidence(self.source.clone()).since(self.since);
        finding.confidence(confidence(self))
    }
}

/// The node of the pod as a reference.
pub(crate) fn node(case: &Case<'_>) -> ObjectRef {
    ObjectRef::new(Kind::Node, None, node_name(case))
}

/// The name of the node of the pod.
pub(crate) fn node_name<'c>(case: &'c Case<'_>) -> &'c str {
    case.pod().and_then(pods::node_name).unwrap_or_default()
}

/// The newest time at which a container of the pod started or ended.
fn last_life(pod: &Pod) -> Option<Timestamp> {
    let ends = pods::containers(pod).filter_map(|container| container.last_end()?.finished_at.as_ref().map(|t| t.0));
    ends.max()
}

fn is_without_sandbox(case: &Case<'_>) -> bool {
    let running = case.containers().any(|container| container.running().is_some());
    let stands = case.pod().is_some_and(|pod| pods::is_true(pod, "PodReadyToStartContainers"));
    is_live(case) && case.pod().and_then(pods::node_name).is_some() && !running && !stands
}

/// Why the sandbox of the pod cannot be made now, if it cannot: the newest event decides, and one that comes only once
/// a sandbox stands makes those before it history.
pub(crate) fn failure(case: &Case<'_>) -> Result<Option<Sandbox>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Option<Sandbox>, Needs> {
    let Some(pod) = case.pod().filter(|_| is_without_sandbox(case)) else { return Ok(None) };
    let events = case.own_events()?;
    let newest = events.iter().rev().find(|event| {
        let reason = event.reason.as_str();
        LATER.contains(&reason) || FAILURES.contains(&reason) || speaks_of_runtime(event)
    });
    if let Some(event) = newest {
        let later = LATER.contains(&event.reason.as_str());
        let history = last_life(pod).zip(event.last).is_some_and(|(life, said)| life > said);
        return Ok((!later && !history).then(|| of_event(event)));
    }
    let silent = events.iter().all(|event| event.reason == "Scheduled" || event.reason == "SandboxChanged");
    let waits = case.containers().all(|it| {
        matches!(it.waiting_reason(), "ContainerCreating" | "PodInitializing" | "") && it.last_end().is_none()
    });
    if silent && waits { of_node(case) } else { Ok(None) }
}

/// `FailedSync` and the like, which speak of many things.
fn speaks_of_runtime(event: &Event) -> bool {
    let fault = || sandbox::parse(&event.message);
    matches!(event.reason.as_str(), "FailedSync" | "FailedKillPod") && fault() == SandboxFault::RuntimeDown
}

fn of_event(event: &Event) -> Sandbox {
    Sandbox {
        fault: sandbox::parse(&event.message),
        words: sandbox::words(&event.message).to_owned(),
        source: Evidence::event(event),
        since: event.first,
    }
}

/// A node that says itself why no pod starts on it.
fn of_node(case: &Case<'_>) -> Result<Option<Sandbox>, Needs> {
    let Read::Found(it) = case.node()? else { return Ok(None) };
    let conditions = it.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    let Some(ready) = conditions.iter().find(|condition| condition.type_ == "Ready" && condition.status == "False")
    else {
        return Ok(None);
    };
    let words = ready.message.clone().unwrap_or_default();
    let fault = sandbox::parse(&words);
    if !matches!(fault, SandboxFault::ConfigMissing(_) | SandboxFault::RuntimeDown | SandboxFault::AgentDown(_)) {
        return Ok(None);
    }
    let since = ready.last_transition_time.as_ref().map(|time| time.0);
    let source = Evidence::field(&node(case), ".status.conditions[Ready]", format!("False: {words}")).at(since);
    Ok(Some(Sandbox { fault, words, source, since }))
}

/// The agent of the network plugin on the node.
#[derive(Clone, Debug)]
pub(crate) struct Agent {
    /// Its pod.
    pub(crate) pod: ObjectRef,
    /// Whether it is ready.
    pub(crate) ready: bool,
    /// Why a container of it waits, or how it ended.
    pub(crate) state: Option<String>,
}

/// The agent of the network plugin on the pod's node; absent where none of its pods is one.
pub(crate) fn agent(case: &Case<'_>) -> Result<Read<Agent>, Needs> {
    agent_on(case, node_name(case))
}

/// The agent of the network plugin on a node.
pub(crate) fn agent_on(case: &Case<'_>, node: &str) -> Result<Read<Agent>, Needs> {
    let on_node = case.list::<Pod>(None, Filter::OnNode(node.to_owned()))?;
    let Read::Found(on_node) = on_node else { return Ok(Read::Unreadable) };
    // Agents live in namespaces of their own: a dump of the pod's namespace alone does not show them.
    if on_node.iter().all(|pod| pod.metadata.namespace.as_deref() == case.namespace()) {
        return Ok(Read::Unreadable);
    }
    let agents = on_node.iter().filter(|pod| is_agent(pod.metadata.name.as_deref().unwrap_or_default()));
    // One that is not ready tells more than one that is.
    let agent = agents.min_by_key(|pod| pods::is_true(pod, "Ready"));
    Ok(agent.map_or(Read::Absent, |pod| {
        let name = pod.metadata.name.as_deref().unwrap_or_default();
        let state = pods::containers(pod).find_map(|container| {
            let waiting = Some(container.waiting_reason()).filter(|reason| !reason.is_empty());
            let ended = container.terminated().filter(|end| end.exit_code != 0).and_then(|end| end.reason.as_deref());
            waiting.or(ended).map(str::to_owned)
        });
        Read::Found(Agent {
            pod: ObjectRef::new(Kind::Pod, pod.metadata.namespace.as_deref(), name),
            ready: pods::is_true(pod, "Ready"),
            state,
        })
    }))
}

/// Tells whether a pod or `DaemonSet` of that name is a network plugin's agent.
pub(crate) fn is_agent(name: &str) -> bool {
    let other = ["operator", "envoy", "hubble", "controller"].iter().any(|part| name.contains(part));
    !other && AGENTS.iter().any(|agent| name.starts_with(agent))
}

impl Agent {
    /// How it is, in a sentence.
    pub(crate) fn sentence(&self) -> Text {
        let pod = name(self.pod.path());
        if self.ready {
            return text!["Its agent on the node, Pod ", pod, ", is ready."];
        }
        let state = self.state.as_ref().map(|state| text![" (", quoted(state.clone()), ")"]);
        text!["Its agent on the node, Pod ", pod, ", is not ready", state, "."]
    }
}

/// The one cause that speaks for a sandbox that cannot be made.
pub(crate) fn cause_of(case: &Case<'_>, sandbox: &Sandbox) -> Result<Code, Needs> {
    Ok(match &sandbox.fault {
        SandboxFault::ConfigMissing(_) => match agent(case)? {
            // The agent writes the configuration once it is up.
            Read::Found(agent) if !agent.ready => Code::CniNotReady,
            Read::Found(_) | Read::Absent | Read::Unreadable => Code::CniConfigMissing,
        },
        SandboxFault::BinaryMissing(_) => Code::CniConfigMissing,
        SandboxFault::AgentDown(_) => Code::CniNotReady,
        SandboxFault::NoAddress(_) => Code::CniIpExhausted,
        SandboxFault::NameTaken(_) => Code::ContainerNameConflict,
        SandboxFault::Handler(_) | SandboxFault::RuntimeClass(_) => Code::RuntimeHandlerMissing,
        SandboxFault::RuntimeDown | SandboxFault::Deadline => Code::RuntimeUnavailable,
        SandboxFault::DiskError => Code::NodeDiskIoError,
        SandboxFault::CgroupDriver => Code::NodeCgroupDriverMismatch,
        SandboxFault::Watches => Code::NodeInotifyExhausted,
        SandboxFault::PauseImage(_)
        | SandboxFault::NoSpace
        | SandboxFault::ControlGroup
        | SandboxFault::UserNamespace
        | SandboxFault::BridgeAddress
        | SandboxFault::ResolverFile
        | SandboxFault::Sysctl
        | SandboxFault::MemoryTooLow
        | SandboxFault::Network(_)
        | SandboxFault::Other => Code::SandboxCreateFailed,
    })
}

/// The failure of the sandbox, if this cause speaks for it.
pub(crate) fn of_code(case: &Case<'_>, code: Code) -> Result<Option<Sandbox>, Needs> {
    let Some(sandbox) = failure(case)? else { return Ok(None) };
    Ok((cause_of(case, &sandbox)? == code).then_some(sandbox))
}

/// How sure a reading of the newest words is: the node says so, unless it only did not answer in time, or says what is
/// not understood.
fn confidence(sandbox: &Sandbox) -> Confidence {
    match sandbox.fault {
        SandboxFault::Deadline | SandboxFault::Network(_) | SandboxFault::Other => Confidence::Likely,
        _ => Confidence::Certain,
    }
}
