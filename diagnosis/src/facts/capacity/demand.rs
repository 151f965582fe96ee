//! What a pod asks of a node, as the scheduler counts it.
//!
//! Source: <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/#resource-sharing-within-containers>,
//! k8s.io/component-helpers/resource `PodRequests`.

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{Container, Pod, ResourceRequirements};

use crate::parse::quantity::Amount;
use crate::pods::{self, Role};

/// Amounts by resource.
pub(crate) type Amounts = BTreeMap<String, Amount>;

/// What makes a request as large as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Maker {
    /// The containers that run side by side; the one that asks for most.
    Together(Option<String>),
    /// An init container that runs before them and asks for more than they do together.
    Init(String),
    /// The pod's own request.
    Pod,
}

/// What a pod asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Demand {
    /// How much of each resource; one of `pods`.
    pub(crate) amounts: Amounts,
}

impl Demand {
    /// The effective request of a pod.
    pub(crate) fn of(pod: &Pod) -> Self {
        let mut amounts: Amounts = resources(pod)
            .into_iter()
            .map(|resource| {
                let (amount, _) = effective(pod, &resource);
                (resource, amount)
            })
            .filter(|(_, amount)| *amount > Amount::ZERO)
            .collect();
        amounts.insert("pods".to_owned(), Amount::whole(1));
        Self { amounts }
    }

    /// How much of a resource.
    pub(crate) fn amount(&self, resource: &str) -> Amount {
        self.amounts.get(resource).copied().unwrap_or_default()
    }
}

/// What makes the pod's request for a resource as large as it is.
pub(crate) fn maker(pod: &Pod, resource: &str) -> Maker {
    effective(pod, resource).1
}

/// What a container asks for: its request, else its limit, which the API takes for the request.
pub(crate) fn asked(resources: Option<&ResourceRequirements>, resource: &str) -> Amount {
    let Some(resources) = resources else { return Amount::ZERO };
    Amount::in_list(resources.requests.as_ref(), resource)
        .or_else(|| Amount::in_list(resources.limits.as_ref(), resource))
        .unwrap_or_default()
}

fn resources(pod: &Pod) -> BTreeSet<String> {
    let Some(spec) = pods::spec(pod) else { return BTreeSet::new() };
    let containers = spec.containers.iter().chain(spec.init_containers.iter().flatten());
    let requirements = containers.filter_map(|container| container.resources.as_ref()).chain(spec.resources.as_ref());
    let listed = requirements.flat_map(|it| it.requests.iter().chain(&it.limits)).flat_map(BTreeMap::keys);
    listed.chain(spec.overhead.iter().flat_map(BTreeMap::keys)).cloned().collect()
}

fn effective(pod: &Pod, resource: &str) -> (Amount, Maker) {
    let Some(spec) = pods::spec(pod) else { return (Amount::ZERO, Maker::Pod) };
    let overhead = Amount::in_list(spec.overhead.as_ref(), resource).unwrap_or_default();
    let whole = asked(spec.resources.as_ref(), resource);
    if whole > Amount::ZERO {
        return (whole + overhead, Maker::Pod);
    }
    let of = |container: &Container| asked(container.resources.as_ref(), resource);
    let (mut sidecars, mut together, mut most) = (Amount::ZERO, Amount::ZERO, None::<(Amount, &str)>);
    let mut init = None::<(Amount, &str)>;
    for view in pods::containers(pod) {
        let amount = of(view.spec);
        match view.role {
            Role::Sidecar => {
                sidecars = sidecars + amount;
                // It stands beside the sidecars that were started before it.
                together = together + amount;
            }
            Role::Init => {
                let amount = amount + sidecars;
                if init.is_none_or(|(largest, _)| amount > largest) {
                    init = Some((amount, view.name()));
                }
                continue;
            }
            Role::Main => together = together + amount,
        }
        if amount > Amount::ZERO && most.is_none_or(|(largest, _)| amount > largest) {
            most = Some((amount, view.name()));
        }
    }
    match init {
        Some((amount, name)) if amount > together => (amount + overhead, Maker::Init(name.to_owned())),
        _ => (together + overhead, Maker::Together(most.map(|(_, name)| name.to_owned()))),
    }
}

/// Tells whether a resource is one that a device plugin offers: `vendor.example/thing`.
pub(crate) fn is_extended(resource: &str) -> bool {
    resource.split_once('/').is_some_and(|(domain, _)| !domain.ends_with("kubernetes.io"))
}

/// Tells whether a resource is huge pages.
pub(crate) fn is_hugepages(resource: &str) -> bool {
    resource.starts_with("hugepages-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_largest_of_init_and_main_counts_and_sidecars_stand_beside_both() {
        let pod: Pod = serde_json::from_value(json!({"spec": {
            "overhead": {"cpu": "100m"},
            "initContainers": [
                {"name": "mesh", "restartPolicy": "Always", "resources": {"requests": {"cpu": "500m"}}},
                {"name": "warmup", "resources": {"requests": {"cpu": "6"}}}],
            "containers": [{"name": "app", "resources": {"requests": {"cpu": "1"}, "limits": {"nvidia.com/gpu": "1"}}}]}}))
        .expect("a pod");
        let demand = Demand::of(&pod);
        assert_eq!(demand.amount("cpu").show("cpu"), "6600m");
        assert_eq!(maker(&pod, "cpu"), Maker::Init("warmup".to_owned()));
        assert_eq!(demand.amount("nvidia.com/gpu"), Amount::whole(1));
        assert_eq!(maker(&pod, "nvidia.com/gpu"), Maker::Together(Some("app".to_owned())));
        assert_eq!(demand.amount("pods"), Amount::whole(1));
    }
}
