//! The control plane: the same acts, reads and faults as in the library, as JSON over HTTP.
//!
//! | | |
//! |---|---|
//! | `POST /control/act` | `{"as": "U0ANNA", "do": "slash", "channel": "C0INCIDENTS", "command": "/why", "text": "pod web"}` |
//! | `POST /control/fault` | `{"on": "call", "method": "chat.postMessage", "fault": "rate_limited", "retry_after": 1}` |
//! | `POST /control/advance` | `{"ms": 3000}` |
//! | `POST /control/wait` | `{"for": "message", "channel": "C0INCIDENTS", "text": "web", "timeout_ms": 5000}` |
//! | `GET /control/...` | `world`, `calls`, `messages`, `thread`, `ephemerals`, `views`, `home`, `acks`, `delivered`, `warnings`, `connections`, `status`, `files/ID` |

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State as Shares};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::server::Slack;
use crate::state::Shared;

mod act;
mod fault;
mod wait;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
        .route("/act", post(act))
        .route("/fault", post(fault))
        .route("/advance", post(advance))
        .route("/wait", post(wait))
        .route("/files/{id}", get(file))
        .route("/{what}", get(read))
}

/// What a request to the control plane is answered when it cannot be done.
pub(crate) struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

type Reply = Result<Json<Value>, Refused>;

fn parse<T: DeserializeOwned>(body: &Bytes) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|problem| Refused(StatusCode::BAD_REQUEST, problem.to_string()))
}

async fn act(Shares(shared): Shares<Arc<Shared>>, body: Bytes) -> Reply {
    let request: act::Act = parse(&body)?;
    let done = request.perform(&Slack { shared });
    done.map(Json).map_err(|impossible| Refused(StatusCode::CONFLICT, impossible.to_string()))
}

async fn fault(Shares(shared): Shares<Arc<Shared>>, body: Bytes) -> Reply {
    let plan: fault::Plan = parse(&body)?;
    plan.apply(&Slack { shared });
    Ok(Json(json!({ "ok": true })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    ms: u64,
}

async fn advance(Shares(shared): Shares<Arc<Shared>>, body: Bytes) -> Reply {
    let Advance { ms } = parse(&body)?;
    Slack { shared }.advance(std::time::Duration::from_millis(ms));
    Ok(Json(json!({ "ok": true })))
}

async fn wait(Shares(shared): Shares<Arc<Shared>>, body: Bytes) -> Reply {
    let request: wait::Wait = parse(&body)?;
    let found = request.wait(&Slack { shared }).await;
    found.map(Json).map_err(|vain| Refused(StatusCode::REQUEST_TIMEOUT, vain.to_string()))
}

async fn file(Shares(shared): Shares<Arc<Shared>>, Path(id): Path<String>) -> Response {
    match (Slack { shared }).file(&id) {
        Some(bytes) => Body::from(bytes).into_response(),
        None => Refused(StatusCode::NOT_FOUND, format!("no file \"{id}\" was shared")).into_response(),
    }
}

/// What a reading is about.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct About {
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    channel: String,
    #[serde(default)]
    ts: String,
    #[serde(default)]
    user: String,
}

async fn read(Shares(shared): Shares<Arc<Shared>>, Path(what): Path<String>, Query(about): Query<About>) -> Reply {
    let slack = Slack { shared };
    let found = match what.as_str() {
        "world" => shown(slack.world()),
        "calls" => match &about.method {
            Some(method) => shown(slack.calls_of(method)),
            None => shown(slack.calls()),
        },
        "messages" => shown(slack.messages(&about.channel)),
        "message" => shown(slack.message(&about.channel, &about.ts)),
        "thread" => shown(slack.thread(&about.channel, &about.ts)),
        "ephemerals" => shown(slack.ephemerals(&about.user)),
        "views" => shown(slack.views(&about.user)),
        "home" => shown(slack.home(&about.user)),
        "acks" => shown(slack.acks()),
        "delivered" => shown(slack.delivered()),
        "warnings" => shown(slack.warnings()),
        "connections" => json!({ "open": slack.connections(), "opened": slack.connections_opened() }),
        "status" => shown(slack.status(&about.channel, &about.ts)),
        other => return Err(Refused(StatusCode::NOT_FOUND, format!("there is no \"{other}\" to read"))),
    };
    Ok(Json(found))
}

fn shown(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
