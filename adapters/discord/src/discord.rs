//! Discord as a chat platform.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use jiff::Timestamp;
use kubewhy_chat::{
    ChatError, ChatPlatform, Check, Delivery, Identity, Inbox, Link, Memory, Message, Person, Post, Posted, Reply,
};
use tokio::task::{JoinError, JoinSet};
use tokio::time::timeout;

use crate::api::Api;
use crate::check;
use crate::commands::register;
use crate::gateway::{Event, Gateway};
use crate::identity::Identities;
use crate::intake::{Acknowledgements, Incoming, Intake};
use crate::places::Places;
use crate::posting::Line;
use crate::settings::{DiscordError, Settings};

/// Deliveries that are taken at the same time.
const MOST_AT_ONCE: usize = 256;
/// How long what was begun may take when everything stops.
const FINISH: Duration = Duration::from_secs(3);

/// Discord.
pub struct Discord {
    settings: Settings,
    base: String,
    guilds: Arc<[u64]>,
    line: Arc<Line>,
    memory: Arc<dyn Memory>,
    identities: Identities,
    link: Arc<Mutex<Link>>,
}

impl Discord {
    /// Makes the adapter; nothing is asked of Discord yet.
    ///
    /// # Errors
    /// Where the token or the address cannot be one.
    pub fn new(settings: Settings, memory: Arc<dyn Memory>) -> Result<Self, DiscordError> {
        let base = settings.base()?;
        let api = Api::new(&base, settings.bare_token()?)?;
        let line = Line { api, places: Places::new(), acknowledgements: Acknowledgements::new() };
        Ok(Self {
            guilds: settings.guilds.clone().into(),
            settings,
            base,
            line: Arc::new(line),
            memory,
            identities: Identities::new(),
            link: Arc::default(),
        })
    }

    async fn take_all(
        &self,
        inbox: Arc<dyn Inbox>,
        gateway: &mut Gateway,
        tasks: &mut JoinSet<()>,
    ) -> Result<(), ChatError> {
        let intake = Arc::new(Intake { line: Arc::clone(&self.line), inbox, guilds: Arc::clone(&self.guilds) });
        let mut me = None;
        // serenity hands over each event in a task of its own: a message can overtake the word that says who we are.
        let mut early = Vec::new();
        loop {
            while let Some(done) = tasks.try_join_next() {
                report(done);
            }
            if tasks.len() >= MOST_AT_ONCE
                && let Some(done) = tasks.join_next().await
            {
                report(done);
            }
            match (gateway.next().await?, me) {
                (Event::Ready { me: bot, application, .. }, _) => {
                    me = Some(bot);
                    let (line, memory, guilds) =
                        (Arc::clone(&self.line), Arc::clone(&self.memory), Arc::clone(&self.guilds));
                    tasks.spawn(async move { register(&line.api, &*memory, application, &guilds).await });
                    early.drain(..).for_each(|incoming| take(tasks, &intake, incoming, bot));
                }
                (Event::Resumed, _) => {}
                (Event::Incoming(incoming), Some(me)) => take(tasks, &intake, incoming, me),
                (Event::Incoming(incoming), None) if early.len() < MOST_AT_ONCE => early.push(incoming),
                (Event::Incoming(_), None) => tracing::warn!("discord sends events before it says who the bot is"),
            }
        }
    }
}

#[async_trait]
impl ChatPlatform for Discord {
    fn name(&self) -> &'static str {
        "discord"
    }

    async fn listen(&self, inbox: Arc<dyn Inbox>, stop: BoxFuture<'static, ()>) -> Result<(), ChatError> {
        let mut gateway =
            Gateway::new(self.settings.clone(), self.base.clone(), Arc::clone(&self.line), Arc::clone(&self.link));
        let mut tasks = JoinSet::new();
        let outcome = tokio::select! {
            () = stop => Ok(()),
            failed = self.take_all(inbox, &mut gateway, &mut tasks) => failed,
        };
        gateway.stop().await;
        let finished = timeout(FINISH, async {
            while let Some(done) = tasks.join_next().await {
                report(done);
            }
        });
        if finished.await.is_err() {
            tracing::warn!(left = tasks.len(), "some of what arrived from discord was not finished in time");
        }
        let why = if outcome.is_ok() { "it was stopped" } else { "discord refuses the bot" };
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Link::Lost { why: why.to_owned() };
        outcome
    }

    fn link(&self) -> Link {
        self.link.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn answer(&self, delivery: &Delivery, reply: &Reply) -> Result<Posted, ChatError> {
        self.line.answer(delivery, reply, Timestamp::now()).await
    }

    async fn post(&self, post: &Post) -> Result<Posted, ChatError> {
        self.line.post(post).await
    }

    async fn edit(&self, posted: &Posted, message: &Message) -> Result<(), ChatError> {
        self.line.edit(posted, message).await
    }

    async fn identity(&self, person: &Person) -> Result<Identity, ChatError> {
        self.identities.of(person, &self.guilds, &self.line.api).await
    }

    async fn check(&self, channels: &[String]) -> Vec<Check> {
        check::check(&self.line.api, &self.guilds, channels).await
    }
}

fn take(tasks: &mut JoinSet<()>, intake: &Arc<Intake>, incoming: Incoming, me: u64) {
    let intake = Arc::clone(intake);
    tasks.spawn(async move { intake.take(incoming, me).await });
}

fn report(done: Result<(), JoinError>) {
    if let Err(error) = done
        && error.is_panic()
    {
        // Not the panic's own words: they may quote what arrived.
        tracing::error!("taking something from discord failed in a way that it must not");
    }
}
