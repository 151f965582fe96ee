//! `terminating-node-lost`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Subject, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::departure::{self, Story};
use crate::facts::neighbours;
use crate::finding::{Action, Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};
use crate::scope;
use crate::triage::{PodDigest, Triage, triage};

cause! {
    /// ## What it means
    /// The pod was deleted, and its node does not answer: nobody can say that its containers have stopped, so it stays.
    /// ## Signals
    /// `deletionTimestamp` is set, and the node's Ready condition is Unknown or False, or the Node object is gone;
    /// where the node cannot be read: DisruptionTarget DeletionByTaintManager, event NodeNotReady, status.reason
    /// NodeLost.
    /// ## Look-alikes
    /// `terminating-ignores-sigterm`, `terminating-runtime-hung`: the node is Ready. `node-lost`: the node as such.
    /// ## Fixes
    /// The node back: its kubelet ends the matter. A machine that is gone: delete the Node. One that is switched off:
    /// the out-of-service taint. Deleting the pod by force is right only when the machine cannot run it any more.
    /// ## Source
    /// pkg/controller/podgc/gc_controller.go;
    /// <https://kubernetes.io/docs/concepts/cluster-administration/node-shutdown/#non-graceful-node-shutdown>
    TerminatingNodeLost, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::StatefulSet(set)) = case.workload() else {
        return Ok(explain(case)?.into_iter().collect());
    };
    // The set waits for a pod of an identity; one whose grace has just ended is not looked at by itself yet.
    let selector = set.spec.as_ref().map(|spec| Selector::from_api(&spec.selector)).unwrap_or_default();
    if selector.is_empty() {
        return Ok(Vec::new());
    }
    let listed = case.list::<Pod>(case.namespace(), Filter::Labels(selector))?.found().unwrap_or_default();
    let is_gone = |pod: &Arc<Pod>| {
        let digest = PodDigest::from(&**pod);
        triage(&digest, case.now()) == Triage::Gone && digest.deletion.is_some_and(|deletion| deletion < case.now())
    };
    let Some(pod) = listed.into_iter().find(|pod| is_gone(pod) && scope::is_owned_by(&pod.metadata, case.object()))
    else {
        return Ok(Vec::new());
    };
    let pod = case.about(Subject::Pod(pod));
    Ok(explain(&pod)?.map(|finding| finding.via(pod.reference())).into_iter().collect())
}

fn explain(case: &Case<'_>) -> Result<Option<Finding>, Needs> {
    let Some(departure) = departure::of(case)? else { return Ok(None) };
    let Story::NodeLost { gone } = departure.story else { return Ok(None) };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default().to_owned();
    let read = case.node()?;
    let reference = ObjectRef::new(Kind::Node, None, &node);
    let ready = read.clone().found().and_then(|node| {
        let status = node.status.clone()?;
        status.conditions.into_iter().flatten().find(|condition| condition.type_ == "Ready")
    });
    let state = if gone {
        text![" does not exist any more"]
    } else if ready.as_ref().is_some_and(|ready| ready.status == "False") {
        text![" is not Ready"]
    } else {
        text![" does not answer"]
    };
    let evidence = ready.map(|ready| {
        let message = ready.message.unwrap_or_default();
        let text = format!("{}: {} {message}", ready.status, ready.reason.unwrap_or_default());
        Evidence::field(&reference, ".status.conditions[Ready]", text).at(ready.last_transition_time.map(|time| time.0))
    });
    let until = if gone {
        text![
            "Kubernetes removes the pods of a node that is gone within a minute or two, unless its \
                controller-manager does not run."
        ]
    } else {
        text!["Kubernetes keeps the pod until the node does."]
    };
    let confidence = if matches!(read, Read::Unreadable) { Confidence::Likely } else { Confidence::Certain };
    let taint = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute";
    let siblings = siblings(case)?;
    let owners = case.controllers(case.object()).unwrap_or_default();
    let identity = owners.iter().any(|owner| owner.kind == Kind::StatefulSet.name()).then(|| {
        text![
            "Its StatefulSet makes no replacement while this pod is there: two pods of one identity could damage \
            the data."
        ]
    });
    let target = pods::condition_message(case.pod(), "DisruptionTarget");
    let finding = case.finding(Code::TerminatingNodeLost);
    let finding = if gone { finding } else { finding.explained_by(reference.clone()) };
    Ok(Some(
        finding
            .confidence(confidence)
            .root(reference)
            .title(text!["Pod ", name(case.reference().path()), " cannot go: its node ", name(&node), state.clone()])
            .explain(text![
                "Pod ",
                name(case.name()),
                " was deleted at ",
                departure.asked,
                ", but its node ",
                name(&node),
                state,
                ", so nobody can confirm that its containers have stopped. ",
                until,
            ])
            .also(identity)
            .also(siblings)
            .evidence(case.field(".metadata.deletionTimestamp", departure.grace_ends.to_string()))
            .evidence(evidence)
            .evidence(target.map(|message| case.field(".status.conditions[DisruptionTarget]", message)))
            .fix(
                Fix::safe(text!["bring node ", name(&node), " back (its kubelet first): the pod then goes by itself"])
                    .command(case.kubectl_cluster(["describe", "node", &node])),
            )
            .fix(
                Fix::risking_data(text![
                    "if the machine is gone for good: delete the Node; its pods follow within a \
                    minute"
                ])
                .command(case.kubectl_cluster(["delete", "node", &node]))
                .remedy(Action::DeleteNode),
            )
            .fix(
                Fix::risking_data(text![
                    "if the machine is certainly switched off: mark it out of service; its pods \
                    are deleted and its volumes detached"
                ])
                .command(case.kubectl_cluster(["taint", "nodes", &node, taint]))
                .remedy(Action::TaintOutOfService),
            )
            .fix(
                Fix::risking_data(text!["last: delete the pod by force, only when the machine cannot run it any more"])
                    .command(case.kubectl(["delete", "pod", case.name(), "--grace-period=0", "--force"]))
                    .remedy(Action::ForceDeletePod),
            )
            .since(Some(departure.asked)),
    ))
}

/// The other pods of that node which wait to go in the same way.
fn siblings(case: &Case<'_>) -> Result<Option<Text>, Needs> {
    let there = neighbours::beside(case)?;
    let waiting: Vec<String> = there
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.as_ref().is_some_and(|time| time.0 < case.now()))
        .map(|pod| {
            format!(
                "{}/{}",
                pod.metadata.namespace.as_deref().unwrap_or_default(),
                pod.metadata.name.as_deref().unwrap_or_default()
            )
        })
        .collect();
    let count = there.len();
    Ok((!waiting.is_empty()).then(|| {
        text![
            "Of the ",
            count,
            " other pods on that node these wait to go in the same way: ",
            Text::names(waiting, 4),
            "."
        ]
    }))
}
