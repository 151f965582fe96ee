//! Causes of the stage "probe".

pub(crate) mod liveness_probe_killing;
pub(crate) mod probe_misconfigured;
pub(crate) mod readiness_gate_unmet;
pub(crate) mod readiness_probe_failing;
pub(crate) mod startup_probe_killing;
