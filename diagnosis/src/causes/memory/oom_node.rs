//! `oom-node`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{name, own, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::ends::{self, End, Story};
use crate::facts::heap::Limit;
use crate::facts::{neighbours, node_load, node_memory, node_state};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The node itself ran out of memory, and the kernel killed processes on it, this container's among them.
    /// ## Signals
    /// Reason `OOMKilled` on a container without any memory limit; or exit code 137 while the Node has an event
    /// `SystemOOM` `System OOM encountered, victim process: ...` (or node-problem-detector's `OOMKilling`) in that
    /// minute. Asked about the node: such an event of the last quarter of an hour.
    /// ## Look-alikes
    /// `oom-limit`: the container has a limit and reached it. `evicted-memory`: the kubelet acted before the kernel
    /// did. `terminated-externally`: 137 without either sign. `node-memory-pressure`: the node's own condition.
    /// ## Fixes
    /// Give the pods of the node requests and limits that add up to what it has; find the pod that takes the memory.
    /// ## Source
    /// pkg/kubelet/oom/oom_watcher_linux.go; pkg/kubelet/qos/policy.go (oom_score_adj).
    OomNode, stage Memory, since "0.1.0", detect
}

/// How long the node's report is still news.
const FRESH: SignedDuration = SignedDuration::from_mins(15);

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = node_state::subject(case) {
        return of_node(case, &node);
    }
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for end in ends::of(case)? {
        let without_limit = matches!(end.story, Story::OutOfMemory) && Limit::of(pod, &end.container).is_none();
        let killed = matches!(&end.story, Story::Ordered(signal, _) if signal.number == 9);
        if without_limit || killed {
            found.extend(explain(case, &end, without_limit)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, end: &End<'_>, without_limit: bool) -> Result<Option<Finding>, Needs> {
    let node_name = case.pod().and_then(pods::node_name).unwrap_or_default();
    let report = node_memory::system_oom(case, end)?;
    if report.is_none() && !without_limit {
        return Ok(None);
    }
    let node = if node_name.is_empty() { None } else { case.get::<Node>(None, node_name)?.found() };
    let has = node
        .as_ref()
        .and_then(|node| node.status.as_ref())
        .and_then(|status| Amount::in_list(status.allocatable.as_ref(), "memory").map(|memory| memory.show("memory")));
    let has = has.map(|has| text![" It has ", own(has), " for pods."]);
    let overcommitted = if report.is_some() { neighbours::overcommitted(case, end.ended())? } else { None };
    let template = ends::template(case)?;
    let requests = end.container.spec.resources.as_ref().and_then(|resources| resources.requests.as_ref());
    let request = if let Some(request) = Amount::in_list(requests, "memory") {
        text![
            "The container requests ",
            own(request.show("memory")),
            " and may take more than that; what exceeds its request is killed first."
        ]
    } else {
        text!["The container requests no memory at all, so the kernel takes it among the first."]
    };
    let reported = if report.is_some() {
        text!["Node ", name(node_name), " reported that it ran out of memory at that time."]
    } else {
        text![
            "The container has no memory limit of its own, so it was the node's memory (or the pod's share of it) \
             that ran out."
        ]
    };
    let target = template.argument.as_str();
    let set = if template.is_pod {
        template.edit(case)
    } else {
        case.kubectl([
            "set",
            "resources",
            target,
            "-c",
            end.container.name(),
            "--requests=memory=256Mi",
            "--limits=memory=512Mi",
        ])
    };
    let finding = end
        .finding(case, Code::OomNode)
        .confidence(if report.is_some() && without_limit { Confidence::Certain } else { Confidence::Likely })
        .title(text![
            "Node ",
            name(node_name),
            " ran out of memory, and container ",
            name(end.container.name()),
            " was killed for it"
        ])
        .explain(end.opening())
        .also(text![reported, has])
        .also(overcommitted)
        .also(request)
        .evidence(report.as_ref().map(|event| Evidence::event(event)))
        .fix(
            Fix::safe(text!["see which pods of node ", name(node_name), " take the memory"])
                .command(case.kubectl_cluster(["describe", "node", node_name]))
                .command(case.kubectl_cluster(["top", "pods", "--all-namespaces", "--sort-by=memory"])),
        )
        .fix(
            Fix::disruptive(text![
                "give container ",
                name(end.container.name()),
                " a memory request and limit that fit its use"
            ])
            .command(set),
        );
    Ok(Some(if node_name.is_empty() {
        finding
    } else {
        finding.root(crate::finding::ObjectRef::new(Kind::Node, None, node_name))
    }))
}

/// The node says that it ran out of memory within the hour; the kernel has ended that by killing.
fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let reasons = ["SystemOOM", "OOMKilling"];
    let event = node_state::recent_event(case, node, &reasons, |event| {
        node_memory::is_global(event) && event.last.is_some_and(|last| case.age(last) < FRESH)
    })?;
    // A node that still is short of memory says so by its condition, which leads.
    let Some(event) = event.filter(|_| !node_state::is(node, "MemoryPressure", "True")) else { return Ok(Vec::new()) };
    let load = node_load::of(case, node, "memory")?;
    let node_name = node_state::name_of(node);
    Ok(vec![
        case.finding(Code::OomNode)
            .root(node_state::reference(node))
            .severity(Severity::Warning)
            .title(text![node_state::called(node), " ran out of memory: ", quoted(event.message.clone())])
            .explain(text![
                "The kernel killed a process there to go on, before the kubelet could evict a pod. It may have been any: those \
                 that use most beyond their requests go first."
            ])
            .also(load.of_node())
            .also(load.sentence())
            .evidence(Evidence::event(&event))
            .evidence(load.evidence())
            .since(event.last)
            .fix(
                Fix::safe(text!["see which pods of node ", name(node_name), " take the memory, and what they have requested"])
                    .command(case.kubectl_cluster(["describe", "node", node_name]))
                    .command(case.kubectl_cluster(["top", "pods", "--all-namespaces", "--sort-by=memory"])),
            )
            .fix(Fix::disruptive(text![
                "give the pods of the node memory requests that fit their use, and reserve memory for its daemons"
            ])),
    ])
}
