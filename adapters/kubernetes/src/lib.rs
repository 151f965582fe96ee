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
mod discovery;
mod health;
mod request;

pub use bounds::{Bounds, Logs, Secrets};
pub use connect::{ConnectError, Connection, Place};
pub use discovery::Named;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::StreamExt as _;
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use kube::Client;
use kubewhy_diagnosis::ask::{Answer, Ask, Filter};
use kubewhy_diagnosis::kind::Kind;

use crate::discovery::Discovered;

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
    pace: Option<Arc<DefaultDirectRateLimiter>>,
    discovered: Arc<Discovered>,
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
        Self {
            client,
            name: name.into(),
            bounds: Bounds::default(),
            requests: AtomicUsize::new(0),
            pace: None,
            discovered: Arc::default(),
        }
    }

    /// The same, asking for nothing beyond these bounds.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// The same with at most so many requests a second, all questions together; what is more waits for its turn. A second's
    /// worth may be sent at once.
    #[must_use]
    pub(crate) fn paced(mut self, per_second: NonZeroU32) -> Self {
        self.pace = Some(Arc::new(RateLimiter::direct(Quota::per_second(per_second))));
        self
    }

    /// The same for one question, whose requests are counted by themselves, while others ask too.
    #[must_use]
    pub fn for_one_question(&self) -> Self {
        Self {
            client: self.client.clone(),
            name: self.name.clone(),
            bounds: self.bounds.clone(),
            requests: AtomicUsize::new(0),
            pace: self.pace.clone(),
            discovered: Arc::clone(&self.discovered),
        }
    }

    /// Counts the requests of a question among those of all.
    pub fn add_requests(&self, question: &Self) {
        self.requests.fetch_add(question.requests(), Ordering::Relaxed);
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

    /// The objects of a kind as `(namespace, name)`, from their metadata alone; empty where they cannot be listed. Where there
    /// are more than a bounded number of pages, those of the first pages.
    pub async fn names(&self, kind: Kind, namespace: Option<&str>) -> Vec<(Option<String>, String)> {
        self.names_where(kind, namespace, None).await
    }

    /// The objects of several kinds that have exactly that name, each with its kind: a small answer to a request per kind,
    /// all at once.
    pub async fn named(
        &self,
        kinds: &[Kind],
        namespace: Option<&str>,
        name: &str,
    ) -> Vec<(Kind, Option<String>, String)> {
        let selector = format!("metadata.name={name}");
        let found = futures::stream::iter(kinds.iter().map(|kind| {
            let selector = selector.clone();
            async move { (*kind, self.names_where(*kind, namespace, Some(selector)).await) }
        }));
        let found: Vec<_> = found.buffered(CONCURRENCY).collect().await;
        let of_kind = |(kind, names): (Kind, Vec<(Option<String>, String)>)| {
            names.into_iter().map(move |(namespace, name)| (kind, namespace, name))
        };
        found.into_iter().flat_map(of_kind).collect()
    }

    async fn names_where(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        selector: Option<String>,
    ) -> Vec<(Option<String>, String)> {
        let ask = Ask::List { kind, namespace: namespace.map(str::to_owned), filter: Filter::All };
        if self.bounds.refusal(&ask).is_some() {
            return Vec::new();
        }
        let Some(namespaces) = self.bounds.instead_of_all(kind, namespace) else {
            let mut names = self.names_in(kind, namespace, selector).await;
            names.retain(|(_, name)| kind != Kind::Namespace || self.bounds.holds(name));
            return names;
        };
        let each = namespaces.iter().map(|namespace| self.names_in(kind, Some(namespace), selector.clone()));
        futures::stream::iter(each).buffered(CONCURRENCY).concat().await
    }

    async fn names_in(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        selector: Option<String>,
    ) -> Vec<(Option<String>, String)> {
        let path = request::collection(kind, namespace);
        let mut names = Vec::new();
        let mut from = None;
        for _ in 0..request::MAX_PAGES {
            let mut query = BTreeMap::from([("limit", request::PAGE.to_owned())]);
            query.extend(selector.clone().map(|selector| ("fieldSelector", selector)));
            query.extend(from.take().map(|from| ("continue", from)));
            let Ok(list) = self.get_json(&path, &query, request::Form::MetadataList).await else { break };
            let items = list.get("items").and_then(|items| items.as_array());
            names.extend(
                items
                    .into_iter()
                    .flatten()
                    .filter_map(|item| Some((metadata(item, "namespace"), metadata(item, "name")?))),
            );
            from = metadata(&list, "continue").filter(|from| !from.is_empty());
            if from.is_none() {
                break;
            }
        }
        names
    }

    /// Waits until the next request may be sent, and counts it.
    async fn turn(&self) {
        if let Some(pace) = &self.pace {
            pace.until_ready().await;
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
    }
}

/// A string of an object's metadata.
fn metadata(object: &serde_json::Value, key: &str) -> Option<String> {
    object.get("metadata")?.get(key)?.as_str().map(str::to_owned)
}
