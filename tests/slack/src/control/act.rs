//! What people do, as JSON.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::shown;
use crate::people::{Impossible, Sent};
use crate::server::Slack;

/// Who does what.
#[derive(Deserialize)]
pub(super) struct Act {
    #[serde(rename = "as")]
    user: String,
    #[serde(flatten)]
    deed: Deed,
}

#[derive(Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Deed {
    /// Types a command; into a thread where one is named, which Slack refuses.
    Slash {
        channel: String,
        command: String,
        #[serde(default)]
        text: String,
        #[serde(default)]
        thread: Option<String>,
    },
    Say {
        channel: String,
        text: String,
        #[serde(default)]
        thread: Option<String>,
    },
    Edit {
        channel: String,
        ts: String,
        text: String,
    },
    Delete {
        channel: String,
        ts: String,
    },
    Press {
        channel: String,
        ts: String,
        button: String,
    },
    Choose {
        channel: String,
        ts: String,
        menu: String,
        option: String,
    },
    MessageShortcut {
        channel: String,
        ts: String,
        shortcut: String,
    },
    Shortcut {
        shortcut: String,
    },
    Submit {
        #[serde(default)]
        fields: BTreeMap<String, String>,
    },
    Close,
    PressInView {
        button: String,
    },
    ChooseInView {
        menu: String,
        option: String,
    },
    TypeInto {
        menu: String,
        text: String,
    },
    OpenHome,
}

impl Act {
    /// Does it, and says what was sent because of it.
    pub(super) fn perform(self, slack: &Slack) -> Result<Value, Impossible> {
        let person = slack.person(&self.user);
        let sent = |sent: Sent| shown(sent);
        match self.deed {
            Deed::Slash { channel, command, text, thread: None } => person.slash(&channel, &command, &text).map(sent),
            Deed::Slash { channel, command, text, thread: Some(thread) } => {
                person.slash_in_thread(&channel, &thread, &command, &text).map(sent)
            }
            Deed::Say { channel, text, thread: None } => person.says(&channel, &text).map(|ts| json!({ "ts": ts })),
            Deed::Say { channel, text, thread: Some(thread) } => {
                person.replies(&channel, &thread, &text).map(|ts| json!({ "ts": ts }))
            }
            Deed::Edit { channel, ts, text } => person.edits(&channel, &ts, &text).map(|()| json!({})),
            Deed::Delete { channel, ts } => person.deletes(&channel, &ts).map(|()| json!({})),
            Deed::Press { channel, ts, button } => person.presses(&channel, &ts, &button).map(sent),
            Deed::Choose { channel, ts, menu, option } => person.chooses(&channel, &ts, &menu, &option).map(sent),
            Deed::MessageShortcut { channel, ts, shortcut } => {
                person.uses_message_shortcut(&channel, &ts, &shortcut).map(sent)
            }
            Deed::Shortcut { shortcut } => person.uses_shortcut(&shortcut).map(sent),
            Deed::Submit { fields } => {
                let fields: Vec<(&str, &str)> =
                    fields.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                person.submits(&fields).map(sent)
            }
            Deed::Close => person.closes().map(shown),
            Deed::PressInView { button } => person.presses_in_view(&button).map(sent),
            Deed::ChooseInView { menu, option } => person.chooses_in_view(&menu, &option).map(sent),
            Deed::TypeInto { menu, text } => person.types_into(&menu, &text).map(sent),
            Deed::OpenHome => person.opens_home().map(|()| json!({})),
        }
    }
}
