//! `cluster-out-of-capacity`.

use kubewhy_text::{Text, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::{edit_template, look_at_node, users};
use crate::facts::capacity::blockers::Blocker;
use crate::facts::capacity::demand::is_extended;
use crate::facts::capacity::shortage::{Shape, Shortage, shortage};
use crate::facts::capacity::sites::{Block, Sites};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::Amount;
use crate::parse::scheduler::Reason;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The nodes that the pod may run on could hold it, and the pods that run there have reserved too much of a
    /// resource. Reserved means requested: what pods really use plays no part.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `0/N nodes are available: n Insufficient cpu` (memory,
    /// ephemeral-storage, `nvidia.com/gpu`), `Too many pods`, and the sum of what is free on the eligible nodes is
    /// below the request. A DaemonSet's pod has one eligible node: the others read `node(s) didn't satisfy plugin(s)
    /// [NodeAffinity]`.
    /// ## Look-alikes
    /// `request-exceeds-largest-node`: no node could ever hold it. `cluster-fragmented`: enough is free in total.
    /// `extended-resource-missing`: the device is nowhere. `quota-exceeded`: the namespace, not the cluster, is full.
    /// `rejected-by-kubelet` (`OutOfcpu`): the pod was placed and then refused.
    /// ## Fixes
    /// Free some of the resource (scale down, lower requests), add nodes, or give the pod a higher priority.
    /// ## Source
    /// pkg/scheduler/framework/plugins/noderesources/fit.go;
    /// <https://kubernetes.io/docs/concepts/configuration/manage-resources-containers/>
    ClusterOutOfCapacity, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(shortage) = shortage(case)?.filter(|shortage| shortage.shape == Shape::Full) else {
        return Ok(Vec::new());
    };
    let Some(finding) = shortage.blockers.start(case, Code::ClusterOutOfCapacity, Blocker::Capacity) else {
        return Ok(Vec::new());
    };
    let finding = if shortage.certain { finding } else { finding.confidence(Confidence::Likely) };
    let root = match &shortage.only_node {
        Some(node) => ObjectRef::new(Kind::Node, None, node).with_detail(shortage.resource.clone()),
        None => ObjectRef::virtual_("Cluster", &shortage.resource),
    };
    let priority = case.pod().and_then(pods::spec).and_then(|spec| spec.priority).unwrap_or(0);
    let finding = finding
        .root(root)
        .title(title(case, &shortage))
        .explain(text![explanation(&shortage)])
        .also((shortage.resource != "pods").then(|| users(&shortage, priority)).flatten())
        .also(shortage.blockers.known().and_then(elsewhere));
    let finding = shortage.node_evidence().into_iter().fold(finding, Finding::evidence);
    Ok(shortage.blockers.finish(fixes(case, &shortage, finding)?))
}

fn title(case: &Case<'_>, shortage: &Shortage) -> Text {
    let pod = case.reference().path();
    if let Some(node) = &shortage.only_node {
        return text!["Node ", name(node.clone()), " has no room for Pod ", name(pod), ": ", lacks(shortage)];
    }
    if shortage.rooms.is_empty() && shortage.resource != "pods" {
        // What runs on the nodes was not counted: the verdict says that too little is left, not that others hold it.
        let asked = Some(shortage.asked()).filter(|asked| *asked != Amount::ZERO);
        let asks = asked.map(|asked| text![" (it asks for ", own(shortage.show(asked)), ")"]);
        let count = refusing(shortage);
        let nodes = if count == 1 { " node has" } else { " nodes have" };
        return text![count, nodes, " too little ", name(shortage.resource.clone()), " left for Pod ", name(pod), asks];
    }
    text!["No node has room for Pod ", name(pod), ": ", lacks(shortage)]
}

/// How many nodes the verdict says to lack the resource.
fn refusing(shortage: &Shortage) -> u32 {
    shortage.blockers.unscheduled.verdict.count(|reason| match reason {
        Reason::Insufficient(resource) => *resource == shortage.resource,
        Reason::TooManyPods => shortage.resource == "pods",
        _ => false,
    })
}

fn lacks(shortage: &Shortage) -> Text {
    if shortage.resource == "pods" {
        return text!["all places for ", name("pods"), " are taken"];
    }
    let asked = shortage.asked();
    let of = text![name(shortage.resource.clone()), " is used up"];
    if asked == Amount::ZERO { of } else { text![of, " (asks for ", own(shortage.show(asked)), ")"] }
}

fn explanation(shortage: &Shortage) -> Text {
    let resource = || name(shortage.resource.clone());
    if shortage.rooms.is_empty() {
        let count = refusing(shortage);
        let nodes = if count == 1 { " node has" } else { " nodes have" };
        return text![
            "The scheduler places a pod only where its requests fit beside those of the pods that run there: ",
            count,
            nodes,
            " too little ",
            resource(),
            " left. What is free where could not be counted.",
        ];
    }
    if shortage.resource == "pods" {
        let full = shortage.rooms.iter().take(4).map(|room| room.node.clone());
        let places = shortage.rooms.first().and_then(|room| room.allocatable.get("pods")).map(|most| {
            text![
                " (",
                own(most.show("pods")),
                " on ",
                name(shortage.rooms.first().map_or_else(String::new, |room| room.node.clone())),
                ")"
            ]
        });
        return text![
            "A node holds only so many pods, however small they are",
            places,
            ", and these are full: ",
            Text::names(full, 4),
            "."
        ];
    }
    let best = shortage.rooms.iter().max_by_key(|room| room.free(&shortage.resource));
    let best = best.map(|room| {
        let free = room.free(&shortage.resource).max(Amount::ZERO);
        let lacks = shortage.asked() - free;
        text![
            " The most is free on ",
            name(room.node.clone()),
            ": ",
            own(shortage.show(free)),
            " of ",
            own(shortage.show(room.allocatable.get(&shortage.resource).copied().unwrap_or_default())),
            ", so ",
            own(shortage.show(lacks)),
            " lacks.",
        ]
    });
    let made_for = match (&shortage.only_node, shortage.rooms.as_slice()) {
        (Some(node), _) => text!["This DaemonSet pod can run on Node ", name(node.clone()), " only."],
        (None, [one]) => text!["Only Node ", name(one.node.clone()), " could take it."],
        (None, many) => text![
            "On the ",
            many.len(),
            " nodes that could take it, ",
            own(shortage.show(shortage.free_in_total())),
            " of ",
            resource(),
            " is free for requests in total.",
        ],
    };
    text!["The pod asks for ", own(shortage.show(shortage.asked())), " of ", resource(), ". ", made_for, best]
}

/// Nodes that might do and are shut at present.
fn elsewhere(sites: &Sites) -> Option<Text> {
    let unready: Vec<_> = sites
        .all
        .iter()
        .filter(|site| !site.blocks.is_empty() && site.blocks.iter().all(|block| matches!(block, Block::Unready)))
        .collect();
    (!unready.is_empty())
        .then(|| text!["Not ready, and so not counted: ", Text::names(unready.iter().map(|s| s.name()), 4), "."])
}

fn fixes(case: &Case<'_>, shortage: &Shortage, finding: Finding) -> Result<Finding, Needs> {
    let edit = edit_template(case)?;
    let crowded = shortage.users().first().map(|(_, node, ..)| node.clone()).or_else(|| shortage.only_node.clone());
    let look = match crowded {
        Some(node) => look_at_node(case, &node),
        None => Fix::safe(text!["see what each node has left"]).command(case.kubectl_cluster(["describe", "nodes"])),
    };
    let what = name(shortage.resource.clone());
    let grow = match &shortage.only_node {
        Some(node) => Fix::disruptive(text![
            "free ",
            what,
            " on ",
            name(node.clone()),
            ", or give the DaemonSet a higher priority class, so that its pod displaces others",
        ])
        .command(case.kubectl_cluster(["get", "priorityclasses"])),
        None => Fix::safe(text![
            "free ",
            what,
            " (scale something down) or add a node that offers it: more \
        capacity"
        ]),
    };
    let whole_devices = is_extended(&shortage.resource) && shortage.asked() <= Amount::whole(1);
    let lower = (shortage.resource != "pods" && !whole_devices).then(|| {
        Fix::disruptive(text!["or lower the pod's request for ", name(shortage.resource.clone())]).command(edit)
    });
    Ok(finding.fix(look).fix(grow).fix(lower))
}
