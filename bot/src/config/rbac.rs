//! `[rbac]`.

use serde::{Deserialize, Serialize};

/// `[rbac]` as written.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawRbac {
    secrets: bool,
}

/// What the bot's role may contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rbac {
    /// Whether Secrets may be asked for: their metadata, never their data.
    pub secrets: bool,
}

pub(super) fn resolve(raw: &RawRbac) -> Rbac {
    Rbac { secrets: raw.secrets }
}
