//! What is done after a delivery was acknowledged and nobody waits for: a refusal shown, a form opened.

use std::future::Future;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

/// How many run at once; each is bounded in time by its calls.
const MOST: usize = 64;

/// Tasks that end with their owner.
#[derive(Debug, Default)]
pub(crate) struct Errands(Mutex<JoinSet<()>>);

impl Errands {
    /// Starts one, unless too many run.
    pub(crate) fn start(&self, errand: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(done) = running.try_join_next() {
            if done.is_err() {
                tracing::error!("a task that answers Slack failed");
            }
        }
        if running.len() < MOST {
            running.spawn(errand);
        } else {
            tracing::warn!(running = MOST, "too much is going on: a reply of Slack was left out");
        }
    }

    /// Waits for those that run, and ends those that take too long.
    pub(crate) async fn finish(&self, limit: Duration) {
        let mut running = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while running.join_next().await.is_some() {} };
        if timeout(limit, all).await.is_err() {
            tracing::warn!("replies of Slack were cut off by the stop");
        }
    }
}
