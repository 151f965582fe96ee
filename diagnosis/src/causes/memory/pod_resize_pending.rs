//! `pod-resize-pending`.

use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{Text, name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::look_at_node;
use crate::facts::capacity::demand::asked;
use crate::finding::{Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::pods::{self, ContainerView};
use crate::reader::Read;

cause! {
    /// ## What it means
    /// The resources of the running pod were changed in place, and its node has not granted the change. The pod runs
    /// on with what it had.
    /// ## Signals
    /// Condition `PodResizePending` True: reason `Infeasible` (can never be done on this node: `Node didn't have enough
    /// capacity: cpu, requested: 64000, capacity: 2000`, static CPU or memory manager, swap, Windows) or `Deferred`
    /// (not now: `Node didn't have enough resource`). `PodResizeInProgress` with reason `Error`. Before 1.33
    /// `status.resize`.
    /// ## Look-alikes
    /// `request-exceeds-largest-node`, `cluster-out-of-capacity`: a pod that has no node yet. `rejected-by-kubelet`:
    /// a pod refused at its start. `oom-limit`: the pod is killed for what it lacks.
    /// ## Fixes
    /// Ask for what the node can give, free the node, or make the pod anew with the larger request, so that the
    /// scheduler finds it a node.
    /// ## Source
    /// pkg/kubelet/allocation; <https://kubernetes.io/docs/tasks/configure-pod-container/resize-container-resources/>
    PodResizePending, stage Memory, since "0.1.0", detect
}

/// What the pod's status says of a change.
struct Pending<'p> {
    reason: &'p str,
    message: &'p str,
    path: &'static str,
    since: Option<jiff::Timestamp>,
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod().filter(|pod| !pods::is_finished(pod)) else { return Ok(Vec::new()) };
    let Some(pending) = pending(pod) else { return Ok(Vec::new()) };
    let shortage = shortage(pending.message);
    let node = match pods::node_name(pod) {
        Some(node) => case.get::<Node>(None, node)?,
        None => Read::Absent,
    };
    let never = pending.reason == "Infeasible";
    let changed = changed(case);
    let state = match pending.reason {
        "Infeasible" => " can never be done on its node",
        "Deferred" => " waits for room on its node",
        _ => " has failed",
    };
    let node_name = pods::node_name(pod).unwrap_or_default();
    let finding = case
        .finding(Code::PodResizePending)
        .severity(Severity::Warning)
        .since(pending.since)
        .title(text![
            "The in-place resize of Pod ",
            name(case.reference().path()),
            state,
            asks_for(shortage.as_ref(), node_name)
        ])
        .explain(text![
            "The pod's resources were changed while it runs, and the kubelet has not granted the change; the \
            pod runs on with what it had. ",
            shortage.as_ref().map(|shortage| shortage.explain(node_name)),
            shortage.is_none().then(|| text!["It says: ", quoted(pending.message), "."]),
        ])
        .also(never.then(|| text!["Waiting does not help."]))
        .evidence(case.field(pending.path, format!("{}: {}", pending.reason, pending.message)).at(pending.since));
    let finding = node_evidence(finding, node.found().as_deref(), shortage.as_ref());
    let finding = match changed.first() {
        Some((container, ..)) => finding.container(container.name()),
        None => finding,
    };
    let finding = changed.iter().fold(finding, |finding, (container, resource, wanted, has)| {
        let path = format!("{}.resources.requests[{resource}]", container.spec_path());
        finding.evidence(case.field(&path, format!("{wanted} wanted, {has} granted")))
    });
    Ok(vec![fixes(case, finding, never, node_name, &changed)])
}

fn pending(pod: &Pod) -> Option<Pending<'_>> {
    let of = |type_: &str, path: &'static str| {
        let condition = pods::condition(pod, type_).filter(|condition| condition.status == "True")?;
        Some(Pending {
            reason: condition.reason.as_deref().unwrap_or_default(),
            message: condition.message.as_deref().unwrap_or_default(),
            path,
            since: condition.last_transition_time.as_ref().map(|time| time.0),
        })
    };
    of("PodResizePending", ".status.conditions[PodResizePending]")
        .or_else(|| {
            of("PodResizeInProgress", ".status.conditions[PodResizeInProgress]").filter(|it| it.reason == "Error")
        })
        .or_else(|| {
            // Kubernetes 1.27 to 1.32.
            let reason = pods::status(pod)?.resize.as_deref().filter(|it| matches!(*it, "Infeasible" | "Deferred"))?;
            Some(Pending { reason, message: "", path: ".status.resize", since: None })
        })
}

/// `Node didn't have enough capacity: cpu, requested: 64000, capacity: 2000`; cpu in thousandths.
struct Short {
    resource: String,
    requested: Amount,
    used: Option<Amount>,
    capacity: Option<Amount>,
}

impl Short {
    fn explain(&self, node: &str) -> Text {
        let show = |amount: Amount| own(amount.show(&self.resource));
        text![
            "It asks for ",
            show(self.requested),
            " of ",
            name(self.resource.clone()),
            ", and Node ",
            name(node),
            self.capacity.map(|capacity| text![" has ", show(capacity), " in all"]),
            self.used.map(|used| text![", of which ", show(used), " are taken"]),
            ".",
        ]
    }
}

fn shortage(message: &str) -> Option<Short> {
    let (_, rest) = message.split_once("enough capacity: ").or_else(|| message.split_once("enough resource: "))?;
    let mut fields = rest.split(", ");
    let resource = fields.next()?.trim().to_owned();
    let mut short = Short { resource, requested: Amount::ZERO, used: None, capacity: None };
    for field in fields {
        let Some((key, value)) = field.split_once(':') else { continue };
        let Ok(value) = value.trim().trim_end_matches('.').parse::<i64>() else { continue };
        let amount = if short.resource == "cpu" { Amount::parse(&format!("{value}m"))? } else { Amount::whole(value) };
        match key.trim() {
            "requested" => short.requested = amount,
            "used" => short.used = Some(amount),
            "capacity" => short.capacity = Some(amount),
            _ => {}
        }
    }
    (short.requested > Amount::ZERO).then_some(short)
}

fn asks_for(shortage: Option<&Short>, node: &str) -> Option<Text> {
    let shortage = shortage?;
    let has =
        shortage.capacity.map(|capacity| text![", Node ", name(node), " has ", own(capacity.show(&shortage.resource))]);
    Some(text![
        ": it asks for ",
        own(shortage.requested.show(&shortage.resource)),
        " of ",
        name(shortage.resource.clone()),
        has
    ])
}

/// The requests that differ from what the node has granted.
fn changed<'c>(case: &'c Case<'_>) -> Vec<(ContainerView<'c>, String, String, String)> {
    let mut changed = Vec::new();
    for container in case.containers() {
        let granted = container.status.and_then(|status| status.allocated_resources.as_ref());
        for (resource, has) in granted.into_iter().flatten() {
            let (wanted, has) = (asked(container.spec.resources.as_ref(), resource), Amount::of(has));
            if wanted != has {
                changed.push((container, resource.clone(), wanted.show(resource), has.show(resource)));
            }
        }
    }
    changed
}

fn node_evidence(finding: Finding, node: Option<&Node>, shortage: Option<&Short>) -> Finding {
    let (Some(node), Some(shortage)) = (node, shortage) else { return finding };
    let allocatable = node.status.as_ref().and_then(|status| status.allocatable.as_ref());
    let amount = Amount::in_list(allocatable, &shortage.resource).map(|amount| {
        let reference = ObjectRef::new(Kind::Node, None, node.metadata.name.as_deref().unwrap_or_default());
        let path = format!(".status.allocatable[{}]", shortage.resource);
        Evidence::field(&reference, &path, amount.show(&shortage.resource))
    });
    finding.evidence(amount)
}

fn fixes(
    case: &Case<'_>,
    finding: Finding,
    never: bool,
    node: &str,
    changed: &[(ContainerView<'_>, String, String, String)],
) -> Finding {
    let back = changed.first().map(|(container, resource, _, has)| {
        let list = if container.role == pods::Role::Main { "containers" } else { "initContainers" };
        let patch = format!(
            r#"{{"spec":{{"{list}":[{{"name":"{}","resources":{{"requests":{{"{resource}":"{has}"}}}}}}]}}}}"#,
            container.name()
        );
        Fix::safe(text![
            "ask for what the node can give: resize the ",
            name(resource.clone()),
            " request of the pod again, for example back to ",
            own(has.clone())
        ])
        .command(case.kubectl(["patch", "pod", case.name(), "--subresource", "resize", "--patch", &patch]))
    });
    let back =
        back.or_else(|| {
            Some(
                Fix::safe(text!["ask for what the node can give: resize the pod's request again"])
                    .command(case.kubectl(["edit", "pod", case.name(), "--subresource", "resize"])),
            )
        });
    let free = (!never).then(|| look_at_node(case, node));
    let anew = Fix::disruptive(text![
        "or make the pod anew with the larger request, so that the scheduler finds it a node large enough"
    ]);
    finding.fix(free).fix(back).fix(anew)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_cpu_are_thousandths_and_of_memory_bytes() {
        let cpu = shortage(
            "Node didn't have enough capacity: cpu, requested: 64000, capacity: \
        2000",
        )
        .expect("numbers");
        assert_eq!(cpu.requested.show("cpu"), "64");
        assert_eq!(cpu.capacity.map(|it| it.show("cpu")).as_deref(), Some("2"));
        let memory =
            "Node didn't have enough resource: memory, requested: 2147483648, used: 1073741824, capacity: 3221225472";
        let memory = shortage(memory).expect("numbers");
        assert_eq!(
            (memory.requested.show("memory"), memory.used.map(|it| it.show("memory"))),
            ("2Gi".to_owned(), Some("1Gi".to_owned()))
        );
        assert!(shortage("In-place pod resize is not supported on this node").is_none());
    }
}
