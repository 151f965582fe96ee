//! What a metrics server serves beside the API server: what pods and nodes use. It can be read and not written.

use std::borrow::Cow;

use super::{Resource, Word};

/// The resources of `metrics.k8s.io/v1beta1`, as metrics-server 0.8 has them in its discovery.
pub(super) fn resources() -> impl Iterator<Item = Resource> {
    [("NodeMetrics", "nodes", false), ("PodMetrics", "pods", true)].into_iter().map(|(kind, plural, namespaced)| {
        Resource {
            group: "metrics.k8s.io".into(),
            version: "v1beta1".into(),
            kind: kind.into(),
            list_kind: format!("{kind}List").into(),
            plural: plural.into(),
            singular: Word::default(),
            short_names: Vec::new(),
            namespaced,
            categories: Vec::new(),
            verbs: ["get", "list"].map(Cow::Borrowed).to_vec(),
            subresources: Vec::new(),
            custom: None,
        }
    })
}
