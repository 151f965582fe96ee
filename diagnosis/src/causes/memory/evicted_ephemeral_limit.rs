//! `evicted-ephemeral-limit`.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{code, name, text};

use crate::ask::{Filter, Selector};
use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::evictions::{clean_up, message};
use crate::facts::owner::edited;
use crate::finding::{Evidence, Finding, Fix};
use crate::kind::Kind;
use crate::parse::eviction::{self, Limit, Status};
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod wrote more to local disk than its own limit allows, so its kubelet ended it; the node itself had room.
    /// ## Signals
    /// Pod failed with reason `Evicted` and `Pod ephemeral local storage usage exceeds the total limit of containers L`,
    /// `Container C exceeded its local ephemeral storage limit "L"` or `Usage of EmptyDir volume "V" exceeds the limit "L"`.
    /// ## Look-alikes
    /// `evicted-disk`: the node ran low, whatever the pod's own limit. `app-disk-full`: the app saw a full volume.
    /// `oom-limit`: a limit of memory.
    /// ## Fixes
    /// Write less (rotate logs, clear caches), write to a volume that is made for it, or raise the limit.
    /// ## Source
    /// pkg/kubelet/eviction/eviction_manager.go, localStorageEviction
    EvictedEphemeralLimit, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(workload) = case.workload() {
        return again_and_again(case, workload);
    }
    let Some(Status::OverLimit { whose, limit }) = case.pod().and_then(eviction::of) else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &whose, limit)?.evidence(message(case)).fix(clean_up(case))])
}

/// Each new pod works for a while and is evicted like the one before: one that works at the moment is no cure.
fn again_and_again(case: &Case<'_>, workload: &Workload) -> Verdict {
    if matches!(workload, Workload::Job(_) | Workload::CronJob(_) | Workload::ReplicaSet(_)) {
        return Ok(Vec::new());
    }
    let Some(selector) = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty()) else {
        return Ok(Vec::new());
    };
    // The same list that the pods of the workload were found in.
    let all = case.list::<Pod>(case.namespace(), Filter::Labels(selector))?.found().unwrap_or_default();
    let mut evicted: Vec<_> = all
        .iter()
        .filter_map(|pod| match eviction::of(pod) {
            Some(Status::OverLimit { whose, limit }) => Some((pods::newest_time(pod), pod, whose, limit)),
            _ => None,
        })
        .collect();
    evicted.sort_by_key(|(at, ..)| *at);
    let count = evicted.len();
    let Some((at, pod, whose, limit)) = evicted.pop() else { return Ok(Vec::new()) };
    if count < 2 || at.is_some_and(|at| case.age(at) > pods::STABLE_AFTER) {
        return Ok(Vec::new());
    }
    let reference = case.neighbour(Kind::Pod, pod.metadata.name.as_deref().unwrap_or_default());
    let words = pod.status.as_ref().and_then(|status| status.message.clone()).unwrap_or_default();
    let finding = explain(case, &whose, limit)?
        .also(text!["That has happened to ", count, " pods; a new one works only until it has written as much."])
        .evidence(Evidence::field(&reference, ".status.message", words.trim()).at(at));
    Ok(vec![finding.via(reference)])
}

fn explain(case: &Case<'_>, whose: &Limit, limit: String) -> Result<Finding, Needs> {
    let limit = code(limit);
    let (title, field) = match whose {
        Limit::Pod => (
            text![
                "Evicted: the pod wrote more to local disk than its containers' ephemeral-storage limit of ",
                limit.clone()
            ],
            text!["the ", code("ephemeral-storage"), " limits of its containers"],
        ),
        Limit::Container(container) => (
            text![
                "Evicted: container ",
                name(container.as_str()),
                " passed its ephemeral-storage limit of ",
                limit.clone()
            ],
            text!["the ", code("ephemeral-storage"), " limit of container ", name(container.as_str())],
        ),
        Limit::Volume(volume) => (
            text!["Evicted: emptyDir volume ", name(volume.as_str()), " passed its sizeLimit of ", limit.clone()],
            text![code("sizeLimit"), " of volume ", name(volume.as_str())],
        ),
    };
    let explanation = text![
        "What a container writes outside of its persistent volumes (its own file system, emptyDir, logs) counts as ",
        "ephemeral storage. It passed ",
        field.clone(),
        ", ",
        limit,
        ", and the kubelet ended the whole pod. The node itself had room."
    ];
    let raise = Fix::disruptive(text!["raise ", field, ", if the pod needs that much"]);
    let less = Fix::safe(text!["or write less: rotate logs, clear caches, put data on a persistent volume"]);
    let finding = case.finding(Code::EvictedEphemeralLimit).title(title).explain(explanation);
    let finding = match whose {
        Limit::Container(container) => finding.container(container),
        Limit::Pod | Limit::Volume(_) => finding,
    };
    Ok(finding.fix(edited(case, raise)?).fix(less))
}
