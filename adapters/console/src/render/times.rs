//! Points in time: always with their zone, and how long ago where it is known what time it is.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// `03:12:04 UTC` on the day of `now`, with its date on another.
pub(crate) fn clock(time: Timestamp, now: Option<Timestamp>) -> String {
    let day = |time: Timestamp| TimeZone::UTC.to_datetime(time).date();
    let form = if now.is_some_and(|now| day(now) == day(time)) { "%H:%M:%S UTC" } else { "%Y-%m-%d %H:%M:%S UTC" };
    time.strftime(form).to_string()
}

/// `4 min ago`, `in 90 s`.
pub(crate) fn age(time: Timestamp, now: Timestamp) -> String {
    let passed = now.duration_since(time);
    if passed.as_secs() < 0 { format!("in {}", length(passed.abs())) } else { format!("{} ago", length(passed)) }
}

/// A length of time as people say it: `4 min`, `3 h`, `12 d`.
fn length(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        ..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_today_needs_no_date() {
        let now: Timestamp = "2026-11-20T10:04:00Z".parse().unwrap();
        let at = |time: &str| {
            let time = time.parse().unwrap();
            (clock(time, Some(now)), age(time, now))
        };
        assert_eq!(at("2026-11-20T10:00:00Z"), ("10:00:00 UTC".into(), "4 min ago".into()));
        assert_eq!(at("2026-11-08T10:00:00Z"), ("2026-11-08 10:00:00 UTC".into(), "12 d ago".into()));
        assert_eq!(at("2026-11-20T10:05:30Z"), ("10:05:30 UTC".into(), "in 90 s".into()));
        assert_eq!(clock(now, None), "2026-11-20 10:04:00 UTC");
    }
}
