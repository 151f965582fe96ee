//! Which route does what.

use super::answer::Reply;
use super::request::Incoming;
use super::{application, commands, guilds, hooks, messages, reactions, threads};
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::state::State;

/// Does what a call asks for.
pub(crate) fn route(state: &mut State, incoming: &Incoming) -> Answered<Reply> {
    let segments = incoming.segments();
    let method = incoming.method.as_str();
    match (method, segments.as_slice()) {
        ("GET", ["gateway"]) => Ok(application::gateway(state)),
        ("GET", ["gateway", "bot"]) => Ok(application::gateway_bot(state)),
        ("GET", ["users", "@me"]) => Ok(Reply::json(200, state.current_user_json())),
        ("GET", ["users", "@me", "guilds"]) => Ok(guilds::mine(state)),
        ("POST", ["users", "@me", "channels"]) => application::open_direct(state, incoming),
        ("GET", ["users", user]) => application::user(state, id(user)?),
        ("GET", ["oauth2", "applications", "@me"] | ["applications", "@me"]) => Ok(application::me(state)),
        (_, ["applications", application, "commands" | "guilds", ..]) => {
            commands::route(state, incoming, id(application)?)
        }
        ("GET", ["guilds", guild, rest @ ..]) => guilds::route(state, incoming, id(guild)?, rest),
        (_, ["channels", channel, rest @ ..]) => in_channel(state, incoming, id(channel)?, rest),
        ("POST", ["interactions", interaction, token, "callback"]) => {
            hooks::callback(state, incoming, id(interaction)?, token)
        }
        (_, ["webhooks", application, token, rest @ ..]) => {
            hooks::route(state, incoming, id(application)?, token, rest)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn in_channel(state: &mut State, incoming: &Incoming, channel: Id, rest: &[&str]) -> Answered<Reply> {
    match (incoming.method.as_str(), rest) {
        ("GET", []) => messages::channel(state, channel),
        ("PATCH", []) => threads::change(state, incoming, channel),
        ("DELETE", []) => threads::delete(state, channel),
        ("GET", ["messages"]) => messages::list(state, incoming, channel),
        ("POST", ["messages"]) => messages::create(state, incoming, channel),
        ("POST", ["typing"]) => messages::typing(state, channel),
        ("GET", ["messages", message]) => messages::read(state, channel, id(message)?),
        ("PATCH", ["messages", message]) => messages::edit(state, incoming, channel, id(message)?),
        ("DELETE", ["messages", message]) => messages::delete(state, channel, id(message)?),
        (_, ["messages", message, "reactions", rest @ ..]) => {
            reactions::route(state, incoming, channel, id(message)?, rest)
        }
        ("POST", ["messages", message, "threads"]) => threads::from_message(state, incoming, channel, id(message)?),
        ("POST", ["threads"]) => threads::create(state, incoming, channel),
        (_, ["thread-members", rest @ ..]) => threads::members(state, incoming, channel, rest),
        (_, [] | ["messages", ..] | ["threads" | "typing"]) => Err(Refusal::method_not_allowed()),
        _ => Err(Refusal::not_found()),
    }
}

/// Reads an id of a path.
pub(crate) fn id(segment: &str) -> Answered<Id> {
    segment.parse().map_err(|_| {
        let mut form = crate::error::Form::default();
        form.wrong("id", "NUMBER_TYPE_COERCE", format!("Value \"{segment}\" is not snowflake."));
        form.finish().err().unwrap_or_else(Refusal::invalid_form)
    })
}
