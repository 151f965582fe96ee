//! Causes of the stage "memory".

pub(crate) mod deadline_exceeded;
pub(crate) mod evicted_by_drain;
pub(crate) mod evicted_by_taint;
pub(crate) mod evicted_disk;
pub(crate) mod evicted_ephemeral_limit;
pub(crate) mod evicted_memory;
pub(crate) mod evicted_pids;
pub(crate) mod heap_exhausted;
pub(crate) mod hugepages_unavailable;
pub(crate) mod jvm_heap_over_limit;
pub(crate) mod node_lost;
pub(crate) mod node_shutdown;
pub(crate) mod oom_child_process;
pub(crate) mod oom_limit;
pub(crate) mod oom_node;
pub(crate) mod pod_resize_pending;
pub(crate) mod rejected_by_kubelet;
