//! Which channel a thread belongs to, so that the same conversation is the same place however its words arrive.
//!
//! A message and the thread below it have one number on Discord: the conversation about an answer in a channel is the thread
//! with the number of that answer, whether it was opened or not.

use std::time::Duration;

use kubewhy_chat::Place;
use moka::future::Cache;
use serde::Deserialize;
use serenity::model::channel::{ChannelType, PartialChannel};
use serenity::model::id::ChannelId;

use crate::api::{Api, Call, Failure};

/// How long an interaction can wait for what it usually brings along.
const BRIEFLY: Duration = Duration::from_millis(800);

/// What is known of channels. A thread never changes its channel.
pub(crate) struct Places {
    known: Cache<u64, Spot>,
}

/// A channel, or a thread of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    /// Its number.
    pub(crate) id: u64,
    /// The channel that it is a thread of.
    pub(crate) parent: Option<u64>,
    /// Whether it is a direct message.
    pub(crate) direct: bool,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(rename = "type")]
    kind: ChannelType,
    parent_id: Option<ChannelId>,
}

impl Places {
    pub(crate) fn new() -> Self {
        Self { known: Cache::builder().max_capacity(50_000).time_to_idle(Duration::from_hours(24)).build() }
    }

    /// What an interaction says about where it happened.
    pub(crate) async fn told(&self, channel: Option<&PartialChannel>, id: u64, api: &Api) -> Spot {
        match channel {
            Some(channel) => {
                let spot = spot(id, channel.kind, channel.parent_id.map(ChannelId::get));
                self.known.insert(id, spot).await;
                spot
            }
            None => self.look(id, BRIEFLY, api).await,
        }
    }

    /// What a channel is; asked once. Where that fails it counts as a channel.
    pub(crate) async fn look(&self, id: u64, deadline: Duration, api: &Api) -> Spot {
        if let Some(spot) = self.known.get(&id).await {
            return spot;
        }
        let call = Call::get(format!("channels/{id}"), "read a channel").within(deadline);
        match api.call::<Channel>(call).await {
            Ok(channel) => {
                let spot = spot(id, channel.kind, channel.parent_id.map(ChannelId::get));
                self.known.insert(id, spot).await;
                spot
            }
            Err(error) => {
                if !matches!(error, Failure::Revoked { .. }) {
                    tracing::warn!(chat.channel = id, %error, "failed to read what a channel is");
                }
                Spot { id, parent: None, direct: false }
            }
        }
    }

    /// Keeps that a thread was opened.
    pub(crate) async fn opened(&self, thread: u64, parent: u64) {
        self.known.insert(thread, Spot { id: thread, parent: Some(parent), direct: false }).await;
    }

    /// Whether a thread is known to be open.
    pub(crate) async fn is_open(&self, thread: u64) -> bool {
        self.known.get(&thread).await.is_some_and(|spot| spot.parent.is_some())
    }
}

impl Spot {
    /// Where words here belong.
    pub(crate) fn place(self) -> Place {
        match self.parent {
            Some(parent) => place(parent, Some(self.id)),
            None => place(self.id, None),
        }
    }

    /// Where the conversation below a message here goes on.
    pub(crate) fn below(self, message: u64) -> Place {
        match self.parent {
            None if !self.direct => place(self.id, Some(message)),
            _ => self.place(),
        }
    }
}

fn spot(id: u64, kind: ChannelType, parent: Option<u64>) -> Spot {
    // Channels have a parent too: their category.
    let threaded = matches!(kind, ChannelType::PublicThread | ChannelType::PrivateThread | ChannelType::NewsThread);
    let direct = matches!(kind, ChannelType::Private | ChannelType::GroupDm);
    Spot { id, parent: parent.filter(|_| threaded), direct }
}

pub(crate) fn place(channel: u64, thread: Option<u64>) -> Place {
    Place { channel: format!("discord:{channel}"), thread: thread.map(|thread| thread.to_string()) }
}

/// Reads the number behind `discord:`.
pub(crate) fn number(id: &str) -> Option<u64> {
    id.strip_prefix("discord:")?.parse().ok().filter(|number| *number != 0)
}

#[cfg(test)]
mod tests {
    use serenity::model::channel::ChannelType;

    use super::{number, place, spot};

    #[test]
    fn the_thread_of_an_answer_is_the_place_of_what_is_said_in_it() {
        let channel = spot(5, ChannelType::Text, Some(1));
        let thread = spot(70, ChannelType::PublicThread, Some(5));
        assert_eq!(channel.place(), place(5, None));
        assert_eq!(channel.below(70), thread.place());
        assert_eq!(thread.below(71), thread.place());
        let direct = spot(6, ChannelType::Private, None);
        assert_eq!(direct.below(71), place(6, None));
    }

    #[test]
    fn only_numbers_of_discord_are_read() {
        assert_eq!(number("discord:12"), Some(12));
        for id in ["slack:12", "discord:", "discord:0", "discord:-1", "discord:12x", "12"] {
            assert_eq!(number(id), None, "{id}");
        }
    }
}
