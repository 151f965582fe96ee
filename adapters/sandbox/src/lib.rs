//! An embedded Kubernetes API.
#![warn(missing_docs)]
