//! The bot: takes deliveries from the platforms, answers them, keeps promises, says how it is.
//!
//! Every task has an owner here; a task that ends unasked ends the process. Order of the end: intake, then the answers that
//! were begun, then the store. What was not begun stands in the store and is answered after the next start.

mod health;
mod intake;
mod names;
mod policy;
mod telemetry;
mod waits;
mod work;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kubewhy_chat::{ChatError, ChatPlatform, Memory};
use kubewhy_core::commands::Capabilities;
use kubewhy_kubernetes::{Bounds, Connection, Logs, Secrets};
use kubewhy_store::{Ending as DeliveryEnding, Store, StoreError};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::config::{ClusterSettings, LogReaders, Reach, Settings};
use crate::desk::{Desk, Served};
use crate::source::{Source, SourceError};

pub(crate) use policy::policy;
pub(crate) use telemetry::{LogLevel, telemetry};

/// How many deliveries may wait to be worked on.
const MOST_WAITING: usize = 2_000;

/// How long answers that were begun have to end when the process is to end.
const GRACE: Duration = Duration::from_secs(7);

/// How old a delivery may be that is answered after a restart.
const STILL_WANTED: SignedDuration = SignedDuration::from_mins(15);

/// How often what is no longer needed leaves the store.
const PRUNE_EVERY: Duration = Duration::from_hours(1);

/// The platforms by name.
pub(crate) type Platforms = BTreeMap<&'static str, Arc<dyn ChatPlatform>>;

/// Why the bot ended, or did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The store cannot be opened.
    #[error("the store cannot be opened")]
    Store(#[from] StoreError),
    /// A cluster cannot be connected to.
    #[error("cluster \"{name}\" cannot be used")]
    Cluster {
        /// Its name, or what stands for it.
        name: String,
        /// Why.
        source: SourceError,
    },
    /// The address of the health endpoints is taken.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A platform cannot be set up.
    #[error("{platform} cannot be used: {why}")]
    Platform {
        /// Which.
        platform: &'static str,
        /// Why, without a secret.
        why: String,
    },
    /// No platform is left to listen to.
    #[error("{platform} cannot be listened to any more")]
    Unlistened {
        /// The last one.
        platform: &'static str,
        /// Why.
        source: ChatError,
    },
    /// A task ended that nobody had told to.
    #[error("the task \"{0}\" ended by itself")]
    Task(&'static str),
}

impl RunError {
    /// Whether only another configuration helps: what it says cannot be, whatever the world around is like.
    pub(crate) fn is_of_config(&self) -> bool {
        matches!(self, Self::Platform { .. })
    }
}

/// Opens what is served.
///
/// # Errors
/// Where a kubeconfig cannot be used.
pub(crate) fn clusters(settings: &Settings, runtime: &Arc<Runtime>) -> Result<Vec<Served>, RunError> {
    let open = |connection: Connection| {
        let connection = Connection {
            requests_per_second: settings.limits.api_requests_per_second,
            bounds: bounds(settings, &connection),
            ..connection
        };
        let source = Source::cluster_on(Arc::clone(runtime), &connection).map_err(|source| {
            let name = connection.name.as_deref().unwrap_or("of the current kubeconfig context");
            RunError::Cluster { name: name.to_owned(), source }
        })?;
        Ok(Served { source, context: None })
    };
    if settings.clusters.is_empty() {
        return Ok(vec![open(Connection::default())?]);
    }
    settings.clusters.iter().map(|cluster| open(connection(cluster))).collect()
}

fn connection(cluster: &ClusterSettings) -> Connection {
    let connection = match &cluster.reach {
        Reach::Kubeconfig { file, context } => {
            Connection { context: context.clone(), kubeconfig: file.clone(), ..Connection::default() }
        }
        Reach::InCluster => Connection::in_cluster(),
    };
    Connection { name: Some(cluster.name.clone()), ..connection }
}

/// What the configuration lets the bot read of a cluster, whatever its role would let it.
fn bounds(settings: &Settings, connection: &Connection) -> Bounds {
    let cluster = settings.clusters.iter().find(|cluster| Some(&cluster.name) == connection.name.as_ref());
    Bounds {
        namespaces: cluster.map(|cluster| cluster.namespaces.iter().cloned().collect()).unwrap_or_default(),
        secrets: if settings.rbac.secrets { Secrets::Named } else { Secrets::Never },
        logs: if settings.access.logs == LogReaders::Off { Logs::Never } else { Logs::Read },
    }
}

/// The platforms that are configured. Nothing is sent yet.
///
/// # Errors
/// Where a setting cannot be used.
pub(crate) fn platforms(settings: &Settings, memory: &Arc<dyn Memory>) -> Result<Platforms, RunError> {
    let mut platforms = Platforms::new();
    if let Some(slack) = &settings.slack {
        let settings = kubewhy_slack::Settings {
            bot_token: slack.bot_token.clone(),
            app_token: slack.app_token.clone(),
            api_url: slack.api_url.to_string(),
            command: slack.command.clone(),
        };
        let slack = kubewhy_slack::Slack::new(settings)
            .map_err(|error| RunError::Platform { platform: "slack", why: error.to_string() })?;
        platforms.insert(slack.name(), Arc::new(slack));
    }
    if let Some(discord) = &settings.discord {
        let settings = kubewhy_discord::Settings {
            token: discord.token.clone(),
            guilds: discord.guilds.clone(),
            api_url: discord.api_url.to_string(),
        };
        let discord = kubewhy_discord::Discord::new(settings, Arc::clone(memory))
            .map_err(|error| RunError::Platform { platform: "discord", why: error.to_string() })?;
        platforms.insert(discord.name(), Arc::new(discord));
    }
    Ok(platforms)
}

/// Runs until `stop`.
///
/// # Errors
/// Where it cannot start, or has to end unasked.
pub(crate) async fn run(settings: Settings, served: Vec<Served>, stop: CancellationToken) -> Result<(), RunError> {
    let store = Store::open(&settings.store.url).await?;
    let memory: Arc<dyn Memory> = Arc::new(store.clone());
    let platforms = Arc::new(platforms(&settings, &memory)?);
    let policy = policy(&settings, served.iter().map(|served| served.source.name()));
    let desk = Arc::new(Desk::shared(served, Capabilities::chat(), policy.clone()));
    let (queue, waiting) = mpsc::channel(MOST_WAITING);
    let office = Arc::new(work::Office {
        store: store.clone(),
        desk: Arc::clone(&desk),
        platforms: Arc::clone(&platforms),
        policy,
        questions: work::Questions::new(Arc::clone(&desk), settings.limits.answer_within),
    });
    let intake = Arc::new(intake::Intake::new(&office, queue.clone(), &settings.limits));
    let health = health::bind(settings.http.listen).await?;

    let mut tasks = Tasks::default();
    tasks.add("health", health.serve(store.clone(), Arc::clone(&platforms), stop.clone()));
    tasks.add("waits", waits::keep(Arc::clone(&office), stop.clone()));
    tasks.add("prune", prune(store.clone(), stop.clone()));
    tasks.add("answers", work::answer_all(Arc::clone(&office), waiting, stop.clone()));
    let mut again = JoinSet::new();
    recover(&store, &office, &queue, &mut again).await;
    drop(queue);
    let mut listening = JoinSet::new();
    for (name, platform) in platforms.iter() {
        let (name, platform, intake) = (*name, Arc::clone(platform), Arc::clone(&intake));
        let stop = stop.clone();
        listening.spawn(async move {
            let stopped = Box::pin(async move { stop.cancelled().await });
            (name, platform.listen(intake, stopped).await)
        });
    }
    drop(intake);
    info!(platforms = ?platforms.keys().collect::<Vec<_>>(), "listening");
    let ended = tokio::select! {
        biased;
        () = stop.cancelled() => Ok(()),
        ended = outlive(&mut listening) => ended,
        task = tasks.any_ended() => Err(RunError::Task(task)),
    };
    stop.cancel();
    info!("ending");
    let all = async {
        while listening.join_next().await.is_some() {}
        while again.join_next().await.is_some() {}
        tasks.all_ended().await;
    };
    if tokio::time::timeout(GRACE, all).await.is_err() {
        warn!("some answers were not finished in time; they are told after the next start");
    }
    store.close().await;
    ended
}

/// Waits until no platform is left to listen to. One whose token is revoked does not end the others.
async fn outlive(listening: &mut JoinSet<(&'static str, Result<(), ChatError>)>) -> Result<(), RunError> {
    let mut last = Err(RunError::Task("listening"));
    while let Some(ended) = listening.join_next().await {
        let Ok((platform, ended)) = ended else {
            error!("a listener ended by a fault of its own");
            continue;
        };
        if let Err(source) = ended {
            error!(chat.platform = platform, error = %source, "cannot be listened to any more");
            last = Err(RunError::Unlistened { platform, source });
        }
    }
    last
}

/// Takes up what the last run left behind. What was not begun is answered like any other. What was begun may have been
/// answered already: platforms look before they show an answer again. It is tried once more and never again, should it be the
/// question itself that ends us.
async fn recover(
    store: &Store,
    office: &Arc<work::Office>,
    queue: &mpsc::Sender<kubewhy_chat::Delivery>,
    again: &mut JoinSet<()>,
) {
    let left = match store.unfinished(Timestamp::now() - STILL_WANTED).await {
        Ok(left) => left,
        Err(error) => {
            error!(%error, "what the last run left behind cannot be read");
            return;
        }
    };
    for unfinished in left {
        if !unfinished.begun {
            // Workers take from the queue already; it is closed only where they ended.
            let _is_taken = queue.send(unfinished.delivery).await;
            continue;
        }
        office.finish(&unfinished.delivery.id, DeliveryEnding::Failed).await;
        let office = Arc::clone(office);
        again.spawn(async move { office.settle(unfinished.delivery).await });
    }
}

async fn prune(store: Store, stop: CancellationToken) {
    let mut every = tokio::time::interval(PRUNE_EVERY);
    while stop.run_until_cancelled(every.tick()).await.is_some() {
        if let Err(error) = store.prune(Timestamp::now()).await {
            warn!(%error, "the store could not be pruned");
        }
    }
}

/// The tasks of the process by name.
#[derive(Default)]
struct Tasks {
    running: JoinSet<&'static str>,
}

impl Tasks {
    fn add(&mut self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.running.spawn(async move {
            task.await;
            name
        });
    }

    async fn any_ended(&mut self) -> &'static str {
        match self.running.join_next().await {
            Some(Ok(name)) => name,
            Some(Err(_)) => "one that panicked",
            None => std::future::pending().await,
        }
    }

    async fn all_ended(&mut self) {
        while self.running.join_next().await.is_some() {}
    }
}
