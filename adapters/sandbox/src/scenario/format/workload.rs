//! Workloads and their pods as written.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::EventText;
use crate::scenario::json::Map;
use crate::scenario::time::Time;

/// What controls pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) enum WorkloadKind {
    Deployment,
    StatefulSet,
    DaemonSet,
    Job,
    CronJob,
    Pod,
}

impl WorkloadKind {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Deployment => "Deployment",
            Self::StatefulSet => "StatefulSet",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
            Self::CronJob => "CronJob",
            Self::Pod => "Pod",
        }
    }

    pub(crate) const fn api_version(self) -> &'static str {
        match self {
            Self::Deployment | Self::StatefulSet | Self::DaemonSet => "apps/v1",
            Self::Job | Self::CronJob => "batch/v1",
            Self::Pod => "v1",
        }
    }
}

/// A workload as written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Workload {
    pub(crate) kind: WorkloadKind,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) namespace: Option<String>,
    #[serde(default)]
    pub(crate) replicas: Option<u32>,
    #[serde(default)]
    pub(crate) created: Option<Time>,
    #[serde(default)]
    pub(crate) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    /// Of the pods, besides the labels.
    #[serde(default)]
    pub(crate) pod_annotations: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) revision: Option<Revision>,
    pub(crate) pod: Map,
    #[serde(default)]
    pub(crate) pods: Option<Vec<PodEntry>>,
    #[serde(default)]
    pub(crate) spec: Map,
    #[serde(default)]
    pub(crate) metadata: Map,
    #[serde(default)]
    pub(crate) status: Map,
    #[serde(default)]
    pub(crate) conditions: Vec<Map>,
    #[serde(default)]
    pub(crate) events: Vec<EventText>,
}

/// The revision of a workload's template, and the one before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revision {
    pub(crate) number: u32,
    pub(crate) at: Time,
    #[serde(default)]
    pub(crate) before: Map,
}

/// Which revision a pod is of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PodRevision {
    #[default]
    Current,
    Before,
}

/// A pod as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PodEntry {
    pub(crate) name: Option<String>,
    pub(crate) count: Option<u32>,
    pub(crate) revision: PodRevision,
    pub(crate) node: Option<String>,
    pub(crate) created: Option<Time>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) containers: BTreeMap<String, ContainerEntry>,
    pub(crate) conditions: Vec<Map>,
    pub(crate) events: Vec<EventText>,
    pub(crate) logs: BTreeMap<String, String>,
    pub(crate) deleting: Option<Deleting>,
    pub(crate) metadata: Map,
    pub(crate) spec: Map,
    pub(crate) status: Map,
}

/// A container's state as written.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ContainerEntry {
    pub(crate) waiting: Option<Waiting>,
    pub(crate) running: Option<Running>,
    pub(crate) terminated: Option<End>,
    pub(crate) restarts: u32,
    pub(crate) last: Option<End>,
    pub(crate) ready: Option<bool>,
    pub(crate) started: Option<bool>,
    #[serde(rename = "imageID")]
    pub(crate) image_id: Option<String>,
    pub(crate) image: Option<String>,
}

/// Why a container waits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Waiting {
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) message: Option<String>,
}

/// Since when a container runs.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Running {
    #[serde(alias = "startedAt")]
    pub(crate) started: Option<Time>,
}

/// How a container ended.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct End {
    #[serde(rename = "exitCode")]
    pub(crate) exit_code: i64,
    #[serde(default)]
    pub(crate) reason: Option<String>,
    #[serde(default)]
    pub(crate) message: Option<String>,
    #[serde(default)]
    pub(crate) signal: Option<i64>,
    #[serde(default, alias = "startedAt")]
    pub(crate) started: Option<Time>,
    #[serde(default, alias = "finishedAt")]
    pub(crate) finished: Option<Time>,
}

/// A deletion that is under way.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Deleting {
    pub(crate) at: Time,
    #[serde(default = "default_grace")]
    pub(crate) grace: u32,
    #[serde(default)]
    pub(crate) finalizers: Vec<String>,
}

fn default_grace() -> u32 {
    30
}
