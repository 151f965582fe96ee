//! `pod-affinity-unsatisfied`.

use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::neighbours::{affinity_terms, or_none, path, selected, selector};
use crate::finding::{Confidence, Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use k8s_openapi::api::core::v1::Pod;

cause! {
    /// ## What it means
    /// The pod must run near pods with certain labels, and no suitable node is near such a pod.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) didn't match pod affinity rules`, with
    /// `affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution`.
    /// ## Look-alikes
    /// `pod-anti-affinity-conflict`: the rule keeps pods apart. `node-affinity-mismatch`: the rule is about nodes.
    /// ## Fixes
    /// Start the pods it wants to be near, correct the labels, or make the rule preferred.
    /// ## Source
    /// pkg/scheduler/framework/plugins/interpodaffinity/filtering.go.
    PodAffinityUnsatisfied, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (blockers(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::PodAffinityUnsatisfied, Blocker::PodAffinity) else {
        return Ok(Vec::new());
    };
    let edit = edit_template(case)?;
    let mut worst: Option<(String, String, Vec<String>, bool)> = None;
    for term in affinity_terms(pod) {
        let Some(wanted) = selector(term) else { continue };
        let found = selected(case, term)?;
        let known = !matches!(found, crate::reader::Read::Unreadable);
        let placed: Vec<String> = found
            .found()
            .unwrap_or_default()
            .iter()
            .filter(|other| pods::occupies(other).is_some())
            .map(|other| format!("{} on {}", path(other), pods::node_name(other).unwrap_or_default()))
            .collect();
        if worst.as_ref().is_none_or(|(_, _, fewest, _)| placed.len() < fewest.len()) {
            worst = Some((wanted.to_string(), term.topology_key.clone(), placed, known));
        }
    }
    let Some((wanted, topology, placed, known)) = worst else {
        let finding = finding
            .confidence(Confidence::Likely)
            .title(text!["No node is near the pods that Pod ", name(case.reference().path()), " must be near"])
            .explain(text![
                "The pod has a required affinity to other pods, and no suitable node is in the same \
            domain as one of them."
            ])
            .fix(Fix::disruptive(text!["correct the pod affinity, or make it preferred"]).command(edit));
        return Ok(blockers.finish(finding));
    };
    let hint = if placed.is_empty() && known { nearest_label(case, &wanted)? } else { None };
    let there = match (placed.is_empty(), known) {
        (_, false) => text!["Which pods have it could not be read."],
        (true, true) => text!["No running pod has it in the namespaces the rule looks at."],
        (false, true) => {
            text!["Such pods are ", Text::names(placed.clone(), 3), ", and no node in their domain takes this pod."]
        }
    };
    let finding = finding
        .title(text![
            "No suitable node is near a pod with ",
            name(wanted.clone()),
            ", which Pod ",
            name(case.reference().path()),
            " requires"
        ])
        .explain(text![
            "The pod must share the domain ",
            name(topology.clone()),
            " with a pod labelled ",
            name(wanted.clone()),
            ". ",
            there,
        ])
        .evidence(case.field(
            ".spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution",
            format!("{wanted}, topologyKey {topology}"),
        ))
        .evidence(hint.as_ref().map(|(who, has)| {
            Evidence::field(&ObjectRef::new(Kind::Pod, case.namespace(), who), ".metadata.labels", has.clone())
        }));
    let meant = hint.map(|(_, has)| text![": did you mean ", name(has), "?"]);
    let start = Fix::safe(text!["start the pods it has to be near, or see where they are"])
        .command(case.kubectl(["get", "pods", "-o", "wide", "-l", &wanted]));
    let correct =
        Fix::disruptive(text!["correct the pod affinity in the template, or make it preferred", meant]).command(edit);
    Ok(blockers.finish(finding.fix(start).fix(correct)))
}

/// A pod of the namespace whose label is nearly the wanted one.
fn nearest_label(case: &Case<'_>, wanted: &str) -> Result<Option<(String, String)>, crate::reader::Needs> {
    let all = or_none(case.list::<Pod>(case.namespace(), Filter::All))?;
    let labels: Vec<(String, String)> = all
        .iter()
        .filter(|pod| pod.metadata.name.as_deref() != Some(case.name()))
        .flat_map(|pod| {
            let who = pod.metadata.name.clone().unwrap_or_default();
            pod.metadata.labels.iter().flatten().map(move |(key, value)| (who.clone(), format!("{key}={value}")))
        })
        .collect();
    let nearest = crate::nearest::nearest(wanted, labels.iter().map(|(_, label)| label.as_str()));
    Ok(nearest.and_then(|nearest| labels.into_iter().find(|(_, label)| *label == nearest)))
}
