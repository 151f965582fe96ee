//! An embedded Kubernetes API: a cluster without machines that behaves like an API server 1.34.
//!
//! [`Sandbox`] is the handle. [`Sandbox::put`], [`Sandbox::remove`] and [`Sandbox::set_log`] do what controllers and
//! kubelets would; [`Sandbox::service`] is the API itself, for `kube::Client::new`, and [`serve::serve`] puts it on a
//! socket for `kubectl`. [`Sandbox::fault`] breaks it on demand, [`Sandbox::journal`] tells every write that arrived,
//! [`Sandbox::restrict`] says who may do what.
//!
//! - Every change raises one revision, the resource version of objects and lists alike; watches and pages read the last
//!   changes of their resource, and what is older is answered 410.
//! - A request is handled under one lock without a break: no answer shows half a change.
//! - The garbage collector and the namespace controller work at once after each change; other controllers are scenarios.
//! - UIDs and generated names follow from a seed: the same calls make the same cluster.
//! - Left out: server-side apply (415), and the rules of schemas beyond what this server itself relies on.
//!
//! ```
//! use kubewhy_sandbox::{Clock, Sandbox};
//! use serde_json::json;
//!
//! let sandbox = Sandbox::new(Clock::fixed("2026-01-02T03:04:05Z".parse().expect("a time")));
//! let config = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "shop"}});
//! sandbox.put(config).expect("a kind that is served");
//! let kept = sandbox.get("v1", "ConfigMap", "shop", "a").expect("what was put");
//! assert_eq!(kept["metadata"]["creationTimestamp"], "2026-01-02T03:04:05Z");
//! ```
#![warn(missing_docs)]

mod answer;
mod call;
mod clock;
mod convert;
#[cfg(test)]
mod disturbed;
mod garbage;
mod handle;
mod health;
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
