//! Messages: posted, shown to one person, edited, deleted.

use serde_json::{Value, json};

use crate::api::{Answer, Refusal};
use crate::blocks;
use crate::call::Arguments;
use crate::state::State;
use crate::state::message::{Author, Content, Draft};
use crate::world::ChannelKind;

/// What a content is for: the limits differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A new message.
    Post,
    /// A new text for an old one.
    Update,
    /// An answer to a payload.
    Response,
}

/// Text beyond this is cut, in characters.
const TEXT: usize = 40_000;
/// The text of an edit may be this long, in characters.
const UPDATED_TEXT: usize = 4_000;
/// All text in Markdown together, in characters.
const MARKDOWN: usize = 12_000;
/// The blocks of a message as JSON, in bytes.
const BLOCKS_BYTES: usize = 13_200;
/// The metadata of a message as JSON, in bytes.
const METADATA_BYTES: usize = 8_000;
const ATTACHMENTS: usize = 100;

/// Reads and checks what a message is to say.
pub(crate) fn content_of(arguments: &Arguments, purpose: Purpose) -> Result<Content, Refusal> {
    let mut text = arguments.text("text").unwrap_or_default();
    let limit = if purpose == Purpose::Update { UPDATED_TEXT } else { TEXT };
    let length = text.chars().count();
    if length > limit {
        if purpose != Purpose::Post {
            return Err("msg_too_long".into());
        }
        text = text.chars().take(TEXT).collect();
    }
    let mut blocks = block_list(arguments)?;
    if let Some(markdown) = arguments.text("markdown_text") {
        if !text.is_empty() || !blocks.is_empty() {
            return Err("markdown_text_conflict".into());
        }
        if markdown.chars().count() > MARKDOWN {
            return Err("msg_too_long".into());
        }
        blocks.push(json!({ "type": "markdown", "text": markdown }));
    }
    let attachments = attachment_list(arguments)?;
    let metadata = metadata_of(arguments)?;
    if text.trim().is_empty() && blocks.is_empty() && attachments.is_empty() {
        return Err("no_text".into());
    }
    Ok(Content { text, blocks, attachments, metadata })
}

fn block_list(arguments: &Arguments) -> Result<Vec<Value>, Refusal> {
    let list = match arguments.structure("blocks") {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(Value::Array(list))) => list,
        Ok(Some(_)) | Err(_) => return Err("invalid_blocks_format".into()),
    };
    let problems = blocks::problems(&list, blocks::Surface::Message, "/blocks");
    if !problems.is_empty() {
        return Err(Refusal::with_messages("invalid_blocks", &problems));
    }
    if Value::from(list.clone()).to_string().len() > BLOCKS_BYTES {
        return Err("msg_blocks_too_long".into());
    }
    let markdown = list.iter().filter(|block| block.get("type").is_some_and(|kind| kind == "markdown"));
    let length: usize = markdown.filter_map(|block| block.get("text")?.as_str()).map(|text| text.chars().count()).sum();
    if length > MARKDOWN {
        return Err("msg_too_long".into());
    }
    Ok(list)
}

fn attachment_list(arguments: &Arguments) -> Result<Vec<Value>, Refusal> {
    let list = match arguments.structure("attachments") {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(Value::Array(list))) => list,
        Ok(Some(_)) | Err(_) => return Err("invalid_attachments".into()),
    };
    if list.len() > ATTACHMENTS {
        return Err("too_many_attachments".into());
    }
    let mut problems = Vec::new();
    let mut bytes = 0;
    for (index, attachment) in list.iter().enumerate() {
        let Some(fields) = attachment.as_object() else {
            return Err("invalid_attachments".into());
        };
        let Some(inner) = fields.get("blocks") else {
            if ["text", "fallback", "title", "fields", "image_url", "pretext"]
                .iter()
                .all(|key| !fields.contains_key(*key))
            {
                return Err("no_text".into());
            }
            continue;
        };
        let Some(inner) = inner.as_array() else {
            return Err("invalid_attachments".into());
        };
        bytes += Value::from(inner.clone()).to_string().len();
        problems.extend(blocks::problems(inner, blocks::Surface::Message, &format!("/attachments/{index}/blocks")));
    }
    if !problems.is_empty() {
        return Err(Refusal::with_messages("invalid_attachments", &problems));
    }
    if bytes > BLOCKS_BYTES {
        return Err("msg_blocks_too_long".into());
    }
    Ok(list)
}

fn metadata_of(arguments: &Arguments) -> Result<Option<Value>, Refusal> {
    let Ok(metadata) = arguments.structure("metadata") else {
        return Err("invalid_metadata_format".into());
    };
    let Some(metadata) = metadata else {
        return Ok(None);
    };
    if metadata.to_string().len() > METADATA_BYTES {
        return Err("metadata_too_large".into());
    }
    let typed = metadata.get("event_type").is_some_and(Value::is_string);
    if !typed || !metadata.get("event_payload").is_some_and(Value::is_object) {
        return Err("invalid_metadata_schema".into());
    }
    Ok(Some(metadata))
}

impl State {
    /// The channel that an argument names: an id, a name, a person.
    pub(crate) fn place(&mut self, arguments: &Arguments, key: &str) -> Result<String, Refusal> {
        let Some(given) = arguments.text(key) else {
            return Err("channel_not_found".into());
        };
        if self.user(&given).is_some() {
            return Ok(self.direct_message(&given));
        }
        let name = given.strip_prefix('#').unwrap_or(&given);
        let bot = self.bot_user();
        let found = self
            .world
            .channels
            .iter()
            .find(|channel| channel.id == given || (!channel.name.is_empty() && channel.name == name))
            .filter(|channel| channel.kind == ChannelKind::Public || channel.members.contains(&bot));
        found.map(|channel| channel.id.clone()).ok_or_else(|| "channel_not_found".into())
    }

    /// The channel where the bot may write.
    fn place_to_write(&mut self, arguments: &Arguments) -> Result<String, Refusal> {
        let id = self.place(arguments, "channel")?;
        let bot = self.bot_user();
        let everywhere = self.world.app.bot_scopes.iter().any(|scope| scope == "chat:write.public");
        let Some(channel) = self.channel(&id) else {
            return Err("channel_not_found".into());
        };
        if channel.archived {
            return Err("is_archived".into());
        }
        if !channel.members.contains(&bot) && !everywhere {
            return Err("not_in_channel".into());
        }
        Ok(id)
    }

    /// The thread that a message goes into.
    fn thread_of(&self, arguments: &Arguments, channel: &str) -> Result<Option<String>, Refusal> {
        let Some(thread) = arguments.text("thread_ts") else {
            return Ok(None);
        };
        match self.message(channel, &thread) {
            None => Err("thread_not_found".into()),
            Some(parent) if parent.only_for.is_some() => Err("cannot_reply_to_message".into()),
            Some(parent) => Ok(Some(parent.thread.clone().unwrap_or(thread))),
        }
    }
}

pub(crate) fn post_message(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = state.place_to_write(arguments)?;
    let content = content_of(arguments, Purpose::Post)?;
    let thread = state.thread_of(arguments, &channel)?;
    let mut draft = Draft::new(&channel, Author::App, content).in_thread(thread);
    draft.broadcast = draft.thread.is_some() && arguments.flag("reply_broadcast");
    if let Some(thread) = &draft.thread {
        state.statuses.remove(&(channel.clone(), thread.clone()));
    }
    let ts = state.post(draft);
    Ok(json!({ "channel": channel, "ts": ts, "message": state.message_json(&channel, &ts) }))
}

pub(crate) fn post_ephemeral(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = state.place_to_write(arguments)?;
    let content = content_of(arguments, Purpose::Post)?;
    let user = arguments.text("user").unwrap_or_default();
    if state.user(&user).is_none() {
        return Err("user_not_found".into());
    }
    if !state.is_member(&channel, &user) {
        return Err("user_not_in_channel".into());
    }
    let thread = state.thread_of(arguments, &channel)?;
    let ts = state.post(Draft::new(&channel, Author::App, content).in_thread(thread).only_for(&user));
    Ok(json!({ "message_ts": ts }))
}

pub(crate) fn update(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = state.place(arguments, "channel")?;
    let ts = own_message(state, arguments, &channel, "cant_update_message")?;
    let window = state.world.patience.edit_ms;
    if window > 0 && state.clock.age(&ts).as_millis() > u128::from(window) {
        return Err("edit_window_closed".into());
    }
    if state.channel(&channel).is_some_and(|channel| channel.archived) {
        return Err("is_archived".into());
    }
    let mut content = content_of(arguments, Purpose::Update)?;
    if content.metadata.is_none() {
        content.metadata = state.message(&channel, &ts).and_then(|message| message.content.metadata.clone());
    }
    state.edit(&channel, &ts, content);
    let message = state.message_json(&channel, &ts);
    let text = message.get("text").cloned();
    Ok(json!({ "channel": channel, "ts": ts, "text": text, "message": message }))
}

pub(crate) fn delete(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = state.place(arguments, "channel")?;
    let ts = own_message(state, arguments, &channel, "cant_delete_message")?;
    state.delete(&channel, &ts);
    Ok(json!({ "channel": channel, "ts": ts }))
}

/// The time stamp of a message that the app wrote and everybody can see.
fn own_message(state: &State, arguments: &Arguments, channel: &str, refusal: &'static str) -> Result<String, Refusal> {
    let Some(ts) = arguments.text("ts") else {
        return Err("message_not_found".into());
    };
    match state.message(channel, &ts) {
        Some(message) if message.only_for.is_none() && message.subtype != Some("tombstone") => {
            if message.author == Author::App { Ok(ts) } else { Err(refusal.into()) }
        }
        _ => Err("message_not_found".into()),
    }
}

pub(crate) fn permalink(state: &mut State, arguments: &Arguments) -> Answer {
    let channel = state.place(arguments, "channel")?;
    let ts = arguments.text("message_ts").unwrap_or_default();
    let Some(message) = state.message(&channel, &ts).filter(|message| message.only_for.is_none()) else {
        return Err("message_not_found".into());
    };
    let thread = message.thread.as_ref().map(|thread| format!("?thread_ts={thread}&cid={channel}")).unwrap_or_default();
    let short: String = ts.chars().filter(char::is_ascii_digit).collect();
    let link = format!("https://{}.slack.com/archives/{channel}/p{short}{thread}", state.world.team.domain);
    Ok(json!({ "channel": channel, "permalink": link }))
}
