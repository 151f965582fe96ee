//! `heap-exhausted`.

use crate::case::{Case, Verdict};
use crate::causes::cause;

cause! {
    /// ## What it means
    /// The runtime ran out of its own heap without the kernel killing it (Java `OutOfMemoryError: Java heap space`, Node `JavaScript heap out of memory` exit 134); heap setting against the limit.
    /// ## Signals
    /// UNWRITTEN
    /// ## Look-alikes
    /// UNWRITTEN
    /// ## Fixes
    /// UNWRITTEN
    /// ## Source
    /// UNWRITTEN
    HeapExhausted, stage Memory, since "0.1.0", detect
}

fn detect(_case: &Case<'_>) -> Verdict {
    Ok(Vec::new())
}
