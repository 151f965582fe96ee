//! Identify and resume: who may have a session, and what it starts with.

use serde_json::{Value, json};

use super::{Session, close, intent};
use crate::state::State;
use crate::validate::{list, number, text};

/// What comes of an identify or a resume.
pub(crate) enum Greeting {
    /// The session that the connection now carries, and the last event it already has.
    Welcome { session: String, sent: u64 },
    /// Opcode 9.
    Invalid,
    /// A close code.
    Refused(u16),
}

impl State {
    fn knows_token(&self, token: &str) -> bool {
        let token = token.strip_prefix("Bot ").unwrap_or(token);
        !self.token_revoked && token == self.application.token
    }

    /// Starts a session.
    pub(crate) fn identify(&mut self, connection: u64, data: &Value) -> Greeting {
        if !self.knows_token(text(data, "token")) {
            return Greeting::Refused(close::AUTHENTICATION_FAILED);
        }
        let Some(intents) = number(data, "intents") else { return Greeting::Refused(close::DECODE) };
        if intents & !intent::KNOWN != 0 {
            return Greeting::Refused(close::INVALID_INTENTS);
        }
        let privileged = [
            (intent::MESSAGE_CONTENT, self.application.message_content),
            (intent::MEMBERS | intent::PRESENCES, self.application.members_and_presences),
        ];
        if privileged.iter().any(|(bits, granted)| intents & bits != 0 && !granted) {
            return Greeting::Refused(close::DISALLOWED_INTENTS);
        }
        let shard = match list(data, "shard") {
            [] => (0, 1),
            [number, count] => (number.as_u64().unwrap_or(0), count.as_u64().unwrap_or(0)),
            _ => return Greeting::Refused(close::INVALID_SHARD),
        };
        if shard.0 >= shard.1 {
            return Greeting::Refused(close::INVALID_SHARD);
        }
        let now = self.now_ms();
        if self.sessions.identifies_left(now, self.limits.identifies) == 0 {
            // Discord ends all sessions and takes the token away.
            self.token_revoked = true;
            self.sessions.order(&super::Order::Close(Some(close::AUTHENTICATION_FAILED)));
            return Greeting::Refused(close::AUTHENTICATION_FAILED);
        }
        if self.sessions.identify(now, 0, self.limits.identify_spacing_ms) {
            return Greeting::Invalid;
        }
        self.start_session(connection, data, intents, shard)
    }

    fn start_session(&mut self, connection: u64, data: &Value, intents: u64, shard: (u64, u64)) -> Greeting {
        let id = self.new_secret(32);
        let mut session = Session {
            intents,
            shard,
            sequence: 0,
            events: std::collections::VecDeque::new(),
            connection: Some(connection),
            lost_ms: 0,
        };
        let of_shard: Vec<_> = self.guilds.values().filter(|guild| session.has(Some(guild.id))).collect();
        let unavailable: Vec<Value> =
            of_shard.iter().map(|guild| json!({"id": guild.id, "unavailable": true})).collect();
        let mut ready = json!({
            "v": 10, "user": self.current_user_json(), "guilds": unavailable, "session_id": id,
            "resume_gateway_url": format!("{}/resume", self.origin.replacen("http", "ws", 1)),
            "application": {"id": self.application.id, "flags": 0}, "session_type": "normal",
            "private_channels": [], "presences": [], "relationships": [], "user_settings": {}, "user_settings_proto": "",
            "guild_join_requests": [], "geo_ordered_rtc_regions": ["rotterdam"], "game_relationships": [],
            "auth": {}, "_trace": [],
        });
        if data.get("shard").is_some() {
            crate::state::set(&mut ready, "shard", json!([shard.0, shard.1]));
        }
        let guilds: Vec<Value> = of_shard.iter().map(|guild| self.guild_create_json(guild)).collect();
        session.push("READY", &ready);
        if intents & intent::GUILDS != 0 {
            for guild in guilds {
                session.push("GUILD_CREATE", &guild);
            }
        }
        self.sessions.by_id.insert(id.clone(), session);
        self.attach(connection, &id);
        let now = self.now_ms();
        self.sessions.note(now, connection, "identified", None);
        Greeting::Welcome { session: id, sent: 0 }
    }

    /// Goes on with a session.
    pub(crate) fn resume(&mut self, connection: u64, data: &Value) -> Greeting {
        if !self.knows_token(text(data, "token")) {
            return Greeting::Refused(close::AUTHENTICATION_FAILED);
        }
        let now = self.now_ms();
        self.sessions.forget_lost(now, self.limits.resume_window_ms);
        let id = text(data, "session_id").to_owned();
        let last = number(data, "seq").unwrap_or(0);
        let again = self.faults.events.take_replay();
        let Some(session) = self.sessions.by_id.get_mut(&id) else { return Greeting::Invalid };
        if last > session.sequence {
            return Greeting::Refused(close::INVALID_SEQUENCE);
        }
        let is_complete = session.events.front().is_none_or(|event| event.sequence <= last + 1);
        if !is_complete {
            return Greeting::Invalid;
        }
        session.connection = Some(connection);
        session.push("RESUMED", &json!({"_trace": []}));
        // READY is never replayed, only what came after it.
        let sent = last.saturating_sub(again).max(1);
        self.attach(connection, &id);
        self.sessions.note(now, connection, "resumed", None);
        Greeting::Welcome { session: id, sent }
    }

    fn attach(&mut self, connection: u64, session: &str) {
        if let Some(line) = self.sessions.connections.get_mut(&connection) {
            line.session = Some(session.to_owned());
        }
    }
}
