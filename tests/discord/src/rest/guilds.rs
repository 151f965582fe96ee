//! Guilds, their channels, roles and members.

use serde_json::{Value, json};

use super::answer::Reply;
use super::request::Incoming;
use super::routes::id;
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::permission::VIEW_CHANNEL;
use crate::state::guild::{guild_json, role_json};
use crate::state::{State, set};

pub(crate) fn mine(state: &State) -> Reply {
    let guilds = state.guilds.values().map(|guild| {
        let bits = guild.channels.first().map_or(0, |channel| state.permissions(state.application.id, channel.id));
        json!({"id": guild.id, "name": guild.name, "icon": null, "banner": null, "owner": false, "features": [],
            "permissions": bits.to_string()})
    });
    Reply::json(200, guilds.collect())
}

pub(crate) fn route(state: &State, incoming: &Incoming, guild: Id, rest: &[&str]) -> Answered<Reply> {
    let known = state.guild(guild)?;
    match rest {
        [] => {
            let mut json = guild_json(known);
            if incoming.asks("with_counts") {
                set(&mut json, "approximate_member_count", json!(known.members.len()));
                set(&mut json, "approximate_presence_count", json!(1));
            }
            Ok(Reply::json(200, json))
        }
        ["channels"] => {
            let channels = state.channels.values().filter(|channel| channel.guild == Some(guild));
            let channels = channels.filter(|channel| channel.thread.is_none());
            Ok(Reply::json(200, channels.map(|channel| state.channel_json(channel)).collect()))
        }
        ["roles"] => Ok(Reply::json(200, known.roles.iter().map(|role| role_json(known, role)).collect())),
        ["members", "@me"] => member(state, guild, state.application.id),
        ["members", user] => member(state, guild, id(user)?),
        ["members"] if !state.application.members_and_presences => Err(Refusal::missing_access()),
        ["members"] => {
            let members = known.members.iter().filter_map(|member| state.full_member_json(guild, member.user));
            Ok(Reply::json(200, members.collect()))
        }
        ["threads", "active"] => Ok(Reply::json(200, active_threads(state, guild))),
        _ => Err(Refusal::not_found()),
    }
}

fn member(state: &State, guild: Id, user: Id) -> Answered<Reply> {
    if user != state.application.id && !state.users.contains_key(&user) {
        return Err(Refusal::unknown_user());
    }
    let member = state.full_member_json(guild, user).ok_or_else(Refusal::unknown_member)?;
    Ok(Reply::json(200, member))
}

fn active_threads(state: &State, guild: Id) -> Value {
    let bot = state.application.id;
    let seen = |id: Id| state.permissions(bot, id) & VIEW_CHANNEL != 0;
    let threads: Vec<_> = state.active_threads(guild).into_iter().filter(|thread| seen(thread.id)).collect();
    let mine = threads.iter().filter(|thread| thread.thread.as_ref().is_some_and(|inner| inner.members.contains(&bot)));
    let members: Vec<Value> = mine
        .map(|thread| {
            json!({"id": thread.id, "user_id": bot, "flags": 1,
            "join_timestamp": crate::state::timestamp(thread.id.created_ms())})
        })
        .collect();
    let threads: Vec<Value> = threads.iter().map(|thread| state.channel_json(thread)).collect();
    json!({"threads": threads, "members": members})
}
