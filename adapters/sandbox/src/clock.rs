//! The sandbox's time: the machine's, or one that a test or a scenario sets.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

/// The source of every timestamp the sandbox writes. Clones show the same time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Fixed(Arc<Mutex<Timestamp>>),
    Running { from: Timestamp, since: Instant },
}

impl Clock {
    /// The machine's time.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A time that stands still until it is set or advanced.
    pub fn fixed(now: Timestamp) -> Self {
        Self(Source::Fixed(Arc::new(Mutex::new(now))))
    }

    /// A time that starts at `from` now and runs at the machine's pace.
    pub fn starting_at(from: Timestamp) -> Self {
        Self(Source::Running { from, since: Instant::now() })
    }

    /// The time now.
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Fixed(now) => *now.lock().unwrap_or_else(PoisonError::into_inner),
            Source::Running { from, since } => later(*from, since.elapsed()),
        }
    }

    /// Sets a fixed clock. A clock that runs by itself stays as it is.
    pub fn set(&self, now: Timestamp) {
        if let Source::Fixed(shown) = &self.0 {
            *shown.lock().unwrap_or_else(PoisonError::into_inner) = now;
        }
    }

    /// Advances a fixed clock. A clock that runs by itself stays as it is.
    pub fn advance(&self, by: Duration) {
        if let Source::Fixed(shown) = &self.0 {
            let mut shown = shown.lock().unwrap_or_else(PoisonError::into_inner);
            *shown = later(*shown, by);
        }
    }
}

fn later(from: Timestamp, by: Duration) -> Timestamp {
    // Past the last representable day the clock stands still, which no scenario reaches.
    from.checked_add(by).unwrap_or(Timestamp::MAX)
}
