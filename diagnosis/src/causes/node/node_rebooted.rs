//! `node-rebooted`.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::node_state;
use crate::finding::{Confidence, Evidence, Fix, Severity};

cause! {
    /// ## What it means
    /// The machine was restarted: all its containers ended at one instant, and were started again when it was back.
    /// ## Signals
    /// Node event `Rebooted` `Node N has been rebooted, boot id: ID`, and the node's bootID is that one; containers that ended
    /// with `Unknown` 255 and have one restart more; `SandboxChanged`.
    /// ## Look-alikes
    /// `node-kubelet-down`: it is not back yet. `frequent-restarts`: the containers restart by themselves. A restart of the
    /// kubelet alone (`Starting kubelet.`) ends no container.
    /// ## Fixes
    /// None where all pods are back. Find why: who restarted it, a kernel panic, the cloud's maintenance, an upgrade.
    /// ## Source
    /// pkg/kubelet/nodestatus/setters.go, NodeInfo.
    NodeRebooted, stage Node, since "0.1.0", detect
}

/// How long pods may take to come back.
const BACK: SignedDuration = SignedDuration::from_mins(5);
/// How long before its first word after a reboot a machine may have been down.
const DOWN: SignedDuration = SignedDuration::from_mins(30);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    // A node that is not ready has a cause of its own.
    if !node_state::is(&node, "Ready", "True") {
        return Ok(Vec::new());
    }
    let Some(event) = node_state::recent_event(case, &node, &["Rebooted"], |_| true)? else { return Ok(Vec::new()) };
    let node_name = node_state::name_of(&node);
    let pods = node_state::pods_on(case, node_name)?.found().unwrap_or_default();
    let left = event.last.filter(|at| case.age(*at) > BACK).map(|at| not_back(&pods, at)).unwrap_or_default();
    let severity = if left.is_empty() { Severity::Warning } else { Severity::Error };
    let boot = node.status.as_ref().and_then(|status| status.node_info.as_ref()).map(|info| info.boot_id.clone());
    let ago = event.last.map(|at| text![" ", node_state::ago(case.age(at)), " ago"]);
    let title = if left.is_empty() {
        text![node_state::called(&node), " was rebooted", ago, " and is back"]
    } else {
        text![node_state::called(&node), " was rebooted", ago, ", and ", left.len(), " of its pods are not back"]
    };
    Ok(vec![
        case.finding(Code::NodeRebooted)
            .root(node_state::reference(&node))
            .severity(severity)
            .confidence(if left.is_empty() { Confidence::Certain } else { Confidence::Likely })
            .title(title)
            .explain(text![
                "All containers of the node ended when the machine went down, and their restart counters went up by one. ",
                "The API does not tell why it went down."
            ])
            .also(how_pods_are(&pods, &left))
            .evidence(Evidence::event(&event))
            .evidence(boot.filter(|boot| event.message.contains(boot)).map(|boot| {
                Evidence::field(&node_state::reference(&node), ".status.nodeInfo.bootID", boot)
            }))
            .since(event.last)
            .fix(
                Fix::safe(text!["on the node, see when and how it went down: an orderly shutdown, or none"])
                    .command("last -x reboot shutdown | head; journalctl -b -1 -n 100 --no-pager"),
            )
            .fix(not_back_fix(case, &node, &left)),
    ])
}

/// Pods that were there before the reboot and are not ready since.
fn not_back(pods: &[Arc<Pod>], rebooted: jiff::Timestamp) -> Vec<String> {
    let before = |pod: &Pod| crate::pods::created(pod).is_some_and(|created| created < rebooted);
    // What was not ready before either has a reason of its own; a machine that goes down is noticed some minutes late.
    let since = |pod: &Pod| {
        let ready = crate::pods::condition(pod, "Ready")?;
        ready.last_transition_time.as_ref().map(|time| time.0)
    };
    let was_ready = |pod: &Pod| since(pod).is_none_or(|since| rebooted.duration_since(since) < DOWN);
    pods.iter()
        .filter(|pod| before(pod) && was_ready(pod) && node_state::is_unready(pod))
        .map(|pod| {
            let meta = &pod.metadata;
            format!("{}/{}", meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
        })
        .collect()
}

fn how_pods_are(pods: &[Arc<Pod>], left: &[String]) -> Option<Text> {
    if !left.is_empty() {
        return Some(text!["Not ready since: ", Text::names(left.iter().cloned(), 4), "."]);
    }
    (!pods.is_empty()).then(|| text!["Its pods (", pods.len(), ") are there again or on their way."])
}

fn not_back_fix(case: &Case<'_>, node: &Node, left: &[String]) -> Fix {
    let on_node = format!("spec.nodeName={}", node_state::name_of(node));
    let look = case.kubectl_cluster(["get", "pods", "-A", "-o", "wide", "--field-selector", &on_node]);
    match left.first().and_then(|first| first.split_once('/')) {
        Some((namespace, pod)) => Fix::safe(text!["see what keeps Pod ", name(pod), " from coming back"])
            .command(look)
            .command(case.kubectl_in(namespace, ["describe", "pod", pod])),
        None => Fix::safe(text!["see that all pods of the node are ready again (", code("READY"), ")"]).command(look),
    }
}
