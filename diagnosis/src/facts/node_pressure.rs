//! A node that runs low: its own condition, and pods that its kubelet refused because of it.

use k8s_openapi::api::core::v1::{Node, NodeCondition, Pod};
use kubewhy_text::{Text, name, own, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::Code;
use crate::facts::{evictions, node_state};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::eviction::{self, Pressure, Status, Use};
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::{Needs, Read};

/// The condition of the subject that says so now.
pub(crate) fn now<'n>(node: &'n Node, type_: &str) -> Option<&'n NodeCondition> {
    node_state::condition(node, type_).filter(|condition| condition.status == "True")
}

/// The start of the finding on a node.
pub(crate) fn start(case: &Case<'_>, node: &Node, condition: &NodeCondition, code: Code) -> Finding {
    case.finding(code)
        .root(node_state::reference(node))
        .evidence(node_state::evidence(node, condition))
        .since(node_state::since(condition))
}

/// Pods that were evicted from the node for it within the hour, each with its kubelet's words: mostly the one that took it.
///
/// # Errors
/// [`Needs`] where the pods have not been asked yet.
pub(crate) fn evicted(case: &Case<'_>, node: &Node, wanted: Pressure) -> Result<Vec<Evicted>, Needs> {
    // Pods that have ended are on no list of a node's pods; critical ones are not evicted.
    let namespaces = node_state::namespaces_on(case, node_state::name_of(node))?;
    let open = namespaces.iter().filter(|namespace| *namespace != "kube-system");
    let asked: Vec<_> = open.map(|namespace| case.list::<Pod>(Some(namespace), Filter::All)).collect();
    let mut all = Vec::new();
    for read in asked {
        all.extend(read?.found().unwrap_or_default());
    }
    let recent = |pod: &Pod| pods::newest_time(pod).is_some_and(|at| case.age(at) < node_state::RECENT);
    let on_node = all.iter().filter(|pod| pods::node_name(pod) == Some(node_state::name_of(node)) && recent(pod));
    let mut found: Vec<Evicted> = on_node
        .filter_map(|pod| {
            let Status::NodeLow { pressure, users, .. } = eviction::of(pod)? else { return None };
            let meta = &pod.metadata;
            let name = meta.name.as_deref().unwrap_or_default();
            let reference = ObjectRef::new(Kind::Pod, meta.namespace.as_deref(), name);
            let most = users.into_iter().max_by_key(|one| Amount::parse(&one.used));
            let message = pods::status(pod).and_then(|status| status.message.clone()).unwrap_or_default();
            (pressure == wanted).then_some(Evicted { pod: reference, most, message })
        })
        .collect();
    found.sort_by_key(|one| std::cmp::Reverse(one.most.as_ref().and_then(|most| Amount::parse(&most.used))));
    Ok(found)
}

/// A pod that was evicted.
#[derive(Debug)]
pub(crate) struct Evicted {
    /// The pod.
    pub(crate) pod: ObjectRef,
    most: Option<Use>,
    message: String,
}

impl Evicted {
    /// The kubelet's words.
    pub(crate) fn evidence(&self) -> Evidence {
        Evidence::field(&self.pod, ".status", format!("reason Evicted, message: {}", self.message.trim()))
    }
}

/// Those pods in a sentence.
pub(crate) fn told(evicted: &[Evicted]) -> Option<Text> {
    let first = evicted.first()?;
    let mut sentence = text!["Evicted from it so far: "];
    for (index, one) in evicted.iter().take(3).enumerate() {
        if index > 0 {
            sentence.push(", ");
        }
        sentence.push(name(one.pod.path()));
        if let Some(most) = &one.most {
            let show = |amount: &str| Amount::parse(amount).map_or_else(|| amount.to_owned(), |it| it.show("memory"));
            sentence.push(text![
                " (",
                name(most.who.clone()),
                " used ",
                own(show(&most.used)),
                ", requested ",
                own(show(&most.request)),
                ")"
            ]);
        }
    }
    let more = evicted.len().saturating_sub(3);
    if more > 0 {
        sentence.push(text![" and ", more, " more"]);
    }
    sentence.push(".");
    (!first.pod.name.is_empty()).then_some(sentence)
}

/// The pressures for which the kubelet refused the pod, where it did.
pub(crate) fn refused_for(case: &Case<'_>) -> Vec<String> {
    match case.pod().and_then(eviction::of) {
        Some(Status::UnderPressure { conditions }) => conditions,
        _ => Vec::new(),
    }
}

/// Tells whether the node of the pod still is under one of these pressures.
///
/// # Errors
/// [`Needs`] where the node has not been asked yet.
pub(crate) fn lasts(case: &Case<'_>, conditions: &[String]) -> Result<bool, Needs> {
    let Read::Found(node) = case.node()? else { return Ok(false) };
    Ok(conditions.iter().any(|condition| now(&node, condition).is_some()))
}

/// A pod that was refused under that pressure, where the node does not show it any more or cannot be read: then the pod's
/// own status is all there is.
///
/// # Errors
/// [`Needs`] where the node has not been asked yet.
pub(crate) fn of_refused_pod(case: &Case<'_>, type_: &'static str, code: Code, what: &'static str) -> Verdict {
    let conditions = refused_for(case);
    // The first of several speaks.
    if conditions.first().is_none_or(|first| first != type_) || lasts(case, &conditions)? {
        return Ok(Vec::new());
    }
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let over = match case.node()? {
        Read::Found(_) => Some(text!["The node has recovered since: a new pod may start there."]),
        Read::Absent | Read::Unreadable => None,
    };
    Ok(vec![
        case.finding(code)
            .root(ObjectRef::new(Kind::Node, None, node))
            .title(text!["Node ", name(node), " was short of ", what, " (", name(type_), ") and refused the pod"])
            .explain(text![
                "While node ",
                name(node),
                " is short of ",
                what,
                " its kubelet takes no new pods",
                if type_ == "MemoryPressure" { " that request nothing" } else { "" },
                ", and refuses its own after a restart. The pod itself did nothing wrong."
            ])
            .also(over)
            .evidence(evictions::message(case))
            .since(case.pod().and_then(pods::newest_time))
            .fix(
                Fix::safe(text!["see what takes the ", what, " of node ", name(node)])
                    .command(case.kubectl_cluster(["describe", "node", node])),
            )
            .fix(evictions::clean_up(case)),
    ])
}
