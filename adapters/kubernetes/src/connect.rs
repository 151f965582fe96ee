//! From a kubeconfig, its context and its credential plugins, or the service account of this pod, to a client.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use kube::config::{InferConfigError, KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use crate::{Bounds, Cluster};

/// How long the first connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which cluster to connect to.
#[derive(Clone, Debug, Default)]
pub struct Connection {
    /// The kubeconfig context; `None` = the current one, or in-cluster where there is no kubeconfig.
    pub context: Option<String>,
    /// The kubeconfig file; `None` = `KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// Whether a kubeconfig is looked for at all.
    pub place: Place,
    /// The name under which it is spoken of; `None` = the context's.
    pub name: Option<String>,
    /// How many requests may be sent a second, all questions together; what is more waits for its turn. `None` = without a
    /// bound.
    pub requests_per_second: Option<NonZeroU32>,
    /// What may be asked at all.
    pub bounds: Bounds,
}

/// Where the way to a cluster is described.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Place {
    /// In a kubeconfig; where there is none, in this pod.
    #[default]
    Kubeconfig,
    /// In this pod: its service account.
    InCluster,
}

impl Connection {
    /// The cluster around this pod.
    pub fn in_cluster() -> Self {
        Self { place: Place::InCluster, ..Self::default() }
    }
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The kubeconfig cannot be read or lacks what was asked for.
    #[error("the kubeconfig cannot be used; name another with --kubeconfig or --context")]
    Kubeconfig(#[source] KubeconfigError),
    /// There is neither a kubeconfig nor a cluster around this process.
    #[error(
        "no cluster: there is no usable kubeconfig (set KUBECONFIG or --kubeconfig) and this is no pod; --from reads a dump"
    )]
    Infer(#[source] InferConfigError),
    /// This is no pod, or its service account is not mounted.
    #[error("there is no service account of a pod here; in_cluster works only inside of a cluster")]
    InCluster(#[source] kube::config::InClusterError),
    /// The client cannot be made from the configuration.
    #[error("the client could not be made from the kubeconfig")]
    Client(#[source] kube::Error),
    /// The runtime for requests could not be started.
    #[error("the runtime could not be started")]
    Runtime(#[source] std::io::Error),
}

pub(crate) async fn connect(connection: &Connection) -> Result<Cluster, ConnectError> {
    // One provider of cryptography for the process; a second call finds the first one's and is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let options = KubeConfigOptions { context: connection.context.clone(), ..KubeConfigOptions::default() };
    let mut config = match &connection.kubeconfig {
        _ if connection.place == Place::InCluster => Config::incluster().map_err(ConnectError::InCluster)?,
        Some(path) => {
            let kubeconfig = Kubeconfig::read_from(path).map_err(ConnectError::Kubeconfig)?;
            Config::from_custom_kubeconfig(kubeconfig, &options).await.map_err(ConnectError::Kubeconfig)?
        }
        None if connection.context.is_some() => {
            Config::from_kubeconfig(&options).await.map_err(ConnectError::Kubeconfig)?
        }
        None => Config::infer().await.map_err(ConnectError::Infer)?,
    };
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(crate::REQUEST_TIMEOUT);
    // The library's own retry repeats a refused request up to 15 times; a question is answered or says so.
    config.default_retry = false;
    let name = connection
        .name
        .clone()
        .or_else(|| connection.context.clone())
        .or_else(|| current_context(connection))
        .unwrap_or_else(|| "in-cluster".to_owned());
    let client = Client::try_from(config).map_err(ConnectError::Client)?;
    let cluster = Cluster::new(client, name).within(connection.bounds.clone());
    Ok(match connection.requests_per_second {
        Some(most) => cluster.paced(most),
        None => cluster,
    })
}

fn current_context(connection: &Connection) -> Option<String> {
    let kubeconfig = match &connection.kubeconfig {
        Some(path) => Kubeconfig::read_from(path),
        None => Kubeconfig::read(),
    };
    if connection.place == Place::InCluster {
        return None;
    }
    kubeconfig.ok().and_then(|kubeconfig| kubeconfig.current_context).filter(|context| !context.is_empty())
}
