//! Slack's rate limits, as buckets that refill.

use std::collections::BTreeMap;
use std::time::Duration;

/// How often a method may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tier {
    /// `apps.connections.open`: documented as a few a minute, with a burst.
    One,
    /// 20 a minute.
    Two,
    /// 50 a minute.
    Three,
    /// 100 a minute.
    Four,
    /// Hundreds a minute.
    Special,
    /// One a second in each channel, several hundred a minute in the workspace.
    Posting,
}

struct Bucket {
    tokens: f64,
    filled: Duration,
}

/// The buckets of all methods.
pub(crate) struct Limiter {
    pub(crate) on: bool,
    buckets: BTreeMap<String, Bucket>,
}

impl Limiter {
    pub(crate) fn new(on: bool) -> Self {
        Self { on, buckets: BTreeMap::new() }
    }

    /// Takes a call, or says for how many seconds it has to wait.
    pub(crate) fn take(&mut self, method: &str, tier: Tier, channel: Option<&str>, now: Duration) -> Result<(), u64> {
        if !self.on {
            return Ok(());
        }
        let (capacity, a_minute) = match tier {
            Tier::One => (10.0, 10.0),
            Tier::Two => (20.0, 20.0),
            Tier::Three => (50.0, 50.0),
            Tier::Four => (100.0, 100.0),
            Tier::Special => (600.0, 600.0),
            Tier::Posting => {
                let key = format!("{method} {}", channel.unwrap_or_default());
                self.take_from(key, 4.0, 60.0, now)?;
                (300.0, 300.0)
            }
        };
        self.take_from(method.to_owned(), capacity, a_minute, now)
    }

    fn take_from(&mut self, key: String, capacity: f64, a_minute: f64, now: Duration) -> Result<(), u64> {
        let bucket = self.buckets.entry(key).or_insert(Bucket { tokens: capacity, filled: now });
        let elapsed = now.saturating_sub(bucket.filled).as_secs_f64();
        bucket.tokens = (bucket.tokens + elapsed * a_minute / 60.0).min(capacity);
        bucket.filled = now;
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return Ok(());
        }
        let wait = Duration::try_from_secs_f64((1.0 - bucket.tokens) * 60.0 / a_minute).unwrap_or_default();
        Err(wait.as_secs() + 1)
    }
}
