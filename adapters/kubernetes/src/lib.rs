//! Reads a live cluster: fulfils the asks of `kubewhy-diagnosis` with few requests and says for each what became of it:
//! found, absent, forbidden, failed.
//!
//! Entry point: [`Cluster::connect`], then [`Cluster::answer`].
//!
//! Invariants: only reads are sent (GET); every request has a timeout and a bound on what it may bring; the data of a
//! Secret is never requested, only its metadata and type.
#![warn(missing_docs)]

mod answer;
mod bounds;
mod connect;
mod request;

pub use bounds::{Bounds, Logs, Secrets};
pub use connect::{ConnectError, Connection};

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use kube::Client;
use kubewhy_diagnosis::ask::{Answer, Ask, Filter};
use kubewhy_diagnosis::kind::Kind;

/// How long one request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How many requests of one question are under way at once.
const CONCURRENCY: usize = 8;

/// A connection to one cluster that only reads.
pub struct Cluster {
    client: Client,
    name: String,
    bounds: Bounds,
    requests: AtomicUsize,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Cluster {
    /// Connects by kubeconfig, or from inside a cluster. Nothing is sent yet.
    ///
    /// # Errors
    /// Where there is no usable configuration.
    pub async fn connect(connection: &Connection) -> Result<Self, ConnectError> {
        connect::connect(connection).await
    }

    /// Reads through a client that is there already.
    pub fn new(client: Client, name: impl Into<String>) -> Self {
        Self { client, name: name.into(), bounds: Bounds::default(), requests: AtomicUsize::new(0) }
    }

    /// The same, asking for nothing beyond these bounds.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The cluster's name: the context's, or `in-cluster`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The namespace that is meant where none is named.
    pub fn default_namespace(&self) -> &str {
        self.client.default_namespace()
    }

    /// How many requests were sent so far.
    pub fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }

    /// Answers asks, several at once, in the order of the asks.
    pub async fn answer(&self, asks: Vec<Ask>) -> Vec<(Ask, Answer)> {
        let answers = futures::stream::iter(asks.into_iter().map(|ask| async move {
            let answer = self.answer_one(&ask).await;
            (ask, answer)
        }));
        answers.buffered(CONCURRENCY).collect().await
    }

    /// The objects of a kind as `(namespace, name)`, from their metadata alone; empty where they cannot be listed.
    pub async fn names(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Option<String>, String)> {
        let ask = Ask::List { kind, namespace: namespace.map(str::to_owned), filter: Filter::All };
        if self.bounds.refusal(&ask).is_some() {
            return Vec::new();
        }
        let Some(namespaces) = self.bounds.instead_of_all(kind, namespace) else {
            let mut names = self.names_in(kind, namespace).await;
            names.retain(|(_, name)| kind != Kind::Namespace || self.bounds.holds(name));
            return names;
        };
        let names = futures::stream::iter(namespaces.iter().map(|namespace| self.names_in(kind, Some(namespace))));
        names.buffered(CONCURRENCY).concat().await
    }

    async fn names_in(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Option<String>, String)> {
        let path = request::collection(kind, namespace);
        let query = BTreeMap::from([("limit", request::PAGE.to_owned())]);
        let Ok(list) = self.get_json(&path, &query, request::Form::MetadataList).await else {
            return Vec::new();
        };
        let items = list.get("items").and_then(|items| items.as_array());
        let field = |item: &serde_json::Value, key: &str| {
            item.get("metadata").and_then(|meta| meta.get(key)).and_then(|value| value.as_str()).map(str::to_owned)
        };
        items.into_iter().flatten().filter_map(|item| Some((field(item, "namespace"), field(item, "name")?))).collect()
    }

    fn count(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}
