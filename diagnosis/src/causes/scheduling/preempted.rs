//! `preempted`.

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::neighbours::path;
use crate::finding::{Evidence, Fix};
use crate::pods;

cause! {
    /// ## What it means
    /// The pod was removed to make room for a pod of higher priority.
    /// ## Signals
    /// Condition `DisruptionTarget` True with reason `PreemptionByScheduler`; event `Preempted` (`Preempted by a pod
    /// on node N`, from 1.29 `Preempted by pod UID on node N`, from 1.36 `Preempted by pod|podgroup UID on node N`).
    /// A kubelet that admits a critical pod: phase Failed, reason `Preempting`, `Preempted in order to admit critical
    /// pod`.
    /// ## Look-alikes
    /// `evicted-memory` and its kin: the node was short of something. `evicted-by-drain`: somebody asked for it.
    /// `cluster-out-of-capacity`: its replacement finds no room.
    /// ## Fixes
    /// Give the workload the priority it deserves, add capacity, or lower the requests of the higher ones.
    /// ## Source
    /// pkg/scheduler/framework/preemption/preemption.go; pkg/kubelet/preemption/preemption.go.
    Preempted, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let condition = pods::condition(pod, "DisruptionTarget")
        .filter(|it| it.status == "True" && it.reason.as_deref() == Some("PreemptionByScheduler"));
    let by_kubelet = pods::status(pod).is_some_and(|status| status.reason.as_deref() == Some("Preempting"));
    let event = case.newest_event(&["Preempted"], |_| true)?;
    if condition.is_none() && !by_kubelet && event.is_none() {
        return Ok(Vec::new());
    }
    let (uid, node) = event.as_ref().map(|event| preemptor(&event.message)).unwrap_or_default();
    let node = node.or_else(|| pods::node_name(pod).map(str::to_owned));
    let by = match (&uid, &node) {
        (Some(uid), Some(node)) => {
            let there = case.list::<Pod>(None, Filter::OnNode(node.clone()))?.found().unwrap_or_default();
            there.into_iter().find(|other| other.metadata.uid.as_deref() == Some(uid.as_str()))
        }
        _ => None,
    };
    let own_priority = pods::spec(pod).and_then(|spec| spec.priority).unwrap_or(0);
    let who = by.as_ref().map(|by| {
        let spec = pods::spec(by);
        let class = spec.and_then(|spec| spec.priority_class_name.clone()).map(|class| text![", class ", name(class)]);
        text!["Pod ", name(path(by)), " (priority ", spec.and_then(|spec| spec.priority).unwrap_or(0), class, ")"]
    });
    let finding = case
        .finding(Code::Preempted)
        .since(
            condition
                .and_then(|it| it.last_transition_time.as_ref())
                .map(|time| time.0)
                .or_else(|| event.as_ref().and_then(|event| event.last)),
        )
        .title(text![
            "Pod ",
            name(case.reference().path()),
            " was removed to make room for ",
            who.clone().unwrap_or_else(|| text!["a pod of higher priority"]),
        ])
        .explain(text![
            "Where a pod of higher priority finds no room, pods of lower priority are removed for it. This one \
            (priority ",
            own_priority,
            ") was displaced",
            who.map(|who| text![" by ", who]),
            node.map(|node| text![" on Node ", name(node)]),
            ". Its controller makes a new one, which has to find another place.",
        ])
        .evidence(condition.map(|it| {
            let message = it.message.as_deref().unwrap_or_default();
            case.field(".status.conditions[DisruptionTarget]", format!("PreemptionByScheduler: {message}"))
        }))
        .evidence(by_kubelet.then(|| {
            let message = pods::status(pod).and_then(|status| status.message.as_deref()).unwrap_or_default();
            case.field(".status.reason", format!("Preempting: {message}"))
        }))
        .evidence(event.as_ref().map(|event| Evidence::event(event)));
    let class = Fix::disruptive(text!["give the workload a priorityClassName that says how much it matters"])
        .command(case.kubectl_cluster(["get", "priorityclasses"]))
        .command(edit_template(case)?);
    let more = Fix::safe(text!["or add capacity, so that nobody has to give way"]);
    Ok(vec![finding.fix(class).fix(more)])
}

/// The UID of the preemptor and the node: `Preempted by pod UID on node N`.
fn preemptor(message: &str) -> (Option<String>, Option<String>) {
    let Some(rest) = message.strip_prefix("Preempted by ") else { return (None, None) };
    let (who, node) = rest.split_once(" on node ").unwrap_or((rest, ""));
    let uid = who.split_once(' ').map(|(_, uid)| uid).filter(|uid| uid.len() >= 8 && !uid.contains(' '));
    let node = node.split([' ', ',']).next().filter(|node| !node.is_empty());
    (uid.map(str::to_owned), node.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use super::preemptor;

    #[test]
    fn every_versions_wording_is_read() {
        let node = Some("node-1".to_owned());
        let uid = Some("6f9c2d1e-0b1a".to_owned());
        assert_eq!(preemptor("Preempted by a pod on node node-1"), (None, node.clone()));
        assert_eq!(preemptor("Preempted by pod 6f9c2d1e-0b1a on node node-1"), (uid.clone(), node.clone()));
        assert_eq!(preemptor("Preempted by podgroup 6f9c2d1e-0b1a on node node-1"), (uid, node));
        assert_eq!(preemptor("something else"), (None, None));
    }
}
