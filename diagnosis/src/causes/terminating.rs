//! Causes of the stage "terminating".

pub(crate) mod namespace_terminating;
pub(crate) mod pvc_in_use;
pub(crate) mod terminating_finalizer;
pub(crate) mod terminating_ignores_sigterm;
pub(crate) mod terminating_network_teardown;
pub(crate) mod terminating_node_lost;
pub(crate) mod terminating_prestop_hook;
pub(crate) mod terminating_runtime_hung;
pub(crate) mod terminating_unobserved;
pub(crate) mod terminating_volume_busy;
