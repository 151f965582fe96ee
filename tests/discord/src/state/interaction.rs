//! Interactions: their tokens, what may be answered when, and what became of them.

use serde_json::{Value, json};

use super::State;
use super::message::{LOADING, Message, Origin};
use crate::command::choice_form;
use crate::draft::{Draft, File};
use crate::error::{Answered, Form, Refusal};
use crate::id::Id;
use crate::validate::{list, modal, number};

/// A slash or message command was used.
pub(crate) const COMMAND: u8 = 2;
/// A button was pressed or a select was used.
pub(crate) const COMPONENT: u8 = 3;
/// Somebody types an option.
pub(crate) const AUTOCOMPLETE: u8 = 4;
/// A modal was submitted.
pub(crate) const MODAL: u8 = 5;

/// The kinds of a callback.
pub(crate) mod answer {
    pub(crate) const MESSAGE: u64 = 4;
    pub(crate) const DEFERRED_MESSAGE: u64 = 5;
    pub(crate) const DEFERRED_UPDATE: u64 = 6;
    pub(crate) const UPDATE: u64 = 7;
    pub(crate) const CHOICES: u64 = 8;
    pub(crate) const MODAL: u64 = 9;
}

#[derive(Clone)]
pub(crate) struct Interaction {
    pub(crate) id: Id,
    pub(crate) token: String,
    pub(crate) kind: u8,
    pub(crate) user: Id,
    pub(crate) channel: Id,
    /// The message with the button, or whose button opened the modal.
    pub(crate) source: Option<Id>,
    /// The kind of message an answer is: 20 to a slash command, 23 to a message command, 19 otherwise.
    pub(crate) message_kind: u8,
    /// What messages say about it.
    pub(crate) metadata: Value,
    /// Whether a bot was connected to get it.
    pub(crate) delivered: bool,
    pub(crate) answered: Option<(u64, u64)>,
    /// What `@original` is.
    pub(crate) original: Option<Id>,
    pub(crate) followups: Vec<Id>,
    pub(crate) modal: Option<Value>,
    pub(crate) modal_submitted: bool,
    pub(crate) choices: Option<Vec<Value>>,
}

/// An answer to a callback, when the sender wants one.
pub(crate) struct Called {
    pub(crate) interaction: Id,
    pub(crate) kind: u64,
    pub(crate) message: Option<Id>,
}

impl State {
    /// Takes the first answer to an interaction.
    pub(crate) fn callback(&mut self, id: Id, token: &str, body: &Value, files: Vec<File>) -> Answered<Called> {
        let now = self.now_ms();
        let interaction = self.interactions.get(&id).ok_or_else(Refusal::unknown_interaction)?;
        if interaction.token != token {
            return Err(Refusal::unknown_interaction());
        }
        if interaction.answered.is_some() {
            return Err(Refusal::already_answered());
        }
        if now > id.created_ms() + self.limits.first_answer_ms {
            return Err(Refusal::unknown_interaction());
        }
        let interaction = interaction.clone();
        let data = body.get("data").cloned().unwrap_or_default();
        let kind = number(body, "type").unwrap_or(0);
        check_kind(&interaction, kind)?;
        let message = match kind {
            answer::MESSAGE | answer::DEFERRED_MESSAGE => Some(self.first_message(&interaction, kind, &data, files)?),
            answer::UPDATE => {
                let draft = Draft::parse(&data, files, "data", self.limits.attachment_bytes)?;
                let source = interaction.source.ok_or_else(Refusal::unknown_message)?;
                self.edit_message(source, draft);
                Some(source)
            }
            answer::DEFERRED_UPDATE => interaction.source,
            answer::CHOICES => {
                self.take_choices(id, &data)?;
                None
            }
            _ => {
                let mut form = Form::default();
                modal::modal(&mut form, "data", &data);
                form.finish()?;
                self.take_modal(id, &data);
                None
            }
        };
        if let Some(interaction) = self.interactions.get_mut(&id) {
            interaction.answered = Some((kind, now));
            interaction.original = message;
        }
        Ok(Called { interaction: id, kind, message })
    }

    fn first_message(&mut self, by: &Interaction, kind: u64, data: &Value, files: Vec<File>) -> Answered<Id> {
        let mut draft = Draft::parse(data, files, "data", self.limits.attachment_bytes)?;
        let ephemeral = is_ephemeral(data);
        if kind == answer::DEFERRED_MESSAGE {
            draft = Draft { flags: Some(LOADING), ..Draft::default() };
        } else if draft.is_empty() {
            return Err(Refusal::empty_message());
        }
        Ok(self.add_answer(by, draft, ephemeral))
    }

    fn add_answer(&mut self, by: &Interaction, mut draft: Draft, ephemeral: bool) -> Id {
        draft.reference = by.source.filter(|source| by.message_kind == 19 && self.messages.contains_key(source));
        let origin = Origin {
            author: self.application.id,
            channel: by.channel,
            kind: by.message_kind,
            interaction: Some(by.metadata.clone()),
            reader: ephemeral.then_some(by.user),
        };
        self.add_message(origin, draft)
    }

    fn take_choices(&mut self, id: Id, data: &Value) -> Answered<()> {
        let choices = list(data, "choices");
        let mut form = Form::default();
        form.count("data.choices", choices.len(), 0, 25);
        for (place, choice) in choices.iter().enumerate() {
            let is_text = choice.get("value").is_some_and(Value::is_string);
            choice_form(&mut form, &format!("data.choices.{place}"), choice, is_text);
        }
        form.finish()?;
        if let Some(interaction) = self.interactions.get_mut(&id) {
            interaction.choices = Some(choices.to_vec());
        }
        Ok(())
    }

    fn take_modal(&mut self, id: Id, data: &Value) {
        // A person has one modal open at a time: a newer one takes the place of the older.
        let Some(user) = self.interactions.get(&id).map(|interaction| interaction.user) else { return };
        for other in self.interactions.values_mut().filter(|other| other.user == user && other.modal.is_some()) {
            other.modal_submitted = true;
        }
        if let Some(interaction) = self.interactions.get_mut(&id) {
            interaction.modal = Some(data.clone());
        }
    }

    /// Finds the interaction of a token that can still be used for messages.
    pub(crate) fn interaction_of(&self, application: Id, token: &str) -> Answered<&Interaction> {
        if application != self.application.id {
            return Err(Refusal::unknown_webhook());
        }
        let found = self.interactions.values().find(|interaction| interaction.token == token);
        let interaction = found.ok_or_else(Refusal::invalid_webhook_token)?;
        if interaction.answered.is_none() {
            return Err(Refusal::unknown_webhook());
        }
        if self.now_ms() > interaction.id.created_ms() + self.limits.token_life_ms {
            return Err(Refusal::invalid_webhook_token());
        }
        Ok(interaction)
    }

    /// Posts a further answer; the first one after a deferred answer takes its place.
    pub(crate) fn follow_up(&mut self, application: Id, token: &str, body: &Value, files: Vec<File>) -> Answered<Id> {
        let interaction = self.interaction_of(application, token)?.clone();
        let draft = Draft::parse(body, files, "", self.limits.attachment_bytes)?;
        if draft.is_empty() {
            return Err(Refusal::empty_message());
        }
        let loading = interaction.original.filter(|original| {
            self.messages.get(original).is_some_and(|message| message.flags & LOADING != 0 && !message.deleted)
        });
        if let Some(original) = loading {
            self.edit_message(original, draft);
            return Ok(original);
        }
        let mut by = interaction;
        by.message_kind = 19;
        by.source = by.original.or(by.source);
        let id = self.add_answer(&by, draft, is_ephemeral(body));
        if let Some(interaction) = self.interactions.get_mut(&by.id) {
            interaction.followups.push(id);
        }
        Ok(id)
    }

    /// Finds a message of an interaction: `@original` or a follow-up.
    pub(crate) fn answer_of(&self, application: Id, token: &str, message: &str) -> Answered<&Message> {
        let interaction = self.interaction_of(application, token)?;
        let id = match message {
            "@original" => interaction.original,
            id => id.parse().ok().filter(|id| interaction.followups.contains(id) || interaction.original == Some(*id)),
        };
        id.and_then(|id| self.messages.get(&id)).filter(|message| !message.deleted).ok_or_else(Refusal::unknown_message)
    }
}

fn is_ephemeral(body: &Value) -> bool {
    number(body, "flags").unwrap_or(0) & super::message::EPHEMERAL != 0
}

fn check_kind(interaction: &Interaction, kind: u64) -> Answered<()> {
    let fits = match (interaction.kind, kind) {
        (AUTOCOMPLETE, kind) => kind == answer::CHOICES,
        (COMMAND | COMPONENT | MODAL, answer::MESSAGE | answer::DEFERRED_MESSAGE)
        | (COMMAND | COMPONENT, answer::MODAL) => true,
        (COMPONENT | MODAL, answer::UPDATE | answer::DEFERRED_UPDATE) => interaction.source.is_some(),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    let mut form = Form::default();
    let text = "Value must be one of the callback types this interaction can be answered with.";
    form.wrong("type", "BASE_TYPE_CHOICES", text);
    form.finish()
}

/// Says which installation an interaction comes from: the guild's, or in direct messages none.
pub(crate) fn owners(guild: Option<Id>) -> Value {
    guild.map_or_else(|| json!({"0": "0"}), |guild| json!({"0": guild}))
}
