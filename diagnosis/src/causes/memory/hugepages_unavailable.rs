//! `hugepages-unavailable`.

use kubewhy_text::{name, own, quoted, text};

use crate::ask::Instance;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::Blocker;
use crate::facts::capacity::demand::{asked, is_hugepages};
use crate::facts::capacity::shortage::{Shape, Shortage, shortage};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::parse::quantity::Amount;
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The pod needs huge pages (large pieces of memory that a node reserves when it starts), and there are none, or
    /// too few: the scheduler finds no node, or the process cannot map them.
    /// ## Signals
    /// Condition `PodScheduled` False with `Insufficient hugepages-2Mi` (or `hugepages-1Gi`), `status.allocatable` of
    /// the nodes 0 or used up. In logs: `could not map anonymous shared memory: Cannot allocate memory`, `mmap` of
    /// huge pages with `Cannot allocate memory`; exit 135 (SIGBUS) where the process uses huge pages that its limit
    /// does not give it.
    /// ## Look-alikes
    /// `cluster-out-of-capacity`: ordinary memory lacks. `extended-resource-missing`: a device. `oom-limit`: the kernel
    /// killed the process. `killed-by-signal`: SIGBUS for another reason.
    /// ## Fixes
    /// Reserve huge pages on the nodes (at boot, before memory is in pieces), ask for fewer, or switch them off in
    /// the app.
    /// ## Source
    /// <https://kubernetes.io/docs/tasks/manage-hugepages/scheduling-hugepages/>
    HugepagesUnavailable, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(shortage) = shortage(case)?.filter(|shortage| shortage.shape == Shape::HugePages) {
        let Some(finding) = shortage.blockers.start(case, Code::HugepagesUnavailable, Blocker::Capacity) else {
            return Ok(Vec::new());
        };
        let finding = unscheduled(case, &shortage, finding)?;
        return Ok(shortage.blockers.finish(finding));
    }
    let mut found = Vec::new();
    let suspects: Vec<ContainerView<'_>> = case.containers().filter(|container| is_suspect(case, container)).collect();
    for container in suspects {
        if let Some((line, number, words)) = said(case, &container)? {
            found.push(at_run_time(case, &container, number, &line, words)?);
        }
    }
    Ok(found)
}

fn unscheduled(case: &Case<'_>, shortage: &Shortage, finding: Finding) -> Result<Finding, Needs> {
    let resource = shortage.resource.clone();
    let none = shortage.largest().is_none_or(|(_, amount)| *amount == Amount::ZERO);
    let state = match (shortage.blockers.known().is_some(), none) {
        (false, _) => text!["What the nodes have reserved could not be read."],
        (true, true) => {
            text!["No node has reserved any: a node offers them only where its kernel was told to set them aside."]
        }
        (true, false) => text!["Nodes have reserved some, and what is left there is too little."],
    };
    let largest = shortage
        .largest()
        .map(|(node, amount)| text![" The most is on ", name(node.clone()), ": ", own(shortage.show(*amount)), "."]);
    let container = case.containers().find(|it| asked(it.spec.resources.as_ref(), &resource) > Amount::ZERO);
    let finding = if shortage.certain { finding } else { finding.confidence(Confidence::Likely) };
    let finding = match container {
        Some(container) => finding.container(container.name()).evidence(case.field(
            &format!("{}.resources.limits[{resource}]", container.spec_path()),
            shortage.show(shortage.asked()),
        )),
        None => finding,
    };
    let finding = finding
        .root(ObjectRef::virtual_("Cluster", &resource))
        .title(text![
            "No node has ",
            own(shortage.show(shortage.asked())),
            " of ",
            name(resource.clone()),
            " for Pod ",
            name(case.reference().path())
        ])
        .explain(text![
            "The pod asks for ",
            own(shortage.show(shortage.asked())),
            " of huge pages (",
            name(resource.clone()),
            "). ",
            state,
            largest.filter(|_| !none),
        ]);
    let finding = shortage.node_evidence().into_iter().fold(finding, Finding::evidence);
    let reserve = Fix::disruptive(text![
        "reserve huge pages on a node (sysctl vm.nr_hugepages, best at boot) \
    and restart its kubelet, so that it offers them"
    ])
    .command(case.kubectl_cluster(["describe", "nodes"]));
    let fewer = Fix::disruptive(text!["or ask for fewer, or for ordinary memory, in the template"])
        .command(edit_template(case)?);
    Ok(finding.fix(reserve).fix(fewer))
}

/// A container whose end could be about huge pages: it asks for some, or died of SIGBUS, or with a code that
/// databases end with when they cannot map memory.
fn is_suspect(case: &Case<'_>, container: &ContainerView<'_>) -> bool {
    let Some(pod) = case.pod() else { return false };
    let Some(end) = pods::troubling_end(pod, container, case.now()) else { return false };
    let asks =
        container.spec.resources.as_ref().is_some_and(|it| {
            it.limits.iter().chain(&it.requests).flatten().any(|(resource, _)| is_hugepages(resource))
        });
    end.reason.as_deref() != Some("OOMKilled") && (asks || matches!(end.exit_code, 1 | 134 | 135))
}

/// The line of the log that tells of huge pages: the line, its number, what it means.
fn said(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Option<(String, usize, &'static str)>, Needs> {
    let Some(pod) = case.pod() else { return Ok(None) };
    let ended_before = container.terminated().is_none() && container.last_terminated().is_some();
    let instance = if ended_before { Instance::Previous } else { Instance::Current };
    let Read::Found(log) = case.log(pod, container.name(), instance)? else { return Ok(None) };
    for (index, line) in log.lines().enumerate() {
        let lower = line.to_lowercase();
        let denied = lower.contains("cannot allocate memory") || lower.contains("enomem");
        let huge = lower.contains("huge page") || lower.contains("hugepage") || lower.contains("hugetlb");
        let words = if lower.contains("could not map anonymous shared memory") && denied {
            "It could not map its shared memory: with huge pages switched on, there are too few of them on the \
            node or in the container's limit."
        } else if huge && (denied || lower.contains("no free") || lower.contains("not available")) {
            "It could not get the huge pages that it asked the kernel for."
        } else {
            continue;
        };
        return Ok(Some((line.to_owned(), index + 1, words)));
    }
    Ok(None)
}

fn at_run_time(
    case: &Case<'_>,
    container: &ContainerView<'_>,
    number: usize,
    line: &str,
    words: &'static str,
) -> Result<Finding, Needs> {
    let edit = edit_template(case)?;
    Ok(case
        .finding_in(Code::HugepagesUnavailable, container)
        .confidence(Confidence::Likely)
        .title(text![
            container.subject(),
            " of Pod ",
            name(case.reference().path()),
            " cannot \
        get the huge pages that it wants"
        ])
        .explain(text!["The process ended, and said before: ", quoted(line), ". ", words])
        .evidence(case.log_evidence(container, number, line))
        .evidence(case.end_evidence(container))
        .fix(
            Fix::disruptive(text![
                "switch huge pages off in the app (PostgreSQL: huge_pages = off), or give \
        the container a limit of hugepages-2Mi"
            ])
            .command(edit),
        )
        .fix(
            Fix::safe(text![
                "or reserve more huge pages on the \
        node"
            ])
            .command(case.kubectl_cluster(["describe", "nodes"])),
        ))
}
