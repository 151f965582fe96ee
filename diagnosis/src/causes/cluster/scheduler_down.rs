//! `scheduler-down`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// To be written.
    SchedulerDown, stage Cluster, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
