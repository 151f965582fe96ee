//! "Tell me when healthy": looks at what people wait for until it can be told, and tells it once.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kubewhy_chat::{Message, Post};
use kubewhy_core::answer::Waited;
use kubewhy_core::commands;
use kubewhy_diagnosis::{Report, Status};
use kubewhy_store::Waiting;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::work::Office;

/// How often it is looked at first; later a tenth of the time that was waited.
const PACE: Duration = Duration::from_secs(5);

/// The longest time between two looks.
const LONGEST_PACE: SignedDuration = SignedDuration::from_mins(2);

/// What one wait has seen in this process.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    looked_at: Option<Timestamp>,
    /// Whether it was healthy at the look before: one look can fall between two crashes.
    healthy: bool,
}

/// Keeps the promises until `stop`.
pub(crate) async fn keep(office: Arc<Office>, stop: CancellationToken) {
    let mut seen: std::collections::HashMap<String, Seen> = std::collections::HashMap::new();
    let mut every = tokio::time::interval(PACE);
    every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        let waits = match office.store.waits().await {
            Ok(waits) => waits,
            Err(error) => {
                warn!(%error, "what people wait for could not be read");
                continue;
            }
        };
        seen.retain(|id, _| waits.iter().any(|waiting| waiting.id == *id));
        for waiting in waits {
            let before = seen.entry(waiting.id.clone()).or_default();
            let now = Timestamp::now();
            if !is_due(&waiting, *before, now) {
                continue;
            }
            if stop.run_until_cancelled(office.look_after(&waiting, before, now)).await.is_none() {
                return;
            }
        }
    }
}

fn is_due(waiting: &Waiting, seen: Seen, now: Timestamp) -> bool {
    let Some(looked_at) = seen.looked_at.filter(|_| !seen.healthy) else { return true };
    let pace = (now.duration_since(waiting.wait.since) / 10).min(LONGEST_PACE);
    now.duration_since(looked_at) >= pace
}

impl Office {
    async fn look_after(&self, waiting: &Waiting, seen: &mut Seen, now: Timestamp) {
        let object = commands::parse(&waiting.wait.subject, None).ok().and_then(|command| command.wanted());
        let Some(object) = object else {
            warn!("what somebody waits for cannot be read any more");
            self.end(waiting).await;
            return;
        };
        let Some(report) = self.questions.look(object).await else { return };
        seen.looked_at = Some(now);
        let message = match ended(&report, seen.healthy, waiting.wait.until <= now) {
            Ended::Yes(waited) => self.desk.told(waited),
            Ended::NotYet { healthy } => {
                seen.healthy = healthy;
                return;
            }
        };
        if self.tell(waiting, message).await {
            self.end(waiting).await;
        }
    }

    /// Tells it; tells whether nothing more can be done.
    async fn tell(&self, waiting: &Waiting, message: Message) -> bool {
        let platform = waiting.wait.person.id.split_once(':').and_then(|(name, _)| self.platforms.get(name));
        let Some(platform) = platform else { return true };
        let post = Post {
            place: waiting.wait.place.clone(),
            message: self.short_presses(message).await,
            mention: Some(waiting.wait.person.clone()),
            key: format!("wait-{}", waiting.id),
        };
        match platform.post(&post).await {
            Ok(_) => {
                info!(chat.channel = %waiting.wait.place.channel, "told what somebody waited for");
                true
            }
            Err(error) => {
                warn!(%error, "what somebody waited for could not be told");
                !error.is_retryable()
            }
        }
    }

    async fn end(&self, waiting: &Waiting) {
        if let Err(error) = self.store.end_wait(&waiting.id).await {
            warn!(%error, "the end of a wait could not be kept");
        }
    }
}

/// Whether a wait is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended<'r> {
    Yes(Waited<'r>),
    NotYet { healthy: bool },
}

fn ended(report: &Report, was_healthy: bool, too_late: bool) -> Ended<'_> {
    let gone = report.error.as_ref().is_some_and(|error| error.code == "not-found");
    let healthy = report.error.is_none() && report.status == Status::Healthy;
    match (gone, healthy && was_healthy) {
        (true, _) => Ended::Yes(Waited::Gone(report)),
        (_, true) => Ended::Yes(Waited::Healthy(report)),
        _ if too_late => Ended::Yes(Waited::InVain(report)),
        _ => Ended::NotYet { healthy },
    }
}
