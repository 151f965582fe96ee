//! `cluster-fragmented`.

use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{edit_template, look_at_node};
use crate::facts::capacity::blockers::Blocker;
use crate::facts::capacity::shortage::{Shape, Shortage, shortage};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};

cause! {
    /// ## What it means
    /// All that the pod asks for is free in the cluster, and no single node has it: the free capacity is in pieces.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable` with `Insufficient cpu`, `Insufficient memory` and the like.
    /// Over the eligible nodes the sum of allocatable minus the requests of their pods is enough for every resource,
    /// and no node has enough by itself. What pods really use plays no part.
    /// ## Look-alikes
    /// `cluster-out-of-capacity`: a resource lacks in total. `request-exceeds-largest-node`: not even an empty node
    /// would do.
    /// ## Fixes
    /// Lower the request, move small pods together (descheduler, drain of a small node), or add a node.
    /// ## Source
    /// pkg/scheduler/framework/plugins/noderesources/fit.go.
    ClusterFragmented, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(shortage) = shortage(case)?.filter(|shortage| shortage.shape == Shape::Fragmented) else {
        return Ok(Vec::new());
    };
    let Some(finding) = shortage.blockers.start(case, Code::ClusterFragmented, Blocker::Capacity) else {
        return Ok(Vec::new());
    };
    let edit = edit_template(case)?;
    let finding = if shortage.certain { finding } else { finding.confidence(Confidence::Likely) };
    let asked = shortage.show(shortage.asked());
    let total = shortage.show(shortage.free_in_total());
    let finding = finding
        .root(ObjectRef::virtual_("Cluster", &shortage.resource))
        .title(text![
            "No single node has ",
            own(asked.clone()),
            " of ",
            name(shortage.resource.clone()),
            " free for Pod ",
            name(case.reference().path()),
            ", though ",
            own(total.clone()),
            " is free in total",
        ])
        .explain(text![
            "The pod asks for ",
            own(asked.clone()),
            " of ",
            name(shortage.resource.clone()),
            " on one node. Free for requests: ",
            free(&shortage),
            "; together ",
            own(total),
            ". The capacity is there, in pieces that are too small.",
        ]);
    let finding = shortage.node_evidence().into_iter().fold(finding, Finding::evidence);
    let roomiest = shortage.rooms.iter().max_by_key(|room| room.free(&shortage.resource));
    let finding = finding
        .fix(Fix::disruptive(text!["lower the pod's request until it fits the largest piece"]).command(edit))
        .fix(roomiest.map(|room| look_at_node(case, &room.node)))
        .fix(Fix::safe(text!["or add a node with ", own(asked), " of ", name(shortage.resource.clone()), " free"]));
    Ok(shortage.blockers.finish(finding))
}

/// What is free on each node.
fn free(shortage: &Shortage) -> Text {
    let mut rooms: Vec<_> = shortage.rooms.iter().collect();
    rooms.sort_by(|a, b| b.free(&shortage.resource).cmp(&a.free(&shortage.resource)).then_with(|| a.node.cmp(&b.node)));
    let mut text = Text::default();
    let more = rooms.len().saturating_sub(4);
    for (index, room) in rooms.iter().take(4).enumerate() {
        if index > 0 {
            text.push(", ");
        }
        text.push(text![name(room.node.clone()), " ", own(shortage.show(room.free(&shortage.resource)))]);
    }
    if more > 0 {
        text.push(text![" and ", more, " more nodes"]);
    }
    text
}
