//! `invalid-pod-spec`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// API validation refuses the template.
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    InvalidPodSpec, stage Admission, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
