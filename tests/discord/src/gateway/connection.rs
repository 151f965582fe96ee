//! One connection to the gateway, from hello to close.

use std::collections::VecDeque;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, WebSocket};
use futures::StreamExt as _;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::frame::Compressing;
use super::greeting::Greeting;
use super::{Order, close};
use crate::server::Shared;
use crate::validate::number;
use crate::wire::Cut;

/// The largest payload a client may send, in bytes.
const LARGEST: usize = 15 * 1024;
/// How long a client may take to take a frame.
const SEND_LIMIT: Duration = Duration::from_secs(10);

/// Why a connection is over.
enum Over {
    /// Close with this code.
    Close(u16),
    /// End without a close frame.
    End,
    /// Reset it.
    Reset,
    /// The client is gone.
    Gone,
}

struct Connection {
    number: u64,
    socket: WebSocket,
    compressing: Compressing,
    session: Option<String>,
    sent: u64,
    heard: Instant,
    received: VecDeque<Instant>,
}

/// Carries one connection until it ends.
pub(crate) async fn carry(socket: WebSocket, shared: Shared, cut: Cut, address: String) {
    let number = shared.change(|state| {
        let now = state.now_ms();
        state.sessions.connect(now, address.clone())
    });
    let compressing = if address.contains("compress=zlib-stream") { Compressing::stream() } else { Compressing::Never };
    let mut connection = Connection {
        number,
        socket,
        compressing,
        session: None,
        sent: 0,
        heard: Instant::now(),
        received: VecDeque::new(),
    };
    let over = connection.run(&shared, &address).await;
    let code = match over {
        Over::Close(code) => {
            let frame = CloseFrame { code, reason: reason(code).into() };
            let _ = tokio::time::timeout(SEND_LIMIT, connection.socket.send(Message::Close(Some(frame)))).await;
            Some(code)
        }
        Over::Reset => {
            cut.reset();
            None
        }
        Over::End | Over::Gone => None,
    };
    shared.change(|state| {
        let now = state.now_ms();
        state.sessions.disconnect(now, number);
        state.sessions.note(now, number, "closed", code);
    });
    // The client answers a close with one of its own; wait for it a little, so that the code arrives.
    if code.is_some() {
        let _ = tokio::time::timeout(Duration::from_millis(500), async {
            while let Some(Ok(_)) = connection.socket.next().await {}
        })
        .await;
    }
}

impl Connection {
    async fn run(&mut self, shared: &Shared, address: &str) -> Over {
        match self.talk(shared, address).await {
            Ok(never) => match never {},
            Err(over) => over,
        }
    }

    async fn talk(&mut self, shared: &Shared, address: &str) -> Result<std::convert::Infallible, Over> {
        if !address.contains("v=10") && !address.contains("v=9") && address.contains("v=") {
            return Err(Over::Close(close::INVALID_VERSION));
        }
        let mut changes = shared.changes();
        let interval = shared.read(|state| state.limits.heartbeat_interval_ms);
        self.send(&json!({"op": 10, "s": null, "t": null, "d": {"heartbeat_interval": interval, "_trace": []}}))
            .await?;
        loop {
            changes.mark_unchanged();
            self.obey(shared).await?;
            let wake = self.flush(shared).await?;
            let patience = Duration::from_millis(interval.saturating_mul(2));
            let until = Instant::now() + wake.unwrap_or(patience).min(Duration::from_secs(1));
            let is_silent = self.line(shared, |line| line.silent);
            tokio::select! {
                // Reading from a WebSocket loses nothing when another arm wins.
                message = self.socket.recv(), if !is_silent => {
                    let message = message.and_then(Result::ok).ok_or(Over::Gone)?;
                    self.receive(shared, message).await?;
                }
                news = changes.changed() => news.map_err(|_| Over::End)?,
                () = tokio::time::sleep_until(until) => {
                    if self.heard.elapsed() > patience && !is_silent {
                        return Err(Over::Close(close::TIMED_OUT));
                    }
                }
            }
        }
    }

    fn line(&self, shared: &Shared, question: impl Fn(&super::Line) -> bool) -> bool {
        shared.read(|state| state.sessions.connections.get(&self.number).is_some_and(question))
    }

    async fn send(&mut self, payload: &Value) -> Result<(), Over> {
        let frame = self.compressing.frame(payload);
        match tokio::time::timeout(SEND_LIMIT, self.socket.send(frame)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Over::Gone),
        }
    }

    async fn obey(&mut self, shared: &Shared) -> Result<(), Over> {
        loop {
            let number = self.number;
            let order = shared
                .quietly(|state| state.sessions.connections.get_mut(&number).and_then(|line| line.orders.pop_front()));
            match order {
                None => return Ok(()),
                Some(Order::Close(Some(code))) => return Err(Over::Close(code)),
                Some(Order::Close(None)) => return Err(Over::End),
                Some(Order::Reset) => return Err(Over::Reset),
                Some(Order::Reconnect) => self.send(&json!({"op": 7, "s": null, "t": null, "d": null})).await?,
                Some(Order::Invalid { resumable }) => self.invalid(shared, resumable).await?,
            }
        }
    }

    async fn invalid(&mut self, shared: &Shared, resumable: bool) -> Result<(), Over> {
        if !resumable && let Some(session) = self.session.take() {
            shared.quietly(|state| state.sessions.by_id.remove(&session));
        }
        self.send(&json!({"op": 9, "s": null, "t": null, "d": resumable})).await
    }

    /// Sends what the session has and the client has not; says when more may be due.
    async fn flush(&mut self, shared: &Shared) -> Result<Option<Duration>, Over> {
        if self.line(shared, |line| line.silent) {
            return Ok(None);
        }
        let Some(session) = self.session.clone() else { return Ok(None) };
        let (sent, number) = (self.sent, self.number);
        let (events, next) = shared.quietly(|state| {
            let next = state.release_events();
            let Some(session) = state.sessions.by_id.get(&session) else { return (None, next) };
            // Another connection resumed this session.
            if session.connection != Some(number) {
                return (None, next);
            }
            let events: Vec<_> = session.events.iter().filter(|event| event.sequence > sent).cloned().collect();
            (Some(events), next)
        });
        let Some(events) = events else { return Err(Over::Close(4_000)) };
        for event in events {
            self.send(&event.payload).await?;
            self.sent = event.sequence;
        }
        let sent = self.sent;
        shared.quietly(|state| {
            if let Some(line) = state.sessions.connections.get_mut(&number) {
                line.sent = sent;
            }
        });
        Ok(next.map(Duration::from_millis))
    }

    async fn receive(&mut self, shared: &Shared, message: Message) -> Result<(), Over> {
        let text = match message {
            Message::Text(text) => text,
            Message::Binary(_) => return Err(Over::Close(close::DECODE)),
            Message::Close(_) => return Err(Over::Gone),
            Message::Ping(_) | Message::Pong(_) => return Ok(()),
        };
        self.heard = Instant::now();
        self.count(shared)?;
        if text.len() > LARGEST {
            return Err(Over::Close(close::DECODE));
        }
        let payload: Value = serde_json::from_str(&text).map_err(|_| Over::Close(close::DECODE))?;
        let data = payload.get("d").cloned().unwrap_or_default();
        match number(&payload, "op") {
            Some(1) => self.heartbeat(shared).await,
            Some(2) => self.identify(shared, &data).await,
            Some(6) => self.resume(shared, &data).await,
            Some(3 | 4 | 8 | 31 | 43) if self.session.is_none() => Err(Over::Close(close::NOT_AUTHENTICATED)),
            Some(8) => {
                self.members(shared, &data);
                Ok(())
            }
            Some(3 | 4 | 31 | 43) => Ok(()),
            _ => Err(Over::Close(close::UNKNOWN_OPCODE)),
        }
    }

    /// Closes a connection that sends more than it may in a minute.
    fn count(&mut self, shared: &Shared) -> Result<(), Over> {
        let (most, limited) = shared.read(|state| (state.limits.gateway_sends as usize, state.limits.rates));
        self.received.push_back(self.heard);
        while self.received.front().is_some_and(|at| at.elapsed() > Duration::from_mins(1)) {
            self.received.pop_front();
        }
        if limited && self.received.len() > most {
            return Err(Over::Close(close::RATE_LIMITED));
        }
        Ok(())
    }

    async fn heartbeat(&mut self, shared: &Shared) -> Result<(), Over> {
        let number = self.number;
        shared.quietly(|state| {
            let now = state.now_ms();
            state.sessions.note(now, number, "heartbeat", None);
        });
        if self.line(shared, |line| line.deaf) {
            return Ok(());
        }
        self.send(&json!({"op": 11, "s": null, "t": null, "d": null})).await
    }

    async fn identify(&mut self, shared: &Shared, data: &Value) -> Result<(), Over> {
        if self.session.is_some() {
            return Err(Over::Close(close::ALREADY_AUTHENTICATED));
        }
        let number = self.number;
        let compress = data.get("compress").and_then(Value::as_bool) == Some(true);
        if compress && matches!(self.compressing, Compressing::Never) {
            self.compressing = Compressing::Payloads;
        }
        let greeting = shared.change(|state| state.identify(number, data));
        self.greet(shared, greeting).await
    }

    async fn resume(&mut self, shared: &Shared, data: &Value) -> Result<(), Over> {
        if self.session.is_some() {
            return Err(Over::Close(close::ALREADY_AUTHENTICATED));
        }
        let number = self.number;
        let greeting = shared.change(|state| state.resume(number, data));
        self.greet(shared, greeting).await
    }

    async fn greet(&mut self, shared: &Shared, greeting: Greeting) -> Result<(), Over> {
        let number = self.number;
        match greeting {
            Greeting::Welcome { session, sent } => {
                self.session = Some(session);
                self.sent = sent;
                self.flush(shared).await?;
                shared.change(|state| state.after_greeting(number));
                Ok(())
            }
            Greeting::Invalid => {
                shared.change(|state| {
                    let now = state.now_ms();
                    state.sessions.note(now, number, "refused", None);
                });
                self.invalid(shared, false).await
            }
            Greeting::Refused(code) => Err(Over::Close(code)),
        }
    }

    fn members(&self, shared: &Shared, data: &Value) {
        let Some(session) = self.session.clone() else { return };
        shared.change(|state| {
            let chunk = state.member_chunk(data);
            if let Some(session) = state.sessions.by_id.get_mut(&session) {
                session.push("GUILD_MEMBERS_CHUNK", &chunk);
            }
        });
    }
}

impl crate::state::State {
    /// Does what was asked to happen whenever a client has got a session.
    fn after_greeting(&mut self, connection: u64) {
        let Some(order) = self.faults.events.after_greeting() else { return };
        if let Some(line) = self.sessions.connections.get_mut(&connection) {
            line.orders.push_back(order);
        }
    }

    fn member_chunk(&self, data: &Value) -> Value {
        let guild = number(data, "guild_id").map(crate::id::Id).unwrap_or_default();
        let asked = match data.get("user_ids") {
            Some(Value::Array(ids)) => ids.iter().filter_map(|id| id.as_str()?.parse().ok()).collect(),
            Some(Value::String(id)) => id.parse().ok().into_iter().collect(),
            _ => self
                .guilds
                .get(&guild)
                .map(|guild| guild.members.iter().map(|member| member.user).collect::<Vec<_>>())
                .unwrap_or_default(),
        };
        let members: Vec<Value> = asked.iter().filter_map(|user| self.full_member_json(guild, *user)).collect();
        json!({"guild_id": guild, "members": members, "chunk_index": 0, "chunk_count": 1, "not_found": [],
            "nonce": data.get("nonce")})
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        close::UNKNOWN_OPCODE => "Unknown opcode.",
        close::DECODE => "Error while decoding payload.",
        close::NOT_AUTHENTICATED => "Not authenticated.",
        close::AUTHENTICATION_FAILED => "Authentication failed.",
        close::ALREADY_AUTHENTICATED => "Already authenticated.",
        close::INVALID_SEQUENCE => "Invalid seq.",
        close::RATE_LIMITED => "Rate limited.",
        close::TIMED_OUT => "Session timed out.",
        close::INVALID_SHARD => "Invalid shard.",
        close::INVALID_VERSION => "Invalid API version.",
        close::INVALID_INTENTS => "Invalid intent(s).",
        close::DISALLOWED_INTENTS => "Disallowed intent(s).",
        _ => "Unknown error.",
    }
}
