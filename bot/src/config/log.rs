//! `[log]`.

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use super::review::{Review, shown};

/// `[log]` as written.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct RawLog {
    level: String,
    format: LogFormat,
}

impl Default for RawLog {
    fn default() -> Self {
        let Log { level, format } = Log::default();
        Self { level, format }
    }
}

/// What is logged, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// A level, or directives as `tracing_subscriber::EnvFilter` reads them; checked.
    pub level: String,
    /// The form of a line.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".to_owned(), format: LogFormat::Text }
    }
}

/// The form of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For a person.
    Text,
    /// An object of JSON a line.
    Json,
}

pub(super) fn resolve(raw: &RawLog, review: &mut Review) -> Log {
    // A word that is no level would be taken for the name of a target, and everything else be silent.
    let known = ["off", "error", "warn", "info", "debug", "trace"];
    let begins_with_level = raw.level.split(',').any(|word| known.contains(&word.trim().to_ascii_lowercase().as_str()));
    if !begins_with_level || EnvFilter::try_new(&raw.level).is_err() {
        review.problem(
            "log.level",
            format!("{} is no level", shown(&raw.level)),
            "write off, error, warn, info, debug or trace; one module more is \"info,kubewhy_slack=debug\"",
        );
    }
    Log { level: raw.level.clone(), format: raw.format }
}
