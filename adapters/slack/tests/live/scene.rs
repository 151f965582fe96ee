//! A workspace, the adapter in it, and an inbox that can be looked into.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use kubewhy_chat::{
    Acceptance, ChatError, ChatPlatform as _, Delivery, Inbox, Link, Message, Reply, Tone, Typed, Visibility,
};
use kubewhy_slack::{Settings, Slack};
use kubewhy_slack_server::{SlackServer, World};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// How long anything may take that is waited for.
pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const ANNA: &str = "U0ANNA";
pub(crate) const INCIDENTS: &str = "C0INCIDENTS";
pub(crate) const GENERAL: &str = "C0GENERAL";

/// What the inbox makes of what it has not seen before.
pub(crate) type Judge = Box<dyn Fn(&Delivery) -> Acceptance + Send + Sync>;

/// An inbox that remembers.
pub(crate) struct Box_ {
    judge: Judge,
    taken: Mutex<Vec<Delivery>>,
    seen: watch::Sender<usize>,
    /// While it is closed, nothing is stored.
    gate: watch::Sender<bool>,
}

/// A workspace with the adapter in it.
pub(crate) struct Scene {
    pub(crate) server: SlackServer,
    pub(crate) slack: Arc<Slack>,
    pub(crate) inbox: Arc<Box_>,
    stop: Option<oneshot::Sender<()>>,
    pub(crate) listening: JoinHandle<Result<(), ChatError>>,
}

impl Box_ {
    fn new(judge: Judge) -> Self {
        Self { judge, taken: Mutex::default(), seen: watch::Sender::new(0), gate: watch::Sender::new(true) }
    }

    /// Lets the store hang, or go on.
    pub(crate) fn open(&self, open: bool) {
        self.gate.send_replace(open);
    }

    /// What was delivered, repeated ones as often as they were.
    pub(crate) fn deliveries(&self) -> Vec<Delivery> {
        self.taken.lock().expect("no test panics with it").clone()
    }

    /// Waits until so much was delivered.
    pub(crate) async fn wait_for(&self, count: usize) -> Vec<Delivery> {
        let mut seen = self.seen.subscribe();
        let waited = timeout(SOON, seen.wait_for(|seen| *seen >= count)).await;
        assert!(waited.is_ok(), "only {} of {count} deliveries arrived", self.deliveries().len());
        self.deliveries()
    }
}

#[async_trait]
impl Inbox for Box_ {
    async fn accept(&self, delivery: Delivery) -> Acceptance {
        let is_known = {
            let mut taken = self.taken.lock().expect("no test panics with it");
            let is_known = taken.iter().any(|known| known.id == delivery.id);
            taken.push(delivery.clone());
            is_known
        };
        self.seen.send_modify(|seen| *seen += 1);
        let _ = self.gate.subscribe().wait_for(|open| *open).await;
        if is_known { Acceptance::Duplicate } else { (self.judge)(&delivery) }
    }

    async fn suggest(&self, _: Typed) -> Vec<String> {
        Vec::new()
    }
}

impl Scene {
    /// The default workspace, without rate limits.
    pub(crate) async fn open() -> Self {
        Self::with(World::default().without_limits(), Box::new(|_| Acceptance::Accepted(Visibility::Everybody))).await
    }

    /// Another workspace, or another mind of the inbox; both sockets are open.
    pub(crate) async fn with(world: World, judge: Judge) -> Self {
        let scene = Self::begin(world, judge).await;
        scene.server.wait_for_connections(2, SOON).await.expect("two sockets");
        scene
    }

    /// The same while the sockets may still be opening.
    pub(crate) async fn begin(world: World, judge: Judge) -> Self {
        let server = SlackServer::start(world).await.expect("a port");
        let slack = Arc::new(slack(&server));
        let inbox = Arc::new(Box_::new(judge));
        let (stop, stopped) = oneshot::channel::<()>();
        let listener = Arc::clone(&slack);
        let listened: Arc<dyn Inbox> = inbox.clone();
        let listening = tokio::spawn(async move {
            let stopped = async {
                let _ = stopped.await;
            };
            listener.listen(listened, Box::pin(stopped)).await
        });
        Self { server, slack, inbox, stop: Some(stop), listening }
    }

    /// Stops, and says what listening ended with.
    pub(crate) async fn stop(&mut self) -> Result<(), ChatError> {
        drop(self.stop.take());
        self.ended().await
    }

    /// What listening ended with.
    pub(crate) async fn ended(&mut self) -> Result<(), ChatError> {
        timeout(SOON, &mut self.listening).await.expect("it ends in time").expect("it does not panic")
    }

    /// Asks by slash command, and waits for the delivery.
    pub(crate) async fn asked(&self, channel: &str, text: &str) -> Delivery {
        let before = self.inbox.deliveries().len();
        self.server.person(ANNA).slash(channel, "/why", text).expect("it can be typed");
        self.inbox.wait_for(before + 1).await.pop().expect("a delivery")
    }

    /// Asks by mention, and waits for the delivery; with the time of the question.
    pub(crate) async fn mentioned(&self, channel: &str, text: &str) -> (Delivery, String) {
        let before = self.inbox.deliveries().len();
        let words = format!("<@U0KUBEWHY> {text}");
        let ts = self.server.person(ANNA).says(channel, &words).expect("it can be said");
        (self.inbox.wait_for(before + 1).await.pop().expect("a delivery"), ts)
    }

    /// Waits until the link is as wanted: no event of the server tells that.
    pub(crate) async fn wait_for_link(&self, is_wanted: impl Fn(&Link) -> bool) {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        let wanted = async {
            while !is_wanted(&self.slack.link()) {
                looks.tick().await;
            }
        };
        assert!(timeout(SOON, wanted).await.is_ok(), "the link is {:?}", self.slack.link());
    }

    /// What the bot itself has posted in a channel.
    pub(crate) fn posted(&self, channel: &str) -> Vec<String> {
        let ours = self.server.messages(channel).into_iter().filter(|message| message.author == "U0KUBEWHY");
        ours.map(|message| message.shown).collect()
    }
}

/// The adapter for that workspace.
pub(crate) fn slack(server: &SlackServer) -> Slack {
    Slack::new(settings(server)).expect("the settings are fine")
}

pub(crate) fn settings(server: &SlackServer) -> Settings {
    Settings {
        bot_token: "xoxb-test-bot".into(),
        app_token: "xapp-test-app".into(),
        api_url: server.api_url(),
        command: "/why".to_owned(),
    }
}

pub(crate) fn message(headline: &'static str) -> Message {
    Message::new(Tone::Failing, headline.into())
}

pub(crate) fn reply(headline: &'static str) -> Reply {
    Reply::to_everybody(message(headline))
}

pub(crate) fn groups(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}
