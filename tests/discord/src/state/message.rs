//! Messages: how they are kept, who they ping, and what a bot is shown of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{State, set, timestamp};
use crate::draft::Draft;
use crate::id::Id;
use crate::permission;

/// A message only its reader sees.
pub(crate) const EPHEMERAL: u64 = 1 << 6;
/// "is thinking...".
pub(crate) const LOADING: u64 = 1 << 7;
/// The message has a thread.
pub(crate) const HAS_THREAD: u64 = 1 << 5;
/// Components of the second version.
pub(crate) const COMPONENTS_V2: u64 = 1 << 15;
/// Flags a bot may set itself: suppress embeds, ephemeral, suppress notifications, components.
pub(crate) const SETTABLE: u64 = (1 << 2) | EPHEMERAL | (1 << 12) | COMPONENTS_V2;
/// How long a nonce is remembered.
const NONCE_MS: u64 = 5 * 60_000;

#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: Id,
    pub(crate) channel: Id,
    pub(crate) author: Id,
    pub(crate) kind: u8,
    pub(crate) content: String,
    pub(crate) embeds: Vec<Value>,
    pub(crate) components: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) flags: u64,
    pub(crate) nonce: Option<Value>,
    pub(crate) reference: Option<Id>,
    pub(crate) pings: Pings,
    pub(crate) edited_ms: Option<u64>,
    /// When this was edited although older than an hour.
    pub(crate) late_edits: Vec<u64>,
    /// What the message said before each edit.
    pub(crate) before: Vec<String>,
    /// The interaction this answers, as `interaction_metadata`.
    pub(crate) interaction: Option<Value>,
    /// The only reader of an ephemeral message.
    pub(crate) reader: Option<Id>,
    pub(crate) reactions: BTreeMap<String, BTreeSet<Id>>,
    pub(crate) deleted: bool,
}

/// Who a message notified.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pings {
    pub(crate) users: Vec<Id>,
    pub(crate) roles: Vec<Id>,
    pub(crate) everyone: bool,
}

/// What a new message is besides its draft.
pub(crate) struct Origin {
    pub(crate) author: Id,
    pub(crate) channel: Id,
    pub(crate) kind: u8,
    pub(crate) interaction: Option<Value>,
    pub(crate) reader: Option<Id>,
}

impl State {
    /// Keeps a new message and tells the bot of it, unless only its reader may know.
    pub(crate) fn add_message(&mut self, origin: Origin, draft: Draft) -> Id {
        let id = self.new_id();
        let attachments = self.keep_files(origin.channel, draft.files, draft.described.as_deref());
        let content = draft.content.unwrap_or_default();
        let mut pings = self.pings(origin.author, origin.channel, &content, draft.allowed_mentions.as_ref());
        pings.users.extend(draft.also_pings.filter(|user| !pings.users.contains(user)));
        let ephemeral = if origin.reader.is_some() { EPHEMERAL } else { 0 };
        let message = Message {
            id,
            channel: origin.channel,
            author: origin.author,
            kind: origin.kind,
            content,
            embeds: draft.embeds.unwrap_or_default(),
            components: draft.components.unwrap_or_default(),
            attachments,
            flags: (draft.flags.unwrap_or(0) & !EPHEMERAL) | ephemeral,
            nonce: draft.nonce,
            reference: draft.reference,
            pings,
            edited_ms: None,
            late_edits: Vec::new(),
            before: Vec::new(),
            interaction: origin.interaction,
            reader: origin.reader,
            reactions: BTreeMap::new(),
            deleted: false,
        };
        let is_hidden = message.reader.is_some();
        self.messages.insert(id, message);
        if !is_hidden {
            self.count_message(origin.channel, origin.author, id);
            self.emit_message("MESSAGE_CREATE", id);
        }
        id
    }

    fn count_message(&mut self, channel: Id, author: Id, id: Id) {
        let now = self.now_ms();
        let mut woken = false;
        if let Some(channel) = self.channels.get_mut(&channel) {
            channel.last_message = Some(id);
            if let Some(thread) = &mut channel.thread {
                thread.messages += 1;
                thread.members.insert(author);
                woken = std::mem::replace(&mut thread.archived, false);
                if woken {
                    thread.archive_changed_ms = now;
                }
            }
        }
        if woken {
            self.emit_thread("THREAD_UPDATE", channel);
        }
    }

    /// Changes a message as an edit does and tells the bot of it.
    pub(crate) fn edit_message(&mut self, id: Id, draft: Draft) {
        let Some(message) = self.messages.get(&id) else { return };
        let (author, channel) = (message.author, message.channel);
        let mut attachments = message.attachments.clone();
        if let Some(kept) = &draft.described {
            attachments.retain(|old| kept.iter().any(|new| new.get("id") == old.get("id")));
        }
        attachments.extend(self.keep_files(channel, draft.files, draft.described.as_deref()));
        let pings =
            draft.content.as_ref().map(|content| self.pings(author, channel, content, draft.allowed_mentions.as_ref()));
        let now = self.now_ms();
        let Some(message) = self.messages.get_mut(&id) else { return };
        message.attachments = attachments;
        if let (Some(content), Some(pings)) = (draft.content, pings) {
            message.before.push(std::mem::replace(&mut message.content, content));
            message.pings = pings;
        }
        if let Some(embeds) = draft.embeds {
            message.embeds = embeds;
        }
        if let Some(components) = draft.components {
            message.components = components;
        }
        if let Some(flags) = draft.flags {
            message.flags = (message.flags & !(1 << 2)) | (flags & ((1 << 2) | COMPONENTS_V2));
        }
        let was_loading = message.flags & LOADING != 0;
        message.flags &= !LOADING;
        if !was_loading {
            message.edited_ms = Some(now);
        }
        if message.reader.is_none() {
            self.emit_message("MESSAGE_UPDATE", id);
        }
    }

    /// Takes a message away.
    pub(crate) fn delete_message(&mut self, id: Id) {
        let Some(message) = self.messages.get_mut(&id) else { return };
        message.deleted = true;
        let (channel, hidden) = (message.channel, message.reader.is_some());
        if hidden {
            return;
        }
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let mut event = json!({"id": id, "channel_id": channel});
        if let Some(guild) = guild {
            set(&mut event, "guild_id", json!(guild));
        }
        self.emit_in_channel("MESSAGE_DELETE", channel, &event);
    }

    /// Finds a message of a channel that still exists.
    pub(crate) fn message(&self, channel: Id, id: Id) -> Option<&Message> {
        self.messages.get(&id).filter(|message| message.channel == channel && !message.deleted)
    }

    /// Finds what was posted already with this nonce.
    pub(crate) fn with_nonce(&self, channel: Id, author: Id, nonce: &Value) -> Option<Id> {
        let since = self.now_ms().saturating_sub(NONCE_MS);
        self.messages
            .values()
            .filter(|message| message.channel == channel && message.author == author && !message.deleted)
            .filter(|message| message.id.created_ms() >= since)
            .find(|message| message.nonce.as_ref() == Some(nonce))
            .map(|message| message.id)
    }

    fn keep_files(&mut self, channel: Id, files: Vec<crate::draft::File>, described: Option<&[Value]>) -> Vec<Value> {
        let mut kept = Vec::new();
        for file in files {
            let id = self.new_id();
            let about = described
                .unwrap_or_default()
                .iter()
                .find(|about| crate::validate::number(about, "id") == Some(file.number))
                .cloned()
                .unwrap_or_default();
            let name = about.get("filename").and_then(Value::as_str).unwrap_or(&file.name).to_owned();
            let url = format!("{}/attachments/{channel}/{id}/{name}", self.origin);
            let mut attachment = json!({
                "id": id, "filename": name, "size": file.bytes.len(), "url": url, "proxy_url": url,
                "content_type": file.content_type, "content_scan_version": 0, "placeholder": null,
            });
            if let Some(description) = about.get("description").filter(|text| text.is_string()) {
                set(&mut attachment, "description", description.clone());
            }
            self.files.insert(id, file.bytes);
            kept.push(attachment);
        }
        kept
    }

    /// Finds who a text notifies: those it names, that the author may ping, and that the sender allowed.
    fn pings(&self, author: Id, channel: Id, content: &str, allowed: Option<&Value>) -> Pings {
        let named = |mark: &str| -> Vec<Id> { mentions(content, mark) };
        let parse = |kind: &str| match allowed.filter(|allowed| !allowed.is_null()) {
            None => true,
            Some(allowed) => crate::validate::list(allowed, "parse").iter().any(|parsed| parsed == kind),
        };
        let listed = |kind: &str, id: Id| {
            allowed.is_some_and(|allowed| {
                crate::validate::list(allowed, kind).iter().any(|one| one.as_str() == Some(&id.to_string()))
            })
        };
        let may_all = self.permissions(author, channel) & permission::MENTION_EVERYONE != 0;
        let mut users = named("@");
        users.extend(named("@!"));
        users.retain(|user| parse("users") || listed("users", *user));
        users.retain(|user| self.users.contains_key(user) || *user == self.application.id);
        users.dedup();
        let mut roles = named("@&");
        roles.retain(|role| may_all && (parse("roles") || listed("roles", *role)));
        let everyone = (content.contains("@everyone") || content.contains("@here")) && may_all && parse("everyone");
        Pings { users, roles, everyone }
    }

    /// Says whether a bot without the message content intent reads this message.
    fn is_open_to_bot(&self, message: &Message) -> bool {
        let bot = self.application.id;
        let direct = self.channels.get(&message.channel).is_some_and(super::Channel::is_direct);
        message.author == bot || direct || message.pings.users.contains(&bot)
    }

    /// Writes a message as the bot gets it; `content_granted` by the privileged intent.
    pub(crate) fn message_for_bot(&self, message: &Message, content_granted: bool) -> Value {
        let mut json = self.message_json(message);
        if content_granted || self.is_open_to_bot(message) {
            return json;
        }
        set(&mut json, "content", json!(""));
        for key in ["embeds", "attachments", "components"] {
            set(&mut json, key, json!([]));
        }
        json
    }

    /// Writes a whole message as Discord does.
    pub(crate) fn message_json(&self, message: &Message) -> Value {
        let mentions: Vec<Value> = message.pings.users.iter().map(|user| self.user_json(*user)).collect();
        let mut json = json!({
            "id": message.id, "channel_id": message.channel, "type": message.kind, "content": message.content,
            "author": self.user_json(message.author), "timestamp": timestamp(message.id.created_ms()),
            "edited_timestamp": message.edited_ms.map(timestamp), "tts": false, "pinned": false,
            "mention_everyone": message.pings.everyone, "mentions": mentions, "mention_roles": message.pings.roles,
            "attachments": message.attachments, "embeds": message.embeds, "components": message.components,
            "flags": message.flags,
        });
        if let Some(nonce) = &message.nonce {
            set(&mut json, "nonce", nonce.clone());
        }
        if !message.reactions.is_empty() {
            set(&mut json, "reactions", self.reactions_json(message));
        }
        if message.interaction.is_some() || message.kind == 20 {
            let id = json!(self.application.id);
            set(&mut json, "webhook_id", id.clone());
            set(&mut json, "application_id", id);
        }
        if let Some(metadata) = &message.interaction {
            set(&mut json, "interaction_metadata", metadata.clone());
        }
        if let Some(reference) = message.reference {
            self.add_reference(&mut json, message, reference);
        }
        let thread = self.channels.get(&message.id).filter(|channel| channel.thread.is_some());
        if let Some(thread) = thread {
            set(&mut json, "thread", self.channel_json(thread));
        }
        json
    }

    fn add_reference(&self, json: &mut Value, message: &Message, reference: Id) {
        let guild = self.channels.get(&message.channel).and_then(|channel| channel.guild);
        let mut about = json!({"type": 0, "channel_id": message.channel, "message_id": reference});
        if let Some(guild) = guild {
            set(&mut about, "guild_id", json!(guild));
        }
        set(json, "message_reference", about);
        let referenced = self.message(message.channel, reference).filter(|message| message.reference.is_none());
        let referenced = referenced.map_or(Value::Null, |referenced| self.message_for_bot(referenced, false));
        set(json, "referenced_message", referenced);
    }

    fn reactions_json(&self, message: &Message) -> Value {
        let bot = self.application.id;
        let reactions = message.reactions.iter().map(|(emoji, users)| {
            json!({
                "emoji": emoji_json(emoji), "count": users.len(), "me": users.contains(&bot), "me_burst": false,
                "count_details": {"burst": 0, "normal": users.len()}, "burst_colors": [], "burst_me": false,
                "burst_count": 0,
            })
        });
        Value::Array(reactions.collect())
    }
}

/// Writes an emoji as Discord does: `name` or `name:id`.
pub(crate) fn emoji_json(emoji: &str) -> Value {
    match emoji.rsplit_once(':') {
        Some((name, id)) if id.parse::<u64>().is_ok() => json!({"id": id, "name": name}),
        _ => json!({"id": null, "name": emoji}),
    }
}

/// The ids between `<` + mark and `>`.
fn mentions(content: &str, mark: &str) -> Vec<Id> {
    let open = format!("<{mark}");
    content
        .split(open.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once('>'))
        .filter_map(|(id, _)| id.parse().ok())
        .collect()
}
