//! The world while it runs: what moderators, owners and administrators change.

use serde_json::json;

use crate::gateway::intent;
use crate::id::Id;
use crate::state::State;
use crate::state::channel::Channel;
use crate::world::{self, Application, Guild, Limits, Overwrite, User};

/// The world while it runs; see [`DiscordServer::change_world`](crate::DiscordServer::change_world).
pub struct Ongoing<'a>(pub(crate) &'a mut State);

impl Ongoing<'_> {
    /// The numbers Discord enforces.
    pub fn limits(&mut self) -> &mut Limits {
        &mut self.0.limits
    }

    /// The application.
    pub fn application(&mut self) -> &mut Application {
        &mut self.0.application
    }

    /// A person.
    pub fn user(&mut self, id: Id) -> Option<&mut User> {
        self.0.users.get_mut(&id)
    }

    /// A guild; roles and members can be changed, channels by [`Ongoing::overwrites`].
    pub fn guild(&mut self, id: Id) -> Option<&mut Guild> {
        self.0.guilds.get_mut(&id)
    }

    /// What roles and members may do more or less in a channel.
    pub fn overwrites(&mut self, channel: Id) -> Option<&mut Vec<Overwrite>> {
        self.0.channels.get_mut(&channel).map(|channel| &mut channel.overwrites)
    }

    /// Adds a guild, as when the bot is invited.
    pub fn add_guild(&mut self, guild: Guild) {
        let id = guild.id;
        self.0.add_guild(guild);
        let Some(guild) = self.0.guilds.get(&id) else { return };
        let event = self.0.guild_create_json(guild);
        self.0.emit("GUILD_CREATE", Some(id), intent::GUILDS, &|_| event.clone());
    }

    /// Adds a channel to a guild.
    pub fn add_channel(&mut self, guild: Id, channel: &world::Channel) {
        let channel = Channel::of_guild(guild, channel, self.0.channels.len());
        let (id, json) = (channel.id, self.0.channel_json(&channel));
        self.0.channels.insert(id, channel);
        self.0.emit_in_channel("CHANNEL_CREATE", id, &json);
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
        self.0.emit("GUILD_DELETE", Some(guild), intent::GUILDS, &|_| json!({"id": guild}));
        self.0.guilds.remove(&guild);
        self.0.channels.retain(|_, channel| channel.guild != Some(guild));
    }
}
