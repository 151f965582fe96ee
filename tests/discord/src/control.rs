//! The control plane: what the library does, as JSON under `/control/`, for programs in other languages.
//!
//! `POST /control/act` with an [`Act`], `/control/read` with a [`Read`], `/control/fault` with a
//! [`Fault`], `/control/gateway` with a [`GatewayFault`], `/control/advance` with `{"ms": 1000}`,
//! `/control/token` with `{"revoked": true}`, `/control/limits` with the limits to change.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::fault::{Fault, GatewayFault};
use crate::id::Id;
use crate::people::Unable;
use crate::reading::View;
use crate::server::Shared;
use crate::state::State;

/// The largest control request, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// What a person does.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
enum Act {
    /// Writes a message.
    Say {
        by: Id,
        channel: Id,
        content: String,
        #[serde(default)]
        reply_to: Option<Id>,
    },
    /// Opens the direct message with the bot.
    Direct { by: Id },
    /// Uses a slash command.
    Slash {
        by: Id,
        channel: Id,
        line: String,
        #[serde(default)]
        options: Map<String, Value>,
    },
    /// Types into an option that completes.
    Complete {
        by: Id,
        channel: Id,
        line: String,
        #[serde(default)]
        options: Map<String, Value>,
        focused: String,
        typed: String,
    },
    /// Uses a command of a message's menu.
    MessageCommand { by: Id, message: Id, name: String },
    /// Presses a button.
    Press { by: Id, message: Id, button: String },
    /// Chooses in a select.
    Choose { by: Id, message: Id, select: String, values: Vec<String> },
    /// Submits the open modal.
    Submit { by: Id, values: BTreeMap<String, String> },
    /// Puts a reaction on a message.
    React { by: Id, message: Id, emoji: String },
}

/// What is read back.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case", deny_unknown_fields)]
enum Read {
    /// The calls of the REST API.
    Calls,
    /// The messages of a channel, as everybody or as one person sees them.
    Messages {
        channel: Id,
        #[serde(default)]
        user: Option<Id>,
    },
    /// One message.
    Message { id: Id },
    /// The messages only one person sees.
    Ephemerals { user: Id },
    /// All interactions.
    Interactions,
    /// One interaction.
    Interaction { id: Id },
    /// The modal a person has open.
    Modal { user: Id },
    /// The threads of a channel.
    Threads { channel: Id },
    /// Registered commands, and how often they were written.
    Commands {
        #[serde(default)]
        guild: Option<Id>,
    },
    /// What happened at the gateway.
    Gateway,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Token {
    revoked: bool,
}

/// Does what a request to the control plane says.
pub(crate) async fn take(shared: Shared, command: String, request: Request) -> Response {
    let Ok(bytes) = to_bytes(request.into_body(), LARGEST).await else {
        return (StatusCode::PAYLOAD_TOO_LARGE, "too large").into_response();
    };
    match obey(&shared, &command, &bytes) {
        Ok(answer) => Json(answer).into_response(),
        Err(problem) => (StatusCode::BAD_REQUEST, Json(json!({"error": problem}))).into_response(),
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| error.to_string())
}

fn obey(shared: &Shared, command: &str, bytes: &[u8]) -> Result<Value, String> {
    match command {
        "act" => {
            let what = parse(bytes)?;
            shared.change(|state| act(state, what)).map_err(|unable| unable.to_string())
        }
        "read" => {
            let what: Read = parse(bytes)?;
            Ok(shared.read(|state| read(&View(state), &what)))
        }
        "fault" => {
            let fault: Fault = parse(bytes)?;
            shared.change(|state| state.faults.rest.push(fault));
            Ok(json!({}))
        }
        "gateway" => {
            let fault: GatewayFault = parse(bytes)?;
            shared.change(|state| state.add_gateway_fault(&fault));
            Ok(json!({}))
        }
        "advance" => {
            let Advance { ms } = parse(bytes)?;
            shared.change(|state| state.advance(std::time::Duration::from_millis(ms)));
            Ok(json!({}))
        }
        "token" => {
            let Token { revoked } = parse(bytes)?;
            shared.change(|state| if revoked { state.revoke_token() } else { state.token_revoked = false });
            Ok(json!({}))
        }
        "limits" => limits(shared, bytes),
        "clear" => {
            shared.change(|state| state.faults = crate::fault::Faults::default());
            Ok(json!({}))
        }
        other => Err(format!("unknown control command \"{other}\"")),
    }
}

/// Changes the limits that are named and answers with all.
fn limits(shared: &Shared, bytes: &[u8]) -> Result<Value, String> {
    let changes: Map<String, Value> = parse(bytes)?;
    let all = shared.read(|state| json!(state.limits));
    let mut all: Map<String, Value> = serde_json::from_value(all).map_err(|error| error.to_string())?;
    all.extend(changes);
    let limits = serde_json::from_value(Value::Object(all.clone())).map_err(|error| error.to_string())?;
    shared.change(|state| state.limits = limits);
    Ok(Value::Object(all))
}

fn act(state: &mut State, act: Act) -> Result<Value, Unable> {
    let id = match act {
        Act::Say { by, channel, content, reply_to } => state.say(by, channel, &content, reply_to, Vec::new())?,
        Act::Direct { by } => state.direct_channel(by),
        Act::Slash { by, channel, line, options } => {
            let options: Vec<_> = options.into_iter().collect();
            state.slash(by, channel, &line, &options)?
        }
        Act::Complete { by, channel, line, options, focused, typed } => {
            let options: Vec<_> = options.into_iter().collect();
            state.complete(by, channel, &line, &options, (&focused, &typed))?
        }
        Act::MessageCommand { by, message, name } => state.message_command(by, message, &name)?,
        Act::Press { by, message, button } => state.press(by, message, &button)?,
        Act::Choose { by, message, select, values } => state.choose(by, message, &select, &values)?,
        Act::Submit { by, values } => state.submit(by, &values)?,
        Act::React { by, message, emoji } => {
            let channel = state.messages.get(&message).map(|found| found.channel).ok_or(Unable::NoMessage(message))?;
            state.react(channel, message, &emoji, by);
            message
        }
    };
    Ok(json!({"id": id}))
}

fn read(view: &View<'_>, read: &Read) -> Value {
    match read {
        Read::Calls => json!(view.calls()),
        Read::Messages { channel, user: None } => json!(view.messages(*channel)),
        Read::Messages { channel, user: Some(user) } => json!(view.messages_for(*user, *channel)),
        Read::Message { id } => json!(view.message(*id)),
        Read::Ephemerals { user } => json!(view.ephemerals(*user)),
        Read::Interactions => json!(view.interactions()),
        Read::Interaction { id } => json!(view.interaction(*id)),
        Read::Modal { user } => {
            json!(view.open_modal(*user).map(|(id, modal)| json!({"interaction": id, "modal": modal})))
        }
        Read::Threads { channel } => json!(view.threads(*channel)),
        Read::Commands { guild } => json!({"commands": view.commands(*guild), "writes": view.command_writes()}),
        Read::Gateway => json!({"history": view.gateway(), "ready": view.ready_connections()}),
    }
}
