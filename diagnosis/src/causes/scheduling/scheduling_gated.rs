//! `scheduling-gated`.

use jiff::SignedDuration;
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::unscheduled::waits_for_node;
use crate::finding::{Fix, Severity};
use crate::pods;

/// A gate is lifted by a controller; until then it is on its way.
const PATIENCE: SignedDuration = SignedDuration::from_secs(60);

cause! {
    /// ## What it means
    /// The pod carries scheduling gates: the scheduler does not even look at it until whoever set them takes them away.
    /// ## Signals
    /// Condition `PodScheduled` False with reason `SchedulingGated`, `spec.schedulingGates` not empty, and no event
    /// `FailedScheduling`. Kueue sets `kueue.x-k8s.io/admission` while a workload waits for its quota.
    /// ## Look-alikes
    /// `scheduler-not-running`: no condition at all. `cluster-out-of-capacity`: the scheduler looked and found no room.
    /// ## Fixes
    /// Find the controller that owns the gate and why it holds; remove the gate by hand only where that controller is
    /// gone.
    /// ## Source
    /// <https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/>
    SchedulingGated, stage Scheduling, since "0.1.0", detect
}

#[expect(clippy::unnecessary_wraps, reason = "all rules have one signature")]
fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod().filter(|_| waits_for_node(case)) else { return Ok(Vec::new()) };
    let gates: Vec<String> = pods::spec(pod)
        .into_iter()
        .flat_map(|spec| spec.scheduling_gates.iter().flatten())
        .map(|gate| gate.name.clone())
        .collect();
    let condition = pods::condition(pod, "PodScheduled").filter(|it| it.reason.as_deref() == Some("SchedulingGated"));
    if gates.is_empty() && condition.is_none() {
        return Ok(Vec::new());
    }
    let since =
        condition.and_then(|it| it.last_transition_time.as_ref()).map(|time| time.0).or_else(|| pods::created(pod));
    let young = since.is_some_and(|since| case.age(since) < PATIENCE);
    let kueue = gates.iter().any(|gate| gate.starts_with("kueue.x-k8s.io"));
    let plural = if gates.len() == 1 { " gate " } else { " gates " };
    let finding = case
        .finding(Code::SchedulingGated)
        .severity(if young { Severity::Info } else { Severity::Error })
        .since(since)
        .title(text![
            "Pod ",
            name(case.reference().path()),
            " is held back by scheduling",
            plural,
            Text::names(gates.clone(), 3)
        ])
        .explain(text![
            "A gate tells the scheduler to leave the pod alone until a controller takes the gate away. That has \
            not happened",
            since.map(|since| text![" since ", since]),
            ".",
        ])
        .also(kueue.then(|| {
            text![
                "This gate is Kueue's: the workload waits to be admitted by its queue, as a \
        rule for quota."
            ]
        }))
        .evidence(case.field(".spec.schedulingGates", gates.join(", ")))
        .evidence(condition.map(|it| {
            let message = it.message.as_deref().unwrap_or_default();
            case.field(".status.conditions[PodScheduled]", format!("SchedulingGated: {message}"))
        }));
    let owner = if kueue {
        Fix::safe(text!["see why Kueue does not admit the workload"])
            .command(case.kubectl(["get", "workloads.kueue.x-k8s.io"]))
    } else {
        Fix::safe(text![
            "find the controller that sets ",
            Text::names(gates, 3),
            ", and see in its log why it holds the pod"
        ])
        .command(case.kubectl(["describe", "pod", case.name()]))
    };
    let patch = r#"[{"op":"remove","path":"/spec/schedulingGates"}]"#;
    let lift = Fix::disruptive(text!["or, if that controller is gone, remove the gates by hand"])
        .command(case.kubectl(["patch", "pod", case.name(), "--type=json", "-p", patch]));
    Ok(vec![finding.fix(owner).fix(lift)])
}
