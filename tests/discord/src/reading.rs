//! Reading back: what a person would see, and what the bot did to get there.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use crate::gateway::Happened;
use crate::id::Id;
use crate::permission::VIEW_CHANNEL;
use crate::state::State;
use crate::state::interaction::Interaction;
use crate::state::message::{LOADING, Message, Pings};
use crate::validate::component::{BUTTON, each, is_select};
use crate::validate::{flag, list, number, text};

/// A call of the REST API.
#[derive(Clone, Debug, Serialize)]
pub struct Call {
    /// Counts from 1.
    pub number: u64,
    /// When it came, in milliseconds since 1970.
    pub at_ms: u64,
    /// How long it was worked on, in milliseconds.
    pub took_ms: u64,
    /// The method.
    pub method: String,
    /// The path below the version with placeholders, such as `/channels/{id}/messages`.
    pub route: String,
    /// The path below the version.
    pub path: String,
    /// The query.
    pub query: BTreeMap<String, String>,
    /// The JSON, `null` for none.
    pub body: Value,
    /// The names of the files.
    pub files: Vec<String>,
    /// The status that was answered.
    pub status: u16,
    /// The status before a fault changed it: says whether the call took effect; 0 when it was not handled.
    pub effect: u16,
    /// The JSON that was answered.
    pub answer: Value,
    /// What the client calls itself.
    pub user_agent: String,
}

/// A message as people see it.
#[derive(Clone, Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "what people see of a message is independent of each other")]
pub struct SeenMessage {
    /// The id.
    pub id: Id,
    /// The channel or thread.
    pub channel: Id,
    /// Who wrote it.
    pub author: Id,
    /// The text.
    pub content: String,
    /// The embeds as JSON.
    pub embeds: Vec<Value>,
    /// The rows of components as JSON.
    pub components: Vec<Value>,
    /// The buttons of all rows.
    pub buttons: Vec<SeenButton>,
    /// The selects of all rows.
    pub selects: Vec<SeenSelect>,
    /// The files.
    pub files: Vec<SeenFile>,
    /// Whether it says "is thinking...".
    pub is_thinking: bool,
    /// The only person who sees it.
    pub only_for: Option<Id>,
    /// Whether it says "(edited)".
    pub is_edited: bool,
    /// What it said before each edit, oldest first.
    pub before: Vec<String>,
    /// The message it replies to.
    pub replies_to: Option<Id>,
    /// The thread at it.
    pub thread: Option<Id>,
    /// The people it notified.
    pub pinged_users: Vec<Id>,
    /// The roles it notified.
    pub pinged_roles: Vec<Id>,
    /// Whether it notified everyone.
    pub pinged_everyone: bool,
    /// Reactions and how many.
    pub reactions: BTreeMap<String, usize>,
    /// When it was posted, in milliseconds since 1970.
    pub at_ms: u64,
    /// Whether it is gone.
    pub is_deleted: bool,
    /// The message as Discord writes it.
    pub json: Value,
}

impl SeenMessage {
    /// All text a person reads: content, embeds, labels of buttons; one piece a line.
    pub fn all_text(&self) -> String {
        let mut pieces = vec![self.content.clone()];
        for embed in &self.embeds {
            pieces.extend(["title", "description", "url"].iter().map(|key| text(embed, key).to_owned()));
            for field in list(embed, "fields") {
                pieces.push(format!("{}: {}", text(field, "name"), text(field, "value")));
            }
            pieces.extend(embed.get("footer").map(|footer| text(footer, "text").to_owned()));
            pieces.extend(embed.get("author").map(|author| text(author, "name").to_owned()));
        }
        pieces.extend(self.buttons.iter().map(|button| button.label.clone()));
        pieces.retain(|piece| !piece.is_empty());
        pieces.join("\n")
    }

    /// Finds a button by its label or its custom id.
    pub fn button(&self, wanted: &str) -> Option<&SeenButton> {
        self.buttons.iter().find(|button| button.label == wanted || button.custom_id.as_deref() == Some(wanted))
    }
}

/// A button as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct SeenButton {
    /// What it says.
    pub label: String,
    /// What the bot gets when it is pressed; none for links.
    pub custom_id: Option<String>,
    /// Where a link goes.
    pub url: Option<String>,
    /// 1 blurple, 2 grey, 3 green, 4 red, 5 link.
    pub style: u64,
    /// Whether it cannot be pressed.
    pub is_disabled: bool,
}

/// A select as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct SeenSelect {
    /// What the bot gets.
    pub custom_id: String,
    /// What it says while nothing is chosen.
    pub placeholder: String,
    /// Labels and values.
    pub options: Vec<(String, String)>,
}

/// A file as people see it.
#[derive(Clone, Debug, Serialize)]
pub struct SeenFile {
    /// The name.
    pub name: String,
    /// What is in it.
    #[serde(skip)]
    pub bytes: Vec<u8>,
    /// How much is in it, in bytes.
    pub size: usize,
}

/// An interaction and what became of it.
#[derive(Clone, Debug, Serialize)]
pub struct SeenInteraction {
    /// The id.
    pub id: Id,
    /// 2 command, 3 component, 4 autocomplete, 5 modal.
    pub kind: u8,
    /// Who it comes from.
    pub user: Id,
    /// The channel or thread.
    pub channel: Id,
    /// Whether a bot was connected, or could come back for it.
    pub was_delivered: bool,
    /// Milliseconds until the first answer.
    pub answered_after_ms: Option<u64>,
    /// The kind of the first answer: 4 message, 5 deferred, 6 deferred update, 7 update, 8 choices, 9 modal.
    pub answer: Option<u64>,
    /// Whether the person reads "The application did not respond".
    pub has_failed: bool,
    /// The message that answers it, deleted or not.
    pub original: Option<SeenMessage>,
    /// Further messages, deleted or not.
    pub followups: Vec<SeenMessage>,
    /// The modal it opened.
    pub modal: Option<Value>,
    /// Names and values of the choices it got.
    pub choices: Option<Vec<(String, Value)>>,
}

/// Looks at the state of a server; see [`DiscordServer::read`](crate::DiscordServer::read).
pub struct View<'a>(pub(crate) &'a State);

impl View<'_> {
    /// The time of the server, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.0.now_ms()
    }

    /// The messages of a channel or thread that everybody sees, oldest first.
    pub fn messages(&self, channel: Id) -> Vec<SeenMessage> {
        self.select(|message| message.channel == channel && message.reader.is_none() && !message.deleted)
    }

    /// The messages of a channel or thread as one person sees them: with those only for them; none without access.
    pub fn messages_for(&self, user: Id, channel: Id) -> Vec<SeenMessage> {
        if self.0.permissions(user, channel) & VIEW_CHANNEL == 0 {
            return Vec::new();
        }
        let sees = |message: &Message| message.reader.is_none_or(|reader| reader == user);
        self.select(|message| message.channel == channel && sees(message) && !message.deleted)
    }

    /// The messages only one person sees, oldest first.
    pub fn ephemerals(&self, user: Id) -> Vec<SeenMessage> {
        self.select(|message| message.reader == Some(user) && !message.deleted)
    }

    /// Every message the bot wrote, deleted and ephemeral ones too.
    pub fn all_of_bot(&self) -> Vec<SeenMessage> {
        let bot = self.0.application.id;
        self.select(|message| message.author == bot)
    }

    fn select(&self, wanted: impl Fn(&Message) -> bool) -> Vec<SeenMessage> {
        self.0.messages.values().filter(|message| wanted(message)).map(|message| self.seen(message)).collect()
    }

    /// One message, deleted or not.
    pub fn message(&self, id: Id) -> Option<SeenMessage> {
        self.0.messages.get(&id).map(|message| self.seen(message))
    }

    /// The threads of a channel, archived ones too: ids and names.
    pub fn threads(&self, channel: Id) -> Vec<(Id, String)> {
        let threads = self.0.channels.values().filter(|it| it.parent_of_thread() == Some(channel));
        threads.map(|thread| (thread.id, thread.name.clone())).collect()
    }

    /// A channel or thread as Discord writes it.
    pub fn channel(&self, id: Id) -> Option<Value> {
        self.0.channels.get(&id).map(|channel| self.0.channel_json(channel))
    }

    /// One interaction.
    pub fn interaction(&self, id: Id) -> Option<SeenInteraction> {
        self.0.interactions.get(&id).map(|interaction| self.seen_interaction(interaction))
    }

    /// All interactions, oldest first.
    pub fn interactions(&self) -> Vec<SeenInteraction> {
        self.0.interactions.values().map(|interaction| self.seen_interaction(interaction)).collect()
    }

    /// The modal a person has open, and the interaction that opened it.
    pub fn open_modal(&self, user: Id) -> Option<(Id, Value)> {
        let open = self.0.open_modal(user)?;
        Some((open.id, open.modal.clone()?))
    }

    /// The calls of the REST API, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.0.calls.iter().cloned().collect()
    }

    /// The calls of one method and route, such as `POST` and `/channels/{id}/messages`.
    pub fn calls_of(&self, method: &str, route: &str) -> Vec<Call> {
        self.0.calls.iter().filter(|call| call.method == method && call.route == route).cloned().collect()
    }

    /// The commands of a guild, or of the application for `None`, as Discord writes them.
    pub fn commands(&self, guild: Option<Id>) -> Vec<Value> {
        let application = self.0.application.id;
        self.0.commands.of(guild).iter().map(|command| command.json(application, guild)).collect()
    }

    /// How often commands were written, over all guilds and the application.
    pub fn command_writes(&self) -> usize {
        self.0.commands.writes.len()
    }

    /// What happened at the gateway, oldest first.
    pub fn gateway(&self) -> Vec<Happened> {
        self.0.sessions.history.iter().cloned().collect()
    }

    /// How many connections to the gateway have a session and got all its events.
    pub fn ready_connections(&self) -> usize {
        let sessions = &self.0.sessions;
        let is_ready = |line: &&crate::gateway::Line| {
            let session = line.session.as_ref().and_then(|id| sessions.by_id.get(id));
            session.is_some_and(|session| session.sequence == line.sent)
        };
        sessions.connections.values().filter(is_ready).count()
    }

    fn seen_interaction(&self, interaction: &Interaction) -> SeenInteraction {
        let limit = self.0.limits.first_answer_ms;
        let message = |id: &Id| self.message(*id);
        let choices = interaction.choices.as_ref().map(|choices| {
            choices
                .iter()
                .map(|choice| (text(choice, "name").to_owned(), choice.get("value").cloned().unwrap_or_default()))
                .collect()
        });
        SeenInteraction {
            id: interaction.id,
            kind: interaction.kind,
            user: interaction.user,
            channel: interaction.channel,
            was_delivered: interaction.delivered,
            answered_after_ms: interaction.answered.map(|(_, at)| at.saturating_sub(interaction.id.created_ms())),
            answer: interaction.answered.map(|(kind, _)| kind),
            has_failed: interaction.answered.is_none() && self.0.now_ms() > interaction.id.created_ms() + limit,
            original: interaction.original.as_ref().and_then(message),
            followups: interaction.followups.iter().filter_map(message).collect(),
            modal: interaction.modal.clone(),
            choices,
        }
    }

    fn seen(&self, message: &Message) -> SeenMessage {
        let Pings { users, roles, everyone } = message.pings.clone();
        let parts = each(&message.components);
        let of_kind = |wanted: &dyn Fn(u64) -> bool| -> Vec<&Value> {
            parts.iter().filter(|part| number(part, "type").is_some_and(wanted)).copied().collect()
        };
        SeenMessage {
            id: message.id,
            channel: message.channel,
            author: message.author,
            content: message.content.clone(),
            embeds: message.embeds.clone(),
            components: message.components.clone(),
            buttons: of_kind(&|kind| kind == BUTTON).into_iter().map(seen_button).collect(),
            selects: of_kind(&is_select).into_iter().map(seen_select).collect(),
            files: message.attachments.iter().map(|file| self.seen_file(file)).collect(),
            is_thinking: message.flags & LOADING != 0,
            only_for: message.reader,
            is_edited: message.edited_ms.is_some(),
            before: message.before.clone(),
            replies_to: message.reference,
            thread: self.0.channels.get(&message.id).map(|thread| thread.id),
            pinged_users: users,
            pinged_roles: roles,
            pinged_everyone: everyone,
            reactions: message.reactions.iter().map(|(emoji, users)| (emoji.clone(), users.len())).collect(),
            at_ms: message.id.created_ms(),
            is_deleted: message.deleted,
            json: self.0.message_json(message),
        }
    }

    fn seen_file(&self, file: &Value) -> SeenFile {
        let bytes = number(file, "id").and_then(|id| self.0.files.get(&Id(id))).cloned().unwrap_or_default();
        SeenFile { name: text(file, "filename").to_owned(), size: bytes.len(), bytes }
    }
}

fn seen_button(button: &Value) -> SeenButton {
    SeenButton {
        label: text(button, "label").to_owned(),
        custom_id: button.get("custom_id").and_then(Value::as_str).map(str::to_owned),
        url: button.get("url").and_then(Value::as_str).map(str::to_owned),
        style: number(button, "style").unwrap_or(0),
        is_disabled: flag(button, "disabled"),
    }
}

fn seen_select(select: &Value) -> SeenSelect {
    SeenSelect {
        custom_id: text(select, "custom_id").to_owned(),
        placeholder: text(select, "placeholder").to_owned(),
        options: list(select, "options")
            .iter()
            .map(|option| (text(option, "label").to_owned(), text(option, "value").to_owned()))
            .collect(),
    }
}
