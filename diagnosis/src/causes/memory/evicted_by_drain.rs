//! `evicted-by-drain`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::finding::{Confidence, Evidence, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::pods;
use crate::reader::Read;

cause! {
    /// ## What it means
    /// Somebody asked through the eviction API for the pod to leave: `kubectl drain`, a node upgrade, the cluster autoscaler,
    /// the descheduler or the vertical pod autoscaler.
    /// ## Signals
    /// Condition `DisruptionTarget` True with reason `EvictionByEvictionAPI` (`Eviction API: evicting`), while the pod terminates
    /// and after; event `EvictedByVPA`; the node is often unschedulable.
    /// ## Look-alikes
    /// `evicted-memory`, `evicted-disk`: the kubelet took it (`TerminationByKubelet`). `evicted-by-taint`: a NoExecute taint
    /// (`DeletionByTaintManager`). `preempted`: a pod of higher priority (`PreemptionByScheduler`).
    /// ## Fixes
    /// Wait for the drain; run more than one replica with a PodDisruptionBudget; give a pod that does not leave a shorter grace
    /// period or have it handle SIGTERM; make the node schedulable again when the work is done.
    /// ## Source
    /// pkg/registry/core/pod/storage/eviction.go
    EvictedByDrain, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let Some(condition) = pods::condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True")
    else {
        return Ok(Vec::new());
    };
    let leaves = pod.metadata.deletion_timestamp.is_some() || pods::phase(pod) == "Failed";
    if condition.reason.as_deref() != Some("EvictionByEvictionAPI") || !leaves {
        return Ok(Vec::new());
    }
    let events = case.newest_event(&["EvictedByVPA"], |_| true);
    let node = case.node();
    let (by_vpa, node) = (events?, node?);
    let node_name = pods::node_name(pod).unwrap_or_default();
    let cordoned = match &node {
        Read::Found(node) => node.spec.as_ref().and_then(|spec| spec.unschedulable) == Some(true),
        Read::Absent | Read::Unreadable => false,
    };
    let by = if by_vpa.is_some() {
        text!["the vertical pod autoscaler, which wants other requests for it"]
    } else if cordoned {
        text!["a drain of node ", name(node_name), ", which is closed for new pods"]
    } else {
        text!["a drain, the cluster autoscaler or the descheduler"]
    };
    let grace = pod.metadata.deletion_grace_period_seconds;
    let ends = pod.metadata.deletion_timestamp.as_ref().map(|time| time.0);
    let still = ends.zip(grace).map(|(ends, grace)| {
        text![
            "It has a grace period of ",
            grace,
            " s to end by itself after SIGTERM; it is killed at ",
            ends,
            " at the latest."
        ]
    });
    let finding = case
        .finding(Code::EvictedByDrain)
        .severity(if ends.is_some() { Severity::Warning } else { Severity::Error })
        .confidence(Confidence::Certain)
        .title(text!["Evicted through the API, as by a drain of node ", name(node_name)])
        .explain(text!["Somebody asked for this pod to leave its node: ", by, ". The pod itself did nothing wrong."])
        .also(still)
        .evidence(case.field(
            ".status.conditions[DisruptionTarget]",
            format!("EvictionByEvictionAPI: {}", condition.message.as_deref().unwrap_or_default()),
        ))
        .evidence(by_vpa.as_deref().map(Evidence::event))
        .since(condition.last_transition_time.as_ref().map(|time| time.0));
    let finding = if cordoned { finding.root(ObjectRef::new(Kind::Node, None, node_name)) } else { finding };
    let wait = Fix::safe(text!["let the eviction end: see what is left of the drain on the node"]).command(
        case.kubectl_cluster(["get", "pods", "-A", "--field-selector", &format!("spec.nodeName={node_name}")]),
    );
    let uncordon = cordoned.then(|| {
        Fix::safe(text!["open the node again when the work on it is done"])
            .command(case.kubectl_cluster(["uncordon", node_name]))
            .remedy(crate::finding::Action::Uncordon)
    });
    let handle = ends.map(|_| {
        Fix::disruptive(text![
            "if it does not leave: have the process handle SIGTERM, or lower ",
            code("terminationGracePeriodSeconds")
        ])
    });
    let replicas = Fix::disruptive(text![
        "run more than one replica, with a PodDisruptionBudget, so that an eviction is not an outage"
    ]);
    Ok(vec![finding.fix(wait).fix(handle).fix(uncordon).fix(replicas)])
}
