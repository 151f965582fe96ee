//! What the name of a field, variable or flag says of its value.

/// What a name promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Promise {
    /// A password: whatever stands there, it is one.
    Password,
    /// A key or token: whatever stands there, unless it is the name of something.
    Secret,
    /// A word that fields about secrets have too: what stands there has to look random.
    Maybe,
}

impl Promise {
    /// What a value behind the name is called in a mark.
    pub(super) const fn kind(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Secret | Self::Maybe => "secret",
        }
    }
}

/// Lowercase pieces of names that may promise a secret. [`promise`] looks at the whole name.
pub(super) const TRIGGERS: &[&str] = &[
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "api.key",
    "access_key",
    "accesskey",
    "access-key",
    "private_key",
    "privatekey",
    "private-key",
    "signing_key",
    "signingkey",
    "signing-key",
    "encryption_key",
    "encryptionkey",
    "encryption-key",
    "master_key",
    "masterkey",
    "master-key",
    "account_key",
    "accountkey",
    "license_key",
    "licensekey",
    "license-key",
    "shared_key",
    "sharedkey",
    "session_key",
    "sessionkey",
    "app_key",
    "appkey",
    "application_key",
    "service_key",
    "service_role_key",
    "auth_key",
    "authkey",
    "ssh_key",
    "deploy_key",
    "hmac_key",
    "aes_key",
    "key_base",
    "key-data",
    "credential",
    "connection_string",
    "connectionstring",
    "connection-string",
    "db_pass",
    "dbpass",
    "_pass",
    "-pass",
    "pass=",
    "pass:",
    "\"pass\"",
    "dsn",
    "sessionid",
    "session_id",
    "jwt",
    "cookie",
    "unseal",
    "_pat",
    "_auth",
    "redis_auth",
    "rediscli_auth",
    "webhook_url",
    "psk",
    "community",
];

/// Ends of names that speak about a secret and do not hold it.
const ABOUT: &[&str] = &[
    "age",
    "algorithm",
    "alias",
    "at",
    "attempts",
    "audience",
    "backend",
    "cache",
    "callback",
    "changed",
    "checker",
    "class",
    "column",
    "config",
    "cost",
    "count",
    "created",
    "date",
    "digest",
    "dir",
    "directory",
    "disabled",
    "duration",
    "enabled",
    "encoder",
    "encryption",
    "endpoint",
    "env",
    "error",
    "exists",
    "expiration",
    "expired",
    "expires",
    "expiry",
    "field",
    "file",
    "filename",
    "format",
    "func",
    "generator",
    "grace",
    "handler",
    "hasher",
    "header",
    "hint",
    "host",
    "id",
    "ids",
    "in",
    "interval",
    "issuer",
    "iterations",
    "keyfactory",
    "keys",
    "kind",
    "label",
    "length",
    "level",
    "lifetime",
    "limit",
    "location",
    "manager",
    "max",
    "mechanism",
    "message",
    "method",
    "min",
    "mode",
    "mount",
    "name",
    "names",
    "namespace",
    "ns",
    "number",
    "param",
    "parameter",
    "path",
    "paths",
    "period",
    "policy",
    "port",
    "prefix",
    "prompt",
    "protocol",
    "provider",
    "reader",
    "reason",
    "recovery",
    "ref",
    "refs",
    "required",
    "requirements",
    "reset",
    "resolver",
    "retries",
    "rotation",
    "rounds",
    "rule",
    "rules",
    "scheme",
    "scope",
    "scopes",
    "seconds",
    "selector",
    "service",
    "set",
    "size",
    "source",
    "state",
    "status",
    "store",
    "strategy",
    "strength",
    "suffix",
    "time",
    "timeout",
    "tokens",
    "total",
    "ttl",
    "type",
    "types",
    "uri",
    "url",
    "usage",
    "used",
    "user",
    "username",
    "valid",
    "validator",
    "verified",
    "version",
    "volume",
];

/// Ends of names that leave the promise as it is: `DB_PASSWORD_PROD`, `token_b64`.
const NEUTRAL: &[&str] = &[
    "b64",
    "base64",
    "current",
    "data",
    "default",
    "dev",
    "enc",
    "encoded",
    "hash",
    "hex",
    "main",
    "new",
    "old",
    "plain",
    "primary",
    "prod",
    "production",
    "raw",
    "secondary",
    "stage",
    "staging",
    "test",
    "text",
    "value",
];

/// Words before `key` with which it is a secret one.
const KEYS: &[&str] = &[
    "access",
    "account",
    "admin",
    "aes",
    "api",
    "app",
    "application",
    "auth",
    "client",
    "crypto",
    "deploy",
    "encrypt",
    "encryption",
    "hmac",
    "license",
    "master",
    "private",
    "role",
    "secret",
    "service",
    "session",
    "shared",
    "signing",
    "ssh",
    "storage",
    "subscription",
    "unseal",
    "wrapping",
    "write",
];

/// Names that begin so are those of functions, not of what they give.
const VERBS: &[&str] = &[
    "check",
    "create",
    "decode",
    "delete",
    "encode",
    "fetch",
    "find",
    "generate",
    "get",
    "invalid",
    "issue",
    "list",
    "load",
    "lookup",
    "mount",
    "parse",
    "read",
    "refuse",
    "request",
    "require",
    "resolve",
    "revoke",
    "unexpected",
    "update",
    "validate",
    "verify",
    "watch",
];

/// What a name promises of its value, if anything.
pub(super) fn promise(name: &str) -> Option<Promise> {
    let name = name.trim_matches(|c: char| matches!(c, '-' | '_' | '.'));
    let words = words(name);
    let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
    while words.len() > 1 && words.last().is_some_and(|last| is_neutral(last)) {
        words.pop();
    }
    let last = *words.last()?;
    let before = words.len().checked_sub(2).and_then(|index| words.get(index)).copied().unwrap_or_default();
    let alone = words.len() == 1;
    if ABOUT.binary_search(&last).is_ok() {
        return (before == "session" && last == "id").then_some(Promise::Maybe);
    }
    let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| last.ends_with(suffix));
    if ends(&["password", "passwd", "passphrase", "passcode", "pwd", "requirepass", "dbpass", "userpass", "rootpass"])
        || (!alone && matches!(last, "pass" | "pw" | "psk"))
        || words.iter().any(|word| matches!(*word, "password" | "passwd" | "passphrase"))
    {
        // The working directory is called so too.
        let directory = matches!(name, "PWD" | "OLDPWD" | "pwd" | "oldpwd");
        return if directory { None } else { Some(Promise::Password) };
    }
    if last == "pass" {
        return Some(Promise::Maybe);
    }
    if words.first().is_some_and(|first| VERBS.contains(first)) {
        return None;
    }
    if matches!(last, "secret" | "token" | "credential" | "credentials" | "cookie" | "jwt" | "auth" | "dsn") {
        let strong = !alone && matches!(last, "secret" | "token" | "auth");
        let page = matches!(before, "next" | "continue" | "page" | "pagination" | "sync" | "cancellation");
        return match (strong && last != "auth", page && last == "token") {
            (_, true) => None,
            (true, _) => Some(Promise::Secret),
            (false, _) => Some(Promise::Maybe),
        };
    }
    if ends(&[
        "secret",
        "token",
        "apikey",
        "accesskey",
        "secretkey",
        "privatekey",
        "signingkey",
        "masterkey",
        "accountkey",
    ]) || ends(&["encryptionkey", "authkey", "licensekey", "sharedkey", "sessionkey", "appkey"])
        || (last == "key" && KEYS.contains(&before))
        || (last == "string" && before == "connection")
        || last == "connectionstring"
        || matches!(last, "sessionid" | "pat")
        || (last == "base" && before == "key")
        || (name.ends_with("key-data"))
    {
        let public = words.iter().any(|word| matches!(*word, "public" | "pub"));
        return (!public).then_some(if last == "sessionid" || last == "pat" {
            Promise::Maybe
        } else {
            Promise::Secret
        });
    }
    None
}

fn is_neutral(word: &str) -> bool {
    NEUTRAL.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// The words of a name, in lower case: `DB_PASSWORD` and `dbPassword` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        let starts = c.is_ascii_uppercase() && was_lower;
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        if matches!(c, '_' | '-' | '.' | '/') || starts {
            words.push(String::new());
        }
        if !matches!(c, '_' | '-' | '.' | '/')
            && let Some(word) = words.last_mut()
        {
            word.push(c.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_order() {
        assert!(ABOUT.is_sorted(), "{:?}", ABOUT.windows(2).find(|pair| pair[0] > pair[1]));
    }

    #[test]
    fn names_promise_by_their_end() {
        for name in
            ["DB_PASSWORD", "dbPassword", "PGPASSWORD", "spring.datasource.password", "--password", "DB_PASSWORD_PROD"]
        {
            assert_eq!(promise(name), Some(Promise::Password), "{name}");
        }
        for name in
            ["client_secret", "AWS_SECRET_ACCESS_KEY", "X-Vault-Token", "apiKey", "authToken", "_authToken", "api-key"]
        {
            assert_eq!(promise(name), Some(Promise::Secret), "{name}");
        }
        for name in ["secret", "token", "credentials", "auth"] {
            assert_eq!(promise(name), Some(Promise::Maybe), "{name}");
        }
        for name in [
            "secretName",
            "secretKeyRef",
            "token_url",
            "tokenizer",
            "max_tokens",
            "password_file",
            "PWD",
            "access_key_id",
            "token_type",
            "next_token",
            "public_key",
            "passwordSecretName",
            "imagePullSecrets",
            "monkey",
            "keyboard",
        ] {
            assert_eq!(promise(name), None, "{name}");
        }
    }
}
