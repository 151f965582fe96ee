//! Which table each built-in kind has.

use serde_json::Value;

use super::{
    Printer, access, admission, autoscaling, cluster,
    column::{NAME, date},
    network, pods,
    row::{Row, time},
    storage, workloads,
};

pub(super) use autoscaling::SCALE;

pub(super) fn printer(group: &str, kind: &str) -> Printer {
    match (group, kind) {
        ("", "Pod") => pods::POD,
        ("", "PodTemplate") => workloads::POD_TEMPLATE,
        ("", "ReplicationController") => workloads::REPLICATION_CONTROLLER,
        ("", "Service") => network::SERVICE,
        ("", "Endpoints") => network::ENDPOINTS,
        ("", "Node") => cluster::NODE,
        ("", "Namespace") => cluster::NAMESPACE,
        ("" | "events.k8s.io", "Event") => cluster::EVENT,
        ("", "ConfigMap") => cluster::CONFIG_MAP,
        ("", "Secret") => cluster::SECRET,
        ("", "ServiceAccount") => cluster::SERVICE_ACCOUNT,
        ("", "ResourceQuota") => cluster::RESOURCE_QUOTA,
        ("", "ComponentStatus") => cluster::COMPONENT_STATUS,
        ("", "PersistentVolume") => storage::PERSISTENT_VOLUME,
        ("", "PersistentVolumeClaim") => storage::PERSISTENT_VOLUME_CLAIM,
        ("apps", "Deployment") => workloads::DEPLOYMENT,
        ("apps", "ReplicaSet") => workloads::REPLICA_SET,
        ("apps", "StatefulSet") => workloads::STATEFUL_SET,
        ("apps", "DaemonSet") => workloads::DAEMON_SET,
        ("apps", "ControllerRevision") => workloads::CONTROLLER_REVISION,
        ("batch", "Job") => workloads::JOB,
        ("batch", "CronJob") => workloads::CRON_JOB,
        ("autoscaling", "HorizontalPodAutoscaler") => autoscaling::HORIZONTAL_POD_AUTOSCALER,
        ("policy", "PodDisruptionBudget") => autoscaling::POD_DISRUPTION_BUDGET,
        ("networking.k8s.io", "Ingress") => network::INGRESS,
        ("networking.k8s.io", "IngressClass") => network::INGRESS_CLASS,
        ("networking.k8s.io", "NetworkPolicy") => network::NETWORK_POLICY,
        ("networking.k8s.io", "ServiceCIDR") => network::SERVICE_CIDR,
        ("networking.k8s.io", "IPAddress") => network::IP_ADDRESS,
        ("discovery.k8s.io", "EndpointSlice") => network::ENDPOINT_SLICE,
        ("storage.k8s.io", "StorageClass") => storage::STORAGE_CLASS,
        ("storage.k8s.io", "VolumeAttachment") => storage::VOLUME_ATTACHMENT,
        ("storage.k8s.io", "VolumeAttributesClass") => storage::VOLUME_ATTRIBUTES_CLASS,
        ("storage.k8s.io", "CSINode") => storage::CSI_NODE,
        ("storage.k8s.io", "CSIDriver") => storage::CSI_DRIVER,
        ("storage.k8s.io", "CSIStorageCapacity") => storage::CSI_STORAGE_CAPACITY,
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => access::BINDING,
        ("certificates.k8s.io", "CertificateSigningRequest") => access::CERTIFICATE_SIGNING_REQUEST,
        ("coordination.k8s.io", "Lease") => cluster::LEASE,
        ("scheduling.k8s.io", "PriorityClass") => cluster::PRIORITY_CLASS,
        ("node.k8s.io", "RuntimeClass") => cluster::RUNTIME_CLASS,
        ("apiregistration.k8s.io", "APIService") => admission::API_SERVICE,
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration") => {
            admission::WEBHOOK_CONFIGURATION
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy") => admission::POLICY,
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => admission::POLICY_BINDING,
        ("flowcontrol.apiserver.k8s.io", "FlowSchema") => admission::FLOW_SCHEMA,
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => admission::PRIORITY_LEVEL,
        ("resource.k8s.io", "ResourceClaim") => workloads::RESOURCE_CLAIM,
        ("resource.k8s.io", "ResourceSlice") => workloads::RESOURCE_SLICE,
        ("resource.k8s.io", _) => workloads::NAME_AND_AGE,
        _ => NAME_AND_CREATION,
    }
}

/// For kinds that nobody has written a table for.
const NAME_AND_CREATION: Printer =
    Printer { columns: &[NAME, date("Created At")], cells: |row| vec![row.name(), creation(row)] };

fn creation(row: &Row<'_>) -> Value {
    time(row.object, "/metadata/creationTimestamp").map_or_else(
        || "0001-01-01T00:00:00Z".into(),
        |then| jiff::Timestamp::from_second(then.as_second()).unwrap_or(then).to_string().into(),
    )
}
