//! Commands, presses and forms.

use std::collections::BTreeMap;
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use kubewhy_chat::{Acceptance, Delivery, Form, Input, Place, Press, Reply, Request, Visibility};
use serde_json::json;
use serenity::builder::CreateInteractionResponse;
use serenity::model::application::{
    ActionRowComponent, CommandDataOption, CommandDataOptionValue, CommandInteraction, CommandType,
    ComponentInteraction, ComponentInteractionDataKind, ModalInteraction, ResolvedTarget,
};
use serenity::model::channel::{Message, MessageFlags, PartialChannel};
use serenity::model::guild::Member;
use serenity::model::id::{ChannelId, GuildId};
use serenity::model::user::User;
use tokio::time::timeout;

use super::acknowledgements::Pending;
use super::{Acknowledgement, Intake};
use crate::outgoing::{EPHEMERAL, Outgoing};
use crate::places::Spot;
use crate::render::{modal, render};
use crate::way::{Manner, Ticket, Way};
use crate::{limits, registration};

/// How long the inbox may take before an interaction is acknowledged without it; Discord waits for 3 s.
const HURRY: Duration = Duration::from_millis(1_800);

/// How an interaction that was accepted is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manners {
    /// With "thinking ..." to those whom the answer is for.
    Announce,
    /// With "thinking ..." to the asker: the answer comes elsewhere.
    AnnounceToAsker,
    /// With nothing to see: the answer is a message of its own.
    Silently,
}

/// What all interactions have.
struct Origin<'a> {
    id: u64,
    ticket: Ticket,
    guild: Option<GuildId>,
    channel: Option<&'a PartialChannel>,
    channel_id: ChannelId,
    user: &'a User,
    member: Option<&'a Member>,
}

impl Intake {
    pub(super) async fn command(&self, command: &CommandInteraction) {
        let origin = Origin {
            id: command.id.get(),
            ticket: Ticket { application: command.application_id.get(), token: command.token.clone() },
            guild: command.guild_id,
            channel: command.channel.as_ref(),
            channel_id: command.channel_id,
            user: &command.user,
            member: command.member.as_deref(),
        };
        let spot = self.line.places.told(origin.channel, origin.channel_id.get(), &self.line.api).await;
        let ticket = origin.ticket.clone();
        match (command.data.kind, command.data.target()) {
            (CommandType::ChatInput, _) => {
                let input = Input::Line(line(&command.data.name, &command.data.options));
                self.deliver(&origin, spot, spot.place(), input, Manner::Command(ticket), Manners::Announce).await;
            }
            (CommandType::Message, Some(ResolvedTarget::Message(message))) => {
                let (place, target) = (spot.below(message.id.get()), message.id.get());
                let manner = Manner::OnMessage { ticket, message: target };
                let input = Input::Shortcut(words(message));
                self.deliver(&origin, spot, place, input, manner, Manners::AnnounceToAsker).await;
            }
            (kind, _) => tracing::warn!(kind = u8::from(kind), "a command arrived that was never registered"),
        }
    }

    pub(super) async fn component(&self, component: &ComponentInteraction) {
        let origin = Origin {
            id: component.id.get(),
            ticket: Ticket { application: component.application_id.get(), token: component.token.clone() },
            guild: component.guild_id,
            channel: component.channel.as_ref(),
            channel_id: component.channel_id,
            user: &component.user,
            member: component.member.as_ref(),
        };
        let encoded = match &component.data.kind {
            ComponentInteractionDataKind::StringSelect { values } => values.first(),
            _ => Some(&component.data.custom_id),
        };
        let Some(press) = encoded.and_then(|encoded| Press::decode(encoded)) else {
            tracing::warn!("a button was pressed that kubewhy does not know");
            self.acknowledge_silently(&origin).await;
            return;
        };
        let spot = self.line.places.told(origin.channel, origin.channel_id.get(), &self.line.api).await;
        let (place, manner) = below(&origin, spot, &component.message);
        self.deliver(&origin, spot, place, Input::Press(press), manner, Manners::Silently).await;
    }

    pub(super) async fn form(&self, form: &ModalInteraction) {
        let origin = Origin {
            id: form.id.get(),
            ticket: Ticket { application: form.application_id.get(), token: form.token.clone() },
            guild: form.guild_id,
            channel: form.channel.as_ref(),
            channel_id: form.channel_id,
            user: &form.user,
            member: form.member.as_ref(),
        };
        let rows = form.data.components.iter().flat_map(|row| &row.components);
        let values: BTreeMap<String, String> = rows
            .filter_map(|component| match component {
                ActionRowComponent::InputText(text) => {
                    Some((text.custom_id.clone(), text.value.clone().unwrap_or_default()))
                }
                _ => None,
            })
            .collect();
        let input = Input::Form { token: form.data.custom_id.clone(), values };
        let spot = self.line.places.told(origin.channel, origin.channel_id.get(), &self.line.api).await;
        let (place, manner, manners) = match &form.message {
            Some(message) => {
                let (place, manner) = below(&origin, spot, message);
                (place, manner, Manners::Silently)
            }
            None => (spot.place(), Manner::Command(origin.ticket.clone()), Manners::Announce),
        };
        self.deliver(&origin, spot, place, input, manner, manners).await;
    }

    async fn deliver(
        &self,
        origin: &Origin<'_>,
        spot: Spot,
        place: Place,
        input: Input,
        manner: Manner,
        manners: Manners,
    ) {
        let way = Way {
            guild: origin.guild.map(GuildId::get),
            channel: spot.id,
            threaded: spot.parent.is_some(),
            asker: origin.user.id.get(),
            manner,
        };
        let member = origin.member;
        let who = self.person(
            origin.user,
            member.and_then(|member| member.nick.as_deref()),
            origin.guild,
            member.map(|member| member.roles.as_slice()),
        );
        let delivery = Delivery {
            id: format!("discord:{}", origin.id),
            request: Request { who, place, input },
            address: way.write(),
            received_at: Timestamp::now(),
        };
        // Before it is accepted: its answer can be there before the acknowledgement is out.
        let pending = self.line.acknowledgements.begin(&delivery.id).await;
        let mut accepting = pin!(self.inbox.accept(delivery.clone()));
        match timeout(HURRY, &mut accepting).await {
            Ok(acceptance) => self.acknowledge(origin, &delivery, acceptance, manners, pending).await,
            Err(_) => {
                let Some(pending) = pending else { return };
                tracing::warn!("the inbox takes long: an interaction is acknowledged before it is stored");
                self.announce(origin, manners, Visibility::Everybody, pending).await;
                self.settle(&delivery, accepting.await).await;
            }
        }
    }

    async fn acknowledge(
        &self,
        origin: &Origin<'_>,
        delivery: &Delivery,
        acceptance: Acceptance,
        manners: Manners,
        pending: Option<Pending>,
    ) {
        // What was begun before is acknowledged by whoever began it.
        let Some(pending) = pending else { return };
        match acceptance {
            Acceptance::Accepted(visibility) => self.announce(origin, manners, visibility, pending).await,
            Acceptance::Duplicate => self.line.acknowledgements.forget(&delivery.id).await,
            Acceptance::Form(form) => self.open(origin, &form).await,
            Acceptance::Refused(reply) => self.refuse(origin, &reply).await,
        }
    }

    async fn announce(&self, origin: &Origin<'_>, manners: Manners, visibility: Visibility, pending: Pending) {
        let (body, acknowledgement) = match (manners, visibility) {
            (Manners::Silently, _) => (json!({ "type": 6 }), Acknowledgement::Silent),
            (Manners::Announce, Visibility::Everybody) => {
                (json!({ "type": 5, "data": { "flags": 0 } }), Acknowledgement::Announced(Visibility::Everybody))
            }
            _ => (
                json!({ "type": 5, "data": { "flags": EPHEMERAL } }),
                Acknowledgement::Announced(Visibility::OnlyAsker),
            ),
        };
        match self.line.respond(origin.id, &origin.ticket.token, body, &[]).await {
            Ok(()) => pending.tell(acknowledgement),
            Err(failure) => {
                tracing::warn!(chat.channel = origin.channel_id.get(), error = %failure, "failed to acknowledge an interaction");
                pending.tell(Acknowledgement::Failed);
            }
        }
    }

    async fn acknowledge_silently(&self, origin: &Origin<'_>) {
        if let Err(failure) = self.line.respond(origin.id, &origin.ticket.token, json!({ "type": 6 }), &[]).await {
            tracing::debug!(error = %failure, "failed to acknowledge an unknown press");
        }
    }

    async fn refuse(&self, origin: &Origin<'_>, reply: &Reply) {
        let rendering = render(&reply.message);
        let message = Outgoing::screen(&rendering.first).ephemeral();
        let body = json!({ "type": 4, "data": message.body() });
        if let Err(failure) = self.line.respond(origin.id, &origin.ticket.token, body, message.files()).await {
            tracing::warn!(chat.channel = origin.channel_id.get(), error = %failure, "failed to refuse an interaction");
        }
    }

    async fn open(&self, origin: &Origin<'_>, form: &Form) {
        if form.token.is_empty() || form.token.len() > limits::CUSTOM_ID {
            tracing::error!(length = form.token.len(), "the token of a form is longer than discord carries");
            return;
        }
        let response = CreateInteractionResponse::Modal(modal(form, &form.token));
        let Ok(body) = serde_json::to_value(response) else { return };
        if let Err(failure) = self.line.respond(origin.id, &origin.ticket.token, body, &[]).await {
            tracing::warn!(chat.channel = origin.channel_id.get(), error = %failure, "failed to open a form");
        }
    }

    /// Does what is left after the inbox took too long.
    pub(super) async fn settle(&self, delivery: &Delivery, acceptance: Acceptance) {
        match acceptance {
            Acceptance::Accepted(_) | Acceptance::Duplicate => {}
            Acceptance::Refused(reply) => {
                if let Err(error) = self.line.answer(delivery, &reply, delivery.received_at).await {
                    tracing::warn!(%error, "failed to refuse a question");
                }
            }
            Acceptance::Form(_) => tracing::warn!("a form cannot be opened here, and was dropped"),
        }
    }
}

/// The place and the way of what is done with a message of ours.
fn below(origin: &Origin<'_>, spot: Spot, message: &Message) -> (Place, Manner) {
    let ephemeral = message.flags.is_some_and(|flags| flags.contains(MessageFlags::EPHEMERAL));
    let place = if ephemeral { spot.place() } else { spot.below(message.id.get()) };
    (place, Manner::Press { ticket: origin.ticket.clone(), message: message.id.get(), ephemeral })
}

/// The line of the grammar that a command means.
fn line(command: &str, options: &[CommandDataOption]) -> String {
    let (subcommand, options) = unfold(options);
    let values: Vec<(&str, String)> =
        options.iter().filter_map(|option| Some((option.name.as_str(), value(&option.value)?))).collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    registration::line(command, subcommand, &values)
}

/// The options of a command, and its subcommand where it has one.
pub(super) fn unfold(options: &[CommandDataOption]) -> (Option<&str>, &[CommandDataOption]) {
    match options.first() {
        Some(CommandDataOption { name, value: CommandDataOptionValue::SubCommand(options), .. }) => {
            (Some(name.as_str()), options.as_slice())
        }
        _ => (None, options),
    }
}

/// A value as plain words.
pub(super) fn value(value: &CommandDataOptionValue) -> Option<String> {
    match value {
        CommandDataOptionValue::String(words) | CommandDataOptionValue::Autocomplete { value: words, .. } => {
            Some(words.clone())
        }
        CommandDataOptionValue::Boolean(flag) => Some(flag.to_string()),
        CommandDataOptionValue::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// All words of a message, in which an object is named.
fn words(message: &Message) -> String {
    let mut lines = vec![message.content.as_str()];
    for embed in &message.embeds {
        lines.extend(embed.author.as_ref().map(|author| author.name.as_str()));
        lines.extend([embed.title.as_deref(), embed.description.as_deref()].into_iter().flatten());
        lines.extend(embed.fields.iter().flat_map(|field| [field.name.as_str(), field.value.as_str()]));
        lines.extend(embed.footer.as_ref().map(|footer| footer.text.as_str()));
    }
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n")
}
