//! Answers to interactions: the first one, `@original`, and follow-ups.

use serde_json::{Value, json};

use super::answer::Reply;
use super::request::Incoming;
use crate::draft::Draft;
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::state::State;
use crate::state::interaction::Called;
use crate::state::message::{EPHEMERAL, LOADING};
use crate::state::set;

pub(crate) fn callback(state: &mut State, incoming: &Incoming, id: Id, token: &str) -> Answered<Reply> {
    let called = state.callback(id, token, &incoming.body, incoming.files.clone())?;
    if incoming.asks("with_response") {
        return Ok(Reply::json(200, called_json(state, &called)));
    }
    Ok(Reply::none(204))
}

fn called_json(state: &State, called: &Called) -> Value {
    let kind = state.interactions.get(&called.interaction).map_or(0, |interaction| interaction.kind);
    let mut json = json!({
        "interaction": {"id": called.interaction, "type": kind},
        "resource": {"type": called.kind},
    });
    let Some(message) = called.message.and_then(|id| state.messages.get(&id)) else { return json };
    if let Some(about) = json.get_mut("interaction") {
        set(about, "response_message_id", json!(message.id));
        set(about, "response_message_loading", json!(message.flags & LOADING != 0));
        set(about, "response_message_ephemeral", json!(message.flags & EPHEMERAL != 0));
    }
    if let Some(resource) = json.get_mut("resource") {
        set(resource, "message", state.message_json(message));
    }
    json
}

pub(crate) fn route(
    state: &mut State,
    incoming: &Incoming,
    application: Id,
    token: &str,
    rest: &[&str],
) -> Answered<Reply> {
    match (incoming.method.as_str(), rest) {
        ("POST", []) => {
            let id = state.follow_up(application, token, &incoming.body, incoming.files.clone())?;
            Ok(Reply::json(200, shown(state, id)?))
        }
        ("GET", ["messages", message]) => {
            let found = state.answer_of(application, token, message)?;
            Ok(Reply::json(200, state.message_json(found)))
        }
        ("PATCH", ["messages", message]) => edit(state, incoming, application, token, message),
        ("DELETE", ["messages", message]) => {
            let id = state.answer_of(application, token, message)?.id;
            state.delete_message(id);
            Ok(Reply::none(204))
        }
        (_, [] | ["messages", _]) => Err(Refusal::method_not_allowed()),
        _ => Err(Refusal::not_found()),
    }
}

fn edit(state: &mut State, incoming: &Incoming, application: Id, token: &str, message: &str) -> Answered<Reply> {
    let found = state.answer_of(application, token, message)?;
    let (id, was_loading) = (found.id, found.flags & LOADING != 0);
    let draft = Draft::parse(&incoming.body, incoming.files.clone(), "", state.limits.attachment_bytes)?;
    if was_loading && draft.is_empty() {
        return Err(Refusal::empty_message());
    }
    state.edit_message(id, draft);
    Ok(Reply::json(200, shown(state, id)?))
}

fn shown(state: &State, id: Id) -> Answered<Value> {
    state.messages.get(&id).map(|message| state.message_json(message)).ok_or_else(Refusal::unknown_message)
}
