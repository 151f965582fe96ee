//! `/healthz` and `/readyz`: reads only, and nothing that could be misused.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use kubewhy_chat::Link;
use kubewhy_store::Store;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};

use super::{Platforms, RunError};

/// How long the store may take to prove that it can be written.
const WITHIN: Duration = Duration::from_secs(2);

/// The listener before it serves.
pub(crate) struct Bound {
    listener: TcpListener,
}

/// Takes the address.
///
/// # Errors
/// Where it is taken.
pub(crate) async fn bind(address: SocketAddr) -> Result<Bound, RunError> {
    let listener = TcpListener::bind(address).await.map_err(|source| RunError::Listen { address, source })?;
    Ok(Bound { listener })
}

#[derive(Clone)]
struct Parts {
    store: Store,
    platforms: Arc<Platforms>,
    stop: CancellationToken,
}

impl Bound {
    /// Serves until `stop`.
    pub(crate) async fn serve(self, store: Store, platforms: Arc<Platforms>, stop: CancellationToken) {
        if let Ok(address) = self.listener.local_addr() {
            info!(%address, "health endpoints are served");
        }
        let parts = Parts { store, platforms, stop: stop.clone() };
        let router = Router::new().route("/healthz", get(|| async { "ok\n" })).route("/readyz", get(ready));
        let served = axum::serve(self.listener, router.with_state(parts));
        if let Err(error) = served.with_graceful_shutdown(async move { stop.cancelled().await }).await {
            error!(%error, "the health endpoints ended");
        }
    }
}

/// Each part with `ok` or what is wrong; 503 where one is not ready.
async fn ready(State(parts): State<Parts>) -> (StatusCode, Json<Value>) {
    let mut found = Map::new();
    let store = tokio::time::timeout(WITHIN, parts.store.is_writable()).await;
    found.insert(
        "store".to_owned(),
        match store {
            Ok(Ok(())) => json!("ok"),
            Ok(Err(error)) => json!(error.to_string()),
            Err(_) => json!("it does not answer"),
        },
    );
    for (name, platform) in parts.platforms.iter() {
        found.insert(
            (*name).to_owned(),
            match platform.link() {
                Link::Open => json!("ok"),
                Link::Connecting => json!("connecting"),
                Link::Lost { why } => json!(format!("lost: {why}")),
            },
        );
    }
    if parts.stop.is_cancelled() {
        found.insert("process".to_owned(), json!("ending"));
    }
    let ready = found.values().all(|part| part == "ok");
    (if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(Value::Object(found)))
}
