//! Socket Mode: opening, greeting, and one task per socket.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State as Shares};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use crate::api::{Answer, plain};
use crate::call::Arguments;
use crate::faults::take_one;
use crate::state::socket::{FRAMES, Frame, SOCKETS, Socket, disconnect_text};
use crate::state::{Shared, State};
use crate::wire::Scissors;

/// A URL opens one socket within this time.
const TICKET: Duration = Duration::from_secs(30);

/// `apps.connections.open`.
pub(crate) fn open(state: &mut State, _arguments: &Arguments) -> Answer {
    let ticket = state.secret();
    let now = state.now();
    state.sockets.tickets.insert(ticket.clone(), now);
    let url = format!("ws://{}/link/?ticket={ticket}&app_id={}", state.address, state.world.app.id);
    Ok(json!({ "url": url }))
}

#[derive(Deserialize)]
pub(crate) struct Ticket {
    #[serde(default)]
    ticket: String,
    #[serde(default)]
    debug_reconnects: bool,
}

/// Answers `/link/`.
pub(crate) async fn link(
    Shares(shared): Shares<Arc<Shared>>,
    Extension(scissors): Extension<Scissors>,
    Query(ticket): Query<Ticket>,
    upgrade: WebSocketUpgrade,
) -> Response {
    let valid = shared.change(|state| {
        let now = state.now();
        state.sockets.tickets.remove(&ticket.ticket).is_some_and(|issued| now.saturating_sub(issued) <= TICKET)
    });
    if !valid {
        return plain(StatusCode::UNAUTHORIZED, "invalid ticket");
    }
    upgrade.on_upgrade(move |socket| run(shared, socket, scissors, ticket.debug_reconnects))
}

enum Welcome {
    Refused,
    Silent(u64, mpsc::Receiver<Frame>),
    Storm(String),
    Open(u64, mpsc::Receiver<Frame>),
}

impl State {
    fn welcome(&mut self, reconnects_soon: bool) -> Welcome {
        if self.sockets.open.len() >= SOCKETS || take_one(&mut self.faults.refused_sockets) {
            return Welcome::Refused;
        }
        let (frames, receiver) = mpsc::channel(FRAMES);
        self.sockets.opened += 1;
        let connection = self.sockets.opened;
        if take_one(&mut self.faults.silent_sockets) {
            self.sockets.open.insert(connection, Socket { frames });
            return Welcome::Silent(connection, receiver);
        }
        let lasts = if reconnects_soon { 360 } else { 18_060 };
        let hello = json!({
            "type": "hello", "num_connections": self.sockets.open.len() + 1,
            "debug_info": { "host": "applink-test", "build_number": 1, "approximate_connection_time": lasts },
            "connection_info": { "app_id": self.world.app.id },
        });
        if take_one(&mut self.faults.storm) {
            return Welcome::Storm(hello.to_string());
        }
        // The greeting goes through the same queue, so that no envelope comes before it.
        drop(frames.try_send(Frame::Text(hello.to_string())));
        self.sockets.open.insert(connection, Socket { frames });
        Welcome::Open(connection, receiver)
    }
}

async fn run(shared: Arc<Shared>, mut socket: WebSocket, scissors: Scissors, reconnects_soon: bool) {
    match shared.change(|state| state.welcome(reconnects_soon)) {
        Welcome::Refused => {
            drop(socket.send(Message::text(disconnect_text("too_many_websockets"))).await);
            drop(socket.send(Message::Close(None)).await);
        }
        Welcome::Storm(hello) => {
            drop(socket.send(Message::text(hello)).await);
            drop(socket.send(Message::text(disconnect_text("refresh_requested"))).await);
            drop(socket.send(Message::Close(None)).await);
        }
        Welcome::Silent(connection, mut frames) => {
            say_nothing(&mut frames, &scissors).await;
            shared.change(|state| state.socket_gone(connection));
        }
        Welcome::Open(connection, frames) => {
            let pings = shared.look(|state| Duration::from_millis(state.world.patience.ping_ms.max(1)));
            talk(&shared, connection, &mut socket, frames, &scissors, pings).await;
            shared.change(|state| state.socket_gone(connection));
        }
    }
}

async fn talk(
    shared: &Shared,
    connection: u64,
    socket: &mut WebSocket,
    mut frames: mpsc::Receiver<Frame>,
    scissors: &Scissors,
    pings: Duration,
) {
    let mut pings = interval(pings);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    pings.reset();
    loop {
        tokio::select! {
            frame = frames.recv() => match frame {
                Some(Frame::Text(text)) => {
                    if socket.send(Message::text(text)).await.is_err() {
                        return;
                    }
                }
                Some(Frame::Silence) => {
                    say_nothing(&mut frames, scissors).await;
                    return;
                }
                Some(Frame::Cut) => {
                    cut(socket, scissors).await;
                    return;
                }
                Some(Frame::Close) | None => {
                    drop(socket.send(Message::Close(None)).await);
                    return;
                }
            },
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => shared.change(|state| state.hear(connection, &text)),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return,
                Some(Ok(_)) => {}
            },
            _ = pings.tick() => {
                let ping = Message::Ping(format!("Ping from applink-test-{connection}").into());
                if socket.send(ping).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Breaks the connection off: the next byte finds it reset.
async fn cut(socket: &mut WebSocket, scissors: &Scissors) {
    scissors.cut();
    drop(socket.send(Message::Ping(Vec::new().into())).await);
}

/// Neither reads nor writes, until the socket is taken away.
async fn say_nothing(frames: &mut mpsc::Receiver<Frame>, scissors: &Scissors) {
    while let Some(frame) = frames.recv().await {
        if matches!(frame, Frame::Close | Frame::Cut) {
            break;
        }
    }
    scissors.cut();
}
