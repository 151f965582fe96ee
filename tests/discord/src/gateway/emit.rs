//! Events: which session gets which, and what happens to them on the way.

use serde_json::{Value, json};

use super::intent;
use crate::id::Id;
use crate::state::{State, set};

impl State {
    /// Sends an event to every session with one of the intents (0 for all) that has the guild.
    pub(crate) fn emit(&mut self, name: &str, guild: Option<Id>, intents: u64, data: &dyn Fn(u64) -> Value) -> bool {
        let now = self.now_ms();
        self.sessions.forget_lost(now, self.limits.resume_window_ms);
        let mut reached = Vec::new();
        for (id, session) in &self.sessions.by_id {
            if session.has(guild) && (intents == 0 || session.intents & intents != 0) {
                reached.push((id.clone(), data(session.intents)));
            }
        }
        let is_reached = !reached.is_empty();
        for (id, data) in reached {
            self.faulty_push(&id, name, data);
        }
        is_reached
    }

    fn faulty_push(&mut self, session: &str, name: &str, data: Value) {
        let now = self.now_ms();
        let passed = self.faults.events.pass(now, session, name, data);
        let Some(session) = self.sessions.by_id.get_mut(session) else { return };
        for (name, data) in passed {
            session.push(&name, &data);
        }
    }

    /// Sends what was held back and is due; says when the next is, in milliseconds from now.
    pub(crate) fn release_events(&mut self) -> Option<u64> {
        let now = self.now_ms();
        for (session, name, data) in self.faults.events.due(now) {
            if let Some(session) = self.sessions.by_id.get_mut(&session) {
                session.push(&name, &data);
            }
        }
        self.faults.events.next_due().map(|due| due.saturating_sub(now))
    }

    /// Sends an event about a channel: the intents by its name, and for guilds or for direct messages.
    pub(crate) fn emit_in_channel(&mut self, name: &str, channel: Id, data: &Value) -> bool {
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let intents = match (name.split('_').next(), guild.is_some()) {
            _ if name.starts_with("MESSAGE_REACTION") => {
                if guild.is_some() {
                    intent::REACTIONS
                } else {
                    intent::DIRECT_REACTIONS
                }
            }
            (Some("TYPING"), true) => intent::TYPING,
            (Some("TYPING"), false) => intent::DIRECT_TYPING,
            (Some("MESSAGE"), true) => intent::MESSAGES,
            (Some("MESSAGE"), false) => intent::DIRECT_MESSAGES,
            _ => intent::GUILDS,
        };
        if guild.is_some() && self.permissions(self.application.id, channel) & crate::permission::VIEW_CHANNEL == 0 {
            return false;
        }
        self.emit(name, guild, intents, &|_| data.clone())
    }

    /// Sends a message, with its content only where the bot may read it.
    pub(crate) fn emit_message(&mut self, name: &str, id: Id) {
        let Some(message) = self.messages.get(&id) else { return };
        let Some(channel) = self.channels.get(&message.channel) else { return };
        let (guild, bot) = (channel.guild, self.application.id);
        if guild.is_some() && self.permissions(bot, channel.id) & crate::permission::VIEW_CHANNEL == 0 {
            return;
        }
        let event = |content_granted: bool| {
            let mut json = self.message_for_bot(message, content_granted);
            set(&mut json, "channel_type", json!(channel.kind));
            if let Some(guild) = guild {
                set(&mut json, "guild_id", json!(guild));
                if let Some(member) = self.member_json(guild, message.author) {
                    set(&mut json, "member", member);
                }
            }
            json
        };
        let (open, closed) = (event(true), event(false));
        let granted = self.application.message_content;
        let intents = if guild.is_some() { intent::MESSAGES } else { intent::DIRECT_MESSAGES };
        self.emit(name, guild, intents, &|intents| {
            if granted && intents & intent::MESSAGE_CONTENT != 0 { open.clone() } else { closed.clone() }
        });
    }

    /// Sends an event about a thread.
    pub(crate) fn emit_thread(&mut self, name: &str, id: Id) {
        let Some(thread) = self.channels.get(&id) else { return };
        let guild = thread.guild;
        let mut data = match name {
            "THREAD_DELETE" => {
                json!({"id": id, "guild_id": guild, "parent_id": thread.parent, "type": thread.kind})
            }
            _ => self.channel_json(thread),
        };
        if name == "THREAD_CREATE" {
            set(&mut data, "newly_created", json!(true));
        }
        self.emit_in_channel(name, id, &data);
    }
}
