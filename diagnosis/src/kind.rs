//! The kinds of objects that evidence can be, their API and the words people use for them.

use std::sync::Arc;

use k8s_openapi::Metadata as _;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
    ValidatingWebhookConfiguration,
};
use k8s_openapi::api::apps::v1::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::batch::v1::{CronJob, Job};
use k8s_openapi::api::certificates::v1::CertificateSigningRequest;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{
    ConfigMap, Endpoints, LimitRange, Namespace, Node, PersistentVolume, PersistentVolumeClaim, Pod, ResourceQuota,
    Service, ServiceAccount,
};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{Ingress, IngressClass, NetworkPolicy};
use k8s_openapi::api::node::v1::RuntimeClass;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::api::rbac::v1::{ClusterRole, ClusterRoleBinding, Role, RoleBinding};
use k8s_openapi::api::scheduling::v1::PriorityClass;
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, StorageClass, VolumeAttachment};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1::APIService;
use serde_json::Value;

use crate::event::Event;
pub use crate::foreign::{Foreign, ForeignKind};
use crate::health::Cluster;
use crate::metrics::{NodeMetrics, PodMetrics};
use crate::secret::Secret;
use crate::untyped::{ResourceClaim, ResourceClaimTemplate};

/// Why a value is no object that can be used as evidence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ObjectError {
    /// The value is no object: it lacks an `apiVersion`, a `kind` or a name.
    #[error("kind \"{0}\" is none that is read")]
    OtherKind(String),
    /// The value is of a known kind, and a field has a wrong type.
    #[error("{kind} \"{name}\" cannot be read: {reason}")]
    Malformed {
        /// The kind it says it is.
        kind: Kind,
        /// `namespace/name` as far as they can be told.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

macro_rules! kinds {
    ($($kind:ident, $type:ty, $api:literal, $plural:literal, $scope:ident, [$($short:literal),*], [$($meta:tt)*];)*) => {
        /// A kind of object that a rule can read.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[expect(missing_docs, reason = "the names are Kubernetes' own")]
        pub enum Kind {
            $($kind,)*
            /// A kind that this table does not have: a custom resource.
            Foreign(ForeignKind),
        }

        /// An object of any [`Kind`], shared cheaply.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "the names are Kubernetes' own")]
        pub enum Object {
            $($kind(Arc<$type>),)*
            /// An object of a kind that the table does not have.
            Foreign(Arc<Foreign>),
        }

        impl Kind {
            /// All kinds of the table, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// Kubernetes' name of the kind, as in the `kind` field.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$kind => stringify!($kind),)* Self::Foreign(kind) => kind.name() }
            }

            /// `group/version` as in the `apiVersion` field; newer servers may serve others too.
            pub const fn api_version(self) -> &'static str {
                match self { $(Self::$kind => $api,)* Self::Foreign(kind) => kind.api_version() }
            }

            /// The resource's name in URLs.
            pub const fn plural(self) -> &'static str {
                match self { $(Self::$kind => $plural,)* Self::Foreign(kind) => kind.plural() }
            }

            /// Tells whether its objects live in a namespace.
            pub const fn is_namespaced(self) -> bool {
                match self { $(Self::$kind => kinds!(@namespaced $scope),)* Self::Foreign(kind) => kind.is_namespaced() }
            }

            /// Short names as in `kubectl api-resources`.
            pub const fn short_names(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($short),*],)* Self::Foreign(_) => &[] }
            }
        }

        impl Object {
            /// Its kind.
            pub fn kind(&self) -> Kind {
                match self { $(Self::$kind(_) => Kind::$kind,)* Self::Foreign(object) => Kind::Foreign(object.kind) }
            }

            /// Its metadata.
            pub fn meta(&self) -> &ObjectMeta {
                match self { $(Self::$kind(object) => kinds!(@meta object, $($meta)*),)* Self::Foreign(object) => &object.metadata }
            }

            /// It as JSON, `kind` and `apiVersion` included.
            ///
            /// # Errors
            /// Where a value in it cannot be written as JSON; none of Kubernetes' own objects has such.
            pub fn to_value(&self) -> Result<Value, serde_json::Error> {
                let mut value = match self {
                    $(Self::$kind(object) => serde_json::to_value(&**object)?,)*
                    Self::Foreign(object) => serde_json::to_value(&**object)?,
                };
                if let Some(fields) = value.as_object_mut() {
                    fields.insert("kind".to_owned(), self.kind().name().into());
                    fields.insert("apiVersion".to_owned(), self.kind().api_version().into());
                }
                Ok(value)
            }

            fn parse(kind: Kind, value: Value) -> Result<Self, serde_json::Error> {
                match kind {
                    $(Kind::$kind => serde_json::from_value::<$type>(value).map(|o| Self::$kind(Arc::new(o))),)*
                    Kind::Foreign(kind) => Foreign::parse(kind, value).map(|object| Self::Foreign(Arc::new(object))),
                }
            }
        }

        $(impl Evidential for $type {
            const KIND: Kind = Kind::$kind;
            fn of(object: &Object) -> Option<Arc<Self>> {
                if let Object::$kind(object) = object { Some(Arc::clone(object)) } else { None }
            }
            fn meta(&self) -> &ObjectMeta {
                let object = self;
                kinds!(@meta object, $($meta)*)
            }
        })*
    };
    (@namespaced namespaced) => { true };
    (@namespaced cluster) => { false };
    (@meta $object:ident, typed) => { $object.metadata() };
    (@meta $object:ident, own) => { &$object.metadata };
}

/// A type of object that answers can hold.
pub trait Evidential: Sized {
    /// Its kind.
    const KIND: Kind;
    /// The object as this type, if it is of this kind.
    fn of(object: &Object) -> Option<Arc<Self>>;
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
}

kinds! {
    Pod, Pod, "v1", "pods", namespaced, ["po"], [typed];
    Node, Node, "v1", "nodes", cluster, ["no"], [typed];
    Namespace, Namespace, "v1", "namespaces", cluster, ["ns"], [typed];
    Event, Event, "v1", "events", namespaced, ["ev"], [own];
    ConfigMap, ConfigMap, "v1", "configmaps", namespaced, ["cm"], [typed];
    Secret, Secret, "v1", "secrets", namespaced, [], [own];
    Service, Service, "v1", "services", namespaced, ["svc"], [typed];
    Endpoints, Endpoints, "v1", "endpoints", namespaced, ["ep"], [typed];
    ServiceAccount, ServiceAccount, "v1", "serviceaccounts", namespaced, ["sa"], [typed];
    ResourceQuota, ResourceQuota, "v1", "resourcequotas", namespaced, ["quota"], [typed];
    LimitRange, LimitRange, "v1", "limitranges", namespaced, ["limits"], [typed];
    PersistentVolumeClaim, PersistentVolumeClaim, "v1", "persistentvolumeclaims", namespaced, ["pvc"], [typed];
    PersistentVolume, PersistentVolume, "v1", "persistentvolumes", cluster, ["pv"], [typed];
    Deployment, Deployment, "apps/v1", "deployments", namespaced, ["deploy"], [typed];
    ReplicaSet, ReplicaSet, "apps/v1", "replicasets", namespaced, ["rs"], [typed];
    StatefulSet, StatefulSet, "apps/v1", "statefulsets", namespaced, ["sts"], [typed];
    DaemonSet, DaemonSet, "apps/v1", "daemonsets", namespaced, ["ds"], [typed];
    ControllerRevision, ControllerRevision, "apps/v1", "controllerrevisions", namespaced, [], [typed];
    Job, Job, "batch/v1", "jobs", namespaced, [], [typed];
    CronJob, CronJob, "batch/v1", "cronjobs", namespaced, ["cj"], [typed];
    HorizontalPodAutoscaler, HorizontalPodAutoscaler, "autoscaling/v2", "horizontalpodautoscalers", namespaced, ["hpa"], [typed];
    PodDisruptionBudget, PodDisruptionBudget, "policy/v1", "poddisruptionbudgets", namespaced, ["pdb"], [typed];
    Ingress, Ingress, "networking.k8s.io/v1", "ingresses", namespaced, ["ing"], [typed];
    IngressClass, IngressClass, "networking.k8s.io/v1", "ingressclasses", cluster, [], [typed];
    NetworkPolicy, NetworkPolicy, "networking.k8s.io/v1", "networkpolicies", namespaced, ["netpol"], [typed];
    EndpointSlice, EndpointSlice, "discovery.k8s.io/v1", "endpointslices", namespaced, [], [typed];
    StorageClass, StorageClass, "storage.k8s.io/v1", "storageclasses", cluster, ["sc"], [typed];
    CSIDriver, CSIDriver, "storage.k8s.io/v1", "csidrivers", cluster, [], [typed];
    CSINode, CSINode, "storage.k8s.io/v1", "csinodes", cluster, [], [typed];
    VolumeAttachment, VolumeAttachment, "storage.k8s.io/v1", "volumeattachments", cluster, [], [typed];
    PriorityClass, PriorityClass, "scheduling.k8s.io/v1", "priorityclasses", cluster, ["pc"], [typed];
    RuntimeClass, RuntimeClass, "node.k8s.io/v1", "runtimeclasses", cluster, [], [typed];
    Role, Role, "rbac.authorization.k8s.io/v1", "roles", namespaced, [], [typed];
    RoleBinding, RoleBinding, "rbac.authorization.k8s.io/v1", "rolebindings", namespaced, [], [typed];
    ClusterRole, ClusterRole, "rbac.authorization.k8s.io/v1", "clusterroles", cluster, [], [typed];
    ClusterRoleBinding, ClusterRoleBinding, "rbac.authorization.k8s.io/v1", "clusterrolebindings", cluster, [], [typed];
    Lease, Lease, "coordination.k8s.io/v1", "leases", namespaced, [], [typed];
    APIService, APIService, "apiregistration.k8s.io/v1", "apiservices", cluster, [], [typed];
    CustomResourceDefinition, CustomResourceDefinition, "apiextensions.k8s.io/v1", "customresourcedefinitions", cluster, ["crd"], [typed];
    ValidatingWebhookConfiguration, ValidatingWebhookConfiguration, "admissionregistration.k8s.io/v1", "validatingwebhookconfigurations", cluster, [], [typed];
    MutatingWebhookConfiguration, MutatingWebhookConfiguration, "admissionregistration.k8s.io/v1", "mutatingwebhookconfigurations", cluster, [], [typed];
    ValidatingAdmissionPolicy, ValidatingAdmissionPolicy, "admissionregistration.k8s.io/v1", "validatingadmissionpolicies", cluster, [], [typed];
    ValidatingAdmissionPolicyBinding, ValidatingAdmissionPolicyBinding, "admissionregistration.k8s.io/v1", "validatingadmissionpolicybindings", cluster, [], [typed];
    ResourceClaim, ResourceClaim, "resource.k8s.io/v1", "resourceclaims", namespaced, [], [own];
    ResourceClaimTemplate, ResourceClaimTemplate, "resource.k8s.io/v1", "resourceclaimtemplates", namespaced, [], [own];
    CertificateSigningRequest, CertificateSigningRequest, "certificates.k8s.io/v1", "certificatesigningrequests", cluster, ["csr"], [typed];
    PodMetrics, PodMetrics, "metrics.k8s.io/v1beta1", "pods", namespaced, [], [own];
    NodeMetrics, NodeMetrics, "metrics.k8s.io/v1beta1", "nodes", cluster, [], [own];
    Cluster, Cluster, "kubewhy/v1", "clusters", cluster, [], [own];
}

impl Kind {
    /// The kind of that name, as in the `kind` field.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// The kind that a person means: its name, plural, singular or short name in any case, `group` suffixes allowed
    /// (`deployments.apps`).
    pub fn from_word(word: &str) -> Option<Self> {
        let word = word.to_ascii_lowercase();
        let (word, group) = word.split_once('.').map_or((word.as_str(), None), |(word, group)| (word, Some(group)));
        Self::ALL.iter().copied().find(|kind| {
            let named =
                kind.name().to_ascii_lowercase() == word || kind.plural() == word || kind.short_names().contains(&word);
            named && group.is_none_or(|group| kind.group() == group)
        })
    }

    /// The API group, empty for the core group.
    pub fn group(self) -> &'static str {
        self.api_version().split_once('/').map_or("", |(group, _)| group)
    }

    /// The kind as `kubectl` takes it: `deployment`, `pvc` stays `persistentvolumeclaim`; a foreign one with its group, since
    /// its name alone may be another's.
    pub fn kubectl_name(self) -> String {
        let name = self.name().to_ascii_lowercase();
        match self {
            Self::Foreign(_) if !self.group().is_empty() => format!("{name}.{}", self.group()),
            _ => name,
        }
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Object {
    /// Reads an object from JSON; its `kind` says what it is.
    ///
    /// # Errors
    /// [`ObjectError::OtherKind`] where it is no object, [`ObjectError::Malformed`] where a field has a wrong type.
    pub fn from_value(value: Value) -> Result<Self, ObjectError> {
        let word = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let api = value.get("apiVersion").and_then(Value::as_str).unwrap_or_default();
        let group = api.split_once('/').map_or("", |(group, _)| group);
        let known =
            Kind::from_name(word).filter(|kind| *kind == Kind::Event || api.is_empty() || group == kind.group());
        let kind = match known {
            Some(kind) => kind,
            None => ForeignKind::of_value(&value)
                .map(Kind::Foreign)
                .ok_or_else(|| ObjectError::OtherKind(word.to_owned()))?,
        };
        let field = |key: &str| {
            value.get("metadata").and_then(|meta| meta.get(key)).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let (namespace, name) = (field("namespace"), field("name"));
        Self::parse(kind, value).map_err(|error| ObjectError::Malformed {
            kind,
            name: if namespace.is_empty() { name } else { format!("{namespace}/{name}") },
            reason: error.to_string(),
        })
    }

    /// Its name; empty where it has none.
    pub fn name(&self) -> &str {
        self.meta().name.as_deref().unwrap_or_default()
    }

    /// Its namespace, if it lives in one.
    pub fn namespace(&self) -> Option<&str> {
        self.meta().namespace.as_deref().filter(|_| self.kind().is_namespaced())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_may_use_any_of_kubectls_words() {
        for (word, kind) in [
            ("po", Kind::Pod),
            ("Pods", Kind::Pod),
            ("deploy", Kind::Deployment),
            ("deployments.apps", Kind::Deployment),
            ("pvc", Kind::PersistentVolumeClaim),
            ("ns", Kind::Namespace),
        ] {
            assert_eq!(Kind::from_word(word), Some(kind), "{word}");
        }
        assert_eq!(Kind::from_word("gizmo"), None);
        assert_eq!(Kind::from_word("deployments.example.com"), None);
    }

    #[test]
    fn an_object_with_a_wrong_type_is_malformed_not_lost() {
        let value = serde_json::json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}, "spec": 7});
        let error = Object::from_value(value).expect_err("spec is a number");
        assert!(matches!(error, ObjectError::Malformed { kind: Kind::Pod, ref name, .. } if name == "b/a"));
    }
}
