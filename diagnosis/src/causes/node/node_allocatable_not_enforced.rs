//! `node-allocatable-not-enforced`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// To be written.
    NodeAllocatableNotEnforced, stage Node, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
