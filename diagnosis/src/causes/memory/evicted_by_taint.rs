//! `evicted-by-taint`.

use k8s_openapi::api::core::v1::{Node, Taint};
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::finding::{Confidence, Evidence, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::pods;
use crate::reader::Read;

cause! {
    /// ## What it means
    /// The node got a taint with effect NoExecute that the pod does not tolerate (or no longer), so the pod was deleted.
    /// ## Signals
    /// Condition `DisruptionTarget` True with reason `DeletionByTaintManager` (`Taint manager: deleting due to NoExecute taint`),
    /// event `TaintManagerEviction` `Marking for deletion Pod NAMESPACE/NAME`; the node's `spec.taints`.
    /// ## Look-alikes
    /// `node-lost`, `terminating-node-lost`: the taint is the node controller's own (`node.kubernetes.io/unreachable`,
    /// `not-ready`): the node is the matter. `untolerated-taint`: a new pod is not placed. `evicted-by-drain`: the eviction API.
    /// ## Fixes
    /// Tolerate the taint in the template, or take it off the node.
    /// ## Source
    /// pkg/controller/tainteviction/taint_eviction.go
    EvictedByTaint, stage Memory, since "0.1.0", detect
}

/// The taints that the node controller sets itself when a node is not ready.
const LOST: &[&str] = &["node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"];

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    if pod.metadata.deletion_timestamp.is_none() && pods::phase(pod) != "Failed" {
        return Ok(Vec::new());
    }
    let condition = pods::condition(pod, "DisruptionTarget").filter(|condition| condition.status == "True");
    let marked = condition.is_some_and(|condition| condition.reason.as_deref() == Some("DeletionByTaintManager"));
    let event = case.newest_event(&["TaintManagerEviction"], |_| true)?;
    let event = event.filter(|event| event.message.starts_with("Marking for deletion"));
    if !marked && event.is_none() {
        return Ok(Vec::new());
    }
    let node_name = pods::node_name(pod).unwrap_or_default();
    let (taint, confidence) = match case.node()? {
        Read::Found(node) => {
            let taints = evicting(&node);
            let own = taints.iter().find(|taint| !LOST.contains(&taint.key.as_str()) && !is_tolerated(case, taint));
            match own {
                Some(taint) => (Some(taint.clone()), Confidence::Certain),
                // The node is lost, or was for a while: its own matter.
                None => return Ok(Vec::new()),
            }
        }
        Read::Absent => return Ok(Vec::new()),
        Read::Unreadable => (None, Confidence::Likely),
    };
    let shown = taint.as_ref().map(show);
    let named = shown.as_ref().map(|taint| text![" ", code(taint.as_str())]);
    let since = condition.and_then(|condition| condition.last_transition_time.as_ref()).map(|time| time.0);
    let tolerate =
        Fix::disruptive(text!["tolerate the taint", named.clone(), " in the template, if the pod may stay there"]);
    let remove = taint.as_ref().map(|taint| {
        Fix::disruptive(text!["or take the taint off node ", name(node_name), ", if it is no longer meant"])
            .command(case.kubectl_cluster(["taint", "node", node_name, &format!("{}:{}-", taint.key, taint.effect)]))
    });
    let finding = case
        .finding(Code::EvictedByTaint)
        .root(ObjectRef::new(Kind::Node, None, node_name))
        .severity(if pods::phase(pod) == "Failed" { Severity::Error } else { Severity::Warning })
        .confidence(confidence)
        .title(text!["Deleted from node ", name(node_name), " by its NoExecute taint", named.clone()])
        .explain(text![
            "Node ",
            name(node_name),
            " has a taint with effect NoExecute",
            named,
            ". Pods that do not tolerate it may not stay, and this one does not, so it was deleted. ",
            later(case)
        ])
        .evidence(condition.filter(|_| marked).map(|condition| {
            let message = condition.message.as_deref().unwrap_or_default();
            case.field(".status.conditions[DisruptionTarget]", format!("DeletionByTaintManager: {message}"))
        }))
        .evidence(event.as_deref().map(Evidence::event))
        .evidence(
            shown.map(|taint| Evidence::field(&ObjectRef::new(Kind::Node, None, node_name), ".spec.taints", taint)),
        )
        .since(since);
    Ok(vec![finding.fix(edited(case, tolerate)?).fix(remove)])
}

fn evicting(node: &Node) -> Vec<Taint> {
    let taints = node.spec.as_ref().and_then(|spec| spec.taints.as_ref());
    taints.into_iter().flatten().filter(|taint| taint.effect == "NoExecute").cloned().collect()
}

/// Tells whether the pod tolerates it for ever.
fn is_tolerated(case: &Case<'_>, taint: &Taint) -> bool {
    let tolerations = case.pod().and_then(pods::spec).and_then(|spec| spec.tolerations.as_ref());
    tolerations.into_iter().flatten().any(|toleration| {
        let key = toleration.key.as_deref().unwrap_or_default();
        let keyed = key.is_empty() || key == taint.key;
        let exists = toleration.operator.as_deref() == Some("Exists");
        let valued =
            exists || toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
        let effect = toleration.effect.as_deref().is_none_or(|effect| effect.is_empty() || effect == "NoExecute");
        keyed && valued && effect && toleration.toleration_seconds.is_none()
    })
}

fn show(taint: &Taint) -> String {
    match taint.value.as_deref().filter(|value| !value.is_empty()) {
        Some(value) => format!("{}={value}:{}", taint.key, taint.effect),
        None => format!("{}:{}", taint.key, taint.effect),
    }
}

fn later(case: &Case<'_>) -> Text {
    let owned = case.meta().owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
    if owned {
        text!["Its controller makes a new pod where the taints allow it."]
    } else {
        text!["No controller owns it, so nobody makes it anew."]
    }
}
