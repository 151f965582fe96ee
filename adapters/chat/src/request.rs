//! What people send, and what goes back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::message::{Form, Message, Press};
use crate::platform::Identity;

/// Something that a person sent, on whatever platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// Who sent it.
    pub who: Person,
    /// Where.
    pub place: Place,
    /// What.
    pub input: Input,
}

/// A person of a chat platform.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The platform's identity, whole: `slack:T01:U01`, `discord:1234`, `console:ada`.
    pub id: String,
    /// The name to show; it proves nothing.
    pub name: String,
    /// What the platform said of the person in the delivery itself, where it says it there.
    pub identity: Option<Identity>,
}

/// A place of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The platform's channel, whole: `slack:C0123456`, `discord:1234567890`, `console`.
    pub channel: String,
    /// The thread in it, if the words stand in one.
    pub thread: Option<String>,
}

/// What was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Input {
    /// A line that was typed: `why pod cart -n shop`. With or without the bot's name or `/why` before it.
    Line(String),
    /// A button or menu entry.
    Press(Press),
    /// A form that was filled in.
    Form {
        /// The form's token.
        token: String,
        /// The values by the fields' ids.
        values: BTreeMap<String, String>,
    },
    /// "Why?" on somebody's message: the words of that message, in which an object is named.
    Shortcut(String),
}

/// What goes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Who sees it.
    pub visibility: Visibility,
    /// What is shown.
    pub message: Message,
    /// A form to open instead of a message alone.
    pub form: Option<Form>,
}

/// Who sees a reply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Visibility {
    /// All in the place: answers.
    #[default]
    Everybody,
    /// Only who asked: typos and refusals.
    OnlyAsker,
}

impl Reply {
    /// An answer that all in the place see.
    pub fn to_everybody(message: Message) -> Self {
        Self { visibility: Visibility::Everybody, message, form: None }
    }

    /// A remark that only who asked sees.
    pub fn to_asker(message: Message) -> Self {
        Self { visibility: Visibility::OnlyAsker, message, form: None }
    }
}
