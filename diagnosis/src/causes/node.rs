//! Causes of the stage "node".

pub(crate) mod node_allocatable_not_enforced;
pub(crate) mod node_certificate_expired;
pub(crate) mod node_cgroup_driver_mismatch;
pub(crate) mod node_disk_pressure;
pub(crate) mod node_inotify_exhausted;
pub(crate) mod node_kubelet_down;
pub(crate) mod node_memory_pressure;
pub(crate) mod node_network_not_ready;
pub(crate) mod node_pid_pressure;
pub(crate) mod node_pleg_unhealthy;
pub(crate) mod node_problem_detected;
pub(crate) mod node_rebooted;
pub(crate) mod node_runtime_down;
