//! The control plane: the same acts, reads and faults as in the library, as JSON over HTTP.

use std::sync::Arc;

use axum::Router;

use crate::state::Shared;

pub(crate) fn routes() -> Router<Arc<Shared>> {
    Router::new()
}
