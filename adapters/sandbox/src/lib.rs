//! An embedded Kubernetes API.
#![warn(missing_docs)]

pub mod resources;
