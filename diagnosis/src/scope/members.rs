//! The pods that a workload made, and what made them.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::Pod;

use super::is_owned_by;
use super::workload::{newest_set, owned};
use crate::ask::{Filter, Selector};
use crate::case::Workload;
use crate::kind::Object;
use crate::pods;
use crate::reader::{Needs, Reader};

/// The pods that a workload made, with what made them.
#[derive(Debug)]
pub(super) struct Members {
    /// The sets of a Deployment.
    pub(super) sets: Vec<Arc<ReplicaSet>>,
    /// The set of its present template.
    pub(super) newest: Option<Arc<ReplicaSet>>,
    /// The pods, oldest first.
    pub(super) pods: Vec<Arc<Pod>>,
}

/// The pods of a workload; none of a `CronJob`, whose jobs have them.
pub(super) fn members(reader: &Reader<'_>, workload: &Workload) -> Result<Members, Needs> {
    let object = workload.object();
    let namespace = object.namespace();
    let selector = workload.selector().map(Selector::from_api).filter(|selector| !selector.is_empty());
    let mut sets = Vec::new();
    let mut owners = vec![object.clone()];
    if let (Workload::Deployment(_), Some(selector)) = (workload, &selector) {
        let listed = reader.list::<ReplicaSet>(namespace, Filter::Labels(selector.clone()));
        // Asked together with the sets.
        let _ = reader.list::<Pod>(namespace, Filter::Labels(selector.clone()));
        sets = owned(listed?.found().unwrap_or_default(), &object);
        owners = sets.iter().cloned().map(Object::ReplicaSet).collect();
    }
    let listed = match selector {
        Some(selector) => reader.list::<Pod>(namespace, Filter::Labels(selector))?.found(),
        None => None,
    };
    let mut pods: Vec<Arc<Pod>> = listed
        .unwrap_or_default()
        .into_iter()
        .filter(|pod| owners.iter().any(|owner| is_owned_by(&pod.metadata, owner)))
        .collect();
    pods.sort_by_key(|pod| (pods::created(pod), pod.metadata.name.clone()));
    Ok(Members { newest: newest_set(&sets), sets, pods })
}
