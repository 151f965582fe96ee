//! `node-problem-detected`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::{node_advice, node_state};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::node_problem::{self, Judgement};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// Something that watches the machine itself (node-problem-detector or a cloud's own agent) says that the node is broken:
    /// kernel, file system, hardware, daemons. Kubernetes does nothing about it by itself.
    /// ## Signals
    /// A condition of the node that is True: KernelDeadlock, ReadonlyFilesystem, XfsShutdown, CperHardwareErrorFatal,
    /// CorruptDockerOverlay2, FrequentKubeletRestart, FrequentContainerdRestart, FrequentDockerRestart,
    /// FrequentUnregisterNetDevice, KubeletUnhealthy, ContainerRuntimeUnhealthy, NTPProblem; those of GKE, AKS, EKS and Gardener;
    /// a condition that nobody knows and that is True, with its reason and message; one that says ready or healthy and is
    /// False. Node events KernelOops, TaskHung, MemoryReadError, ConntrackFull and their kin.
    /// ## Look-alikes
    /// Conditions whose True is good: Ready, EtcdIsVoter, SufficientIPs, and whatever ends in Ready or Healthy.
    /// `node-kubelet-down`, `node-runtime-down`: the kubelet's own words. `node-disk-io-error`: the disk's errors.
    /// ## Fixes
    /// Cordon and drain the node, read its kernel log, restart or replace the machine.
    /// ## Source
    /// node-problem-detector config/*.json; <https://kubernetes.io/docs/tasks/debug/debug-cluster/monitor-node-health/>
    NodeProblemDetected, stage Node, since "0.1.0", detect
}

/// How many conditions are told of one node.
const MOST: usize = 8;
/// How old a temporary problem may be to still be told.
const FRESH: SignedDuration = SignedDuration::from_mins(30);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    // A silent kubelet says nothing of the detector, whose conditions may be as old.
    let mut found: Vec<Finding> =
        node_state::conditions(&node).filter_map(|condition| explain(case, &node, condition)).take(MOST).collect();
    if found.is_empty() {
        found.extend(temporary(case, &node)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, node: &Node, condition: &NodeCondition) -> Option<Finding> {
    let reason = condition.reason.as_deref().unwrap_or_default();
    let message = condition.message.as_deref().unwrap_or_default();
    let (severity, confidence, meaning) = match node_problem::judge(&condition.type_, &condition.status, reason) {
        Judgement::Fine => return None,
        Judgement::Known(problem) => {
            let severity = if problem.breaks { Severity::Error } else { Severity::Warning };
            (severity, Confidence::Certain, text![problem.meaning])
        }
        Judgement::NotWell => (
            Severity::Warning,
            Confidence::Likely,
            text!["By its name it should be True, and its owner says that it is not."],
        ),
        Judgement::Unknown => (
            Severity::Warning,
            Confidence::Possible,
            text!["Kubernetes itself does not know this condition; whoever sets it means a problem by it, as a rule."],
        ),
    };
    let said = if message.is_empty() { reason } else { message };
    let state = if condition.status == "True" { " reports " } else { " reports that it is not " };
    let finding = case
        .finding(Code::NodeProblemDetected)
        .root(node_state::reference(node).with_detail(condition.type_.clone()))
        .severity(severity)
        .confidence(confidence)
        .title(text![
            node_state::called(node),
            state,
            name(condition.type_.clone()),
            " (",
            name(reason),
            "): ",
            quoted(said)
        ])
        .explain(meaning)
        .also(setter(node, condition))
        .also(text!["Kubernetes does not act on it: pods stay there, and new ones come."])
        .evidence(node_state::evidence(node, condition))
        .since(node_state::since(condition));
    Some(fixes(case, node, finding, &condition.type_))
}

/// Who wrote the condition, where its managed fields tell.
fn setter(node: &Node, condition: &NodeCondition) -> Option<Text> {
    let key = format!("k:{{\"type\":\"{}\"}}", condition.type_);
    let setter = crate::facts::managers::of_field(&node.metadata, &["f:status", "f:conditions", &key])?;
    Some(text!["It was set by ", name(setter.who), "."])
}

/// Problems that come as events: the newest of each kind that has not been long ago.
fn temporary(case: &Case<'_>, node: &Node) -> Result<Option<Finding>, Needs> {
    let event = node_state::recent_event(case, node, &node_problem::EVENTS, |event| {
        event.is_warning() && event.last.is_some_and(|last| case.age(last) < FRESH)
    })?;
    let Some(event) = event else { return Ok(None) };
    let finding = case
        .finding(Code::NodeProblemDetected)
        .root(node_state::reference(node).with_detail(event.reason.clone()))
        .severity(Severity::Warning)
        .confidence(Confidence::Likely)
        .title(text![
            "A problem of ",
            node_state::called(node),
            " was seen: ",
            name(event.reason.clone()),
            ": ",
            quoted(event.message.clone())
        ])
        .explain(text![
            "Whoever watches the machine (mostly node-problem-detector) found this in its kernel log or in its checks. \
             It may have passed; if it comes again, the machine is at fault."
        ])
        .evidence(Evidence::event(&event))
        .since(event.first);
    let about = event.reason.clone();
    Ok(Some(fixes(case, node, finding, &about)))
}

fn fixes(case: &Case<'_>, node: &Node, finding: Finding, about: &str) -> Finding {
    let node_name = node_state::name_of(node);
    let command = node_problem::look(about).unwrap_or("dmesg -T | tail -n 100");
    finding
        .fix(
            Fix::safe(text!["look at the machine of node ", name(node_name), ": its kernel log tells more"])
                .command(case.kubectl_cluster(["describe", "node", node_name]))
                .command(node_advice::shell(case, node))
                .command(command),
        )
        .fix(
            Fix::disruptive(text!["if it lasts: empty the node, then restart or replace the machine"])
                .command(case.kubectl_cluster(["drain", node_name, "--ignore-daemonsets", "--delete-emptydir-data"]))
                .remedy(crate::finding::Action::Cordon),
        )
}
