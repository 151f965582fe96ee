//! Waiting for what the app does, as JSON.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::shown;
use crate::reading::TimedOut;
use crate::server::Slack;

/// What is waited for, and how long.
#[derive(Deserialize)]
pub(super) struct Wait {
    #[serde(default = "five_seconds")]
    timeout_ms: u64,
    #[serde(flatten)]
    what: What,
}

#[derive(Deserialize)]
#[serde(tag = "for", rename_all = "snake_case")]
enum What {
    /// A message of the app that shows a text.
    Message {
        channel: String,
        #[serde(default)]
        text: String,
    },
    /// Something that only one person sees.
    Ephemeral {
        user: String,
        #[serde(default)]
        text: String,
    },
    /// The acknowledgement of an envelope.
    Ack { envelope: String },
    /// So many calls of a method.
    Calls {
        method: String,
        #[serde(default = "one")]
        count: usize,
    },
    /// So many open sockets.
    Connections {
        #[serde(default = "one")]
        count: usize,
    },
    /// So many sockets, ever.
    ConnectionsOpened { count: u64 },
    /// A view that a person has open.
    View {
        user: String,
        #[serde(default)]
        title: String,
    },
}

/// The longest wait, in milliseconds.
const LONGEST: u64 = 600_000;

impl Wait {
    pub(super) async fn wait(self, slack: &Slack) -> Result<Value, TimedOut> {
        let limit = Duration::from_millis(self.timeout_ms.min(LONGEST));
        match self.what {
            What::Message { channel, text } => slack.wait_for_message(&channel, &text, limit).await.map(shown),
            What::Ephemeral { user, text } => slack.wait_for_ephemeral(&user, &text, limit).await.map(shown),
            What::Ack { envelope } => slack.wait_for_ack(&envelope, limit).await.map(shown),
            What::Calls { method, count } => {
                let enough = |slack: &Slack| Some(slack.calls_of(&method)).filter(|calls| calls.len() >= count);
                slack.wait_for(limit, enough).await.map(shown)
            }
            What::Connections { count } => slack.wait_for_connections(count, limit).await.map(shown),
            What::ConnectionsOpened { count } => {
                let enough = |slack: &Slack| Some(slack.connections_opened()).filter(|opened| *opened >= count);
                slack.wait_for(limit, enough).await.map(|opened| json!({ "opened": opened }))
            }
            What::View { user, title } => {
                let open =
                    |slack: &Slack| slack.views(&user).into_iter().rev().find(|view| view.title.contains(&title));
                slack.wait_for(limit, open).await.map(shown)
            }
        }
    }
}

fn five_seconds() -> u64 {
    5_000
}

fn one() -> usize {
    1
}
