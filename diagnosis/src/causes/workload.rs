//! Causes of the stage "workload".

pub(crate) mod cpu_throttled;
pub(crate) mod cronjob_not_running;
pub(crate) mod frequent_restarts;
pub(crate) mod hpa_at_maximum;
pub(crate) mod hpa_missing_requests;
pub(crate) mod hpa_no_metrics;
pub(crate) mod hpa_target_invalid;
pub(crate) mod ingress_backend_missing;
pub(crate) mod job_deadline_exceeded;
pub(crate) mod job_failed;
pub(crate) mod load_balancer_pending;
pub(crate) mod network_policy_blocks;
pub(crate) mod pdb_blocks_eviction;
pub(crate) mod resource_not_ready;
pub(crate) mod rollout_paused;
pub(crate) mod rollout_stalled;
pub(crate) mod scaled_to_zero;
pub(crate) mod service_no_endpoints;
pub(crate) mod statefulset_blocked;
