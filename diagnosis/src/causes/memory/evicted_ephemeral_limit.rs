//! `evicted-ephemeral-limit`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::{clean_up, message};
use crate::facts::template::edited;
use crate::finding::Fix;
use crate::parse::eviction::{self, Limit, Status};

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
    let Some(Status::OverLimit { whose, limit }) = case.pod().and_then(eviction::of) else { return Ok(Vec::new()) };
    let limit = code(limit);
    let (title, field) = match &whose {
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
    let finding = case.finding(Code::EvictedEphemeralLimit).title(title).explain(explanation).evidence(message(case));
    let finding = match &whose {
        Limit::Container(container) => finding.container(container),
        Limit::Pod | Limit::Volume(_) => finding,
    };
    Ok(vec![finding.fix(edited(case, raise)?).fix(less).fix(clean_up(case))])
}
