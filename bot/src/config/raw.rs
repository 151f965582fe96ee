//! The settings as written: what a key is called, of which type it is, and what it is where nothing is written.

use serde::{Deserialize, Serialize};

pub use super::access::{RawAccess, RawGroup, RawPerson};
pub use super::channels::RawChannel;
pub use super::clusters::RawCluster;
pub use super::discord::RawDiscord;
pub use super::http::RawHttp;
pub use super::later::{RawLater, RawMatch, RawRoute};
pub use super::limits::RawLimits;
pub use super::log::RawLog;
pub use super::rbac::RawRbac;
pub use super::remediation::{RawAllow, RawRemediation};
pub use super::secret::RawSecret;
pub use super::slack::RawSlack;
pub use super::store::RawStore;

/// The whole file as written. Serialized, secrets are `"<set>"`.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Raw {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) slack: Option<RawSlack>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) discord: Option<RawDiscord>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) clusters: Vec<RawCluster>,
    pub(super) store: RawStore,
    pub(super) http: RawHttp,
    pub(super) access: RawAccess,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) channels: Vec<RawChannel>,
    pub(super) log: RawLog,
    pub(super) limits: RawLimits,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) routes: Vec<RawRoute>,
    pub(super) remediation: RawRemediation,
    pub(super) rbac: RawRbac,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) notify: Option<RawLater>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) recorder: Option<RawLater>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registry: Option<RawLater>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) prometheus: Option<RawLater>,
}

impl Raw {
    /// Slack's slash command, also where there is no section for Slack yet.
    pub(crate) fn slack_command(&self) -> &str {
        self.slack.as_ref().map_or(super::slack::COMMAND, |slack| slack.command.as_str())
    }

    /// It as TOML, secrets as `"<set>"`.
    ///
    /// # Errors
    /// Where a value cannot be written as TOML; none of these cannot.
    pub fn to_toml(&self) -> Result<String, String> {
        toml::to_string(self).map_err(|error| error.to_string())
    }
}
