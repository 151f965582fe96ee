//! What a rule wants to know, and the answers.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;

use crate::kind::{Kind, Object};

/// Which instance of a container a log is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Instance {
    /// The one that runs now, or the last one where none does.
    Current,
    /// The one before.
    Previous,
}

/// A question about the cluster. Each is asked once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ask {
    /// One object.
    Get {
        /// Its kind.
        kind: Kind,
        /// Its namespace; `None` for cluster-wide kinds.
        namespace: Option<String>,
        /// Its name.
        name: String,
    },
    /// The objects of a kind that a filter lets through.
    List {
        /// Their kind.
        kind: Kind,
        /// Their namespace; `None` for cluster-wide kinds and for [`Filter::Scheduled`] or [`Filter::OnNode`].
        namespace: Option<String>,
        /// Which of them.
        filter: Filter,
    },
    /// The events about an object (of any earlier object of that name too: the reader looks at the UID).
    Events {
        /// The object's kind, as events name it.
        kind: Kind,
        /// The object's namespace; `None` for cluster-wide kinds.
        namespace: Option<String>,
        /// The object's name.
        name: String,
    },
    /// The tail of a container's log.
    Log {
        /// The pod's namespace.
        namespace: String,
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// Which instance of it.
        instance: Instance,
    },
}

impl Ask {
    /// The kind that it reads, for "what was looked at".
    pub const fn subject(&self) -> &'static str {
        match self {
            Self::Get { kind, .. } | Self::List { kind, .. } => kind.name(),
            Self::Events { .. } => "Events",
            Self::Log { .. } => "Logs",
        }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = |namespace: &Option<String>, name: &str| {
            namespace.as_ref().map_or_else(|| name.to_owned(), |ns| format!("{ns}/{name}"))
        };
        match self {
            Self::Get { kind: Kind::PodMetrics | Kind::NodeMetrics, .. }
            | Self::List { kind: Kind::PodMetrics | Kind::NodeMetrics, .. } => f.write_str("the metrics API"),
            Self::Get { kind: Kind::Cluster, .. } => f.write_str("the API server's health endpoints"),
            Self::Get { kind, namespace, name } => write!(f, "{kind} {}", path(namespace, name)),
            Self::List { kind, namespace, filter } => {
                write!(f, "the {}", kind.plural())?;
                if let Some(namespace) = namespace {
                    write!(f, " of namespace {namespace}")?;
                }
                write!(f, "{filter}")
            }
            Self::Events { kind, namespace, name } => write!(f, "the events of {kind} {}", path(namespace, name)),
            Self::Log { namespace, pod, container, instance } => {
                let which = if *instance == Instance::Previous { "previous log" } else { "log" };
                write!(f, "the {which} of container {container} of Pod {namespace}/{pod}")
            }
        }
    }
}

/// Which objects of a kind a list is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Filter {
    /// All of the namespace (or of the cluster, for cluster-wide kinds).
    All,
    /// Those whose labels match.
    Labels(Selector),
    /// Pods bound to a node and not finished, in all namespaces.
    OnNode(String),
    /// Pods bound to any node and not finished, in all namespaces.
    Scheduled,
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => Ok(()),
            Self::Labels(selector) => write!(f, " with labels {selector}"),
            Self::OnNode(node) => write!(f, " on node {node}"),
            Self::Scheduled => f.write_str(" on any node"),
        }
    }
}

/// A label selector in canonical form.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Selector(Vec<Requirement>);

/// One requirement of a [`Selector`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Requirement {
    /// The label has that value.
    Equals(String, String),
    /// The label has one of these values.
    In(String, Vec<String>),
    /// The label is absent or has none of these values.
    NotIn(String, Vec<String>),
    /// The label is there.
    Exists(String),
    /// The label is not there.
    Missing(String),
}

impl Selector {
    /// The selector that asks for exactly these labels.
    pub fn labels(labels: &BTreeMap<String, String>) -> Self {
        Self(labels.iter().map(|(key, value)| Requirement::Equals(key.clone(), value.clone())).collect())
    }

    /// The canonical form of Kubernetes' own; an operator that Kubernetes does not know is left out.
    pub fn from_api(selector: &LabelSelector) -> Self {
        let mut all = Self::labels(selector.match_labels.as_ref().unwrap_or(&BTreeMap::new())).0;
        for requirement in selector.match_expressions.iter().flatten() {
            let (key, mut values) = (requirement.key.clone(), requirement.values.clone().unwrap_or_default());
            values.sort();
            match requirement.operator.as_str() {
                "In" => all.push(Requirement::In(key, values)),
                "NotIn" => all.push(Requirement::NotIn(key, values)),
                "Exists" => all.push(Requirement::Exists(key)),
                "DoesNotExist" => all.push(Requirement::Missing(key)),
                _ => {}
            }
        }
        all.sort();
        Self(all)
    }

    /// Its requirements.
    pub fn requirements(&self) -> &[Requirement] {
        &self.0
    }

    /// Tells whether it matches everything.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Tells whether an object with these labels matches.
    pub fn matches(&self, labels: Option<&BTreeMap<String, String>>) -> bool {
        let value = |key: &String| labels.and_then(|labels| labels.get(key));
        self.0.iter().all(|requirement| match requirement {
            Requirement::Equals(key, wanted) => value(key) == Some(wanted),
            Requirement::In(key, wanted) => value(key).is_some_and(|value| wanted.contains(value)),
            Requirement::NotIn(key, unwanted) => value(key).is_none_or(|value| !unwanted.contains(value)),
            Requirement::Exists(key) => value(key).is_some(),
            Requirement::Missing(key) => value(key).is_none(),
        })
    }
}

impl fmt::Display for Selector {
    /// As the API and `kubectl -l` take it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, requirement) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            match requirement {
                Requirement::Equals(key, value) => write!(f, "{key}={value}")?,
                Requirement::In(key, values) => write!(f, "{key} in ({})", values.join(","))?,
                Requirement::NotIn(key, values) => write!(f, "{key} notin ({})", values.join(","))?,
                Requirement::Exists(key) => f.write_str(key)?,
                Requirement::Missing(key) => write!(f, "!{key}")?,
            }
        }
        Ok(())
    }
}

/// What is known of an [`Ask`].
#[derive(Clone, Debug)]
pub enum Answer {
    /// The object.
    Object(Object),
    /// The objects; `complete` is false where the list was cut.
    List {
        /// What came.
        items: Vec<Object>,
        /// Whether that is all.
        complete: bool,
    },
    /// The tail of the log.
    Log(Arc<str>),
    /// It does not exist: evidence.
    Absent,
    /// The API refused to tell.
    Forbidden(String),
    /// The API could not tell.
    Failed(String),
    /// A dump that does not cover it.
    NotCovered,
}
