//! `request-exceeds-largest-node`.

use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{edit_template, names};
use crate::facts::capacity::blockers::Blocker;
use crate::facts::capacity::demand::{Maker, maker};
use crate::facts::capacity::shortage::{Shape, Shortage, shortage};
use crate::finding::{Evidence, Finding, Fix};
use crate::parse::quantity::Amount;

cause! {
    /// ## What it means
    /// The pod asks for more of a resource than any node that it may run on could give if it were empty. It will stay
    /// Pending however many pods are removed and however many nodes of the present size are added.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `0/N nodes are available: N Insufficient cpu` (or memory,
    /// ephemeral-storage, a device), and the pod's effective request is above the largest `status.allocatable` of the
    /// eligible nodes. From 1.31 on the scheduler adds `Preemption is not helpful for scheduling`. The effective
    /// request is the larger of all containers with sidecars together and each init container, plus the overhead.
    /// ## Look-alikes
    /// `cluster-fragmented` and `cluster-out-of-capacity`: a node could hold the pod if others left.
    /// `extended-resource-missing`: no node has the device at all. `untolerated-taint`, `nodes-cordoned`: a node
    /// large enough is there and shut.
    /// ## Fixes
    /// Lower the request of the container that makes it so, or add a larger type of node.
    /// ## Source
    /// pkg/scheduler/framework/plugins/noderesources/fit.go.
    RequestExceedsLargestNode, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(shortage) = shortage(case)?.filter(|shortage| shortage.shape == Shape::TooLarge) else {
        return Ok(Vec::new());
    };
    let Some(mut finding) = shortage.blockers.start(case, Code::RequestExceedsLargestNode, Blocker::Capacity) else {
        return Ok(Vec::new());
    };
    if !shortage.certain {
        finding = finding.confidence(crate::finding::Confidence::Likely);
    }
    let edit = edit_template(case)?;
    let finding = explain(case, &shortage, finding).fix(lower(case, &shortage, edit));
    let add = Fix::safe(text![
        "or add a node that can give more than ",
        own(shortage.show(shortage.asked())),
        " of ",
        name(shortage.resource.clone()),
        ", with the labels that the pod asks for",
    ]);
    Ok(shortage.blockers.finish(finding.fix(add)))
}

fn explain(case: &Case<'_>, shortage: &Shortage, finding: Finding) -> Finding {
    let (asked, resource) = (shortage.show(shortage.asked()), shortage.resource.clone());
    let largest = shortage.largest().map(|(node, amount)| (node.clone(), shortage.show(*amount)));
    let bound = largest.clone().map(|(node, amount)| {
        text![
            ", and the largest node it may run \
        on (",
            name(node),
            ") can give ",
            own(amount)
        ]
    });
    let bound = Some(bound.unwrap_or_else(|| text![", more than any node that it may run on could give"]));
    let who = case.pod().map(|pod| maker(pod, &shortage.resource));
    let eligible: Vec<_> = shortage.blockers.known().map(|sites| sites.best()).unwrap_or_default();
    let alone =
        shortage.only_node.as_ref().map(|node| text![" The pod was made for Node ", name(node.clone()), " alone."]);
    let finding = finding
        .title(text![
            "Pod ",
            name(case.reference().path()),
            " asks for ",
            own(asked.clone()),
            " of ",
            name(resource.clone()),
            bound.clone()
        ])
        .explain(text![
            "A pod is placed on one node that has all it asks for. This one asks for ",
            own(asked),
            " of ",
            name(resource),
            bound,
            ".",
            who.as_ref().map(|who| made_by(case, shortage, who)),
            overhead(case, shortage).map(|of_class| text![
                " Of that, ",
                own(shortage.show(of_class)),
                " is the overhead of RuntimeClass ",
                name(runtime_class(case)),
                ".",
            ]),
            alone,
        ])
        .also((eligible.len() > 1).then(|| text!["Looked at: ", names(&eligible), "."]));
    let evidence = who.as_ref().and_then(|who| request_evidence(case, shortage, who));
    let finding = match &who {
        Some(Maker::Init(container) | Maker::Together(Some(container))) => finding.container(container),
        _ => finding,
    };
    shortage.node_evidence().into_iter().fold(finding.evidence(evidence), Finding::evidence)
}

/// What the pod's `RuntimeClass` adds to the containers' requests.
fn overhead(case: &Case<'_>, shortage: &Shortage) -> Option<Amount> {
    let spec = crate::pods::spec(case.pod()?)?;
    Amount::in_list(spec.overhead.as_ref(), &shortage.resource).filter(|amount| *amount > Amount::ZERO)
}

fn runtime_class(case: &Case<'_>) -> String {
    let spec = case.pod().and_then(crate::pods::spec);
    spec.and_then(|spec| spec.runtime_class_name.clone()).unwrap_or_default()
}

/// Which container makes the request as large as it is.
fn made_by(case: &Case<'_>, shortage: &Shortage, maker: &Maker) -> Text {
    match maker {
        Maker::Init(container) => text![
            " Init container ",
            name(container.clone()),
            " makes it so: it runs before the main containers and asks for more than they do together, and the \
            larger counts.",
        ],
        Maker::Together(Some(container)) if case.containers().count() > 1 => {
            let own_share = container_amount(case, shortage, container);
            text![" The containers count together; ", name(container.clone()), " asks for most", own_share, "."]
        }
        Maker::Together(_) => Text::default(),
        Maker::Pod => text![" The pod itself asks for it (", kubewhy_text::code("spec.resources"), ")."],
    }
}

fn container_amount(case: &Case<'_>, shortage: &Shortage, container: &str) -> Option<Text> {
    let view = case.containers().find(|view| view.name() == container)?;
    let amount = crate::facts::capacity::demand::asked(view.spec.resources.as_ref(), &shortage.resource);
    Some(text![" (", own(shortage.show(amount)), ")"])
}

fn request_evidence(case: &Case<'_>, shortage: &Shortage, maker: &Maker) -> Option<Evidence> {
    let (Maker::Init(container) | Maker::Together(Some(container))) = maker else { return None };
    let view = case.containers().find(|view| view.name() == container)?;
    let amount = crate::facts::capacity::demand::asked(view.spec.resources.as_ref(), &shortage.resource);
    let path = format!("{}.resources.requests[{}]", view.spec_path(), shortage.resource);
    Some(case.field(&path, shortage.show(amount)))
}

fn lower(case: &Case<'_>, shortage: &Shortage, edit: String) -> Fix {
    let who = case.pod().map(|pod| maker(pod, &shortage.resource));
    let of = match who {
        Some(Maker::Init(container)) => text![" of init container ", name(container)],
        Some(Maker::Together(Some(container))) => text![" of container ", name(container)],
        _ => Text::default(),
    };
    let taken = overhead(case, shortage).unwrap_or_default();
    let below = shortage.largest().filter(|(_, amount)| *amount > taken);
    let below = below.map(|(_, amount)| text![" to at most ", own(shortage.show(*amount - taken))]);
    let bare = case.pod().is_some_and(|pod| pod.metadata.owner_references.iter().flatten().next().is_none());
    let anew = bare.then(|| text![" and make the pod anew"]);
    Fix::disruptive(text!["lower the ", name(shortage.resource.clone()), " request", of, below, anew]).command(edit)
}
