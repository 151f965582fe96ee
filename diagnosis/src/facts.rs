//! Facts that several causes of a stage share: read and sorted out once, so that exactly one of them speaks.

pub(crate) mod capacity;
pub(crate) mod claims;
pub(crate) mod departure;
pub(crate) mod ends;
pub(crate) mod evictions;
pub(crate) mod finalizers;
pub(crate) mod flaws;
pub(crate) mod hooks;
pub(crate) mod kills;
pub(crate) mod managers;
pub(crate) mod manifest;
pub(crate) mod mounts;
pub(crate) mod nodes;
pub(crate) mod owner;
pub(crate) mod peers;
pub(crate) mod probes;
pub(crate) mod pull;
pub(crate) mod references;
pub(crate) mod refusal;
pub(crate) mod sandbox;
pub(crate) mod start;
pub(crate) mod template;
pub(crate) mod volumes;
pub(crate) mod waits;
pub(crate) mod webhook;
