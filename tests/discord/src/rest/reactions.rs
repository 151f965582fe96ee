//! Reactions: the bot's own, and reading those of others.

use serde_json::{Value, json};

use super::answer::Reply;
use super::messages::visible;
use super::request::Incoming;
use super::routes::id;
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::permission::{ADD_REACTIONS, MANAGE_MESSAGES, READ_MESSAGE_HISTORY};
use crate::state::State;
use crate::state::message::emoji_json;

/// Different reactions a message can have.
const MOST: usize = 20;

pub(crate) fn route(
    state: &mut State,
    incoming: &Incoming,
    channel: Id,
    message: Id,
    rest: &[&str],
) -> Answered<Reply> {
    state.visible_channel(channel)?;
    state.require(channel, READ_MESSAGE_HISTORY)?;
    visible(state, channel, message)?;
    let bot = state.application.id;
    match (incoming.method.as_str(), rest) {
        ("PUT", [emoji, "@me"]) => {
            let emoji = known(emoji)?;
            let is_new = state.messages.get(&message).is_some_and(|found| !found.reactions.contains_key(&emoji));
            if is_new {
                state.require(channel, ADD_REACTIONS)?;
            }
            if is_new && state.messages.get(&message).is_some_and(|found| found.reactions.len() >= MOST) {
                return Err(Refusal::too_many_reactions());
            }
            state.react(channel, message, &emoji, bot);
            Ok(Reply::none(204))
        }
        ("DELETE", [emoji, "@me"]) => {
            state.unreact(channel, message, &known(emoji)?, bot);
            Ok(Reply::none(204))
        }
        ("DELETE", [emoji, user]) => {
            state.require(channel, MANAGE_MESSAGES)?;
            state.unreact(channel, message, &known(emoji)?, id(user)?);
            Ok(Reply::none(204))
        }
        ("GET", [emoji]) => {
            let emoji = known(emoji)?;
            let users = state.messages.get(&message).and_then(|found| found.reactions.get(&emoji)).cloned();
            let users: Vec<Value> = users.iter().flatten().map(|user| state.user_json(*user)).collect();
            Ok(Reply::json(200, json!(users)))
        }
        ("DELETE", []) => {
            state.require(channel, MANAGE_MESSAGES)?;
            if let Some(found) = state.messages.get_mut(&message) {
                found.reactions.clear();
            }
            Ok(Reply::none(204))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// Takes an emoji only if it is one: not ASCII text, or `name:id`.
fn known(emoji: &str) -> Answered<String> {
    let custom = emoji.rsplit_once(':').is_some_and(|(_, id)| id.parse::<u64>().is_ok());
    if custom || (!emoji.is_empty() && !emoji.is_ascii()) {
        return Ok(emoji.to_owned());
    }
    Err(Refusal::unknown_emoji())
}

impl State {
    /// Puts somebody's reaction on a message.
    pub(crate) fn react(&mut self, channel: Id, message: Id, emoji: &str, user: Id) {
        let Some(found) = self.messages.get_mut(&message) else { return };
        if found.reactions.entry(emoji.to_owned()).or_default().insert(user) {
            self.emit_reaction("MESSAGE_REACTION_ADD", channel, message, emoji, user);
        }
    }

    /// Takes somebody's reaction away.
    pub(crate) fn unreact(&mut self, channel: Id, message: Id, emoji: &str, user: Id) {
        let Some(found) = self.messages.get_mut(&message) else { return };
        let Some(users) = found.reactions.get_mut(emoji) else { return };
        let was_there = users.remove(&user);
        if users.is_empty() {
            found.reactions.remove(emoji);
        }
        if was_there {
            self.emit_reaction("MESSAGE_REACTION_REMOVE", channel, message, emoji, user);
        }
    }

    fn emit_reaction(&mut self, name: &str, channel: Id, message: Id, emoji: &str, user: Id) {
        let author = self.messages.get(&message).map(|found| found.author);
        let mut event = json!({
            "user_id": user, "channel_id": channel, "message_id": message, "emoji": emoji_json(emoji),
            "message_author_id": author, "burst": false, "type": 0,
        });
        if let Some(guild) = self.channels.get(&channel).and_then(|channel| channel.guild) {
            crate::state::set(&mut event, "guild_id", json!(guild));
            if let Some(member) = self.full_member_json(guild, user) {
                crate::state::set(&mut event, "member", member);
            }
        }
        self.emit_in_channel(name, channel, &event);
    }
}
