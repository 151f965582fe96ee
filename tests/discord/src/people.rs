//! What people do: they write, use commands, press buttons, choose, and fill in modals.

mod arguments;
mod payload;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::draft::{Draft, File};
use crate::error::Refusal;
use crate::id::Id;
use crate::permission::{SEND_MESSAGES, SEND_MESSAGES_IN_THREADS, USE_APPLICATION_COMMANDS, VIEW_CHANNEL};
use crate::state::State;
use crate::state::interaction::{AUTOCOMPLETE, COMMAND, COMPONENT, Interaction, MODAL};
use crate::state::message::{Message, Origin};
use crate::validate::component::{BUTTON, TEXT_INPUT, each, is_select};
use crate::validate::{flag, number, text};

use payload::Starting;

/// Why a person cannot do something: their client would not let them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// There is no such channel, or the person does not see it.
    #[error("this person sees no channel {0}")]
    NoChannel(Id),
    /// There is no such message, or the person does not see it.
    #[error("this person sees no message {0}")]
    NoMessage(Id),
    /// The person may not do this here.
    #[error("this person may not {0} here")]
    NotAllowed(&'static str),
    /// No command of this name is registered.
    #[error("no command \"{0}\" is registered here")]
    NoCommand(String),
    /// The command has no such option.
    #[error("the command has no option \"{0}\"")]
    NoOption(String),
    /// A required option is absent.
    #[error("the option \"{0}\" is required")]
    Missing(String),
    /// The value does not suit the option.
    #[error("\"{value}\" does not suit the option \"{option}\"")]
    Unsuitable {
        /// The option.
        option: String,
        /// The value.
        value: String,
    },
    /// The message has no such button or select.
    #[error("the message has no \"{0}\"")]
    NoComponent(String),
    /// The button or select cannot be used.
    #[error("\"{0}\" is disabled")]
    Disabled(String),
    /// No modal is open, or it has no such input.
    #[error("no modal with \"{0}\" is open")]
    NoModal(String),
    /// Discord refused what was written.
    #[error("Discord refuses this message with code {0}")]
    Refused(u64),
}

impl From<Refusal> for Unable {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal.code())
    }
}

impl State {
    fn sees(&self, by: Id, channel: Id) -> Result<(), Unable> {
        if self.permissions(by, channel) & VIEW_CHANNEL == 0 {
            return Err(Unable::NoChannel(channel));
        }
        Ok(())
    }

    fn seen_message(&self, by: Id, id: Id) -> Result<&Message, Unable> {
        let message = self.messages.get(&id).filter(|message| !message.deleted).ok_or(Unable::NoMessage(id))?;
        self.sees(by, message.channel)?;
        if message.reader.is_some_and(|reader| reader != by) {
            return Err(Unable::NoMessage(id));
        }
        Ok(message)
    }

    /// Writes a message.
    pub(crate) fn say(
        &mut self,
        by: Id,
        channel: Id,
        content: &str,
        replies_to: Option<Id>,
        files: Vec<File>,
    ) -> Result<Id, Unable> {
        self.sees(by, channel)?;
        let in_thread = self.channels.get(&channel).is_some_and(|channel| channel.thread.is_some());
        let needed = if in_thread { SEND_MESSAGES_IN_THREADS } else { SEND_MESSAGES };
        if self.permissions(by, channel) & needed == 0 {
            return Err(Unable::NotAllowed("write"));
        }
        let body = json!({"content": content});
        let mut draft = Draft::parse(&body, files, "", self.limits.attachment_bytes)?;
        if draft.is_empty() {
            return Err(Refusal::empty_message().into());
        }
        draft.reference = replies_to;
        let kind = if replies_to.is_some() { 19 } else { 0 };
        let replied = replies_to.and_then(|id| self.messages.get(&id)).map(|message| message.author);
        // A reply mentions who it replies to, as Discord's clients do unless told otherwise.
        draft.also_pings = replied;
        Ok(self.add_message(Origin { author: by, channel, kind, interaction: None, reader: None }, draft))
    }

    /// Changes an own message.
    pub(crate) fn rewrite(&mut self, by: Id, message: Id, content: &str) -> Result<(), Unable> {
        if self.seen_message(by, message)?.author != by {
            return Err(Unable::NotAllowed("edit messages of others"));
        }
        let draft = Draft::parse(&json!({"content": content}), Vec::new(), "", self.limits.attachment_bytes)?;
        self.edit_message(message, draft);
        Ok(())
    }

    /// Deletes a message, as its author or as somebody who may.
    pub(crate) fn take_back(&mut self, by: Id, message: Id) -> Result<(), Unable> {
        let found = self.seen_message(by, message)?;
        let may = self.permissions(by, found.channel) & crate::permission::MANAGE_MESSAGES != 0;
        if found.author != by && !may {
            return Err(Unable::NotAllowed("delete messages of others"));
        }
        self.delete_message(message);
        Ok(())
    }

    /// Uses a slash command: its name and, after spaces, its subcommand.
    pub(crate) fn slash(&mut self, by: Id, channel: Id, line: &str, options: &[(String, Value)]) -> Result<Id, Unable> {
        let data = self.command_data(by, channel, line, options, None)?;
        let name = text(&data, "name").to_owned();
        Ok(self.start(&Starting {
            kind: COMMAND,
            by,
            channel,
            data,
            source: None,
            message_kind: 20,
            name,
            trigger: None,
        }))
    }

    /// Types into an option that completes; the choices come with the interaction.
    pub(crate) fn complete(
        &mut self,
        by: Id,
        channel: Id,
        line: &str,
        options: &[(String, Value)],
        focused: (&str, &str),
    ) -> Result<Id, Unable> {
        let data = self.command_data(by, channel, line, options, Some(focused))?;
        let name = text(&data, "name").to_owned();
        Ok(self.start(&Starting {
            kind: AUTOCOMPLETE,
            by,
            channel,
            data,
            source: None,
            message_kind: 0,
            name,
            trigger: None,
        }))
    }

    /// Uses a command of a message's menu.
    pub(crate) fn message_command(&mut self, by: Id, message: Id, name: &str) -> Result<Id, Unable> {
        let target = self.seen_message(by, message)?;
        let channel = target.channel;
        if self.permissions(by, channel) & USE_APPLICATION_COMMANDS == 0 {
            return Err(Unable::NotAllowed("use commands"));
        }
        let guild = self.channels.get(&channel).and_then(|channel| channel.guild);
        let (scope, command) = self.commands.find(guild, name, 3).ok_or_else(|| Unable::NoCommand(name.to_owned()))?;
        // The one place where a bot always reads the content of somebody's message.
        let resolved = json!({"messages": {message.to_string(): self.message_json(target)}});
        let mut data = json!({"id": command.id, "name": name, "type": 3, "target_id": message, "resolved": resolved});
        if let Some(guild) = scope {
            crate::state::set(&mut data, "guild_id", json!(guild));
        }
        let name = name.to_owned();
        Ok(self.start(&Starting {
            kind: COMMAND,
            by,
            channel,
            data,
            source: None,
            message_kind: 23,
            name,
            trigger: None,
        }))
    }

    /// Presses the button with this label or custom id.
    pub(crate) fn press(&mut self, by: Id, message: Id, wanted: &str) -> Result<Id, Unable> {
        let found = self.seen_message(by, message)?;
        let channel = found.channel;
        let is_wanted = |part: &&&Value| {
            number(part, "type") == Some(BUTTON) && (text(part, "label") == wanted || text(part, "custom_id") == wanted)
        };
        let parts = each(&found.components);
        let button = parts.iter().find(is_wanted).ok_or_else(|| Unable::NoComponent(wanted.to_owned()))?;
        if flag(button, "disabled") || text(button, "custom_id").is_empty() {
            return Err(Unable::Disabled(wanted.to_owned()));
        }
        let data = json!({"custom_id": text(button, "custom_id"), "component_type": BUTTON, "id": button.get("id")});
        Ok(self.use_component(by, channel, message, data))
    }

    /// Chooses values (by label or value) in the select with this custom id or placeholder.
    pub(crate) fn choose(&mut self, by: Id, message: Id, wanted: &str, chosen: &[String]) -> Result<Id, Unable> {
        let found = self.seen_message(by, message)?;
        let channel = found.channel;
        let is_wanted = |part: &&&Value| {
            number(part, "type").is_some_and(is_select)
                && (text(part, "custom_id") == wanted || text(part, "placeholder") == wanted)
        };
        let parts = each(&found.components);
        let select = parts.iter().find(is_wanted).ok_or_else(|| Unable::NoComponent(wanted.to_owned()))?;
        if flag(select, "disabled") {
            return Err(Unable::Disabled(wanted.to_owned()));
        }
        let values = arguments::chosen(select, chosen)?;
        let kind = number(select, "type").unwrap_or(3);
        let mut data = json!({"custom_id": text(select, "custom_id"), "component_type": kind, "values": values,
            "id": select.get("id")});
        // A select of strings has nothing to resolve, and discord.py tells by this which one it is.
        if let Some(resolved) = self.resolved_choices(kind, channel, wanted, &values)? {
            crate::state::set(&mut data, "resolved", resolved);
        }
        Ok(self.use_component(by, channel, message, data))
    }

    fn use_component(&mut self, by: Id, channel: Id, message: Id, data: Value) -> Id {
        let source = Some(message);
        let name = String::new();
        self.start(&Starting { kind: COMPONENT, by, channel, data, source, message_kind: 19, name, trigger: None })
    }

    /// The interaction whose modal a person has open.
    pub(crate) fn open_modal(&self, by: Id) -> Option<&Interaction> {
        let open = |it: &&Interaction| it.user == by && it.modal.is_some() && !it.modal_submitted;
        self.interactions.values().rev().find(open)
    }

    /// Submits the open modal; inputs by label or custom id, others keep what is in them.
    pub(crate) fn submit(&mut self, by: Id, values: &BTreeMap<String, String>) -> Result<Id, Unable> {
        let opened = self.open_modal(by).ok_or_else(|| Unable::NoModal(String::new()))?.clone();
        let modal = opened.modal.clone().unwrap_or_default();
        let rows = arguments::filled(&modal, values)?;
        if let Some(opened) = self.interactions.get_mut(&opened.id) {
            opened.modal_submitted = true;
        }
        let data = json!({"custom_id": text(&modal, "custom_id"), "components": rows});
        let (source, channel) = (opened.source, opened.channel);
        let starting = Starting {
            kind: MODAL,
            by,
            channel,
            data,
            source,
            message_kind: 19,
            name: String::new(),
            trigger: Some(opened.metadata),
        };
        Ok(self.start(&starting))
    }
}

/// Says whether a component of a modal is filled in by typing.
pub(crate) fn is_text_input(part: &Value) -> bool {
    number(part, "type") == Some(TEXT_INPUT)
}
