//! The gateway: sessions with their events, and the connections that carry them.

pub(crate) mod connection;
pub(crate) mod emit;
mod frame;
mod greeting;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

/// Events a session keeps for resuming; older ones are gone, and with them the chance to resume from before.
const EVENTS_KEPT: usize = 5_000;
/// What is remembered of the gateway; the oldest goes first.
const HISTORY_KEPT: usize = 10_000;
/// A day, in which only so many identifies may happen.
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// The intents, as bits.
pub(crate) mod intent {
    pub(crate) const GUILDS: u64 = 1;
    pub(crate) const MEMBERS: u64 = 1 << 1;
    pub(crate) const PRESENCES: u64 = 1 << 8;
    pub(crate) const MESSAGES: u64 = 1 << 9;
    pub(crate) const REACTIONS: u64 = 1 << 10;
    pub(crate) const TYPING: u64 = 1 << 11;
    pub(crate) const DIRECT_MESSAGES: u64 = 1 << 12;
    pub(crate) const DIRECT_REACTIONS: u64 = 1 << 13;
    pub(crate) const DIRECT_TYPING: u64 = 1 << 14;
    pub(crate) const MESSAGE_CONTENT: u64 = 1 << 15;
    /// All that exist: 0 to 16, 20, 21, 24 and 25.
    pub(crate) const KNOWN: u64 = 0x1_ffff | (0b11 << 20) | (0b11 << 24);
}

/// What a gateway closes with.
pub(crate) mod close {
    pub(crate) const UNKNOWN_OPCODE: u16 = 4_001;
    pub(crate) const DECODE: u16 = 4_002;
    pub(crate) const NOT_AUTHENTICATED: u16 = 4_003;
    pub(crate) const AUTHENTICATION_FAILED: u16 = 4_004;
    pub(crate) const ALREADY_AUTHENTICATED: u16 = 4_005;
    pub(crate) const INVALID_SEQUENCE: u16 = 4_007;
    pub(crate) const RATE_LIMITED: u16 = 4_008;
    pub(crate) const TIMED_OUT: u16 = 4_009;
    pub(crate) const INVALID_SHARD: u16 = 4_010;
    pub(crate) const INVALID_VERSION: u16 = 4_012;
    pub(crate) const INVALID_INTENTS: u16 = 4_013;
    pub(crate) const DISALLOWED_INTENTS: u16 = 4_014;
}

/// All sessions and connections.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    pub(crate) by_id: BTreeMap<String, Session>,
    pub(crate) connections: BTreeMap<u64, Line>,
    pub(crate) history: VecDeque<Happened>,
    identifies: VecDeque<u64>,
    last_identify: BTreeMap<u64, u64>,
    connected: u64,
}

/// What happened at the gateway, for reading back.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Happened {
    /// When, in milliseconds since 1970.
    pub at_ms: u64,
    /// The number of the connection, from 1.
    pub connection: u64,
    /// The path and query the client connected with, for `connected`; otherwise empty.
    pub address: String,
    /// `connected`, `identified`, `resumed`, `refused`, `heartbeat`, `closed`.
    pub what: String,
    /// The close code, where there is one.
    pub code: Option<u16>,
}

/// One session: survives its connections.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) intents: u64,
    /// Number and count of shards.
    pub(crate) shard: (u64, u64),
    pub(crate) sequence: u64,
    pub(crate) events: VecDeque<Event>,
    pub(crate) connection: Option<u64>,
    pub(crate) lost_ms: u64,
}

/// An event as it is sent.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) sequence: u64,
    pub(crate) payload: Value,
}

/// A connection, as others see it.
#[derive(Debug, Default)]
pub(crate) struct Line {
    pub(crate) session: Option<String>,
    pub(crate) orders: VecDeque<Order>,
    /// Sends nothing at all, and reads nothing.
    pub(crate) silent: bool,
    /// Does not acknowledge heartbeats.
    pub(crate) deaf: bool,
    /// The last event sent.
    pub(crate) sent: u64,
}

/// What a connection is told to do.
#[derive(Clone, Debug)]
pub(crate) enum Order {
    /// Close with a code, or just end.
    Close(Option<u16>),
    /// Reset the TCP connection.
    Reset,
    /// Opcode 7.
    Reconnect,
    /// Opcode 9.
    Invalid { resumable: bool },
}

impl Sessions {
    pub(crate) fn connect(&mut self, at_ms: u64, address: String) -> u64 {
        self.connected += 1;
        self.connections.insert(self.connected, Line::default());
        let connection = self.connected;
        self.remember(Happened { at_ms, connection, address, what: "connected".to_owned(), code: None });
        connection
    }

    pub(crate) fn note(&mut self, at_ms: u64, connection: u64, what: &str, code: Option<u16>) {
        self.remember(Happened { at_ms, connection, address: String::new(), what: what.to_owned(), code });
    }

    fn remember(&mut self, happened: Happened) {
        if self.history.len() >= HISTORY_KEPT {
            self.history.pop_front();
        }
        self.history.push_back(happened);
    }

    /// Ends a connection; its session can be resumed for a while.
    pub(crate) fn disconnect(&mut self, now_ms: u64, connection: u64) {
        let Some(line) = self.connections.remove(&connection) else { return };
        let session = line.session.and_then(|id| self.by_id.get_mut(&id));
        if let Some(session) = session.filter(|session| session.connection == Some(connection)) {
            session.connection = None;
            session.lost_ms = now_ms;
        }
    }

    /// Forgets sessions that were lost too long ago.
    pub(crate) fn forget_lost(&mut self, now_ms: u64, window_ms: u64) {
        self.by_id.retain(|_, session| session.connection.is_some() || session.lost_ms + window_ms > now_ms);
    }

    /// Tells every connection to do something.
    pub(crate) fn order(&mut self, order: &Order) {
        for line in self.connections.values_mut() {
            line.orders.push_back(order.clone());
        }
    }

    /// Says how many identifies are left today.
    pub(crate) fn identifies_left(&mut self, now_ms: u64, total: u32) -> u32 {
        self.identifies.retain(|at| at + DAY_MS > now_ms);
        total.saturating_sub(u32::try_from(self.identifies.len()).unwrap_or(u32::MAX))
    }

    /// Counts an identify; says whether it came too soon after the one before.
    pub(crate) fn identify(&mut self, now_ms: u64, group: u64, spacing_ms: u64) -> bool {
        let last = self.last_identify.insert(group, now_ms);
        self.identifies.push_back(now_ms);
        last.is_some_and(|last| now_ms < last + spacing_ms)
    }
}

impl Session {
    pub(crate) fn push(&mut self, name: &str, data: &Value) {
        self.sequence += 1;
        let payload = serde_json::json!({"op": 0, "s": self.sequence, "t": name, "d": data});
        if self.events.len() >= EVENTS_KEPT {
            self.events.pop_front();
        }
        self.events.push_back(Event { sequence: self.sequence, payload });
    }

    /// Says whether events of a guild, or direct messages (`None`), come to this session's shard.
    pub(crate) fn has(&self, guild: Option<crate::id::Id>) -> bool {
        let (number, count) = self.shard;
        guild.map_or(number == 0, |guild| (guild.0 >> 22) % count.max(1) == number)
    }
}
