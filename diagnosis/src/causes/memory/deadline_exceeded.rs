//! `deadline-exceeded`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::message;
use crate::facts::owner::edited;
use crate::finding::Fix;
use crate::parse::eviction::{self, Status};
use crate::pods;

cause! {
    /// ## What it means
    /// The pod has `activeDeadlineSeconds`, ran for longer than that, and was ended by its kubelet.
    /// ## Signals
    /// Pod failed with reason `DeadlineExceeded` and `Pod was active on the node longer than the specified deadline`.
    /// ## Look-alikes
    /// `job-deadline-exceeded`: the Job's own deadline, which deletes its pods. `terminated-externally`: somebody else ended
    /// the container.
    /// ## Fixes
    /// Raise or drop `activeDeadlineSeconds`, or find out why the work takes longer than planned.
    /// ## Source
    /// pkg/kubelet/active_deadline.go
    DeadlineExceeded, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(Status::Deadline) = case.pod().and_then(eviction::of) else { return Ok(Vec::new()) };
    let deadline = case.pod().and_then(pods::spec).and_then(|spec| spec.active_deadline_seconds);
    let after = deadline.map(|seconds| text![" of ", seconds, " s"]);
    let waited: Vec<&str> = case
        .containers()
        .filter(|container| container.last_end().is_none() && container.running().is_none())
        .map(|container| container.name())
        .collect();
    let never = (!waited.is_empty()).then(|| {
        text![
            "Its time runs from its start on the node; it was over before ",
            kubewhy_text::Text::names(waited, 3),
            " had begun."
        ]
    });
    let raise =
        Fix::disruptive(text!["raise ", code("activeDeadlineSeconds"), ", or leave it out if the pod is to run on"]);
    Ok(vec![
        case.finding(Code::DeadlineExceeded)
            .title(text!["Pod ", name(case.name()), " ran past its activeDeadlineSeconds", after.clone(), " and was ended"])
            .explain(text![
                "The pod may run for ",
                code("activeDeadlineSeconds"),
                after,
                " and no longer. The time was over, so the kubelet killed its containers; it is not started again. That is ",
                "what was asked for, if the work was meant to be done by then."
            ])
            .also(never)
            .evidence(message(case))
            .evidence(deadline.map(|seconds| case.field(".spec.activeDeadlineSeconds", seconds.to_string())))
            .fix(edited(case, raise)?),
    ])
}
