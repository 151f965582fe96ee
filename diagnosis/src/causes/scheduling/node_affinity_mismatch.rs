//! `node-affinity-mismatch`.

use k8s_openapi::api::core::v1::{NodeSelectorRequirement, Pod};
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, blockers};
use crate::facts::capacity::matching::{label, pinned_node, required_affinity, show, unmet};
use crate::facts::capacity::sites::{Block, Site};
use crate::finding::{Confidence, Finding, Fix};
use crate::reader::{Needs, Read};
use k8s_openapi::api::core::v1::Node;

cause! {
    /// ## What it means
    /// The pod's required node affinity is met by no suitable node.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) didn't match Pod's node affinity/selector`, `pod
    /// affinity terms conflict`, with `affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`. The
    /// terms are alternatives; within a term all requirements must hold. For a DaemonSet's pod whose node is gone all
    /// nodes read `node(s) didn't satisfy plugin(s) [NodeAffinity]`.
    /// ## Look-alikes
    /// `node-selector-mismatch`: the same text, and the rule stands in `nodeSelector`. `pod-affinity-unsatisfied`:
    /// the rule is about other pods. `volume-node-affinity-conflict`: the rule is the volume's. A DaemonSet's pod
    /// that lacks room on its own node is `cluster-out-of-capacity`.
    /// ## Fixes
    /// Correct the rule, make it preferred instead of required, or label a node.
    /// ## Source
    /// pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
    NodeAffinityMismatch, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (blockers(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::NodeAffinityMismatch, Blocker::NodeAffinity) else {
        return Ok(Vec::new());
    };
    if let Some(pinned) = pinned_node(pod) {
        return Ok(blockers.finish(node_gone(case, finding, pinned)?));
    }
    let edit = edit_template(case)?;
    let sites: Vec<&Site> = blockers.known().map(|sites| sites.all.iter().collect()).unwrap_or_default();
    let candidates = blockers.nodes_with(|block| matches!(block, Block::Affinity));
    let near = nearest(pod, &candidates);
    let lacks: Vec<&NodeSelectorRequirement> = near.as_ref().map(|(_, lacks)| lacks.clone()).unwrap_or_default();
    let rules = rules(pod);
    let hint = lacks.iter().find_map(|requirement| meant(&sites, requirement));
    let finding = finding
        .title(if let Some(first) = lacks.first() {
            text![
                "No suitable node meets ",
                name(show(first)),
                ", which Pod ",
                name(case.reference().path()),
                " requires"
            ]
        } else {
            text!["No node meets the required node affinity of Pod ", name(case.reference().path())]
        })
        .explain(text!["The pod's required node affinity lets it run only on nodes with ", alternatives(&rules), "."])
        .also(lacks.first().map(|requirement| values(&sites, &requirement.key)))
        .also(near.as_ref().map(|(site, lacks)| {
            text![
                "Node ",
                name(site.name()),
                " comes nearest; not met there: ",
                Text::names(lacks.iter().map(|it| show(it)), 3),
                "."
            ]
        }))
        .evidence(
            case.field(
                ".spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution",
                rules.join(" or "),
            ),
        );
    let finding = if near.is_some() { finding } else { finding.confidence(Confidence::Likely) };
    let rename = hint.map(|hint| text![": did you mean ", name(hint), "?"]);
    let correct = Fix::disruptive(text!["correct the node affinity in the template", rename]).command(edit);
    let label = near.as_ref().and_then(|(site, lacks)| {
        let wanted = lacks
            .iter()
            .map(|it| Some(format!("{}={}", it.key, it.values.as_ref()?.first()?)).filter(|_| it.operator == "In"));
        let wanted: Vec<String> = wanted.collect::<Option<_>>()?;
        let mut words = vec!["label".to_owned(), "node".to_owned(), site.name().to_owned()];
        words.extend(wanted);
        Some(
            Fix::safe(text!["or label a node that is meant, such as ", name(site.name())])
                .command(case.kubectl_cluster(words)),
        )
    });
    let look = near.is_none().then(|| {
        Fix::safe(text!["see which labels the nodes have"]).command(case.kubectl_cluster([
            "get",
            "nodes",
            "--show-labels",
        ]))
    });
    Ok(blockers.finish(finding.fix(look).fix(correct).fix(label)))
}

/// A `DaemonSet`'s pod whose node left: the controller removes the pod by itself.
fn node_gone(case: &Case<'_>, finding: Finding, pinned: &str) -> Result<Finding, Needs> {
    let gone = matches!(case.get::<Node>(None, pinned)?, Read::Absent);
    let state = if gone { " does not exist" } else { " does not take it" };
    Ok(finding
        .title(text!["Pod ", name(case.reference().path()), " was made for Node ", name(pinned), ", which", state])
        .explain(text![
            "A DaemonSet makes one pod for each node. This one is meant for Node ",
            name(pinned),
            " alone, which",
            state,
            "; all other nodes are passed over.",
        ])
        .evidence(case.field(".spec.affinity.nodeAffinity", format!("metadata.name={pinned}")))
        .fix(
            Fix::safe(text!["see whether the node is there; where it is gone, the DaemonSet removes the pod"])
                .command(case.kubectl_cluster(["get", "node", pinned])),
        ))
}

/// The terms, each as a person writes it.
fn rules(pod: &Pod) -> Vec<String> {
    let terms = required_affinity(pod).into_iter().flat_map(|required| &required.node_selector_terms);
    terms
        .map(|term| {
            let all = term.match_expressions.iter().chain(&term.match_fields).flatten();
            all.map(show).collect::<Vec<_>>().join(" and ")
        })
        .collect()
}

fn alternatives(rules: &[String]) -> Text {
    let mut text = Text::default();
    for (index, rule) in rules.iter().take(4).enumerate() {
        if index > 0 {
            text.push(", or ");
        }
        text.push(name(rule.clone()));
    }
    text
}

/// The node and the term with the fewest unmet requirements.
fn nearest<'a>(pod: &'a Pod, sites: &[&'a Site]) -> Option<(&'a Site, Vec<&'a NodeSelectorRequirement>)> {
    let terms = &required_affinity(pod)?.node_selector_terms;
    let all = sites
        .iter()
        .flat_map(|site| terms.iter().filter_map(move |term| unmet(term, &site.node).map(|unmet| (*site, unmet))));
    all.min_by_key(|(site, unmet)| (unmet.len(), site.blocks.len(), site.name().to_owned()))
}

/// What the nodes have under a key.
fn values(sites: &[&Site], key: &str) -> Text {
    let mut values: Vec<&str> = sites.iter().filter_map(|site| label(&site.node, key)).collect();
    values.sort_unstable();
    values.dedup();
    if values.is_empty() {
        return text!["No node has a label ", name(key), "."];
    }
    text!["Nodes have for ", name(key), ": ", Text::names(values, 6), "."]
}

/// A value or a key of the nodes that is nearly the wanted one.
fn meant(sites: &[&Site], requirement: &NodeSelectorRequirement) -> Option<String> {
    let labels = || sites.iter().flat_map(|site| site.node.metadata.labels.iter().flatten());
    let values: Vec<&str> =
        labels().filter(|(key, _)| **key == requirement.key).map(|(_, value)| value.as_str()).collect();
    if values.is_empty() {
        return crate::nearest::nearest(&requirement.key, labels().map(|(key, _)| key.as_str()));
    }
    let wanted = requirement.values.iter().flatten();
    wanted.into_iter().find_map(|wanted| crate::nearest::nearest(wanted, values.iter().copied()))
}
