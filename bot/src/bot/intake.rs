//! Takes deliveries: stores each before it is acknowledged, knows those that came before, and bounds what waits.

use std::sync::{Arc, Weak};
use std::time::Duration;

use async_trait::async_trait;
use governor::clock::Clock as _;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use kubewhy_chat::{Acceptance, Delivery, Inbox, Input, Press, Reply, Typed};
use kubewhy_core::UserError;
use kubewhy_store::{Ending, Fresh};
use kubewhy_text::{Text, text};
use moka::future::Cache;
use tokio::sync::mpsc;
use tracing::{info, warn};

use super::names::Names;
use super::work::{Office, whereabouts};
use crate::config::Limits;
use crate::desk::Desk;

/// How long a delivery is known by its id where the store is lost: the last repetition of a platform comes after 5 minutes.
const REMEMBERED: Duration = Duration::from_mins(15);

/// Takes what platforms deliver.
pub(crate) struct Intake {
    office: Weak<Office>,
    queue: mpsc::Sender<Delivery>,
    names: Names,
    per_person: Option<DefaultKeyedRateLimiter<String>>,
    per_channel: Option<DefaultKeyedRateLimiter<String>>,
    /// What came while the store was lost.
    unstored: Cache<String, ()>,
}

impl Intake {
    pub(crate) fn new(office: &Arc<Office>, queue: mpsc::Sender<Delivery>, limits: &Limits) -> Self {
        let limiter = |most| RateLimiter::keyed(Quota::per_minute(most));
        Self {
            office: Arc::downgrade(office),
            queue,
            names: Names::new(Arc::clone(&office.desk)),
            per_person: limits.questions_per_person.map(limiter),
            per_channel: limits.questions_per_channel.map(limiter),
            unstored: Cache::builder().max_capacity(10_000).time_to_live(REMEMBERED).build(),
        }
    }

    async fn store(&self, office: &Office, delivery: &Delivery) -> Fresh {
        match office.store.accept(delivery).await {
            Ok(fresh) => fresh,
            Err(error) => {
                // Without the store, answers go on; a repetition is known as long as this process lives.
                warn!(%error, "a delivery could not be stored");
                let entry = self.unstored.entry(delivery.id.clone()).or_insert(()).await;
                if entry.is_fresh() { Fresh::New } else { Fresh::Seen }
            }
        }
    }

    /// What is too much, if something is.
    fn over_budget(&self, delivery: &Delivery) -> Option<UserError> {
        let request = &delivery.request;
        let whose = [
            (&self.per_person, &request.who.id, text!["you ask faster than I answer"]),
            (&self.per_channel, &request.place.channel, text!["this channel asks faster than I answer"]),
        ];
        whose.into_iter().find_map(|(limiter, key, wrong)| {
            let limiter = limiter.as_ref()?;
            let wait = limiter.check_key(key).err()?.wait_time_from(limiter.clock().now());
            Some(UserError::new(wrong).next(again_in(wait)))
        })
    }

    async fn refuse(&self, office: &Office, delivery: &Delivery, error: &UserError) -> Acceptance {
        info!(request.id = %delivery.id, "a delivery was refused: {}", error.wrong);
        if let Err(error) = office.store.finish(&delivery.id, Ending::Failed, Timestamp::now()).await {
            warn!(%error, "the end of a delivery could not be kept");
        }
        Acceptance::Refused(Box::new(Reply::to_asker(error.message())))
    }
}

fn again_in(wait: Duration) -> Text {
    text!["Ask again in ", wait.as_secs() + 1, " s."]
}

#[async_trait]
impl Inbox for Intake {
    async fn accept(&self, mut delivery: Delivery) -> Acceptance {
        let Some(office) = self.office.upgrade() else { return Acceptance::Duplicate };
        if let Some(form) = Desk::form_for(&delivery.request.input) {
            return Acceptance::Form(Box::new(form));
        }
        if let Input::Press(Press::Token(token)) = &delivery.request.input
            && let Ok(Some(press)) = office.store.press(token, delivery.received_at).await
        {
            delivery.request.input = Input::Press(press);
        }
        if self.store(&office, &delivery).await == Fresh::Seen {
            return Acceptance::Duplicate;
        }
        if let Some(error) = self.over_budget(&delivery) {
            return self.refuse(&office, &delivery, &error).await;
        }
        let visibility = office.desk.visibility(&delivery.request.input, whereabouts(&delivery.request.place));
        match self.queue.try_send(delivery) {
            Ok(()) => Acceptance::Accepted(visibility),
            Err(mpsc::error::TrySendError::Full(delivery) | mpsc::error::TrySendError::Closed(delivery)) => {
                let error =
                    UserError::new(text!["too many questions wait already"]).next(text!["Ask again in a minute."]);
                self.refuse(&office, &delivery, &error).await
            }
        }
    }

    async fn suggest(&self, typed: Typed) -> Vec<String> {
        let Some(office) = self.office.upgrade() else { return Vec::new() };
        // Nobody learns names here that they could not ask about.
        let Some(identity) = &typed.who.identity else { return Vec::new() };
        let Ok(grant) = office.policy.grant(&typed.who, identity, &typed.place) else { return Vec::new() };
        self.names.suggest(typed, grant).await
    }
}
