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

#[cfg(test)]
mod tests {
    use kubewhy_diagnosis::ask::{Filter, Instance};

    use super::*;

    fn get(kind: Kind, namespace: Option<&str>, name: &str) -> Ask {
        Ask::Get { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() }
    }

    fn list(kind: Kind, namespace: Option<&str>) -> Ask {
        Ask::List { kind, namespace: namespace.map(str::to_owned), filter: Filter::All }
    }

    fn log(namespace: &str) -> Ask {
        let [namespace, pod, container] = [namespace, "cart", "app"].map(str::to_owned);
        Ask::Log { namespace, pod, container, instance: Instance::Current }
    }

    fn events(kind: Kind, namespace: Option<&str>) -> Ask {
        Ask::Events { kind, namespace: namespace.map(str::to_owned), name: "x".to_owned() }
    }

    fn allowed(bounds: &Bounds, ask: &Ask) -> bool {
        bounds.refusal(ask).is_none()
    }

    #[test]
    fn without_bounds_everything_is_asked() {
        let bounds = Bounds::default();
        for ask in [get(Kind::Secret, Some("a"), "b"), list(Kind::Secret, None), log("a"), events(Kind::Node, None)] {
            assert!(allowed(&bounds, &ask), "{ask}");
        }
        assert_eq!(bounds.instead_of_all(Kind::Pod, None), None);
    }

    #[test]
    fn only_the_named_namespaces_are_asked_about_and_what_lives_in_none() {
        let bounds = Bounds { namespaces: ["shop".to_owned()].into(), ..Bounds::default() };
        let within = [
            get(Kind::Pod, Some("shop"), "cart"),
            get(Kind::Namespace, None, "shop"),
            get(Kind::Node, None, "worker"),
            list(Kind::Pod, None),
            events(Kind::Pod, Some("shop")),
            log("shop"),
        ];
        let outside = [
            get(Kind::Pod, Some("bank"), "cart"),
            get(Kind::Namespace, None, "bank"),
            list(Kind::Pod, Some("bank")),
            events(Kind::Pod, Some("bank")),
            events(Kind::Node, None),
            log("bank"),
        ];
        assert!(within.iter().all(|ask| allowed(&bounds, ask)));
        assert!(!outside.iter().any(|ask| allowed(&bounds, ask)));
        assert_eq!(bounds.instead_of_all(Kind::Pod, None), Some(&bounds.namespaces));
        assert_eq!(bounds.instead_of_all(Kind::Node, None), None);
    }

    #[test]
    fn secrets_and_logs_are_asked_for_as_far_as_they_may_be() {
        let [by_name, listed] = [get(Kind::Secret, Some("a"), "b"), list(Kind::Secret, Some("a"))];
        let with = |secrets| Bounds { secrets, logs: Logs::Never, ..Bounds::default() };
        assert!(allowed(&with(Secrets::Named), &by_name) && !allowed(&with(Secrets::Named), &listed));
        assert!(!allowed(&with(Secrets::Never), &by_name) && !allowed(&with(Secrets::Never), &listed));
        assert!(!allowed(&with(Secrets::Listed), &log("a")));
    }
}
