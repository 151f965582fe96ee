//! What stands behind a telling name: a secret, or a word about one.

use super::format::is_varied;

/// What stands where a value is not given, hidden or named by reference, and words that messages put there.
const WORDS: &[&str] = &[
    "absent",
    "accepted",
    "after",
    "already",
    "and",
    "are",
    "auth",
    "authenticated",
    "authentication",
    "auto",
    "automatic",
    "bad",
    "basic",
    "bearer",
    "before",
    "blank",
    "but",
    "cannot",
    "concealed",
    "could",
    "created",
    "default",
    "denied",
    "deny",
    "disabled",
    "does",
    "eas",
    "empty",
    "enabled",
    "encrypted",
    "env",
    "environment",
    "error",
    "exists",
    "expired",
    "external",
    "fail",
    "failed",
    "failure",
    "false",
    "file",
    "filtered",
    "for",
    "found",
    "from",
    "generated",
    "has",
    "hidden",
    "http",
    "https",
    "ignored",
    "in",
    "incorrect",
    "inherit",
    "inherited",
    "int",
    "internal",
    "invalid",
    "is",
    "jwt",
    "kerberos",
    "loaded",
    "login",
    "malformed",
    "manual",
    "masked",
    "match",
    "md5",
    "mismatch",
    "missing",
    "must",
    "n/a",
    "never",
    "nil",
    "no",
    "none",
    "not",
    "null",
    "oauth",
    "oauth2",
    "obfuscated",
    "obtained",
    "off",
    "oidc",
    "ok",
    "omitted",
    "on",
    "optional",
    "password",
    "peer",
    "plain",
    "present",
    "prompt",
    "protected",
    "provided",
    "read",
    "received",
    "redacted",
    "refresh",
    "refreshed",
    "rejected",
    "removed",
    "renewed",
    "required",
    "revoked",
    "rotated",
    "sanitized",
    "scram-sha-256",
    "scram-sha-512",
    "secret",
    "set",
    "simple",
    "static",
    "string",
    "succeeded",
    "success",
    "the",
    "timeout",
    "token",
    "true",
    "trust",
    "unable",
    "unauthorized",
    "undefined",
    "unexpected",
    "unknown",
    "unset",
    "unspecified",
    "updated",
    "user",
    "using",
    "valid",
    "value",
    "was",
    "while",
    "will",
    "with",
    "wrong",
    "yes",
];

/// Tells whether it stands for a value that is not there: empty, masked, a reference, a word of a message.
pub(super) fn is_placeholder(value: &str) -> bool {
    let value = value.trim_matches(|c: char| matches!(c, '"' | '\'' | '`' | '\\' | ',' | '.' | ':' | ';' | '!' | ' '));
    let bare = value.trim_matches(|c: char| matches!(c, '<' | '>' | '[' | ']' | '(' | ')' | '{' | '}' | '%' | '$'));
    let wrapped = value.len() > bare.len();
    value.is_empty()
        || bare.is_empty()
        || WORDS.binary_search(&bare.to_ascii_lowercase().as_str()).is_ok()
        || bare.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '-' | '#' | '•' | '_'))
        || value.starts_with("${")
        || value.starts_with("$(")
        || value.starts_with("{{")
        || value.starts_with("%(")
        || (value.starts_with('$') && bare.chars().all(|c| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit()))
        || matches!(value, "%s" | "%v" | "%q" | "%d")
        || (wrapped && value.starts_with('<') && value.ends_with('>'))
        || value.starts_with("[redacted")
        || value.contains("***")
        || value.starts_with("REDACTED")
}

/// A value that stands where only a password stands.
pub(super) fn is_password(value: &str) -> bool {
    !is_placeholder(value)
}

/// The same behind a user's name and a colon, where a way to sign in may stand as well: `oauth2:github`.
pub(super) fn is_password_of_user(value: &str) -> bool {
    is_password(value) && !value.starts_with('/') && !value.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// The same, where a path or an address may stand as well.
pub(super) fn is_value(value: &str) -> bool {
    is_password(value) && value.len() >= 3 && !is_path(value) && !value.starts_with("http")
}

/// The same, where what precedes may be the port of a host and what follows its path.
pub(super) fn is_password_with_slashes(value: &str) -> bool {
    let port = value.trim_start_matches(|c: char| c.is_ascii_digit());
    is_password(value) && (port.len() == value.len() || !port.starts_with(['/', '?', '#', ',']))
}

/// A value that is random by its looks: what a token is where the word before it also occurs in sentences.
pub(super) fn is_credential(value: &str) -> bool {
    if is_placeholder(value) || value.len() < 8 || !is_varied(value) || is_path(value) || value.contains("://") {
        return false;
    }
    let has = |test: fn(&u8) -> bool| value.as_bytes().iter().any(test);
    let (upper, lower, digit) = (has(u8::is_ascii_uppercase), has(u8::is_ascii_lowercase), has(u8::is_ascii_digit));
    let plain =
        value.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-./:_".contains(&byte));
    if plain {
        // Names of objects, versions and times are made of such words too; a token has one long run of both.
        let longest = value.split(['-', '.', '/', ':', '_']).map(str::len).max().unwrap_or(0);
        return digit && lower && (longest >= 16 || is_uuid(value));
    }
    // Words, names of fields and camel-case names have no digits; one digit at the end of a word is no token either.
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let wordy = value.bytes().all(|byte| byte.is_ascii_alphabetic() || b"-._/:,".contains(&byte));
    !wordy && (upper || lower) && (digits >= 2 || (upper && lower && value.len() >= 12) || value.len() >= 20)
}

/// A path of files: words behind slashes.
pub(super) fn is_path(value: &str) -> bool {
    let value = value.trim_start_matches(['~', '.', '@']);
    value.starts_with('/')
        && value.matches('/').count() >= 2
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._/:".contains(&byte))
}

fn is_uuid(value: &str) -> bool {
    let mut parts = value.split('-').map(str::len);
    value.len() == 36 && [8, 4, 4, 4, 12].into_iter().all(|length| parts.next() == Some(length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_in_order() {
        assert!(WORDS.is_sorted(), "a binary search needs them in order: {:?}", WORDS.windows(2).find(|w| w[0] > w[1]));
    }

    #[test]
    fn random_values_are_told_from_names() {
        for value in
            ["wJalrXUtnFEMI/K7MDENG", "3f2a9c1e-7b44-4d0e-9a11-0c5d2e7f8a91", "d41d8cd98f00b204e9800998ecf8427e"]
        {
            assert!(is_credential(value), "{value}");
        }
        for value in ["cart-db", "shop/cart-tls", "default-token-x7f2k", "/var/run/secrets/token", "expired", "scopes"]
        {
            assert!(!is_credential(value), "{value}");
        }
    }
}
