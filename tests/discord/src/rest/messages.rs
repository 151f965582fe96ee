//! Messages of channels and threads.

use serde_json::{Value, json};

use super::answer::Reply;
use super::request::Incoming;
use crate::draft::Draft;
use crate::error::{Answered, Form, Refusal};
use crate::id::Id;
use crate::permission::{
    ATTACH_FILES, EMBED_LINKS, MANAGE_MESSAGES, MANAGE_THREADS, READ_MESSAGE_HISTORY, SEND_MESSAGES,
    SEND_MESSAGES_IN_THREADS,
};
use crate::state::State;
use crate::state::message::{Message, Origin};

/// From this age on edits are counted.
const OLD_MS: u64 = 60 * 60_000;

pub(crate) fn channel(state: &State, channel: Id) -> Answered<Reply> {
    let found = state.visible_channel(channel)?;
    Ok(Reply::json(200, state.channel_json(found)))
}

pub(crate) fn list(state: &State, incoming: &Incoming, channel: Id) -> Answered<Reply> {
    state.visible_channel(channel)?;
    let limit = incoming.query.get("limit").map_or(Ok(50), |limit| limit.parse::<usize>());
    let Some(limit) = limit.ok().filter(|limit| (1..=100).contains(limit)) else {
        let mut form = Form::default();
        form.wrong("limit", "NUMBER_TYPE_MAX", "int value should be between 1 and 100.");
        form.finish()?;
        return Err(Refusal::invalid_form());
    };
    // Without this permission the list is empty, and no error.
    if state.require(channel, READ_MESSAGE_HISTORY).is_err() {
        return Ok(Reply::json(200, json!([])));
    }
    let shown = |message: &&Message| message.channel == channel && !message.deleted && message.reader.is_none();
    let all: Vec<&Message> = state.messages.values().filter(shown).collect();
    let picked = pick(&all, incoming, limit);
    let granted = state.application.message_content;
    let json = picked.into_iter().map(|message| state.message_for_bot(message, granted)).collect();
    Ok(Reply::json(200, json))
}

/// Picks a page, newest first.
fn pick<'a>(all: &[&'a Message], incoming: &Incoming, limit: usize) -> Vec<&'a Message> {
    if let Some(after) = incoming.id("after") {
        let page: Vec<_> = all.iter().filter(|message| message.id > after).take(limit).copied().collect();
        return page.into_iter().rev().collect();
    }
    if let Some(around) = incoming.id("around") {
        let place = all.iter().position(|message| message.id >= around).unwrap_or(all.len());
        let first = place.saturating_sub(limit / 2);
        let page: Vec<_> = all.iter().skip(first).take(limit).copied().collect();
        return page.into_iter().rev().collect();
    }
    let before = incoming.id("before").unwrap_or(Id(u64::MAX));
    all.iter().rev().filter(|message| message.id < before).take(limit).copied().collect()
}

pub(crate) fn read(state: &State, channel: Id, id: Id) -> Answered<Reply> {
    state.visible_channel(channel)?;
    state.require(channel, READ_MESSAGE_HISTORY)?;
    let found = visible(state, channel, id)?;
    Ok(Reply::json(200, state.message_for_bot(found, state.application.message_content)))
}

/// Finds a message that is not somebody's ephemeral one.
pub(crate) fn visible(state: &State, channel: Id, id: Id) -> Answered<&Message> {
    let found = state.message(channel, id).filter(|message| message.reader.is_none());
    found.ok_or_else(Refusal::unknown_message)
}

/// Requires that the bot may post: not in locked threads, not to those who refuse it.
fn require_posting(state: &State, channel: Id) -> Answered<()> {
    let found = state.visible_channel(channel)?;
    if !found.holds_messages() {
        return Err(Refusal::not_in_this_channel());
    }
    let refuses = |user: &Id| state.users.get(user).is_some_and(|user| user.refuses_direct_messages);
    if found.recipient.as_ref().is_some_and(refuses) {
        return Err(Refusal::cannot_message_user());
    }
    if found.is_direct() {
        return Ok(());
    }
    let Some(thread) = &found.thread else { return state.require(channel, SEND_MESSAGES) };
    state.require(channel, SEND_MESSAGES_IN_THREADS)?;
    if thread.locked && state.require(channel, MANAGE_THREADS).is_err() {
        return Err(Refusal::thread_locked());
    }
    Ok(())
}

pub(crate) fn create(state: &mut State, incoming: &Incoming, channel: Id) -> Answered<Reply> {
    require_posting(state, channel)?;
    let mut draft = Draft::parse(&incoming.body, incoming.files.clone(), "", state.limits.attachment_bytes)?;
    if draft.is_empty() {
        return Err(Refusal::empty_message());
    }
    require_parts(state, channel, &draft)?;
    let bot = state.application.id;
    let known = draft.nonce.as_ref().filter(|_| draft.enforce_nonce);
    if let Some(known) = known.and_then(|nonce| state.with_nonce(channel, bot, nonce)) {
        return shown(state, known);
    }
    check_reference(state, channel, &mut draft)?;
    // Only answers to interactions can be ephemeral.
    draft.flags = draft.flags.map(|flags| flags & !crate::state::message::EPHEMERAL);
    let kind = if draft.reference.is_some() { 19 } else { 0 };
    let id = state.add_message(Origin { author: bot, channel, kind, interaction: None, reader: None }, draft);
    shown(state, id)
}

fn require_parts(state: &State, channel: Id, draft: &Draft) -> Answered<()> {
    if draft.embeds.as_ref().is_some_and(|embeds| !embeds.is_empty()) {
        state.require(channel, EMBED_LINKS)?;
    }
    if !draft.files.is_empty() {
        state.require(channel, ATTACH_FILES)?;
    }
    Ok(())
}

fn check_reference(state: &State, channel: Id, draft: &mut Draft) -> Answered<()> {
    let Some(reference) = draft.reference else { return Ok(()) };
    if state.require(channel, READ_MESSAGE_HISTORY).is_err() {
        return Err(Refusal::reply_needs_history());
    }
    if visible(state, channel, reference).is_ok() {
        return Ok(());
    }
    if !draft.fail_without_reference {
        draft.reference = None;
        return Ok(());
    }
    let mut form = Form::default();
    form.wrong("message_reference", "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", "Unknown message");
    form.finish()
}

pub(crate) fn edit(state: &mut State, incoming: &Incoming, channel: Id, id: Id) -> Answered<Reply> {
    state.visible_channel(channel)?;
    let found = visible(state, channel, id)?;
    if found.author != state.application.id {
        return Err(Refusal::cannot_edit_other());
    }
    let archived = |channel: &crate::state::channel::Channel| channel.thread.as_ref().is_some_and(|it| it.archived);
    if state.channels.get(&channel).is_some_and(archived) {
        return Err(Refusal::thread_archived());
    }
    let draft = Draft::parse(&incoming.body, incoming.files.clone(), "", state.limits.attachment_bytes)?;
    if empties(found, &draft) {
        return Err(Refusal::empty_message());
    }
    require_parts(state, channel, &draft)?;
    count_old_edit(state, id)?;
    state.edit_message(id, draft);
    shown(state, id)
}

/// Says whether a message would show nothing after an edit.
fn empties(message: &Message, draft: &Draft) -> bool {
    let content = draft.content.as_ref().unwrap_or(&message.content);
    let embeds = draft.embeds.as_ref().unwrap_or(&message.embeds);
    let components = draft.components.as_ref().unwrap_or(&message.components);
    let files = draft.described.as_ref().unwrap_or(&message.attachments);
    content.is_empty() && embeds.is_empty() && components.is_empty() && files.is_empty() && draft.files.is_empty()
}

fn count_old_edit(state: &mut State, id: Id) -> Answered<()> {
    let (now, most) = (state.now_ms(), state.limits.edits_of_old as usize);
    if now < id.created_ms() + OLD_MS {
        return Ok(());
    }
    let Some(message) = state.messages.get_mut(&id) else { return Ok(()) };
    message.late_edits.retain(|at| at + OLD_MS > now);
    if message.late_edits.len() >= most {
        return Err(Refusal::too_many_old_edits());
    }
    message.late_edits.push(now);
    Ok(())
}

pub(crate) fn delete(state: &mut State, channel: Id, id: Id) -> Answered<Reply> {
    state.visible_channel(channel)?;
    let is_own = visible(state, channel, id)?.author == state.application.id;
    if !is_own {
        state.require(channel, MANAGE_MESSAGES)?;
    }
    state.delete_message(id);
    Ok(Reply::none(204))
}

pub(crate) fn typing(state: &mut State, channel: Id) -> Answered<Reply> {
    require_posting(state, channel)?;
    let (bot, now) = (state.application.id, state.now_ms());
    let guild = state.channels.get(&channel).and_then(|channel| channel.guild);
    let mut event = json!({"channel_id": channel, "user_id": bot, "timestamp": now / 1_000});
    if let Some(guild) = guild {
        crate::state::set(&mut event, "guild_id", json!(guild));
        let member = state.full_member_json(guild, bot).unwrap_or(Value::Null);
        crate::state::set(&mut event, "member", member);
    }
    state.emit_in_channel("TYPING_START", channel, &event);
    Ok(Reply::none(204))
}

fn shown(state: &State, id: Id) -> Answered<Reply> {
    let message = state.messages.get(&id).ok_or_else(Refusal::unknown_message)?;
    Ok(Reply::json(200, state.message_json(message)))
}
