//! Everything this Discord knows, behind one lock; the modules below are its parts.

pub(crate) mod channel;
pub(crate) mod guild;
pub(crate) mod interaction;
pub(crate) mod message;

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::command::Commands;
use crate::fault::Faults;
use crate::gateway::Sessions;
use crate::id::Id;
use crate::limits::Rates;
use crate::reading::Call;
use crate::world::{Application, Guild, Limits, User, World};

use channel::Channel;
use interaction::Interaction;
use message::Message;

/// Calls kept for reading back; the oldest go first.
const CALLS_KEPT: usize = 50_000;

/// The state of a server.
pub(crate) struct State {
    pub(crate) application: Application,
    pub(crate) token_revoked: bool,
    pub(crate) limits: Limits,
    pub(crate) users: BTreeMap<Id, User>,
    pub(crate) guilds: BTreeMap<Id, Guild>,
    pub(crate) channels: BTreeMap<Id, Channel>,
    pub(crate) messages: BTreeMap<Id, Message>,
    pub(crate) interactions: BTreeMap<Id, Interaction>,
    pub(crate) commands: Commands,
    pub(crate) files: BTreeMap<Id, Vec<u8>>,
    pub(crate) calls: VecDeque<Call>,
    pub(crate) calls_made: u64,
    pub(crate) rates: Rates,
    pub(crate) faults: Faults,
    pub(crate) sessions: Sessions,
    /// `http://ADDRESS` without a path.
    pub(crate) origin: String,
    pub(crate) joined_ms: u64,
    ids: u64,
    clock: Clock,
}

/// Real time, and what a test added to it.
struct Clock {
    started: Instant,
    started_ms: u64,
    ahead: Duration,
}

impl State {
    pub(crate) fn new(world: World, origin: String) -> Self {
        let started_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, millis);
        let World { application, users, guilds, limits } = world;
        let mut state = Self {
            application,
            token_revoked: false,
            limits,
            users: users.into_iter().map(|user| (user.id, user)).collect(),
            guilds: BTreeMap::new(),
            channels: BTreeMap::new(),
            messages: BTreeMap::new(),
            interactions: BTreeMap::new(),
            commands: Commands::default(),
            files: BTreeMap::new(),
            calls: VecDeque::new(),
            calls_made: 0,
            rates: Rates::default(),
            faults: Faults::default(),
            sessions: Sessions::default(),
            origin,
            joined_ms: started_ms,
            ids: 0,
            clock: Clock { started: Instant::now(), started_ms, ahead: Duration::ZERO },
        };
        for guild in guilds {
            state.add_guild(guild);
        }
        state
    }

    /// Milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.clock.started_ms + millis(self.clock.started.elapsed() + self.clock.ahead)
    }

    /// Lets time pass without waiting for it.
    pub(crate) fn advance(&mut self, by: Duration) {
        self.clock.ahead += by;
        self.archive_quiet_threads();
    }

    /// Makes a new id, greater than all before.
    pub(crate) fn new_id(&mut self) -> Id {
        self.ids += 1;
        Id::at(self.now_ms(), self.ids)
    }

    /// Makes a text nobody can guess the next of.
    pub(crate) fn new_secret(&mut self, length: usize) -> String {
        let mut secret = String::new();
        while secret.len() < length {
            self.ids += 1;
            let _ = write!(secret, "{:016x}", RandomState::new().hash_one(self.ids));
        }
        secret.truncate(length);
        secret
    }

    pub(crate) fn record(&mut self, call: Call) {
        if self.calls.len() >= CALLS_KEPT {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// Writes a user as Discord does: the bot or a person.
    pub(crate) fn user_json(&self, id: Id) -> Value {
        let is_bot = id == self.application.id;
        let known = self.users.get(&id);
        let name = match known {
            Some(user) => user.name.as_str(),
            None if is_bot => self.application.name.as_str(),
            None => "Deleted User",
        };
        json!({
            "id": id, "username": name, "global_name": known.and_then(|user| user.shown.clone()),
            "discriminator": if is_bot { "4242" } else { "0" }, "avatar": null, "bot": is_bot, "system": false,
            "public_flags": 0, "flags": 0, "banner": null, "accent_color": null, "avatar_decoration_data": null,
            "collectibles": null, "display_name_styles": null, "banner_color": null, "clan": null, "primary_guild": null,
        })
    }

    /// Writes the bot's own user, as READY and `users/@me` do.
    pub(crate) fn current_user_json(&self) -> Value {
        let mut user = self.user_json(self.application.id);
        set(&mut user, "verified", json!(true));
        set(&mut user, "email", Value::Null);
        set(&mut user, "mfa_enabled", json!(true));
        set(&mut user, "bio", json!(""));
        set(&mut user, "locale", json!("en-US"));
        user
    }
}

/// Sets a key of an object; nothing happens to other values.
pub(crate) fn set(object: &mut Value, key: &str, value: Value) {
    if let Value::Object(map) = object {
        map.insert(key.to_owned(), value);
    }
}

/// Whole milliseconds of a duration.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Writes a time as Discord does: microseconds, and `+00:00` instead of `Z`.
pub(crate) fn timestamp(ms: u64) -> String {
    let ms = i64::try_from(ms).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    time.strftime("%Y-%m-%dT%H:%M:%S.%6f+00:00").to_string()
}
