//! Interactions as the bot gets them.

use serde_json::{Value, json};

use crate::id::Id;
use crate::state::interaction::{COMMAND, COMPONENT, Interaction, MODAL, owners};
use crate::state::{State, set};
use crate::validate::text;

/// What starts an interaction.
pub(crate) struct Starting {
    pub(crate) kind: u8,
    pub(crate) by: Id,
    pub(crate) channel: Id,
    pub(crate) data: Value,
    /// The message with the component.
    pub(crate) source: Option<Id>,
    pub(crate) message_kind: u8,
    /// The name of the command.
    pub(crate) name: String,
    /// What opened the modal.
    pub(crate) trigger: Option<Value>,
}

impl State {
    /// Starts an interaction and sends it to the bot.
    pub(crate) fn start(&mut self, starting: &Starting) -> Id {
        let id = self.new_id();
        let token = format!("aW50ZXJhY3Rpb246{}", self.new_secret(200));
        let guild = self.channels.get(&starting.channel).and_then(|channel| channel.guild);
        let payload = self.payload(id, &token, guild, starting);
        let metadata = self.metadata(id, guild, starting);
        let Starting { kind, by, channel, source, message_kind, .. } = *starting;
        let delivered = self.emit("INTERACTION_CREATE", guild, 0, &|_| payload.clone());
        let interaction = Interaction {
            id,
            token,
            kind,
            user: by,
            channel,
            source,
            message_kind,
            metadata,
            delivered,
            answered: None,
            original: None,
            followups: Vec::new(),
            modal: None,
            modal_submitted: false,
            choices: None,
        };
        self.interactions.insert(id, interaction);
        id
    }

    fn payload(&self, id: Id, token: &str, guild: Option<Id>, starting: &Starting) -> Value {
        let by = starting.by;
        let locale = self.users.get(&by).map_or("en-US", |user| user.locale.as_str());
        let bot_bits = self.permissions(self.application.id, starting.channel);
        let mut payload = json!({
            "version": 1, "type": starting.kind, "id": id, "application_id": self.application.id, "token": token,
            "channel_id": starting.channel, "data": starting.data, "locale": locale,
            "app_permissions": bot_bits.to_string(), "attachment_size_limit": self.limits.attachment_bytes,
            "authorizing_integration_owners": owners(guild), "context": i32::from(guild.is_none()),
            "entitlements": [], "entitlement_sku_ids": [],
        });
        if let Some(channel) = self.channels.get(&starting.channel) {
            set(&mut payload, "channel", self.interaction_channel_json(channel, by));
        }
        match guild {
            Some(guild) => {
                let mut member = self.full_member_json(guild, by).unwrap_or_default();
                set(&mut member, "permissions", json!(self.permissions(by, starting.channel).to_string()));
                set(&mut payload, "member", member);
                set(&mut payload, "guild_id", json!(guild));
                set(&mut payload, "guild_locale", json!("en-US"));
                set(&mut payload, "guild", json!({"id": guild, "locale": "en-US", "features": []}));
            }
            None => set(&mut payload, "user", self.user_json(by)),
        }
        let source = starting.source.and_then(|source| self.messages.get(&source));
        if let Some(source) = source {
            set(&mut payload, "message", self.message_json(source));
        }
        payload
    }

    /// What answers say about their interaction.
    fn metadata(&self, id: Id, guild: Option<Id>, starting: &Starting) -> Value {
        let mut metadata = json!({
            "id": id, "type": starting.kind, "user": self.user_json(starting.by),
            "authorizing_integration_owners": owners(guild),
        });
        match starting.kind {
            COMMAND => {
                set(&mut metadata, "name", json!(starting.name));
                set(&mut metadata, "command_type", json!(if starting.message_kind == 23 { 3 } else { 1 }));
                if let Some(target) = starting.data.get("target_id") {
                    set(&mut metadata, "target_message_id", target.clone());
                }
            }
            COMPONENT => set(&mut metadata, "interacted_message_id", json!(starting.source)),
            MODAL => {
                let trigger = starting.trigger.clone().unwrap_or_default();
                debug_assert!(!text(&trigger, "id").is_empty(), "a modal is opened by something");
                set(&mut metadata, "triggering_interaction_metadata", trigger);
            }
            _ => {}
        }
        metadata
    }
}
