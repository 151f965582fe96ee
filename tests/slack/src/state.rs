//! All that the workspace knows, behind one lock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;
use tokio::sync::watch;

use crate::call::Call;
use crate::faults::Faults;
use crate::limits::Limiter;
use crate::state::file::File;
use crate::state::grant::{ResponseUrl, Trigger};
use crate::state::message::Message;
use crate::state::socket::Sockets;
use crate::state::view::View;
use crate::world::{Channel, User, World};

pub(crate) mod file;
pub(crate) mod grant;
pub(crate) mod message;
pub(crate) mod response;
pub(crate) mod socket;
pub(crate) mod view;

/// The state with the news that it changed.
pub(crate) struct Shared {
    state: Mutex<State>,
    changes: watch::Sender<u64>,
    pub(crate) address: SocketAddr,
}

impl Shared {
    pub(crate) fn new(world: World, address: SocketAddr) -> Self {
        Self { state: Mutex::new(State::new(world, address)), changes: watch::Sender::new(0), address }
    }

    /// Changes the state, and tells those who wait for something.
    pub(crate) fn change<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        let result = act(&mut self.lock());
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
        result
    }

    /// Reads the state.
    pub(crate) fn look<T>(&self, act: impl FnOnce(&State) -> T) -> T {
        act(&self.lock())
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The workspace.
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) address: SocketAddr,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) revoked: BTreeSet<String>,
    pub(crate) calls: Vec<Call>,
    pub(crate) faults: Faults,
    pub(crate) limiter: Limiter,
    /// By channel and time stamp, ephemeral ones too.
    pub(crate) messages: BTreeMap<(String, String), Message>,
    pub(crate) files: BTreeMap<String, File>,
    pub(crate) views: BTreeMap<String, View>,
    pub(crate) triggers: BTreeMap<String, Trigger>,
    pub(crate) response_urls: BTreeMap<String, ResponseUrl>,
    pub(crate) statuses: BTreeMap<(String, String), String>,
    pub(crate) warnings: Vec<crate::reading::Warning>,
    pub(crate) suggestions: BTreeMap<String, Value>,
    pub(crate) sockets: Sockets,
    counter: u64,
}

impl State {
    fn new(world: World, address: SocketAddr) -> Self {
        Self {
            address,
            clock: Clock::new(),
            random: Random::new(world.seed),
            revoked: BTreeSet::new(),
            calls: Vec::new(),
            faults: Faults::default(),
            limiter: Limiter::new(world.limits),
            messages: BTreeMap::new(),
            files: BTreeMap::new(),
            views: BTreeMap::new(),
            triggers: BTreeMap::new(),
            response_urls: BTreeMap::new(),
            statuses: BTreeMap::new(),
            warnings: Vec::new(),
            suggestions: BTreeMap::new(),
            sockets: Sockets::default(),
            counter: 0,
            world,
        }
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.now()
    }

    /// A new id with a prefix, as Slack writes them: `Ev0000000001`.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        self.counter += 1;
        format!("{prefix}{:010}", self.counter)
    }

    /// What nobody can guess in Slack; here it only has to be unlike any other.
    pub(crate) fn secret(&mut self) -> String {
        self.counter += 1;
        format!("{:08x}-{:016x}", self.counter, self.random.next())
    }

    pub(crate) fn user(&self, id: &str) -> Option<&User> {
        self.world.users.iter().find(|user| user.id == id)
    }

    pub(crate) fn channel(&self, id: &str) -> Option<&Channel> {
        self.world.channels.iter().find(|channel| channel.id == id)
    }

    pub(crate) fn is_member(&self, channel: &str, user: &str) -> bool {
        self.channel(channel).is_some_and(|channel| channel.members.iter().any(|member| member == user))
    }

    pub(crate) fn bot_user(&self) -> String {
        self.world.app.bot_user.clone()
    }
}

/// The time of the workspace: that of the machine, and what was skipped.
pub(crate) struct Clock {
    started: Instant,
    wall: Duration,
    skipped: Duration,
    last_micros: u128,
}

impl Clock {
    fn new() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self { started: Instant::now(), wall, skipped: Duration::ZERO, last_micros: 0 }
    }

    /// Since the server started.
    pub(crate) fn now(&self) -> Duration {
        self.started.elapsed() + self.skipped
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.skipped += by;
    }

    /// Seconds since 1970.
    pub(crate) fn seconds(&self) -> u64 {
        (self.wall + self.now()).as_secs()
    }

    /// A time stamp that no other message has.
    pub(crate) fn stamp(&mut self) -> String {
        let micros = (self.wall + self.now()).as_micros().max(self.last_micros + 1);
        self.last_micros = micros;
        format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
    }

    /// The age of a time stamp.
    pub(crate) fn age(&self, stamp: &str) -> Duration {
        let seconds: f64 = stamp.parse().unwrap_or(0.0);
        (self.wall + self.now()).saturating_sub(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

/// Choices that are the same for the same seed.
pub(crate) struct Random(u64);

impl Random {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// One of so many.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % (count.max(1) as u64)).unwrap_or(0)
    }
}
