//! `namespace-terminating`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// What remains, which finalizers, which API group cannot be discovered.
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    NamespaceTerminating, stage Terminating, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
