//! The port, as Slack does it.

use std::sync::Arc;

use async_trait::async_trait;
use futures::future::BoxFuture;
use kubewhy_chat::{
    ChatError, ChatPlatform, Check, Delivery, Identity, Inbox, Link, Message, Person, Post, Posted, Reply,
};

use crate::line::Line;
use crate::settings::{Settings, SlackError};
use crate::socket;

/// Slack, by Socket Mode and the Web API.
pub struct Slack {
    line: Arc<Line>,
}

impl Slack {
    /// Gets ready; nothing is sent yet.
    ///
    /// # Errors
    /// Where a token or the address of the API cannot be one, or the certificates of the machine cannot be read.
    pub fn new(settings: Settings) -> Result<Self, SlackError> {
        Ok(Self { line: Arc::new(Line::new(settings)?) })
    }

    /// How many deliveries were acknowledged that mean nothing to us: unknown kinds, and what could not be read.
    pub fn passed_over(&self) -> u64 {
        self.line.passed_over()
    }
}

#[async_trait]
impl ChatPlatform for Slack {
    fn name(&self) -> &'static str {
        "slack"
    }

    async fn listen(&self, inbox: Arc<dyn Inbox>, stop: BoxFuture<'static, ()>) -> Result<(), ChatError> {
        socket::listen(&self.line, inbox, stop).await
    }

    fn link(&self) -> Link {
        self.line.board.link()
    }

    async fn answer(&self, delivery: &Delivery, reply: &Reply) -> Result<Posted, ChatError> {
        self.line.answer(delivery, reply).await
    }

    async fn post(&self, post: &Post) -> Result<Posted, ChatError> {
        self.line.post(post).await
    }

    async fn edit(&self, posted: &Posted, message: &Message) -> Result<(), ChatError> {
        self.line.edit(posted, message).await
    }

    async fn identity(&self, person: &Person) -> Result<Identity, ChatError> {
        self.line.identity(person).await
    }

    async fn check(&self, channels: &[String]) -> Vec<Check> {
        self.line.check(channels).await
    }
}
