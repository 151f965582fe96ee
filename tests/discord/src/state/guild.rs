//! Guilds, members and who may do what.

use serde_json::{Value, json};

use super::channel::Channel;
use super::{State, set, timestamp};
use crate::error::{Answered, Refusal};
use crate::id::Id;
use crate::permission::{self, Holder};
use crate::world::{Guild, Member, Role};

impl State {
    /// Adds a guild with the role and the member it cannot be without.
    pub(crate) fn add_guild(&mut self, mut guild: Guild) {
        if !guild.roles.iter().any(|role| role.id == guild.id) {
            let everyone = Role { id: guild.id, name: "@everyone".to_owned(), permissions: permission::MEMBER };
            guild.roles.insert(0, everyone);
        }
        let bot = self.application.id;
        if !guild.members.iter().any(|member| member.user == bot) {
            guild.members.push(Member { user: bot, roles: Vec::new(), nick: None });
        }
        for (position, channel) in guild.channels.iter().enumerate() {
            let channel = Channel::of_guild(guild.id, channel, position);
            self.channels.insert(channel.id, channel);
        }
        self.guilds.insert(guild.id, guild);
    }

    pub(crate) fn guild(&self, id: Id) -> Answered<&Guild> {
        self.guilds.get(&id).ok_or_else(Refusal::unknown_guild)
    }

    pub(crate) fn member(&self, guild: Id, user: Id) -> Option<&Member> {
        self.guilds.get(&guild)?.members.iter().find(|member| member.user == user)
    }

    /// Adds up what somebody may do in a channel or thread; in a direct message, everything one may do there.
    pub(crate) fn permissions(&self, user: Id, channel: Id) -> u64 {
        let Some(channel) = self.channels.get(&channel) else { return 0 };
        let Some(guild_id) = channel.guild else {
            return if channel.is_with(user, self.application.id) { permission::MEMBER } else { 0 };
        };
        // A thread has no overwrites of its own.
        let channel = channel.parent_of_thread().and_then(|parent| self.channels.get(&parent)).unwrap_or(channel);
        let (Some(guild), Some(member)) = (self.guilds.get(&guild_id), self.member(guild_id, user)) else { return 0 };
        let holder = Holder { user, guild: guild_id, is_owner: guild.owner == user, roles: &member.roles };
        permission::in_channel(&holder, &guild.roles, &channel.overwrites)
    }

    /// Writes a member as Discord does, without the user.
    pub(crate) fn member_json(&self, guild: Id, user: Id) -> Option<Value> {
        let member = self.member(guild, user)?;
        Some(json!({
            "nick": member.nick, "avatar": null, "banner": null, "roles": member.roles, "joined_at": timestamp(self.joined_ms),
            "premium_since": null, "deaf": false, "mute": false, "flags": 0, "pending": false,
            "communication_disabled_until": null, "unusual_dm_activity_until": null,
            "avatar_decoration_data": null, "collectibles": null,
        }))
    }

    /// Writes a member with the user inside.
    pub(crate) fn full_member_json(&self, guild: Id, user: Id) -> Option<Value> {
        let mut member = self.member_json(guild, user)?;
        set(&mut member, "user", self.user_json(user));
        Some(member)
    }

    /// Writes a guild as the event `GUILD_CREATE` does.
    pub(crate) fn guild_create_json(&self, guild: &Guild) -> Value {
        let mut event = guild_json(guild);
        let of_guild = |wanted: bool| -> Vec<Value> {
            self.channels
                .values()
                .filter(|channel| channel.guild == Some(guild.id) && channel.thread.is_some() == wanted)
                .filter(|channel| channel.thread.as_ref().is_none_or(|thread| !thread.archived))
                .map(|channel| self.channel_json(channel))
                .collect()
        };
        // Without the members intent only the bot itself is listed.
        let members: Vec<Value> = self.full_member_json(guild.id, self.application.id).into_iter().collect();
        let extra = json!({
            "joined_at": timestamp(self.joined_ms), "large": false, "unavailable": false,
            "member_count": guild.members.len(), "voice_states": [], "members": members, "channels": of_guild(false),
            "threads": of_guild(true), "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "version": self.now_ms(), "lazy": true, "application_command_counts": {}, "geo_restricted": false,
        });
        if let Value::Object(extra) = extra {
            for (key, value) in extra {
                set(&mut event, &key, value);
            }
        }
        event
    }
}

/// Writes a role as Discord does.
pub(crate) fn role_json(guild: &Guild, role: &Role) -> Value {
    let position = guild.roles.iter().position(|other| other.id == role.id).unwrap_or(0);
    json!({
        "id": role.id, "name": role.name, "permissions": role.permissions.to_string(), "position": position,
        "color": 0, "colors": {"primary_color": 0, "secondary_color": null, "tertiary_color": null},
        "hoist": false, "managed": false, "mentionable": false, "icon": null, "unicode_emoji": null, "flags": 0,
        "description": null,
    })
}

/// Writes a guild as `guilds/{id}` does.
pub(crate) fn guild_json(guild: &Guild) -> Value {
    let roles: Vec<Value> = guild.roles.iter().map(|role| role_json(guild, role)).collect();
    json!({
        "id": guild.id, "name": guild.name, "icon": null, "icon_hash": null, "splash": null,
        "discovery_splash": null, "owner_id": guild.owner, "region": "deprecated", "afk_channel_id": null,
        "afk_timeout": 300, "widget_enabled": false, "widget_channel_id": null, "verification_level": 0,
        "default_message_notifications": 0, "explicit_content_filter": 0, "roles": roles, "emojis": [],
        "features": [], "mfa_level": 0, "application_id": null, "system_channel_id": null,
        "system_channel_flags": 0, "rules_channel_id": null, "max_presences": null, "max_members": 500_000,
        "vanity_url_code": null, "description": null, "banner": null, "premium_tier": 0,
        "premium_subscription_count": 0, "preferred_locale": "en-US", "public_updates_channel_id": null,
        "max_video_channel_users": 25, "max_stage_video_channel_users": 50, "nsfw_level": 0, "nsfw": false,
        "stickers": [], "premium_progress_bar_enabled": false, "safety_alerts_channel_id": null,
        "incidents_data": null,
    })
}
