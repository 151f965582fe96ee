//! `evicted-memory`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// Node pressure; which signal, threshold, pod's use against its request.
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    EvictedMemory, stage Memory, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
