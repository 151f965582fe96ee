//! Causes of the stage "scheduling".

pub(crate) mod autoscaler_blocked;
pub(crate) mod bound_to_missing_node;
pub(crate) mod cluster_fragmented;
pub(crate) mod cluster_out_of_capacity;
pub(crate) mod extended_resource_missing;
pub(crate) mod host_port_conflict;
pub(crate) mod no_ready_nodes;
pub(crate) mod node_affinity_mismatch;
pub(crate) mod node_selector_mismatch;
pub(crate) mod nodes_cordoned;
pub(crate) mod pod_affinity_unsatisfied;
pub(crate) mod pod_anti_affinity_conflict;
pub(crate) mod preempted;
pub(crate) mod request_exceeds_largest_node;
pub(crate) mod resource_claim_failed;
pub(crate) mod scheduler_not_running;
pub(crate) mod scheduling_gated;
pub(crate) mod topology_spread_unsatisfied;
pub(crate) mod untolerated_taint;
pub(crate) mod volume_attach_limit;
pub(crate) mod volume_node_affinity_conflict;
