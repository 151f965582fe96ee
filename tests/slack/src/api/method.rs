//! The methods: what each needs, and what it does.

use serde_json::json;

use crate::api::{Answer, assistant, chat, conversations, files, people, views};
use crate::call::Arguments;
use crate::limits::Tier;
use crate::state::State;

/// Which token a method takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// That of the bot.
    Bot,
    /// The app-level one.
    App,
    /// Either.
    Any,
    /// It needs none.
    None,
}

/// A method of the Web API.
pub(crate) struct Method {
    pub(crate) run: fn(&mut State, &Arguments) -> Answer,
    pub(crate) tier: Tier,
    pub(crate) takes_json: bool,
    pub(crate) token: Token,
    /// Any of these scopes.
    scopes: &'static [&'static str],
}

const CHANNELS_READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const CHANNELS_HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];

impl Method {
    /// What Slack would say is needed, where none of the scopes is there.
    pub(crate) fn scope(&self, has: impl Fn(&str) -> bool) -> Option<&'static str> {
        let first = self.scopes.first()?;
        (!self.scopes.iter().any(|scope| has(scope))).then_some(*first)
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        use Tier::{Four, One, Posting, Special, Three, Two};
        Some(match name {
            "api.test" => Self { token: Token::None, ..Self::write(api_test, Four, &[]) },
            "auth.test" => Self { token: Token::Any, ..Self::write(people::auth_test, Special, &[]) },
            "apps.connections.open" => {
                Self { token: Token::App, ..Self::write(crate::socket::open, One, &["connections:write"]) }
            }
            "chat.postMessage" => Self::write(chat::post_message, Posting, &["chat:write"]),
            "chat.postEphemeral" => Self::write(chat::post_ephemeral, Four, &["chat:write"]),
            "chat.update" => Self::write(chat::update, Three, &["chat:write"]),
            "chat.delete" => Self::write(chat::delete, Three, &["chat:write"]),
            "chat.getPermalink" => Self::read(chat::permalink, Special, &[]),
            "conversations.info" => Self::read(conversations::info, Three, CHANNELS_READ),
            "conversations.list" => Self::read(conversations::list, Two, CHANNELS_READ),
            "conversations.members" => Self::read(conversations::members, Four, CHANNELS_READ),
            "conversations.history" => Self::read(conversations::history, Three, CHANNELS_HISTORY),
            "conversations.replies" => Self::read(conversations::replies, Three, CHANNELS_HISTORY),
            "conversations.open" => Self::write(conversations::open, Three, &["im:write"]),
            "conversations.join" => Self::write(conversations::join, Three, &["channels:join"]),
            "users.conversations" => Self::read(conversations::of_user, Three, CHANNELS_READ),
            "users.info" => Self::read(people::user_info, Four, &["users:read"]),
            "users.list" => Self::read(people::user_list, Two, &["users:read"]),
            "usergroups.list" => Self::read(people::group_list, Two, &["usergroups:read"]),
            "usergroups.users.list" => Self::read(people::group_users, Two, &["usergroups:read"]),
            "team.info" => Self::read(people::team_info, Three, &["team:read"]),
            "bots.info" => Self::read(people::bot_info, Three, &["users:read"]),
            "views.open" => Self::write(views::open, Four, &[]),
            "views.push" => Self::write(views::push, Four, &[]),
            "views.update" => Self::write(views::update, Four, &[]),
            "views.publish" => Self::write(views::publish, Four, &[]),
            "files.getUploadURLExternal" => Self::read(files::upload_url, Four, &["files:write"]),
            "files.completeUploadExternal" => Self::write(files::complete, Four, &["files:write"]),
            "files.info" => Self::read(files::info, Four, &["files:read"]),
            "files.delete" => Self::write(files::delete, Three, &["files:write"]),
            "reactions.add" => Self::write(assistant::react, Three, &["reactions:write"]),
            "reactions.remove" => Self::write(assistant::unreact, Two, &["reactions:write"]),
            "assistant.threads.setStatus" => {
                Self::write(assistant::set_status, Special, &["assistant:write", "chat:write"])
            }
            _ => return None,
        })
    }

    fn write(run: fn(&mut State, &Arguments) -> Answer, tier: Tier, scopes: &'static [&'static str]) -> Self {
        Self { run, tier, takes_json: true, token: Token::Bot, scopes }
    }

    fn read(run: fn(&mut State, &Arguments) -> Answer, tier: Tier, scopes: &'static [&'static str]) -> Self {
        Self { takes_json: false, ..Self::write(run, tier, scopes) }
    }
}

fn api_test(_state: &mut State, arguments: &Arguments) -> Answer {
    let shown = arguments.shown();
    match arguments.text("error") {
        Some(error) => Ok(json!({ "ok": false, "error": error, "args": shown })),
        None => Ok(json!({ "args": shown })),
    }
}
