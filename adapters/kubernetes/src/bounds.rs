//! What may be asked of a cluster: what lies outside is answered as forbidden, and nothing is sent.

use std::collections::BTreeSet;

use kubewhy_diagnosis::ask::Ask;
use kubewhy_diagnosis::kind::Kind;

/// The bounds of a connection; by default there are none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The only namespaces that may be read; empty = all.
    pub namespaces: BTreeSet<String>,
    /// How Secrets may be read.
    pub secrets: Secrets,
    /// Whether logs may be read.
    pub logs: Logs,
}

/// How Secrets may be read: never more than their metadata.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Secrets {
    /// By name and as a list.
    #[default]
    Listed,
    /// By name alone.
    Named,
    /// Not at all.
    Never,
}

/// Whether logs may be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Logs {
    /// They are read.
    #[default]
    Read,
    /// They are not.
    Never,
}

impl Bounds {
    /// Why something may not be asked; `None` where it may.
    pub(crate) fn refusal(&self, ask: &Ask) -> Option<String> {
        let (kind, namespace) = match ask {
            Ask::Get { kind: Kind::Secret, .. } if self.secrets == Secrets::Never => return Some(no_secrets()),
            Ask::List { kind: Kind::Secret, .. } if self.secrets != Secrets::Listed => return Some(no_secrets()),
            Ask::Log { .. } if self.logs == Logs::Never => {
                return Some("kubewhy is set up not to read logs".to_owned());
            }
            Ask::Get { kind: Kind::Namespace, name, .. } => return self.outside(name),
            Ask::Get { kind, namespace, .. } | Ask::List { kind, namespace, .. } => (*kind, namespace.as_deref()),
            // Events about what lives in no namespace live in this one.
            Ask::Events { namespace, .. } => (Kind::Event, Some(namespace.as_deref().unwrap_or("default"))),
            Ask::Log { namespace, .. } => (Kind::Pod, Some(namespace.as_str())),
        };
        namespace.filter(|_| kind.is_namespaced()).and_then(|namespace| self.outside(namespace))
    }

    /// The namespaces in which a list across all of them is to be read instead; `None` where it may be read as it is.
    pub(crate) fn instead_of_all(&self, kind: Kind, namespace: Option<&str>) -> Option<&BTreeSet<String>> {
        Some(&self.namespaces).filter(|only| !only.is_empty() && kind.is_namespaced() && namespace.is_none())
    }

    /// Whether a namespace may be read.
    pub(crate) fn holds(&self, namespace: &str) -> bool {
        self.namespaces.is_empty() || self.namespaces.contains(namespace)
    }

    fn outside(&self, namespace: &str) -> Option<String> {
        (!self.holds(namespace)).then(|| format!("kubewhy is set up not to read namespace {namespace}"))
    }
}

fn no_secrets() -> String {
    "kubewhy is set up not to ask for Secrets".to_owned()
}
