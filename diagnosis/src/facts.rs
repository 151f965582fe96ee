//! Facts that several causes of a stage share: read and sorted out once, so that exactly one of them speaks.

pub(crate) mod capacity;
pub(crate) mod claims;
pub(crate) mod credentials;
pub(crate) mod departure;
pub(crate) mod ends;
pub(crate) mod evictions;
pub(crate) mod flaws;
pub(crate) mod heap;
pub(crate) mod hooks;
pub(crate) mod kills;
pub(crate) mod lookups;
pub(crate) mod node_memory;
pub(crate) mod nodes;
pub(crate) mod peers;
pub(crate) mod probes;
pub(crate) mod pull;
pub(crate) mod references;
pub(crate) mod refusal;
pub(crate) mod services;
pub(crate) mod settings;
pub(crate) mod start;
pub(crate) mod template;
pub(crate) mod waits;
