//! Takes secrets out of what is written to a recording: values of variables and keys whose names speak of secrets, and
//! tokens of well-known forms anywhere.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What stands where a secret stood.
pub const REDACTED: &str = "REDACTED";

static SECRET_NAME: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)(passw|passwd|pwd|secret|token|api[-_.]?key|access[-_.]?key|private[-_.]?key|credential|auth|dsn|connection[-_.]?string)",
    )
});

static SECRET_TEXT: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    vec![
        (pattern(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\z)"), REDACTED),
        (pattern(r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"), REDACTED),
        (pattern(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"), REDACTED),
        (pattern(r"\b(gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,})"), REDACTED),
        (pattern(r"\bxox[abeprs]-[A-Za-z0-9-]{10,}"), REDACTED),
        (pattern(r"\b(sk|pk|rk)_(live|test)_[A-Za-z0-9]{10,}"), REDACTED),
        (pattern(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,}"), "$1 REDACTED"),
        (pattern(r"(?i)([a-z][a-z0-9+.-]*://[^\s:/@]*):[^\s@/]+@"), "$1:REDACTED@"),
        (
            pattern(
                r#"(?i)((?:passw(?:or)?d|pwd|secret|token|api[-_]?key|access[-_]?key)["']?\s*[=:]\s*["']?)[^\s"',;&]{3,}"#,
            ),
            "${1}REDACTED",
        ),
    ]
});

#[expect(clippy::expect_used, reason = "the patterns are literals that a test compiles")]
fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a literal pattern compiles")
}

/// Takes tokens of well-known forms out of a text.
pub fn text(text: &str) -> String {
    let mut out = text.to_owned();
    for (pattern, replacement) in SECRET_TEXT.iter() {
        if pattern.is_match(&out) {
            out = pattern.replace_all(&out, *replacement).into_owned();
        }
    }
    out
}

/// Takes secrets out of an object: values of a Secret, of variables and `ConfigMap` keys with telling names, tokens anywhere.
/// The annotation of the last applied manifest is redacted as the object it is.
pub fn object(value: &mut Value) {
    let is_secret = value.get("kind").and_then(Value::as_str) == Some("Secret");
    for field in ["data", "stringData"] {
        if let Some(data) = value.get_mut(field).and_then(Value::as_object_mut) {
            for (key, entry) in data.iter_mut() {
                if is_secret || SECRET_NAME.is_match(key) {
                    *entry = Value::String(String::new());
                }
            }
        }
    }
    inner(value);
}

fn inner(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            let named = fields.get("name").and_then(Value::as_str).is_some_and(|name| SECRET_NAME.is_match(name));
            if let Some(entry) = fields.get_mut("value").filter(|entry| named && entry.is_string()) {
                *entry = Value::String(REDACTED.to_owned());
            }
            for (key, entry) in fields.iter_mut() {
                if key == "kubectl.kubernetes.io/last-applied-configuration"
                    && let Some(mut applied) = entry.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok())
                {
                    object(&mut applied);
                    *entry = Value::String(applied.to_string());
                } else {
                    inner(entry);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(inner),
        Value::String(words) => {
            let clean = text(words);
            if clean != *words {
                *words = clean;
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_leave_and_names_stay() {
        let mut pod = json!({"kind": "Pod", "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration":
            "{\"spec\":{\"containers\":[{\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]}]}}"}},
            "spec": {"containers": [{"env": [{"name": "DB_PASSWORD", "value": "hunter2"}, {"name": "REGION", "value": "eu"},
                {"name": "URL", "value": "postgres://app:hunter2@db/shop"}]}]}});
        object(&mut pod);
        let text = pod.to_string();
        assert!(!text.contains("hunter2"), "{text}");
        assert!(
            text.contains("DB_PASSWORD") && text.contains("\"eu\"") && text.contains("postgres://app:REDACTED@db/shop")
        );
    }

    #[test]
    fn tokens_in_logs_are_taken_out_and_ordinary_lines_stay() {
        for (line, secret) in [
            ("auth: Bearer abcdefghijklmnop", "abcdefghijklmnop"),
            ("password=s3cr3t!! user=app", "s3cr3t"),
            ("key AKIAABCDEFGHIJKLMNOP used", "AKIAABCDEFGHIJKLMNOP"),
            ("jwt eyJhbGciOiJI.eyJzdWIiOiIx.abc", "eyJhbGciOiJI"),
        ] {
            assert!(!text(line).contains(secret), "{line}");
        }
        for line in ["password authentication failed for user \"app\"", "token expired", "secret \"cart-db\" not found"]
        {
            assert_eq!(text(line), line);
        }
    }
}
