//! `liveness-probe-killing`.

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::kills::explained;
use crate::parse::probe::ProbeKind;

cause! {
    /// ## What it means
    /// The container does not crash by itself: its own liveness probe fails, and for that the kubelet kills it and starts
    /// it again.
    /// ## Signals
    /// Event `Unhealthy` `Liveness probe failed: ...`, then `Killing` `Container C failed liveness probe, will be restarted`; the
    /// container ends with 137 (it ignored SIGTERM), 143, 0 or a code of the app's own.
    /// ## Look-alikes
    /// `app-error`, `terminated-externally`, `process-completed`: the same exit codes without such a kill. `oom-limit`: 137 with
    /// reason `OOMKilled`. `probe-misconfigured`: the probe asks the wrong thing. `startup-probe-killing`: the other probe.
    /// ## Fixes
    /// Find out why the app stopped to answer; give a slow start a startup probe and slow answers more time.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_manager.go, computePodActions
    LivenessProbeKilling, stage Probe, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    explained(case, Code::LivenessProbeKilling, ProbeKind::Liveness)
}
