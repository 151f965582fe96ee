//! Messages: stored, shown as JSON, and told to the app that subscribed to them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::state::State;
use crate::state::socket::{Awaits, EnvelopeKind};

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Author {
    User(String),
    App,
    Slackbot,
}

/// What a message says.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Content {
    pub(crate) text: String,
    pub(crate) blocks: Vec<Value>,
    pub(crate) attachments: Vec<Value>,
    pub(crate) metadata: Option<Value>,
}

/// A message.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) channel: String,
    pub(crate) ts: String,
    pub(crate) thread: Option<String>,
    pub(crate) author: Author,
    pub(crate) content: Content,
    pub(crate) files: Vec<String>,
    pub(crate) subtype: Option<&'static str>,
    pub(crate) edits: u32,
    pub(crate) edited: Option<String>,
    /// The only person who sees it.
    pub(crate) only_for: Option<String>,
    pub(crate) broadcast: bool,
    /// Names of emoji, and who reacted.
    pub(crate) reactions: BTreeMap<String, Vec<String>>,
    /// What was chosen in its menus: by block and action.
    pub(crate) chosen: BTreeMap<(String, String), Value>,
    /// What was in it before it was edited.
    pub(crate) before: Vec<Content>,
}

/// A message that is about to be posted.
pub(crate) struct Draft {
    pub(crate) channel: String,
    pub(crate) thread: Option<String>,
    pub(crate) author: Author,
    pub(crate) content: Content,
    pub(crate) only_for: Option<String>,
    pub(crate) broadcast: bool,
    pub(crate) files: Vec<String>,
}

impl Draft {
    pub(crate) fn new(channel: &str, author: Author, content: Content) -> Self {
        Self {
            channel: channel.to_owned(),
            thread: None,
            author,
            content,
            only_for: None,
            broadcast: false,
            files: Vec::new(),
        }
    }

    pub(crate) fn in_thread(mut self, thread: Option<String>) -> Self {
        self.thread = thread;
        self
    }

    pub(crate) fn only_for(mut self, user: &str) -> Self {
        self.only_for = Some(user.to_owned());
        self
    }
}

impl State {
    /// Posts a message and tells the app about it where it subscribed.
    pub(crate) fn post(&mut self, draft: Draft) -> String {
        let ts = self.clock.stamp();
        let Draft { channel, thread, author, mut content, only_for, broadcast, files } = draft;
        self.name_blocks(&mut content);
        let subtype = match &author {
            _ if broadcast => Some("thread_broadcast"),
            Author::User(_) if !files.is_empty() => Some("file_share"),
            _ => None,
        };
        let message = Message {
            channel: channel.clone(),
            ts: ts.clone(),
            thread,
            author,
            content,
            files,
            subtype,
            edits: 0,
            edited: None,
            only_for,
            broadcast,
            reactions: BTreeMap::new(),
            chosen: BTreeMap::new(),
            before: Vec::new(),
        };
        let visible = message.only_for.is_none();
        self.messages.insert((channel.clone(), ts.clone()), message);
        if visible {
            let event = self.message_event(&channel, &ts);
            self.tell_of_message(&channel, event);
        }
        ts
    }

    /// Replaces what a message says.
    pub(crate) fn edit(&mut self, channel: &str, ts: &str, mut content: Content) {
        self.name_blocks(&mut content);
        let stamp = self.clock.stamp();
        let previous = self.message_json(channel, ts);
        let Some(message) = self.message_mut(channel, ts) else {
            return;
        };
        let before = std::mem::replace(&mut message.content, content);
        message.before.push(before);
        message.edits += 1;
        message.edited = Some(stamp.clone());
        if message.only_for.is_some() {
            return;
        }
        let current = self.message_json(channel, ts);
        let event = json!({
            "type": "message", "subtype": "message_changed", "hidden": true, "channel": channel, "ts": stamp,
            "event_ts": stamp, "message": current, "previous_message": previous,
        });
        self.tell_of_message(channel, event);
    }

    /// Takes a message away.
    pub(crate) fn delete(&mut self, channel: &str, ts: &str) {
        let previous = self.message_json(channel, ts);
        let has_replies = !self.replies(channel, ts).is_empty();
        let key = (channel.to_owned(), ts.to_owned());
        let Some(mut message) = self.messages.remove(&key) else {
            return;
        };
        if message.only_for.is_some() {
            return;
        }
        if has_replies {
            // Its replies keep a place to hang on.
            message.author = Author::Slackbot;
            message.subtype = Some("tombstone");
            message.content = Content { text: "This message was deleted.".to_owned(), ..Content::default() };
            self.messages.insert(key, message);
        }
        let stamp = self.clock.stamp();
        let event = json!({
            "type": "message", "subtype": "message_deleted", "hidden": true, "channel": channel, "ts": stamp,
            "event_ts": stamp, "deleted_ts": ts, "previous_message": previous,
        });
        self.tell_of_message(channel, event);
    }

    pub(crate) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.get(&(channel.to_owned(), ts.to_owned()))
    }

    pub(crate) fn message_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.get_mut(&(channel.to_owned(), ts.to_owned()))
    }

    /// The messages of a channel in their order, those of threads too, without ephemeral ones.
    pub(crate) fn visible(&self, channel: &str) -> impl DoubleEndedIterator<Item = &Message> {
        let from = (channel.to_owned(), String::new());
        let to = (channel.to_owned(), "~".to_owned());
        self.messages.range(from..to).map(|(_, message)| message).filter(|message| message.only_for.is_none())
    }

    /// The replies to a message, in their order.
    pub(crate) fn replies(&self, channel: &str, thread: &str) -> Vec<&Message> {
        self.visible(channel).filter(|message| message.thread.as_deref() == Some(thread)).collect()
    }

    /// A message as the Web API and events show it; null where there is none.
    pub(crate) fn message_json(&self, channel: &str, ts: &str) -> Value {
        let Some(message) = self.message(channel, ts) else {
            return Value::Null;
        };
        let mut json = Map::new();
        json.insert("type".into(), "message".into());
        if let Some(subtype) = message.subtype {
            json.insert("subtype".into(), subtype.into());
        }
        self.describe_author(message, &mut json);
        json.insert("text".into(), message.content.text.clone().into());
        json.insert("ts".into(), message.ts.clone().into());
        json.insert("team".into(), self.world.team.id.clone().into());
        for (key, values) in [("blocks", &message.content.blocks), ("attachments", &message.content.attachments)] {
            if !values.is_empty() {
                json.insert(key.into(), values.clone().into());
            }
        }
        if let Some(metadata) = &message.content.metadata {
            json.insert("metadata".into(), metadata.clone());
        }
        if let Some(stamp) = &message.edited {
            json.insert("edited".into(), json!({ "user": self.author_id(&message.author), "ts": stamp }));
        }
        if !message.files.is_empty() {
            let files: Vec<_> = message.files.iter().filter_map(|id| self.file_json(id)).collect();
            json.insert("files".into(), files.into());
        }
        if !message.reactions.is_empty() {
            let reactions: Vec<_> = message
                .reactions
                .iter()
                .map(|(name, users)| json!({ "name": name, "users": users, "count": users.len() }))
                .collect();
            json.insert("reactions".into(), reactions.into());
        }
        self.describe_thread(message, &mut json);
        Value::Object(json)
    }

    fn describe_author(&self, message: &Message, json: &mut Map<String, Value>) {
        json.insert("user".into(), self.author_id(&message.author).into());
        if message.author != Author::App {
            return;
        }
        let app = &self.world.app;
        json.insert("bot_id".into(), app.bot_id.clone().into());
        json.insert("app_id".into(), app.id.clone().into());
        let profile = json!({
            "id": app.bot_id, "app_id": app.id, "user_id": app.bot_user, "name": app.name, "deleted": false,
            "updated": self.clock.seconds(), "team_id": self.world.team.id,
            "icons": { "image_36": "https://a.slack-edge.com/36.png", "image_48": "https://a.slack-edge.com/48.png" },
        });
        json.insert("bot_profile".into(), profile);
    }

    fn describe_thread(&self, message: &Message, json: &mut Map<String, Value>) {
        if let Some(thread) = &message.thread {
            json.insert("thread_ts".into(), thread.clone().into());
            if let Some(parent) = self.message(&message.channel, thread) {
                json.insert("parent_user_id".into(), self.author_id(&parent.author).into());
            }
            return;
        }
        let replies = self.replies(&message.channel, &message.ts);
        let Some(latest) = replies.last() else {
            return;
        };
        let mut users: Vec<String> = replies.iter().map(|reply| self.author_id(&reply.author)).collect();
        users.sort();
        users.dedup();
        json.insert("thread_ts".into(), message.ts.clone().into());
        json.insert("reply_count".into(), replies.len().into());
        json.insert("reply_users_count".into(), users.len().into());
        json.insert("latest_reply".into(), latest.ts.clone().into());
        json.insert("reply_users".into(), users.into());
        json.insert("is_locked".into(), false.into());
        json.insert("subscribed".into(), false.into());
    }

    pub(crate) fn author_id(&self, author: &Author) -> String {
        match author {
            Author::User(id) => id.clone(),
            Author::App => self.world.app.bot_user.clone(),
            Author::Slackbot => "USLACKBOT".to_owned(),
        }
    }

    fn message_event(&self, channel: &str, ts: &str) -> Value {
        let mut event = self.message_json(channel, ts);
        if let Some(fields) = event.as_object_mut() {
            fields.insert("channel".into(), channel.into());
            fields.insert("event_ts".into(), ts.into());
        }
        event
    }

    /// Sends a `message` event where the app subscribed to such channels and is in this one, and an `app_mention` where
    /// it was mentioned.
    fn tell_of_message(&mut self, channel: &str, mut event: Value) {
        let bot = self.bot_user();
        let Some(place) = self.channel(channel).filter(|place| place.members.contains(&bot)) else {
            return;
        };
        let kind = place.kind;
        let mentioned =
            event.get("subtype").is_none_or(|subtype| subtype == "thread_broadcast" || subtype == "file_share")
                && event.get("bot_id").is_none()
                && event.get("text").and_then(Value::as_str).is_some_and(|text| text.contains(&format!("<@{bot}>")));
        if mentioned && kind != crate::world::ChannelKind::Im && self.subscribed("app_mention") {
            let mut mention = event.clone();
            if let Some(fields) = mention.as_object_mut() {
                fields.insert("type".into(), "app_mention".into());
                fields.remove("parent_user_id");
            }
            self.send_event(&mention);
        }
        if self.subscribed(kind.subscription()) {
            if let Some(fields) = event.as_object_mut() {
                fields.insert("channel_type".into(), kind.event_name().into());
            }
            self.send_event(&event);
        }
    }

    pub(crate) fn subscribed(&self, event: &str) -> bool {
        self.world.app.events.iter().any(|one| one == event)
    }

    /// Sends an event of the Events API.
    pub(crate) fn send_event(&mut self, event: &Value) -> String {
        let event_id = self.id("Ev");
        let payload = json!({
            "token": "verification", "team_id": self.world.team.id, "context_team_id": self.world.team.id,
            "api_app_id": self.world.app.id, "event": event, "type": "event_callback", "event_id": event_id,
            "event_time": self.clock.seconds(), "is_ext_shared_channel": false,
            "event_context": format!("4-{event_id}"),
            "authorizations": [{
                "enterprise_id": null, "team_id": self.world.team.id, "user_id": self.world.app.bot_user, "is_bot": true,
                "is_enterprise_install": false,
            }],
        });
        self.send_envelope(EnvelopeKind::EventsApi, payload, Awaits::Nothing)
    }

    /// Gives the blocks and elements ids that have none, as Slack does.
    fn name_blocks(&mut self, content: &mut Content) {
        let attached = content.attachments.iter_mut().filter_map(|one| one.get_mut("blocks")?.as_array_mut()).flatten();
        for block in content.blocks.iter_mut().chain(attached) {
            self.counter += 1;
            crate::blocks::name(block, self.counter);
        }
    }
}
