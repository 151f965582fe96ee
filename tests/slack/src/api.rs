//! The Web API: who calls, what for, how often; and the answer, or what went wrong.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State as Shares};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::method::{Method, Token};
use crate::call::{Arguments, Call, Incoming};
use crate::faults::{CallFault, Effect};
use crate::state::{Shared, State};
use crate::wire::Scissors;

mod assistant;
pub(crate) mod chat;
mod conversations;
mod files;
mod method;
mod people;
pub(crate) mod upload;
mod views;

/// What Slack answers: fields beside `"ok": true`, or a refusal.
pub(crate) type Answer = Result<Value, Refusal>;

/// `"ok": false`.
#[derive(Debug)]
pub(crate) struct Refusal(Value);

impl Refusal {
    pub(crate) fn new(code: &str) -> Self {
        Self(json!({ "ok": false, "error": code }))
    }

    /// With the messages that say what exactly is wrong.
    pub(crate) fn with_messages(code: &str, messages: &[String]) -> Self {
        let marked: Vec<String> = messages.iter().map(|message| format!("[ERROR] {message}")).collect();
        Self(json!({
            "ok": false, "error": code, "errors": messages, "response_metadata": { "messages": marked },
        }))
    }

    pub(crate) fn code(&self) -> String {
        self.0.get("error").and_then(Value::as_str).unwrap_or("fatal_error").to_owned()
    }
}

impl From<&'static str> for Refusal {
    fn from(code: &'static str) -> Self {
        Self::new(code)
    }
}

/// The largest body of a call, in bytes.
const BODY: usize = 4 << 20;
/// How long a connection is held on which nothing is ever answered.
const FOREVER: Duration = Duration::from_mins(10);

/// A result on its way out.
struct Outcome {
    status: StatusCode,
    body: Value,
    retry_after: Option<u64>,
    scopes: Option<String>,
}

impl Outcome {
    fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, body, retry_after: None, scopes: None }
    }

    fn refused(code: &str) -> Self {
        Self::ok(json!({ "ok": false, "error": code }))
    }

    fn limited(retry_after: u64) -> Self {
        let body = json!({ "ok": false, "error": "ratelimited" });
        Self { status: StatusCode::TOO_MANY_REQUESTS, body, retry_after: Some(retry_after), scopes: None }
    }
}

/// Answers `/api/METHOD`.
pub(crate) async fn web_api(
    Shares(shared): Shares<Arc<Shared>>,
    Extension(scissors): Extension<Scissors>,
    Path(method): Path<String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, BODY).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "request too large");
    };
    let incoming = Incoming::read(&parts, &body);
    let shown = incoming.as_ref().map(|incoming| incoming.arguments.shown()).unwrap_or_default();
    let log = Log { shared: &shared, method: &method, shown };
    serve(&log, &scissors, |state| match incoming {
        Ok(incoming) => state.call(&method, incoming),
        Err(code) => Outcome::refused(code),
    })
    .await
}

/// What a call is recorded under.
pub(crate) struct Log<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) method: &'a str,
    pub(crate) shown: Value,
}

impl Log<'_> {
    fn record(&self, status: u16, body: &Value, faulty: bool) {
        let error = body.get("error").and_then(Value::as_str).map(str::to_owned);
        self.shared.change(|state| {
            let at_ms = u64::try_from(state.now().as_millis()).unwrap_or(u64::MAX);
            let (method, arguments) = (self.method.to_owned(), self.shown.clone());
            state.calls.push(Call { method, arguments, at_ms, status, error, faulty });
        });
    }

    /// Records a call that another part answers, and injects the fault planned for it.
    pub(crate) async fn answer(
        &self,
        scissors: &Scissors,
        act: impl FnOnce(&mut State) -> (StatusCode, Value),
    ) -> Response {
        serve(self, scissors, |state| {
            let (status, body) = act(state);
            Outcome { status, body, retry_after: None, scopes: None }
        })
        .await
    }
}

/// Does what a call asks for, with the fault that was planned for it.
async fn serve(log: &Log<'_>, scissors: &Scissors, act: impl FnOnce(&mut State) -> Outcome) -> Response {
    let fault = log.shared.change(|state| state.faults.take_call(log.method));
    let Some(fault) = fault else {
        let outcome = log.shared.change(act);
        log.record(outcome.status.as_u16(), &outcome.body, false);
        return respond(&outcome);
    };
    match fault {
        CallFault::RateLimited { retry_after } => {
            let outcome = Outcome::limited(retry_after);
            log.record(429, &outcome.body, true);
            respond(&outcome)
        }
        CallFault::Error { error } => {
            let outcome = Outcome::refused(&error);
            log.record(200, &outcome.body, true);
            respond(&outcome)
        }
        CallFault::Lag { ms } => {
            let outcome = log.shared.change(act);
            tokio::time::sleep(Duration::from_millis(ms)).await;
            log.record(outcome.status.as_u16(), &outcome.body, true);
            respond(&outcome)
        }
        CallFault::Status { status, effect } => {
            take_effect(log, effect, act);
            log.record(status, &Value::Null, true);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            plain(status, "upstream connect error or disconnect/reset before headers")
        }
        CallFault::Reset { effect } => {
            take_effect(log, effect, act);
            log.record(0, &Value::Null, true);
            scissors.cut();
            plain(StatusCode::OK, "")
        }
        CallFault::Silence { effect } => {
            take_effect(log, effect, act);
            log.record(0, &Value::Null, true);
            tokio::time::sleep(FOREVER).await;
            scissors.cut();
            plain(StatusCode::OK, "")
        }
    }
}

fn take_effect(log: &Log<'_>, effect: Effect, act: impl FnOnce(&mut State) -> Outcome) {
    if effect == Effect::Done {
        log.shared.change(act);
    }
}

fn respond(outcome: &Outcome) -> Response {
    let mut response = match &outcome.body {
        Value::String(text) => plain(outcome.status, text),
        body => {
            let mut response = Response::new(Body::from(body.to_string()));
            let json = HeaderValue::from_static("application/json; charset=utf-8");
            response.headers_mut().insert(CONTENT_TYPE, json);
            *response.status_mut() = outcome.status;
            response
        }
    };
    let headers = response.headers_mut();
    if let Some(seconds) = outcome.retry_after {
        headers.insert("retry-after", HeaderValue::from(seconds));
    }
    if let Some(scopes) = outcome.scopes.as_ref().and_then(|scopes| HeaderValue::from_str(scopes).ok()) {
        headers.insert("x-oauth-scopes", scopes);
    }
    response
}

pub(crate) fn plain(status: StatusCode, text: &str) -> Response {
    let mut response = Response::new(Body::from(Bytes::copy_from_slice(text.as_bytes())));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
    *response.status_mut() = status;
    response
}

impl State {
    /// Answers a call as Slack would.
    fn call(&mut self, name: &str, incoming: Incoming) -> Outcome {
        let Some(method) = Method::named(name) else {
            return Outcome::ok(json!({ "ok": false, "error": "unknown_method", "req_method": name }));
        };
        let scopes = match self.authorize(&method, incoming.token.as_deref()) {
            Ok(scopes) => scopes,
            Err(Refusal(body)) => return Outcome::ok(body),
        };
        // Methods that read take no JSON: Slack acts as if the arguments were not there.
        let arguments = if incoming.json && !method.takes_json { Arguments::default() } else { incoming.arguments };
        let now = self.now();
        let channel = arguments.text("channel").or_else(|| arguments.text("channel_id"));
        if let Err(seconds) = self.limiter.take(name, method.tier, channel.as_deref(), now) {
            return Outcome::limited(seconds);
        }
        let mut body = match (method.run)(self, &arguments) {
            Ok(body) | Err(Refusal(body)) => body,
        };
        if let Some(fields) = body.as_object_mut() {
            fields.entry("ok").or_insert(true.into());
            if incoming.charset_missing {
                fields.insert("warning".to_owned(), "missing_charset".into());
                let metadata = fields.entry("response_metadata").or_insert_with(|| json!({}));
                if let Some(metadata) = metadata.as_object_mut() {
                    metadata.insert("warnings".to_owned(), json!(["missing_charset"]));
                }
            }
        }
        Outcome { scopes: Some(scopes.join(",")), ..Outcome::ok(body) }
    }

    /// The scopes of a token that may call a method.
    fn authorize(&self, method: &Method, token: Option<&str>) -> Result<Vec<String>, Refusal> {
        if method.token == Token::None {
            return Ok(Vec::new());
        }
        let Some(token) = token else {
            return Err("not_authed".into());
        };
        let app = &self.world.app;
        let scopes = match token {
            token if token == app.bot_token => &app.bot_scopes,
            token if token == app.app_token => &app.app_scopes,
            _ => return Err("invalid_auth".into()),
        };
        if self.revoked.contains(token) {
            return Err("token_revoked".into());
        }
        let needed = if token == app.app_token { Token::App } else { Token::Bot };
        if method.token != needed && method.token != Token::Any {
            return Err("not_allowed_token_type".into());
        }
        if let Some(needed) = method.scope(|scope| scopes.iter().any(|one| one == scope)) {
            let provided = scopes.join(",");
            return Err(Refusal(
                json!({ "ok": false, "error": "missing_scope", "needed": needed, "provided": provided }),
            ));
        }
        Ok(scopes.clone())
    }
}
