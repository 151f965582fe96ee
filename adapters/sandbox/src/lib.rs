//! An embedded Kubernetes API.
#![warn(missing_docs)]

mod clock;

pub mod discovery;
pub mod patch;
pub mod resources;
pub mod status;
pub mod table;

pub use clock::Clock;
pub use status::Status;
