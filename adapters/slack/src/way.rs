//! The way back to a question.

use kubewhy_chat::{Address, Delivery, Place};
use serde::{Deserialize, Serialize};

/// What begins our ids of Slack's channels and persons.
const PREFIX: &str = "slack:";

/// The way back to a question, as it is kept in [`Delivery::address`].
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Way {
    /// Who asked: `U0123`.
    #[serde(rename = "u")]
    pub(crate) user: String,
    /// Where whoever asked can be answered without the bot being there: a secret for half an hour.
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    pub(crate) response_url: Option<String>,
    /// What opens a form for three seconds.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    pub(crate) trigger: Option<String>,
    /// The thread that who asked looks at. What one person alone sees is shown in a thread only where that has replies
    /// already, so that a question in a channel is not answered to one person below it.
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<String>,
}

/// Where and to whom something is said, in Slack's own ids.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Spot {
    /// `C0123`.
    pub(crate) channel: String,
    pub(crate) thread: Option<String>,
    pub(crate) way: Way,
}

/// What a form carries through Slack and back.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Carried {
    /// The form's token.
    #[serde(rename = "f")]
    pub(crate) token: String,
    /// Where it was asked for.
    #[serde(rename = "c")]
    pub(crate) channel: String,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<String>,
    /// How who filled it in is answered.
    #[serde(rename = "w")]
    pub(crate) way: Way,
}

impl Way {
    pub(crate) fn into_address(self) -> Address {
        Address(serde_json::to_string(&self).unwrap_or_default())
    }
}

impl Spot {
    /// Where a delivery is answered; `None` where it is not Slack's.
    pub(crate) fn of(delivery: &Delivery) -> Option<Self> {
        let way = serde_json::from_str(&delivery.address.0).ok()?;
        let place = &delivery.request.place;
        Some(Self { channel: channel(&place.channel)?.to_owned(), thread: place.thread.clone(), way })
    }

    /// Whether only who asked reads along anyway.
    pub(crate) fn is_direct(&self) -> bool {
        self.channel.starts_with('D')
    }
}

/// Slack's id of a channel: `C0123` of `slack:C0123`.
pub(crate) fn channel(id: &str) -> Option<&str> {
    id.strip_prefix(PREFIX).filter(|id| is_id(id))
}

/// Slack's ids of the team and the person: `T01`, `U01` of `slack:T01:U01`.
pub(crate) fn person(id: &str) -> Option<(&str, &str)> {
    id.strip_prefix(PREFIX)?.split_once(':').filter(|(team, user)| is_id(team) && is_id(user))
}

/// Our id of a person.
pub(crate) fn person_id(team: &str, user: &str) -> String {
    format!("{PREFIX}{team}:{user}")
}

/// Our id of anything else of Slack: a channel, a delivery, a user group.
pub(crate) fn id(id: &str) -> String {
    format!("{PREFIX}{id}")
}

/// A place in Slack's own ids, in ours.
pub(crate) fn place(channel: &str, thread: Option<&str>) -> Place {
    Place { channel: id(channel), thread: thread.map(ToOwned::to_owned) }
}

/// Whether these words can be an id of Slack, and nothing else: they go into control sequences. Slack's own have letters and
/// digits alone.
pub(crate) fn is_id(words: &str) -> bool {
    !words.is_empty()
        && words.len() <= 40
        && words.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-'))
}

/// Whether these words can be the time of a message: `1700000000.000100`.
pub(crate) fn is_time(words: &str) -> bool {
    words.len() <= 40
        && words.starts_with(|first: char| first.is_ascii_digit())
        && words.chars().all(|character| character.is_ascii_digit() || character == '.')
}

#[cfg(test)]
mod tests {
    use super::{channel, is_time, person};

    #[test]
    fn ids_that_are_not_slacks_are_refused() {
        assert_eq!(channel("slack:C0123"), Some("C0123"));
        assert_eq!(person("slack:T01:U01"), Some(("T01", "U01")));
        for id in ["C0123", "discord:1", "slack:", "slack:C1> <!channel", "slack:T01:U01"] {
            assert_eq!(channel(id), None, "{id}");
        }
        for id in ["slack:T01", "slack:T01:", "slack:T01:U01:U02", "slack:T01:U01|x"] {
            assert_eq!(person(id), None, "{id}");
        }
    }

    #[test]
    fn times_of_messages_are_digits() {
        assert!(is_time("1700000000.000100"));
        assert!(!is_time("") && !is_time(".1") && !is_time("1700<!here>"));
    }
}
