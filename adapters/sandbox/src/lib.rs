//! An embedded Kubernetes API.
#![warn(missing_docs)]

mod clock;

pub mod status;

pub use clock::Clock;
pub use status::Status;
