//! Small signs: reactions, and the line that says what the app is doing.

use serde_json::json;

use crate::api::{Answer, Refusal};
use crate::call::Arguments;
use crate::state::State;
use crate::state::message::Message;

pub(crate) fn react(state: &mut State, arguments: &Arguments) -> Answer {
    let bot = state.bot_user();
    let name = emoji(arguments)?;
    let users = message(state, arguments)?.reactions.entry(name).or_default();
    if users.contains(&bot) {
        return Err("already_reacted".into());
    }
    users.push(bot);
    Ok(json!({}))
}

pub(crate) fn unreact(state: &mut State, arguments: &Arguments) -> Answer {
    let bot = state.bot_user();
    let name = emoji(arguments)?;
    let message = message(state, arguments)?;
    let users = message.reactions.entry(name).or_default();
    let before = users.len();
    users.retain(|user| *user != bot);
    let removed = users.len() < before;
    message.reactions.retain(|_, users| !users.is_empty());
    if removed { Ok(json!({})) } else { Err("no_reaction".into()) }
}

pub(crate) fn set_status(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = state.place(arguments, "channel_id")?;
    let Some(thread) = arguments.text("thread_ts") else {
        return Err("invalid_thread_ts".into());
    };
    if state.message(&channel, &thread).is_none() {
        return Err("invalid_thread_ts".into());
    }
    match arguments.text("status") {
        Some(status) => state.statuses.insert((channel, thread), status),
        None => state.statuses.remove(&(channel, thread)),
    };
    Ok(json!({}))
}

fn emoji(arguments: &Arguments) -> Result<String, Refusal> {
    let name = arguments.text("name").unwrap_or_default();
    let plain = name.chars().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || "_-+:".contains(one));
    if name.is_empty() || !plain { Err("invalid_name".into()) } else { Ok(name) }
}

fn message<'a>(state: &'a mut State, arguments: &Arguments) -> Result<&'a mut Message, Refusal> {
    let channel = state.place(arguments, "channel")?;
    let bot = state.bot_user();
    if !state.is_member(&channel, &bot) {
        return Err("not_in_channel".into());
    }
    let Some(ts) = arguments.text("timestamp") else {
        return Err("no_item_specified".into());
    };
    match state.message_mut(&channel, &ts).filter(|message| message.only_for.is_none()) {
        Some(message) => Ok(message),
        None => Err("message_not_found".into()),
    }
}
