//! What exists at the start: the application, people, guilds and channels, and the numbers Discord enforces.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::permission;

/// The world a server starts with. [`World::default`] is a small one that suits most tests.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// The application and its bot.
    pub application: Application,
    /// Everybody but the bot.
    pub users: Vec<User>,
    /// The guilds the bot is in.
    pub guilds: Vec<Guild>,
    /// The numbers Discord enforces.
    pub limits: Limits,
}

/// An application and its bot user (they share an id, as at Discord).
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Application {
    /// The id of the application and of the bot user.
    pub id: Id,
    /// The name of both.
    pub name: String,
    /// The token of the bot.
    pub token: String,
    /// Whether the privileged intent for message content was granted.
    pub message_content: bool,
    /// Whether the privileged intents for members and presences were granted.
    pub members_and_presences: bool,
}

/// A person.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The id.
    pub id: Id,
    /// The unique name, lower case.
    pub name: String,
    /// The name shown, if another one than `name`.
    #[serde(default)]
    pub shown: Option<String>,
    /// The language of the client, such as `en-US`.
    #[serde(default = "american")]
    pub locale: String,
    /// Whether the person takes no direct messages from the bot (50007).
    #[serde(default)]
    pub refuses_direct_messages: bool,
}

fn american() -> String {
    "en-US".to_owned()
}

/// A guild; its first role has the guild's id and is `@everyone`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Guild {
    /// The id.
    pub id: Id,
    /// The name.
    pub name: String,
    /// Who owns it; may do everything.
    pub owner: Id,
    /// The roles, `@everyone` among them (added with a member's usual permissions when absent).
    #[serde(default)]
    pub roles: Vec<Role>,
    /// The members; the bot is added without roles when absent.
    #[serde(default)]
    pub members: Vec<Member>,
    /// The text channels.
    #[serde(default)]
    pub channels: Vec<Channel>,
}

/// A role of a guild.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// The id; that of the guild for `@everyone`.
    pub id: Id,
    /// The name.
    pub name: String,
    /// The bits of [`permission`](crate::permission).
    pub permissions: u64,
}

/// A member of a guild.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Member {
    /// The user.
    pub user: Id,
    /// The roles, without `@everyone`.
    #[serde(default)]
    pub roles: Vec<Id>,
    /// The name in this guild, if another one.
    #[serde(default)]
    pub nick: Option<String>,
}

/// A text channel of a guild.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// The id.
    pub id: Id,
    /// The name.
    pub name: String,
    /// 0 text, 2 voice, 4 category, 5 announcement, 15 forum.
    #[serde(default)]
    pub kind: u8,
    /// What roles or members may do more or less here.
    #[serde(default)]
    pub overwrites: Vec<Overwrite>,
}

/// What one role or member may do more or less in one channel.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Overwrite {
    /// The role or the member.
    pub id: Id,
    /// Whether `id` is a member.
    #[serde(default)]
    pub member: bool,
    /// The bits allowed.
    #[serde(default)]
    pub allow: u64,
    /// The bits denied.
    #[serde(default)]
    pub deny: u64,
}

/// The numbers Discord enforces; the defaults are Discord's.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Whether per-route buckets and the 50 requests a second are enforced (headers are always sent).
    pub rates: bool,
    /// Requests a second for the bot as a whole.
    pub global_per_second: u32,
    /// Answers 401, 403 and 429 in 10 minutes before the address is shut out.
    pub invalid_requests: u32,
    /// Time for the first answer to an interaction, in milliseconds.
    pub first_answer_ms: u64,
    /// Life of an interaction's token, in milliseconds.
    pub token_life_ms: u64,
    /// Active threads of a guild.
    pub active_threads: usize,
    /// Size of one file, in bytes.
    pub attachment_bytes: u64,
    /// New commands a guild or the application may get in 24 hours.
    pub command_creates: u32,
    /// Edits of one message older than an hour, in an hour.
    pub edits_of_old: u32,
    /// Identifies in 24 hours.
    pub identifies: u32,
    /// Time between two identifies of a shard group, in milliseconds.
    pub identify_spacing_ms: u64,
    /// What hello says, in milliseconds.
    pub heartbeat_interval_ms: u64,
    /// Messages a gateway connection may send in a minute.
    pub gateway_sends: u32,
    /// How long a lost session can be resumed, in milliseconds.
    pub resume_window_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rates: true,
            global_per_second: 50,
            invalid_requests: 10_000,
            first_answer_ms: 3_000,
            token_life_ms: 15 * 60_000,
            active_threads: 1_000,
            attachment_bytes: 10 * 1024 * 1024,
            command_creates: 200,
            edits_of_old: 30,
            identifies: 1_000,
            identify_spacing_ms: 5_000,
            heartbeat_interval_ms: 41_250,
            gateway_sends: 120,
            resume_window_ms: 120_000,
        }
    }
}

impl Default for Application {
    fn default() -> Self {
        Self {
            id: Id(1_100_000_000_000_000_001),
            name: "kubewhy".to_owned(),
            // The form of a real token, so that what hides tokens is tried with one: id, time, signature.
            token: format!("MTEwMDAwMDAwMDAwMDAwMDAwMQ.G{}.{}", "aBcDe", "x".repeat(38)),
            message_content: false,
            members_and_presences: false,
        }
    }
}

/// The guild of [`World::default`].
pub const GUILD: Id = Id(1_100_000_000_000_000_100);
/// The channel `#ops` of [`World::default`]: everybody reads and writes.
pub const OPS: Id = Id(1_100_000_000_000_000_201);
/// The channel `#general` of [`World::default`].
pub const GENERAL: Id = Id(1_100_000_000_000_000_202);
/// The channel `#secret` of [`World::default`]: the bot does not see it.
pub const SECRET: Id = Id(1_100_000_000_000_000_203);
/// The channel `#read-only` of [`World::default`]: the bot sees it and may not write.
pub const READ_ONLY: Id = Id(1_100_000_000_000_000_204);
/// Alice of [`World::default`], who owns the guild.
pub const ALICE: Id = Id(1_100_000_000_000_000_301);
/// Bob of [`World::default`], who has the role [`SRE`].
pub const BOB: Id = Id(1_100_000_000_000_000_302);
/// Mallory of [`World::default`], who has no role.
pub const MALLORY: Id = Id(1_100_000_000_000_000_303);
/// The role `sre` of [`World::default`].
pub const SRE: Id = Id(1_100_000_000_000_000_401);

impl Default for World {
    fn default() -> Self {
        let application = Application::default();
        let person = |id, name: &str| User {
            id,
            name: name.to_owned(),
            shown: None,
            locale: american(),
            refuses_direct_messages: false,
        };
        let member = |user, roles: &[Id]| Member { user, roles: roles.to_vec(), nick: None };
        let channel = |id, name: &str| Channel { id, name: name.to_owned(), kind: 0, overwrites: Vec::new() };
        let without = |id, name: &str, deny| Channel {
            overwrites: vec![Overwrite { id: application.id, member: true, allow: 0, deny }],
            ..channel(id, name)
        };
        let no_writing = permission::SEND_MESSAGES
            | permission::SEND_MESSAGES_IN_THREADS
            | permission::CREATE_PUBLIC_THREADS
            | permission::ADD_REACTIONS;
        let guild = Guild {
            id: GUILD,
            name: "Example".to_owned(),
            owner: ALICE,
            roles: vec![Role { id: SRE, name: "sre".to_owned(), permissions: 0 }],
            members: vec![member(ALICE, &[SRE]), member(BOB, &[SRE]), member(MALLORY, &[])],
            channels: vec![
                channel(OPS, "ops"),
                channel(GENERAL, "general"),
                without(SECRET, "secret", permission::VIEW_CHANNEL),
                without(READ_ONLY, "read-only", no_writing),
            ],
        };
        let users = vec![person(ALICE, "alice"), person(BOB, "bob"), person(MALLORY, "mallory")];
        Self { application, users, guilds: vec![guild], limits: Limits::default() }
    }
}
