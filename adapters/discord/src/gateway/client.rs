//! One client of serenity with a runtime of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use secrecy::ExposeSecret;
use serenity::all::{
    ClientBuilder, ConnectionStage, Context, EventHandler, GatewayError, GatewayIntents, HttpBuilder, Interaction,
    Message, Ready, ResumedEvent, ShardId, ShardManager,
};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::api;
use crate::intake::Incoming;
use crate::settings::Settings;

/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);

/// What comes from the gateway.
#[derive(Debug)]
pub(crate) enum Event {
    /// A session began.
    Ready {
        /// The bot itself.
        me: u64,
        /// The application that it belongs to.
        application: u64,
        /// Whether it is the first of its client.
        first: bool,
    },
    /// A session goes on where it broke off.
    Resumed,
    /// Something to take.
    Incoming(Incoming),
}

/// How a client ended by itself.
pub(super) enum Ended {
    TokenRefused,
    IntentsRefused(u16),
    Otherwise(String),
}

/// A client.
pub(super) struct Client {
    runtime: Option<Runtime>,
    manager: oneshot::Receiver<Arc<ShardManager>>,
    known: Option<Arc<ShardManager>>,
    ended: oneshot::Receiver<Ended>,
}

/// Hands events over, and never waits.
struct Listener {
    events: mpsc::Sender<Event>,
    begun: AtomicBool,
}

impl Client {
    pub(super) fn start(
        settings: &Settings,
        base: &str,
        url: &str,
        events: mpsc::Sender<Event>,
    ) -> Result<Self, String> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("discord-gateway")
            .enable_all()
            .build()
            .map_err(|error| format!("no runtime for the gateway: {error}"))?;
        let token = settings.bare_token().map_err(|error| error.to_string())?;
        // serenity puts the path below the host itself.
        let host = base.strip_suffix("/api").unwrap_or(base);
        let http = HttpBuilder::new(token.expose_secret())
            .client(api::client().map_err(|error| error.to_string())?)
            .proxy(host)
            .ratelimiter_disabled(true)
            .build();
        // Messages that mention the bot carry their words without the privileged intent.
        let intents = GatewayIntents::GUILDS | GatewayIntents::GUILD_MESSAGES | GatewayIntents::DIRECT_MESSAGES;
        let listener = Listener { events, begun: AtomicBool::new(false) };
        let builder = ClientBuilder::new_with_http(http, intents).event_handler(listener);
        let (manager, ended) = (oneshot::channel(), oneshot::channel());
        let url = url.to_owned();
        runtime.spawn(async move {
            let end = run(builder, url, manager.0).await;
            let _ = ended.0.send(end);
        });
        Ok(Self { runtime: Some(runtime), manager: manager.1, known: None, ended: ended.1 })
    }

    /// Waits until it ends by itself.
    pub(super) async fn ended(&mut self) -> Ended {
        (&mut self.ended).await.unwrap_or_else(|_| Ended::Otherwise("it ended without a word".to_owned()))
    }

    /// Whether it has a session now.
    pub(super) async fn is_connected(&mut self) -> bool {
        let Some(manager) = self.manager() else { return false };
        let runners = manager.runners.lock().await;
        runners.get(&ShardId(0)).is_some_and(|runner| runner.stage == ConnectionStage::Connected)
    }

    /// Says goodbye where there is anybody to say it to, and ends all tasks.
    pub(super) async fn stop(mut self) {
        if self.is_connected().await
            && let Some(manager) = self.manager()
            && timeout(GOODBYE, manager.shutdown_all()).await.is_err()
        {
            tracing::debug!("discord's gateway did not say goodbye in time");
        }
    }

    fn manager(&mut self) -> Option<Arc<ShardManager>> {
        if self.known.is_none() {
            self.known = self.manager.try_recv().ok();
        }
        self.known.clone()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

async fn run(builder: ClientBuilder, url: String, manager: oneshot::Sender<Arc<ShardManager>>) -> Ended {
    let mut client = match builder.await {
        Ok(client) => client,
        Err(error) => return ended(&error),
    };
    // Where its own question fails, serenity falls back to the real gateway, whatever the API is.
    *client.ws_url.lock().await = url;
    let _ = manager.send(Arc::clone(&client.shard_manager));
    match client.start().await {
        Ok(()) => Ended::Otherwise("it was stopped".to_owned()),
        Err(error) => ended(&error),
    }
}

fn ended(error: &serenity::Error) -> Ended {
    match error {
        serenity::Error::Gateway(GatewayError::InvalidAuthentication) => Ended::TokenRefused,
        serenity::Error::Gateway(GatewayError::InvalidGatewayIntents) => Ended::IntentsRefused(4013),
        serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents) => Ended::IntentsRefused(4014),
        serenity::Error::Gateway(error) => Ended::Otherwise(error.to_string()),
        _ => Ended::Otherwise("the client failed".to_owned()),
    }
}

impl Listener {
    fn tell(&self, event: Event) {
        if self.events.try_send(event).is_err() {
            tracing::warn!("more arrives from discord than can be taken: an event was dropped");
        }
    }
}

#[async_trait]
impl EventHandler for Listener {
    async fn ready(&self, _: Context, ready: Ready) {
        let first = !self.begun.swap(true, Ordering::Relaxed);
        self.tell(Event::Ready { me: ready.user.id.get(), application: ready.application.id.get(), first });
    }

    async fn resume(&self, _: Context, _: ResumedEvent) {
        self.tell(Event::Resumed);
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        self.tell(Event::Incoming(Incoming::Interaction(Box::new(interaction))));
    }

    async fn message(&self, _: Context, message: Message) {
        self.tell(Event::Incoming(Incoming::Message(Box::new(message))));
    }
}
