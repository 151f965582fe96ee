//! The last words of a container.

/// Placeholder until the signature library lands.
#[derive(Clone, Debug, Default)]
pub struct LastWords {
    /// The last lines.
    pub tail: Vec<String>,
    /// The API's own error text served as a log.
    pub not_the_apps: bool,
}
/// Reads a log.
pub fn read(log: &str) -> LastWords {
    LastWords { tail: log.lines().rev().take(8).map(str::to_owned).collect(), not_the_apps: false }
}
