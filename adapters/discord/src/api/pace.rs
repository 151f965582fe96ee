//! How fast Discord may be asked: what its headers say per route, its limit over all calls, and the number of refused calls
//! after which it bans an address.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use tokio::sync::{Mutex as FairMutex, OwnedMutexGuard};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::{Failure, Wait};

/// Calls per second over all routes. Discord's limit is 50; its clock is not ours.
const PER_SECOND: NonZeroU32 = NonZeroU32::new(45).expect("it is not zero");
/// Refused calls (401, 403, 429) within [`WINDOW`] after which nothing is asked. Discord bans at 10,000.
const MOST_REFUSED: u32 = 5_000;
const WINDOW: Duration = Duration::from_mins(10);
/// Buckets after which those that say nothing any more are forgotten.
const MOST_BUCKETS: usize = 2_000;

/// The pace of all calls.
pub(super) struct Pace {
    buckets: Mutex<HashMap<String, Arc<FairMutex<Bucket>>>>,
    all: DefaultDirectRateLimiter,
    shared: Arc<Mutex<Shared>>,
}

/// What holds over all routes.
struct Shared {
    closed_until: Instant,
    refused: u32,
    since: Instant,
}

/// What is known of a route.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    remaining: u32,
    resets_at: Instant,
}

/// The turn of one call. Calls of one bucket take turns, so that the headers of each are known before the next, and posts
/// into a channel keep their order.
pub(super) struct Turn {
    bucket: Option<OwnedMutexGuard<Bucket>>,
    shared: Arc<Mutex<Shared>>,
}

/// What the headers of an answer say about the pace.
pub(super) struct Notice {
    remaining: Option<u32>,
    resets_in: Option<Duration>,
    refused: bool,
}

impl Notice {
    pub(super) fn read(headers: &HeaderMap, status: StatusCode) -> Self {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let seconds = text("x-ratelimit-reset-after").and_then(|value| value.parse().ok());
        // A limit that all bots share is nobody's fault and does not count.
        let shared = text("x-ratelimit-scope") == Some("shared");
        let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
            || (status == StatusCode::TOO_MANY_REQUESTS && !shared);
        Self {
            remaining: text("x-ratelimit-remaining").and_then(|value| value.parse().ok()),
            resets_in: seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok()),
            refused,
        }
    }
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            buckets: Mutex::default(),
            all: RateLimiter::direct(Quota::per_second(PER_SECOND)),
            shared: Arc::new(Mutex::new(Shared { closed_until: now, refused: 0, since: now })),
        }
    }

    /// Waits until a call may be made.
    ///
    /// # Errors
    /// [`Failure::Throttled`] where that is after the deadline.
    pub(super) async fn turn(&self, bucket: Option<&str>, counts: bool, deadline: Instant) -> Result<Turn, Failure> {
        let guard = match bucket {
            Some(bucket) => {
                let lock = self.bucket(bucket);
                Some(timeout_at(deadline, lock.lock_owned()).await.map_err(|_| Failure::Throttled { seconds: 1 })?)
            }
            None => None,
        };
        loop {
            let now = Instant::now();
            let open_at = guard.as_ref().map_or(now, |bucket| bucket.open_at(now));
            let open_at = if counts { open_at.max(lock(&self.shared).open_at(now)) } else { open_at };
            if open_at <= now {
                break;
            }
            wait(open_at, deadline).await?;
        }
        if counts && timeout_at(deadline, self.all.until_ready()).await.is_err() {
            return Err(Failure::Throttled { seconds: 1 });
        }
        Ok(Turn { bucket: guard, shared: Arc::clone(&self.shared) })
    }

    /// Holds back what a 429 was about, and says until when.
    ///
    /// # Errors
    /// [`Failure::Throttled`] where the wait is longer than the call may take.
    pub(super) fn hold(&self, mut turn: Turn, wait: &Wait, deadline: Instant) -> Result<Instant, Failure> {
        let now = Instant::now();
        let until = now.checked_add(wait.pause).unwrap_or(now + WINDOW);
        if wait.global {
            let mut shared = lock(&self.shared);
            shared.closed_until = shared.closed_until.max(until);
        }
        if let Some(bucket) = turn.bucket.as_deref_mut() {
            *bucket = Bucket { remaining: 0, resets_at: until };
        }
        if until > deadline {
            return Err(Failure::Throttled { seconds: wait.pause.as_secs().max(1) });
        }
        Ok(until)
    }

    fn bucket(&self, name: &str) -> Arc<FairMutex<Bucket>> {
        let mut buckets = lock(&self.buckets);
        if buckets.len() >= MOST_BUCKETS {
            let now = Instant::now();
            buckets.retain(|_, bucket| {
                Arc::strong_count(bucket) > 1 || bucket.try_lock().is_ok_and(|bucket| bucket.resets_at > now)
            });
        }
        let bucket = buckets.entry(name.to_owned()).or_insert_with(|| {
            // Nothing is known yet; the first answer says it.
            Arc::new(FairMutex::new(Bucket { remaining: 1, resets_at: Instant::now() }))
        });
        Arc::clone(bucket)
    }
}

impl Turn {
    /// Takes note of the headers.
    pub(super) fn learn(&mut self, notice: &Notice) {
        let now = Instant::now();
        if notice.refused {
            lock(&self.shared).count_refused(now);
        }
        if let (Some(bucket), Some(remaining)) = (self.bucket.as_deref_mut(), notice.remaining) {
            let resets_at = notice.resets_in.and_then(|resets_in| now.checked_add(resets_in)).unwrap_or(now);
            *bucket = Bucket { remaining, resets_at };
        }
    }
}

impl Bucket {
    fn open_at(&self, now: Instant) -> Instant {
        if self.remaining > 0 { now } else { self.resets_at }
    }
}

impl Shared {
    fn open_at(&mut self, now: Instant) -> Instant {
        if now >= self.since + WINDOW {
            (self.refused, self.since) = (0, now);
        }
        if self.refused >= MOST_REFUSED { self.closed_until.max(self.since + WINDOW) } else { self.closed_until }
    }

    fn count_refused(&mut self, now: Instant) {
        if now >= self.since + WINDOW {
            (self.refused, self.since) = (0, now);
        }
        self.refused += 1;
        if self.refused == MOST_REFUSED {
            tracing::error!("discord refused {MOST_REFUSED} calls within 10 minutes: the rest of them pauses");
        }
    }
}

async fn wait(open_at: Instant, deadline: Instant) -> Result<(), Failure> {
    if open_at > deadline {
        let seconds = open_at.saturating_duration_since(Instant::now()).as_secs().max(1);
        return Err(Failure::Throttled { seconds });
    }
    sleep_until(open_at).await;
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use reqwest::StatusCode;
    use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
    use tokio::time::Instant;

    use super::super::{Failure, Wait};
    use super::{MOST_REFUSED, Notice, Pace, Shared, WINDOW};

    fn notice(status: StatusCode, headers: &[(&'static str, &'static str)]) -> Notice {
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        Notice::read(&headers, status)
    }

    #[test]
    fn before_discord_bans_the_address_nothing_is_asked_any_more() {
        let now = Instant::now();
        let mut shared = Shared { closed_until: now, refused: 0, since: now };
        for _ in 1..MOST_REFUSED {
            shared.count_refused(now);
        }
        assert!(shared.open_at(now) <= now);
        shared.count_refused(now);
        assert_eq!(shared.open_at(now), now + WINDOW);
        assert!(shared.open_at(now + WINDOW) <= now + WINDOW);
    }

    #[test]
    fn only_refusals_that_discord_counts_are_counted() {
        assert!(notice(StatusCode::FORBIDDEN, &[]).refused);
        assert!(notice(StatusCode::TOO_MANY_REQUESTS, &[("x-ratelimit-scope", "user")]).refused);
        assert!(!notice(StatusCode::TOO_MANY_REQUESTS, &[("x-ratelimit-scope", "shared")]).refused);
        assert!(!notice(StatusCode::NOT_FOUND, &[]).refused);
    }

    #[tokio::test]
    async fn a_route_that_is_used_up_waits_no_longer_than_its_caller_can() {
        let pace = Pace::new();
        let deadline = Instant::now() + Duration::from_secs(5);
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset-after", "3600.5")];
        pace.turn(Some("a"), true, deadline).await.unwrap().learn(&notice(StatusCode::OK, &headers));
        let refused = pace.turn(Some("a"), true, deadline).await.map(drop);
        assert!(matches!(refused, Err(Failure::Throttled { seconds: 3_599..=3_600 })), "{refused:?}");
        assert!(pace.turn(Some("b"), true, deadline).await.is_ok());
    }

    #[tokio::test]
    async fn what_holds_for_all_holds_for_all_but_interactions() {
        let pace = Pace::new();
        let deadline = Instant::now() + Duration::from_secs(5);
        let turn = pace.turn(Some("a"), true, deadline).await.unwrap();
        let wait = Wait { pause: Duration::from_mins(2), global: true };
        assert!(matches!(pace.hold(turn, &wait, deadline), Err(Failure::Throttled { seconds: 120 })));
        assert!(pace.turn(Some("b"), true, deadline).await.is_err());
        assert!(pace.turn(Some("c"), false, deadline).await.is_ok());
    }
}
