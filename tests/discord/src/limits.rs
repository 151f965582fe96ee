//! Rate limits: a bucket per route and major parameter, 50 requests a second for the bot, and the count of
//! invalid requests that shuts an address out.

use std::collections::{BTreeMap, VecDeque};

use crate::world::Limits;

/// The window of the invalid-request count, in milliseconds.
const INVALID_WINDOW_MS: u64 = 10 * 60_000;

/// State of all limits.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    buckets: BTreeMap<(String, String), Bucket>,
    second: VecDeque<u64>,
    invalid: VecDeque<u64>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    resets_ms: u64,
    used: u32,
}

/// What the headers of an answer say.
#[derive(Clone, Debug)]
pub(crate) struct Standing {
    pub(crate) limit: u32,
    pub(crate) remaining: u32,
    pub(crate) resets_ms: u64,
    pub(crate) after_ms: u64,
    pub(crate) bucket: String,
}

/// Whether a call may go on.
pub(crate) enum Pace {
    Go(Standing),
    /// The bucket is empty.
    Wait(Standing),
    /// The bot as a whole is too fast; milliseconds to wait.
    WaitAll(u64),
}

/// Requests and milliseconds of a route's bucket.
fn size(method: &str, route: &str) -> (u32, u64) {
    match (method, route) {
        ("POST" | "PATCH", "/channels/{id}/messages" | "/channels/{id}/messages/{id}")
        | ("POST", "/channels/{id}/typing")
        | ("GET", "/channels/{id}/messages") => (5, 5_000),
        ("DELETE", "/channels/{id}/messages/{id}") => (5, 1_000),
        ("PUT" | "DELETE", reaction) if reaction.contains("/reactions/") => (1, 250),
        ("POST", "/channels/{id}/messages/{id}/threads" | "/channels/{id}/threads") => (50, 300_000),
        (_, hook) if hook.starts_with("/webhooks/") => (5, 2_000),
        (_, hook) if hook.starts_with("/interactions/") => (5, 2_000),
        ("GET", "/gateway/bot") => (2, 5_000),
        (_, commands) if commands.contains("/commands") => (5, 20_000),
        _ => (50, 1_000),
    }
}

/// Says whether a route counts towards the 50 a second: interactions do not.
fn is_global(route: &str) -> bool {
    !route.starts_with("/interactions/") && !route.starts_with("/webhooks/")
}

impl Rates {
    /// Counts a call.
    pub(crate) fn count(&mut self, method: &str, route: &str, major: &str, now_ms: u64, limits: &Limits) -> Pace {
        let (limit, window_ms) = size(method, route);
        let key = (format!("{method} {route}"), major.to_owned());
        let name = bucket_name(&key.0);
        let bucket = self.buckets.entry(key).or_insert(Bucket { resets_ms: 0, used: 0 });
        if bucket.resets_ms <= now_ms {
            *bucket = Bucket { resets_ms: now_ms + window_ms, used: 0 };
        }
        if is_global(route) && limits.rates {
            while self.second.front().is_some_and(|at| at + 1_000 <= now_ms) {
                self.second.pop_front();
            }
            if self.second.len() >= limits.global_per_second as usize {
                let first = self.second.front().copied().unwrap_or(now_ms);
                return Pace::WaitAll((first + 1_000).saturating_sub(now_ms));
            }
            self.second.push_back(now_ms);
        }
        let is_full = bucket.used >= limit;
        if !is_full {
            bucket.used += 1;
        }
        let standing = Standing {
            limit,
            remaining: limit.saturating_sub(bucket.used),
            resets_ms: bucket.resets_ms,
            after_ms: bucket.resets_ms.saturating_sub(now_ms),
            bucket: name,
        };
        if is_full && limits.rates { Pace::Wait(standing) } else { Pace::Go(standing) }
    }

    /// Counts an answer towards the invalid ones.
    pub(crate) fn count_answer(&mut self, status: u16, now_ms: u64) {
        if matches!(status, 401 | 403 | 429) {
            self.invalid.push_back(now_ms);
        }
    }

    /// Says how many answers of the last ten minutes were 401, 403 or 429.
    pub(crate) fn invalid(&mut self, now_ms: u64) -> usize {
        while self.invalid.front().is_some_and(|at| at + INVALID_WINDOW_MS <= now_ms) {
            self.invalid.pop_front();
        }
        self.invalid.len()
    }
}

/// A name as opaque as Discord's, the same for the same route.
fn bucket_name(route: &str) -> String {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut hasher = DefaultHasher::new();
    route.hash(&mut hasher);
    let hash = hasher.finish();
    format!("{hash:016x}{:016x}", hash.rotate_left(17))
}
