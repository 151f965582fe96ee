//! `[discord]`.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use url::Url;

use super::platform;
use super::review::{Review, shown};
use super::secret::{self, RawSecret};

/// `[discord]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawDiscord {
    token: RawSecret,
    token_file: String,
    guilds: Vec<String>,
    api_url: String,
}

impl Default for RawDiscord {
    fn default() -> Self {
        Self {
            token: RawSecret::default(),
            token_file: String::new(),
            guilds: Vec::new(),
            api_url: "https://discord.com/api".to_owned(),
        }
    }
}

/// How Discord is reached.
#[derive(Clone, Debug)]
pub struct DiscordSettings {
    /// The token of the bot.
    pub token: SecretString,
    /// The servers in which commands are registered; empty = globally.
    pub guilds: Vec<u64>,
    /// The API's address without a version and without a slash at its end.
    pub api_url: Url,
}

pub(super) fn resolve(raw: &RawDiscord, review: &mut Review) -> DiscordSettings {
    let token = secret::read(review, "discord.token", &raw.token, &raw.token_file);
    let mut guilds = Vec::new();
    for (index, id) in raw.guilds.iter().enumerate() {
        let key = format!("discord.guilds[{index}]");
        let Some(guild) = platform::discord_id(id) else {
            review.problem(&key, format!("{} is no server's id", shown(id)), platform::DISCORD_ID_FIX);
            continue;
        };
        if guilds.contains(&guild) {
            review.problem(&key, format!("\"{guild}\" is there twice"), "take one out");
        }
        guilds.push(guild);
    }
    DiscordSettings {
        token: secret::required(
            review,
            "discord.token",
            token,
            "copy the token of your application's page \"Bot\" in the Discord developer portal",
        ),
        guilds,
        api_url: platform::url(review, "discord.api_url", &raw.api_url, &RawDiscord::default().api_url),
    }
}
