//! Causes of the stage "workload".

pub(crate) mod cronjob_not_running;
pub(crate) mod job_deadline_exceeded;
pub(crate) mod job_failed;
pub(crate) mod rollout_paused;
pub(crate) mod rollout_stalled;
pub(crate) mod scaled_to_zero;
pub(crate) mod statefulset_blocked;
