//! `evicted-memory`.

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::evicted;
use crate::parse::eviction::Pressure;

cause! {
    /// ## What it means
    /// The node ran low on memory, and its kubelet ended this pod to save the others: it takes first who uses more than it
    /// has requested.
    /// ## Signals
    /// Pod failed with reason `Evicted` and `The node was low on resource: memory. Threshold quantity: Q, available: A. Container
    /// C was using U, request is R, has larger consumption of memory.`; condition `DisruptionTarget` `TerminationByKubelet`.
    /// ## Look-alikes
    /// `oom-limit`: killed by the kernel at its own limit. `oom-node`: killed by the kernel because the node was out of
    /// memory. `rejected-by-kubelet`: refused before it ran (`Pod was rejected: The node had condition: [MemoryPressure]`).
    /// ## Fixes
    /// Request the memory that the container really uses, and set a limit; find who else uses the node's memory.
    /// ## Source
    /// pkg/kubelet/eviction/helpers.go
    EvictedMemory, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    evicted(case, Code::EvictedMemory, Pressure::Memory)
}
