//! `node-selector-mismatch`.

use std::collections::BTreeMap;

use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::capacity::advice::edit_template;
use crate::facts::capacity::blockers::{Blocker, Blockers};
use crate::facts::capacity::matching::label;
use crate::facts::capacity::sites::{Block, Site};
use crate::finding::{Confidence, Evidence, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// The pod's `nodeSelector` asks for labels that no suitable node has, so no node is a candidate.
    /// ## Signals
    /// Condition `PodScheduled` False `Unschedulable`: `node(s) didn't match Pod's node affinity/selector` (older:
    /// `didn't match node selector`), with a `spec.nodeSelector` whose labels are absent or have another value.
    /// ## Look-alikes
    /// `node-affinity-mismatch`: the same text, and the rule stands in `affinity.nodeAffinity`. `untolerated-taint` and
    /// `cluster-out-of-capacity`: the selected nodes are there, and tainted or full; nodes that the selector leaves
    /// out are no fault then. `volume-node-affinity-conflict`: the selected node cannot reach the pod's volume.
    /// ## Fixes
    /// Correct the selector in the template, or label a node.
    /// ## Source
    /// pkg/scheduler/framework/plugins/nodeaffinity/node_affinity.go.
    NodeSelectorMismatch, stage Scheduling, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let (Some(blockers), Some(pod)) = (obstacles(case)?, case.pod()) else { return Ok(Vec::new()) };
    let Some(finding) = blockers.start(case, Code::NodeSelectorMismatch, Blocker::Selector) else {
        return Ok(Vec::new());
    };
    let empty = BTreeMap::new();
    let selector = pods::spec(pod).and_then(|spec| spec.node_selector.as_ref()).unwrap_or(&empty);
    let edit = edit_template(case)?;
    let sites: Vec<&Site> = blockers.known().map(|sites| sites.all.iter().collect()).unwrap_or_default();
    let near = nearest_node(&blockers);
    let missing: Vec<(String, String)> = match near {
        Some(site) => unmet(site),
        None => selector.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
    };
    let pairs = || missing.iter().map(|(key, value)| format!("{key}={value}"));
    let meant = missing.iter().find_map(|(key, value)| meant(&sites, key, value));
    let finding =
        finding
            .title(if near.is_some() {
                text![
                    "No suitable node has the label ",
                    Text::names(pairs(), 3),
                    " that Pod ",
                    name(case.reference().path()),
                    " asks for"
                ]
            } else {
                text![
                    "No node matches the nodeSelector of Pod ",
                    name(case.reference().path()),
                    ": ",
                    Text::names(pairs(), 3)
                ]
            })
            .explain(text![
                "The pod's nodeSelector lets it run only on nodes with ",
                Text::names(selector.iter().map(|(key, value)| format!("{key}={value}")), 5),
                ". ",
                values(&sites, &missing),
            ])
            .also(meant.as_ref().map(|(node, has)| {
                text!["Node ", name(node.clone()), " has ", name(has.clone()), ", which may be what is meant."]
            }))
            .also(near.filter(|_| meant.is_none()).map(|site| {
                text!["Node ", name(site.name()), " comes nearest: it lacks ", Text::names(pairs(), 3), "."]
            }))
            .evidence(case.field(".spec.nodeSelector", show(selector)))
            .evidence(meant.as_ref().map(|(node, has)| {
                Evidence::field(&ObjectRef::new(Kind::Node, None, node), ".metadata.labels", has.clone())
            }));
    let rename = meant.as_ref().map(|(_, has)| {
        Fix::disruptive(text![
            "name in the nodeSelector a label that nodes have: did you mean ",
            name(has.clone()),
            "?"
        ])
        .command(edit.clone())
    });
    let label = near.zip(missing.first()).map(|(site, _)| {
        let mut words = vec!["label".to_owned(), "node".to_owned(), site.name().to_owned()];
        words.extend(pairs());
        // A label that is there with another value is not replaced without being asked for.
        if missing.iter().any(|(key, _)| label(&site.node, key).is_some()) {
            words.push("--overwrite".to_owned());
        }
        Fix::safe(text!["or label a node that is meant, such as ", name(site.name())])
            .command(case.kubectl_cluster(words))
    });
    let correct =
        meant.is_none().then(|| Fix::disruptive(text!["correct the nodeSelector in the template"]).command(edit));
    let show = sites.is_empty().then(|| {
        Fix::safe(text!["see which labels the nodes have"]).command(case.kubectl_cluster([
            "get",
            "nodes",
            "--show-labels",
        ]))
    });
    let finding = if near.is_some() { finding } else { finding.confidence(Confidence::Likely) };
    Ok(blockers.finish(finding.fix(rename).fix(show).fix(correct).fix(label)))
}

/// The obstacles, if the selector is one.
fn obstacles(case: &Case<'_>) -> Result<Option<Blockers>, crate::reader::Needs> {
    Ok(crate::facts::capacity::blockers::blockers(case)?.filter(|blockers| blockers.has(Blocker::Selector)))
}

/// The node with the fewest unmet labels; ready workers before others.
fn nearest_node(blockers: &Blockers) -> Option<&Site> {
    let sites = blockers.nodes_with(|block| matches!(block, Block::Selector(..)));
    sites.into_iter().min_by_key(|site| (unmet(site).len(), site.blocks.len(), site.name().to_owned()))
}

fn unmet(site: &Site) -> Vec<(String, String)> {
    let blocks = site.blocks.iter().filter_map(|block| match block {
        Block::Selector(key, value) => Some((key.clone(), value.clone())),
        _ => None,
    });
    blocks.collect()
}

/// A label of a node that is nearly the wanted one: the node, and `key=value`.
fn meant(sites: &[&Site], key: &str, value: &str) -> Option<(String, String)> {
    let labels = || {
        sites.iter().flat_map(|site| {
            site.node
                .metadata
                .labels
                .iter()
                .flatten()
                .map(move |(key, value)| (site.name(), key.as_str(), value.as_str()))
        })
    };
    let found = |(node, key, value): (&str, &str, &str)| (node.to_owned(), format!("{key}={value}"));
    // The right key with nearly the right value, then nearly the right key, then another key with this very value.
    let values: Vec<&str> = labels().filter(|(_, other, _)| *other == key).map(|(_, _, value)| value).collect();
    if let Some(nearest) = crate::nearest::nearest(value, values.iter().copied()) {
        return labels().find(|(_, other, has)| *other == key && *has == nearest).map(found);
    }
    let keys: Vec<&str> = labels().map(|(_, other, _)| other).filter(|other| *other != key).collect();
    let nearest = crate::nearest::nearest(key, keys).filter(|_| values.is_empty());
    let by_key = nearest.and_then(|nearest| {
        let exact = labels().find(|(_, other, has)| *other == nearest && *has == value);
        exact.or_else(|| labels().find(|(_, other, _)| *other == nearest))
    });
    let long_enough = value.len() > 3 && value != "true" && value != "false";
    by_key.or_else(|| labels().find(|(_, other, has)| long_enough && *other != key && *has == value)).map(found)
}

/// What the nodes have under the missing keys.
fn values(sites: &[&Site], missing: &[(String, String)]) -> Text {
    let Some((key, _)) = missing.first() else { return text!["No node has all of them."] };
    if sites.is_empty() {
        return text!["No node has all of them."];
    }
    let mut values: Vec<&str> = sites.iter().filter_map(|site| label(&site.node, key)).collect();
    values.sort_unstable();
    values.dedup();
    if values.is_empty() {
        return text!["No node has a label ", name(key.clone()), " at all."];
    }
    text!["Nodes have for ", name(key.clone()), ": ", Text::names(values, 6), "."]
}

fn show(selector: &BTreeMap<String, String>) -> String {
    selector.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}
