//! Headers, addresses and command lines that carry a password.

use crate::redact::format::{Format, is_user_and_password};
use crate::redact::value::{is_credential, is_password, is_password_of_user, is_password_with_slashes, is_value};

pub(super) const FORMATS: &[Format] = &[
    Format::new("authorization", &["bearer"], r#"(?i-u:\bbearer)[\s:]+["']?(?P<s>[A-Za-z0-9._~+/-]{12,}={0,2})"#, "https://datatracker.ietf.org/doc/html/rfc6750").checked(is_credential),
    Format::new("authorization", &["basic"], r"(?i-u:\bbasic)\s+(?P<s>[A-Za-z0-9+/_-]{6,}={0,2})", "https://datatracker.ietf.org/doc/html/rfc7617").checked(is_user_and_password),
    Format::new("authorization", &["authorization"], r#"(?i-u:authorization)[\\"']*\s*[:=]\s*[\\"'\[]*(?i-u:(?:bearer|basic|token|apikey|digest|negotiate|aws4-hmac-sha256|sso-key|ssws|hmac|key|bot|splunk|geniekey)\s+)?(?P<s>[A-Za-z0-9._~+/=:-]{12,})"#, "https://datatracker.ietf.org/doc/html/rfc9110#section-11.6.2").checked(is_credential),
    Format::new("cookie", &["cookie"], r#"(?i-u:\b(?:set-)?cookie)[\\"']*\s*[:=]\s*[\\"'\[]*[A-Za-z0-9_.-]+=(?P<s>[^;\s"'\]]{8,}(?:;\s*[A-Za-z0-9_.-]+=[^;\s"'\]]+)*)"#, "https://datatracker.ietf.org/doc/html/rfc6265"),
    Format::new("url password", &["://"], r#"(?i-u:\b[a-z][a-z0-9+.-]{1,30})://[^\s:/?#@"'<>]*:(?P<s>[^\s/?#"'<>]*[^\s/?#"'<>@])@[^\s"'@]"#, "https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1").checked(is_password),
    Format::new("url password", &["://"], r#"(?i-u:\b(?:postgres|postgresql|mysql|mariadb|mongodb|mongodb\+srv|rediss?|valkey|amqps?|kafka|nats|clickhouse|cockroachdb|mssql|sqlserver|ldaps?|s?ftp|smtps?))://[^\s:/?#@"'<>]*:(?P<s>[^\s@"'<>]+)@[A-Za-z0-9.\[]"#, "https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1").checked(is_password_with_slashes),
    Format::new("url password", &["@tcp(", "@unix(", "@("], r"[A-Za-z0-9_.-]+:(?P<s>[^\s@\x22']+)@(?:tcp|tcp6|unix|cloudsql)?\(", "https://github.com/go-sql-driver/mysql#dsn-data-source-name").checked(is_password),
    Format::new("url password", &["jdbc:oracle:"], r"(?i-u:jdbc:oracle:)[a-z]+:[^\s/:@]+/(?P<s>[^\s@]+)@", "https://docs.oracle.com/en/database/oracle/oracle-database/19/jjdbc/").checked(is_password),
    Format::new("password", &["mysql", "mariadb"], r"(?i-u:\b(?:mysql|mariadb)[a-z_-]*)\b[^\n|]*?\s-p(?P<s>[^\s\x22';|&]+)", "https://dev.mysql.com/doc/refman/8.4/en/password-security-user.html").checked(is_password),
    Format::new("password", &["curl"], r#"\bcurl\b[^\n|]*?\s(?:-u|--user|-U|--proxy-user)[ =]?["']?[^\s:"']+:(?P<s>[^\s"']+)"#, "https://curl.se/docs/manpage.html").checked(is_password),
    Format::new("password", &["\"auth", "auth\\\""], r#""auth\\*"\s*:\s*\\*"[\w.-]{1,64}:(?P<s>[^\s"\\]{6,})\\*""#, "https://redis.io/docs/latest/commands/auth/").checked(is_password_of_user),
    Format::new("password", &["sshpass"], r#"\bsshpass\s+-p\s*["']?(?P<s>[^\s"']+)"#, "https://man7.org/linux/man-pages/man1/sshpass.1.html").checked(is_password),
    Format::new("password", &["redis-cli", "valkey-cli"], r#"\b(?:redis|valkey)-cli\b[^\n|]*?\s(?:-a|--pass)\s+["']?(?P<s>[^\s"']+)"#, "https://redis.io/docs/latest/develop/tools/cli/").checked(is_password),
    Format::new("password", &["identified by"], r#"(?i-u:identified\s+by\s+(?:password\s+)?)["'](?P<s>[^"']+)["']"#, "https://dev.mysql.com/doc/refman/8.4/en/create-user.html").checked(is_password),
    Format::new("password", &["password '", "password e'"], r"(?i-u:\bpassword\s+e?)'(?P<s>[^']+)'", "https://www.postgresql.org/docs/current/sql-createrole.html").checked(is_password),
    Format::new("password", &["requirepass", "masterauth"], r#"(?i-u:\b(?:requirepass|masterauth))\s+["']?(?P<s>[^\s"']{3,})"#, "https://redis.io/docs/latest/operate/oss_and_stack/management/security/").checked(is_password),
    Format::new("sas jaas password", &["jaas", "loginmodule"], r#"(?i-u:password)\s*=\s*\\?["'](?P<s>[^"'\\]+)"#, "https://kafka.apache.org/documentation/#security_sasl").checked(is_password),
    Format::new("password", &["login"], r#"\b(?:docker|podman|nerdctl|buildah|skopeo|helm|oras|crane)\b[^\n|]*?\blogin\b[^\n|]*?\s-p[ =]?["']?(?P<s>[^\s"']+)"#, "https://docs.docker.com/reference/cli/docker/login/").checked(is_password),
    Format::new("password", &["--password-stdin"], r#"\becho\s+(?:-n\s+)?["']?(?P<s>[^\s"'|]+)["']?\s*\|[^\n]*--password-stdin"#, "https://docs.docker.com/reference/cli/docker/login/").checked(is_password),
    Format::new("password", &["openssl"], r#"\bopenssl\b[^\n|]*?\s(?:-k|-K|-pass(?:in|out)?\s+pass:)\s*["']?(?P<s>[^\s"']+)"#, "https://docs.openssl.org/master/man1/openssl-passphrase-options/").checked(is_password),
    Format::new("url token", &["://"], r"(?i-u:\bhttps?)://(?P<s>[A-Za-z0-9_-]{36,})@[A-Za-z0-9]", "https://datatracker.ietf.org/doc/html/rfc3986#section-3.2.1").checked(is_credential),
    Format::new("password", &["password"], r#"(?i-u:\bpassword)\\*["']?(?:\s+(?i-u:is|was|to|for|set|of|generated|user|admin|root|[a-z]+)){0,6}:?\s+[\\"'`]*(?P<s>[^\s"'`\\,;]{8,})"#, "https://www.jenkins.io/doc/book/installing/kubernetes/").checked(is_credential),
    Format::new("secret", &["unseal key"], r"(?i-u:unseal key)(?: [0-9]+)?(?: \([^)]*\))?:\s*(?P<s>[A-Za-z0-9+/=]{20,})", "https://developer.hashicorp.com/vault/docs/concepts/seal"),
    Format::new("secret", &["api key", "secret key", "access key", "access token", "api token", "auth token", "license key", "client secret"], r#"(?i-u:\b(?:api|secret|access|license|auth|client) (?:key|token|secret))\s*(?:[:=]|(?i-u:is))\s*[\\"'`]*(?P<s>[^\s"'`\\,;]{8,})"#, "https://cheatsheetseries.owasp.org/cheatsheets/Logging_Cheat_Sheet.html").checked(is_credential),
    Format::new("password", &["password>", "passwd>", "pwd>", "passphrase>", "secret>", "token>", "apikey>"], r"(?i-u:<[a-z0-9_.:-]*(?:password|passwd|pwd|passphrase|secret|token|apikey))>(?P<s>[^<\s]+)</", "https://maven.apache.org/settings.html#servers").checked(is_value),
    Format::new("password", &["password", "passwd", "pwd", "secret", "token", "apikey"], r#"(?i-u:\b(?:key|name))=\\?["'][^"'\n]*(?i-u:password|passwd|pwd|secret|token|apikey)\\?["']\s+(?i-u:value)=\\?["'](?P<s>[^"'\\]+)"#, "https://learn.microsoft.com/dotnet/framework/configure-apps/file-schema/appsettings/").checked(is_value),
    Format::new("password", &["password", "passwd", "passphrase", "secret", "token", "api_key", "apikey", "access_key", "private_key"], r#"(?i-u:\bname)[\\"']*\s*[:=]\s*[\\"']*[A-Za-z0-9_.-]*(?i-u:password|passwd|passphrase|secret|token|api_?key|access_key|private_key)[\\"']*\s*,\s*[\\"']*(?i-u:value)[\\"']*\s*[:=]\s*[\\"']*(?P<s>[^\s"',}\\]+)"#, "https://kubernetes.io/docs/tasks/inject-data-application/define-environment-variable-container/").checked(is_value),
];
