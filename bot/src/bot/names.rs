//! What a half-typed word could become: kinds, clusters, and names that were read a moment ago.

use std::sync::Arc;
use std::time::Duration;

use kubewhy_chat::{Part, Typed};
use kubewhy_core::access::{Grant, Namespaces};
use kubewhy_core::resolve::kind_of;
use kubewhy_diagnosis::kind::Kind;
use moka::future::Cache;

use crate::desk::Desk;
use crate::source::Source;

/// The most suggestions that a platform shows.
const MOST: usize = 25;

/// How long names are kept: typing a word asks for them once.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// How long a suggestion may take; afterwards there is none.
const WITHIN: Duration = Duration::from_millis(1_500);

/// The names of a kind in a cluster as `(namespace, name)`.
type Listed = Arc<Vec<(Option<String>, String)>>;

/// Names by cluster, kind and namespace.
pub(crate) struct Names {
    desk: Arc<Desk>,
    kept: Cache<(String, Kind, Option<String>), Listed>,
}

impl Names {
    pub(crate) fn new(desk: Arc<Desk>) -> Self {
        Self { desk, kept: Cache::builder().max_capacity(500).time_to_live(KEPT_FOR).build() }
    }

    pub(crate) async fn suggest(&self, typed: Typed, grant: Grant) -> Vec<String> {
        let words = typed.words.trim().to_lowercase();
        match typed.part {
            Part::Kind => ranked(&words, Kind::ALL.iter().map(|kind| kind.kubectl_name())),
            Part::Cluster => ranked(&words, grant.clusters.into_iter().map(|cluster| cluster.name)),
            Part::Namespace => {
                let names = self.names(&typed, &grant, Kind::Namespace).await;
                ranked(&words, names.into_iter().map(|(_, name)| name))
            }
            Part::Name => {
                let kind = typed.kind.as_deref().and_then(kind_of);
                let kinds =
                    kind.map_or_else(|| vec![Kind::Deployment, Kind::StatefulSet, Kind::Pod], |kind| vec![kind]);
                let mut names = Vec::new();
                for kind in kinds {
                    names.extend(self.names(&typed, &grant, kind).await.into_iter().map(|(_, name)| name));
                }
                ranked(&words, names)
            }
        }
    }

    async fn names(&self, typed: &Typed, grant: &Grant, kind: Kind) -> Vec<(Option<String>, String)> {
        tokio::time::timeout(WITHIN, self.read(typed, grant, kind)).await.unwrap_or_default()
    }

    async fn read(&self, typed: &Typed, grant: &Grant, kind: Kind) -> Vec<(Option<String>, String)> {
        let mut all = Vec::new();
        let of_cluster = |cluster: &str| typed.cluster.as_deref().is_none_or(|named| named == cluster);
        for scope in grant.clusters.iter().filter(|scope| of_cluster(&scope.name)) {
            let namespaces: Vec<Option<String>> = match (&typed.namespace, &scope.namespaces) {
                (_, Namespaces::Only(these)) if kind == Kind::Namespace => {
                    all.extend(these.iter().map(|namespace| (None, namespace.clone())));
                    continue;
                }
                (Some(namespace), _) if kind.is_namespaced() => Some(namespace)
                    .filter(|namespace| scope.namespaces.has(namespace))
                    .cloned()
                    .map(Some)
                    .into_iter()
                    .collect(),
                (_, Namespaces::All) => vec![None],
                // What lives in no namespace is for those alone who may ask about all of them.
                (_, Namespaces::Only(_)) if !kind.is_namespaced() => continue,
                (_, Namespaces::Only(these)) => these.iter().cloned().map(Some).collect(),
            };
            for namespace in namespaces {
                all.extend(self.listed(&scope.name, kind, namespace).await.iter().cloned());
            }
        }
        all
    }

    async fn listed(&self, cluster: &str, kind: Kind, namespace: Option<String>) -> Listed {
        let (desk, cluster) = (Arc::clone(&self.desk), cluster.to_owned());
        let key = (cluster.clone(), kind, namespace.clone());
        let read = async move {
            let read = tokio::task::spawn_blocking(move || {
                let source = desk.sources().find(|source| source.name() == cluster);
                source.map(|source: &Source| source.names(kind, namespace.as_deref())).unwrap_or_default()
            });
            Arc::new(read.await.unwrap_or_default())
        };
        self.kept.get_with(key, read).await
    }
}

/// Those that begin with the words, then those that hold them.
fn ranked(words: &str, names: impl IntoIterator<Item = String>) -> Vec<String> {
    let mut names: Vec<(bool, String)> = names
        .into_iter()
        .filter(|name| name.to_lowercase().contains(words))
        .map(|name| (!name.to_lowercase().starts_with(words), name))
        .collect();
    names.sort();
    names.dedup();
    names.into_iter().map(|(_, name)| name).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_come_before_what_holds_the_words_and_there_are_few() {
        let names = ["cart", "my-cart", "cart-db", "shop", "cart"].map(str::to_owned);
        assert_eq!(ranked("cart", names), ["cart", "cart-db", "my-cart"]);
        assert_eq!(ranked("", (0..99).map(|number| format!("pod-{number:02}"))).len(), MOST);
    }
}
