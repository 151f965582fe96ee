//! `pod-anti-affinity-conflict`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, Blockers, blockers};
use crate::facts::capacity::neighbours::{
    anti_affinity_terms, are_siblings, path, place, selected, selector, speaks_of,
};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::scheduler::Reason;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// A required rule keeps pods apart, and every suitable node is near a pod from which this one must stay away.
    /// The rule is this pod's own, or that of a pod which already runs there.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) didn't match pod anti-affinity rules` (own rule),
    /// `node(s) didn't satisfy existing pods anti-affinity rules` (another pod's rule). More replicas than nodes with
    /// the topology key `kubernetes.io/hostname`, or a rolling update that starts the new pod first, are the usual
    /// cases.
    /// ## Look-alikes
    /// `topology-spread-unsatisfied`: a spread constraint instead of a rule about pods. `host-port-conflict`: a port
    /// keeps replicas apart. `cluster-out-of-capacity`: the node without such a pod is there and full.
    /// ## Fixes
    /// Fewer replicas, more nodes, a preferred instead of a required rule, or let the old pod go first (`maxSurge: 0`).
    /// ## Source
    /// pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
    PodAntiAffinityConflict, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (blockers(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::PodAntiAffinityConflict, Blocker::AntiAffinity) else {
        return Ok(Vec::new());
    };
    let verdict = &blockers.unscheduled.verdict;
    let own = verdict.count(|reason| *reason == Reason::PodAntiAffinity);
    let others = verdict.count(|reason| *reason == Reason::ExistingAntiAffinity);
    let own_rule = !anti_affinity_terms(pod).is_empty() && own >= others;
    let finding = if own_rule { by_own_rule(case, finding, pod, &blockers)? } else { by_others(case, finding, pod)? };
    Ok(blockers.finish(finding))
}

fn by_own_rule(case: &Case<'_>, finding: Finding, pod: &Pod, blockers: &Blockers) -> Result<Finding, Needs> {
    let edit = edit_template(case)?;
    let mut held: Vec<Arc<Pod>> = Vec::new();
    let mut rule = (String::new(), String::new());
    let mut known = true;
    for term in anti_affinity_terms(pod) {
        let Some(selector) = selector(term) else { continue };
        let read = selected(case, term)?;
        known &= !matches!(read, Read::Unreadable);
        let placed: Vec<Arc<Pod>> =
            read.found().unwrap_or_default().into_iter().filter(|other| pods::occupies(other).is_some()).collect();
        if rule.0.is_empty() || placed.len() > held.len() {
            rule = (selector.to_string(), term.topology_key.clone());
            held = placed;
        }
    }
    let siblings = held.iter().filter(|other| are_siblings(other, pod)).count();
    let nodes = blockers.known().map(|sites| sites.best().len()).filter(|nodes| *nodes > 0);
    let per_node = rule.1 == "kubernetes.io/hostname";
    let finding = finding
        .title(text![
            "Every suitable node is near a pod with ",
            name(rule.0.clone()),
            ", from which Pod ",
            name(case.reference().path()),
            " must stay away"
        ])
        .explain(text![
            "The pod's anti-affinity allows one pod with ",
            name(rule.0.clone()),
            " in each domain of ",
            name(rule.1.clone()),
            ". ",
            holders(&held, known),
        ])
        .also((siblings > 0 && per_node).then(|| {
            let nodes = nodes.map(|nodes| text!["; ", nodes, " nodes would suit it"]);
            text![
                "These are replicas of the same workload: it can have as many as there are suitable nodes",
                nodes,
                ", and a rolling update needs one more unless the old pod goes first."
            ]
        }))
        .evidence(case.field(
            ".spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            format!("{}, topologyKey {}", rule.0, rule.1),
        ));
    let finding = held.iter().take(3).fold(finding, |finding, other| finding.evidence(evidence(other)));
    let fewer = Fix::disruptive(text![
        "run no more replicas than suitable nodes, let an update stop the old pod \
    first (maxSurge 0), or make the anti-affinity preferred instead of required"
    ])
    .command(edit);
    Ok(finding.fix(fewer).fix(Fix::safe(text!["or add a node"])))
}

/// The rule is that of pods which already run.
fn by_others(case: &Case<'_>, finding: Finding, pod: &Pod) -> Result<Finding, Needs> {
    let edit = edit_template(case)?;
    let read = case.list::<Pod>(None, Filter::Scheduled)?;
    let known = !matches!(read, Read::Unreadable);
    let own = pod.metadata.namespace.as_deref();
    let mut held: Vec<Arc<Pod>> = Vec::new();
    let mut rule = None;
    for other in read.found().unwrap_or_default() {
        for term in anti_affinity_terms(&other) {
            let Some(selector) = selector(term).filter(|it| it.matches(pod.metadata.labels.as_ref())) else { continue };
            if speaks_of(case, term, other.metadata.namespace.as_deref(), own)? {
                rule.get_or_insert_with(|| (selector.to_string(), term.topology_key.clone()));
                held.push(Arc::clone(&other));
                break;
            }
        }
    }
    let sibling = held.first().is_some_and(|other| are_siblings(other, pod));
    let finding = if held.is_empty() { finding.confidence(Confidence::Likely) } else { finding };
    let finding = match held.first().filter(|_| !sibling) {
        Some(first) => finding.root(ObjectRef::new(
            Kind::Pod,
            first.metadata.namespace.as_deref(),
            first.metadata.name.as_deref().unwrap_or_default(),
        )),
        None => finding,
    };
    let finding = finding
        .title(match held.first() {
            Some(first) => text![
                "The anti-affinity of Pod ",
                name(path(first)),
                " keeps Pod ",
                name(case.reference().path()),
                " away"
            ],
            None => {
                text!["The anti-affinity of pods that already run keeps Pod ", name(case.reference().path()), " away"]
            }
        })
        .explain(text![
            "A pod that runs may forbid others near it: an anti-affinity that is not this pod's own. ",
            rule.map(|(selector, topology)| text![
                "It forbids pods with ",
                name(selector),
                " in the same domain of ",
                name(topology),
                "; this pod has these labels. "
            ]),
            holders(&held, known),
        ]);
    let finding = held.iter().take(3).fold(finding, |finding, other| finding.evidence(evidence(other)));
    let show = held.first().map(|first| {
        let meta = &first.metadata;
        Fix::disruptive(text![
            "change the anti-affinity of what Pod ",
            name(path(first)),
            " is made from, or move that pod"
        ])
        .command(case.kubectl_in(
            meta.namespace.as_deref().unwrap_or_default(),
            ["get", "pod", meta.name.as_deref().unwrap_or_default(), "-o", "yaml"],
        ))
    });
    let labels = Fix::disruptive(text![
        "or give this pod other labels, if it is not meant by that \
    rule"
    ])
    .command(edit);
    Ok(finding.fix(show).fix(labels).fix(Fix::safe(text!["or add a node on which none of them runs"])))
}

fn holders(held: &[Arc<Pod>], known: bool) -> Text {
    match (held.is_empty(), known) {
        (_, false) => text!["Which pods these are could not be read."],
        (true, true) => text!["Which pods these are does not show in what was read."],
        (false, true) => text!["In the way: ", Text::names(held.iter().map(|pod| place(pod.as_ref())), 4), "."],
    }
}

fn evidence(pod: &Pod) -> Evidence {
    let reference =
        ObjectRef::new(Kind::Pod, pod.metadata.namespace.as_deref(), pod.metadata.name.as_deref().unwrap_or_default());
    Evidence::field(&reference, ".spec.nodeName", pods::node_name(pod).unwrap_or_default())
}
