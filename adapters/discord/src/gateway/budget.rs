//! How many sessions are started a day. Discord grants 1,000 and resets the token of a bot that starts more.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::Plan;

/// Sessions that are started within a day.
const MOST: usize = 200;
const DAY: Duration = Duration::from_hours(24);
/// Sessions within [`SPELL`] after which there is no sense in starting the next at once.
const HASTY: usize = 12;
const SPELL: Duration = Duration::from_mins(5);
/// The longest wait before Discord is asked again what it grants.
const LONGEST: Duration = Duration::from_hours(1);

/// The sessions of the last day.
#[derive(Debug, Default)]
pub(super) struct Budget {
    starts: VecDeque<Instant>,
    hasty_until: Option<Instant>,
}

impl Budget {
    /// Keeps that a session was started.
    pub(super) fn note(&mut self, now: Instant) {
        self.starts.push_back(now);
        while self.starts.len() > MOST || self.starts.front().is_some_and(|start| now.duration_since(*start) >= DAY) {
            self.starts.pop_front();
        }
    }

    /// How long to wait before the next start, by our count and by Discord's, which a restart does not forget.
    pub(super) fn wait(&mut self, now: Instant, plan: &Plan) -> Option<Duration> {
        let ours = match self.starts.front() {
            Some(oldest) if self.starts.len() >= MOST => Some(DAY.saturating_sub(now.duration_since(*oldest))),
            _ => None,
        };
        let theirs = plan.session_start_limit.filter(|sessions| {
            // A bot that many share may have used more than ours; it is still given what is left of a quarter.
            sessions.remaining == 0 || sessions.used() as usize >= MOST && sessions.remaining < sessions.total / 4
        });
        let theirs = theirs.map(|sessions| sessions.reset_after());
        let hasty = self.hasty_until.and_then(|until| until.checked_duration_since(now));
        let wait = [ours, theirs, hasty].into_iter().flatten().max()?;
        (!wait.is_zero()).then(|| wait.min(LONGEST))
    }

    /// Whether sessions are started one after the other; said once for each such spell.
    pub(super) fn is_hasty(&mut self, now: Instant) -> bool {
        if self.hasty_until.is_some_and(|until| until > now) {
            return false;
        }
        let recent = self.starts.iter().filter(|start| now.duration_since(**start) < SPELL).count();
        if recent < HASTY {
            return false;
        }
        self.hasty_until = Some(now + SPELL);
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::Plan;
    use super::{Budget, DAY, MOST};

    fn plan(total: u32, remaining: u32) -> Plan {
        serde_json::from_value(serde_json::json!({
            "url": "wss://gateway.discord.gg",
            "session_start_limit": { "total": total, "remaining": remaining, "reset_after": 120_000 },
        }))
        .unwrap()
    }

    #[test]
    fn a_day_has_so_many_sessions_and_no_more() {
        let (mut budget, begin) = (Budget::default(), Instant::now());
        let mut started: usize = 0;
        let mut now = begin;
        while now < begin + DAY {
            match budget.wait(now, &plan(1_000, 1_000)) {
                Some(wait) => now += wait,
                None => {
                    budget.note(now);
                    started += 1;
                    now += Duration::from_secs(10);
                }
            }
        }
        assert_eq!(started, MOST);
        assert_eq!(budget.wait(begin + DAY + Duration::from_secs(5), &plan(1_000, 1_000)), None);
    }

    #[test]
    fn what_discord_counts_is_minded_after_a_restart() {
        let mut budget = Budget::default();
        assert_eq!(budget.wait(Instant::now(), &plan(1_000, 0)), Some(Duration::from_mins(2)));
        assert_eq!(budget.wait(Instant::now(), &plan(1_000, 200)), Some(Duration::from_mins(2)));
        assert_eq!(budget.wait(Instant::now(), &plan(1_000, 900)), None);
    }

    #[test]
    fn sessions_that_end_at_once_are_a_storm_once() {
        let (mut budget, now) = (Budget::default(), Instant::now());
        for _ in 0..12 {
            budget.note(now);
        }
        assert!(budget.is_hasty(now));
        assert!(!budget.is_hasty(now));
        assert!(budget.wait(now, &plan(1_000, 1_000)).is_some());
    }
}
