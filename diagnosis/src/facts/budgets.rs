//! Disruption budgets: which pods they guard, and how much they allow.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::ask::Selector;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::pods;

/// A budget with what it says.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    pub(crate) reference: ObjectRef,
    /// `minAvailable: 1`, `maxUnavailable: 0`.
    pub(crate) rule: String,
    pub(crate) selector: Option<Selector>,
    pub(crate) allowed: i32,
    pub(crate) healthy: i32,
    pub(crate) desired: i32,
    pub(crate) expected: i32,
    /// The controller has counted for the present specification.
    pub(crate) counted: bool,
    /// The controller could not count, in its words.
    pub(crate) failed: Option<String>,
    /// Pods that are not ready may always be evicted.
    pub(crate) always_allows_unhealthy: bool,
}

impl Budget {
    pub(crate) fn of(it: &PodDisruptionBudget) -> Self {
        let spec = it.spec.as_ref();
        let status = it.status.as_ref();
        let rule = |name: &str, value: Option<&IntOrString>| {
            value.map(|value| match value {
                IntOrString::Int(number) => format!("{name}: {number}"),
                IntOrString::String(share) => format!("{name}: {share}"),
            })
        };
        let at_least = rule("minAvailable", spec.and_then(|spec| spec.min_available.as_ref()));
        let at_most = rule("maxUnavailable", spec.and_then(|spec| spec.max_unavailable.as_ref()));
        let conditions = status.iter().flat_map(|status| status.conditions.iter().flatten());
        let failed = conditions.clone().find(|it| it.type_ == "DisruptionAllowed" && it.reason == "SyncFailed");
        let generation = it.metadata.generation.unwrap_or_default();
        Self {
            reference: ObjectRef::new(
                Kind::PodDisruptionBudget,
                it.metadata.namespace.as_deref(),
                it.metadata.name.as_deref().unwrap_or_default(),
            ),
            rule: at_least.or(at_most).unwrap_or_else(|| "minAvailable: 1".to_owned()),
            selector: spec.and_then(|spec| spec.selector.as_ref()).map(Selector::from_api),
            allowed: status.map_or(0, |status| status.disruptions_allowed),
            healthy: status.map_or(0, |status| status.current_healthy),
            desired: status.map_or(0, |status| status.desired_healthy),
            expected: status.map_or(0, |status| status.expected_pods),
            counted: status.is_some_and(|status| status.observed_generation.unwrap_or_default() >= generation),
            failed: failed.map(|condition| condition.message.clone()),
            always_allows_unhealthy: spec.and_then(|spec| spec.unhealthy_pod_eviction_policy.as_deref())
                == Some("AlwaysAllow"),
        }
    }

    /// Tells whether it guards a pod. A budget without a selector guards none.
    pub(crate) fn guards(&self, pod: &Pod) -> bool {
        let same = self.reference.namespace == pod.metadata.namespace;
        same && self.selector.as_ref().is_some_and(|selector| selector.matches(pod.metadata.labels.as_ref()))
    }

    /// It leaves no room even when every pod is well.
    pub(crate) fn is_never_open(&self) -> bool {
        self.expected > 0 && self.desired >= self.expected
    }

    /// It refuses an eviction of any pod that is well.
    pub(crate) fn refuses(&self) -> bool {
        self.counted && self.allowed == 0 && self.expected > 0
    }

    /// The numbers of its status.
    pub(crate) fn counts(&self) -> String {
        format!(
            "disruptionsAllowed {}, currentHealthy {}, desiredHealthy {}, expectedPods {}",
            self.allowed, self.healthy, self.desired, self.expected
        )
    }
}

/// The pods that a budget guards and that are not well: they use up what it allows.
pub(crate) fn unwell(guarded: &[Arc<Pod>]) -> Vec<&Arc<Pod>> {
    guarded
        .iter()
        .filter(|pod| pod.metadata.deletion_timestamp.is_none() && !pods::is_finished(pod))
        .filter(|pod| !pods::is_true(pod, "Ready"))
        .collect()
}
