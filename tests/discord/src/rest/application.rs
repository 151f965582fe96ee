//! The application, the bot's user, and where the gateway is.

use serde_json::json;

use super::answer::Reply;
use super::request::Incoming;
use crate::error::{Answered, Form, Refusal};
use crate::id::Id;
use crate::state::{State, set};
use crate::validate::number;

fn gateway_url(state: &State) -> String {
    state.origin.replacen("http", "ws", 1)
}

pub(crate) fn gateway(state: &State) -> Reply {
    Reply::json(200, json!({"url": gateway_url(state)}))
}

pub(crate) fn gateway_bot(state: &mut State) -> Reply {
    let now = state.now_ms();
    let total = state.limits.identifies;
    let remaining = state.sessions.identifies_left(now, total);
    let limit = json!({"total": total, "remaining": remaining, "reset_after": 14_400_000, "max_concurrency": 1});
    Reply::json(200, json!({"url": gateway_url(state), "shards": 1, "session_start_limit": limit}))
}

pub(crate) fn me(state: &State) -> Reply {
    let application = &state.application;
    let owner = state.users.keys().next().copied().unwrap_or_default();
    Reply::json(
        200,
        json!({
            "id": application.id, "name": application.name, "icon": null, "description": "", "summary": "",
            "type": null, "rpc_origins": [], "bot_public": false, "bot_require_code_grant": false,
            "terms_of_service_url": null, "privacy_policy_url": null, "owner": state.user_json(owner),
            "verify_key": "0".repeat(64), "team": null, "flags": 0, "bot": state.user_json(application.id),
            "approximate_guild_count": state.guilds.len(), "approximate_user_install_count": 0,
            "redirect_uris": [], "interactions_endpoint_url": null, "role_connections_verification_url": null,
            "integration_types_config": {"0": {}}, "tags": [], "hook": true, "is_monetized": false,
            "event_webhooks_url": null, "event_webhooks_status": 1, "event_webhooks_types": [],
            "approximate_user_authorization_count": 0,
        }),
    )
}

pub(crate) fn user(state: &State, user: Id) -> Answered<Reply> {
    if user != state.application.id && !state.users.contains_key(&user) {
        return Err(Refusal::unknown_user());
    }
    Ok(Reply::json(200, state.user_json(user)))
}

pub(crate) fn open_direct(state: &mut State, incoming: &Incoming) -> Answered<Reply> {
    let Some(recipient) = number(&incoming.body, "recipient_id").map(Id) else {
        let mut form = Form::default();
        form.required("recipient_id");
        form.finish()?;
        return Err(Refusal::invalid_form());
    };
    if !state.users.contains_key(&recipient) {
        return Err(Refusal::unknown_user());
    }
    let id = state.direct_channel(recipient);
    let channel = state.channels.get(&id).ok_or_else(Refusal::unknown_channel)?;
    let mut json = state.channel_json(channel);
    set(&mut json, "type", json!(1));
    Ok(Reply::json(200, json))
}
