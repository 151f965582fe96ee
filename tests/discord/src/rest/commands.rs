//! Registering application commands.

use super::answer::Reply;
use super::request::Incoming;
use super::routes::id;
use crate::command::Scope;
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::state::State;

pub(crate) fn route(state: &mut State, incoming: &Incoming, application: Id) -> Answered<Reply> {
    if application != state.application.id {
        return Err(Refusal::unknown_application());
    }
    let segments = incoming.segments();
    match segments.as_slice() {
        [_, _, "commands", rest @ ..] => scoped(state, incoming, None, rest),
        [_, _, "guilds", guild, "commands", rest @ ..] => {
            let guild = id(guild)?;
            // Discord does not say which guilds exist to those who are not in them.
            if !state.guilds.contains_key(&guild) {
                return Err(Refusal::missing_access());
            }
            scoped(state, incoming, Some(guild), rest)
        }
        _ => Err(Refusal::not_found()),
    }
}

fn scoped(state: &mut State, incoming: &Incoming, scope: Scope, rest: &[&str]) -> Answered<Reply> {
    let application = state.application.id;
    match (incoming.method.as_str(), rest) {
        ("GET", []) => {
            let commands = state.commands.of(scope).iter();
            Ok(Reply::json(200, commands.map(|command| command.json(application, scope)).collect()))
        }
        ("PUT", []) => Ok(Reply::json(200, state.put_commands(scope, &incoming.body)?)),
        ("POST", []) => {
            let (command, is_new) = state.post_command(scope, &incoming.body)?;
            Ok(Reply::json(if is_new { 201 } else { 200 }, command))
        }
        ("GET", [command]) => {
            let wanted = id(command)?;
            let found = state.commands.of(scope).iter().find(|command| command.id == wanted);
            let found = found.ok_or_else(Refusal::unknown_command)?;
            Ok(Reply::json(200, found.json(application, scope)))
        }
        ("DELETE", [command]) => {
            state.delete_command(scope, id(command)?)?;
            Ok(Reply::none(204))
        }
        (_, [] | [_]) => Err(Refusal::method_not_allowed()),
        _ => Err(Refusal::not_found()),
    }
}
