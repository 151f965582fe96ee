//! What tests can read back.

use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;

use crate::blocks;
use crate::call::Call;
use crate::server::Slack;
use crate::state::State;
use crate::state::message::{Author, Content, Message};
use crate::state::socket::EnvelopeKind;

/// An acknowledgement, as it arrived.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Ack {
    /// Which envelope.
    pub envelope: String,
    /// What that carried; none for an envelope that was never sent.
    pub kind: Option<EnvelopeKind>,
    /// The number of the socket that brought it.
    pub connection: u64,
    /// What came with it.
    pub payload: Option<Value>,
    /// Milliseconds since the envelope was sent.
    pub after_ms: Option<f64>,
    /// Whether Slack had not given up by then.
    pub in_time: bool,
}

/// An envelope that was sent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Delivered {
    /// Its id.
    pub envelope: String,
    /// What it carries.
    pub kind: EnvelopeKind,
    /// The number of the socket it went to.
    pub connection: u64,
    /// How often it was sent before.
    pub attempt: u32,
    /// What is in it.
    pub payload: Value,
}

/// What Slack itself tells a person who waits in vain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// Who is told.
    pub user: String,
    /// `operation_timeout`, `dispatch_failed`, `invalid_command_response`, ...
    pub why: String,
}

/// A message as a person sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Seen {
    /// Where.
    pub channel: String,
    /// Its time stamp.
    pub ts: String,
    /// The time stamp of the message it replies to.
    pub thread: Option<String>,
    /// The user id of who wrote it.
    pub author: String,
    /// The plain text: what a notification shows, and the message where it has no blocks.
    pub text: String,
    /// All text that is on the screen, a line for each piece.
    pub shown: String,
    /// The labels of its buttons.
    pub buttons: Vec<String>,
    /// Its blocks.
    pub blocks: Vec<Value>,
    /// Its attachments.
    pub attachments: Vec<Value>,
    /// What programs read in it.
    pub metadata: Option<Value>,
    /// The ids of its files.
    pub files: Vec<String>,
    /// How often it was edited.
    pub edits: u32,
    /// What was on the screen before each edit.
    pub before: Vec<String>,
    /// The only person who sees it.
    pub only_for: Option<String>,
    /// Names of emoji, each with who reacted.
    pub reactions: Vec<(String, Vec<String>)>,
}

/// A view as a person sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SeenView {
    /// `V...`
    pub id: String,
    /// What the app calls it.
    pub callback_id: String,
    /// Its title.
    pub title: String,
    /// All text that is on the screen.
    pub shown: String,
    /// All of it.
    pub content: Value,
    /// What stands in its fields: by block and action.
    pub values: Value,
    /// What the app found wrong with the last submission, by block.
    pub errors: Option<Value>,
    /// Whether it is the home.
    pub home: bool,
}

/// Waited in vain.
#[derive(Clone, Debug)]
pub struct TimedOut {
    limit: Duration,
    happened: String,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "nothing of that kind within {:?}; until then: {}", self.limit, self.happened)
    }
}

impl std::error::Error for TimedOut {}

impl Slack {
    /// All calls of the Web API, of upload URLs (`upload`) and of response URLs (`response_url`), the oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.shared.look(|state| state.calls.clone())
    }

    /// The calls of one method.
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.shared.look(|state| state.calls.iter().filter(|call| call.method == method).cloned().collect())
    }

    /// The messages of a channel, those of threads too, without ephemeral ones, the oldest first.
    pub fn messages(&self, channel: &str) -> Vec<Seen> {
        self.shared.look(|state| state.visible(channel).map(|message| state.seen(message)).collect())
    }

    /// A message and its replies.
    pub fn thread(&self, channel: &str, ts: &str) -> Vec<Seen> {
        self.shared.look(|state| {
            let parent = state.message(channel, ts).filter(|message| message.only_for.is_none());
            parent.into_iter().chain(state.replies(channel, ts)).map(|message| state.seen(message)).collect()
        })
    }

    /// One message, an ephemeral one too.
    pub fn message(&self, channel: &str, ts: &str) -> Option<Seen> {
        self.shared.look(|state| state.message(channel, ts).map(|message| state.seen(message)))
    }

    /// What only that person sees, in all channels, the oldest first.
    pub fn ephemerals(&self, user: &str) -> Vec<Seen> {
        self.shared.look(|state| {
            let mut found: Vec<Seen> = state
                .messages
                .values()
                .filter(|message| message.only_for.as_deref() == Some(user))
                .map(|message| state.seen(message))
                .collect();
            found.sort_by(|one, other| one.ts.cmp(&other.ts));
            found
        })
    }

    /// The modals that a person has open, the topmost last.
    pub fn views(&self, user: &str) -> Vec<SeenView> {
        self.shared.look(|state| state.stack(user).into_iter().map(seen_view).collect())
    }

    /// The home that the app shows to a person.
    pub fn home(&self, user: &str) -> Option<SeenView> {
        self.shared.look(|state| state.views.values().find(|view| view.home && view.user == user).map(seen_view))
    }

    /// The bytes of a file that was shared.
    pub fn file(&self, id: &str) -> Option<Vec<u8>> {
        self.shared.look(|state| state.files.get(id).filter(|file| file.complete).and_then(|file| file.bytes.clone()))
    }

    /// The acknowledgements, in their order.
    pub fn acks(&self) -> Vec<Ack> {
        self.shared.look(|state| state.sockets.acks.clone())
    }

    /// The envelopes that were sent, in their order, repeated ones as often as they were.
    pub fn delivered(&self) -> Vec<Delivered> {
        self.shared.look(|state| state.sockets.delivered.clone())
    }

    /// What Slack itself told people.
    pub fn warnings(&self) -> Vec<Warning> {
        self.shared.look(|state| state.warnings.clone())
    }

    /// What the app says it is doing in a thread.
    pub fn status(&self, channel: &str, thread: &str) -> Option<String> {
        self.shared.look(|state| state.statuses.get(&(channel.to_owned(), thread.to_owned())).cloned())
    }

    /// The numbers of the sockets that are open.
    pub fn connections(&self) -> Vec<u64> {
        self.shared.look(|state| state.sockets.open.keys().copied().collect())
    }

    /// How many sockets were ever opened.
    pub fn connections_opened(&self) -> u64 {
        self.shared.look(|state| state.sockets.opened)
    }

    /// The options that the app offered for a menu; see [`crate::Person::types_into`].
    pub fn suggestions(&self, envelope: &str) -> Option<Value> {
        self.shared.look(|state| state.suggestions.get(envelope).cloned())
    }

    /// Waits until a look at the server finds something.
    ///
    /// # Errors
    /// It did not within the limit.
    pub async fn wait_for<T>(&self, limit: Duration, find: impl Fn(&Self) -> Option<T> + Send) -> Result<T, TimedOut> {
        let mut changes = self.shared.changes();
        let search = async {
            loop {
                changes.mark_unchanged();
                if let Some(found) = find(self) {
                    return Some(found);
                }
                if changes.changed().await.is_err() {
                    return None;
                }
            }
        };
        match tokio::time::timeout(limit, search).await {
            Ok(Some(found)) => Ok(found),
            Ok(None) | Err(_) => Err(TimedOut { limit, happened: self.shared.look(State::summary) }),
        }
    }

    /// Waits until that many sockets are open.
    ///
    /// # Errors
    /// They were not within the limit.
    pub async fn wait_for_connections(&self, count: usize, limit: Duration) -> Result<Vec<u64>, TimedOut> {
        self.wait_for(limit, |server| Some(server.connections()).filter(|open| open.len() >= count)).await
    }

    /// Waits for the acknowledgement of an envelope.
    ///
    /// # Errors
    /// It did not come within the limit.
    pub async fn wait_for_ack(&self, envelope: &str, limit: Duration) -> Result<Ack, TimedOut> {
        self.wait_for(limit, |server| server.acks().into_iter().find(|ack| ack.envelope == envelope)).await
    }

    /// Waits for a message of the app in a channel that shows a text, the newest such.
    ///
    /// # Errors
    /// There was none within the limit.
    pub async fn wait_for_message(&self, channel: &str, text: &str, limit: Duration) -> Result<Seen, TimedOut> {
        self.wait_for(limit, |server| {
            let bot = server.shared.look(State::bot_user);
            let found = server.messages(channel).into_iter().rev();
            found.filter(|seen| seen.author == bot).find(|seen| seen.shows(text))
        })
        .await
    }

    /// Waits for something that only one person sees and that shows a text, the newest such.
    ///
    /// # Errors
    /// There was none within the limit.
    pub async fn wait_for_ephemeral(&self, user: &str, text: &str, limit: Duration) -> Result<Seen, TimedOut> {
        self.wait_for(limit, |server| server.ephemerals(user).into_iter().rev().find(|seen| seen.shows(text))).await
    }
}

impl Seen {
    /// Whether a text is on the screen, or in the notification.
    pub fn shows(&self, text: &str) -> bool {
        self.shown.contains(text) || self.text.contains(text)
    }
}

impl State {
    pub(crate) fn seen(&self, message: &Message) -> Seen {
        let Content { text, blocks, attachments, metadata } = message.content.clone();
        let buttons = blocks::interactive(message.all_blocks())
            .into_iter()
            .filter(|(_, element)| element.get("type").is_some_and(|kind| kind == "button"))
            .filter_map(|(_, element)| element.pointer("/text/text").and_then(Value::as_str).map(str::to_owned))
            .collect();
        Seen {
            channel: message.channel.clone(),
            ts: message.ts.clone(),
            thread: message.thread.clone(),
            author: self.author_id(&message.author),
            shown: on_screen(&message.content),
            text,
            buttons,
            blocks,
            attachments,
            metadata,
            files: message.files.clone(),
            edits: message.edits,
            before: message.before.iter().map(on_screen).collect(),
            only_for: message.only_for.clone(),
            reactions: message.reactions.clone().into_iter().collect(),
        }
    }

    /// What happened, in a few lines, for a test that failed.
    fn summary(&self) -> String {
        let calls = self.calls.iter().rev().take(12).rev().map(|call| {
            let error = call.error.as_deref().unwrap_or("ok");
            format!("{} {} {error}", call.method, call.status)
        });
        let calls: Vec<String> = calls.collect();
        let messages = self.messages.values().filter(|message| message.author == Author::App).count();
        format!(
            "{} sockets open, {} envelopes sent, {} acknowledged, {messages} messages of the app, warnings {:?}, the last \
             calls {calls:?}",
            self.sockets.open.len(),
            self.sockets.delivered.len(),
            self.sockets.acks.len(),
            self.warnings
        )
    }
}

impl Message {
    /// Its blocks and those of its attachments.
    pub(crate) fn all_blocks(&self) -> Vec<&Value> {
        let attached = self.content.attachments.iter().filter_map(|one| one.get("blocks")?.as_array()).flatten();
        self.content.blocks.iter().chain(attached).collect()
    }
}

fn on_screen(content: &Content) -> String {
    let mut shown = if content.blocks.is_empty() { content.text.clone() } else { blocks::shown(&content.blocks) };
    for attachment in &content.attachments {
        for key in ["pretext", "title", "text"] {
            if let Some(text) = attachment.get(key).and_then(Value::as_str) {
                shown.push('\n');
                shown.push_str(text);
            }
        }
        if let Some(inner) = attachment.get("blocks").and_then(Value::as_array) {
            shown.push('\n');
            shown.push_str(&blocks::shown(inner));
        }
    }
    shown
}

fn seen_view(view: &crate::state::view::View) -> SeenView {
    let text = |key: &str| view.content.pointer(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let inner = view.content.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    SeenView {
        id: view.id.clone(),
        callback_id: text("/callback_id"),
        title: text("/title/text"),
        shown: blocks::shown(inner),
        content: view.content.clone(),
        values: view.values.clone(),
        errors: view.errors.clone(),
        home: view.home,
    }
}
