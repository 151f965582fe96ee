//! Conversations: which there are, who is in them, what was said.

use serde_json::{Value, json};

use crate::api::{Answer, Refusal};
use crate::call::Arguments;
use crate::state::State;
use crate::world::{Channel, ChannelKind};

/// How many items a page holds where nothing is said.
const PAGE: usize = 100;
/// How many items a page can hold.
const LARGEST_PAGE: usize = 1_000;

pub(crate) fn info(state: &mut State, arguments: &Arguments) -> Answer {
    let id = state.place(arguments, "channel")?;
    let count = arguments.flag("include_num_members");
    let Some(channel) = state.channel(&id) else {
        return Err("channel_not_found".into());
    };
    let mut json = state.channel_json(channel);
    if let Some(fields) = json.as_object_mut().filter(|_| count) {
        fields.insert("num_members".into(), channel.members.len().into());
    }
    Ok(json!({ "channel": json }))
}

pub(crate) fn list(state: &mut State, arguments: &Arguments) -> Answer {
    let bot = state.bot_user();
    let all: Vec<Value> = state
        .listed(arguments)
        .filter(|channel| channel.kind == ChannelKind::Public || channel.members.contains(&bot))
        .map(|channel| state.channel_json(channel))
        .collect();
    page(arguments, "channels", all)
}

pub(crate) fn of_user(state: &mut State, arguments: &Arguments) -> Answer {
    let user = arguments.text("user").unwrap_or_else(|| state.bot_user());
    let bot = state.bot_user();
    let all: Vec<Value> = state
        .listed(arguments)
        .filter(|channel| channel.members.contains(&user))
        .filter(|channel| channel.kind == ChannelKind::Public || channel.members.contains(&bot))
        .map(|channel| state.channel_json(channel))
        .collect();
    page(arguments, "channels", all)
}

pub(crate) fn members(state: &mut State, arguments: &Arguments) -> Answer {
    let id = state.place(arguments, "channel")?;
    let members = state.channel(&id).map(|channel| channel.members.clone()).unwrap_or_default();
    page(arguments, "members", members.into_iter().map(Value::from).collect())
}

pub(crate) fn history(state: &mut State, arguments: &Arguments) -> Answer {
    let id = readable(state, arguments)?;
    let newest_first: Vec<Value> = state
        .visible(&id)
        .rev()
        .filter(|message| message.thread.is_none() || message.broadcast)
        .filter(|message| within(arguments, &message.ts))
        .map(|message| with_metadata(arguments, state.message_json(&id, &message.ts)))
        .collect();
    page(arguments, "messages", newest_first)
}

pub(crate) fn replies(state: &mut State, arguments: &Arguments) -> Answer {
    let id = readable(state, arguments)?;
    let ts = arguments.text("ts").unwrap_or_default();
    let Some(message) = state.message(&id, &ts).filter(|message| message.only_for.is_none()) else {
        return Err("thread_not_found".into());
    };
    let parent = message.thread.clone().unwrap_or_else(|| ts.clone());
    let stamps = state.replies(&id, &parent).into_iter().map(|reply| reply.ts.clone());
    let all: Vec<Value> = stamps
        .filter(|ts| within(arguments, ts))
        .map(|ts| with_metadata(arguments, state.message_json(&id, &ts)))
        .collect();
    let mut messages = vec![with_metadata(arguments, state.message_json(&id, &parent))];
    messages.extend(all);
    page(arguments, "messages", messages)
}

pub(crate) fn open(state: &mut State, arguments: &Arguments) -> Answer {
    let users = arguments.text("users").unwrap_or_default();
    if users.is_empty() {
        let id = state.place(arguments, "channel")?;
        return Ok(json!({ "channel": { "id": id } }));
    }
    if users.contains(',') {
        return Err("not_enough_users".into());
    }
    if state.user(&users).is_none() {
        return Err("user_not_found".into());
    }
    if users == state.bot_user() {
        return Err("cannot_dm_bot".into());
    }
    let id = state.direct_message(&users);
    Ok(json!({ "no_op": false, "already_open": false, "channel": { "id": id } }))
}

pub(crate) fn join(state: &mut State, arguments: &Arguments) -> Answer {
    let id = state.place(arguments, "channel")?;
    let bot = state.bot_user();
    let Some(channel) = state.world.channels.iter_mut().find(|channel| channel.id == id) else {
        return Err("channel_not_found".into());
    };
    if channel.archived {
        return Err("is_archived".into());
    }
    if channel.kind != ChannelKind::Public {
        return Err("method_not_supported_for_channel_type".into());
    }
    if !channel.members.contains(&bot) {
        channel.members.push(bot);
    }
    let channel = channel.clone();
    Ok(json!({ "channel": state.channel_json(&channel) }))
}

fn readable(state: &mut State, arguments: &Arguments) -> Result<String, Refusal> {
    let id = state.place(arguments, "channel")?;
    let bot = state.bot_user();
    if state.is_member(&id, &bot) { Ok(id) } else { Err("not_in_channel".into()) }
}

fn within(arguments: &Arguments, ts: &str) -> bool {
    let inclusive = arguments.flag("inclusive");
    let after = arguments.text("oldest").is_none_or(|oldest| ts > oldest.as_str() || (inclusive && ts == oldest));
    let before = arguments.text("latest").is_none_or(|latest| ts < latest.as_str() || (inclusive && ts == latest));
    after && before
}

fn with_metadata(arguments: &Arguments, mut message: Value) -> Value {
    if let Some(fields) = message.as_object_mut().filter(|_| !arguments.flag("include_all_metadata")) {
        fields.remove("metadata");
    }
    message
}

/// One page, with the cursor of the next.
pub(crate) fn page(arguments: &Arguments, key: &str, all: Vec<Value>) -> Answer {
    let limit = arguments.number("limit").filter(|limit| *limit > 0).unwrap_or(PAGE).min(LARGEST_PAGE);
    let start = match arguments.text("cursor") {
        None => 0,
        Some(cursor) => match cursor.strip_prefix("next:").and_then(|number| number.parse::<usize>().ok()) {
            Some(start) if start < all.len() => start,
            _ => return Err("invalid_cursor".into()),
        },
    };
    let end = start.saturating_add(limit);
    let more = end < all.len();
    let next = if more { format!("next:{end}") } else { String::new() };
    let items: Vec<Value> = all.into_iter().skip(start).take(limit).collect();
    let mut answer = json!({ "response_metadata": { "next_cursor": next } });
    if let Some(fields) = answer.as_object_mut() {
        fields.insert(key.to_owned(), items.into());
        if key == "messages" {
            fields.insert("has_more".to_owned(), more.into());
        }
    }
    Ok(answer)
}

impl State {
    fn listed(&self, arguments: &Arguments) -> impl Iterator<Item = &Channel> {
        let types = arguments.text("types").unwrap_or_else(|| "public_channel".to_owned());
        let without_archived = arguments.flag("exclude_archived");
        self.world.channels.iter().filter(move |channel| {
            let name = match channel.kind {
                ChannelKind::Public => "public_channel",
                ChannelKind::Private => "private_channel",
                ChannelKind::Im => "im",
                ChannelKind::Mpim => "mpim",
            };
            types.split(',').any(|one| one.trim() == name) && !(without_archived && channel.archived)
        })
    }

    /// A channel as the Web API shows it.
    pub(crate) fn channel_json(&self, channel: &Channel) -> Value {
        let kind = channel.kind;
        let bot = &self.world.app.bot_user;
        if kind == ChannelKind::Im {
            let user = channel.members.iter().find(|member| *member != bot);
            return json!({
                "id": channel.id, "created": 1_700_000_000, "is_im": true, "is_archived": false, "is_org_shared": false,
                "user": user, "is_open": true, "is_user_deleted": false, "priority": 0,
                "context_team_id": self.world.team.id, "is_channel": false, "is_group": false, "is_private": true,
            });
        }
        let empty = json!({ "value": "", "creator": "", "last_set": 0 });
        json!({
            "id": channel.id, "name": channel.name, "name_normalized": channel.name, "created": 1_700_000_000,
            "creator": "U0ANNA", "is_channel": kind == ChannelKind::Public, "is_group": kind == ChannelKind::Private,
            "is_im": false, "is_mpim": kind == ChannelKind::Mpim, "is_private": kind != ChannelKind::Public,
            "is_archived": channel.archived, "is_general": channel.name == "general", "is_shared": channel.shared,
            "is_ext_shared": channel.shared, "is_org_shared": false, "is_member": channel.members.contains(bot),
            "unlinked": 0, "topic": empty, "purpose": empty, "previous_names": [],
            "context_team_id": self.world.team.id,
        })
    }

    /// The direct message with a person; it is opened where there is none.
    pub(crate) fn direct_message(&mut self, user: &str) -> String {
        let open = self
            .world
            .channels
            .iter()
            .find(|channel| channel.kind == ChannelKind::Im && channel.members.iter().any(|member| member == user));
        if let Some(channel) = open {
            return channel.id.clone();
        }
        let id = self.id("D");
        let members = vec![user.to_owned(), self.bot_user()];
        self.world.channels.push(Channel {
            id: id.clone(),
            name: String::new(),
            kind: ChannelKind::Im,
            members,
            archived: false,
            shared: false,
        });
        id
    }
}
