//! Times as the database holds them: milliseconds since 1970, which every database compares alike.

use jiff::Timestamp;

/// The stored form.
pub(crate) fn to_stored(time: Timestamp) -> i64 {
    time.as_millisecond()
}

/// Reads it. What no clock can have written is the end of time on that side.
pub(crate) fn from_stored(milliseconds: i64) -> Timestamp {
    let end = if milliseconds < 0 { Timestamp::MIN } else { Timestamp::MAX };
    Timestamp::from_millisecond(milliseconds).unwrap_or(end)
}

/// Some days before a time, in the stored form.
pub(crate) fn days_before(time: Timestamp, days: i64) -> i64 {
    to_stored(time).saturating_sub(days.saturating_mul(24 * 60 * 60 * 1000))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{from_stored, to_stored};

    #[test]
    fn a_time_comes_back_to_the_millisecond_whatever_stands_there() {
        for milliseconds in [-1, 0, 1, 1_795_144_560_123] {
            assert_eq!(to_stored(from_stored(milliseconds)), milliseconds);
        }
        assert_eq!((from_stored(i64::MIN), from_stored(i64::MAX)), (Timestamp::MIN, Timestamp::MAX));
    }
}
