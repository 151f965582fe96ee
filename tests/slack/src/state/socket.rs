//! Envelopes on their way: to which socket, acknowledged when, sent again how often.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::faults::EnvelopeFault;
use crate::reading::{Ack, Delivered, Warning};
use crate::state::State;

/// What kind of payload an envelope carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeKind {
    /// A slash command.
    SlashCommands,
    /// A button, a menu, a shortcut, a view.
    Interactive,
    /// An event: a mention, a message.
    EventsApi,
}

impl EnvelopeKind {
    fn name(self) -> &'static str {
        match self {
            Self::SlashCommands => "slash_commands",
            Self::Interactive => "interactive",
            Self::EventsApi => "events_api",
        }
    }
}

/// What the acknowledgement of an envelope is good for.
#[derive(Clone, Debug)]
pub(crate) enum Awaits {
    Nothing,
    /// An answer to a command.
    Answer {
        user: String,
        channel: String,
        command: String,
    },
    /// What becomes of a submitted view.
    Submission {
        user: String,
        view: String,
    },
    /// The options of a menu.
    Options,
    /// That the press of a button arrived.
    Press {
        user: String,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub(crate) id: String,
    kind: EnvelopeKind,
    payload: Value,
    awaits: Awaits,
    attempt: u32,
    reason: &'static str,
}

struct InFlight {
    envelope: Envelope,
    sent: Duration,
    connection: u64,
}

/// What a socket is told to do.
#[derive(Debug)]
pub(crate) enum Frame {
    Text(String),
    /// Close in good order.
    Close,
    /// Break off without a word.
    Cut,
    /// Read and write nothing any more.
    Silence,
}

pub(crate) struct Socket {
    pub(crate) frames: mpsc::Sender<Frame>,
}

/// All sockets and envelopes.
#[derive(Default)]
pub(crate) struct Sockets {
    pub(crate) open: BTreeMap<u64, Socket>,
    pub(crate) opened: u64,
    pub(crate) tickets: BTreeMap<String, Duration>,
    in_flight: BTreeMap<String, InFlight>,
    settled: BTreeMap<String, (EnvelopeKind, Duration)>,
    waiting: Vec<(Duration, Envelope)>,
    closing: Vec<(Duration, u64)>,
    held_back: Option<(Duration, Envelope)>,
    pub(crate) delivered: Vec<Delivered>,
    pub(crate) acks: Vec<Ack>,
}

/// An app may have this many sockets.
pub(crate) const SOCKETS: usize = 10;
/// When an event that nobody acknowledged is sent again.
const RETRIES: [Duration; 3] = [Duration::ZERO, Duration::from_mins(1), Duration::from_mins(5)];
/// An envelope waits this long for a later one that overtakes it.
const HELD_BACK: Duration = Duration::from_secs(1);
/// Frames that wait for one socket before it counts as broken.
pub(crate) const FRAMES: usize = 4_096;

impl State {
    /// Sends a payload to one of the sockets and says under which id.
    pub(crate) fn send_envelope(&mut self, kind: EnvelopeKind, payload: Value, awaits: Awaits) -> String {
        let id = self.secret();
        let envelope = Envelope { id: id.clone(), kind, payload, awaits, attempt: 0, reason: "" };
        match self.faults.take_envelope(kind) {
            None => self.transmit(envelope),
            Some(EnvelopeFault::Duplicate) => {
                self.transmit(envelope.clone());
                self.transmit(envelope);
            }
            Some(EnvelopeFault::Delay { ms }) => {
                let due = self.now() + Duration::from_millis(ms);
                self.sockets.waiting.push((due, envelope));
            }
            Some(EnvelopeFault::Reorder) => {
                let due = self.now() + HELD_BACK;
                self.sockets.held_back = Some((due, envelope));
            }
            Some(EnvelopeFault::Lose) => self.lost(envelope),
        }
        id
    }

    fn transmit(&mut self, envelope: Envelope) {
        let held_back = self.sockets.held_back.take();
        self.transmit_one(envelope);
        if let Some((_, earlier)) = held_back {
            self.transmit_one(earlier);
        }
    }

    fn transmit_one(&mut self, envelope: Envelope) {
        let text = envelope.text();
        while let Some(connection) = self.choose_socket() {
            let sent =
                self.sockets.open.get(&connection).map(|socket| socket.frames.try_send(Frame::Text(text.clone())));
            if !matches!(sent, Some(Ok(()))) {
                self.sockets.open.remove(&connection);
                continue;
            }
            let now = self.now();
            self.sockets.delivered.push(Delivered {
                envelope: envelope.id.clone(),
                kind: envelope.kind,
                connection,
                attempt: envelope.attempt,
                payload: envelope.payload.clone(),
            });
            self.sockets.in_flight.insert(envelope.id.clone(), InFlight { envelope, sent: now, connection });
            return;
        }
        self.undeliverable(envelope);
    }

    fn choose_socket(&mut self) -> Option<u64> {
        let count = self.sockets.open.len();
        let choice = self.random.below(count);
        self.sockets.open.keys().nth(choice).copied()
    }

    /// Goes nowhere, and nobody notices before the time for the acknowledgement is over.
    fn lost(&mut self, envelope: Envelope) {
        let now = self.now();
        self.sockets.in_flight.insert(envelope.id.clone(), InFlight { envelope, sent: now, connection: 0 });
    }

    fn undeliverable(&mut self, envelope: Envelope) {
        match &envelope.awaits {
            Awaits::Answer { user, channel, command } => {
                let (user, channel) = (user.clone(), channel.clone());
                self.warn_of_command(&user, &channel, &command.clone(), "dispatch_failed");
            }
            Awaits::Submission { user, .. } | Awaits::Press { user } => {
                let user = user.clone();
                self.warn(&user, "dispatch_failed");
            }
            Awaits::Options => {}
            Awaits::Nothing => self.again(envelope, "no_connection"),
        }
    }

    /// Plans the next attempt of an event.
    fn again(&mut self, mut envelope: Envelope, reason: &'static str) {
        let Some(pause) = RETRIES.get(envelope.attempt as usize).copied() else {
            return;
        };
        let pause = if reason == "no_connection" { pause.max(self.world.patience.ack()) } else { pause };
        let due = self.now() + pause;
        envelope.attempt += 1;
        envelope.reason = reason;
        envelope.id = self.secret();
        self.sockets.waiting.push((due, envelope));
    }

    /// Does what has become due: delayed envelopes, missing acknowledgements, sockets that are closed after a warning.
    pub(crate) fn tick(&mut self) {
        let now = self.now();
        let (due, waiting) = std::mem::take(&mut self.sockets.waiting).into_iter().partition(|(when, _)| *when <= now);
        self.sockets.waiting = waiting;
        let due: Vec<(Duration, Envelope)> = due;
        for (_, envelope) in due {
            self.transmit(envelope);
        }
        if let Some((_, envelope)) = self.sockets.held_back.take_if(|(due, _)| *due <= now) {
            self.transmit_one(envelope);
        }
        let patience = self.world.patience.ack();
        let overdue: Vec<String> = self
            .sockets
            .in_flight
            .iter()
            .filter(|(_, flight)| now.saturating_sub(flight.sent) >= patience)
            .map(|(id, _)| id.clone())
            .collect();
        for id in overdue {
            self.expire(&id);
        }
        let (due, closing) = std::mem::take(&mut self.sockets.closing).into_iter().partition(|(when, _)| *when <= now);
        self.sockets.closing = closing;
        let due: Vec<(Duration, u64)> = due;
        for (_, connection) in due {
            self.command_socket(connection, Frame::Close);
        }
    }

    /// Whether [`State::tick`] could have anything to do.
    pub(crate) fn is_waiting(&self) -> bool {
        let sockets = &self.sockets;
        let quiet = sockets.waiting.is_empty() && sockets.in_flight.is_empty() && sockets.closing.is_empty();
        !quiet || sockets.held_back.is_some()
    }

    fn expire(&mut self, id: &str) {
        let Some(InFlight { envelope, sent, .. }) = self.sockets.in_flight.remove(id) else {
            return;
        };
        self.sockets.settled.insert(id.to_owned(), (envelope.kind, sent));
        match envelope.awaits.clone() {
            Awaits::Answer { user, channel, command } => {
                self.warn_of_command(&user, &channel, &command, "operation_timeout");
            }
            Awaits::Submission { user, .. } | Awaits::Press { user } => self.warn(&user, "operation_timeout"),
            Awaits::Options => {}
            Awaits::Nothing => self.again(envelope, "timeout"),
        }
    }

    /// Takes what a socket said.
    pub(crate) fn hear(&mut self, connection: u64, text: &str) {
        let Ok(frame) = serde_json::from_str::<Value>(text) else {
            self.warn("", "a frame that is no JSON");
            return;
        };
        let Some(id) = frame.get("envelope_id").and_then(Value::as_str) else {
            return;
        };
        let payload = frame.get("payload").filter(|payload| !payload.is_null()).cloned();
        let now = self.now();
        let Some(flight) = self.sockets.in_flight.remove(id) else {
            let known = self.sockets.settled.get(id).copied();
            let in_time = known.is_some_and(|(_, sent)| now.saturating_sub(sent) < self.world.patience.ack());
            self.sockets.acks.push(Ack {
                envelope: id.to_owned(),
                kind: known.map(|(kind, _)| kind),
                connection,
                payload,
                after_ms: known.map(|(_, sent)| milliseconds(now.saturating_sub(sent))),
                in_time,
            });
            return;
        };
        self.sockets.acks.push(Ack {
            envelope: id.to_owned(),
            kind: Some(flight.envelope.kind),
            connection,
            payload: payload.clone(),
            after_ms: Some(milliseconds(now.saturating_sub(flight.sent))),
            in_time: true,
        });
        self.sockets.settled.insert(id.to_owned(), (flight.envelope.kind, flight.sent));
        self.take_response(id, flight.envelope.awaits, payload);
    }

    pub(crate) fn warn(&mut self, user: &str, why: &str) {
        self.warnings.push(Warning { user: user.to_owned(), why: why.to_owned() });
    }

    /// A socket is gone; what it did not acknowledge waits for its time.
    pub(crate) fn socket_gone(&mut self, connection: u64) {
        self.sockets.open.remove(&connection);
        self.sockets.closing.retain(|(_, closing)| *closing != connection);
    }

    /// Which socket got an envelope that is not acknowledged yet.
    pub(crate) fn carrier(&self, envelope: &str) -> Option<u64> {
        self.sockets.in_flight.get(envelope).map(|flight| flight.connection)
    }

    /// Tells a socket what to do.
    pub(crate) fn command_socket(&mut self, connection: u64, frame: Frame) {
        let ends = matches!(frame, Frame::Close | Frame::Cut);
        let sent = self.sockets.open.get(&connection).map(|socket| socket.frames.try_send(frame));
        if ends || !matches!(sent, Some(Ok(()))) {
            self.sockets.open.remove(&connection);
        }
    }

    /// Sends a disconnect envelope; the socket is closed a while later, as Slack does.
    pub(crate) fn disconnect(&mut self, connection: u64, reason: &str) {
        let text = disconnect_text(reason);
        self.command_socket(connection, Frame::Text(text));
        match reason {
            "warning" => {
                let due = self.now() + Duration::from_secs(10);
                self.sockets.closing.push((due, connection));
            }
            "refresh_requested" => {
                let due = self.now() + Duration::from_secs(1);
                self.sockets.closing.push((due, connection));
            }
            _ => self.command_socket(connection, Frame::Close),
        }
    }
}

/// The text of a disconnect envelope.
pub(crate) fn disconnect_text(reason: &str) -> String {
    json!({ "type": "disconnect", "reason": reason, "debug_info": { "host": "applink-test" } }).to_string()
}

impl Envelope {
    fn text(&self) -> String {
        let accepts = matches!(self.awaits, Awaits::Answer { .. } | Awaits::Submission { .. } | Awaits::Options);
        let mut json = json!({
            "envelope_id": self.id, "type": self.kind.name(), "accepts_response_payload": accepts, "payload": self.payload,
        });
        if self.kind == EnvelopeKind::EventsApi
            && let Some(fields) = json.as_object_mut()
        {
            fields.insert("retry_attempt".into(), self.attempt.into());
            fields.insert("retry_reason".into(), self.reason.into());
        }
        json.to_string()
    }
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}
