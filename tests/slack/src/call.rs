//! Calls of the Web API: their arguments in all the forms in which Slack takes them, and the record of them.

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::request::Parts;
use serde::Serialize;
use serde_json::{Map, Value};

/// A call that the app made, as it arrived, without its token.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Call {
    /// `chat.postMessage`, or `response_url`, or `upload`.
    pub method: String,
    /// Its arguments: those that came as JSON in a form are parsed.
    pub arguments: Value,
    /// Milliseconds since the server started.
    pub at_ms: u64,
    /// The HTTP status it was answered with; 0 where the connection was cut or no answer was sent.
    pub status: u16,
    /// The code of the error in the answer.
    pub error: Option<String>,
    /// Whether a fault was injected.
    pub faulty: bool,
}

/// The arguments of a call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arguments(Map<String, Value>);

/// A call as it arrived.
pub(crate) struct Incoming {
    pub(crate) arguments: Arguments,
    pub(crate) token: Option<String>,
    /// Whether the body was JSON.
    pub(crate) json: bool,
    /// Whether the JSON came without a charset, about which Slack warns.
    pub(crate) charset_missing: bool,
}

impl Incoming {
    /// Reads a call from query, form or JSON.
    pub(crate) fn read(parts: &Parts, body: &Bytes) -> Result<Self, &'static str> {
        let kind = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let json = kind.starts_with("application/json");
        let mut fields = form(parts.uri.query().unwrap_or_default().as_bytes());
        if json && !body.is_empty() {
            match serde_json::from_slice::<Value>(body) {
                Ok(Value::Object(object)) => fields.extend(object),
                Ok(_) => return Err("json_not_object"),
                Err(_) => return Err("invalid_json"),
            }
        } else if kind.starts_with("application/x-www-form-urlencoded") || kind.is_empty() {
            fields.extend(form(body));
        } else if !body.is_empty() && !json {
            return Err("invalid_post_type");
        }
        let bearer = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let in_body = fields.remove("token").and_then(|token| token.as_str().map(str::to_owned));
        let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).map(|token| token.trim().to_owned());
        let charset_missing = json && !kind.contains("charset");
        Ok(Self { arguments: Arguments(fields), token: token.or(in_body), json, charset_missing })
    }
}

fn form(bytes: &[u8]) -> Map<String, Value> {
    url::form_urlencoded::parse(bytes)
        .map(|(key, value)| (key.into_owned(), Value::String(value.into_owned())))
        .collect()
}

/// The arguments that are JSON even in a form.
const STRUCTURES: [&str; 6] = ["blocks", "attachments", "metadata", "view", "files", "event_payload"];

impl Arguments {
    pub(crate) fn of(value: Value) -> Self {
        match value {
            Value::Object(fields) => Self(fields),
            _ => Self::default(),
        }
    }

    pub(crate) fn has(&self, key: &str) -> bool {
        self.0.get(key).is_some_and(|value| !value.is_null())
    }

    /// A text; numbers are taken as one. Empty is as good as absent.
    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.0.get(key)? {
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    pub(crate) fn flag(&self, key: &str) -> bool {
        match self.0.get(key) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true" || text == "1",
            Some(Value::Number(number)) => number.as_u64() == Some(1),
            _ => false,
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<usize> {
        self.text(key)?.parse().ok()
    }

    /// JSON, as such or as text.
    ///
    /// # Errors
    /// The text is no JSON.
    pub(crate) fn structure(&self, key: &str) -> Result<Option<Value>, serde_json::Error> {
        match self.0.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) => serde_json::from_str(text).map(Some),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// As they are shown to a test.
    pub(crate) fn shown(&self) -> Value {
        let mut fields = self.0.clone();
        for key in STRUCTURES {
            if let Ok(Some(value)) = self.structure(key) {
                fields.insert(key.to_owned(), value);
            }
        }
        Value::Object(fields)
    }
}
