//! What a chat platform does for the bot, and the bot for a platform.
//!
//! Deliveries come in through an [`Inbox`], which stores them before the platform is told that they arrived; answers go out
//! through a [`ChatPlatform`]. Neither names a type of a platform: what a platform needs to find the way back to a question
//! is its own [`Address`], opaque to everybody else.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kubewhy_text::Text;
use serde::{Deserialize, Serialize};

use crate::message::{Form, Message};
use crate::request::{Person, Place, Reply, Request, Visibility};

/// What arrived from a platform, with all that is needed to answer it after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its identity on the platform, the same for each repetition: `slack:Ev0123`, `discord:1122`.
    pub id: String,
    /// What is asked.
    pub request: Request,
    /// The way back.
    pub address: Address,
    /// When it arrived here.
    pub received_at: Timestamp,
}

/// The way back to a question, in the words of the platform that wrote it. It can hold a token with which anybody could
/// answer in our name, so that it is shown nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Address(pub String);

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(..)")
    }
}

/// What becomes of a delivery, said within milliseconds: the platform is acknowledged with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// It is stored and will be answered. The visibility is what can be told of the answer before anything was read; where
    /// the platform shows that work goes on, it does so with it.
    Accepted(Visibility),
    /// It was delivered before: acknowledge it and do nothing.
    Duplicate,
    /// A form is opened instead of an answer; nothing is stored until it comes back.
    Form(Box<Form>),
    /// It is not taken, and nothing is stored; who asked reads why.
    Refused(Box<Reply>),
}

/// Takes what platforms deliver.
#[async_trait]
pub trait Inbox: Send + Sync + 'static {
    /// Takes a delivery: stores it, and has it worked on later. Never reads from a cluster.
    async fn accept(&self, delivery: Delivery) -> Acceptance;

    /// What a half-typed word could become, the likeliest first; empty where nothing is known in time.
    async fn suggest(&self, typed: Typed) -> Vec<String>;
}

/// Keeps short facts beyond a restart: the hash of the commands that were registered.
#[async_trait]
pub trait Memory: Send + Sync + 'static {
    /// What was kept under that key.
    async fn recall(&self, key: &str) -> Option<String>;

    /// Keeps a value. Where that fails, it is not known after a restart.
    async fn keep(&self, key: &str, value: &str);
}

/// A half-filled command whose next word is to be suggested.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Typed {
    /// Who types.
    pub who: Person,
    /// Where.
    pub place: Place,
    /// The part that is being typed.
    pub part: Part,
    /// What stands there so far.
    pub words: String,
    /// The kind, where it has been filled in.
    pub kind: Option<String>,
    /// The namespace, where it has been filled in.
    pub namespace: Option<String>,
    /// The cluster, where it has been filled in.
    pub cluster: Option<String>,
}

/// A part of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The name of an object.
    Name,
    /// Its kind.
    Kind,
    /// Its namespace.
    Namespace,
    /// Its cluster.
    Cluster,
}

/// A message that stands on a platform.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Posted {
    /// Where the conversation about it goes on: its thread, where the platform has threads.
    pub place: Place,
    /// The platform's identity of the message itself, for edits.
    pub id: String,
}

/// A message that nobody's delivery asked for just now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// Where it is posted.
    pub place: Place,
    /// What.
    pub message: Message,
    /// Who is called by it; nobody else ever is.
    pub mention: Option<Person>,
    /// The same for each attempt to post the same thing: a platform that saw the key before does not show it twice.
    pub key: String,
}

/// What a platform vouches for about a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// How the person belongs to the workspace.
    pub standing: Standing,
    /// The groups, whole: `slack:S0123` for a user group, `discord:987` for a role.
    pub groups: BTreeSet<String>,
}

/// How a person belongs to a workspace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// A member.
    Member,
    /// A guest of the workspace, or somebody outside a server (a direct message on Discord).
    Guest,
    /// Somebody of another workspace (Slack Connect).
    External,
    /// A program.
    Bot,
    /// It could not be found out.
    #[default]
    Unknown,
}

/// A line of `kubewhy check`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was looked at: `slack bot token`.
    pub what: Text,
    /// What was found.
    pub finding: CheckFinding,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckFinding {
    /// It works; with what there is to know.
    Fine(Text),
    /// It works, and something is worth a look.
    Doubtful {
        /// What is odd.
        problem: Text,
        /// What to do.
        remedy: Text,
    },
    /// It does not work.
    Wrong {
        /// What is wrong.
        problem: Text,
        /// What to do.
        remedy: Text,
    },
}

/// Whether a platform's stream of deliveries is open.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// It is being opened for the first time.
    #[default]
    Connecting,
    /// It is open.
    Open,
    /// It broke off and is being opened again.
    Lost {
        /// Why, in words without a secret.
        why: String,
    },
}

/// Why a platform did not do what it was asked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChatError {
    /// The bot is not in that channel, or it does not exist, or is archived.
    #[error("the bot cannot post in channel \"{channel}\" ({code})")]
    NoChannel {
        /// The channel.
        channel: String,
        /// The platform's word for it.
        code: String,
    },
    /// A right of the bot lacks.
    #[error("the bot may not {action} ({code})")]
    Forbidden {
        /// What was tried.
        action: &'static str,
        /// The platform's word for it.
        code: String,
    },
    /// The token is not accepted (any more). Nothing works until a person has given another one.
    #[error("the platform does not accept the token ({code})")]
    Revoked {
        /// The platform's word for it.
        code: String,
    },
    /// The message to edit or answer is gone, or too old to be edited.
    #[error("the message cannot be changed any more ({code})")]
    Gone {
        /// The platform's word for it.
        code: String,
    },
    /// The platform asks to wait, longer than waiting makes sense here.
    #[error("the platform asks to wait for {seconds} s")]
    Throttled {
        /// How long.
        seconds: u64,
    },
    /// No answer, or a failure on the platform's side, after all attempts. Whether it took effect is unknown where
    /// `doubtful`.
    #[error("the platform cannot be reached: {why}")]
    Unreachable {
        /// Why, in words without a secret.
        why: String,
        /// Whether the last attempt may have taken effect.
        doubtful: bool,
    },
    /// The platform refused the words of a call: a fault of ours.
    #[error("the platform refused {action} ({code})")]
    Invalid {
        /// What was tried.
        action: &'static str,
        /// The platform's word for it.
        code: String,
    },
}

impl ChatError {
    /// Whether the same call can succeed later without anybody doing anything.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Unreachable { .. })
    }
}

/// A chat platform.
#[async_trait]
pub trait ChatPlatform: Send + Sync + 'static {
    /// Its name, which begins the ids of its persons and channels: `slack`.
    fn name(&self) -> &'static str;

    /// Listens until `stop` resolves, through every loss of connection; then ends what was begun and returns.
    ///
    /// # Errors
    /// Where going on makes no sense before a person has acted: a revoked token, a right that lacks.
    async fn listen(&self, inbox: Arc<dyn Inbox>, stop: BoxFuture<'static, ()>) -> Result<(), ChatError>;

    /// Whether deliveries can arrive now.
    fn link(&self) -> Link;

    /// Answers a delivery: where and to whom its reply says, with the rest in the thread.
    ///
    /// # Errors
    /// Where neither the answer nor a substitute for it could be shown.
    async fn answer(&self, delivery: &Delivery, reply: &Reply) -> Result<Posted, ChatError>;

    /// Posts a message.
    ///
    /// # Errors
    /// Where it was not posted, or it is doubtful whether it was.
    async fn post(&self, post: &Post) -> Result<Posted, ChatError>;

    /// Replaces the first screen of a message.
    ///
    /// # Errors
    /// [`ChatError::Gone`] where the platform refuses to change it any more.
    async fn edit(&self, posted: &Posted, message: &Message) -> Result<(), ChatError>;

    /// What the platform vouches for about a person. Kept for minutes.
    ///
    /// # Errors
    /// Where it cannot be asked; the person then counts as unknown.
    async fn identity(&self, person: &Person) -> Result<Identity, ChatError>;

    /// Looks whether tokens, rights and the membership in these channels (`slack:C0123`) suffice.
    async fn check(&self, channels: &[String]) -> Vec<Check>;
}
