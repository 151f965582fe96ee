//! The settings of the bot: from file, environment and flags to [`Settings`].
//!
//! Two forms, and the rest of the program sees only the second: what stands in the file ([`raw`]), and what it means
//! ([`Settings`]: secrets read, names checked, references followed). Everything that is wrong is told at once, each with its
//! key, its place and the fix.
//!
//! Entry points: [`load`] for what runs, [`inspect`] for what only prints.
//!
//! Invariants: a key that nobody knows is an error; no error, warning or `Debug` holds a secret.

mod access;
mod channels;
mod clusters;
mod discord;
mod example;
mod http;
mod later;
mod limits;
mod log;
mod platform;
mod rbac;
mod read;
mod remediation;
mod review;
mod secret;
mod slack;
mod sources;
mod store;

pub mod raw;

use std::path::PathBuf;

pub use access::{Access, Ask, Group, LogReaders, Person};
pub use channels::Channel;
pub use clusters::{ClusterSettings, Reach};
pub use discord::DiscordSettings;
pub use http::Http;
pub use later::{Route, Severity};
pub use limits::Limits;
pub use log::{Log, LogFormat};
pub use rbac::Rbac;
pub use remediation::{Allow, Remediation};
pub use review::{Place, Problem, Problems};
pub use slack::SlackSettings;
pub use sources::Sources;
pub use store::Store;

use crate::config::raw::Raw;
use crate::config::secret::Secrets;

/// The example, which shows every key with its default.
pub const EXAMPLE: &str = include_str!("../../config.example.toml");

/// What the bot runs with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Slack; `None` = not used.
    pub slack: Option<SlackSettings>,
    /// Discord; `None` = not used.
    pub discord: Option<DiscordSettings>,
    /// The clusters that can be asked about; empty = the current kubeconfig context, or the cluster around this pod.
    pub clusters: Vec<ClusterSettings>,
    /// Where deliveries and conversations are kept.
    pub store: Store,
    /// The server of `/healthz` and `/readyz`.
    pub http: Http,
    /// Who may ask and see what.
    pub access: Access,
    /// What the channels are about.
    pub channels: Vec<Channel>,
    /// What is logged, and how.
    pub log: Log,
    /// How much may be asked.
    pub limits: Limits,
    /// Where failures are told; not built yet.
    pub routes: Vec<Route>,
    /// Which repairs are allowed; not built yet.
    pub remediation: Remediation,
    /// What the bot's role may contain.
    pub rbac: Rbac,
}

/// Settings with what there is to say about them.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What works and is worth a look.
    pub warnings: Vec<Problem>,
    /// The file they come from, if there is one.
    pub file: Option<PathBuf>,
}

/// Settings that were checked without their secrets, for printing.
#[derive(Clone, Debug)]
pub struct Inspected {
    /// As written, with defaults where nothing was.
    pub raw: Raw,
    /// What it means. Secrets are empty: nothing can connect with these.
    pub settings: Settings,
    /// What works and is worth a look.
    pub warnings: Vec<Problem>,
    /// The file they come from, if there is one.
    pub file: Option<PathBuf>,
}

impl Inspected {
    /// Whether nothing was written that changes anything.
    pub fn is_default(&self) -> bool {
        let written = self.raw.to_toml();
        written.is_ok() && written == Raw::default().to_toml()
    }
}

/// Loads the settings of a bot that is to run.
///
/// # Errors
/// With everything that is wrong, at once.
pub fn load(sources: &Sources) -> Result<Loaded, Problems> {
    let Inspected { settings, warnings, file, .. } = resolve(sources, Secrets::Read)?;
    Ok(Loaded { settings, warnings, file })
}

/// Loads settings to print something that follows from them. Files of secrets are left alone, and neither a secret nor a
/// platform has to be there.
///
/// # Errors
/// With everything that is wrong, at once.
pub fn inspect(sources: &Sources) -> Result<Inspected, Problems> {
    resolve(sources, Secrets::Leave)
}

fn resolve(sources: &Sources, secrets: Secrets) -> Result<Inspected, Problems> {
    let read::Read { raw, file, mut review } = read::read(sources)?;
    review.secrets = secrets;
    let clusters = clusters::resolve(&raw.clusters, &mut review);
    let access = access::resolve(&raw.access, &mut review);
    let settings = Settings {
        slack: raw.slack.as_ref().map(|slack| slack::resolve(slack, &mut review)),
        discord: raw.discord.as_ref().map(|discord| discord::resolve(discord, &mut review)),
        store: store::resolve(&raw.store, &mut review),
        http: http::resolve(&raw.http, &mut review),
        channels: channels::resolve(&raw, &mut review),
        log: log::resolve(&raw.log, &mut review),
        limits: limits::resolve(&raw.limits, &mut review),
        routes: later::routes(&raw, &mut review),
        remediation: remediation::resolve(&raw, &mut review),
        rbac: rbac::resolve(&raw.rbac),
        clusters,
        access,
    };
    if secrets == Secrets::Read && settings.slack.is_none() && settings.discord.is_none() {
        review.platforms_lack();
    }
    let warnings = review.finish(file.as_deref())?;
    Ok(Inspected { raw, settings, warnings, file })
}
