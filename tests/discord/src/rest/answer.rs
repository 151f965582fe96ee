//! Answers: status, body, and the headers that clients read.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Value, json};

use crate::error::Refusal;
use crate::limits::Standing;

/// An answer before it is written.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Option<Value>,
    /// Whether a text body goes out as it is instead of as JSON.
    raw: bool,
    limited: Option<(f64, bool)>,
    shut_out: bool,
}

impl Reply {
    pub(crate) fn json(status: u16, body: Value) -> Self {
        Self { status, body: Some(body), raw: false, limited: None, shut_out: false }
    }

    pub(crate) fn none(status: u16) -> Self {
        Self { status, body: None, raw: false, limited: None, shut_out: false }
    }

    pub(crate) fn refused(refusal: Refusal) -> Self {
        Self::json(refusal.status, refusal.body)
    }

    pub(crate) fn limited(retry_after_s: f64, global: bool) -> Self {
        let body = json!({"message": "You are being rate limited.", "retry_after": retry_after_s, "global": global});
        Self { limited: Some((retry_after_s, global)), ..Self::json(429, body) }
    }

    /// What somebody gets who sent too many invalid requests.
    pub(crate) fn shut_out() -> Self {
        let body = Value::String("error code: 1015".to_owned());
        Self { shut_out: true, raw: true, limited: Some((600.0, true)), ..Self::json(429, body) }
    }

    pub(crate) fn raw(self) -> Self {
        Self { raw: true, ..self }
    }
}

/// Answers with a text.
pub(crate) fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

/// Writes an answer as Discord does: `application/json` without a charset, rate-limit headers, `Via`.
pub(crate) fn respond(reply: Reply, standing: Option<&Standing>) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let (body, kind) = match reply.body {
        None => (Body::empty(), None),
        Some(Value::String(text)) if reply.raw => (Body::from(text), Some("text/html")),
        Some(value) => (Body::from(value.to_string()), Some("application/json")),
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    if !reply.shut_out {
        // discord.py takes a 429 without this for a ban by Cloudflare.
        set("via", "1.1 google".to_owned());
    }
    if let Some(standing) = standing {
        set("x-ratelimit-limit", standing.limit.to_string());
        set("x-ratelimit-remaining", standing.remaining.to_string());
        set("x-ratelimit-reset", format!("{:.3}", super::seconds(standing.resets_ms)));
        set("x-ratelimit-reset-after", format!("{:.3}", super::seconds(standing.after_ms)));
        set("x-ratelimit-bucket", standing.bucket.clone());
    }
    if let Some((retry_after_s, global)) = reply.limited {
        set("retry-after", format!("{:.0}", retry_after_s.ceil()));
        set("x-ratelimit-scope", if global { "global" } else { "user" }.to_owned());
        if global {
            set("x-ratelimit-global", "true".to_owned());
        }
    }
    if let Some(kind) = kind {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    response
}
