//! `bound-to-missing-node`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::finding::{Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::Read;

cause! {
    /// ## What it means
    /// The pod is bound to a node that does not exist, so nobody starts it, and no scheduler looks at it again.
    /// ## Signals
    /// `spec.nodeName` names a Node that is absent, phase `Pending`, no container status and no event of a kubelet.
    /// After about 40 seconds the garbage collector of pods deletes it (`PodGC: node no longer exists`).
    /// ## Look-alikes
    /// `node-lost`: the pod ran on a node that went away. `scheduler-not-running`: the pod is bound to no node.
    /// `no-ready-nodes`: the node is there and not ready.
    /// ## Fixes
    /// Take `nodeName` out of the template (a nodeSelector is the way to choose a node), or name a node that exists.
    /// ## Source
    /// pkg/controller/podgc/gc_controller.go.
    BoundToMissingNode, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let Some(node) = pods::node_name(pod) else { return Ok(Vec::new()) };
    let status = pods::status(pod);
    let never_seen = status.is_none_or(|status| status.start_time.is_none())
        && case.containers().all(|container| container.status.is_none())
        && matches!(pods::phase(pod), "" | "Pending");
    if !never_seen || !matches!(case.get::<Node>(None, node)?, Read::Absent) {
        return Ok(Vec::new());
    }
    let nodes = case.list::<Node>(None, Filter::All)?.found().unwrap_or_default();
    let names: Vec<&str> = nodes.iter().filter_map(|node| node.metadata.name.as_deref()).collect();
    let nearest = crate::nearest::nearest(node, names.iter().copied());
    let events = case.own_events()?;
    let scheduled = events.iter().any(|event| event.reason == "Scheduled");
    let how = if scheduled {
        text!["The scheduler placed the pod on this node, which was removed before the pod could start."]
    } else {
        text![
            "The name stands in the pod itself (",
            kubewhy_text::code("spec.nodeName"),
            "), which passes the scheduler by: nobody checks that the node is there."
        ]
    };
    let finding = case
        .finding(Code::BoundToMissingNode)
        .since(pods::created(pod))
        .title(text!["Pod ", name(case.reference().path()), " is bound to Node ", name(node), ", which does not exist"])
        .explain(text!["A pod is started by the kubelet of its node, and there is no node ", name(node), ". ", how])
        .also((!names.is_empty()).then(|| text!["The nodes are ", Text::names(names.iter().copied(), 6), "."]))
        .evidence(case.field(".spec.nodeName", node))
        .evidence(Evidence::field(&ObjectRef::new(Kind::Node, None, node), "", "does not exist"));
    let edit = edit_template(case)?;
    let bare = case.controllers(case.object())?.is_empty();
    let correct = if let Some(nearest) = nearest {
        text!["take nodeName ", name(node), " out, or name a node that exists: did you mean ", name(nearest), "?"]
    } else {
        text![
            "take nodeName ",
            name(node),
            " out, so that the scheduler finds a node; use a nodeSelector to choose one"
        ]
    };
    let fix = Fix::disruptive(correct).command(edit);
    let fix = if bare { fix.command(case.kubectl(["delete", "pod", case.name()])) } else { fix };
    Ok(vec![finding.fix(fix)])
}
