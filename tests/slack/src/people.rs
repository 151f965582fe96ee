//! People act as in Slack: what they cannot do there, they cannot do here.

use serde_json::{Value, json};

use crate::server::Slack;
use crate::state::State;
use crate::state::message::{Author, Content, Draft};
use crate::state::socket::{Awaits, EnvelopeKind};
use crate::world::ChannelKind;

mod form;
mod press;

/// What a person cannot do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Impossible {
    /// There is no such user.
    #[error("there is no user \"{0}\"")]
    NoSuchUser(String),
    /// The person does not see such a channel.
    #[error("that person does not see a channel \"{0}\"")]
    NoSuchChannel(String),
    /// The channel is archived.
    #[error("the channel \"{0}\" is archived")]
    Archived(String),
    /// The app has no such command.
    #[error("\"{0}\" is no command of the app")]
    NoSuchCommand(String),
    /// Slash commands cannot be used in threads.
    #[error("\"{0}\" cannot be used in a thread")]
    CommandInThread(String),
    /// The person does not see such a message.
    #[error("that person does not see a message \"{0}\"")]
    NoSuchMessage(String),
    /// The message or view holds no such thing.
    #[error("nothing there is called \"{wanted}\"; there is {there:?}")]
    NoSuchElement {
        /// What was looked for.
        wanted: String,
        /// What is there.
        there: Vec<String>,
    },
    /// The app has no such shortcut.
    #[error("the app has no shortcut \"{0}\"")]
    NoSuchShortcut(String),
    /// The person has no such view open.
    #[error("that person has no view \"{0}\" open")]
    NoSuchView(String),
    /// A field of the form must be filled in.
    #[error("the field \"{0}\" must be filled in")]
    Required(String),
}

/// What was sent to the app because of an act.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Sent {
    /// The id of the envelope.
    pub envelope: String,
    /// What opens a view.
    pub trigger_id: Option<String>,
    /// Where it can be answered.
    pub response_url: Option<String>,
}

/// A person who acts.
#[derive(Clone)]
pub struct Person<'a> {
    server: &'a Slack,
    user: String,
}

impl<'a> Person<'a> {
    pub(crate) fn new(server: &'a Slack, user: &str) -> Self {
        Self { server, user: user.to_owned() }
    }

    /// Types a command into a channel.
    ///
    /// # Errors
    /// There is no such command, or the person does not see the channel.
    pub fn slash(&self, channel: &str, command: &str, text: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.slash(&self.user, channel, None, command, text))
    }

    /// Types a command into a thread, which Slack does not allow.
    ///
    /// # Errors
    /// Always.
    pub fn slash_in_thread(&self, channel: &str, thread: &str, command: &str, text: &str) -> Result<Sent, Impossible> {
        self.server.shared.change(|state| state.slash(&self.user, channel, Some(thread), command, text))
    }

    /// Writes a message, and says under which time stamp. `<@U0KUBEWHY>` mentions the bot.
    ///
    /// # Errors
    /// The person does not see the channel.
    pub fn says(&self, channel: &str, text: &str) -> Result<String, Impossible> {
        self.server.shared.change(|state| state.say(&self.user, channel, None, text))
    }

    /// Writes into a thread.
    ///
    /// # Errors
    /// The person does not see the channel or the message.
    pub fn replies(&self, channel: &str, thread: &str, text: &str) -> Result<String, Impossible> {
        self.server.shared.change(|state| state.say(&self.user, channel, Some(thread), text))
    }

    /// Changes what an own message says.
    ///
    /// # Errors
    /// It is not there, or somebody else's.
    pub fn edits(&self, channel: &str, ts: &str, text: &str) -> Result<(), Impossible> {
        self.server.shared.change(|state| {
            let own = Author::User(self.user.clone());
            if state.message(channel, ts).is_none_or(|message| message.author != own) {
                return Err(Impossible::NoSuchMessage(ts.to_owned()));
            }
            let blocks = rich_text(text);
            state.edit(channel, ts, Content { text: text.to_owned(), blocks, ..Content::default() });
            Ok(())
        })
    }

    /// Deletes an own message.
    ///
    /// # Errors
    /// It is not there, or somebody else's.
    pub fn deletes(&self, channel: &str, ts: &str) -> Result<(), Impossible> {
        self.server.shared.change(|state| {
            let own = Author::User(self.user.clone());
            if state.message(channel, ts).is_none_or(|message| message.author != own) {
                return Err(Impossible::NoSuchMessage(ts.to_owned()));
            }
            state.delete(channel, ts);
            Ok(())
        })
    }

    /// Opens the home of the app.
    ///
    /// # Errors
    /// There is no such user.
    pub fn opens_home(&self) -> Result<(), Impossible> {
        self.server.shared.change(|state| {
            state.known(&self.user)?;
            if state.subscribed("app_home_opened") {
                let channel = state.direct_message(&self.user);
                let stamp = state.clock.stamp();
                let event = json!({
                    "type": "app_home_opened", "user": self.user, "channel": channel, "tab": "home", "event_ts": stamp,
                });
                state.send_event(&event);
            }
            Ok(())
        })
    }
}

impl State {
    fn known(&self, user: &str) -> Result<(), Impossible> {
        if self.user(user).is_some() { Ok(()) } else { Err(Impossible::NoSuchUser(user.to_owned())) }
    }

    /// That a person can act in a channel.
    fn present(&self, user: &str, channel: &str) -> Result<(), Impossible> {
        self.known(user)?;
        let missing = || Impossible::NoSuchChannel(channel.to_owned());
        let place = self.channel(channel).ok_or_else(missing)?;
        let inside = place.members.iter().any(|member| member == user);
        if !inside && place.kind != ChannelKind::Public {
            return Err(missing());
        }
        if place.archived {
            return Err(Impossible::Archived(channel.to_owned()));
        }
        Ok(())
    }

    fn slash(
        &mut self,
        user: &str,
        channel: &str,
        thread: Option<&str>,
        command: &str,
        text: &str,
    ) -> Result<Sent, Impossible> {
        self.present(user, channel)?;
        if !self.world.app.commands.iter().any(|one| one == command) {
            return Err(Impossible::NoSuchCommand(command.to_owned()));
        }
        if thread.is_some() {
            return Err(Impossible::CommandInThread(command.to_owned()));
        }
        let trigger = self.grant_trigger(user);
        let url = self.grant_response_url(user, channel, None);
        let payload = json!({
            "token": "verification", "team_id": self.world.team.id, "team_domain": self.world.team.domain,
            "channel_id": channel, "channel_name": self.channel_label(channel), "user_id": user,
            "user_name": self.user_name(user), "command": command, "text": text, "api_app_id": self.world.app.id,
            "is_enterprise_install": "false", "response_url": url, "trigger_id": trigger,
        });
        let awaits = Awaits::Answer { user: user.to_owned(), channel: channel.to_owned(), command: command.to_owned() };
        let envelope = self.send_envelope(EnvelopeKind::SlashCommands, payload, awaits);
        Ok(Sent { envelope, trigger_id: Some(trigger), response_url: Some(url) })
    }

    fn say(&mut self, user: &str, channel: &str, thread: Option<&str>, text: &str) -> Result<String, Impossible> {
        self.present(user, channel)?;
        if !self.is_member(channel, user) {
            return Err(Impossible::NoSuchChannel(channel.to_owned()));
        }
        let thread = match thread {
            None => None,
            Some(ts) => match self.message(channel, ts).filter(|message| message.only_for.is_none()) {
                None => return Err(Impossible::NoSuchMessage(ts.to_owned())),
                Some(parent) => Some(parent.thread.clone().unwrap_or_else(|| ts.to_owned())),
            },
        };
        let blocks = rich_text(text);
        let content = Content { text: text.to_owned(), blocks, ..Content::default() };
        Ok(self.post(Draft::new(channel, Author::User(user.to_owned()), content).in_thread(thread)))
    }

    /// `channel_name` of a payload.
    pub(crate) fn channel_label(&self, channel: &str) -> String {
        match self.channel(channel) {
            Some(place) => match place.kind {
                ChannelKind::Im => "directmessage".to_owned(),
                ChannelKind::Private => "privategroup".to_owned(),
                ChannelKind::Public | ChannelKind::Mpim => place.name.clone(),
            },
            None => String::new(),
        }
    }

    pub(crate) fn user_name(&self, user: &str) -> String {
        self.user(user).map(|user| user.name.clone()).unwrap_or_default()
    }

    /// The `user` of an interaction.
    fn user_of_payload(&self, user: &str) -> Value {
        let name = self.user_name(user);
        let team = self.user(user).and_then(|user| user.team.clone()).unwrap_or_else(|| self.world.team.id.clone());
        json!({ "id": user, "username": name, "name": name, "team_id": team })
    }

    fn team_of_payload(&self) -> Value {
        json!({ "id": self.world.team.id, "domain": self.world.team.domain })
    }

    fn channel_of_payload(&self, channel: &str) -> Value {
        json!({ "id": channel, "name": self.channel_label(channel) })
    }

    /// A message that a person sees.
    fn seen_by(&self, user: &str, channel: &str, ts: &str) -> Result<(), Impossible> {
        self.present(user, channel)?;
        match self.message(channel, ts) {
            Some(message) if message.only_for.as_deref().is_none_or(|only| only == user) => Ok(()),
            _ => Err(Impossible::NoSuchMessage(ts.to_owned())),
        }
    }
}

/// What Slack makes of a text that a person typed.
fn rich_text(text: &str) -> Vec<Value> {
    let mut elements = Vec::new();
    let mut rest = text;
    while let Some((before, tail)) = rest.split_once("<@") {
        let Some((user, after)) = tail.split_once('>') else {
            break;
        };
        if !before.is_empty() {
            elements.push(json!({ "type": "text", "text": before }));
        }
        elements.push(json!({ "type": "user", "user_id": user }));
        rest = after;
    }
    if !rest.is_empty() {
        elements.push(json!({ "type": "text", "text": rest }));
    }
    vec![json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": elements }] })]
}
