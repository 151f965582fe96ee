//! Threads: opening, changing, joining, deleting.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answer::Reply;
use super::messages::visible;
use super::request::Incoming;
use super::routes::id;
use crate::draft::Draft;
use crate::error::{Answered, Form, Refusal};
use crate::id::Id;
use crate::permission::{CREATE_PRIVATE_THREADS, CREATE_PUBLIC_THREADS, MANAGE_THREADS};
use crate::state::channel::{ANNOUNCEMENT, ANNOUNCEMENT_THREAD, Channel, PRIVATE_THREAD, PUBLIC_THREAD, Thread};
use crate::state::message::{HAS_THREAD, Origin};
use crate::state::{State, timestamp};
use crate::validate::{number, text};

/// Minutes a thread may stay open without messages.
const ARCHIVE_MINUTES: [u64; 4] = [60, 1_440, 4_320, 10_080];

pub(crate) fn from_message(state: &mut State, incoming: &Incoming, channel: Id, message: Id) -> Answered<Reply> {
    let parent = state.visible_channel(channel)?;
    let kind = if parent.kind == ANNOUNCEMENT { ANNOUNCEMENT_THREAD } else { PUBLIC_THREAD };
    if !matches!(parent.kind, 0 | ANNOUNCEMENT) {
        return Err(Refusal::wrong_channel_kind());
    }
    visible(state, channel, message)?;
    state.require(channel, CREATE_PUBLIC_THREADS)?;
    if state.channels.contains_key(&message) {
        return Err(Refusal::thread_exists());
    }
    open(state, incoming, channel, message, kind)
}

pub(crate) fn create(state: &mut State, incoming: &Incoming, channel: Id) -> Answered<Reply> {
    let parent = state.visible_channel(channel)?;
    if !matches!(parent.kind, 0 | ANNOUNCEMENT) {
        return Err(Refusal::wrong_channel_kind());
    }
    let kind = match number(&incoming.body, "type") {
        Some(11) => PUBLIC_THREAD,
        Some(10) => ANNOUNCEMENT_THREAD,
        // What Discord takes when nothing is said.
        Some(12) | None => PRIVATE_THREAD,
        Some(_) => {
            let mut form = Form::default();
            form.wrong("type", "BASE_TYPE_CHOICES", "Value must be one of {10, 11, 12}.");
            form.finish()?;
            return Err(Refusal::invalid_form());
        }
    };
    let needed = if kind == PRIVATE_THREAD { CREATE_PRIVATE_THREADS } else { CREATE_PUBLIC_THREADS };
    state.require(channel, needed)?;
    let id = state.new_id();
    open(state, incoming, channel, id, kind)
}

fn open(state: &mut State, incoming: &Incoming, parent: Id, id: Id, kind: u8) -> Answered<Reply> {
    let mut form = Form::default();
    form.text("name", incoming.body.get("name"), 1, 100);
    check_minutes(&mut form, &incoming.body);
    form.finish()?;
    let guild = state.channels.get(&parent).and_then(|parent| parent.guild);
    if let Some(guild) = guild
        && state.active_threads(guild).len() >= state.limits.active_threads
    {
        return Err(Refusal::too_many_threads());
    }
    let (bot, now) = (state.application.id, state.now_ms());
    let name = text(&incoming.body, "name").to_owned();
    let thread = Thread {
        owner: bot,
        archived: false,
        locked: false,
        archive_minutes: number(&incoming.body, "auto_archive_duration").unwrap_or(4_320),
        archive_changed_ms: now,
        members: BTreeSet::from([bot]),
        messages: 0,
    };
    let channel = Channel {
        id,
        kind,
        guild,
        name: name.clone(),
        parent: Some(parent),
        position: 0,
        overwrites: Vec::new(),
        recipient: None,
        thread: Some(thread),
        last_message: None,
    };
    let json = state.channel_json(&channel);
    state.channels.insert(id, channel);
    state.emit_thread("THREAD_CREATE", id);
    match state.messages.get_mut(&id) {
        Some(starter) => {
            starter.flags |= HAS_THREAD;
            state.emit_message("MESSAGE_UPDATE", id);
        }
        // A thread without a message announces itself in its channel.
        None if kind == PUBLIC_THREAD => {
            let draft = Draft { content: Some(name), ..Draft::default() };
            let origin = Origin { author: bot, channel: parent, kind: 18, interaction: None, reader: None };
            state.add_message(origin, draft);
        }
        None => {}
    }
    Ok(Reply::json(201, json))
}

fn check_minutes(form: &mut Form, body: &Value) {
    let minutes = body.get("auto_archive_duration").filter(|minutes| !minutes.is_null());
    if minutes.is_some_and(|minutes| minutes.as_u64().is_none_or(|minutes| !ARCHIVE_MINUTES.contains(&minutes))) {
        form.wrong("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of {60, 1440, 4320, 10080}.");
    }
}

pub(crate) fn change(state: &mut State, incoming: &Incoming, channel: Id) -> Answered<Reply> {
    let found = state.visible_channel(channel)?;
    let Some(thread) = &found.thread else { return Err(Refusal::missing_permissions()) };
    let body = &incoming.body;
    let archived = body.get("archived").and_then(Value::as_bool);
    let locked = body.get("locked").and_then(Value::as_bool);
    let is_owner = thread.owner == state.application.id;
    if !is_owner || locked.is_some_and(|locked| locked != thread.locked) {
        state.require(channel, MANAGE_THREADS)?;
    }
    if thread.archived && archived != Some(false) {
        return Err(Refusal::thread_archived());
    }
    let mut form = Form::default();
    if body.get("name").is_some() {
        form.text("name", body.get("name"), 1, 100);
    }
    check_minutes(&mut form, body);
    form.finish()?;
    let now = state.now_ms();
    if let Some(channel) = state.channels.get_mut(&channel) {
        if let Some(name) = body.get("name").and_then(Value::as_str) {
            name.clone_into(&mut channel.name);
        }
        if let Some(thread) = &mut channel.thread {
            if archived.is_some_and(|archived| archived != thread.archived) {
                thread.archive_changed_ms = now;
            }
            thread.archived = archived.unwrap_or(thread.archived);
            thread.locked = locked.unwrap_or(thread.locked);
            thread.archive_minutes = number(body, "auto_archive_duration").unwrap_or(thread.archive_minutes);
        }
    }
    state.emit_thread("THREAD_UPDATE", channel);
    let changed = state.channels.get(&channel).ok_or_else(Refusal::unknown_channel)?;
    Ok(Reply::json(200, state.channel_json(changed)))
}

pub(crate) fn delete(state: &mut State, channel: Id) -> Answered<Reply> {
    let found = state.visible_channel(channel)?;
    if found.thread.is_none() {
        return Err(Refusal::missing_permissions());
    }
    state.require(channel, MANAGE_THREADS)?;
    let json = state.channel_json(found);
    state.remove_thread(channel);
    Ok(Reply::json(200, json))
}

impl State {
    /// Takes a thread away with all that was said in it.
    pub(crate) fn remove_thread(&mut self, thread: Id) {
        self.emit_thread("THREAD_DELETE", thread);
        self.channels.remove(&thread);
        for message in self.messages.values_mut().filter(|message| message.channel == thread) {
            message.deleted = true;
        }
        if let Some(starter) = self.messages.get_mut(&thread) {
            starter.flags &= !HAS_THREAD;
        }
    }
}

pub(crate) fn members(state: &mut State, incoming: &Incoming, channel: Id, rest: &[&str]) -> Answered<Reply> {
    let found = state.visible_channel(channel)?;
    let Some(thread) = &found.thread else { return Err(Refusal::wrong_channel_kind()) };
    let bot = state.application.id;
    let member = |user: &Id| json!({"id": channel, "user_id": user, "join_timestamp": timestamp(channel.created_ms()), "flags": 1});
    let user = match rest {
        [] if incoming.method == "GET" => {
            return Ok(Reply::json(200, thread.members.iter().map(member).collect()));
        }
        ["@me"] => bot,
        [user] => id(user)?,
        _ => return Err(Refusal::not_found()),
    };
    if thread.archived && incoming.method != "GET" {
        return Err(Refusal::thread_archived());
    }
    match incoming.method.as_str() {
        "GET" if thread.members.contains(&user) => return Ok(Reply::json(200, member(&user))),
        "GET" => return Err(Refusal::unknown_member()),
        "DELETE" if user != bot => state.require(channel, MANAGE_THREADS)?,
        _ => {}
    }
    let joins = incoming.method == "PUT";
    if joins && state.users.contains_key(&user) && found.guild.is_none_or(|it| state.member(it, user).is_none()) {
        return Err(Refusal::unknown_member());
    }
    if let Some(thread) = state.channels.get_mut(&channel).and_then(|channel| channel.thread.as_mut()) {
        if joins {
            thread.members.insert(user);
        } else {
            thread.members.remove(&user);
        }
    }
    Ok(Reply::none(204))
}
