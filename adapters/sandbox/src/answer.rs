//! What a request is answered with, and its form on the wire.

mod form;
mod list;

use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use serde_json::Value;

use crate::resources::Resource;
use crate::status::Status;

pub(crate) use form::Form;
pub(crate) use list::{encode_list, metadata_only};

/// The error of a body or a connection: here always a fault on demand.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer, which for a watch or a followed log does not end by itself.
pub type Body = UnsyncBoxBody<Bytes, Error>;

/// What a request is answered with.
pub(crate) enum Answer {
    /// One object in the version that is kept, to be shown in the form that was asked for.
    Object(u16, Arc<Resource>, Arc<Value>),
    /// A list.
    List(List),
    /// A JSON document as it is.
    Document(u16, Value),
    /// A JSON document with its own media type.
    Typed(&'static str, Value),
    /// Text.
    Text(u16, String),
    /// Nothing.
    Empty,
    /// Something that goes on, with its media type.
    Stream(&'static str, Body),
}

/// A list as it was read.
pub(crate) struct List {
    pub(crate) resource: Arc<Resource>,
    /// In the version that was asked for.
    pub(crate) objects: Vec<Arc<Value>>,
    /// `resourceVersion`, `continue`, `remainingItemCount`.
    pub(crate) metadata: Value,
}

const JSON: &str = "application/json";

/// Puts an answer on the wire.
pub(crate) fn respond(answer: Result<Answer, Status>, form: Form, now: Timestamp) -> Response<Body> {
    match answer {
        Ok(Answer::Object(code, resource, object)) => object_response(code, &resource, &object, form, now),
        Ok(Answer::List(list)) => json(200, encode_list(&list, form, now)),
        Ok(Answer::Document(code, value)) => json(code, value.to_string().into_bytes()),
        Ok(Answer::Typed(content_type, value)) => build(200, content_type, full(value.to_string())),
        Ok(Answer::Text(code, text)) => build(code, "text/plain; charset=utf-8", full(text)),
        Ok(Answer::Empty) => {
            let mut response = build(204, "text/plain", full(Bytes::new()));
            response.headers_mut().remove(header::CONTENT_TYPE);
            response
        }
        Ok(Answer::Stream(content_type, body)) => build(200, content_type, body),
        Err(status) => refusal(&status),
    }
}

/// Puts a refusal on the wire.
pub(crate) fn refusal(status: &Status) -> Response<Body> {
    // What no handler answered, a router did, in plain text.
    let plain = status.reason.is_empty() && status.message.starts_with(&status.code.to_string());
    let mut response = if plain {
        build(status.code, "text/plain; charset=utf-8", full(format!("{}\n", status.message)))
    } else {
        json(status.code, status.to_value().to_string().into_bytes())
    };
    let seconds = status.details.as_ref().map_or(0, |details| details.retry_after_seconds);
    if seconds > 0 && matches!(status.code, 429 | 503 | 504) {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn object_response(
    code: u16,
    resource: &Arc<Resource>,
    object: &Arc<Value>,
    form: Form,
    now: Timestamp,
) -> Response<Body> {
    let object = crate::convert::to_version(resource, object);
    let shown = match form {
        Form::Object => return json(code, object.to_string().into_bytes()),
        Form::Metadata => metadata_only(&object),
        Form::Table(include) => {
            let revision = crate::object::meta(&object, "resourceVersion");
            let metadata = serde_json::json!({"resourceVersion": revision});
            crate::table::table(resource, std::slice::from_ref(&object), metadata, include, now)
        }
    };
    json(code, shown.to_string().into_bytes())
}

fn json(code: u16, bytes: Vec<u8>) -> Response<Body> {
    build(code, JSON, full(bytes))
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}

fn build(code: u16, content_type: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    // A fault may ask for a code that HTTP does not have.
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(content_type));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-cache, private"));
    response
}
