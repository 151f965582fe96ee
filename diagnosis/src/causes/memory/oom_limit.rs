//! `oom-limit`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::ends::{self, End, Story, Template};
use crate::facts::heap::{self, Heap, Limit};
use crate::facts::usage;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container used more memory than its limit allows, and the kernel killed it.
    /// ## Signals
    /// `terminated` with reason `OOMKilled` (exit code mostly 137; 0 or another where only a child was hit), on a
    /// container that has a memory limit: its own, a LimitRange's, or the pod's. StartError 128 with `container init
    /// was OOM-killed (memory limit too low?)`.
    /// ## Look-alikes
    /// `jvm-heap-over-limit`: a JVM was told to take more heap than fits. `oom-node`: no limit, the node itself ran
    /// out. `heap-exhausted`: the runtime's own limit, and no kill. `terminated-externally`: 137 without OOMKilled.
    /// `evicted-memory`: the kubelet removed the pod. `oom-child-process`: a child was killed, the container lives on.
    /// ## Fixes
    /// Raise the limit where the use is legitimate; find the leak where it grows without end.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/>;
    /// pkg/kubelet/kuberuntime/kuberuntime_container_linux.go.
    OomLimit, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found: Vec<Finding> = in_sandbox(case, pod)?.into_iter().collect();
    for end in ends::of(case)?.iter().filter(|end| matches!(end.story, Story::OutOfMemory)) {
        let Some(limit) = Limit::of(pod, &end.container) else { continue };
        if !jvm_takes_too_much(end, limit) && !is_too_small_to_start(case, end, limit) {
            found.push(explain(case, end, limit)?);
        }
    }
    Ok(found)
}

/// The kernel killed what the runtime starts for the pod itself, before any container.
fn in_sandbox(case: &Case<'_>, pod: &Pod) -> Result<Option<Finding>, Needs> {
    let is_new = case.containers().all(|container| container.running().is_none() && container.last_end().is_none());
    if !is_new || pods::node_name(pod).is_none() {
        return Ok(None);
    }
    let is_kill = |event: &Event| event.message.contains("container init was OOM-killed");
    let Some(event) = case.newest_event(&["FailedCreatePodSandBox"], is_kill)? else { return Ok(None) };
    let limits = case.containers().filter_map(|container| Some((container, Limit::of(pod, &container)?)));
    let Some((container, limit)) = limits.min_by_key(|(_, limit)| limit.bytes) else { return Ok(None) };
    let template = ends::template(case)?;
    let finding = case.finding_in(Code::OomLimit, &container).confidence(Confidence::Likely);
    Ok(Some(
        finding
            .title(text![container.subject(), " cannot start within its memory limit of ", own(limit.show())])
            .explain(text![
                "The kernel killed what the runtime starts for the pod, since the memory limits of its containers add \
                 up to too \
                 little even for that. Container ",
                name(container.name()),
                " has a limit of ",
                own(limit.show()),
                limit.remark(),
                "; a typing error in the unit is the usual reason."
            ])
            .evidence(Evidence::event(&event))
            .evidence(case.field(&limit.path(&container), limit.show()))
            .fix(
                Fix::disruptive(text![
                    "raise the memory limit of container ",
                    name(container.name()),
                    ", mind the \
                 unit (Mi, Gi)"
                ])
                .command(template.edit(case)),
            ),
    ))
}

/// A limit too small even for the runtime's own start is told as a failed start.
fn is_too_small_to_start(case: &Case<'_>, end: &End<'_>, limit: Limit) -> bool {
    let in_memory = case.pod().and_then(|pod| heap::in_memory_volumes(pod, end.container.spec));
    let ran = end.state.reason.as_deref() == Some("OOMKilled");
    !ran && in_memory.is_none() && limit.bytes < STARTS_WITHIN
}

/// What runc needs for itself, with some room.
const STARTS_WITHIN: i128 = 16 << 20;

/// Below this share of the limit a JVM's heap leaves room for the rest of the JVM, in percent.
const JVM_ROOM: i128 = 80;

/// Tells whether the JVM's own setting explains the kill.
pub(crate) fn jvm_takes_too_much(end: &End<'_>, limit: Limit) -> bool {
    let heap = Heap::of(end.container.spec).filter(Heap::is_jvm).and_then(|heap| heap.bytes(Some(limit.bytes)));
    heap.is_some_and(|heap| heap.saturating_mul(100) >= limit.bytes.saturating_mul(JVM_ROOM))
}

fn explain(case: &Case<'_>, end: &End<'_>, limit: Limit) -> Result<Finding, Needs> {
    let template = ends::template(case)?;
    let requests = end.container.spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let request =
        Amount::in_list(requests, "memory").map(|request| text![" It requests ", own(request.show("memory")), "."]);
    let in_memory = case.pod().and_then(|pod| heap::in_memory_volumes(pod, end.container.spec));
    let at_once = end.run_time().is_some_and(|time| time < SignedDuration::from_secs(60));
    let wanted = heap::suggestion(limit.bytes * if at_once { 2 } else { 3 } / if at_once { 1 } else { 2 });
    let node_old_space = Heap::of(end.container.spec).filter(|heap| !heap.is_jvm());
    let old_space = node_old_space
        .filter(|heap| heap.bytes(None).is_some_and(|heap| heap >= limit.bytes))
        .map(|heap| text!["Its own setting ", heap.describe(), " lets the heap grow beyond the limit."]);
    let started = end.state.reason.as_deref() != Some("OOMKilled");
    let opening = if started {
        text![
            "The kernel killed container ",
            name(end.container.name()),
            " while it was being started: the limit is too small even for that."
        ]
    } else {
        end.opening()
    };
    let by_child = !matches!(end.state.exit_code, 137 | 128);
    let child =
        by_child.then(|| text!["Its exit code shows that a child process was hit, not the main process itself."]);
    let again = usage::memory_again(case, &end.container, Some(limit))?;
    let (again, measured) = again.unwrap_or_default();
    Ok(end
        .finding(case, Code::OomLimit)
        .confidence(Confidence::Certain)
        .title(text![end.subject(), " is killed for using more memory than its limit of ", own(limit.show())])
        .explain(opening)
        .also(text![
            "It reached its memory limit of ",
            own(limit.show()),
            limit.remark(),
            ", and the kernel killed it (OOMKilled).",
            request
        ])
        .also(child)
        .also(in_memory)
        .also(old_space)
        .also(shape(end))
        .also(again)
        .evidence(case.field(&limit.path(&end.container), limit.show()))
        .evidence(measured)
        .fix(raise(case, &template, end, &wanted, limit))
        .fix(
            Fix::safe(text![
                "see how its memory grows: steadily means a leak, at once means that the limit is too small"
            ])
            .command(case.kubectl(["top", "pod", case.name(), "--containers"])),
        ))
}

/// What the run time tells.
fn shape(end: &End<'_>) -> Option<Text> {
    let ran = end.run_time()?;
    let hint = if ran < SignedDuration::from_secs(60) {
        "; killed so soon, it needs more than the limit for its normal work"
    } else if ran > SignedDuration::from_mins(30) {
        "; killed so late, it may grow slowly (a leak), or met an unusual load"
    } else {
        return None;
    };
    Some(text!["It ran for ", own(ends::show(ran)), hint, "."])
}

/// The step that raises the limit, with its patch.
pub(crate) fn raise(case: &Case<'_>, template: &Template, end: &End<'_>, wanted: &str, limit: Limit) -> Fix {
    let title = text![
        "raise the memory limit of container ",
        name(end.container.name()),
        " from ",
        own(limit.show()),
        " to, for example, ",
        own(wanted.to_owned())
    ];
    if template.is_pod {
        return Fix::disruptive(title).command(template.edit(case));
    }
    let limits = format!("--limits=memory={wanted}");
    let mut fix = Fix::disruptive(title).command(case.kubectl([
        "set",
        "resources",
        template.argument.as_str(),
        "-c",
        end.container.name(),
        limits.as_str(),
    ]));
    let container = serde_json::json!({"name": end.container.name(), "resources": {"limits": {"memory": wanted}}});
    fix.patch = template.patch(&serde_json::json!({"containers": [container]}));
    fix
}
