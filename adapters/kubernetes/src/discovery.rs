//! The kinds that a server has, by its discovery: one document where it aggregates them, else a list for each group.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use futures::StreamExt as _;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::vocabulary::{self, Known};
use serde_json::Value;
use tokio::sync::Mutex;

use crate::answer::Failure;
use crate::request::Form;
use crate::{CONCURRENCY, Cluster};

/// How long the kinds are kept. A word that is none of them is asked for again after [`SURE_FOR`]: its definition may be new.
const KEPT_FOR: Duration = Duration::from_mins(5);
const SURE_FOR: Duration = Duration::from_secs(10);

/// How many groups are read where each has to be asked for.
const MOST_GROUPS: usize = 200;

/// How many kinds are kept.
const MOST_KINDS: usize = 4000;

/// What a word means in a cluster.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The kinds, in the server's order.
    pub kinds: Vec<Kind>,
    /// The kinds that the table does not have, for "did you mean"; only where none was found.
    pub others: Vec<Kind>,
    /// Why some kinds are not known, where that is so.
    pub unread: Option<String>,
}

/// The kinds of a server, and since when they are known.
#[derive(Debug, Default)]
pub(crate) struct Discovered(Mutex<Option<(Instant, Kinds)>>);

#[derive(Clone, Debug, Default)]
struct Kinds {
    known: Vec<Known>,
    unread: Vec<String>,
}

impl Cluster {
    /// The kinds that a word means: what the server's discovery says of it.
    pub async fn kinds_named(&self, word: &str) -> Named {
        let mut kept = self.discovered.0.lock().await;
        let has = |(at, kinds): &(Instant, Kinds)| {
            let for_long = if vocabulary::named(&kinds.known, word).is_empty() { SURE_FOR } else { KEPT_FOR };
            at.elapsed() < for_long
        };
        if !kept.as_ref().is_some_and(has) {
            *kept = Some((Instant::now(), self.discover().await));
        }
        let Some((_, kinds)) = kept.as_ref() else { return Named::default() };
        let named = vocabulary::named(&kinds.known, word);
        if !named.is_empty() {
            return Named { kinds: named, ..Named::default() };
        }
        let others = kinds.known.iter().map(|known| known.kind).filter(|kind| matches!(kind, Kind::Foreign(_)));
        let unread = (!kinds.unread.is_empty()).then(|| kinds.unread.join("; "));
        Named { kinds: named, others: others.collect(), unread }
    }

    async fn discover(&self) -> Kinds {
        let (core, named) = futures::future::join(self.document("/api"), self.document("/apis")).await;
        let mut kinds = Kinds::default();
        for (root, document) in [("/api", core), ("/apis", named)] {
            match document {
                Ok(document) if is_aggregated(&document) => aggregated(&document, &mut kinds),
                Ok(document) => self.each(&preferred(root, &document), &mut kinds).await,
                Err(failure) => kinds.unread.push(format!("{root}: {}", told(failure))),
            }
        }
        kinds.known.truncate(MOST_KINDS);
        kinds
    }

    async fn document(&self, path: &str) -> Result<Value, Failure> {
        self.get_json(path, &BTreeMap::new(), Form::Discovery).await
    }

    /// Reads the list of each group; one that fails does not spoil the others.
    async fn each(&self, groups: &[String], kinds: &mut Kinds) {
        let lists = groups.iter().take(MOST_GROUPS).map(|group| async move {
            let path = if group.contains('/') { format!("/apis/{group}") } else { format!("/api/{group}") };
            (group, self.get_json(&path, &BTreeMap::new(), Form::Whole).await)
        });
        let lists: Vec<_> = futures::stream::iter(lists).buffered(CONCURRENCY).collect().await;
        for (group, list) in lists {
            match list {
                Ok(list) => plain(group, &list, kinds),
                Err(failure) => kinds.unread.push(format!("{group}: {}", told(failure))),
            }
        }
    }
}

fn told(failure: Failure) -> String {
    match failure {
        Failure::Absent => "not found".to_owned(),
        Failure::Forbidden(why) | Failure::Busy(why) | Failure::Failed(why) => why,
    }
}

fn word<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn words(value: &Value, key: &str) -> Vec<String> {
    items(value, key).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_aggregated(document: &Value) -> bool {
    word(document, "kind") == "APIGroupDiscoveryList"
}

/// `Current` and `Stale` groups of an `APIGroupDiscoveryList`, each with its versions, the preferred one first.
///
/// Source: `staging/src/k8s.io/api/apidiscovery/v2/types.go`.
fn aggregated(document: &Value, kinds: &mut Kinds) {
    for group in items(document, "items") {
        let name = group.get("metadata").map_or("", |metadata| word(metadata, "name"));
        let mut seen: Vec<&str> = Vec::new();
        for version in items(group, "versions") {
            let number = word(version, "version");
            let api_version = if name.is_empty() { number.to_owned() } else { format!("{name}/{number}") };
            let mut resources = items(version, "resources").peekable();
            if word(version, "freshness") == "Stale" && resources.peek().is_none() {
                kinds.unread.push(format!("{api_version}: the server that has it does not answer"));
            }
            for resource in resources {
                let plural = word(resource, "resource");
                let namespaced = word(resource, "scope") == "Namespaced";
                let kind = resource.get("responseKind").map_or("", |kind| word(kind, "kind"));
                if seen.contains(&plural) || !words(resource, "verbs").iter().any(|verb| verb == "get") {
                    continue;
                }
                seen.push(plural);
                let (singular, short) = (word(resource, "singularResource"), words(resource, "shortNames"));
                kinds.known.extend(Known::new(&api_version, kind, plural, singular, &short, namespaced));
            }
        }
    }
}

/// The versions to read where nothing is aggregated: `v1` for the core group, the preferred one of each other.
fn preferred(root: &str, document: &Value) -> Vec<String> {
    if root == "/api" {
        return words(document, "versions");
    }
    let of_group = |group: &Value| {
        let preferred = group.get("preferredVersion").or_else(|| group.get("versions")?.get(0))?;
        Some(word(preferred, "groupVersion").to_owned())
    };
    items(document, "groups").filter_map(of_group).filter(|version| !version.is_empty()).collect()
}

/// The resources of an `APIResourceList`, without their subresources.
fn plain(api_version: &str, list: &Value, kinds: &mut Kinds) {
    for resource in items(list, "resources") {
        let plural = word(resource, "name");
        if plural.contains('/') || !words(resource, "verbs").iter().any(|verb| verb == "get") {
            continue;
        }
        let namespaced = resource.get("namespaced").and_then(Value::as_bool).unwrap_or_default();
        let (singular, short) = (word(resource, "singularName"), words(resource, "shortNames"));
        kinds.known.extend(Known::new(api_version, word(resource, "kind"), plural, singular, &short, namespaced));
    }
}
