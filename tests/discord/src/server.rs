//! A running server: its tasks, its address, and what tests do with it.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::draft::File;
use crate::fault::{Fault, GatewayFault};
use crate::gateway::Order;
use crate::gateway::close;
use crate::id::Id;
use crate::people::Unable;
use crate::reading::View;
use crate::rest;
use crate::state::State;
use crate::wire::{Connections, Cut, CuttableListener};
use crate::world::World;

/// How many calls a [`TimedOut`] shows.
const CALLS_SHOWN: usize = 12;

/// The state, and who waits for changes of it.
#[derive(Clone)]
pub(crate) struct Shared {
    state: Arc<Mutex<State>>,
    changes: Arc<watch::Sender<u64>>,
}

impl Shared {
    /// Changes the state and wakes who waits.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = self.quietly(change);
        self.changes.send_modify(|count| *count += 1);
        result
    }

    /// Changes something nobody waits for.
    pub(crate) fn quietly<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // A test that panicked while it looked does not make the server useless for others.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

/// A condition did not come true in time; says what the bot did last.
#[derive(Clone, Debug)]
pub struct TimedOut {
    /// How long was waited.
    pub waited: Duration,
    /// The last calls of the bot, as method, path, status.
    pub last_calls: Vec<String>,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "nothing of the kind within {:?}; last calls: {}", self.waited, self.last_calls.join(", "))
    }
}

impl std::error::Error for TimedOut {}

/// A Discord on loopback; stops when dropped.
pub struct DiscordServer {
    shared: Shared,
    api_url: String,
    token: String,
    connections: Connections,
    tasks: JoinSet<()>,
}

impl fmt::Debug for DiscordServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DiscordServer").field("api_url", &self.api_url).finish_non_exhaustive()
    }
}

impl Drop for DiscordServer {
    fn drop(&mut self) {
        self.tasks.abort_all();
        self.connections.reset();
    }
}

impl DiscordServer {
    /// Starts a server on a free port of loopback.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start(world: World) -> io::Result<Self> {
        Self::start_at(world, SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    /// Starts a server at an address.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub async fn start_at(world: World, address: SocketAddr) -> io::Result<Self> {
        let inner = TcpListener::bind(address).await?;
        let origin = format!("http://{}", inner.local_addr()?);
        let api_url = format!("{origin}/api");
        let token = world.application.token.clone();
        let shared =
            Shared { state: Arc::new(Mutex::new(State::new(world, origin))), changes: Arc::new(watch::Sender::new(0)) };
        let connections = Connections::default();
        let listener = CuttableListener { inner, connections: connections.clone() };
        let router = Router::new().fallback(rest::take).layer(DefaultBodyLimit::disable()).with_state(shared.clone());
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // Ends only with its task: accepting errors are retried inside.
            let _ = axum::serve(listener, router.into_make_service_with_connect_info::<Cut>()).await;
        });
        Ok(Self { shared, api_url, token, connections, tasks })
    }

    /// The URL that stands for `https://discord.com/api`.
    pub fn api_url(&self) -> &str {
        &self.api_url
    }

    /// The token of the bot.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// Looks at the state.
    pub fn read<T>(&self, read: impl FnOnce(&View<'_>) -> T) -> T {
        self.shared.read(|state| read(&View(state)))
    }

    /// Waits until a condition gives something.
    ///
    /// # Errors
    /// [`TimedOut`] with the last calls of the bot.
    pub async fn wait_for<T>(
        &self,
        limit: Duration,
        mut condition: impl FnMut(&View<'_>) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let mut changes = self.shared.changes();
        let found = tokio::time::timeout(limit, async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = self.read(&mut condition) {
                    return found;
                }
                // Some conditions come true by time alone, such as an interaction that failed.
                let _ = tokio::time::timeout(Duration::from_millis(50), changes.changed()).await;
            }
        });
        found.await.map_err(|_| TimedOut { waited: limit, last_calls: self.last_calls() })
    }

    fn last_calls(&self) -> Vec<String> {
        self.shared.read(|state| {
            let skipped = state.calls.len().saturating_sub(CALLS_SHOWN);
            let calls = state.calls.iter().skip(skipped);
            calls.map(|call| format!("{} {} {}", call.method, call.route, call.status)).collect()
        })
    }

    /// Waits until a bot is connected and got its guilds.
    ///
    /// # Errors
    /// [`TimedOut`] when none comes.
    pub async fn wait_ready(&self, limit: Duration) -> Result<(), TimedOut> {
        self.wait_for(limit, |view| (view.ready_connections() > 0).then_some(())).await
    }

    /// Lets time pass for the server without waiting: deadlines, tokens, limits, archives.
    pub fn advance(&self, by: Duration) {
        self.shared.change(|state| state.advance(by));
    }

    /// Writes a message.
    ///
    /// # Errors
    /// [`Unable`] when the person cannot.
    pub fn say(&self, by: Id, channel: Id, content: &str) -> Result<Id, Unable> {
        self.shared.change(|state| state.say(by, channel, content, None, Vec::new()))
    }

    /// Replies to a message.
    ///
    /// # Errors
    /// [`Unable`] when the person cannot.
    pub fn reply(&self, by: Id, message: Id, content: &str) -> Result<Id, Unable> {
        self.shared.change(|state| {
            let channel = state.messages.get(&message).map(|found| found.channel).ok_or(Unable::NoMessage(message))?;
            state.say(by, channel, content, Some(message), Vec::new())
        })
    }

    /// Writes a message with a file.
    ///
    /// # Errors
    /// [`Unable`] when the person cannot.
    pub fn upload(&self, by: Id, channel: Id, content: &str, name: &str, bytes: &[u8]) -> Result<Id, Unable> {
        let file = File { number: 0, name: name.to_owned(), content_type: None, bytes: bytes.to_vec() };
        self.shared.change(|state| state.say(by, channel, content, None, vec![file]))
    }

    /// Changes an own message.
    ///
    /// # Errors
    /// [`Unable`] when the person cannot.
    pub fn rewrite(&self, by: Id, message: Id, content: &str) -> Result<(), Unable> {
        self.shared.change(|state| state.rewrite(by, message, content))
    }

    /// Deletes a message.
    ///
    /// # Errors
    /// [`Unable`] when the person cannot.
    pub fn take_back(&self, by: Id, message: Id) -> Result<(), Unable> {
        self.shared.change(|state| state.take_back(by, message))
    }

    /// Opens the direct message with the bot and gives its channel.
    pub fn direct_channel(&self, with: Id) -> Id {
        self.shared.change(|state| state.direct_channel(with))
    }

    /// Uses a slash command, such as `why` or `kubewhy logs`, and gives its interaction.
    ///
    /// # Errors
    /// [`Unable`] when it is not registered, an option is wrong, or the person may not.
    pub fn slash(&self, by: Id, channel: Id, line: &str, options: &[(&str, Value)]) -> Result<Id, Unable> {
        let options = owned(options);
        self.shared.change(|state| state.slash(by, channel, line, &options))
    }

    /// Types `typed` into the option `focused` of a slash command and gives the interaction that gets the choices.
    ///
    /// # Errors
    /// [`Unable`] when it is not registered or the option does not complete.
    pub fn complete(
        &self,
        by: Id,
        channel: Id,
        line: &str,
        options: &[(&str, Value)],
        (focused, typed): (&str, &str),
    ) -> Result<Id, Unable> {
        let options = owned(options);
        self.shared.change(|state| state.complete(by, channel, line, &options, (focused, typed)))
    }

    /// Uses a command of a message's menu, such as `Why?`.
    ///
    /// # Errors
    /// [`Unable`] when it is not registered or the person does not see the message.
    pub fn message_command(&self, by: Id, message: Id, name: &str) -> Result<Id, Unable> {
        self.shared.change(|state| state.message_command(by, message, name))
    }

    /// Presses a button, found by its label or custom id.
    ///
    /// # Errors
    /// [`Unable`] when the person sees no such button that can be pressed.
    pub fn press(&self, by: Id, message: Id, button: &str) -> Result<Id, Unable> {
        self.shared.change(|state| state.press(by, message, button))
    }

    /// Chooses in a select, found by its custom id or placeholder; values or labels.
    ///
    /// # Errors
    /// [`Unable`] when the person sees no such select or value.
    pub fn choose(&self, by: Id, message: Id, select: &str, values: &[&str]) -> Result<Id, Unable> {
        let values: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        self.shared.change(|state| state.choose(by, message, select, &values))
    }

    /// Submits the modal a person has open; inputs by label or custom id.
    ///
    /// # Errors
    /// [`Unable`] when none is open or an input is wrong.
    pub fn submit(&self, by: Id, values: &[(&str, &str)]) -> Result<Id, Unable> {
        let values: BTreeMap<String, String> =
            values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        self.shared.change(|state| state.submit(by, &values))
    }

    /// Puts a reaction on a message.
    ///
    /// # Errors
    /// [`Unable`] when the person does not see the message.
    pub fn react(&self, by: Id, message: Id, emoji: &str) -> Result<(), Unable> {
        self.shared.change(|state| {
            let channel = state.messages.get(&message).map(|found| found.channel).ok_or(Unable::NoMessage(message))?;
            state.react(channel, message, emoji, by);
            Ok(())
        })
    }

    /// Changes the world while it runs: limits, permissions, roles, members, the application.
    pub fn change_world(&self, change: impl FnOnce(&mut Ongoing<'_>)) {
        self.shared.change(|state| change(&mut Ongoing(state)));
    }

    /// Adds a fault of the REST API.
    pub fn fault(&self, fault: Fault) {
        self.shared.change(|state| state.faults.rest.push(fault));
    }

    /// Adds a fault of the gateway.
    pub fn gateway_fault(&self, fault: &GatewayFault) {
        self.shared.change(|state| state.add_gateway_fault(fault));
    }

    /// Takes all faults that are yet to happen away.
    pub fn clear_faults(&self) {
        self.shared.change(|state| state.faults = crate::fault::Faults::default());
    }

    /// Takes the token away: 401 and close code 4004 from now on.
    pub fn revoke_token(&self) {
        self.shared.change(State::revoke_token);
    }

    /// Makes the token valid again.
    pub fn restore_token(&self) {
        self.shared.change(|state| state.token_revoked = false);
    }
}

/// The world while it runs; see [`DiscordServer::change_world`].
pub struct Ongoing<'a>(&'a mut State);

impl Ongoing<'_> {
    /// The numbers Discord enforces.
    pub fn limits(&mut self) -> &mut crate::world::Limits {
        &mut self.0.limits
    }

    /// The application.
    pub fn application(&mut self) -> &mut crate::world::Application {
        &mut self.0.application
    }

    /// A person.
    pub fn user(&mut self, id: Id) -> Option<&mut crate::world::User> {
        self.0.users.get_mut(&id)
    }

    /// A guild; roles and members can be changed, channels by [`Ongoing::overwrites`].
    pub fn guild(&mut self, id: Id) -> Option<&mut crate::world::Guild> {
        self.0.guilds.get_mut(&id)
    }

    /// What roles and members may do more or less in a channel.
    pub fn overwrites(&mut self, channel: Id) -> Option<&mut Vec<crate::world::Overwrite>> {
        self.0.channels.get_mut(&channel).map(|channel| &mut channel.overwrites)
    }

    /// Archives or locks a thread, as a moderator or as time does.
    pub fn close_thread(&mut self, thread: Id, archived: bool, locked: bool) {
        if let Some(inner) = self.0.channels.get_mut(&thread).and_then(|channel| channel.thread.as_mut()) {
            inner.archived = archived;
            inner.locked = locked;
        }
        self.0.emit_thread("THREAD_UPDATE", thread);
    }

    /// Deletes a channel or a thread with all that was said in it.
    pub fn delete_channel(&mut self, id: Id) {
        if self.0.channels.get(&id).is_some_and(|channel| channel.thread.is_some()) {
            self.0.remove_thread(id);
            return;
        }
        let Some(channel) = self.0.channels.get(&id) else { return };
        let json = self.0.channel_json(channel);
        self.0.emit_in_channel("CHANNEL_DELETE", id, &json);
        self.0.channels.remove(&id);
        for message in self.0.messages.values_mut().filter(|message| message.channel == id) {
            message.deleted = true;
        }
    }

    /// Takes the bot out of a guild, as an administrator does.
    pub fn remove_bot(&mut self, guild: Id) {
        self.0.emit("GUILD_DELETE", Some(guild), 1, &|_| serde_json::json!({"id": guild}));
        self.0.guilds.remove(&guild);
        self.0.channels.retain(|_, channel| channel.guild != Some(guild));
    }
}

impl State {
    pub(crate) fn revoke_token(&mut self) {
        self.token_revoked = true;
        self.sessions.order(&Order::Close(Some(close::AUTHENTICATION_FAILED)));
    }

    pub(crate) fn add_gateway_fault(&mut self, fault: &GatewayFault) {
        let events = &mut self.faults.events;
        match *fault {
            GatewayFault::Duplicate { times } => events.duplicate += times,
            GatewayFault::Reorder { times } => events.reorder += times,
            GatewayFault::Delay { ms, times } => events.delay = (ms, times),
            GatewayFault::Lose { times } => events.lose += times,
            GatewayFault::ReconnectStorm { times } => events.storm += times,
            GatewayFault::ReplayOnResume { events: count } => events.replay = count,
            GatewayFault::Refuse { times } => self.faults.refuse += times,
            GatewayFault::Close { code } => self.sessions.order(&Order::Close(code)),
            GatewayFault::Reset => self.sessions.order(&Order::Reset),
            GatewayFault::Reconnect => self.sessions.order(&Order::Reconnect),
            GatewayFault::InvalidSession { resumable } => self.sessions.order(&Order::Invalid { resumable }),
            GatewayFault::Silence { on } => {
                self.sessions.connections.values_mut().for_each(|line| line.silent = on);
            }
            GatewayFault::Deaf { on } => self.sessions.connections.values_mut().for_each(|line| line.deaf = on),
        }
    }
}

fn owned(options: &[(&str, Value)]) -> Vec<(String, Value)> {
    options.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}
