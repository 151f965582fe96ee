//! Lengths of time as people write them.

use jiff::SignedDuration;

/// Reads a length of time: `90s`, `30m`, `2h`, `1d12h`, `2 weeks` is `2w`.
pub(crate) fn duration(word: &str) -> Option<SignedDuration> {
    let mut total = 0_i64;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(letters)?;
        let seconds = match unit.to_ascii_lowercase().as_str() {
            "s" | "sec" | "seconds" | "second" => 1,
            "m" | "min" | "mins" | "minute" | "minutes" => 60,
            "h" | "hr" | "hrs" | "hour" | "hours" => 3600,
            "d" | "day" | "days" => 86_400,
            "w" | "week" | "weeks" => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(seconds)?)?;
        rest = after;
    }
    (total > 0).then(|| SignedDuration::from_secs(total))
}

/// A length of time as [`duration`] reads it.
pub(crate) fn shown(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    for (size, unit) in [(86_400, "d"), (3600, "h"), (60, "m")] {
        if seconds >= size && seconds % size == 0 {
            return format!("{}{unit}", seconds / size);
        }
    }
    format!("{seconds}s")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (word, seconds) in [("2h", 7200), ("90s", 90), ("1d12h", 129_600), ("30min", 1800), ("2weeks", 1_209_600)] {
            assert_eq!(duration(word).map(|length| length.as_secs()), Some(seconds), "{word}");
        }
        for word in ["", "h", "2", "2x", "-2h", "0m", "99999999999999999999h", "9223372036854775807w", "2é"] {
            assert_eq!(duration(word), None, "{word}");
        }
        for word in ["2h", "90s", "36h", "45m", "7d"] {
            assert_eq!(duration(&shown(duration(word).expect("a length"))), duration(word));
        }
    }
}
