//! The forms of ids, addresses and names.

use std::fmt;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use super::raw::Raw;
use super::review::{Review, shown};

/// How to come by an id of Discord.
pub(super) const DISCORD_ID_FIX: &str =
    "write the number as text, such as \"1234567890\" (developer mode, right click, \"Copy ID\")";

/// A capital letter and then capital letters and digits.
pub(super) fn is_slack_id(id: &str, letter: &str) -> bool {
    let rest = id.strip_prefix(letter).unwrap_or_default();
    (1..=30).contains(&rest.len()) && rest.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
}

/// The number of an id of Discord.
pub(super) fn discord_id(id: &str) -> Option<u64> {
    id.parse().ok().filter(|number| *number > 0 && id.chars().all(|c| c.is_ascii_digit()))
}

/// Checks a channel: `slack:C0123456` or `discord:1234567890`, of a platform that is used.
pub(super) fn channel(review: &mut Review, key: &str, id: &str, raw: &Raw) {
    let (platform, name) = id.split_once(':').unwrap_or(("", id));
    let (right, used) = match platform {
        "slack" => (["C", "G", "D"].iter().any(|letter| is_slack_id(name, letter)), raw.slack.is_some()),
        "discord" => (discord_id(name).is_some(), raw.discord.is_some()),
        _ => (false, true),
    };
    if id.is_empty() {
        review.problem(key, "is missing", "write \"slack:C0123456\" or \"discord:1234567890\"");
    } else if !right {
        review.problem(
            key,
            format!("{} is no channel", shown(id)),
            "write \"slack:C0123456\" or \"discord:1234567890\": the channel's id, not its name",
        );
    } else if !used {
        review.warning(key, format!("is a channel of a platform without a section [{platform}]"), "add that section");
    }
}

/// Checks names of namespaces.
pub(super) fn namespaces(review: &mut Review, key: &str, names: &[String]) {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    for (index, name) in names.iter().enumerate() {
        let edges = name.starts_with('-') || name.ends_with('-');
        if name.is_empty() || name.len() > 63 || edges || !name.chars().all(fits) {
            review.problem(
                &format!("{key}[{index}]"),
                format!("{} is no name of a namespace", shown(name)),
                "write the whole name, such as \"shop\"; patterns are not read",
            );
        }
    }
}

/// Reads the address of an API; the default where it is none, which is a problem then.
pub(super) fn url(review: &mut Review, key: &str, text: &str, default: &str) -> Url {
    let fix = format!("write an address such as \"{default}\"");
    // The text is never repeated: it can hold a password.
    match Url::parse(text.trim_end_matches('/')) {
        Err(_) => review.problem(key, "is no address", fix),
        Ok(url) if !matches!(url.scheme(), "http" | "https") || url.host().is_none() => {
            review.problem(key, "is no address of http or https", fix);
        }
        Ok(url) if !is_plain(&url) => review.problem(key, "holds more than a host and a path", fix),
        Ok(url) => {
            if url.scheme() == "http" && !is_loopback(&url) {
                review.warning(key, "sends the token over http, where others can read it", "use https");
            }
            return url;
        }
    }
    Url::parse(default).expect("a default is an address")
}

fn is_plain(url: &Url) -> bool {
    url.username().is_empty() && url.password().is_none() && url.query().is_none() && url.fragment().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// An id of Discord, written as a text or as the number that it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub(super) struct DiscordId(String);

impl std::ops::Deref for DiscordId {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for DiscordId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = DiscordId;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id in digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<DiscordId, E> {
        Ok(DiscordId(text.to_owned()))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<DiscordId, E> {
        Ok(DiscordId(number.to_string()))
    }
}
