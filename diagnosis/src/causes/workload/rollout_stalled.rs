//! `rollout-stalled`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// A Deployment makes no progress; the new pods' own cause is the root.
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    RolloutStalled, stage Workload, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
