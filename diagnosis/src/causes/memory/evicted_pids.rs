//! `evicted-pids`.

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::evicted;
use crate::parse::eviction::Pressure;

cause! {
    /// ## What it means
    /// The node ran low on process ids, and its kubelet ended this pod to save the others.
    /// ## Signals
    /// Pod failed with reason `Evicted` and `The node was low on resource: pids. Threshold quantity: Q, available: A.`; condition
    /// `DisruptionTarget` `TerminationByKubelet`.
    /// ## Look-alikes
    /// `evicted-memory`, `evicted-disk`: the same, of another resource. `app-error`: the app itself could not start a thread
    /// (`resource temporarily unavailable`).
    /// ## Fixes
    /// Start fewer processes and threads; reap children (an init process as PID 1); limit processes with `podPidsLimit`.
    /// ## Source
    /// pkg/kubelet/eviction/helpers.go
    EvictedPids, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    evicted(case, Code::EvictedPids, Pressure::Pids)
}
