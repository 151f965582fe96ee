//! Files in three steps: a URL, the bytes, the completion.

use serde_json::{Value, json};

use crate::api::{Answer, Refusal};
use crate::blocks;
use crate::call::Arguments;
use crate::state::State;
use crate::state::file::File;
use crate::state::message::{Author, Content, Draft};

pub(crate) fn upload_url(state: &mut State, arguments: &Arguments) -> Answer {
    let (Some(name), Some(length)) =
        (arguments.text("filename"), arguments.number("length").filter(|length| *length > 0))
    else {
        let messages = ["filename", "length"]
            .iter()
            .filter(|key| !arguments.has(key))
            .map(|key| format!("missing required field: {key}"))
            .collect::<Vec<_>>();
        return Err(Refusal::with_messages("invalid_arguments", &messages));
    };
    let id = state.id("F");
    let upload = format!("/upload/v1/{}", state.secret());
    let url = format!("http://{}{upload}", state.address);
    let created = state.clock.seconds();
    let file = File {
        id: id.clone(),
        title: name.clone(),
        name,
        declared: length,
        bytes: None,
        complete: false,
        channels: Vec::new(),
        created,
        upload,
    };
    state.files.insert(id.clone(), file);
    Ok(json!({ "upload_url": url, "file_id": id }))
}

pub(crate) fn complete(state: &mut State, arguments: &Arguments) -> Answer {
    let Ok(Some(Value::Array(list))) = arguments.structure("files") else {
        return Err(Refusal::with_messages("invalid_arguments", &["missing required field: files".to_owned()]));
    };
    let channels = channels_of(state, arguments)?;
    let thread = arguments.text("thread_ts");
    for channel in &channels {
        if let Some(thread) = &thread
            && state.message(channel, thread).is_none()
        {
            return Err("invalid_thread_ts".into());
        }
    }
    let blocks = shared_blocks(arguments)?;
    let mut ids = Vec::new();
    for entry in &list {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        match state.files.get(id) {
            Some(file) if file.bytes.is_some() && !file.complete => ids.push(id.to_owned()),
            Some(file) if file.complete => return Err("file_update_failed".into()),
            _ => return Err("file_not_found".into()),
        }
    }
    if ids.is_empty() {
        return Err("invalid_arguments".into());
    }
    for (entry, id) in list.iter().zip(&ids) {
        if let Some(file) = state.files.get_mut(id) {
            file.complete = true;
            file.channels.clone_from(&channels);
            if let Some(title) = entry.get("title").and_then(Value::as_str) {
                title.clone_into(&mut file.title);
            }
        }
    }
    for channel in &channels {
        let text = arguments.text("initial_comment").unwrap_or_default();
        let content = Content { text, blocks: blocks.clone(), ..Content::default() };
        let mut draft = Draft::new(channel, Author::App, content).in_thread(thread.clone());
        draft.files.clone_from(&ids);
        state.post(draft);
    }
    let files: Vec<Value> = ids.iter().filter_map(|id| state.file_json(id)).collect();
    Ok(json!({ "files": files }))
}

fn channels_of(state: &mut State, arguments: &Arguments) -> Result<Vec<String>, Refusal> {
    let listed = [arguments.text("channel_id"), arguments.text("channels")];
    let bot = state.bot_user();
    let mut channels = Vec::new();
    for id in listed.iter().flatten().flat_map(|list| list.split(',')) {
        let id = id.trim();
        match state.channel(id) {
            Some(channel) if channel.archived => return Err("is_archived".into()),
            Some(channel) if channel.members.contains(&bot) => channels.push(id.to_owned()),
            Some(channel) if channel.kind == crate::world::ChannelKind::Public => return Err("not_in_channel".into()),
            _ => return Err("channel_not_found".into()),
        }
    }
    Ok(channels)
}

fn shared_blocks(arguments: &Arguments) -> Result<Vec<Value>, Refusal> {
    // With a comment, Slack ignores the blocks.
    if arguments.has("initial_comment") {
        return Ok(Vec::new());
    }
    let list = match arguments.structure("blocks") {
        Ok(None) => return Ok(Vec::new()),
        Ok(Some(Value::Array(list))) => list,
        Ok(Some(_)) | Err(_) => return Err("invalid_blocks_format".into()),
    };
    let problems = blocks::problems(&list, blocks::Surface::Message, "/blocks");
    if problems.is_empty() { Ok(list) } else { Err(Refusal::with_messages("invalid_blocks", &problems)) }
}

pub(crate) fn info(state: &mut State, arguments: &Arguments) -> Answer {
    let id = arguments.text("file").unwrap_or_default();
    let done = state.files.get(&id).is_some_and(|file| file.complete);
    match state.file_json(&id).filter(|_| done) {
        Some(file) => Ok(json!({ "file": file, "comments": [], "response_metadata": { "next_cursor": "" } })),
        None => Err("file_not_found".into()),
    }
}

pub(crate) fn delete(state: &mut State, arguments: &Arguments) -> Answer {
    let id = arguments.text("file").unwrap_or_default();
    match state.files.remove(&id) {
        Some(_) => Ok(json!({})),
        None => Err("file_not_found".into()),
    }
}
