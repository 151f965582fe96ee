//! `evicted-disk`.

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::evictions::evicted;
use crate::parse::eviction::Pressure;

cause! {
    /// ## What it means
    /// The node ran low on disk space or inodes, and its kubelet ended this pod to save the others: it takes first who
    /// uses more than it has requested.
    /// ## Signals
    /// Pod failed with reason `Evicted` and `The node was low on resource: ephemeral-storage` (or `inodes`), with the threshold,
    /// what was left, and `Container C was using U, request is R`; condition `DisruptionTarget` `TerminationByKubelet`.
    /// ## Look-alikes
    /// `evicted-ephemeral-limit`: the pod passed its own limit, the node had room. `app-disk-full`: the app saw `no space left
    /// on device` and ended by itself. `rejected-by-kubelet`: refused before it ran.
    /// ## Fixes
    /// Write less to local disk, request and limit `ephemeral-storage`, free the disk of the node.
    /// ## Source
    /// pkg/kubelet/eviction/helpers.go
    EvictedDisk, stage Memory, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    evicted(case, Code::EvictedDisk, Pressure::Disk)
}
