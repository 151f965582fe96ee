//! The diagnosis of Kubernetes failures: pure functions over evidence.

pub mod parse;
