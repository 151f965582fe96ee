//! `statefulset-blocked`.

use std::sync::Arc;

use jiff::SignedDuration;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::finding::{Action, Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// A StatefulSet starts and updates its pods one after the other, and one pod that does not get ready holds all others.
    /// A pod of a broken revision is not even replaced when the template has been repaired.
    /// ## Signals
    /// No condition and no event: fewer replicas than wanted (or updated), and a pod of lower (for updates: higher) ordinal
    /// that is not Ready; its label `controller-revision-hash` differs from `status.updateRevision`.
    /// ## Look-alikes
    /// What holds that pod is the cause, and this follows from it; it leads only where that cannot be told.
    /// podManagementPolicy Parallel waits for nobody. Refused creations have codes of their own (`quota-exceeded`, ...).
    /// ## Fixes
    /// Repair that pod; where the template is repaired already, delete the pod by hand; Parallel where order does not matter.
    /// ## Source
    /// pkg/controller/statefulset/stateful_set_control.go;
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback>
    StatefulsetBlocked, stage Workload, since "0.1.0", detect
}

/// How long a pod may take to get ready before it counts as a block.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Workload::StatefulSet(set)) = case.workload() else { return Ok(Vec::new()) };
    let (Some(spec), Some(status)) = (&set.spec, &set.status) else { return Ok(Vec::new()) };
    let desired = spec.replicas.unwrap_or(1);
    let lacking = desired - status.replicas;
    let behind = status.update_revision.is_some()
        && status.update_revision != status.current_revision
        && status.updated_replicas.unwrap_or(0) < status.replicas
        && spec.update_strategy.as_ref().and_then(|strategy| strategy.type_.as_deref()) != Some("OnDelete");
    let ordered = spec.pod_management_policy.as_deref() != Some("Parallel");
    if case.meta().deletion_timestamp.is_some() || !(ordered && lacking > 0 || behind) {
        return Ok(Vec::new());
    }
    let selector = Selector::from_api(&spec.selector);
    let listed = case.list::<Pod>(case.namespace(), Filter::Labels(selector))?.found().unwrap_or_default();
    // A pod on its way out is not counted among the replicas, and yet it waits for nobody.
    let owned = listed.iter().filter(|pod| crate::scope::is_owned_by(&pod.metadata, case.object())).count();
    let lacking = lacking.min(desired - i32::try_from(owned).unwrap_or(i32::MAX));
    if !(ordered && lacking > 0 || behind) {
        return Ok(Vec::new());
    }
    let Some(pod) = blocking(case, &listed, !(ordered && lacking > 0)) else { return Ok(Vec::new()) };
    Ok(vec![explain(case, set, &pod, lacking)])
}

fn ordinal(pod: &Pod) -> Option<u32> {
    pod.metadata.name.as_deref()?.rsplit('-').next()?.parse().ok()
}

/// The pod that holds the others: the lowest that is not ready, for an update the highest.
fn blocking(case: &Case<'_>, listed: &[Arc<Pod>], updating: bool) -> Option<Arc<Pod>> {
    let owned = listed.iter().filter(|pod| crate::scope::is_owned_by(&pod.metadata, case.object()));
    let mut sick: Vec<&Arc<Pod>> = owned
        .filter(|pod| !pods::is_true(pod, "Ready") && ordinal(pod).is_some())
        .filter(|pod| pods::created(pod).is_none_or(|created| case.age(created) > PATIENCE))
        .collect();
    sick.sort_by_key(|pod| ordinal(pod));
    if updating { sick.last() } else { sick.first() }.map(|pod| Arc::clone(pod))
}

fn explain(case: &Case<'_>, set: &StatefulSet, pod: &Pod, lacking: i32) -> crate::finding::Finding {
    let pod_name = pod.metadata.name.clone().unwrap_or_default();
    let status = set.status.as_ref();
    let update = status.and_then(|status| status.update_revision.clone());
    let revision = pod.metadata.labels.as_ref().and_then(|labels| labels.get("controller-revision-hash").cloned());
    let old = revision.is_some() && update.is_some() && revision != update;
    let desired = set.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
    let reference = ObjectRef::new(Kind::Pod, case.namespace(), &pod_name);
    let waits: Text = if lacking > 0 {
        text![lacking, if lacking == 1 { " more pod waits" } else { " more pods wait" }, " for it"]
    } else {
        text!["the update of the others waits for it"]
    };
    let stale = old.then(|| {
        text![
            "That pod is of an older revision than the template, and a StatefulSet does not replace a pod that never got ready: it has to be deleted by hand."
        ]
    });
    let held = status.map_or(0, |status| status.replicas);
    let look = Fix::safe(text!["see what holds pod ", name(pod_name.clone())])
        .command(case.kubectl(["describe", "pod", &pod_name]))
        .command(case.kubectl(["logs", &pod_name, "--all-containers", "--tail=50"]));
    let delete = Fix::disruptive(if old {
        text!["delete the pod, so that it is made again from the repaired template"]
    } else {
        text!["once its cause is repaired, delete the pod, so that it is made again"]
    })
    .command(case.kubectl(["delete", "pod", &pod_name]))
    .remedy(Action::DeletePod);
    // It was deleted already: to do so again changes nothing.
    let delete = pod.metadata.deletion_timestamp.is_none().then_some(delete);
    let (first, second) = if old { (delete, Some(look)) } else { (Some(look), delete) };
    case.finding(Code::StatefulsetBlocked)
        .follows_lead()
        .title(text![
            "StatefulSet ",
            name(case.reference().path()),
            " is held by pod ",
            name(pod_name.clone()),
            ", which is not ready: ",
            waits.clone()
        ])
        .explain(text![
            "A StatefulSet starts and updates its pods one after the other. Pod ",
            name(pod_name),
            " does not get ready, and ",
            waits,
            " (",
            held,
            " of ",
            desired,
            " pods exist)."
        ])
        .also(stale)
        .evidence(Evidence::field(&reference, ".status.conditions[Ready]", "not True"))
        .evidence(old.then(|| {
            let text = format!("controller-revision-hash {}", revision.clone().unwrap_or_default());
            Evidence::field(&reference, ".metadata.labels", text)
        }))
        .evidence(update.map(|update| case.field(".status.updateRevision", update)))
        .fix(first)
        .fix(second)
        .fix((lacking > 1 && !old).then(|| {
            Fix::disruptive(text![
                "where order does not matter, make the StatefulSet anew with ",
                code("podManagementPolicy: Parallel"),
                " (its pods stay)"
            ])
            .command(case.kubectl(["delete", "statefulset", case.name(), "--cascade=orphan"]))
        }))
}
