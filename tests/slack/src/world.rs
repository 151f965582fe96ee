//! What a workspace holds when the server starts.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A workspace with one installed app. The default is a small company; see [`World::default`].
///
/// It has no `Debug`: it holds tokens.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct World {
    /// The workspace.
    pub team: Team,
    /// The app under test.
    pub app: App,
    /// People and programs.
    pub users: Vec<User>,
    /// User groups.
    pub groups: Vec<UserGroup>,
    /// Conversations.
    pub channels: Vec<Channel>,
    /// Whether Slack's rate limits are kept.
    pub limits: bool,
    /// Decides which connection a payload goes to: the same seed, the same choices.
    pub seed: u64,
    /// How long Slack waits for what.
    pub patience: Patience,
}

/// A workspace.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// `T...`
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The part before `.slack.com`.
    pub domain: String,
}

/// The app under test, installed in the workspace.
#[derive(Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct App {
    /// `A...`
    pub id: String,
    /// `B...`
    pub bot_id: String,
    /// The user id of its bot.
    pub bot_user: String,
    /// The name of its bot.
    pub name: String,
    /// `xoxb-...`
    pub bot_token: String,
    /// `xapp-...`
    pub app_token: String,
    /// The scopes of the bot token.
    pub bot_scopes: Vec<String>,
    /// The scopes of the app-level token.
    pub app_scopes: Vec<String>,
    /// The events it subscribed to: `app_mention`, `message.im`, `message.channels`, ...
    pub events: Vec<String>,
    /// Its slash commands, with the slash.
    pub commands: Vec<String>,
    /// Its shortcuts.
    pub shortcuts: Vec<Shortcut>,
}

/// A shortcut of the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortcut {
    /// What people read in the menu.
    pub name: String,
    /// What the app calls it.
    pub callback_id: String,
    /// Whether it stands in the menu of a message (otherwise in the global one).
    #[serde(default = "yes")]
    pub on_message: bool,
}

/// A person or program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// `U...` or `W...`
    pub id: String,
    /// The handle.
    pub name: String,
    /// How the user belongs to the workspace.
    #[serde(default)]
    pub kind: UserKind,
    /// The team of somebody from outside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
}

/// How a user belongs to a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserKind {
    /// A full member.
    #[default]
    Member,
    /// A full member who administers it.
    Admin,
    /// A multi-channel guest.
    Guest,
    /// A single-channel guest.
    SingleChannelGuest,
    /// Somebody of another workspace, seen through a shared channel.
    External,
    /// A program.
    Bot,
    /// A member whose account was deactivated.
    Deactivated,
}

/// A user group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserGroup {
    /// `S...`
    pub id: String,
    /// Its handle, without `@`.
    pub handle: String,
    /// Who is in it.
    pub users: Vec<String>,
    /// Whether it was switched off.
    #[serde(default)]
    pub disabled: bool,
}

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    /// `C...`, `G...` or `D...`
    pub id: String,
    /// Its name without `#`; empty for a direct message.
    #[serde(default)]
    pub name: String,
    /// What sort of conversation it is.
    #[serde(default)]
    pub kind: ChannelKind,
    /// Who is in it; the bot too, where it is a member.
    #[serde(default)]
    pub members: Vec<String>,
    /// Whether it was archived.
    #[serde(default)]
    pub archived: bool,
    /// Whether another workspace shares it.
    #[serde(default)]
    pub shared: bool,
}

/// What sort of conversation a channel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChannelKind {
    /// Anybody can find and read it.
    #[default]
    Public,
    /// Only its members know it.
    Private,
    /// A direct message.
    Im,
    /// A direct message of several people.
    Mpim,
}

impl ChannelKind {
    /// `channel_type` of an event.
    pub(crate) fn event_name(self) -> &'static str {
        match self {
            Self::Public => "channel",
            Self::Private => "group",
            Self::Im => "im",
            Self::Mpim => "mpim",
        }
    }

    /// The subscription that brings messages of such a channel.
    pub(crate) fn subscription(self) -> &'static str {
        match self {
            Self::Public => "message.channels",
            Self::Private => "message.groups",
            Self::Im => "message.im",
            Self::Mpim => "message.mpim",
        }
    }
}

/// How long Slack waits for what, in milliseconds. Shorter ones make tests quicker; [`crate::Slack::advance`] does
/// so without changing them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// For the acknowledgement of an envelope.
    pub ack_ms: u64,
    /// How long a trigger id opens views.
    pub trigger_ms: u64,
    /// How long a response URL can be used.
    pub response_url_ms: u64,
    /// Between the pings to a socket.
    pub ping_ms: u64,
    /// How long a message can be edited; 0 is forever.
    pub edit_ms: u64,
}

impl Patience {
    pub(crate) fn ack(&self) -> Duration {
        Duration::from_millis(self.ack_ms)
    }
}

impl Default for Patience {
    fn default() -> Self {
        Self { ack_ms: 3_000, trigger_ms: 3_000, response_url_ms: 30 * 60 * 1_000, ping_ms: 5_000, edit_ms: 0 }
    }
}

impl Default for App {
    fn default() -> Self {
        Self {
            id: "A0KUBEWHY".to_owned(),
            bot_id: "B0KUBEWHY".to_owned(),
            bot_user: "U0KUBEWHY".to_owned(),
            name: "kubewhy".to_owned(),
            bot_token: "xoxb-test-bot".to_owned(),
            app_token: "xapp-test-app".to_owned(),
            bot_scopes: words(
                "app_mentions:read assistant:write bookmarks:read channels:history channels:join channels:read chat:write \
                 commands files:read files:write groups:history groups:read im:history im:read im:write mpim:read \
                 reactions:write team:read usergroups:read users:read",
            ),
            app_scopes: words("connections:write"),
            events: words("app_mention message.im app_home_opened"),
            commands: words("/why /kubewhy"),
            shortcuts: vec![Shortcut { name: "Why?".to_owned(), callback_id: "why".to_owned(), on_message: true }],
        }
    }
}

impl Default for World {
    /// Anna (admin), Ben and Cara are members, Gus and Sue guests, Eva is from another company, Robo a bot. `#incidents` and
    /// the private `#war-room` have the bot; `#general` (public) and `#secret` (private) have not; `#old` is archived,
    /// `#shared` is shared with Eva's company; Anna and Ben have a direct message with the bot. `@oncall` is Anna and Ben.
    fn default() -> Self {
        let app = App::default();
        let bot = app.bot_user.clone();
        let user = |id: &str, name: &str, kind| User { id: id.to_owned(), name: name.to_owned(), kind, team: None };
        let users = vec![
            user("U0ANNA", "anna", UserKind::Admin),
            user("U0BEN", "ben", UserKind::Member),
            user("U0CARA", "cara", UserKind::Member),
            user("U0GUS", "gus", UserKind::Guest),
            user("U0SUE", "sue", UserKind::SingleChannelGuest),
            User { team: Some("T0OTHER".to_owned()), ..user("U0EVA", "eva", UserKind::External) },
            user("U0ROBO", "robo", UserKind::Bot),
            user(&bot, &app.name, UserKind::Bot),
        ];
        let all = ["U0ANNA", "U0BEN", "U0CARA", "U0GUS", "U0SUE", "U0ROBO"];
        let channel = |id: &str, name: &str, kind, people: &[&str], with_bot: bool| Channel {
            id: id.to_owned(),
            name: name.to_owned(),
            kind,
            members: people.iter().map(|id| (*id).to_owned()).chain(with_bot.then(|| bot.clone())).collect(),
            archived: false,
            shared: false,
        };
        let mut old = channel("C0OLD", "old", ChannelKind::Public, &all, true);
        old.archived = true;
        let mut shared = channel("C0SHARED", "shared", ChannelKind::Public, &["U0ANNA", "U0BEN", "U0EVA"], true);
        shared.shared = true;
        let channels = vec![
            channel("C0INCIDENTS", "incidents", ChannelKind::Public, &all, true),
            channel("C0GENERAL", "general", ChannelKind::Public, &all, false),
            channel("C0WAR", "war-room", ChannelKind::Private, &["U0ANNA", "U0BEN"], true),
            channel("C0SECRET", "secret", ChannelKind::Private, &["U0ANNA", "U0BEN"], false),
            old,
            shared,
            channel("D0ANNA", "", ChannelKind::Im, &["U0ANNA"], true),
            channel("D0BEN", "", ChannelKind::Im, &["U0BEN"], true),
        ];
        let groups = vec![UserGroup {
            id: "S0ONCALL".to_owned(),
            handle: "oncall".to_owned(),
            users: words("U0ANNA U0BEN"),
            disabled: false,
        }];
        Self {
            team: Team { id: "T0ACME".to_owned(), name: "Acme".to_owned(), domain: "acme".to_owned() },
            app,
            users,
            groups,
            channels,
            limits: true,
            seed: 1,
            patience: Patience::default(),
        }
    }
}

impl World {
    /// Without rate limits.
    #[must_use]
    pub fn without_limits(mut self) -> Self {
        self.limits = false;
        self
    }

    /// With one more user.
    #[must_use]
    pub fn with_user(mut self, user: User) -> Self {
        self.users.push(user);
        self
    }

    /// With one more channel.
    #[must_use]
    pub fn with_channel(mut self, channel: Channel) -> Self {
        self.channels.push(channel);
        self
    }

    /// Subscribed to one more event: `message.channels`.
    #[must_use]
    pub fn with_event(mut self, event: &str) -> Self {
        self.app.events.push(event.to_owned());
        self
    }

    /// Without a scope of the bot token.
    #[must_use]
    pub fn without_scope(mut self, scope: &str) -> Self {
        self.app.bot_scopes.retain(|one| one != scope);
        self
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn yes() -> bool {
    true
}
