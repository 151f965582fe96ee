//! Socket Mode: two sockets that are kept open, whatever Slack or the network does to them.

mod connection;
mod keeper;

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kubewhy_chat::{ChatError, Inbox};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::api::delays;
use crate::errands::Errands;
use crate::intake::Intake;
use crate::line::Line;

/// How many sockets are open: each delivery goes to one of them, so that one can be replaced while the other listens.
const SOCKETS: usize = 2;
/// How long after a stop a socket may take to acknowledge what it has taken.
const CLOSING: Duration = Duration::from_secs(4);
/// How long after a stop replies that were begun may take.
const FINISHING: Duration = Duration::from_secs(3);
/// `apps.connections.open` is tier 1, about one a minute, with a burst at a start. Slack can tell every socket to
/// reconnect as soon as it is open.
const OPENING_BURST: std::num::NonZeroU32 = std::num::NonZeroU32::new(6).expect("it is not zero");
const OPENING_PERIOD: Duration = Duration::from_secs(12);

/// What the sockets share.
struct Hub {
    line: Arc<Line>,
    intake: Arc<Intake>,
    errands: Arc<Errands>,
    stopping: CancellationToken,
    openings: DefaultDirectRateLimiter,
}

/// Listens until `stop` resolves.
pub(crate) async fn listen(
    line: &Arc<Line>,
    inbox: Arc<dyn Inbox>,
    stop: BoxFuture<'static, ()>,
) -> Result<(), ChatError> {
    let quota = Quota::with_period(OPENING_PERIOD).unwrap_or_else(|| Quota::per_minute(OPENING_BURST));
    let intake = Arc::new(Intake { line: Arc::clone(line), inbox, farewell: tokio::sync::Notify::new() });
    let hub = Arc::new(Hub {
        line: Arc::clone(line),
        intake: Arc::clone(&intake),
        errands: Arc::default(),
        stopping: CancellationToken::new(),
        openings: RateLimiter::direct(quota.allow_burst(OPENING_BURST)),
    });
    let mut sockets = JoinSet::new();
    for number in 0..SOCKETS {
        sockets.spawn(keeper::keep(Arc::clone(&hub), number));
    }
    let ended = tokio::select! {
        () = stop => Ok(()),
        error = watch_token(&hub) => Err(error),
        Some(ended) = sockets.join_next() => ended.unwrap_or_else(|_| Err(broken())),
    };
    hub.stopping.cancel();
    let rest = async { while sockets.join_next().await.is_some() {} };
    if timeout(CLOSING, rest).await.is_err() {
        tracing::warn!("a socket of Slack was cut off by the stop");
        sockets.abort_all();
    }
    hub.errands.finish(FINISHING).await;
    match &ended {
        Ok(()) => line.board.lost("stopped"),
        Err(error) => line.board.lost(&error.to_string()),
    }
    ended
}

/// Finds out who we are, and whether the bot's token is still accepted after Slack took leave.
async fn watch_token(hub: &Hub) -> ChatError {
    let mut pauses = delays(Duration::from_secs(1), Duration::from_secs(60));
    loop {
        match hub.line.me().await {
            Ok(_) => break,
            Err(failure) if failure.is_revoked() => return failure.into_chat("log in", ""),
            Err(failure) => tracing::warn!(error = %failure, "Slack does not say who we are"),
        }
        sleep(pauses.next().unwrap_or(Duration::from_secs(60))).await;
    }
    loop {
        hub.intake.farewell.notified().await;
        let tested: Result<serde::de::IgnoredAny, _> = hub.line.api.get("auth.test", &[]).await;
        if let Err(failure) = tested
            && failure.is_revoked()
        {
            return failure.into_chat("log in", "");
        }
    }
}

fn broken() -> ChatError {
    ChatError::Unreachable { why: "a task that listens to Slack failed".to_owned(), doubtful: false }
}
