//! Whether a node matches what a pod or a volume asks of it: tolerations, node selectors, node affinity.

use k8s_openapi::api::core::v1::{
    Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, Pod, Taint, Toleration,
};

use crate::pods;

/// Tells whether a toleration tolerates a taint.
pub(crate) fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let key = toleration.key.as_deref().unwrap_or_default();
    let effect = toleration.effect.as_deref().unwrap_or_default();
    let exists = toleration.operator.as_deref() == Some("Exists");
    let key_matches = if key.is_empty() { exists } else { key == taint.key };
    let effect_matches = effect.is_empty() || effect == taint.effect;
    let value_matches = toleration.value.as_deref().unwrap_or_default() == taint.value.as_deref().unwrap_or_default();
    key_matches && effect_matches && (exists || value_matches)
}

/// The taints of a node that keep the pod away.
pub(crate) fn untolerated<'n>(pod: &Pod, node: &'n Node) -> Vec<&'n Taint> {
    let tolerations = || pods::spec(pod).into_iter().flat_map(|spec| spec.tolerations.iter().flatten());
    let taints = node.spec.iter().flat_map(|spec| spec.taints.iter().flatten());
    taints
        .filter(|taint| matches!(taint.effect.as_str(), "NoSchedule" | "NoExecute"))
        .filter(|taint| !tolerations().any(|toleration| tolerates(toleration, taint)))
        .collect()
}

/// The required node affinity of a pod.
pub(crate) fn required_affinity(pod: &Pod) -> Option<&NodeSelector> {
    pods::spec(pod)?
        .affinity
        .as_ref()?
        .node_affinity
        .as_ref()?
        .required_during_scheduling_ignored_during_execution
        .as_ref()
}

/// The one node that a `DaemonSet` made its pod for.
pub(crate) fn pinned_node(pod: &Pod) -> Option<&str> {
    let terms = &required_affinity(pod)?.node_selector_terms;
    let field = terms.first()?.match_fields.as_ref()?.iter().find(|field| field.key == "metadata.name")?;
    field.values.as_ref()?.first().map(String::as_str)
}

/// A node's label.
pub(crate) fn label<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.metadata.labels.as_ref().and_then(|labels| labels.get(key)).map(String::as_str)
}

/// Tells whether a node matches one of the terms.
pub(crate) fn selects(selector: &NodeSelector, node: &Node) -> bool {
    selector.node_selector_terms.iter().any(|term| unmet(term, node).is_some_and(|unmet| unmet.is_empty()))
}

/// The requirements of a term that a node does not meet; `None` for a term without any, which matches no node.
pub(crate) fn unmet<'s>(term: &'s NodeSelectorTerm, node: &Node) -> Option<Vec<&'s NodeSelectorRequirement>> {
    let labels = term.match_expressions.iter().flatten();
    let fields = term.match_fields.iter().flatten();
    let name = node.metadata.name.as_deref();
    let all = labels
        .map(|requirement| (requirement, meets(requirement, label(node, &requirement.key))))
        .chain(fields.map(|requirement| (requirement, meets(requirement, name))));
    let all: Vec<_> = all.collect();
    if all.is_empty() {
        return None;
    }
    Some(all.into_iter().filter(|(_, met)| !met).map(|(requirement, _)| requirement).collect())
}

fn meets(requirement: &NodeSelectorRequirement, value: Option<&str>) -> bool {
    let values = requirement.values.as_deref().unwrap_or_default();
    let listed = value.is_some_and(|value| values.iter().any(|wanted| wanted == value));
    let number = |text: &str| text.parse::<i64>().ok();
    let bound = values.first().and_then(|bound| number(bound));
    match requirement.operator.as_str() {
        "In" => listed,
        "NotIn" => !listed,
        "Exists" => value.is_some(),
        "DoesNotExist" => value.is_none(),
        "Gt" => value.and_then(number).zip(bound).is_some_and(|(value, bound)| value > bound),
        "Lt" => value.and_then(number).zip(bound).is_some_and(|(value, bound)| value < bound),
        _ => false,
    }
}

/// A requirement as a person writes it: `zone in (a, b)`.
pub(crate) fn show(requirement: &NodeSelectorRequirement) -> String {
    let values = requirement.values.as_deref().unwrap_or_default();
    let key = &requirement.key;
    match (requirement.operator.as_str(), values) {
        ("In", [one]) => format!("{key}={one}"),
        ("In", _) => format!("{key} in ({})", values.join(", ")),
        ("NotIn", _) => format!("{key} not in ({})", values.join(", ")),
        ("Exists", _) => format!("{key} present"),
        ("DoesNotExist", _) => format!("{key} absent"),
        ("Gt", _) => format!("{key} > {}", values.join(", ")),
        ("Lt", _) => format!("{key} < {}", values.join(", ")),
        (other, _) => format!("{key} {other}"),
    }
}
