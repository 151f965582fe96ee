//! Schedules of `CronJob`s: five fields, or one of the words such as `@hourly`.
//!
//! Source: <https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/#schedule-syntax>

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, Zoned};

/// When a job is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Day of month and day of week are both restricted: either is enough.
    either_day: bool,
}

const MONTHS: [&str; 12] = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

impl Schedule {
    /// Reads a schedule; `None` where it is none (or `@every`, which has no fixed times).
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text
            .split_once(' ')
            .filter(|(zone, _)| zone.starts_with("TZ=") || zone.starts_with("CRON_TZ="))
            .map_or(text, |(_, rest)| rest.trim());
        let text = match text {
            "@yearly" | "@annually" => "0 0 1 1 *",
            "@monthly" => "0 0 1 * *",
            "@weekly" => "0 0 * * 0",
            "@daily" | "@midnight" => "0 0 * * *",
            "@hourly" => "0 * * * *",
            text => text,
        };
        let mut fields = text.split_whitespace();
        let (minutes, hours, days, months, weekdays) =
            (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        if fields.next().is_some() {
            return None;
        }
        let any = |field: &str| field.starts_with('*') || field.starts_with('?');
        let mut of_week = set(weekdays, 0, 7, &WEEKDAYS)?;
        if of_week & (1 << 7) != 0 {
            of_week |= 1;
        }
        Some(Self {
            minutes: set(minutes, 0, 59, &[])?,
            hours: set(hours, 0, 23, &[])?,
            days: set(days, 1, 31, &[])?,
            months: set(months, 1, 12, &MONTHS)?,
            weekdays: of_week,
            either_day: !any(days) && !any(weekdays),
        })
    }

    /// The first time after `after` at which it is due, within a year.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut at = Zoned::new(after, zone.clone());
        let last = after.checked_add(SignedDuration::from_hours(24 * 366)).ok()?;
        // Every step goes to the start of the next minute, hour or day: at most some thousands.
        let step = |at: &Zoned, by: SignedDuration, floor: i64| {
            let second = at.timestamp().as_second();
            let offset = i64::from(at.offset().seconds());
            let next = (second + offset).div_euclid(floor) * floor - offset + by.as_secs();
            Some(Zoned::new(Timestamp::from_second(next).ok()?, zone.clone()))
        };
        at = step(&at, SignedDuration::from_mins(1), 60)?;
        while at.timestamp() <= last {
            if !self.is_day(&at) {
                at = step(&at, SignedDuration::from_hours(24), 24 * 3600)?;
            } else if !has(self.hours, at.hour()) {
                at = step(&at, SignedDuration::from_hours(1), 3600)?;
            } else if !has(self.minutes, at.minute()) {
                at = step(&at, SignedDuration::from_mins(1), 60)?;
            } else {
                return Some(at.timestamp());
            }
        }
        None
    }

    /// Tells whether its day and month meet in no year: 31 February, 31 of the months of thirty days.
    pub fn is_never(&self) -> bool {
        let longest = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
        let first = self.days.trailing_zeros();
        let fits = (1_i8..).zip(longest).any(|(month, days)| has(self.months, month) && first <= days);
        // Where day of month and day of week are both said, either is enough.
        !fits && !self.either_day
    }

    fn is_day(&self, at: &Zoned) -> bool {
        let of_month = has(self.days, at.day());
        let of_week = has(self.weekdays, at.weekday().to_sunday_zero_offset());
        let day = if self.either_day { of_month || of_week } else { of_month && of_week };
        has(self.months, at.month()) && day
    }
}

fn has(set: u64, value: i8) -> bool {
    u32::try_from(value).is_ok_and(|value| set & (1 << value) != 0)
}

fn set(field: &str, least: u32, most: u32, names: &[&str]) -> Option<u64> {
    let mut found = 0;
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, step.parse::<u32>().ok().filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let value = |text: &str| {
            let word =
                names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|at| u32::try_from(at).ok());
            word.map(|at| if names.len() == 12 { at + 1 } else { at }).or_else(|| text.parse().ok())
        };
        let (from, to) = match range {
            "*" | "?" => (least, most),
            range => match range.split_once('-') {
                Some((from, to)) => (value(from)?, value(to)?),
                None if part.contains('/') => (value(range)?, most),
                None => (value(range)?, value(range)?),
            },
        };
        if from < least || to > most || from > to {
            return None;
        }
        for at in (from..=to).step_by(usize::try_from(step).ok()?) {
            found |= 1 << at;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_that_never_comes_is_seen() {
        let never = |text: &str| Schedule::parse(text).expect("a schedule").is_never();
        for text in ["0 0 31 2 *", "0 0 30 feb *", "*/5 1 31 4,6,9,11 *"] {
            assert!(never(text), "{text}");
        }
        for text in ["0 0 29 2 *", "0 0 31 2 mon", "0 0 31 1-2 *", "0 0 28-31 2 *", "* * * * *", "@monthly"] {
            assert!(!never(text), "{text}");
        }
    }

    #[test]
    fn the_next_time_is_found() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        for (schedule, after, next) in [
            ("* * * * *", "2026-11-21T10:28:00Z", "2026-11-21T10:29:00Z"),
            ("*/5 * * * *", "2026-11-21T10:28:10Z", "2026-11-21T10:30:00Z"),
            ("30 2 * * *", "2026-11-21T10:28:00Z", "2026-11-22T02:30:00Z"),
            ("0 9 * * mon-fri", "2026-11-21T10:28:00Z", "2026-11-23T09:00:00Z"),
            ("0 0 1 jan *", "2026-11-21T10:28:00Z", "2027-01-01T00:00:00Z"),
            ("@hourly", "2026-11-21T10:28:00Z", "2026-11-21T11:00:00Z"),
            ("0 0 13 * 5", "2026-11-21T10:28:00Z", "2026-11-27T00:00:00Z"),
        ] {
            let got = Schedule::parse(schedule).and_then(|it| it.next(at(after), &TimeZone::UTC));
            assert_eq!(got, Some(at(next)), "{schedule}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_told() {
        for text in ["", "* * * *", "60 * * * *", "* * * * * *", "a b c d e", "*/0 * * * *", "5-1 * * * *", "@every 5m"]
        {
            assert_eq!(Schedule::parse(text), None, "{text}");
        }
        assert_eq!(Schedule::parse("0 0 31 2 *").and_then(|it| it.next(Timestamp::UNIX_EPOCH, &TimeZone::UTC)), None);
    }
}
