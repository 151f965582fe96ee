//! What pods and nodes use, as the resource metrics API (`metrics.k8s.io`) shows it: the last scrape, no history.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time};
use serde::{Deserialize, Serialize};

/// What the containers of a pod use.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodMetrics {
    /// Its metadata: the name is the pod's.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// When it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Time>,
    /// Over how long: `15.2s`.
    #[serde(default)]
    pub window: String,
    /// Container by container.
    #[serde(default)]
    pub containers: Vec<ContainerMetrics>,
}

/// What a container uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ContainerMetrics {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// `cpu` (average over the window) and `memory` (working set).
    #[serde(default)]
    pub usage: BTreeMap<String, Quantity>,
}

/// What a node uses.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeMetrics {
    /// Its metadata: the name is the node's.
    #[serde(default)]
    pub metadata: ObjectMeta,
    /// When it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Time>,
    /// Over how long.
    #[serde(default)]
    pub window: String,
    /// `cpu` and `memory`.
    #[serde(default)]
    pub usage: BTreeMap<String, Quantity>,
}
