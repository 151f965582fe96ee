//! A server, the adapter that listens to it, and an inbox that does what a test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kubewhy_chat::{
    Acceptance, Block, Button, ChatError, ChatPlatform, Delivery, Inbox, Memory, Message, Reply, Tone, Typed,
    Visibility,
};
use kubewhy_discord::{Discord, Settings};
use kubewhy_discord_server::{DiscordServer, Id, SeenMessage, World, world};
use kubewhy_text::text;
use tokio::sync::{Mutex as FairMutex, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How long anything that has to happen may take.
pub(crate) const SOON: Duration = Duration::from_secs(10);
/// How long a new session may take: serenity waits 5 s for the old one, and 5 s before each start.
pub(crate) const ANEW: Duration = Duration::from_secs(40);

/// What decides about a delivery.
type Decide = dyn Fn(&Delivery) -> Acceptance + Send + Sync;
/// What suggests.
type Suggest = dyn Fn(&Typed) -> Vec<String> + Send + Sync;

/// An inbox that keeps what it is given.
pub(crate) struct TestInbox {
    decide: Box<Decide>,
    suggest: Box<Suggest>,
    lag: Duration,
    seen: Mutex<Vec<String>>,
    kept: mpsc::UnboundedSender<Delivery>,
    pub(crate) typed: Mutex<Vec<Typed>>,
    pub(crate) duplicates: Mutex<usize>,
}

#[async_trait]
impl Inbox for TestInbox {
    async fn accept(&self, delivery: Delivery) -> Acceptance {
        sleep(self.lag).await;
        let mut seen = self.seen.lock().unwrap();
        if seen.contains(&delivery.id) {
            *self.duplicates.lock().unwrap() += 1;
            return Acceptance::Duplicate;
        }
        let acceptance = (self.decide)(&delivery);
        if matches!(acceptance, Acceptance::Accepted(_)) {
            seen.push(delivery.id.clone());
        }
        self.kept.send(delivery).unwrap();
        acceptance
    }

    async fn suggest(&self, typed: Typed) -> Vec<String> {
        let suggestions = (self.suggest)(&typed);
        self.typed.lock().unwrap().push(typed);
        if suggestions.is_empty() {
            // Nothing is known in time.
            std::future::pending::<()>().await;
        }
        suggestions
    }
}

/// A memory that a test can look into.
#[derive(Default)]
pub(crate) struct TestMemory(pub(crate) Mutex<BTreeMap<String, String>>);

#[async_trait]
impl Memory for TestMemory {
    async fn recall(&self, key: &str) -> Option<String> {
        self.0.lock().unwrap().get(key).cloned()
    }

    async fn keep(&self, key: &str, value: &str) {
        self.0.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }
}

/// How a stage is set.
pub(crate) struct Setting {
    pub(crate) world: World,
    pub(crate) decide: Box<Decide>,
    pub(crate) suggest: Box<Suggest>,
    pub(crate) lag: Duration,
    pub(crate) memory: Arc<TestMemory>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            world: World::default(),
            decide: Box::new(|_| Acceptance::Accepted(Visibility::Everybody)),
            suggest: Box::new(|_| Vec::new()),
            lag: Duration::ZERO,
            memory: Arc::default(),
        }
    }
}

/// All of it.
pub(crate) struct Stage {
    pub(crate) server: DiscordServer,
    pub(crate) discord: Arc<Discord>,
    pub(crate) inbox: Arc<TestInbox>,
    deliveries: FairMutex<mpsc::UnboundedReceiver<Delivery>>,
    stop: Option<oneshot::Sender<()>>,
    listening: JoinHandle<Result<(), ChatError>>,
}

impl Stage {
    /// A stage on which the adapter listens and its commands are registered.
    pub(crate) async fn set() -> Self {
        Self::set_with(Setting::default()).await
    }

    pub(crate) async fn set_with(setting: Setting) -> Self {
        let stage = Self::raise(setting).await;
        stage.server.wait_ready(SOON).await.unwrap();
        stage
            .server
            .wait_for(SOON, |view| (!view.commands(Some(world::GUILD)).is_empty()).then_some(()))
            .await
            .unwrap();
        stage
    }

    /// A stage on which the adapter begins to listen.
    pub(crate) async fn raise(setting: Setting) -> Self {
        let server = DiscordServer::start(setting.world).await.unwrap();
        let discord = Arc::new(discord(&server, Arc::clone(&setting.memory)));
        let (kept, deliveries) = mpsc::unbounded_channel();
        let inbox = Arc::new(TestInbox {
            decide: setting.decide,
            suggest: setting.suggest,
            lag: setting.lag,
            seen: Mutex::default(),
            kept,
            typed: Mutex::default(),
            duplicates: Mutex::default(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let listening = {
            let (discord, inbox) = (Arc::clone(&discord), Arc::clone(&inbox));
            tokio::spawn(async move {
                discord
                    .listen(
                        inbox,
                        Box::pin(async move {
                            let _ = stopped.await;
                        }),
                    )
                    .await
            })
        };
        Self { server, discord, inbox, deliveries: FairMutex::new(deliveries), stop: Some(stop), listening }
    }

    /// The next delivery.
    pub(crate) async fn delivered(&self) -> Delivery {
        timeout(SOON, self.deliveries.lock().await.recv()).await.expect("nothing was delivered").unwrap()
    }

    /// Whether nothing more was delivered up to now.
    pub(crate) async fn is_quiet(&self) -> bool {
        self.deliveries.lock().await.try_recv().is_err()
    }

    /// Waits for a message that looks like this.
    pub(crate) async fn seen(&self, wanted: impl Fn(&SeenMessage) -> bool) -> SeenMessage {
        let found =
            self.server.wait_for(SOON, |view| view.all_of_bot().into_iter().find(|it| !it.is_deleted && wanted(it)));
        found.await.unwrap()
    }

    /// The thread of a channel that there should be.
    pub(crate) async fn thread(&self, channel: Id) -> Id {
        let found = self.server.wait_for(SOON, |view| view.threads(channel).first().map(|(thread, _)| *thread));
        found.await.unwrap()
    }

    /// All messages of the bot that are there, oldest first.
    pub(crate) fn shown(&self) -> Vec<SeenMessage> {
        self.server.read(|view| view.all_of_bot().into_iter().filter(|message| !message.is_deleted).collect())
    }

    /// Stops listening.
    pub(crate) async fn stop(&mut self) -> Result<(), ChatError> {
        let _ = self.stop.take().expect("it listens").send(());
        self.ended().await
    }

    /// Waits until it stopped listening.
    pub(crate) async fn ended(&mut self) -> Result<(), ChatError> {
        timeout(SOON, &mut self.listening).await.expect("it still listens").unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// The adapter for a server.
pub(crate) fn discord(server: &DiscordServer, memory: Arc<TestMemory>) -> Discord {
    let settings = Settings {
        token: server.token().to_owned().into(),
        guilds: vec![world::GUILD.0],
        api_url: server.api_url().to_owned(),
    };
    Discord::new(settings, memory).unwrap()
}

/// A message of one screen.
pub(crate) fn short(words: &'static str) -> Message {
    Message::new(Tone::Failing, words.into())
}

/// A message with something below.
pub(crate) fn long(words: &'static str) -> Message {
    short(words).below(Block::Paragraph(text!["the evidence"])).below(Block::Heading(text!["the rest"]))
}

/// A message with a button.
pub(crate) fn with_button(words: &'static str, line: &'static str) -> Message {
    short(words).with(Block::Buttons(vec![Button::command("Logs", line)]))
}

/// A reply that all see.
pub(crate) fn public(message: Message) -> Reply {
    Reply::to_everybody(message)
}

/// A reply that only the asker sees.
pub(crate) fn private(message: Message) -> Reply {
    Reply::to_asker(message)
}

/// Whether a message of the server says these words.
pub(crate) fn says(words: &str) -> impl Fn(&SeenMessage) -> bool {
    let words = words.to_owned();
    move |message| message.all_text().contains(&words)
}
