//! One form that secrets have, and the checks that tell it from its look-alikes.

use serde_json::Value;

/// A form that secrets of one kind have.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What it is called in a mark: `github token`.
    pub kind: &'static str,
    /// Lowercase words of which one occurs wherever the pattern matches, in any case; they decide whether it runs at all.
    pub triggers: &'static [&'static str],
    /// How it looks, within one line. The group `s`, where there is one, is what goes; else the whole match.
    pub pattern: &'static str,
    /// Where the form is documented.
    pub source: &'static str,
    /// What the secret itself has to hold, beyond the pattern.
    pub(super) check: fn(&str) -> bool,
}

impl Format {
    /// A form whose secrets are not all of one letter, so that `ghp_xxxxxxxx` in a manual stays.
    pub(super) const fn new(
        kind: &'static str,
        triggers: &'static [&'static str],
        pattern: &'static str,
        source: &'static str,
    ) -> Self {
        Self { kind, triggers, pattern, source, check: is_varied }
    }

    /// The same with another check of the secret.
    pub(super) const fn checked(mut self, check: fn(&str) -> bool) -> Self {
        self.check = check;
        self
    }
}

/// What follows the dot is no row of hexadecimal digits, as the names of events end in.
pub(super) fn is_bootstrap(secret: &str) -> bool {
    secret.split_once('.').is_some_and(|(_, end)| end.bytes().any(|byte| (b'g'..=b'z').contains(&byte)))
        && has_letter_and_digit(secret)
}

/// Any value at all.
pub(super) fn is_any(_: &str) -> bool {
    true
}

/// At least five different characters in its last sixteen: no row of `x`, `*` or `0`.
pub(super) fn is_varied(secret: &str) -> bool {
    let mut seen: u128 = 0;
    for byte in secret.bytes().rev().take(16) {
        seen |= 1_u128.checked_shl(u32::from(byte)).unwrap_or(1);
    }
    seen.count_ones() >= 5.min(u32::try_from(secret.len()).unwrap_or(5))
}

/// Upper case, lower case and a digit.
pub(super) fn is_mixed(secret: &str) -> bool {
    let has = |test: fn(&u8) -> bool| secret.as_bytes().iter().any(test);
    has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase) && has(u8::is_ascii_digit)
}

/// A letter and a digit.
pub(super) fn has_letter_and_digit(secret: &str) -> bool {
    let has = |test: fn(&u8) -> bool| secret.as_bytes().iter().any(test);
    has(u8::is_ascii_alphabetic) && has(u8::is_ascii_digit) && is_varied(secret)
}

/// The first segment is the Base64 of a JSON object: the header of a JSON Web Token.
pub(super) fn is_jwt(secret: &str) -> bool {
    let header = secret.split('.').next().and_then(base64);
    header.and_then(|header| serde_json::from_slice::<Value>(&header).ok()).is_some_and(|header| {
        header.is_object() && ["alg", "typ", "enc", "kid", "cty"].iter().any(|field| header.get(field).is_some())
    })
}

/// The Base64 of `user:password`, as registries and Basic authorisation have it.
pub(super) fn is_user_and_password(secret: &str) -> bool {
    base64(secret).is_some_and(|words| {
        words.contains(&b':') && words.iter().all(|byte| (0x20..0x7f).contains(byte) || *byte >= 0x80)
    })
}

/// The first segment is the Base64 of a number: the user of a Discord bot.
pub(super) fn is_discord(secret: &str) -> bool {
    let id = secret.split('.').next().and_then(base64);
    id.is_some_and(|id| id.len() >= 17 && id.iter().all(u8::is_ascii_digit))
}

/// The bytes of a Base64 text of either alphabet, with or without padding.
pub(super) fn base64(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.trim_end_matches('=').bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(six);
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from((bits >> held) & 0xff).ok()?);
        }
    }
    Some(out)
}
