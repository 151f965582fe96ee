//! Where the bytes of files arrive, raw or as a form with parts; and the answers over response URLs.

use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{FromRequest, Multipart, Request, State as Shares};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use serde_json::{Value, json};

use crate::api::{Log, plain};
use crate::call::Arguments;
use crate::state::{Shared, State};
use crate::wire::Scissors;

/// The largest file, in bytes.
const FILE: usize = 64 << 20;
/// The largest answer over a response URL, in bytes.
const ANSWER: usize = 4 << 20;

/// Takes the bytes of a file.
pub(crate) async fn upload(
    Shares(shared): Shares<Arc<Shared>>,
    Extension(scissors): Extension<Scissors>,
    request: Request,
) -> Response {
    let path = request.uri().path().to_owned();
    let Some(bytes) = file_bytes(request).await else {
        return plain(StatusCode::BAD_REQUEST, "no file");
    };
    let log = Log { shared: &shared, method: "upload", shown: json!({ "bytes": bytes.len() }) };
    log.answer(&scissors, |state| state.receive(&path, bytes)).await
}

async fn file_bytes(request: Request) -> Option<Vec<u8>> {
    let kind = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("multipart/form-data") {
        return to_bytes(request.into_body(), FILE).await.ok().map(|bytes| bytes.to_vec());
    }
    let mut parts = Multipart::from_request(request, &()).await.ok()?;
    let mut largest = Bytes::new();
    while let Ok(Some(part)) = parts.next_field().await {
        let bytes = part.bytes().await.ok()?;
        if bytes.len() >= largest.len() {
            largest = bytes;
        }
    }
    Some(largest.to_vec())
}

impl State {
    fn receive(&mut self, path: &str, bytes: Vec<u8>) -> (StatusCode, Value) {
        let Some(file) = self.files.values_mut().find(|file| file.upload == path) else {
            return (StatusCode::NOT_FOUND, "no such upload".into());
        };
        if bytes.len() != file.declared {
            return (StatusCode::BAD_REQUEST, "the length is not the declared one".into());
        }
        let length = bytes.len();
        file.bytes = Some(bytes);
        (StatusCode::OK, format!("OK - {length}").into())
    }

    fn answer(&mut self, path: &str, body: &[u8]) -> (StatusCode, Value) {
        let refused = |status, code: &str| (status, json!({ "ok": false, "error": code }));
        let Ok(body @ Value::Object(_)) = serde_json::from_slice::<Value>(body) else {
            return (StatusCode::BAD_REQUEST, "invalid_payload".into());
        };
        let (user, channel, original) = match self.use_response_url(path) {
            Ok(grant) => grant,
            Err(code) => return refused(StatusCode::NOT_FOUND, code),
        };
        match self.respond(&Arguments::of(body), &user, &channel, original.as_deref()) {
            Ok(()) => (StatusCode::OK, "ok".into()),
            Err(code) if code == "no_text" => (StatusCode::INTERNAL_SERVER_ERROR, "no_text".into()),
            Err(code) => refused(StatusCode::BAD_REQUEST, &code),
        }
    }
}

/// Takes an answer over a response URL.
pub(crate) async fn response_url(
    Shares(shared): Shares<Arc<Shared>>,
    Extension(scissors): Extension<Scissors>,
    request: Request<Body>,
) -> Response {
    let path = request.uri().path().to_owned();
    let Ok(body) = to_bytes(request.into_body(), ANSWER).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, "request too large");
    };
    let shown = serde_json::from_slice(&body).unwrap_or_default();
    let log = Log { shared: &shared, method: "response_url", shown };
    log.answer(&scissors, |state| state.answer(&path, &body)).await
}
