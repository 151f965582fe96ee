//! Messages, threads and answers of interactions: the single calls, and posts and edits that no delivery asks for.

use std::time::Duration;

use kubewhy_chat::{ChatError, Message, Post, Posted};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use serenity::model::id::{ChannelId, MessageId};

use crate::api::codes::{ALREADY_ACKNOWLEDGED, THREAD_EXISTS, UNKNOWN_CHANNEL};
use crate::api::{Api, Attachment, Call, Failure};
use crate::intake::Acknowledgements;
use crate::outgoing::{EPHEMERAL, Outgoing};
use crate::places::{Places, Spot, number, place};
use crate::render::{Rendering, Screen, render};
use crate::way::Ticket;

/// Minutes without a word after which a thread leaves the list of those that are open.
const ARCHIVE_AFTER_MINUTES: u32 = 1_440;
/// How long the first answer to an interaction may take; Discord waits for 3 s.
const FIRST_ANSWER: Duration = Duration::from_millis(2_800);

/// How long finding out what a channel is may take.
pub(crate) const READ_CHANNEL: Duration = Duration::from_secs(5);

/// The line to Discord: its API, and what is known of the things behind it.
pub(crate) struct Line {
    pub(crate) api: Api,
    pub(crate) places: Places,
    pub(crate) acknowledgements: Acknowledgements,
}

/// A message that stands.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Standing {
    id: MessageId,
    #[serde(default)]
    flags: u64,
}

impl Standing {
    pub(crate) fn id(self) -> u64 {
        self.id.get()
    }

    pub(crate) fn is_ephemeral(self) -> bool {
        self.flags & EPHEMERAL != 0
    }
}

impl Line {
    /// Posts a message, which has to carry a nonce: it is repeated where it is doubtful whether it was posted.
    pub(crate) async fn say(&self, channel: u64, message: &Outgoing<'_>) -> Result<Standing, Failure> {
        let call = Call::new(Method::POST, format!("channels/{channel}/messages"), "post a message");
        self.api.call(call.body(message.body()).files(message.files()).freely()).await
    }

    /// Opens the thread below a message, or finds that it is open.
    pub(crate) async fn open_thread(&self, channel: u64, message: u64, name: &str) -> Result<u64, Failure> {
        #[derive(Deserialize)]
        struct Thread {
            id: ChannelId,
        }
        if self.places.is_open(message).await {
            return Ok(message);
        }
        let path = format!("channels/{channel}/messages/{message}/threads");
        let body = json!({ "name": name, "auto_archive_duration": ARCHIVE_AFTER_MINUTES });
        let call = Call::new(Method::POST, path, "create a thread").body(body).freely();
        let thread = match self.api.call::<Thread>(call).await {
            Ok(thread) => thread.id.get(),
            Err(failure) if failure.code() == Some(THREAD_EXISTS) => message,
            Err(failure) => return Err(failure),
        };
        self.places.opened(thread, channel).await;
        Ok(thread)
    }

    /// Answers an interaction for the first time.
    pub(crate) async fn respond(
        &self,
        interaction: u64,
        token: &str,
        body: Value,
        files: &[Attachment<'_>],
    ) -> Result<(), Failure> {
        let path = format!("interactions/{interaction}/{token}/callback");
        let call = Call::new(Method::POST, path, "answer an interaction").freely().within(FIRST_ANSWER);
        match self.api.send(call.body(body).files(files)).await {
            // The attempt before this one arrived, though its answer did not come back.
            Err(failure) if failure.code() == Some(ALREADY_ACKNOWLEDGED) => Ok(()),
            responded => responded,
        }
    }

    /// Answers an interaction once more.
    pub(crate) async fn follow_up(&self, ticket: &Ticket, message: &Outgoing<'_>) -> Result<Standing, Failure> {
        let call = Call::new(Method::POST, format!("{}?wait=true", ticket.path()), "post a follow-up message");
        self.api.call(call.body(message.body()).files(message.files())).await
    }

    /// Replaces the first answer to an interaction.
    pub(crate) async fn edit_original(&self, ticket: &Ticket, message: &Outgoing<'_>) -> Result<Standing, Failure> {
        let call = Call::new(Method::PATCH, ticket.original(), "fill in an answer");
        self.api.call(call.body(message.body()).files(message.files())).await
    }

    /// Takes the first answer to an interaction away, if it is there.
    pub(crate) async fn delete_original(&self, ticket: &Ticket) -> Result<(), Failure> {
        match self.api.send(Call::new(Method::DELETE, ticket.original(), "take an answer away")).await {
            Err(failure) if failure.is_absent() && !failure.is_expired() => Ok(()),
            other => other,
        }
    }

    /// The first answer to an interaction, if there is one.
    pub(crate) async fn read_original(&self, ticket: &Ticket) -> Result<Option<Standing>, Failure> {
        match self.api.call(Call::get(ticket.original(), "read an answer")).await {
            Ok(standing) => Ok(Some(standing)),
            Err(failure) if failure.is_absent() && !failure.is_expired() => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The direct messages with a person.
    pub(crate) async fn open_direct(&self, user: u64) -> Result<u64, Failure> {
        #[derive(Deserialize)]
        struct Direct {
            id: ChannelId,
        }
        let body = json!({ "recipient_id": user.to_string() });
        let call = Call::new(Method::POST, "users/@me/channels", "open direct messages").body(body).freely();
        self.api.call::<Direct>(call).await.map(|direct| direct.id.get())
    }

    /// Posts what nobody's delivery asked for.
    pub(crate) async fn post(&self, post: &Post) -> Result<Posted, ChatError> {
        let rendering = render(&post.message);
        let (channel, thread) = numbers(&post.place.channel, post.place.thread.as_deref())?;
        let mention = post.mention.as_ref().and_then(|person| number(&person.id));
        let first = Outgoing::screen(&rendering.first).calling(mention).once(&post.key, 0);
        let failed = |failure: Failure| failure.into_error("post a message", channel);

        if let Some(thread) = thread {
            let (home, standing) = self.say_in_thread(channel, thread, &rendering, &first).await.map_err(failed)?;
            self.say_rest(home, &rendering.thread, &post.key).await;
            return Ok(Posted { place: place(channel, Some(thread)), id: standing.id().to_string() });
        }
        let spot = self.places.look(channel, READ_CHANNEL, &self.api).await;
        let standing = self.say(channel, &first).await.map_err(failed)?;
        let home = self.home_below(spot, standing.id(), &rendering).await;
        self.say_rest(home, &rendering.thread, &post.key).await;
        Ok(Posted { place: spot.below(standing.id()), id: standing.id().to_string() })
    }

    /// Replaces the first screen of a message.
    pub(crate) async fn edit(&self, posted: &Posted, message: &Message) -> Result<(), ChatError> {
        let (channel, thread) = numbers(&posted.place.channel, posted.place.thread.as_deref())?;
        let id: u64 = posted.id.parse().map_err(|_| unknown_place())?;
        // The message above a thread has the number of the thread and stands in the channel.
        let home = thread.filter(|thread| *thread != id).unwrap_or(channel);
        let rendering = render(message);
        let outgoing = Outgoing::screen(&rendering.first);
        let call = Call::new(Method::PATCH, format!("channels/{home}/messages/{id}"), "edit a message");
        let call = call.body(outgoing.body()).files(outgoing.files());
        self.api.send(call).await.map_err(|failure| failure.into_error("edit a message", home))
    }

    /// Where what stands below a message goes: its thread, or where that cannot be, the same place.
    async fn home_below(&self, spot: Spot, message: u64, rendering: &Rendering) -> u64 {
        if rendering.thread.is_empty() || spot.parent.is_some() || spot.direct {
            return spot.id;
        }
        match self.open_thread(spot.id, message, &rendering.thread_name).await {
            Ok(thread) => thread,
            Err(failure) => {
                tracing::warn!(chat.channel = spot.id, error = %failure, "failed to open a thread: the rest goes into the channel");
                spot.id
            }
        }
    }

    /// Posts into a thread, which may not have been opened yet. Where it cannot be opened, its place is the channel.
    async fn say_in_thread(
        &self,
        channel: u64,
        thread: u64,
        rendering: &Rendering,
        first: &Outgoing<'_>,
    ) -> Result<(u64, Standing), Failure> {
        match self.say(thread, first).await {
            Err(failure) if failure.code() == Some(UNKNOWN_CHANNEL) => {}
            said => return said.map(|standing| (thread, standing)),
        }
        match self.open_thread(channel, thread, &rendering.thread_name).await {
            Ok(home) => Ok((home, self.say(home, first).await?)),
            Err(Failure::Refused { .. }) => Ok((channel, self.say(channel, &first.clone().replying(thread)).await?)),
            Err(failure) => Err(failure),
        }
    }

    /// Posts what stands below a first screen that is shown already: what fails here is told to the log alone.
    pub(crate) async fn say_rest(&self, home: u64, screens: &[Screen], key: &str) {
        for (index, screen) in screens.iter().enumerate() {
            if let Err(failure) = self.say(home, &Outgoing::screen(screen).once(key, index + 1)).await {
                let left = screens.len() - index;
                tracing::warn!(chat.channel = home, error = %failure, left, "failed to post the rest of a message");
                return;
            }
        }
    }
}

fn numbers(channel: &str, thread: Option<&str>) -> Result<(u64, Option<u64>), ChatError> {
    let channel = number(channel).ok_or_else(unknown_place)?;
    let thread = thread.map(|thread| thread.parse().map_err(|_| unknown_place())).transpose()?;
    Ok((channel, thread))
}

fn unknown_place() -> ChatError {
    ChatError::Invalid { action: "find the place of a message", code: "not of discord".to_owned() }
}
