//! One open socket: reads envelopes, has each stored by a task of its own, and acknowledges it when that is done.

use std::sync::Arc;
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::Hub;
use crate::intake::{Envelope, Taken};
use crate::link::Open;

/// How many deliveries are stored at once; more are not read from the socket meanwhile.
const MOST_AT_ONCE: usize = 64;
/// How often the other side is asked whether it is there.
const PING: Duration = Duration::from_secs(10);
/// After which silence it is not.
const SILENCE: Duration = Duration::from_secs(35);
/// How long Slack may take to say hello.
const GREETING: Duration = Duration::from_secs(15);
/// How long a frame may take to be sent.
const SENDING: Duration = Duration::from_secs(5);
/// How long what was read may take to be stored and acknowledged at the end.
const DRAINING: Duration = Duration::from_secs(3);

/// An open socket.
pub(super) struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// Deliveries on their way into the store.
    tasks: JoinSet<Taken>,
    opened: Instant,
    heard: Instant,
    /// Set from Slack's hello on: then deliveries can arrive.
    hello: Option<Open>,
}

/// Why a socket is not listened to any more.
pub(super) enum End {
    /// We stop.
    Stopped,
    /// Slack is about to close it.
    Leaving(Box<Connection>),
    /// It broke.
    Lost(String),
    /// Socket Mode was switched off.
    SwitchedOff,
}

/// What a frame changes.
enum Turn {
    On,
    Leave,
    Off,
    Lose(&'static str),
}

impl Connection {
    pub(super) fn new(socket: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        let now = Instant::now();
        Self { socket, tasks: JoinSet::new(), opened: now, heard: now, hello: None }
    }

    /// Listens until the stop, the end of the socket, or `deadline`.
    pub(super) async fn run(mut self, hub: &Arc<Hub>, deadline: Option<Instant>) -> End {
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let until = deadline.unwrap_or_else(|| Instant::now() + Duration::from_secs(365 * 24 * 60 * 60));
        let end = loop {
            let is_busy = self.tasks.len() >= MOST_AT_ONCE;
            // Reading a frame and waiting for a task can both be given up at any point without losing anything.
            let turn = tokio::select! {
                () = hub.stopping.cancelled() => break End::Stopped,
                () = sleep_until(until) => break End::Stopped,
                Some(taken) = self.tasks.join_next() => self.acknowledge(hub, taken).await,
                frame = self.socket.next(), if !is_busy => self.read(hub, frame),
                _ = ping.tick() => self.ping(is_busy).await,
            };
            match turn {
                Turn::On => {}
                // A socket that lingers was told so already.
                Turn::Leave if deadline.is_some() => {}
                Turn::Leave => return End::Leaving(Box::new(self)),
                Turn::Off => break End::SwitchedOff,
                Turn::Lose(why) => break End::Lost(why.to_owned()),
            }
        };
        self.finish(hub, matches!(end, End::Stopped)).await;
        end
    }

    fn read(&mut self, hub: &Arc<Hub>, frame: Option<Result<Message, Error>>) -> Turn {
        self.heard = Instant::now();
        match frame {
            None => Turn::Lose("the socket ended"),
            Some(Err(error)) => {
                tracing::debug!(%error, "a socket of Slack broke");
                Turn::Lose("the socket broke")
            }
            Some(Ok(Message::Close(_))) => Turn::Lose("Slack closed the socket"),
            Some(Ok(Message::Text(text))) => match Envelope::read(text.as_str()) {
                Some(envelope) => self.sort(hub, envelope),
                None => {
                    hub.line.pass_over("a frame that is no JSON");
                    Turn::On
                }
            },
            Some(Ok(Message::Binary(_))) => {
                hub.line.pass_over("a binary frame");
                Turn::On
            }
            // Pings are answered by the library.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Turn::On,
        }
    }

    fn sort(&mut self, hub: &Arc<Hub>, envelope: Envelope) -> Turn {
        let word = |path: &str| envelope.body.pointer(path).and_then(Value::as_str);
        match envelope.kind.as_str() {
            "hello" => {
                let count = envelope.body.get("num_connections").and_then(Value::as_u64).unwrap_or_default();
                tracing::info!(slack.connections = count, "a socket of Slack is open");
                self.hello = Some(hub.line.board.open());
                Turn::On
            }
            "disconnect" => {
                let reason = word("/reason").unwrap_or("none");
                tracing::debug!(reason, "Slack asks to connect anew");
                match reason {
                    "link_disabled" => Turn::Off,
                    "too_many_websockets" => Turn::Lose("Slack has too many sockets of this app"),
                    _ => Turn::Leave,
                }
            }
            _ => {
                self.tasks.spawn(Arc::clone(&hub.intake).take(envelope));
                Turn::On
            }
        }
    }

    /// Acknowledges on the very socket on which it came, then has the rest done.
    async fn acknowledge(&mut self, hub: &Hub, taken: Result<Taken, JoinError>) -> Turn {
        let Ok(taken) = taken else {
            tracing::error!("a task that takes deliveries of Slack failed");
            return Turn::On;
        };
        let turn = match taken.acknowledgement {
            Some(frame) => self.send(Message::text(frame)).await,
            None => Turn::On,
        };
        if let Some(then) = taken.then {
            hub.errands.start(then);
        }
        turn
    }

    async fn ping(&mut self, is_busy: bool) -> Turn {
        if self.heard.elapsed() > SILENCE && !is_busy {
            return Turn::Lose("Slack fell silent");
        }
        if self.hello.is_none() && self.opened.elapsed() > GREETING {
            return Turn::Lose("Slack opened a socket and said no hello");
        }
        self.send(Message::Ping(Vec::new().into())).await
    }

    async fn send(&mut self, message: Message) -> Turn {
        match timeout(SENDING, self.socket.send(message)).await {
            Ok(Ok(())) => Turn::On,
            Ok(Err(_)) | Err(_) => Turn::Lose("the socket takes nothing any more"),
        }
    }

    /// Has what was read stored, and acknowledged where that is still possible.
    async fn finish(mut self, hub: &Hub, is_open: bool) {
        let drained = timeout(DRAINING, async {
            while let Some(taken) = self.tasks.join_next().await {
                self.acknowledge(hub, taken).await;
            }
        });
        if drained.await.is_err() {
            tracing::warn!("deliveries of Slack were not stored in time");
        }
        if is_open {
            let _ = timeout(Duration::from_secs(1), self.socket.close(None)).await;
        }
    }
}
