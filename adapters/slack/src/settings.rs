//! What is needed to talk to Slack.

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// What is needed to talk to Slack.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The bot's token: `xoxb-...`.
    pub bot_token: SecretString,
    /// The app's token, with which sockets are opened: `xapp-...`.
    pub app_token: SecretString,
    /// Where the methods of the Web API are: `https://slack.com/api`.
    pub api_url: String,
    /// The slash command, as the app's manifest names it: `/why`.
    pub command: String,
}

/// Why Slack cannot even be tried.
#[derive(Debug, thiserror::Error)]
pub enum SlackError {
    /// A token that cannot be one.
    #[error("the {which} token {problem}")]
    Token {
        /// Which of the two.
        which: &'static str,
        /// What is wrong with it, without showing it.
        problem: &'static str,
    },
    /// The address of the API cannot be one.
    #[error("\"{url}\" is no address of an API: it has to begin with https:// or http:// and name a host")]
    ApiUrl {
        /// What was given.
        url: String,
    },
    /// The certificates of the machine could not be read.
    #[error("the certificates that this machine trusts could not be read")]
    Certificates(#[source] std::io::Error),
}

impl Settings {
    /// Looks at what can be told without a network, and reads the address of the API.
    pub(crate) fn api(&self) -> Result<Url, SlackError> {
        inspect("bot", self.bot_token.expose_secret(), "xapp-")?;
        inspect("app", self.app_token.expose_secret(), "xoxb-")?;
        let refused = || SlackError::ApiUrl { url: self.api_url.clone() };
        let url = Url::parse(self.api_url.trim_end_matches('/')).map_err(|_| refused())?;
        let is_usable = matches!(url.scheme(), "https" | "http") && url.has_host() && url.query().is_none();
        let has_secret = !url.username().is_empty() || url.password().is_some();
        if is_usable && !has_secret { Ok(url) } else { Err(refused()) }
    }
}

/// A token goes into a header, and the two are easily confused.
fn inspect(which: &'static str, token: &str, other: &str) -> Result<(), SlackError> {
    let problem = if token.is_empty() {
        "is empty"
    } else if !token.chars().all(|character| character.is_ascii_graphic()) {
        "holds characters that no token has (a line break?)"
    } else if token.starts_with(other) {
        "is the other one: xoxb-... is the bot's, xapp-... the app's"
    } else {
        return Ok(());
    };
    Err(SlackError::Token { which, problem })
}

#[cfg(test)]
mod tests {
    use super::{Settings, SlackError};

    fn settings(bot: &str, app: &str, api: &str) -> Settings {
        Settings { bot_token: bot.into(), app_token: app.into(), api_url: api.into(), command: "/why".into() }
    }

    #[test]
    fn tokens_that_were_swapped_are_told() {
        let error = settings("xapp-1", "xoxb-1", "https://slack.com/api").api().expect_err("they are swapped");
        assert!(matches!(error, SlackError::Token { which: "bot", .. }), "{error}");
        assert!(settings("xoxb-1\n", "xapp-1", "https://slack.com/api").api().is_err());
    }

    #[test]
    fn an_address_needs_scheme_and_host() {
        for url in ["", "slack.com/api", "ftp://slack.com", "https://", "https://me:secret@slack.com/api"] {
            assert!(settings("xoxb-1", "xapp-1", url).api().is_err(), "{url}");
        }
        let url = settings("xoxb-1", "xapp-1", "http://127.0.0.1:1/api/").api().expect("it is one");
        assert_eq!(url.as_str(), "http://127.0.0.1:1/api");
    }

    #[test]
    fn no_token_is_shown() {
        let shown = format!("{:?}", settings("xoxb-secret", "xapp-secret", "https://slack.com/api"));
        assert!(!shown.contains("secret\"") && !shown.contains("xoxb-secret"), "{shown}");
    }
}
