//! Channels, threads and direct messages.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{State, set, timestamp};
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::permission;
use crate::world::{self, Overwrite};

/// A direct message with one person.
pub(crate) const DIRECT: u8 = 1;
/// An announcement channel.
pub(crate) const ANNOUNCEMENT: u8 = 5;
/// A thread in an announcement channel.
pub(crate) const ANNOUNCEMENT_THREAD: u8 = 10;
/// A thread everybody of the channel sees.
pub(crate) const PUBLIC_THREAD: u8 = 11;
/// A thread only its members see.
pub(crate) const PRIVATE_THREAD: u8 = 12;

#[derive(Clone, Debug)]
pub(crate) struct Channel {
    pub(crate) id: Id,
    pub(crate) kind: u8,
    pub(crate) guild: Option<Id>,
    pub(crate) name: String,
    pub(crate) parent: Option<Id>,
    pub(crate) position: usize,
    pub(crate) overwrites: Vec<Overwrite>,
    /// Who a direct message is with.
    pub(crate) recipient: Option<Id>,
    pub(crate) thread: Option<Thread>,
    pub(crate) last_message: Option<Id>,
}

#[derive(Clone, Debug)]
pub(crate) struct Thread {
    pub(crate) owner: Id,
    pub(crate) archived: bool,
    pub(crate) locked: bool,
    pub(crate) archive_minutes: u64,
    pub(crate) archive_changed_ms: u64,
    pub(crate) members: BTreeSet<Id>,
    pub(crate) messages: u64,
}

impl Channel {
    pub(crate) fn of_guild(guild: Id, channel: &world::Channel, position: usize) -> Self {
        let world::Channel { id, name, kind, overwrites } = channel.clone();
        Self {
            id,
            kind,
            guild: Some(guild),
            name,
            parent: None,
            position,
            overwrites,
            recipient: None,
            thread: None,
            last_message: None,
        }
    }

    pub(crate) fn is_direct(&self) -> bool {
        self.kind == DIRECT
    }

    /// Says whether messages can be posted here.
    pub(crate) fn holds_messages(&self) -> bool {
        !matches!(self.kind, 4 | 14 | 15 | 16)
    }

    pub(crate) fn parent_of_thread(&self) -> Option<Id> {
        self.thread.as_ref().and(self.parent)
    }

    pub(crate) fn is_with(&self, user: Id, bot: Id) -> bool {
        self.recipient == Some(user) || (self.recipient.is_some() && user == bot)
    }
}

impl State {
    /// Finds a channel the bot may know of.
    ///
    /// # Errors
    /// 10003 for none, 50001 for one the bot does not see.
    pub(crate) fn visible_channel(&self, id: Id) -> Answered<&Channel> {
        let channel = self.channels.get(&id).ok_or_else(Refusal::unknown_channel)?;
        let bot = self.application.id;
        let private = channel.kind == PRIVATE_THREAD;
        let inside = channel.thread.as_ref().is_some_and(|thread| thread.members.contains(&bot));
        let bits = self.permissions(bot, id);
        if bits & permission::VIEW_CHANNEL == 0 {
            return Err(Refusal::missing_access());
        }
        if private && !inside && bits & permission::MANAGE_THREADS == 0 {
            return Err(Refusal::missing_access());
        }
        Ok(channel)
    }

    /// Requires permissions of the bot in a channel it sees.
    pub(crate) fn require(&self, channel: Id, bits: u64) -> Answered<()> {
        if self.permissions(self.application.id, channel) & bits == bits {
            return Ok(());
        }
        Err(Refusal::missing_permissions())
    }

    /// Writes a channel or thread as Discord does.
    pub(crate) fn channel_json(&self, channel: &Channel) -> Value {
        if let Some(recipient) = channel.recipient {
            return json!({
                "id": channel.id, "type": channel.kind, "last_message_id": channel.last_message, "flags": 0,
                "recipients": [self.user_json(recipient)],
            });
        }
        if let Some(thread) = &channel.thread {
            return self.thread_json(channel, thread);
        }
        let overwrites: Vec<Value> = channel.overwrites.iter().map(overwrite_json).collect();
        json!({
            "id": channel.id, "type": channel.kind, "guild_id": channel.guild, "name": channel.name,
            "position": channel.position, "parent_id": channel.parent, "permission_overwrites": overwrites,
            "topic": null, "nsfw": false, "rate_limit_per_user": 0, "last_message_id": channel.last_message,
            "last_pin_timestamp": null, "flags": 0, "icon_emoji": null, "theme_color": null,
        })
    }

    fn thread_json(&self, channel: &Channel, thread: &Thread) -> Value {
        let bot = self.application.id;
        let mut json = json!({
            "id": channel.id, "type": channel.kind, "guild_id": channel.guild, "name": channel.name,
            "parent_id": channel.parent, "owner_id": thread.owner, "last_message_id": channel.last_message,
            "rate_limit_per_user": 0, "flags": 0, "bitrate": 64_000, "user_limit": 0, "rtc_region": null,
            "message_count": thread.messages, "total_message_sent": thread.messages,
            "member_count": thread.members.len().min(50),
            "thread_metadata": thread_metadata(channel, thread),
        });
        if thread.members.contains(&bot) {
            let joined = timestamp(channel.id.created_ms());
            let member = json!({"id": channel.id, "user_id": bot, "join_timestamp": joined, "flags": 1, "muted": false,
                "mute_config": null});
            set(&mut json, "member", member);
        }
        json
    }

    /// Writes a channel as an interaction carries it: less of it, and what the person may do there.
    pub(crate) fn interaction_channel_json(&self, channel: &Channel, user: Id) -> Value {
        let mut json = self.channel_json(channel);
        if channel.guild.is_some() {
            set(&mut json, "permissions", Value::String(self.permissions(user, channel.id).to_string()));
        }
        if let Value::Object(map) = &mut json {
            map.remove("permission_overwrites");
        }
        json
    }

    /// Finds or opens the direct message with a person.
    pub(crate) fn direct_channel(&mut self, recipient: Id) -> Id {
        if let Some(open) = self.channels.values().find(|channel| channel.recipient == Some(recipient)) {
            return open.id;
        }
        let id = self.new_id();
        let channel = Channel {
            id,
            kind: DIRECT,
            guild: None,
            name: String::new(),
            parent: None,
            position: 0,
            overwrites: Vec::new(),
            recipient: Some(recipient),
            thread: None,
            last_message: None,
        };
        self.channels.insert(id, channel);
        id
    }

    /// Archives the threads in which nothing was said for as long as they say.
    pub(crate) fn archive_quiet_threads(&mut self) {
        let now = self.now_ms();
        let mut quiet = Vec::new();
        for channel in self.channels.values_mut() {
            let last_ms = channel.last_message.unwrap_or(channel.id).created_ms();
            let Some(thread) = &mut channel.thread else { continue };
            let since_ms = last_ms.max(thread.archive_changed_ms);
            if !thread.archived && since_ms + thread.archive_minutes * 60_000 <= now {
                thread.archived = true;
                thread.archive_changed_ms = now;
                quiet.push(channel.id);
            }
        }
        for thread in quiet {
            self.emit_thread("THREAD_UPDATE", thread);
        }
    }

    /// Active threads of a guild.
    pub(crate) fn active_threads(&self, guild: Id) -> Vec<&Channel> {
        self.channels
            .values()
            .filter(|channel| channel.guild == Some(guild))
            .filter(|channel| channel.thread.as_ref().is_some_and(|thread| !thread.archived))
            .collect()
    }
}

fn thread_metadata(channel: &Channel, thread: &Thread) -> Value {
    let mut metadata = json!({
        "archived": thread.archived, "locked": thread.locked, "auto_archive_duration": thread.archive_minutes,
        "archive_timestamp": timestamp(thread.archive_changed_ms),
        "create_timestamp": timestamp(channel.id.created_ms()),
    });
    if channel.kind == PRIVATE_THREAD {
        set(&mut metadata, "invitable", json!(true));
    }
    metadata
}

fn overwrite_json(overwrite: &Overwrite) -> Value {
    json!({
        "id": overwrite.id, "type": u8::from(overwrite.member), "allow": overwrite.allow.to_string(),
        "deny": overwrite.deny.to_string(),
    })
}
