//! The REST API: every call is recorded, hit by faults, authorised, paced, routed and answered.

mod answer;
mod application;
mod commands;
mod guilds;
mod hooks;
mod messages;
mod reactions;
mod request;
mod routes;
mod threads;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, FromRequestParts as _, Request, State as Shareable, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::fault::What;
use crate::gateway::connection;
use crate::limits::{Pace, Standing};
use crate::reading::Call;
use crate::server::Shared;
use crate::state::State;
use crate::wire::Cut;

use answer::{Reply, plain, respond};
use request::Incoming;

/// How long a call that is never answered is kept, so that nothing stays for ever.
const NEVER: Duration = Duration::from_hours(1);

/// Takes any request: a WebSocket, the control plane, a file, or the API.
pub(crate) async fn take(
    Shareable(shared): Shareable<Shared>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    if request.headers().contains_key(header::UPGRADE) {
        return upgrade(shared, cut, request).await;
    }
    if let Some(command) = path.strip_prefix("/control/") {
        return crate::control::take(shared, command.to_owned(), request).await;
    }
    if let Some(file) = path.strip_prefix("/attachments/") {
        return attachment(&shared, file);
    }
    call(shared, cut, request).await
}

async fn upgrade(shared: Shared, cut: Cut, request: Request) -> Response {
    let refused = shared.quietly(|state| {
        let refused = state.faults.refuse > 0;
        state.faults.refuse = state.faults.refuse.saturating_sub(1);
        refused
    });
    if refused {
        return plain(StatusCode::SERVICE_UNAVAILABLE, "no healthy upstream");
    }
    let (mut parts, _) = request.into_parts();
    let address = parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    match WebSocketUpgrade::from_request_parts(&mut parts, &()).await {
        Ok(upgrade) => upgrade.on_upgrade(move |socket| connection::carry(socket, shared, cut, address)),
        Err(refused) => refused.into_response(),
    }
}

fn attachment(shared: &Shared, file: &str) -> Response {
    let id = file.split('/').nth(1).and_then(|id| id.parse().ok());
    let bytes = shared.read(|state| id.and_then(|id| state.files.get(&id).cloned()));
    match bytes {
        Some(bytes) => Response::new(Body::from(bytes)),
        None => plain(StatusCode::NOT_FOUND, "This content is no longer available."),
    }
}

async fn call(shared: Shared, cut: Cut, request: Request) -> Response {
    let incoming = match Incoming::read(request).await {
        Ok(incoming) => Arc::new(incoming),
        Err(refused) => return refused,
    };
    let started = shared.read(State::now_ms);
    let faults = shared.quietly(|state| state.faults.of_call(&incoming.method, &incoming.route));
    for fault in &faults {
        if let What::Lag { ms } = fault {
            tokio::time::sleep(Duration::from_millis(*ms)).await;
        }
    }
    let before = faults.iter().find(|fault| happens_before(fault));
    let (reply, standing) = match before {
        Some(fault) => (faulty(fault), None),
        None => shared.change(|state| handle(state, &incoming)),
    };
    let after = faults.iter().find(|fault| !happens_before(fault) && !matches!(fault, What::Lag { .. }));
    let effect = reply.status;
    let shown = match after {
        Some(What::LateAnswer { .. }) | None => reply,
        Some(fault) => faulty(fault),
    };
    shared.change(|state| {
        state.rates.count_answer(shown.status, started);
        record(state, &incoming, started, &shown, effect);
    });
    match before.or(after) {
        Some(What::Reset { .. }) => {
            cut.reset();
            tokio::time::sleep(NEVER).await;
        }
        Some(What::NoAnswer { .. }) => tokio::time::sleep(NEVER).await,
        Some(What::LateAnswer { ms }) => tokio::time::sleep(Duration::from_millis(*ms)).await,
        _ => {}
    }
    respond(shown, standing.as_ref())
}

fn happens_before(fault: &What) -> bool {
    match fault {
        What::RateLimited { .. } => true,
        What::Status { after_effect, .. }
        | What::Garbage { after_effect }
        | What::Reset { after_effect }
        | What::NoAnswer { after_effect } => !after_effect,
        What::Lag { .. } | What::LateAnswer { .. } => false,
    }
}

fn faulty(fault: &What) -> Reply {
    match fault {
        What::RateLimited { retry_after_s, global } => Reply::limited(*retry_after_s, *global),
        What::Status { status, .. } => {
            let text = StatusCode::from_u16(*status).ok().and_then(|status| status.canonical_reason());
            Reply::json(*status, json!({"message": format!("{status}: {}", text.unwrap_or("Error")), "code": 0}))
        }
        What::Garbage { .. } => {
            Reply::json(200, Value::String("<html><body>cloudflare</body></html>".to_owned())).raw()
        }
        What::Lag { .. } | What::LateAnswer { .. } | What::Reset { .. } | What::NoAnswer { .. } => Reply::none(0),
    }
}

fn handle(state: &mut State, incoming: &Incoming) -> (Reply, Option<Standing>) {
    let now = state.now_ms();
    if state.rates.invalid(now) >= state.limits.invalid_requests as usize {
        return (Reply::shut_out(), None);
    }
    if !incoming.needs_no_token() && !is_authorized(state, &incoming.headers) {
        return (Reply::refused(Refusal::unauthorized()), None);
    }
    let standing = match state.rates.count(&incoming.method, &incoming.route, &incoming.major(), now, &state.limits) {
        Pace::Go(standing) => standing,
        Pace::Wait(standing) => {
            let wait = seconds(standing.after_ms);
            return (Reply::limited(wait, false), Some(standing));
        }
        Pace::WaitAll(ms) => return (Reply::limited(seconds(ms), true), None),
    };
    let reply = incoming.body_problem().map_or_else(|| routes::route(state, incoming), Err);
    (reply.unwrap_or_else(Reply::refused), Some(standing))
}

#[expect(clippy::cast_precision_loss, reason = "waits are far below 2^52 milliseconds")]
fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

fn is_authorized(state: &State, headers: &HeaderMap) -> bool {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    !state.token_revoked && given.and_then(|given| given.strip_prefix("Bot ")) == Some(state.application.token.as_str())
}

fn record(state: &mut State, incoming: &Incoming, started: u64, shown: &Reply, effect: u16) {
    state.calls_made += 1;
    let call = Call {
        number: state.calls_made,
        at_ms: started,
        took_ms: state.now_ms().saturating_sub(started),
        method: incoming.method.clone(),
        route: incoming.route.clone(),
        path: incoming.path.clone(),
        query: incoming.query.clone(),
        body: incoming.body.clone(),
        files: incoming.files.iter().map(|file| file.name.clone()).collect(),
        status: shown.status,
        effect,
        answer: shown.body.clone().unwrap_or_default(),
        user_agent: incoming.header("user-agent"),
    };
    state.record(call);
}
