//! The embedded cluster of `kubewhy demo` and `kubewhy sandbox`: every way in which a pod can break, as scenarios that play
//! while one watches. Nothing outside this process is touched.

mod greeting;
mod watch;

use std::sync::Arc;
use std::time::Duration;

use include_dir::{Dir, include_dir};
use jiff::Timestamp;
use kube::Client;
use kubewhy_kubernetes::Cluster;
use kubewhy_sandbox::scenario::{PlayError, Player, Scenario, ScenarioError};
use kubewhy_sandbox::{Clock, Sandbox};
use tokio::runtime::{Builder, Runtime};

use crate::source::{self, Source};

pub use greeting::TOUR;
pub(crate) use watch::Watch;

/// The scenarios, a file each; what they are made of: `bot/demo/README.md`.
static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/demo");

/// The cluster's name.
const NAME: &str = "demo";
/// The same cluster every time: its UIDs follow from this.
const SEED: u64 = 1;

/// Why the embedded cluster cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// A scenario cannot be read.
    #[error(transparent)]
    Scenario(#[from] ScenarioError),
    /// A scenario cannot be played.
    #[error(transparent)]
    Play(#[from] PlayError),
    /// The runtime under it cannot be started.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
}

/// The embedded cluster, playing.
pub struct Demo {
    sandbox: Sandbox,
    runtime: Arc<Runtime>,
    scenarios: Vec<Scenario>,
}

/// All scenarios, in the order of their names.
///
/// # Errors
/// Where a file is no scenario.
pub fn scenarios() -> Result<Vec<Scenario>, ScenarioError> {
    let mut files: Vec<(&str, &str)> = FILES
        .files()
        .filter(|file| file.path().extension().is_some_and(|extension| extension == "yaml"))
        .filter_map(|file| Some((file.path().file_stem()?.to_str()?, file.contents_utf8()?)))
        .collect();
    files.sort_unstable();
    // What the stories are played in comes first.
    files.sort_by_key(|(name, _)| *name != "cluster");
    files.into_iter().map(|(name, text)| Scenario::parse(name, text)).collect()
}

impl Demo {
    /// Plays the scenarios, beginning so long after their start. With `at` the clock stands still at that time and what is
    /// broken stays as it is; without it the clock is the machine's, and more breaks while one watches.
    ///
    /// # Errors
    /// Where a scenario cannot be read or played.
    pub fn start(after: Duration, at: Option<Timestamp>) -> Result<Self, DemoError> {
        let clock = at.map_or_else(Clock::system, Clock::fixed);
        let sandbox = Sandbox::seeded(clock, SEED);
        let scenarios = scenarios()?;
        let mut player = Player::new(sandbox.clone(), scenarios.clone());
        player.skip_to(after);
        player.advance(sandbox.now())?;
        let runtime = runtime()?;
        if at.is_none() {
            runtime.spawn(async move { player.run().await });
        }
        Ok(Self { sandbox, runtime: Arc::new(runtime), scenarios })
    }

    /// A cluster in which nothing is and nothing happens.
    ///
    /// # Errors
    /// Where its runtime cannot be started.
    pub fn empty() -> Result<Self, DemoError> {
        let sandbox = Sandbox::seeded(Clock::system(), SEED);
        Ok(Self { sandbox, runtime: Arc::new(runtime()?), scenarios: Vec::new() })
    }

    /// It as a source of evidence.
    pub fn source(&self) -> Source {
        let (service, clock) = (self.sandbox.service(), self.sandbox.clone());
        // The client has tasks of its own, which belong to the runtime.
        let client = {
            let _guard = self.runtime.enter();
            Client::new(service, "default")
        };
        Source::Cluster {
            cluster: Cluster::new(client, NAME),
            runtime: Arc::clone(&self.runtime),
            clock: source::Clock::new(move || clock.now()),
        }
    }

    /// The cluster itself.
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The runtime under it.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// What is played.
    pub fn scenarios(&self) -> &[Scenario] {
        &self.scenarios
    }
}

fn runtime() -> Result<Runtime, DemoError> {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(DemoError::Runtime)
}
