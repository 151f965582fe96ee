//! An embedded Kubernetes API.
#![warn(missing_docs)]

mod answer;
mod call;
mod clock;
mod convert;
mod garbage;
mod handle;
mod logs;
mod object;
mod protobuf;
mod removal;
mod selector;
mod service;
mod store;
mod types;
mod verbs;

pub mod access;
pub mod defaults;
pub mod discovery;
pub mod faults;
pub mod journal;
pub mod patch;
pub mod resources;
pub mod scenario;
pub mod serve;
pub mod status;
pub mod table;

pub use access::Rule;
pub use answer::{Body, Error};
pub use call::Verb;
pub use clock::Clock;
pub use faults::{Effect, Fault, Filter};
pub use handle::Sandbox;
pub use journal::Entry;
pub use service::Service;
pub use status::Status;
