//! Who takes most of a node: by what pods use, where that is measured, else by what they ask for.

use std::collections::BTreeMap;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use kubewhy_text::{Text, name, own, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::facts::node_state;
use crate::finding::{Evidence, ObjectRef};
use crate::kind::Kind;
use crate::metrics::{NodeMetrics, PodMetrics};
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::{Needs, Read};

/// How many pods are named.
const NAMED: usize = 4;

/// A pod, what it takes and what it has asked for.
#[derive(Clone, Debug)]
struct Taker {
    pod: ObjectRef,
    used: Option<Amount>,
    request: Option<Amount>,
    limit: Option<Amount>,
}

/// The heaviest pods of a node in one resource.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    resource: &'static str,
    takers: Vec<Taker>,
    measured: bool,
    node: Option<Amount>,
    allocatable: Option<Amount>,
    of_node: ObjectRef,
}

/// The load of a node in memory or local storage.
///
/// # Errors
/// [`Needs`] where the pods or the metrics have not been asked yet.
pub(crate) fn of(case: &Case<'_>, node: &Node, resource: &'static str) -> Result<Load, Needs> {
    let node_name = node_state::name_of(node);
    // Only memory and cpu are measured by the resource metrics API.
    let measurable = resource == "memory";
    let whole = if measurable { case.get::<NodeMetrics>(None, node_name) } else { Ok(Read::Unreadable) };
    let on_node = node_state::pods_on(case, node_name)?.found().unwrap_or_default();
    let namespaces = if measurable { node_state::namespaces_on(case, node_name)? } else { Vec::new() };
    let asked: Vec<_> =
        namespaces.iter().map(|namespace| case.list::<PodMetrics>(Some(namespace), Filter::All)).collect();
    let mut metrics = Vec::new();
    for read in asked {
        metrics.extend(read?.found().unwrap_or_default());
    }
    let whole = whole?;
    let used = used(&metrics, resource);
    let mut takers: Vec<Taker> = on_node.iter().map(|pod| taker(pod, &used, resource)).collect();
    let measured = takers.iter().any(|taker| taker.used.is_some());
    // What a pod uses tells; else one without a limit comes first, then what it may take.
    takers.sort_by_key(|taker| {
        let rank = if measured { taker.used } else { taker.limit.or(taker.request) };
        std::cmp::Reverse(rank.unwrap_or_default())
    });
    let allocatable = node.status.as_ref().and_then(|status| Amount::in_list(status.allocatable.as_ref(), resource));
    let node = whole.found().and_then(|metrics| metrics.usage.get(resource).map(Amount::of));
    Ok(Load { resource, takers, measured, node, allocatable, of_node: ObjectRef::new(Kind::Node, None, node_name) })
}

fn used(metrics: &[Arc<PodMetrics>], resource: &str) -> BTreeMap<(String, String), Amount> {
    metrics
        .iter()
        .map(|pod| {
            let meta = &pod.metadata;
            let key = (meta.namespace.clone().unwrap_or_default(), meta.name.clone().unwrap_or_default());
            let sum = pod.containers.iter().filter_map(|container| container.usage.get(resource)).map(Amount::of).sum();
            (key, sum)
        })
        .collect()
}

fn taker(pod: &Pod, used: &BTreeMap<(String, String), Amount>, resource: &str) -> Taker {
    let (namespace, pod_name) =
        (pod.metadata.namespace.clone().unwrap_or_default(), pod.metadata.name.clone().unwrap_or_default());
    let containers = || pods::spec(pod).into_iter().flat_map(|spec| &spec.containers);
    let sum = |pick: fn(&k8s_openapi::api::core::v1::ResourceRequirements) -> Option<&BTreeMap<String, _>>| {
        let amounts: Vec<Amount> = containers()
            .filter_map(|container| Amount::in_list(container.resources.as_ref().and_then(pick), resource))
            .collect();
        (!amounts.is_empty()).then(|| amounts.into_iter().sum::<Amount>())
    };
    let whole = containers().all(|container| {
        let limits = container.resources.as_ref().and_then(|resources| resources.limits.as_ref());
        Amount::in_list(limits, resource).is_some()
    });
    Taker {
        pod: ObjectRef::new(Kind::Pod, Some(&namespace), &pod_name),
        request: sum(|resources| resources.requests.as_ref()),
        limit: sum(|resources| resources.limits.as_ref()).filter(|_| whole),
        used: used.get(&(namespace, pod_name)).copied(),
    }
}

impl Load {
    /// The heaviest pods, in a sentence.
    pub(crate) fn sentence(&self) -> Option<Text> {
        let show = |amount: Amount| own(amount.show(self.resource));
        let named: Vec<&Taker> = self.takers.iter().take(NAMED).collect();
        if named.is_empty() {
            return None;
        }
        let mut sentence = if self.measured {
            text!["The heaviest pods: "]
        } else {
            text!["What its pods use is not measured here; by what they may take the heaviest are: "]
        };
        for (index, taker) in named.iter().enumerate() {
            if index > 0 {
                sentence.push(", ");
            }
            sentence.push(name(taker.pod.path()));
            let request = taker.request.map_or_else(|| text!["no request"], |it| text!["requests ", show(it)]);
            sentence.push(" (");
            if let Some(used) = taker.used {
                sentence.push(text!["uses ", show(used), ", "]);
            }
            sentence.push(request);
            sentence.push(taker.limit.map_or_else(|| text![", no limit"], |it| text![", limit ", show(it)]));
            sentence.push(")");
        }
        sentence.push(".");
        Some(sentence)
    }

    /// What the node as a whole uses, where it is measured.
    pub(crate) fn of_node(&self) -> Option<Text> {
        let (used, has) = (self.node?, self.allocatable?);
        Some(text![
            "The node uses ",
            own(used.show(self.resource)),
            " of the ",
            own(has.show(self.resource)),
            " that it has for pods."
        ])
    }

    /// The numbers as evidence.
    pub(crate) fn evidence(&self) -> Option<Evidence> {
        if let Some(used) = self.node {
            let metrics = ObjectRef::new(Kind::NodeMetrics, None, &self.of_node.name);
            return Some(Evidence::field(
                &metrics,
                ".usage",
                format!("{} {}", self.resource, used.show(self.resource)),
            ));
        }
        let has = self.allocatable?;
        let field = format!(".status.allocatable[{}]", self.resource);
        Some(Evidence::field(&self.of_node, &field, has.show(self.resource)))
    }

    /// The pod to look at first, where it is measured: the heaviest of those over their requests.
    pub(crate) fn heaviest(&self) -> Option<&ObjectRef> {
        let over = |taker: &&Taker| taker.used.unwrap_or_default() > taker.request.unwrap_or_default();
        self.takers.iter().filter(|_| self.measured).find(over).map(|taker| &taker.pod)
    }
}
