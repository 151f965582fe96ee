//! What the API serves: the built-in resources of a 1.34 server and those that `CustomResourceDefinition`s add.

mod builtin;
mod custom;
mod metrics;

use std::{borrow::Cow, sync::Arc};

use serde_json::Value;

pub(crate) use custom::version_rank;
pub use custom::{PrinterColumn, ScalePaths};

type Word = Cow<'static, str>;

/// One resource in one version: `pods` in `v1`, `deployments` in `apps/v1`.
#[derive(Clone, Debug, PartialEq)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: Word,
    /// API version without its group: `v1`.
    pub version: Word,
    /// Kind of an object.
    pub kind: Word,
    /// Kind of a list, mostly the kind with `List` behind it.
    pub list_kind: Word,
    /// Name in paths: `pods`.
    pub plural: Word,
    /// Name of one: `pod`.
    pub singular: Word,
    /// What kubectl also understands: `po`.
    pub short_names: Vec<Word>,
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// Groups of resources that kubectl understands: `all`.
    pub categories: Vec<Word>,
    /// Verbs on the resource itself.
    pub verbs: Vec<Word>,
    /// What a path may name behind an object: `status`, `log`.
    pub subresources: Vec<Subresource>,
    /// What only a custom resource has.
    pub custom: Option<Custom>,
}

/// One subresource: `status` of `pods`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subresource {
    /// Last part of the path.
    pub name: Word,
    /// API group of its kind; empty for the group of the resource.
    pub group: Word,
    /// API version of its kind; empty for the version of the resource.
    pub version: Word,
    /// Kind that is read and written there.
    pub kind: Word,
    /// Verbs on it.
    pub verbs: Vec<Word>,
}

/// What a `CustomResourceDefinition` says about one version beyond names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Custom {
    /// Name of the definition: `widgets.example.org`.
    pub definition: String,
    /// Columns of the table, in order.
    pub columns: Vec<PrinterColumn>,
    /// Where the `scale` subresource finds its numbers.
    pub scale: Option<ScalePaths>,
    /// `openAPIV3Schema` of the version; null where it has none.
    pub schema: Value,
}

impl Resource {
    /// `apiVersion` of its objects: `v1`, `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_string() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The name that errors and permissions use: `pods`, `deployments.apps`.
    pub fn group_resource(&self) -> String {
        if self.group.is_empty() { self.plural.to_string() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// Under which group and plural objects are kept: the versions of a resource share one place, and so do the two kinds of Event.
    pub fn storage(&self) -> (&str, &str) {
        match (self.group.as_ref(), self.plural.as_ref()) {
            ("events.k8s.io", "events") => ("", "events"),
            named => named,
        }
    }

    /// Whether the resource itself can be read and written with this verb.
    pub fn allows(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| known == verb)
    }

    /// The subresource of this name.
    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|known| known.name == name)
    }
}

/// All resources that are served, the built-in ones first.
#[derive(Clone, Debug)]
pub struct Registry {
    resources: Vec<Arc<Resource>>,
}

impl Registry {
    /// What a 1.34 server serves without any `CustomResourceDefinition`.
    pub fn builtin() -> Self {
        Self { resources: builtin::resources().map(Arc::new).collect() }
    }

    /// The resource that a path names.
    pub fn find(&self, group: &str, version: &str, plural: &str) -> Option<Arc<Resource>> {
        self.first(|known| known.group == group && known.version == version && known.plural == plural)
    }

    /// The resource that an object's `apiVersion` and `kind` name.
    pub fn by_kind(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        self.first(|known| known.group == group && known.version == version && known.kind == kind)
    }

    /// Every resource in the order of discovery.
    pub fn resources(&self) -> &[Arc<Resource>] {
        &self.resources
    }

    /// Serves the versions of a `CustomResourceDefinition`, in place of what an earlier state of it said.
    /// What it says wrong is left out; a name that something else already has stays with its owner.
    pub fn learn(&mut self, crd: &Value) {
        self.unlearn(crd);
        for resource in custom::resources(crd) {
            if self.find(&resource.group, &resource.version, &resource.plural).is_none() {
                self.resources.push(Arc::new(resource));
            }
        }
    }

    /// Serves an API group that another server brings along, as soon as there is something of it: the figures of a metrics
    /// server. Any other group stays as it is.
    pub fn learn_group(&mut self, api_version: &str) {
        for resource in metrics::resources().filter(|resource| resource.api_version() == api_version) {
            if self.find(&resource.group, &resource.version, &resource.plural).is_none() {
                self.resources.push(Arc::new(resource));
            }
        }
    }

    /// Stops serving what a `CustomResourceDefinition` added.
    pub fn unlearn(&mut self, crd: &Value) {
        let Some(name) = custom::definition_name(crd) else { return };
        self.resources.retain(|known| known.custom.as_ref().is_none_or(|custom| custom.definition != name));
    }

    fn first(&self, is_it: impl Fn(&Resource) -> bool) -> Option<Arc<Resource>> {
        self.resources.iter().find(|known| is_it(known)).cloned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn widgets() -> Value {
        json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.org"},
            "spec": {
                "group": "example.org", "scope": "Namespaced",
                "names": {"kind": "Widget", "plural": "widgets", "shortNames": ["wd"], "categories": ["all"]},
                "versions": [
                    {"name": "v1beta1", "served": true, "storage": false},
                    {"name": "v1", "served": true, "storage": true, "subresources": {"status": {}, "scale": {
                        "specReplicasPath": ".spec.replicas", "statusReplicasPath": ".status.replicas"}},
                     "additionalPrinterColumns": [{"name": "Phase", "type": "string", "jsonPath": ".status.phase"}]},
                    {"name": "v2", "served": false, "storage": false},
                ],
            },
        })
    }

    #[test]
    fn builtin_resources_are_found_by_path_and_by_kind() {
        let registry = Registry::builtin();
        let pods = registry.find("", "v1", "pods").expect("pods");
        assert_eq!((pods.kind.as_ref(), pods.list_kind.as_ref(), pods.singular.as_ref()), ("Pod", "PodList", "pod"));
        assert!(pods.namespaced && pods.subresource("eviction").is_some_and(|sub| sub.group == "policy"));
        let deployments = registry.by_kind("apps/v1", "Deployment").expect("deployments");
        assert_eq!(deployments.group_resource(), "deployments.apps");
        assert_eq!(deployments.api_version(), "apps/v1");
        assert!(registry.find("apps", "v1", "pods").is_none());
        assert!(registry.find("metrics.k8s.io", "v1beta1", "pods").is_none());
    }

    #[test]
    fn both_kinds_of_event_share_a_storage() {
        let registry = Registry::builtin();
        let new = registry.find("events.k8s.io", "v1", "events").expect("events.k8s.io");
        let old = registry.find("", "v1", "events").expect("events");
        assert_eq!(new.storage(), old.storage());
    }

    #[test]
    fn no_two_builtin_resources_have_one_path() {
        let registry = Registry::builtin();
        for resource in registry.resources() {
            let found = registry.find(&resource.group, &resource.version, &resource.plural).expect("itself");
            assert!(Arc::ptr_eq(&found, resource), "{} is there twice", resource.group_resource());
        }
    }

    #[test]
    fn a_definition_adds_its_served_versions_and_takes_them_away_again() {
        let mut registry = Registry::builtin();
        let before = registry.resources().len();
        registry.learn(&widgets());
        registry.learn(&widgets());
        assert_eq!(registry.resources().len(), before + 2);
        let v1 = registry.find("example.org", "v1", "widgets").expect("v1");
        assert_eq!((v1.singular.as_ref(), v1.list_kind.as_ref()), ("widget", "WidgetList"));
        assert!(v1.subresource("status").is_some() && v1.subresource("scale").is_some());
        assert!(registry.find("example.org", "v1beta1", "widgets").expect("v1beta1").subresources.is_empty());
        assert!(registry.find("example.org", "v2", "widgets").is_none());
        registry.unlearn(&widgets());
        assert_eq!(registry.resources().len(), before);
    }

    #[test]
    fn a_definition_does_not_take_over_a_builtin_resource() {
        let mut registry = Registry::builtin();
        let mut crd = widgets();
        crd["spec"]["group"] = json!("apps");
        crd["spec"]["names"]["plural"] = json!("deployments");
        registry.learn(&crd);
        assert_eq!(registry.find("apps", "v1", "deployments").expect("builtin").kind, "Deployment");
    }
}
