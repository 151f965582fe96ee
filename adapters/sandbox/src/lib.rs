//! An embedded Kubernetes API.
#![warn(missing_docs)]

mod call;
mod clock;
mod convert;
mod garbage;
mod handle;
mod logs;
mod object;
mod removal;
mod selector;
mod store;

pub mod resources;
pub mod scenario;
pub mod status;

pub use call::Verb;
pub use clock::Clock;
pub use handle::Sandbox;
pub use status::Status;
