//! `configmap-missing`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// Named object or key; nearest names offered.
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    ConfigmapMissing, stage Config, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
