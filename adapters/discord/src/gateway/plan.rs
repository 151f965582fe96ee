//! Where the gateway is, and how many sessions Discord still grants.

use std::time::Duration;

use serde::Deserialize;
use url::Url;

use crate::api::{Api, Call, Failure};

/// What Discord says about its gateway.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Plan {
    url: String,
    #[serde(default)]
    pub(crate) session_start_limit: Option<Sessions>,
}

/// The sessions that may be started.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Sessions {
    pub(crate) total: u32,
    pub(crate) remaining: u32,
    /// Milliseconds until all of them may be started again.
    pub(crate) reset_after: u64,
}

/// Asks Discord.
pub(crate) async fn probe(api: &Api) -> Result<Plan, Failure> {
    match api.call(Call::get("gateway/bot", "ask where the gateway is")).await {
        // A proxy may know no more than the address.
        Err(failure) if failure.is_absent() => api.call(Call::get("gateway", "ask where the gateway is")).await,
        answered => answered,
    }
}

impl Plan {
    /// The address of the gateway; without TLS only where the API has none either.
    pub(super) fn url(&self, plain: bool) -> Result<&str, &'static str> {
        let url = Url::parse(&self.url).map_err(|_| "the address of the gateway is none")?;
        match url.scheme() {
            "wss" => Ok(&self.url),
            "ws" if plain => Ok(&self.url),
            "ws" => Err("the gateway would get the token in the clear"),
            _ => Err("the address of the gateway is none of a websocket"),
        }
    }
}

impl Sessions {
    pub(super) fn used(&self) -> u32 {
        self.total.saturating_sub(self.remaining)
    }

    pub(super) fn reset_after(&self) -> Duration {
        Duration::from_millis(self.reset_after)
    }
}

#[cfg(test)]
mod tests {
    use super::Plan;

    fn url(url: &str, plain: bool) -> bool {
        Plan { url: url.to_owned(), session_start_limit: None }.url(plain).is_ok()
    }

    #[test]
    fn the_token_never_goes_to_a_gateway_in_the_clear() {
        assert!(url("wss://gateway.discord.gg", false));
        assert!(!url("ws://gateway.discord.gg", false));
        assert!(url("ws://127.0.0.1:8080", true));
        assert!(!url("http://127.0.0.1:8080", true));
        assert!(!url("", true));
    }
}
