//! How interactions were acknowledged, for whoever answers them: an answer can be ready before Discord knows that one comes.

use std::sync::Arc;
use std::time::Duration;

use kubewhy_chat::Visibility;
use moka::future::Cache;
use tokio::sync::watch;
use tokio::time::timeout;

/// As long as Discord takes answers.
const LIFE: Duration = Duration::from_mins(15);
/// As long as the first answer of an interaction may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// How an interaction was acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledgement {
    /// It has not been yet.
    Pending,
    /// With "thinking ..." that these see.
    Announced(Visibility),
    /// With nothing that anybody sees.
    Silent,
    /// Discord did not take it: the interaction cannot be answered any more.
    Failed,
}

/// The acknowledgements of the last minutes, by delivery.
pub(crate) struct Acknowledgements(Cache<String, Arc<watch::Sender<Acknowledgement>>>);

/// An acknowledgement that is being made; dropped without being told, it failed.
pub(crate) struct Pending(Arc<watch::Sender<Acknowledgement>>);

impl Acknowledgements {
    pub(crate) fn new() -> Self {
        Self(Cache::builder().max_capacity(20_000).time_to_live(LIFE).build())
    }

    /// Announces that a delivery is about to be acknowledged. A delivery that comes twice keeps its first acknowledgement.
    pub(crate) async fn begin(&self, delivery: &str) -> Option<Pending> {
        let entry = self
            .0
            .entry_by_ref(delivery)
            .or_insert_with(async { Arc::new(watch::Sender::new(Acknowledgement::Pending)) });
        let entry = entry.await;
        entry.is_fresh().then(|| Pending(entry.into_value()))
    }

    /// Forgets a delivery that was acknowledged in another life of this program.
    pub(crate) async fn forget(&self, delivery: &str) {
        self.0.invalidate(delivery).await;
    }

    /// How a delivery was acknowledged, as soon as it was; `None` where that was before a restart.
    pub(crate) async fn of(&self, delivery: &str) -> Option<Acknowledgement> {
        let mut receiver = self.0.get(delivery).await?.subscribe();
        let told = timeout(PATIENCE, receiver.wait_for(|state| *state != Acknowledgement::Pending)).await;
        match told {
            Ok(Ok(state)) => Some(*state),
            Ok(Err(_)) | Err(_) => None,
        }
    }
}

impl Pending {
    pub(crate) fn tell(self, acknowledgement: Acknowledgement) {
        self.0.send_replace(acknowledgement);
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.send_if_modified(|state| {
            let pending = *state == Acknowledgement::Pending;
            if pending {
                *state = Acknowledgement::Failed;
            }
            pending
        });
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::Visibility;

    use super::{Acknowledgement, Acknowledgements};

    #[tokio::test]
    async fn an_answer_waits_for_its_acknowledgement() {
        let all = Acknowledgements::new();
        let pending = all.begin("discord:1").await.unwrap();
        let (told, ()) = tokio::join!(all.of("discord:1"), async {
            tokio::task::yield_now().await;
            pending.tell(Acknowledgement::Announced(Visibility::Everybody));
        });
        assert_eq!(told, Some(Acknowledgement::Announced(Visibility::Everybody)));
        assert_eq!(all.of("discord:2").await, None);
    }

    #[tokio::test]
    async fn a_repeated_delivery_does_not_undo_the_acknowledgement_of_the_first() {
        let all = Acknowledgements::new();
        all.begin("discord:1").await.unwrap().tell(Acknowledgement::Silent);
        assert!(all.begin("discord:1").await.is_none());
        assert_eq!(all.of("discord:1").await, Some(Acknowledgement::Silent));
    }

    #[tokio::test]
    async fn an_acknowledgement_that_was_given_up_failed() {
        let all = Acknowledgements::new();
        drop(all.begin("discord:1").await);
        assert_eq!(all.of("discord:1").await, Some(Acknowledgement::Failed));
    }
}
