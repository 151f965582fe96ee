//! The stream of events: serenity's client, looked after.
//!
//! serenity keeps a session, resumes it and starts another by itself, in tasks that nobody owns and that do not always end
//! with it. Each client gets a runtime of its own here, so that all of it ends when we say so; a client that stays without a
//! session is replaced, at a pace that never uses up the sessions that Discord grants a day.

mod budget;
mod client;
mod plan;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use kubewhy_chat::{ChatError, Link};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use self::budget::Budget;
pub(crate) use self::client::Event;
use self::client::{Client, Ended};
pub(crate) use self::plan::{Plan, probe};
use crate::api::Failure;
use crate::posting::Line;
use crate::settings::Settings;

/// How long a client may be without a session before it is replaced.
const PATIENCE: Duration = Duration::from_secs(45);
/// How often the state of the session is looked at; serenity does not tell of each loss.
const LOOK: Duration = Duration::from_millis(500);
/// How long a session has to last for the next loss to count as the first.
const LASTING: Duration = Duration::from_mins(1);
/// Events that may wait to be taken. What comes when it is full is dropped: its 3 s are over anyway.
const MOST_WAITING: usize = 2_048;

/// The stream of events.
pub(crate) struct Gateway {
    settings: Settings,
    base: String,
    line: Arc<Line>,
    state: Arc<Mutex<Link>>,
    budget: Budget,
    client: Option<Client>,
    events: (mpsc::Sender<Event>, mpsc::Receiver<Event>),
    delays: ExponentialBackoff,
    opened_at: Option<Instant>,
    lost_at: Instant,
}

impl Gateway {
    pub(crate) fn new(settings: Settings, base: String, line: Arc<Line>, state: Arc<Mutex<Link>>) -> Self {
        set(&state, Link::Connecting);
        Self {
            settings,
            base,
            line,
            state,
            budget: Budget::default(),
            client: None,
            events: mpsc::channel(MOST_WAITING),
            delays: delays(),
            opened_at: None,
            lost_at: Instant::now(),
        }
    }

    /// The next event, through every loss. Cancelling it loses nothing.
    ///
    /// # Errors
    /// Where a person has to act first.
    pub(crate) async fn next(&mut self) -> Result<Event, ChatError> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let Some(client) = &mut self.client else {
                self.start().await?;
                continue;
            };
            tokio::select! {
                event = self.events.1.recv() => {
                    if let Some(event) = event {
                        self.note(&event);
                        return Ok(event);
                    }
                }
                ended = client.ended() => self.ended(ended).await?,
                _ = look.tick() => self.look().await?,
            }
        }
    }

    /// Ends the session, so that Discord shows the bot as gone, and everything that belongs to it.
    pub(crate) async fn stop(&mut self) {
        if let Some(client) = self.client.take() {
            client.stop().await;
        }
    }

    /// Starts a client once Discord has said where and that it may.
    async fn start(&mut self) -> Result<(), ChatError> {
        let plan = match probe(&self.line.api).await {
            Ok(plan) => plan,
            Err(failure @ Failure::Revoked { .. }) => return Err(failure.into_error("listen", 0)),
            Err(failure) => {
                self.lose(&failure.to_string());
                sleep(self.delay()).await;
                return Ok(());
            }
        };
        let url = plan
            .url(self.base.starts_with("http://"))
            .map_err(|code| ChatError::Invalid { action: "open the gateway", code: code.to_owned() })?;
        if let Some(wait) = self.budget.wait(Instant::now(), &plan) {
            tracing::error!(
                seconds = wait.as_secs(),
                "too many sessions of discord's gateway were started today: waiting"
            );
            self.lose("too many sessions were started within a day");
            sleep(wait).await;
            return Ok(());
        }
        self.budget.note(Instant::now());
        self.lost_at = Instant::now();
        let client = Client::start(&self.settings, &self.base, url, self.events.0.clone());
        self.client = Some(client.map_err(|why| ChatError::Unreachable { why, doubtful: false })?);
        Ok(())
    }

    fn note(&mut self, event: &Event) {
        if let Event::Ready { first: false, .. } = event {
            self.budget.note(Instant::now());
        }
        if matches!(event, Event::Ready { .. } | Event::Resumed) {
            self.open();
        }
    }

    async fn look(&mut self) -> Result<(), ChatError> {
        if self.line.api.is_revoked() {
            return Err(ChatError::Revoked { code: "401".to_owned() });
        }
        let Some(client) = &mut self.client else { return Ok(()) };
        match client.is_connected().await {
            true => self.open(),
            false if self.lost_at.elapsed() >= PATIENCE => self.replace("discord gives no session").await,
            false => self.lose("the connection was lost"),
        }
        // A storm of sessions: each of them opens, so that no patience ends.
        if self.budget.is_hasty(Instant::now()) {
            self.replace("discord ends each session at once").await;
        }
        Ok(())
    }

    async fn replace(&mut self, why: &str) {
        tracing::warn!(why, "the session of discord's gateway is started anew");
        self.lose(why);
        if let Some(client) = self.client.take() {
            client.stop().await;
        }
        sleep(self.delay()).await;
    }

    async fn ended(&mut self, ended: Ended) -> Result<(), ChatError> {
        self.client = None;
        match ended {
            Ended::TokenRefused => Err(ChatError::Revoked { code: "4004".to_owned() }),
            Ended::IntentsRefused(code) => {
                tracing::error!(
                    code,
                    "discord refuses the events that kubewhy asks for: in the Discord developer portal, under Bot, look at \
                     the privileged gateway intents; kubewhy needs none of them"
                );
                Err(ChatError::Forbidden {
                    action: "receive events with these gateway intents; see the page Bot in the Discord developer portal",
                    code: code.to_string(),
                })
            }
            Ended::Otherwise(why) => {
                tracing::warn!(why, "the client of discord's gateway ended");
                self.lose(&why);
                sleep(self.delay()).await;
                Ok(())
            }
        }
    }

    fn open(&mut self) {
        let now = Instant::now();
        let since = *self.opened_at.get_or_insert(now);
        self.lost_at = now;
        if now.duration_since(since) >= LASTING {
            self.delays = delays();
        }
        if set(&self.state, Link::Open) {
            tracing::info!("discord's gateway is open");
        }
    }

    fn lose(&mut self, why: &str) {
        self.opened_at = None;
        let mut link = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*link {
            Link::Connecting if why == "the connection was lost" => {}
            Link::Lost { .. } => {}
            _ => {
                tracing::warn!(why, "discord's gateway is not open");
                *link = Link::Lost { why: why.to_owned() };
            }
        }
    }

    fn delay(&mut self) -> Duration {
        self.delays.next().unwrap_or(Duration::from_mins(1))
    }
}

fn delays() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_mins(1))
        .without_max_times()
        .build()
}

fn set(link: &Mutex<Link>, state: Link) -> bool {
    let mut link = link.lock().unwrap_or_else(PoisonError::into_inner);
    let changed = *link != state;
    *link = state;
    changed
}
