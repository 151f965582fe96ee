//! Finds the object that a person means among names: exact names first, then prefixes; several are a choice, none brings
//! the nearest.

use std::fmt;

use kubewhy_diagnosis::finding::ObjectRef;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Report, Target};

use crate::commands::{Spec, is_keyword};
use crate::nearest::likeness;

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

/// The most candidates that a choice offers.
const MOST_CHOICES: usize = 10;

/// The most names that are offered for one that nothing has.
const MOST_NEAREST: usize = 3;

/// How alike a name must be to be offered for another.
const NEAR: f64 = 0.75;

/// The object that is asked about, as far as the words say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    /// The kind, if one was named.
    pub kind: Option<Kind>,
    /// The name.
    pub name: String,
    /// The namespace, if one was named.
    pub namespace: Option<String>,
    /// The cluster, if one was named.
    pub cluster: Option<String>,
}

impl Wanted {
    /// Reads the words of a command line: `KIND NAME`, `KIND/NAME` or `NAME`.
    ///
    /// # Errors
    /// Where a kind is named that is not known or not explained.
    pub fn from_arguments(words: &[String], namespace: Option<&str>) -> Result<Self, ResolveError> {
        let (kind, name) = match words {
            [kind, name] => (Some(kind.as_str()), name.as_str()),
            [word] => word.split_once('/').map_or((None, word.as_str()), |(kind, name)| (Some(kind), name)),
            _ => (None, ""),
        };
        let kind = kind.map(explained).transpose()?;
        Ok(Self { kind, name: name.to_owned(), namespace: namespace.map(str::to_owned), cluster: None })
    }

    /// The very object that a report is about.
    pub fn of_report(report: &Report) -> Self {
        let Target { cluster, kind, namespace, name, .. } = &report.target;
        Self {
            kind: Some(*kind),
            name: name.clone(),
            namespace: namespace.clone(),
            cluster: Some(cluster.clone()).filter(|cluster| !cluster.is_empty()),
        }
    }

    /// The object that a reference names, where it is one of a kind that is explained.
    pub fn of_reference(reference: &ObjectRef) -> Option<Self> {
        let kind = Kind::from_name(&reference.kind).filter(|kind| EXPLAINED.contains(kind))?;
        let ObjectRef { namespace, name, .. } = reference;
        Some(Self { kind: Some(kind), name: name.clone(), namespace: namespace.clone(), cluster: None })
    }

    /// The same without its cluster: for those who serve only one.
    #[must_use]
    pub fn in_any_cluster(mut self) -> Self {
        self.cluster = None;
        self
    }

    /// The kinds among whose names it is to be looked for, in order.
    pub fn kinds(&self) -> Vec<Kind> {
        self.kind.map_or_else(|| EXPLAINED.to_vec(), |kind| vec![kind])
    }

    /// The same after `why`, where a first word that is a command would be one.
    pub(crate) fn after_why(&self) -> String {
        // `explain` is the command's own word: the word after it is no command.
        if self.kind.is_none() && Spec::of_word(&self.name).is_some() {
            format!("explain {self}")
        } else {
            self.to_string()
        }
    }

    /// It in words: `Pod "cart" in namespace shop`.
    pub fn describe(&self) -> String {
        let kind = self.kind.map_or("", Kind::name);
        let place = self.namespace.as_ref().map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
        let cluster = self.cluster.as_ref().map(|cluster| format!(" on {cluster}")).unwrap_or_default();
        format!("{kind} \"{}\"{place}{cluster}", self.name).trim_start().to_owned()
    }
}

/// As a person types it: `pod cart -n shop on prod`.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, namespace, cluster } = self;
        match (kind, namespace) {
            (Some(kind), Some(namespace)) => write!(f, "{} {name} -n {namespace}", kind.kubectl_name())?,
            (Some(kind), None) => write!(f, "{} {name}", kind.kubectl_name())?,
            // A bare name that is a word of the grammar (a Deployment called `pod`, `in` or `previous`) is none behind a slash.
            (None, Some(namespace)) if is_word_of_grammar(name) && Kind::from_word(namespace).is_none() => {
                write!(f, "{namespace}/{name}")?;
            }
            (None, Some(namespace)) => write!(f, "{name} -n {namespace}")?,
            (None, None) => f.write_str(name)?,
        }
        cluster.as_ref().map_or(Ok(()), |cluster| write!(f, " on {cluster}"))
    }
}

fn is_word_of_grammar(name: &str) -> bool {
    Kind::from_word(name).is_some() || is_keyword(name)
}

/// An object that there is, and that may be the one that is meant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace; `None` for cluster-wide kinds.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Its cluster, where names of several clusters are looked through.
    pub cluster: Option<String>,
}

impl Candidate {
    /// It as what somebody asks about.
    pub fn to_wanted(&self) -> Wanted {
        let Self { kind, namespace, name, cluster } = self.clone();
        Wanted { kind: Some(kind), name, namespace, cluster }
    }

    /// It as the target of a question.
    pub fn to_target(&self, cluster: &str, context: Option<&str>) -> Target {
        Target {
            cluster: self.cluster.as_deref().unwrap_or(cluster).to_owned(),
            context: context.map(str::to_owned),
            kind: self.kind,
            namespace: self.namespace.clone(),
            name: self.name.clone(),
        }
    }
}

/// `deployment/cart -n shop`.
impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.kubectl_name(), self.name)?;
        if let Some(namespace) = &self.namespace {
            write!(f, " -n {namespace}")?;
        }
        if let Some(cluster) = &self.cluster {
            write!(f, " on {cluster}")?;
        }
        Ok(())
    }
}

/// Why no object was found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
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
        kind: Kind,
    },
    /// Nothing has that name.
    #[error("{} was not found{}", wanted.describe(), did_you_mean(next))]
    NotFound {
        /// What was looked for.
        wanted: Wanted,
        /// The nearest names.
        next: Vec<Candidate>,
    },
    /// Several objects are meant.
    #[error("{} is ambiguous: {}", wanted.describe(), joined(next))]
    Ambiguous {
        /// What was looked for.
        wanted: Wanted,
        /// The candidates, at most ten.
        next: Vec<Candidate>,
        /// How many more there are.
        more: usize,
    },
}

impl ResolveError {
    /// Its stable code: `not-found`, `ambiguous` and so on.
    pub fn code(&self) -> &'static str {
        self.into()
    }

    /// Tells whether the words themselves are wrong.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::UnknownKind { .. } | Self::UnexplainedKind { .. })
    }

    /// What a person may have meant.
    pub fn next(&self) -> &[Candidate] {
        match self {
            Self::NotFound { next, .. } | Self::Ambiguous { next, .. } => next,
            Self::UnknownKind { .. } | Self::UnexplainedKind { .. } => &[],
        }
    }

    /// The same as words: `deployment/cart -n shop`.
    pub fn next_words(&self) -> Vec<String> {
        self.next().iter().map(ToString::to_string).collect()
    }
}

/// The kind that a word names, if it is one that is explained.
///
/// # Errors
/// Where it is not known, or not explained.
pub fn explained(word: &str) -> Result<Kind, ResolveError> {
    let kind = Kind::from_word(word).ok_or_else(|| ResolveError::UnknownKind { word: word.to_owned() })?;
    if EXPLAINED.contains(&kind) { Ok(kind) } else { Err(ResolveError::UnexplainedKind { kind }) }
}

/// The names of the kinds that are explained.
pub fn kinds() -> String {
    EXPLAINED.map(Kind::kubectl_name).join(", ")
}

fn did_you_mean(next: &[Candidate]) -> String {
    if next.is_empty() { String::new() } else { format!("; did you mean {}?", joined(next)) }
}

fn joined(next: &[Candidate]) -> String {
    next.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// Finds the candidate that is meant. The candidates stand in the order of their kinds ([`Wanted::kinds`]): a bare name means
/// the workload before its `ReplicaSet`s and pods, which are called after it.
///
/// # Errors
/// Where nothing has that name, or several have it.
pub fn resolve<'c>(wanted: &Wanted, candidates: &'c [Candidate]) -> Result<&'c Candidate, ResolveError> {
    let in_scope = |candidate: &&Candidate| {
        let cluster = wanted.cluster.is_none() || candidate.cluster.is_none() || candidate.cluster == wanted.cluster;
        let namespace =
            wanted.namespace.is_none() || candidate.namespace.is_none() || candidate.namespace == wanted.namespace;
        cluster && namespace && wanted.kind.is_none_or(|kind| kind == candidate.kind)
    };
    let all: Vec<&Candidate> = candidates.iter().filter(in_scope).collect();
    let fits: [fn(&str, &str) -> bool; 3] = [
        |name, wanted| name == wanted,
        str::eq_ignore_ascii_case,
        |name, wanted| name.starts_with(&wanted.to_lowercase()),
    ];
    for fits in fits.into_iter().filter(|_| !wanted.name.is_empty()) {
        let hits: Vec<&Candidate> =
            all.iter().copied().filter(|candidate| fits(&candidate.name, &wanted.name)).collect();
        let first = hits.first().map(|hit| hit.kind);
        let top: Vec<&Candidate> = hits.into_iter().filter(|hit| Some(hit.kind) == first).collect();
        match top.as_slice() {
            [] => {}
            [only] => return Ok(only),
            several => {
                let next = several.iter().take(MOST_CHOICES).map(|candidate| (*candidate).clone()).collect();
                let more = several.len().saturating_sub(MOST_CHOICES);
                return Err(ResolveError::Ambiguous { wanted: wanted.clone(), next, more });
            }
        }
    }
    Err(ResolveError::NotFound { wanted: wanted.clone(), next: nearest_candidates(wanted, &all) })
}

fn nearest_candidates(wanted: &Wanted, all: &[&Candidate]) -> Vec<Candidate> {
    let mut scored: Vec<(f64, String, &Candidate)> = all
        .iter()
        .map(|candidate| (likeness(&wanted.name, &candidate.name), candidate.to_string(), *candidate))
        .filter(|(score, ..)| *score > NEAR)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.into_iter().take(MOST_NEAREST).map(|(_, _, candidate)| candidate.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(list: &[(Kind, &str, &str)]) -> Vec<Candidate> {
        list.iter()
            .map(|(kind, namespace, name)| Candidate {
                kind: *kind,
                namespace: Some((*namespace).to_owned()).filter(|namespace| !namespace.is_empty()),
                name: (*name).to_owned(),
                cluster: None,
            })
            .collect()
    }

    fn wanted(kind: Option<Kind>, name: &str, namespace: Option<&str>) -> Wanted {
        Wanted { kind, name: name.to_owned(), namespace: namespace.map(str::to_owned), cluster: None }
    }

    fn shop() -> Vec<Candidate> {
        candidates(&[
            (Kind::Deployment, "shop", "cart"),
            (Kind::Deployment, "shop", "mailer"),
            (Kind::Deployment, "test", "mailer"),
            (Kind::Pod, "shop", "cart-7c9-a"),
            (Kind::Pod, "shop", "cart-7c9-b"),
            (Kind::Pod, "shop", "lonely-0"),
        ])
    }

    #[test]
    fn a_target_may_be_written_in_three_ways() {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        for form in [&["deploy", "cart"][..], &["deploy/cart"]] {
            let wanted = Wanted::from_arguments(&words(form), Some("shop")).expect("a target");
            assert_eq!((wanted.kind, wanted.name.as_str()), (Some(Kind::Deployment), "cart"));
        }
        assert_eq!(Wanted::from_arguments(&words(&["cart"]), None).expect("a target").kind, None);
    }

    #[test]
    fn a_word_that_is_no_kind_is_told_with_the_kinds() {
        let error = Wanted::from_arguments(&["gizmo".to_owned(), "x".to_owned()], None).expect_err("no kind");
        assert!(error.is_usage() && error.to_string().contains("deployment"), "{error}");
        assert_eq!(error.code(), "unknown-kind");
    }

    #[test]
    fn an_exact_name_wins_over_a_prefix_and_the_workload_over_its_pods() {
        let all = shop();
        let found = resolve(&wanted(None, "cart", None), &all).expect("one");
        assert_eq!(found.to_string(), "deployment/cart -n shop");
        assert_eq!(resolve(&wanted(None, "LONELY", None), &all).expect("one").name, "lonely-0");
        assert_eq!(resolve(&wanted(None, "Cart", None), &all).expect("one").name, "cart");
    }

    #[test]
    fn several_are_a_choice_and_a_namespace_decides() {
        let all = shop();
        let error = resolve(&wanted(None, "mailer", None), &all).expect_err("two");
        assert_eq!(error.next_words(), ["deployment/mailer -n shop", "deployment/mailer -n test"]);
        assert_eq!(error.to_string(), "\"mailer\" is ambiguous: deployment/mailer -n shop, deployment/mailer -n test");
        assert!(resolve(&wanted(None, "mailer", Some("test")), &all).is_ok());
        let error = resolve(&wanted(Some(Kind::Pod), "cart", None), &all).expect_err("two pods");
        assert_eq!(error.next().len(), 2);
    }

    #[test]
    fn a_long_choice_says_how_many_more_there_are() {
        let names: Vec<String> = (0..25).map(|number| format!("cart-{number}")).collect();
        let all: Vec<_> = names.iter().map(|name| (Kind::Pod, "shop", name.as_str())).collect();
        let error = resolve(&wanted(None, "cart", None), &candidates(&all)).expect_err("many");
        assert!(matches!(error, ResolveError::Ambiguous { ref next, more: 15, .. } if next.len() == 10), "{error:?}");
    }

    #[test]
    fn a_slip_brings_the_nearest_names() {
        let error = resolve(&wanted(None, "maler", Some("shop")), &shop()).expect_err("none");
        assert_eq!(error.next_words(), ["deployment/mailer -n shop"]);
        assert!(resolve(&wanted(None, "", None), &shop()).is_err(), "no name is every name's prefix");
    }
}
