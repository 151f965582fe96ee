//! `probe-misconfigured`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// Port that nothing listens on or that no container declares, path 404, exec binary missing, timing that cannot work (start-up longer than the delay, timeout 1 s, threshold 1).
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    ProbeMisconfigured, stage Probe, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
