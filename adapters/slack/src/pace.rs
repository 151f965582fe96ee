//! How fast we may speak: Slack takes about one message a second per channel and several hundred a minute in the workspace,
//! and bounds other methods per app.
//!
//! slack-morphism would bound `chat.postMessage` for the whole workspace alone, so that one noisy channel silences all others.

use std::future::Future;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, DefaultKeyedRateLimiter, Jitter, Quota, RateLimiter};
use kubewhy_chat::ChatError;
use tokio::time::timeout;

/// How long a message waits for its turn before the caller is told.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Messages that may follow each other at once in a channel that was quiet: a headline and its thread. Slack takes one more,
/// which is left to those that were late on their way.
/// <https://docs.slack.dev/apis/web-api/rate-limits>
const BURST: NonZeroU32 = NonZeroU32::new(3).expect("it is not zero");
/// From how many channels on those that were quiet are forgotten.
const MANY_CHANNELS: usize = 2_000;

/// How fast we may speak.
pub(crate) struct Pace {
    posts: DefaultKeyedRateLimiter<String>,
    /// Messages in all channels together: "several hundred" a minute, which a single channel does not reach.
    all_posts: DefaultDirectRateLimiter,
    /// `chat.update` is tier 3: 50 and more a minute.
    edits: DefaultDirectRateLimiter,
    /// `chat.postEphemeral` is tier 4: 100 and more a minute.
    whispers: DefaultDirectRateLimiter,
}

impl Pace {
    pub(crate) fn new() -> Self {
        let of_minute = |count: u32, burst: u32| {
            let count = NonZeroU32::new(count).unwrap_or(NonZeroU32::MIN);
            Quota::per_minute(count).allow_burst(NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN))
        };
        Self {
            posts: RateLimiter::keyed(Quota::per_second(NonZeroU32::MIN).allow_burst(BURST)),
            all_posts: RateLimiter::direct(of_minute(300, 200)),
            edits: RateLimiter::direct(of_minute(50, 20)),
            whispers: RateLimiter::direct(of_minute(100, 40)),
        }
    }

    /// Waits for the turn of a message in that channel.
    pub(crate) async fn post(&self, channel: &str) -> Result<(), ChatError> {
        if self.posts.len() > MANY_CHANNELS {
            self.posts.retain_recent();
        }
        let channel = channel.to_owned();
        bounded(async {
            self.posts.until_key_ready_with_jitter(&channel, jitter()).await;
            self.all_posts.until_ready_with_jitter(jitter()).await;
        })
        .await
    }

    /// Waits for the turn of an edit.
    pub(crate) async fn edit(&self) -> Result<(), ChatError> {
        bounded(self.edits.until_ready_with_jitter(jitter())).await
    }

    /// Waits for the turn of a message that one person sees.
    pub(crate) async fn whisper(&self) -> Result<(), ChatError> {
        bounded(self.whispers.until_ready_with_jitter(jitter())).await
    }
}

fn jitter() -> Jitter {
    Jitter::up_to(Duration::from_millis(50))
}

/// What is waited for in vain is told to the caller.
async fn bounded(turn: impl Future<Output = ()>) -> Result<(), ChatError> {
    timeout(LONGEST_WAIT, turn).await.map_err(|_| ChatError::Throttled { seconds: LONGEST_WAIT.as_secs() })
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn a_noisy_channel_does_not_silence_another() {
        let pace = Pace::new();
        let (noisy, quiet) = ("C1".to_owned(), "C2".to_owned());
        let taken = (0..20).filter(|_| pace.posts.check_key(&noisy).is_ok()).count();
        assert_eq!(taken, 3);
        assert!(pace.posts.check_key(&quiet).is_ok());
    }
}
