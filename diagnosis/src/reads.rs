//! What the rules read of a cluster: the verbs that a role has to allow, kind by kind, and no more.
//!
//! A test looks through the rules' sources, so that neither a reading without an entry nor an entry without a reading stays.

use crate::kind::Kind;

/// How a kind is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reads {
    /// Single objects are read by their names.
    pub get: bool,
    /// Collections are read, whole or by labels.
    pub list: bool,
}

/// How objects of a kind are read where a person asks about one: by name, and by all names where the name is not whole. The
/// cluster itself is read by its health endpoints, and what pods and nodes use is no object that anybody asks about.
pub const fn asked(kind: Kind) -> Reads {
    let any = !matches!(kind, Kind::Cluster | Kind::PodMetrics | Kind::NodeMetrics | Kind::Foreign(_));
    Reads { get: any, list: any }
}

/// How objects of a kind are read; neither way for a kind that only a person's question could name.
pub const fn reads(kind: Kind) -> Reads {
    let (get, list) = match kind {
        // What can be asked about is looked up by name, and found by listing.
        Kind::Pod
        | Kind::Deployment
        | Kind::ReplicaSet
        | Kind::StatefulSet
        | Kind::DaemonSet
        | Kind::Job
        | Kind::CronJob
        | Kind::PersistentVolumeClaim
        | Kind::Namespace
        | Kind::Node
        | Kind::ConfigMap
        | Kind::Secret
        | Kind::Service
        | Kind::PersistentVolume
        | Kind::StorageClass
        | Kind::RuntimeClass
        | Kind::Lease
        | Kind::APIService
        | Kind::ResourceClaim
        | Kind::ResourceClaimTemplate
        | Kind::PodMetrics => (true, true),
        Kind::ResourceQuota
        | Kind::CSIDriver
        | Kind::CSINode
        | Kind::ValidatingAdmissionPolicy
        | Kind::ValidatingAdmissionPolicyBinding
        | Kind::NodeMetrics => (true, false),
        Kind::Event
        | Kind::ServiceAccount
        | Kind::LimitRange
        | Kind::ControllerRevision
        | Kind::HorizontalPodAutoscaler
        | Kind::PodDisruptionBudget
        | Kind::Ingress
        | Kind::IngressClass
        | Kind::NetworkPolicy
        | Kind::EndpointSlice
        | Kind::VolumeAttachment
        | Kind::PriorityClass
        | Kind::ValidatingWebhookConfiguration
        | Kind::MutatingWebhookConfiguration
        | Kind::CertificateSigningRequest => (false, true),
        Kind::Endpoints
        | Kind::Role
        | Kind::RoleBinding
        | Kind::ClusterRole
        | Kind::ClusterRoleBinding
        | Kind::CustomResourceDefinition
        | Kind::Cluster
        | Kind::Foreign(_) => (false, false),
    };
    Reads { get, list }
}
