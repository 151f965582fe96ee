//! Finds the object that a person means: exact names first, then prefixes; several are a choice, none brings the nearest.

use kubewhy_diagnosis::Target;
use kubewhy_diagnosis::kind::Kind;
use serde::Serialize;

use crate::source::Source;

/// The kinds that are explained, in the order in which a bare name is looked up.
pub const EXPLAINED: [Kind; 9] = [
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::DaemonSet,
    Kind::CronJob,
    Kind::Job,
    Kind::Pod,
    Kind::ReplicaSet,
    Kind::PersistentVolumeClaim,
    Kind::Namespace,
];

/// What is asked about, as far as the words say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The kind, if one was named.
    pub kind: Option<Kind>,
    /// The name.
    pub name: String,
    /// The namespace, if one was named.
    pub namespace: Option<String>,
    /// The kubeconfig context, if one was named.
    pub context: Option<String>,
}

/// Why no target was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize)]
#[serde(tag = "code", rename_all = "kebab-case")]
pub enum ResolveError {
    /// The word is no kind that kubewhy knows.
    #[error("\"{word}\" is no kind that is known; kinds: {}", kinds())]
    UnknownKind {
        /// The word.
        word: String,
    },
    /// The kind is known and not explained.
    #[error("{kind} is a kind that is not explained yet; explained are: {}", kinds())]
    UnexplainedKind {
        /// The kind.
        kind: String,
    },
    /// Nothing has that name.
    #[error("{what} was not found{}", nearest(next))]
    NotFound {
        /// What was looked for.
        what: String,
        /// The nearest names.
        next: Vec<String>,
    },
    /// Several objects are meant.
    #[error("{what} is ambiguous: {}", next.join(", "))]
    Ambiguous {
        /// What was looked for.
        what: String,
        /// The candidates.
        next: Vec<String>,
    },
}

fn kinds() -> String {
    EXPLAINED.map(Kind::kubectl_name).join(", ")
}

fn nearest(next: &[String]) -> String {
    if next.is_empty() { String::new() } else { format!("; did you mean {}?", next.join(", ")) }
}

impl ResolveError {
    /// Tells whether the words themselves are wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::UnknownKind { .. } | Self::UnexplainedKind { .. })
    }

    /// What a person may have meant.
    pub fn next(&self) -> &[String] {
        match self {
            Self::NotFound { next, .. } | Self::Ambiguous { next, .. } => next,
            Self::UnknownKind { .. } | Self::UnexplainedKind { .. } => &[],
        }
    }
}

impl Wanted {
    /// Reads `KIND NAME`, `KIND/NAME` or `NAME`.
    ///
    /// # Errors
    /// Where a kind is named that is not known or not explained.
    pub fn parse(words: &[String], namespace: Option<&str>, context: Option<&str>) -> Result<Self, ResolveError> {
        let (kind, name) = match words {
            [kind, name] => (Some(kind.as_str()), name.as_str()),
            [word] => word.split_once('/').map_or((None, word.as_str()), |(kind, name)| (Some(kind), name)),
            _ => (None, ""),
        };
        let kind = match kind {
            None => None,
            Some(word) => {
                Some(Kind::from_word(word).ok_or_else(|| ResolveError::UnknownKind { word: word.to_owned() })?)
            }
        };
        if let Some(kind) = kind.filter(|kind| !EXPLAINED.contains(kind)) {
            return Err(ResolveError::UnexplainedKind { kind: kind.to_string() });
        }
        let own = |text: &str| text.to_owned();
        Ok(Self { kind, name: name.to_owned(), namespace: namespace.map(own), context: context.map(own) })
    }

    /// Finds the object that is meant.
    ///
    /// # Errors
    /// Where nothing has that name, or several have it.
    pub fn find(&self, source: &Source) -> Result<Target, ResolveError> {
        let namespace = self.namespace.as_deref().or_else(|| source.default_namespace());
        if let (Some(kind), Source::Cluster { .. }) = (self.kind, source) {
            // The cluster itself says whether it exists; no list is spent on a name that is right.
            let namespace = namespace.filter(|_| kind.is_namespaced()).map(str::to_owned);
            return Ok(self.target(source, kind, namespace, self.name.clone()));
        }
        self.search(source, namespace)
    }

    /// Looks among all names for the one that is meant.
    ///
    /// # Errors
    /// Where nothing has that name, or several have it.
    pub fn search(&self, source: &Source, namespace: Option<&str>) -> Result<Target, ResolveError> {
        let kinds: Vec<Kind> = self.kind.map_or_else(|| EXPLAINED.to_vec(), |kind| vec![kind]);
        let mut all = Vec::new();
        for kind in kinds {
            all.extend(source.names(kind, namespace).into_iter().map(|(ns, name)| (kind, ns, name)));
        }
        for fits in [|name: &str, wanted: &str| name == wanted, |name: &str, wanted: &str| name.starts_with(wanted)] {
            let hits: Vec<_> = all.iter().filter(|(_, _, name)| fits(name, &self.name)).collect();
            // A bare name means the workload before its ReplicaSets and pods, which are called after it.
            let first = hits.first().map(|hit| hit.0);
            let top: Vec<_> = hits.into_iter().filter(|hit| Some(hit.0) == first).collect();
            match top.as_slice() {
                [] => {}
                [(kind, namespace, name)] => return Ok(self.target(source, *kind, namespace.clone(), name.clone())),
                several => {
                    let next =
                        several.iter().take(10).map(|(kind, ns, name)| shown(*kind, ns.as_deref(), name)).collect();
                    return Err(ResolveError::Ambiguous { what: self.shown(namespace), next });
                }
            }
        }
        Err(ResolveError::NotFound { what: self.shown(namespace), next: self.nearest(&all) })
    }

    fn target(&self, source: &Source, kind: Kind, namespace: Option<String>, name: String) -> Target {
        Target { cluster: source.name().to_owned(), context: self.context.clone(), kind, namespace, name }
    }

    fn shown(&self, namespace: Option<&str>) -> String {
        let kind = self.kind.map_or("", Kind::name);
        let place = namespace.map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
        format!("{kind} \"{}\"{place}", self.name).trim_start().to_owned()
    }

    fn nearest(&self, all: &[(Kind, Option<String>, String)]) -> Vec<String> {
        let mut scored: Vec<(f64, String)> = all
            .iter()
            .map(|(kind, ns, name)| (strsim::jaro_winkler(&self.name, name), shown(*kind, ns.as_deref(), name)))
            .filter(|(score, _)| *score > 0.75)
            .collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        scored.into_iter().take(3).map(|(_, shown)| shown).collect()
    }
}

fn shown(kind: Kind, namespace: Option<&str>, name: &str) -> String {
    let place = namespace.map(|namespace| format!(" -n {namespace}")).unwrap_or_default();
    format!("{}/{name}{place}", kind.kubectl_name())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_target_may_be_written_in_three_ways() {
        for form in [&["deploy", "cart"][..], &["deploy/cart"]] {
            let wanted = Wanted::parse(&words(form), Some("shop"), None).expect("a target");
            assert_eq!((wanted.kind, wanted.name.as_str()), (Some(Kind::Deployment), "cart"));
        }
        assert_eq!(Wanted::parse(&words(&["cart"]), None, None).expect("a target").kind, None);
    }

    #[test]
    fn a_word_that_is_no_kind_is_told_with_the_kinds() {
        let error = Wanted::parse(&words(&["gizmo", "x"]), None, None).expect_err("no kind");
        assert!(error.is_usage() && error.to_string().contains("deployment"), "{error}");
    }
}
