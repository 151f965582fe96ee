//! Keeps one socket open.

use std::sync::Arc;
use std::time::Duration;

use backon::ExponentialBackoff;
use kubewhy_chat::ChatError;
use serde::Deserialize;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::Hub;
use super::connection::{Connection, End};
use crate::api::{Failure, delays};

/// How long opening a socket may take.
const OPENING: Duration = Duration::from_secs(10);
/// From when on a socket counts as one that works, so that its loss is no sign of a storm.
const STEADY: Duration = Duration::from_secs(20);
/// How long a socket that Slack is about to close is still listened to, beside the new one.
const LINGERING: Duration = Duration::from_secs(30);
/// The largest envelope that is read, in bytes.
const LARGEST: usize = 4 << 20;

#[derive(Deserialize)]
struct Opened {
    url: String,
}

/// Why a socket is not open.
enum Closed {
    /// It is tried again.
    ForNow(String),
    /// A person has to act first.
    ForGood(ChatError),
}

/// Keeps a socket open until the stop, or until going on makes no sense.
pub(super) async fn keep(hub: Arc<Hub>, number: usize) -> Result<(), ChatError> {
    let mut lingering = JoinSet::new();
    let mut pauses = fresh_pauses();
    while !hub.stopping.is_cancelled() {
        let opened = tokio::select! {
            () = hub.stopping.cancelled() => break,
            opened = open(&hub) => opened,
        };
        let why = match opened {
            Err(Closed::ForGood(error)) => return Err(error),
            Err(Closed::ForNow(why)) => why,
            Ok(connection) => {
                let since = Instant::now();
                let end = connection.run(&hub, None).await;
                if since.elapsed() > STEADY {
                    pauses = fresh_pauses();
                }
                match end {
                    End::Stopped => break,
                    End::SwitchedOff => return Err(ask_why(&hub).await),
                    End::Lost(why) => why,
                    End::Leaving(old) => {
                        linger(&mut lingering, &hub, *old);
                        "Slack asked to connect anew".to_owned()
                    }
                }
            }
        };
        tracing::info!(socket = number, why, "a socket of Slack is opened again");
        hub.line.board.lost(&why);
        tokio::select! {
            () = hub.stopping.cancelled() => break,
            () = sleep(pauses.next().unwrap_or(LINGERING)) => {}
        }
    }
    while lingering.join_next().await.is_some() {}
    Ok(())
}

fn fresh_pauses() -> ExponentialBackoff {
    delays(Duration::from_millis(200), Duration::from_secs(30))
}

/// Slack goes on delivering on the old socket until it closes it: what arrives there is acknowledged there.
fn linger(lingering: &mut JoinSet<()>, hub: &Arc<Hub>, old: Connection) {
    while lingering.try_join_next().is_some() {}
    if lingering.len() > 1 {
        // In a storm of reconnections the sockets before the last two are dead already.
        lingering.abort_all();
    }
    let hub = Arc::clone(hub);
    lingering.spawn(async move {
        let _ = old.run(&hub, Some(Instant::now() + LINGERING)).await;
    });
}

async fn open(hub: &Hub) -> Result<Connection, Closed> {
    hub.openings.until_ready().await;
    let opened: Opened = hub.line.api.open_connection().await.map_err(closed)?;
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    let connecting = connect_async_with_config(opened.url, Some(config), true);
    match timeout(OPENING, connecting).await {
        Ok(Ok((socket, _))) => Ok(Connection::new(socket)),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a socket of Slack could not be opened");
            Err(Closed::ForNow("the socket could not be opened".to_owned()))
        }
        Err(_) => Err(Closed::ForNow("the socket did not open in time".to_owned())),
    }
}

/// Slack says so of Socket Mode that was switched off, and of a token that was revoked.
async fn ask_why(hub: &Hub) -> ChatError {
    match hub.line.api.open_connection::<Opened>().await.map_err(closed) {
        Err(Closed::ForGood(error)) => error,
        Err(Closed::ForNow(_)) | Ok(_) => switched_off(),
    }
}

fn closed(failure: Failure) -> Closed {
    if failure.is_revoked() {
        return Closed::ForGood(failure.into_chat("open a socket", ""));
    }
    match failure.code() {
        Some("link_disabled" | "socket_mode_not_enabled") => Closed::ForGood(switched_off()),
        Some("missing_scope" | "no_permission" | "forbidden_team" | "team_access_not_granted") => {
            Closed::ForGood(failure.into_chat("open a socket: the app token needs the scope connections:write", ""))
        }
        _ => Closed::ForNow(format!("apps.connections.open: {failure}")),
    }
}

fn switched_off() -> ChatError {
    ChatError::Forbidden {
        action: "open a socket: switch Socket Mode on in the settings of the app, at https://api.slack.com/apps",
        code: "link_disabled".to_owned(),
    }
}
