//! Finds the object that a person means among names: exact names first, then prefixes; several are a choice, none brings
//! the nearest.

use std::fmt;

use kubewhy_diagnosis::finding::ObjectRef;
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Report, Target};

use crate::commands::{Spec, is_keyword};
use crate::nearest::likeness;

/// The kinds among which a bare name is looked up, in stages: what is asked about most costs one round of requests.
pub const STAGES: [&[Kind]; 3] = [
    &[Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet, Kind::Pod],
    &[Kind::CronJob, Kind::Job, Kind::ReplicaSet, Kind::PersistentVolumeClaim, Kind::Namespace],
    &[
        Kind::Service,
        Kind::Node,
        Kind::Ingress,
        Kind::HorizontalPodAutoscaler,
        Kind::PodDisruptionBudget,
        Kind::PersistentVolume,
    ],
];

/// The kinds among which a bare name is looked up, in order.
pub fn usual() -> impl Iterator<Item = Kind> {
    STAGES.iter().flat_map(|stage| stage.iter().copied())
}

/// Where a kind stands among the usual ones.
pub fn place(kind: Kind) -> Option<usize> {
    usual().position(|usual| usual == kind)
}

/// The most candidates that a choice offers.
const MOST_CHOICES: usize = 10;

/// The most names that are offered for one that nothing has.
const MOST_NEAREST: usize = 3;

/// How alike a name must be to be offered for another.
const NEAR: f64 = 0.75;

/// How alike a word must be to a kind's for that kind to be offered.
const NEAR_KIND: f64 = 0.8;

/// The most kinds that are offered for one that is not known.
const MOST_NEAREST_KINDS: usize = 2;

/// The longest word for a kind, in bytes: resource, version and group.
const LONGEST_KIND: usize = 400;

/// The word for the cluster itself.
const CLUSTER: &str = "cluster";

/// The object that is asked about, as far as the words say.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wanted {
    /// The kind, if one was named.
    pub kind: Option<Kind>,
    /// The word for a kind that only the cluster may know: a custom resource's. There is no `kind` then.
    pub word: Option<String>,
    /// The name.
    pub name: String,
    /// The namespace, if one was named.
    pub namespace: Option<String>,
    /// The cluster, if one was named.
    pub cluster: Option<String>,
}

impl Wanted {
    /// Reads the words of a command line: `KIND NAME`, `KIND/NAME` or `NAME`, and `cluster`.
    ///
    /// # Errors
    /// Where a kind is named by what can be none.
    pub fn from_arguments(words: &[String], namespace: Option<&str>) -> Result<Self, ResolveError> {
        let (kind, name) = match words {
            [kind, name] => (Some(kind.as_str()), name.as_str()),
            [word] if word.eq_ignore_ascii_case(CLUSTER) => (Some(CLUSTER), ""),
            [word] => word.split_once('/').map_or((None, word.as_str()), |(kind, name)| (Some(kind), name)),
            _ => (None, ""),
        };
        let wanted = Self { name: name.to_owned(), namespace: namespace.map(str::to_owned), ..Self::default() };
        kind.map_or(Ok(wanted.clone()), |kind| wanted.of_kind(kind))
    }

    /// The same of the kind that a word names, whether the table has it or only a cluster can tell.
    ///
    /// # Errors
    /// Where the word can be no kind's.
    pub fn of_kind(self, word: &str) -> Result<Self, ResolveError> {
        match kind_of(word) {
            Some(kind) => Ok(Self { kind: Some(kind), word: None, ..self }),
            None if may_be_kind(word) => Ok(Self { kind: None, word: Some(word.to_owned()), ..self }),
            None => Err(ResolveError::unknown(word)),
        }
    }

    /// The same of a kind that the cluster was asked for.
    #[must_use]
    pub fn known_as(&self, kind: Kind) -> Self {
        Self { kind: Some(kind), word: None, ..self.clone() }
    }

    /// Tells whether no kind was named, whatever it may be.
    pub fn is_bare(&self) -> bool {
        self.kind.is_none() && self.word.is_none()
    }

    /// The very object that a report is about.
    pub fn of_report(report: &Report) -> Self {
        let Target { cluster, kind, namespace, name, .. } = &report.target;
        Self {
            kind: Some(*kind),
            word: None,
            name: name.clone(),
            namespace: namespace.clone(),
            cluster: Some(cluster.clone()).filter(|cluster| !cluster.is_empty()),
        }
    }

    /// The object that a reference names, where it is of a usual kind.
    pub fn of_reference(reference: &ObjectRef) -> Option<Self> {
        let kind = Kind::from_name(&reference.kind).filter(|kind| place(*kind).is_some())?;
        let ObjectRef { namespace, name, .. } = reference;
        Some(Self { kind: Some(kind), name: name.clone(), namespace: namespace.clone(), ..Self::default() })
    }

    /// The same without its cluster: for those who serve only one.
    #[must_use]
    pub fn in_any_cluster(mut self) -> Self {
        self.cluster = None;
        self
    }

    /// The kinds among whose names it is to be looked for, in order.
    pub fn kinds(&self) -> Vec<Kind> {
        self.kind.map_or_else(|| usual().collect(), |kind| vec![kind])
    }

    /// The same in stages, of which the next is looked at where the one before has no such name.
    pub fn stages(&self) -> Vec<Vec<Kind>> {
        match self.kind {
            Some(kind) => vec![vec![kind]],
            None => STAGES.iter().map(|stage| stage.to_vec()).collect(),
        }
    }

    /// The same after `why`, where a first word that is a command would be one.
    pub(crate) fn after_why(&self) -> String {
        // `explain` is the command's own word: the word after it is no command.
        let first = self.word.as_deref().or_else(|| self.is_bare().then_some(self.name.as_str()));
        if first.is_some_and(|first| Spec::of_word(first).is_some()) {
            format!("explain {self}")
        } else {
            self.to_string()
        }
    }

    /// It in words: `Pod "cart" in namespace shop`.
    pub fn describe(&self) -> String {
        let kind = self.kind.map(Kind::name).or(self.word.as_deref()).unwrap_or_default();
        let place = self.namespace.as_ref().map(|namespace| format!(" in namespace {namespace}")).unwrap_or_default();
        let cluster = self.cluster.as_ref().map(|cluster| format!(" on {cluster}")).unwrap_or_default();
        format!("{kind} \"{}\"{place}{cluster}", self.name).trim_start().to_owned()
    }
}

/// As a person types it: `pod cart -n shop on prod`.
impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, word, name, namespace, cluster } = self;
        match (kind.map(Kind::kubectl_name).or_else(|| word.clone()), namespace) {
            (Some(kind), _) if name.is_empty() => f.write_str(&kind)?,
            // Behind `cluster`, a word of the grammar is no name.
            (Some(kind), _) if kind == CLUSTER && is_word_of_grammar(name) => write!(f, "{kind}/{name}")?,
            (Some(kind), Some(namespace)) => write!(f, "{kind} {name} -n {namespace}")?,
            (Some(kind), None) => write!(f, "{kind} {name}")?,
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
        Wanted { kind: Some(kind), word: None, name, namespace, cluster }
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
    /// The word is no kind, neither of the table nor of the cluster.
    #[error(
        "\"{word}\" is no kind that is known{}{}; kinds: {}",
        meant(nearest),
        unread.as_ref().map(|why| format!("; the cluster's own kinds could not be read: {why}")).unwrap_or_default(),
        kinds()
    )]
    UnknownKind {
        /// The word.
        word: String,
        /// The nearest kinds, as kubectl names them.
        nearest: Vec<String>,
        /// Why the cluster could not tell its own kinds, where it could not.
        unread: Option<String>,
    },
    /// Nothing has that name.
    #[error("{} was not found{}", wanted.describe(), did_you_mean(next))]
    NotFound {
        /// What was looked for.
        wanted: Box<Wanted>,
        /// The nearest names.
        next: Vec<Candidate>,
    },
    /// Several objects are meant.
    #[error("{} is ambiguous: {}", wanted.describe(), joined(next))]
    Ambiguous {
        /// What was looked for.
        wanted: Box<Wanted>,
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
        matches!(self, Self::UnknownKind { unread: None, .. })
    }

    /// What a person may have meant.
    pub fn next(&self) -> &[Candidate] {
        match self {
            Self::NotFound { next, .. } | Self::Ambiguous { next, .. } => next,
            Self::UnknownKind { .. } => &[],
        }
    }

    /// The same as words: `deployment/cart -n shop`; the nearest kinds where it is the kind that is wrong.
    pub fn next_words(&self) -> Vec<String> {
        match self {
            Self::UnknownKind { nearest, .. } => nearest.clone(),
            Self::NotFound { .. } | Self::Ambiguous { .. } => self.next().iter().map(ToString::to_string).collect(),
        }
    }

    /// Says that a word is no kind of the table, with those that are near it.
    pub fn unknown(word: &str) -> Self {
        Self::UnknownKind { word: word.to_owned(), nearest: nearest_kinds(word, &[]), unread: None }
    }

    /// Says that a word is no kind of the cluster either, with what the cluster knows.
    pub fn unknown_to_cluster(word: &str, others: &[Kind], unread: Option<String>) -> Self {
        Self::UnknownKind { word: word.to_owned(), nearest: nearest_kinds(word, others), unread }
    }
}

/// The kind of the table that a word names, as kubectl takes it: also with the group, or version and group, behind it
/// (`deployments.v1.apps`).
pub fn kind_of(word: &str) -> Option<Kind> {
    Kind::from_word(word).or_else(|| {
        let (resource, rest) = word.split_once('.')?;
        let (version, group) = rest.split_once('.').unwrap_or((rest, ""));
        let word = if group.is_empty() { resource.to_owned() } else { format!("{resource}.{group}") };
        Kind::from_word(&word).filter(|kind| is_version(version) && kind.group().eq_ignore_ascii_case(group))
    })
}

/// Tells whether a word is a version of an API: `v1`, `v2beta1`.
pub fn is_version(word: &str) -> bool {
    let Some(rest) = word.strip_prefix('v') else { return false };
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
    let number = |rest: &str| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit());
    let stages = ["alpha", "beta"];
    word.chars().nth(1).is_some_and(|c| c.is_ascii_digit())
        && (rest.is_empty() || stages.iter().any(|stage| rest.strip_prefix(stage).is_some_and(number)))
}

/// Tells whether a word can be the name of a kind, or of a resource with its group.
pub(crate) fn may_be_kind(word: &str) -> bool {
    word.len() <= LONGEST_KIND
        && word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

/// Kinds of the table that a word may have meant, then those that only this cluster has.
fn nearest_kinds(word: &str, others: &[Kind]) -> Vec<String> {
    let mut near: Vec<(f64, String)> = Kind::ALL
        .iter()
        .chain(others)
        .map(|kind| {
            let words = kind.short_names().iter().copied().chain([kind.plural(), kind.name()]);
            (words.map(|one| likeness(word, one)).fold(0.0, f64::max), kind.kubectl_name())
        })
        .filter(|(score, _)| *score >= NEAR_KIND)
        .collect();
    near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    near.dedup_by(|a, b| a.1 == b.1);
    near.into_iter().take(MOST_NEAREST_KINDS).map(|(_, kind)| kind).collect()
}

fn meant(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(" or ")) }
}

/// The usual kinds, and that there are others.
pub fn kinds() -> String {
    format!(
        "{}, cluster, and any other that the cluster has",
        usual().map(Kind::kubectl_name).collect::<Vec<_>>().join(", ")
    )
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
                return Err(ResolveError::Ambiguous { wanted: Box::new(wanted.clone()), next, more });
            }
        }
    }
    Err(ResolveError::NotFound { wanted: Box::new(wanted.clone()), next: nearest_candidates(wanted, &all) })
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
        Wanted { kind, name: name.to_owned(), namespace: namespace.map(str::to_owned), ..Wanted::default() }
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
        let error = Wanted::from_arguments(&["giz mo".to_owned(), "x".to_owned()], None).expect_err("no kind");
        assert!(error.is_usage() && error.to_string().contains("deployment"), "{error}");
        assert_eq!(error.code(), "unknown-kind");
        let error = ResolveError::unknown("deploymnet");
        assert_eq!(error.next_words().first().map(String::as_str), Some("deployment"));
        assert!(error.to_string().contains("no kind that is known; did you mean deployment"), "{error}");
    }

    #[test]
    fn a_kind_that_only_the_cluster_may_know_keeps_its_word() {
        let asked = |words: &[&str]| {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            Wanted::from_arguments(&words, None).expect("a target")
        };
        for form in [&["HTTPRoute", "x"][..], &["HTTPRoute/x"]] {
            let wanted = asked(form);
            assert_eq!((wanted.kind, wanted.word.as_deref(), wanted.name.as_str()), (None, Some("HTTPRoute"), "x"));
            assert_eq!((wanted.to_string(), wanted.is_bare()), ("HTTPRoute x".to_owned(), false));
        }
        assert_eq!(asked(&["service.serving.knative.dev", "x"]).kind, None);
        for word in ["deployments.v1.apps", "deployments.apps", "Deployment", "deploy", "deployments.v1.apps"] {
            assert_eq!(asked(&[word, "x"]).kind, Some(Kind::Deployment), "{word}");
        }
        assert_eq!(asked(&["pods.v1.", "x"]).kind, Some(Kind::Pod));
        assert_eq!(asked(&["pods.version", "x"]).kind, None);
    }

    #[test]
    fn the_cluster_needs_no_name() {
        for words in [&["cluster"][..], &["cluster", ""]] {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let wanted = Wanted::from_arguments(&words, None).expect("a target");
            assert_eq!((wanted.kind, wanted.name.as_str()), (Some(Kind::Cluster), ""));
            assert_eq!(wanted.to_string(), "cluster");
        }
    }

    #[test]
    fn every_usual_kind_stands_in_one_stage() {
        let once: std::collections::BTreeSet<Kind> = usual().collect();
        assert_eq!(once.len(), usual().count());
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
