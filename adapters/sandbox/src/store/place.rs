//! Where an object is kept.

use serde_json::Value;

use crate::object::meta;

/// The group and plural under which all versions of a resource are kept.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shelf {
    pub(crate) group: String,
    pub(crate) plural: String,
}

impl Shelf {
    pub(crate) fn new(group: &str, plural: &str) -> Self {
        Self { group: group.to_owned(), plural: plural.to_owned() }
    }

    pub(crate) fn namespaces() -> Self {
        Self::new("", "namespaces")
    }

    pub(crate) fn is_namespaces(&self) -> bool {
        self.group.is_empty() && self.plural == "namespaces"
    }

    pub(crate) fn is_pods(&self) -> bool {
        self.group.is_empty() && self.plural == "pods"
    }

    pub(crate) fn is_definitions(&self) -> bool {
        self.group == "apiextensions.k8s.io" && self.plural == "customresourcedefinitions"
    }
}

/// One object's place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) shelf: Shelf,
    /// Empty for what lives in no namespace.
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Place {
    /// The place of an object that carries its name and namespace.
    pub(crate) fn of(shelf: &Shelf, object: &Value) -> Self {
        Self {
            shelf: shelf.clone(),
            namespace: meta(object, "namespace").to_owned(),
            name: meta(object, "name").to_owned(),
        }
    }
}
