//! `kubewhy check`: whether tokens, scopes and memberships suffice.

use std::collections::BTreeSet;
use std::time::Duration;

use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use kubewhy_chat::{Check, CheckFinding};
use kubewhy_text::{Text, code, name, own, quoted, text};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tokio::time::timeout;

use crate::api::{Api, Failure, connector};
use crate::line::Line;
use crate::way;

/// How long the scopes may take to be read.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What does not work at all without the scope.
const NEEDED: &[&str] = &["app_mentions:read", "chat:write", "commands", "im:history", "users:read"];
/// What gets worse without the scope, and how.
const WANTED: &[(&str, &str)] = &[
    (
        "channels:history",
        "whether a message was posted cannot be looked up after a failure of Slack, so it is not repeated",
    ),
    ("channels:read", "whether the bot is in a channel cannot be told beforehand"),
    ("files:write", "pictures and long logs cannot be shown"),
    ("groups:history", "the same as channels:history, in private channels"),
    ("groups:read", "the same as channels:read, in private channels"),
    ("usergroups:read", "nobody counts as a member of a user group"),
];

#[derive(Deserialize)]
struct Looked {
    channel: Channel,
}

#[derive(Deserialize)]
struct Channel {
    #[serde(default)]
    name: String,
    #[serde(default)]
    is_member: bool,
    #[serde(default)]
    is_archived: bool,
    #[serde(default)]
    is_im: bool,
}

impl Line {
    /// Looks whether tokens, scopes and the membership in these channels suffice.
    pub(crate) async fn check(&self, channels: &[String]) -> Vec<Check> {
        let (bot, is_usable) = self.check_bot().await;
        let mut checks = vec![bot, self.check_app().await];
        if !is_usable {
            return checks;
        }
        checks.extend(self.check_scopes().await);
        for channel in channels {
            checks.push(self.check_channel(channel).await);
        }
        checks
    }

    async fn check_bot(&self) -> (Check, bool) {
        let what = "slack bot token";
        match self.me().await {
            Ok(me) => (fine(what, text!["it is ", quoted(&me.user), " in ", quoted(&me.team)]), true),
            Err(failure) if failure.is_revoked() => {
                let remedy = text![
                    "Copy the bot token (xoxb-...) from OAuth & Permissions of the app at https://api.slack.com/apps; install the app ",
                    "there first.",
                ];
                (wrong(what, text!["Slack does not accept it (", said(&failure), ")"], remedy), false)
            }
            Err(failure) => (wrong(what, text!["it could not be tried: ", said(&failure)], self.reachable()), false),
        }
    }

    async fn check_app(&self) -> Check {
        let what = "slack app token";
        let opened: Result<IgnoredAny, Failure> = self.api.open_connection().await;
        let Err(failure) = opened else { return fine(what, text!["sockets can be opened with it"]) };
        let problem = text!["Slack opens no socket with it (", said(&failure), ")"];
        let remedy = match failure.code() {
            Some("link_disabled" | "socket_mode_not_enabled") => {
                text!["Switch Socket Mode on in the settings of the app at https://api.slack.com/apps."]
            }
            Some(_) => text![
                "Make an app-level token (xapp-...) with the scope ",
                code("connections:write"),
                " under Basic Information of the app at https://api.slack.com/apps.",
            ],
            None => self.reachable(),
        };
        wrong(what, problem, remedy)
    }

    async fn check_scopes(&self) -> Vec<Check> {
        let what = "slack scopes";
        let lacking = match granted(&self.api).await {
            Some(granted) => NEEDED
                .iter()
                .copied()
                .chain(WANTED.iter().map(|(scope, _)| *scope))
                .filter(|scope| !granted.contains(*scope))
                .map(ToOwned::to_owned)
                .collect(),
            None => self.probe().await,
        };
        if lacking.is_empty() {
            return vec![fine(what, text!["nothing lacks"])];
        }
        lacking
            .into_iter()
            .map(|scope| {
                let remedy = text![
                    "Add the bot scope ",
                    code(scope.clone()),
                    " under OAuth & Permissions of the app at https://api.slack.com/apps, and install the app anew.",
                ];
                let problem = text!["the bot lacks the scope ", code(scope.clone())];
                match WANTED.iter().find(|(wanted, _)| *wanted == scope) {
                    Some((_, loss)) => doubtful(what, text![problem, ": ", own(*loss)], remedy),
                    None => wrong(what, problem, remedy),
                }
            })
            .collect()
    }

    /// The scopes that lack, found out by reading what needs them.
    async fn probe(&self) -> BTreeSet<String> {
        let user = self.known_me().map(|me| me.user_id.as_str()).unwrap_or_default();
        let calls: [Result<IgnoredAny, Failure>; 2] =
            [self.api.get("users.info", &[("user", user)]).await, self.api.get("usergroups.list", &[]).await];
        calls
            .into_iter()
            .filter_map(|called| match called {
                Err(Failure::Refused { needed, .. }) => needed,
                _ => None,
            })
            .collect()
    }

    async fn check_channel(&self, channel: &str) -> Check {
        let what = format!("slack channel {}", channel.strip_prefix("slack:").unwrap_or(channel));
        let Some(id) = way::channel(channel) else {
            let remedy =
                text!["Write it as ", code("slack:C0123456"), ": the id stands at the end of the channel's link."];
            return wrong(&what, text!["it is no channel of Slack"], remedy);
        };
        let looked = match self.api.get::<Looked>("conversations.info", &[("channel", id)]).await {
            Ok(looked) => looked.channel,
            Err(failure) => return self.unseen(&what, &failure),
        };
        if looked.is_archived {
            return wrong(&what, text!["it is archived"], text!["Unarchive it, or route to another channel."]);
        }
        if looked.is_member || looked.is_im {
            return fine(&what, text!["the bot is in ", quoted(format!("#{}", looked.name))]);
        }
        wrong(&what, text!["the bot is not in ", quoted(format!("#{}", looked.name))], self.invite())
    }

    fn unseen(&self, what: &str, failure: &Failure) -> Check {
        let problem = text!["it cannot be looked at (", said(failure), ")"];
        match failure {
            Failure::Refused { needed: Some(scope), .. } => {
                let remedy = text!["Add the bot scope ", code(scope.clone()), " and install the app anew."];
                doubtful(what, problem, remedy)
            }
            Failure::Refused { code, .. } if code == "channel_not_found" => {
                let remedy =
                    text![self.invite(), " A private channel is seen by its members alone. Or the id is wrong."];
                wrong(what, problem, remedy)
            }
            Failure::Refused { .. } => wrong(what, problem, self.invite()),
            _ => doubtful(what, problem, self.reachable()),
        }
    }

    fn invite(&self) -> Text {
        let bot = self.known_me().map(|me| me.user.as_str()).filter(|user| !user.is_empty()).unwrap_or("kubewhy");
        text!["Say in the channel: ", code(format!("/invite @{bot}")), "."]
    }

    fn reachable(&self) -> Text {
        let host = self.api.url().host_str().unwrap_or_default().to_owned();
        text!["Look whether ", name(host), " can be reached from here, then try again."]
    }
}

/// The scopes that Slack granted to the bot's token. It says so in a header, which slack-morphism does not hand on.
async fn granted(api: &Api) -> Option<BTreeSet<String>> {
    let client = Client::builder(TokioExecutor::new()).build(connector().ok()?);
    let mut token = http::HeaderValue::from_str(&format!("Bearer {}", api.bot_token())).ok()?;
    token.set_sensitive(true);
    let request = http::Request::post(format!("{}/auth.test", api.url()))
        .header(http::header::AUTHORIZATION, token)
        .body(Empty::<&'static [u8]>::new())
        .ok()?;
    let answered = timeout(TIMEOUT, client.request(request)).await.ok()?.ok()?;
    let scopes = answered.headers().get("x-oauth-scopes")?.to_str().ok()?;
    Some(scopes.split(',').map(|scope| scope.trim().to_owned()).filter(|scope| !scope.is_empty()).collect())
}

fn said(failure: &Failure) -> kubewhy_text::Span {
    own(failure.to_string())
}

fn fine(what: &str, note: Text) -> Check {
    Check { what: text![own(what.to_owned())], finding: CheckFinding::Fine(note) }
}

fn doubtful(what: &str, problem: Text, remedy: Text) -> Check {
    Check { what: text![own(what.to_owned())], finding: CheckFinding::Doubtful { problem, remedy } }
}

fn wrong(what: &str, problem: Text, remedy: Text) -> Check {
    Check { what: text![own(what.to_owned())], finding: CheckFinding::Wrong { problem, remedy } }
}
