//! The log: its level, which can be switched while the bot runs, and that no token of ours stands in it.

use std::io::{self, Write};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, Registry, fmt, reload};

use crate::config::LogFormat;

/// Libraries whose lines below this level can carry tokens or the words of messages, whatever level is asked for; besides
/// those that the adapter of Discord names.
const CAPPED: [&str; 5] = ["slack_morphism", "rustls", "kube_client", "tower", "sqlx"];

/// Why a level cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the level cannot be used")]
pub(crate) struct LevelError(#[from] ParseError);

/// The level of the log, to be switched.
#[derive(Clone)]
pub(crate) struct LogLevel {
    filter: reload::Handle<EnvFilter, Registry>,
}

/// Sets the log up: on standard error, without any of the secrets.
///
/// # Errors
/// Where the level is none.
pub(crate) fn telemetry(level: &str, format: LogFormat, secrets: Vec<SecretString>) -> Result<LogLevel, LevelError> {
    let (filter, handle) = reload::Layer::new(filter(level)?);
    let writer = Masked { secrets: Arc::new(secrets) };
    let lines = match format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(false).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(writer).boxed(),
    };
    // In tests of one process the log may stand already; its level is then what it was.
    let _is_first = tracing_subscriber::registry().with(filter).with(lines).try_init();
    Ok(LogLevel { filter: handle })
}

impl LogLevel {
    /// Switches the level.
    ///
    /// # Errors
    /// Where it is none.
    pub(crate) fn switch(&self, level: &str) -> Result<(), LevelError> {
        let filter = filter(level)?;
        // It fails only where the subscriber is gone, and with it all lines.
        let _is_there = self.filter.reload(filter);
        Ok(())
    }
}

fn filter(level: &str) -> Result<EnvFilter, LevelError> {
    let capped = CAPPED.iter().chain(&kubewhy_discord::SECRETIVE_TARGETS).map(|target| format!(",{target}=error"));
    Ok(EnvFilter::try_new(level.to_owned() + &capped.collect::<String>())?)
}

/// Standard error without secrets.
#[derive(Clone)]
struct Masked {
    secrets: Arc<Vec<SecretString>>,
}

impl<'w> MakeWriter<'w> for Masked {
    type Writer = Line<'w>;

    fn make_writer(&'w self) -> Self::Writer {
        Line { secrets: &self.secrets, line: Vec::new() }
    }
}

/// One line, written whole when it is complete.
struct Line<'w> {
    secrets: &'w [SecretString],
    line: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        // A log that cannot be written has nowhere to say so.
        let _is_written = io::stderr().lock().write_all(masked(&self.line, self.secrets).as_bytes());
    }
}

fn masked(line: &[u8], secrets: &[SecretString]) -> String {
    let mut line = String::from_utf8_lossy(line).into_owned();
    for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
        if line.contains(secret) {
            line = line.replace(secret, "<secret>");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_do_not_stand_in_the_log() {
        let secrets = [SecretString::from("xoxb-canary"), SecretString::from("")];
        assert_eq!(
            masked(b"failed: Bearer xoxb-canary, xoxb-canary\n", &secrets),
            "failed: Bearer <secret>, <secret>\n"
        );
        assert_eq!(masked(b"nothing \xff\n", &secrets), "nothing \u{fffd}\n");
    }

    #[test]
    fn modules_that_log_tokens_are_capped_whatever_is_asked_for() {
        let filter = filter("trace,serenity=trace").expect("a level").to_string();
        assert!(filter.contains("serenity=error") && !filter.contains("serenity=trace"), "{filter}");
        assert!(super::filter("loud,=").is_err());
    }
}
