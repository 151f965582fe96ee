//! Times of a scenario: `T`, `T-4m30s`, `T+10s` are relative to the moment at which a part is applied.

use jiff::{SignedDuration, Timestamp};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::json;

/// The longest span that a scenario may name.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 365 * 20);

/// A span such as `4m30s`, `12d`, `500ms`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Span(pub(crate) SignedDuration);

/// A time as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    /// So long after (or before) the moment.
    Relative(SignedDuration),
    /// That very time.
    Absolute(Timestamp),
}

impl Time {
    /// The moment itself.
    pub(crate) const NOW: Self = Self::Relative(SignedDuration::ZERO);

    /// So long ago.
    pub(crate) fn ago(seconds: i64) -> Self {
        Self::Relative(SignedDuration::from_secs(-seconds))
    }

    fn parse(text: &str) -> Option<Self> {
        relative(text).map(Self::Relative).or_else(|| text.parse().ok().map(Self::Absolute))
    }
}

/// When a part is applied.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The time that `T` stands for.
    pub(crate) at: Timestamp,
    /// No time is before this one: what a young pod can have seen.
    pub(crate) not_before: Option<Timestamp>,
    /// How many nodes there are: `{nodes}`, and `{nodes-3}` for all but three.
    pub(crate) nodes: usize,
}

impl Moment {
    /// A moment with no bound.
    pub(crate) const fn at(at: Timestamp, nodes: usize) -> Self {
        Self { at, not_before: None, nodes }
    }

    /// The time that is meant.
    pub(crate) fn resolve(&self, time: Time) -> Timestamp {
        let time = match time {
            Time::Relative(span) => self.at.checked_add(span).unwrap_or(self.at),
            Time::Absolute(time) => time,
        };
        self.not_before.map_or(time, |bound| time.max(bound))
    }

    /// The time that is meant, as the API writes it.
    pub(crate) fn write(&self, time: Time) -> String {
        write(self.resolve(time))
    }

    /// Replaces every relative time in a value, and `${T-40s}` inside of strings.
    pub(crate) fn fill_in(&self, value: &mut Value) {
        json::each_string(value, "", &mut |key, text| {
            let Some(span) = relative(text) else {
                return (text.contains("${T") || text.contains("{nodes")).then(|| self.fill_in_text(text));
            };
            let time = self.resolve(Time::Relative(span));
            Some(if matches!(key, "eventTime" | "renewTime" | "acquireTime" | "lastObservedTime") {
                write_micro(time)
            } else {
                write(time)
            })
        });
    }

    /// Replaces `${T-40s}` and `{nodes}` in a text, and `${T-40s %Y/%m/%d %H:%M:%S}` by the time in that form (strftime).
    pub(crate) fn fill_in_text(&self, text: &str) -> String {
        if text.contains("{nodes") { self.count_nodes(&self.fill_in_times(text)) } else { self.fill_in_times(text) }
    }

    fn count_nodes(&self, text: &str) -> String {
        let mut parts = text.split("{nodes");
        let mut out = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let counted = part.split_once('}').and_then(|(fewer, rest)| {
                let fewer = if fewer.is_empty() { 0 } else { fewer.strip_prefix('-')?.parse().ok()? };
                Some(format!("{}{rest}", self.nodes.saturating_sub(fewer)))
            });
            out.push_str(&counted.unwrap_or_else(|| format!("{{nodes{part}")));
        }
        out
    }

    fn fill_in_times(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            match after.split_once('}').and_then(|(inner, after)| Some((self.spelled(inner)?, after))) {
                Some((time, after)) => {
                    out.push_str(&time);
                    rest = after;
                }
                None => {
                    out.push_str("${");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// What stands between `${` and `}`; `None` where it is no time.
    fn spelled(&self, text: &str) -> Option<String> {
        let Some((span, form)) = text.split_once(' ') else {
            return relative(text).map(|span| self.write(Time::Relative(span)));
        };
        let time = self.resolve(Time::Relative(relative(span)?));
        jiff::fmt::strtime::format(form, &time.to_zoned(jiff::tz::TimeZone::UTC)).ok()
    }
}

/// A time in whole seconds, as most fields have it.
pub(crate) fn write(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// A time in microseconds, as events and leases have it.
pub(crate) fn write_micro(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string()
}

/// `T`, `T-4m`, `T+10s`.
fn relative(text: &str) -> Option<SignedDuration> {
    let rest = text.strip_prefix('T')?;
    if rest.is_empty() {
        return Some(SignedDuration::ZERO);
    }
    match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(span), _) => span_of(span).map(|span| -span),
        (_, Some(span)) => span_of(span),
        _ => None,
    }
}

fn span_of(text: &str) -> Option<SignedDuration> {
    let mut total = SignedDuration::ZERO;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, after) = rest.split_at_checked(digits)?;
        let number: i64 = number.parse().ok()?;
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        total = total.checked_add(SignedDuration::from_millis(number.checked_mul(millis)?))?;
        rest = after;
    }
    (!text.is_empty() && total <= LONGEST).then_some(total)
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let span = span_of(&text);
        span.map(Self).ok_or_else(|| D::Error::custom(format!("\"{text}\" is no span such as 30s, 4m30s, 12d")))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            D::Error::custom(format!("\"{text}\" is no time such as T, T-4m30s, T+10s, 2026-01-01T00:00:00Z"))
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn relative_times_are_filled_in_and_other_strings_stay() {
        let moment = Moment::at("2026-11-20T10:00:00Z".parse().unwrap(), 9);
        let mut value = json!({
            "a": "T", "b": ["T-1m30s", "T+2h"], "renewTime": "T-12d",
            "c": "Talk", "d": "T-", "e": "T-5x", "f": "at ${T-10s}: ${HOME} ${T", "g": "T--5s",
            "h": "0/{nodes}: {nodes-2} full, {nodes-x}",
            "i": "${T-1m %Y/%m/%d %H:%M:%S} up", "j": "${T %!}", "k": "${Tea %H}"
        });
        moment.fill_in(&mut value);
        let expected = json!({
            "a": "2026-11-20T10:00:00Z", "b": ["2026-11-20T09:58:30Z", "2026-11-20T12:00:00Z"],
            "renewTime": "2026-11-08T10:00:00.000000Z",
            "c": "Talk", "d": "T-", "e": "T-5x", "f": "at 2026-11-20T09:59:50Z: ${HOME} ${T", "g": "T--5s",
            "h": "0/9: 7 full, {nodes-x}",
            "i": "2026/11/20 09:59:00 up", "j": "${T %!}", "k": "${Tea %H}"
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn spans_that_make_no_sense_are_none() {
        for text in ["", "5", "s", "5s3", "99999999999999999999s", "9999999999999999s", "-5s", "5 s", "1y", "5ß"] {
            assert_eq!(span_of(text), None, "{text}");
        }
        assert_eq!(span_of("1h2m3s"), Some(SignedDuration::from_secs(3723)));
    }
}
