//! `[slack]`.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::platform;
use super::review::{Review, shown};
use super::secret::{self, RawSecret};

/// The slash command where none is written.
pub(super) const COMMAND: &str = "/why";

/// `[slack]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawSlack {
    bot_token: RawSecret,
    bot_token_file: String,
    app_token: RawSecret,
    app_token_file: String,
    signing_secret: RawSecret,
    signing_secret_file: String,
    pub(super) command: String,
    api_url: String,
}

impl Default for RawSlack {
    fn default() -> Self {
        Self {
            bot_token: RawSecret::default(),
            bot_token_file: String::new(),
            app_token: RawSecret::default(),
            app_token_file: String::new(),
            signing_secret: RawSecret::default(),
            signing_secret_file: String::new(),
            command: COMMAND.to_owned(),
            api_url: "https://slack.com/api".to_owned(),
        }
    }
}

/// How Slack is reached.
#[derive(Clone, Debug)]
pub struct SlackSettings {
    /// The token of the bot, `xoxb-...`.
    pub bot_token: SecretString,
    /// The token of the app for Socket Mode, `xapp-...`.
    pub app_token: SecretString,
    /// The slash command with its slash: `/why`.
    pub command: String,
    /// The Web API's address without a slash at its end.
    pub api_url: Url,
}

pub(super) fn resolve(raw: &RawSlack, review: &mut Review) -> SlackSettings {
    let bot_token = secret::read(review, "slack.bot_token", &raw.bot_token, &raw.bot_token_file);
    let app_token = secret::read(review, "slack.app_token", &raw.app_token, &raw.app_token_file);
    let signing_secret = secret::read(review, "slack.signing_secret", &raw.signing_secret, &raw.signing_secret_file);
    if signing_secret.is_some() {
        review.warning(
            "slack.signing_secret",
            "is for HTTP mode, which is not built yet: it is ignored",
            "take it out; Socket Mode needs bot_token and app_token only",
        );
    }
    SlackSettings {
        bot_token: secret::required(
            review,
            "slack.bot_token",
            bot_token,
            "copy the Bot User OAuth Token (xoxb-...) of your app's page \"OAuth & Permissions\"",
        ),
        app_token: secret::required(
            review,
            "slack.app_token",
            app_token,
            "copy an App-Level Token (xapp-...) with the scope connections:write of your app's page \"Basic Information\"",
        ),
        command: command(&raw.command, review),
        api_url: platform::url(review, "slack.api_url", &raw.api_url, &RawSlack::default().api_url),
    }
    .checked(review)
}

impl SlackSettings {
    /// The tokens are easily taken for each other.
    fn checked(self, review: &mut Review) -> Self {
        secret::prefix(review, "slack.bot_token", &self.bot_token, "xoxb-", "xapp-");
        secret::prefix(review, "slack.app_token", &self.app_token, "xapp-", "xoxb-");
        self
    }
}

/// Slack takes up to 32 characters, lower case, without spaces.
fn command(raw: &str, review: &mut Review) -> String {
    let name = raw.strip_prefix('/').unwrap_or(raw);
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if name.is_empty() || name.len() > 31 || !name.chars().all(fits) {
        review.problem(
            "slack.command",
            format!("{} cannot be a slash command", shown(raw)),
            "write up to 31 lower case letters, digits, - or _ after a slash, such as \"/why\"",
        );
    }
    format!("/{name}")
}
