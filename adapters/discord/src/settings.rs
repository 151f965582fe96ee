//! What the adapter needs to know to start.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

/// How the bot reaches Discord.
#[derive(Clone)]
pub struct Settings {
    /// The bot's token, without `Bot ` before it.
    pub token: SecretString,
    /// The ids of the servers (guilds) that it serves; with none, all that it was invited to.
    pub guilds: Vec<u64>,
    /// Where the API is: `https://discord.com/api`. Another address serves tests and egress proxies, `http` only on loopback.
    pub api_url: String,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("guilds", &self.guilds).field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

/// Why the adapter cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscordError {
    /// The address of the API is none.
    #[error("the address of Discord's API must be an https address that ends in \"/api\", or http on loopback: {0}")]
    ApiUrl(&'static str),
    /// The token cannot be one.
    #[error("the Discord bot token is empty or has characters that no token has")]
    Token,
    /// No HTTP client could be made.
    #[error("failed to set up the client for Discord: {0}")]
    Client(String),
}

impl Settings {
    /// The token as it is sent: a person may have pasted it with the word that goes before it.
    pub(crate) fn bare_token(&self) -> Result<SecretString, DiscordError> {
        let token = self.token.expose_secret().trim();
        let bare = token.strip_prefix("Bot").filter(|rest| rest.is_empty() || rest.starts_with(' '));
        let token = bare.unwrap_or(token).trim();
        if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(DiscordError::Token);
        }
        Ok(SecretString::from(token.to_owned()))
    }

    /// The address without a slash at its end.
    pub(crate) fn base(&self) -> Result<String, DiscordError> {
        let base = self.api_url.trim().trim_end_matches('/');
        // Which version is spoken is not the configuration's to say; the one that is may stand there.
        let base = base.strip_suffix("/v10").unwrap_or(base);
        let url = Url::parse(base).map_err(|_| DiscordError::ApiUrl("it is no address"))?;
        let loopback = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => return Err(DiscordError::ApiUrl("it has no host")),
        };
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(DiscordError::ApiUrl("the token would cross the network in the clear")),
            _ => return Err(DiscordError::ApiUrl("its scheme is neither https nor http")),
        }
        if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return Err(DiscordError::ApiUrl("it holds more than host and path"));
        }
        if !url.path().ends_with("/api") {
            return Err(DiscordError::ApiUrl("its path does not end in \"/api\""));
        }
        Ok(base.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::{DiscordError, Settings};

    fn settings(token: &str, api_url: &str) -> Settings {
        Settings { token: token.to_owned().into(), guilds: vec![1], api_url: api_url.to_owned() }
    }

    #[test]
    fn the_address_is_https_or_on_loopback() {
        for good in
            ["https://discord.com/api", "https://proxy.example/x/api/", "http://127.0.0.1:80/api", "http://[::1]/api"]
        {
            assert!(settings("t", good).base().is_ok(), "{good}");
        }
        assert_eq!(settings("t", "https://discord.com/api/v10/").base().as_deref(), Ok("https://discord.com/api"));
        for bad in [
            "http://discord.com/api",
            "https://discord.com",
            "https://discord.com/api/v9",
            "ftp://x/api",
            "discord.com/api",
            "https://me:secret@discord.com/api",
            "https://discord.com/api?x=/api",
            "",
        ] {
            assert!(matches!(settings("t", bad).base(), Err(DiscordError::ApiUrl(_))), "{bad}");
        }
    }

    #[test]
    fn a_token_is_taken_with_and_without_its_word() {
        for written in ["abc.def", " Bot abc.def\n", "abc.def "] {
            assert_eq!(settings(written, "").bare_token().unwrap().expose_secret(), "abc.def");
        }
        for written in ["", "Bot ", "a b", "a\nb", "ä"] {
            assert!(matches!(settings(written, "").bare_token(), Err(DiscordError::Token)), "{written:?}");
        }
    }

    #[test]
    fn a_token_is_not_shown() {
        assert!(!format!("{:?}", settings("abc.def", "https://discord.com/api")).contains("abc"));
    }
}
