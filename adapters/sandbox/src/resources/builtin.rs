//! The built-in resources, in the order of discovery.

use std::borrow::Cow;

use super::{Resource, Subresource, Word};

const EVERY: &[&str] = &["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
const NOT_AS_COLLECTION: &[&str] = &["create", "delete", "get", "list", "patch", "update", "watch"];
const CREATE: &[&str] = &["create"];
const READ: &[&str] = &["get", "list"];

#[derive(Clone, Copy)]
enum Scope {
    Cluster,
    Namespace,
}
use Scope::{Cluster, Namespace};

struct Served {
    group: &'static str,
    version: &'static str,
    rows: &'static [Row],
}

/// Kind, plural, short names, scope, categories, verbs, subresources.
struct Row(
    &'static str,
    &'static str,
    &'static [&'static str],
    Scope,
    &'static [&'static str],
    &'static [&'static str],
    &'static [&'static str],
);

const BUILTIN: &[Served] = &[
    Served {
        group: "",
        version: "v1",
        rows: &[
            Row("Binding", "bindings", &[], Namespace, &[], CREATE, &[]),
            Row("ComponentStatus", "componentstatuses", &["cs"], Cluster, &[], READ, &[]),
            Row("ConfigMap", "configmaps", &["cm"], Namespace, &[], EVERY, &[]),
            Row("Endpoints", "endpoints", &["ep"], Namespace, &[], EVERY, &[]),
            Row("Event", "events", &["ev"], Namespace, &[], EVERY, &[]),
            Row("LimitRange", "limitranges", &["limits"], Namespace, &[], EVERY, &[]),
            Row("Namespace", "namespaces", &["ns"], Cluster, &[], NOT_AS_COLLECTION, &["finalize", "status"]),
            Row("Node", "nodes", &["no"], Cluster, &[], EVERY, &["proxy", "status"]),
            Row("PersistentVolumeClaim", "persistentvolumeclaims", &["pvc"], Namespace, &[], EVERY, &["status"]),
            Row("PersistentVolume", "persistentvolumes", &["pv"], Cluster, &[], EVERY, &["status"]),
            Row(
                "Pod",
                "pods",
                &["po"],
                Namespace,
                &["all"],
                EVERY,
                &[
                    "attach",
                    "binding",
                    "ephemeralcontainers",
                    "eviction",
                    "exec",
                    "log",
                    "portforward",
                    "proxy",
                    "resize",
                    "status",
                ],
            ),
            Row("PodTemplate", "podtemplates", &[], Namespace, &[], EVERY, &[]),
            Row(
                "ReplicationController",
                "replicationcontrollers",
                &["rc"],
                Namespace,
                &["all"],
                EVERY,
                &["scale", "status"],
            ),
            Row("ResourceQuota", "resourcequotas", &["quota"], Namespace, &[], EVERY, &["status"]),
            Row("Secret", "secrets", &[], Namespace, &[], EVERY, &[]),
            Row("ServiceAccount", "serviceaccounts", &["sa"], Namespace, &[], EVERY, &["token"]),
            Row("Service", "services", &["svc"], Namespace, &["all"], EVERY, &["proxy", "status"]),
        ],
    },
    Served {
        group: "apiregistration.k8s.io",
        version: "v1",
        rows: &[Row("APIService", "apiservices", &[], Cluster, &["api-extensions"], EVERY, &["status"])],
    },
    Served {
        group: "apps",
        version: "v1",
        rows: &[
            Row("ControllerRevision", "controllerrevisions", &[], Namespace, &[], EVERY, &[]),
            Row("DaemonSet", "daemonsets", &["ds"], Namespace, &["all"], EVERY, &["status"]),
            Row("Deployment", "deployments", &["deploy"], Namespace, &["all"], EVERY, &["scale", "status"]),
            Row("ReplicaSet", "replicasets", &["rs"], Namespace, &["all"], EVERY, &["scale", "status"]),
            Row("StatefulSet", "statefulsets", &["sts"], Namespace, &["all"], EVERY, &["scale", "status"]),
        ],
    },
    Served {
        group: "events.k8s.io",
        version: "v1",
        rows: &[Row("Event", "events", &["ev"], Namespace, &[], EVERY, &[])],
    },
    Served {
        group: "authentication.k8s.io",
        version: "v1",
        rows: &[
            Row("SelfSubjectReview", "selfsubjectreviews", &[], Cluster, &[], CREATE, &[]),
            Row("TokenReview", "tokenreviews", &[], Cluster, &[], CREATE, &[]),
        ],
    },
    Served {
        group: "authorization.k8s.io",
        version: "v1",
        rows: &[
            Row("LocalSubjectAccessReview", "localsubjectaccessreviews", &[], Namespace, &[], CREATE, &[]),
            Row("SelfSubjectAccessReview", "selfsubjectaccessreviews", &[], Cluster, &[], CREATE, &[]),
            Row("SelfSubjectRulesReview", "selfsubjectrulesreviews", &[], Cluster, &[], CREATE, &[]),
            Row("SubjectAccessReview", "subjectaccessreviews", &[], Cluster, &[], CREATE, &[]),
        ],
    },
    Served {
        group: "autoscaling",
        version: "v2",
        rows: &[Row(
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            &["hpa"],
            Namespace,
            &["all"],
            EVERY,
            &["status"],
        )],
    },
    Served {
        group: "autoscaling",
        version: "v1",
        rows: &[Row(
            "HorizontalPodAutoscaler",
            "horizontalpodautoscalers",
            &["hpa"],
            Namespace,
            &["all"],
            EVERY,
            &["status"],
        )],
    },
    Served {
        group: "batch",
        version: "v1",
        rows: &[
            Row("CronJob", "cronjobs", &["cj"], Namespace, &["all"], EVERY, &["status"]),
            Row("Job", "jobs", &[], Namespace, &["all"], EVERY, &["status"]),
        ],
    },
    Served {
        group: "certificates.k8s.io",
        version: "v1",
        rows: &[Row(
            "CertificateSigningRequest",
            "certificatesigningrequests",
            &["csr"],
            Cluster,
            &[],
            EVERY,
            &["approval", "status"],
        )],
    },
    Served {
        group: "networking.k8s.io",
        version: "v1",
        rows: &[
            Row("IngressClass", "ingressclasses", &[], Cluster, &[], EVERY, &[]),
            Row("Ingress", "ingresses", &["ing"], Namespace, &[], EVERY, &["status"]),
            Row("IPAddress", "ipaddresses", &["ip"], Cluster, &[], EVERY, &[]),
            Row("NetworkPolicy", "networkpolicies", &["netpol"], Namespace, &[], EVERY, &[]),
            Row("ServiceCIDR", "servicecidrs", &[], Cluster, &[], EVERY, &["status"]),
        ],
    },
    Served {
        group: "policy",
        version: "v1",
        rows: &[Row("PodDisruptionBudget", "poddisruptionbudgets", &["pdb"], Namespace, &[], EVERY, &["status"])],
    },
    Served {
        group: "rbac.authorization.k8s.io",
        version: "v1",
        rows: &[
            Row("ClusterRoleBinding", "clusterrolebindings", &[], Cluster, &[], EVERY, &[]),
            Row("ClusterRole", "clusterroles", &[], Cluster, &[], EVERY, &[]),
            Row("RoleBinding", "rolebindings", &[], Namespace, &[], EVERY, &[]),
            Row("Role", "roles", &[], Namespace, &[], EVERY, &[]),
        ],
    },
    Served {
        group: "storage.k8s.io",
        version: "v1",
        rows: &[
            Row("CSIDriver", "csidrivers", &[], Cluster, &[], EVERY, &[]),
            Row("CSINode", "csinodes", &[], Cluster, &[], EVERY, &[]),
            Row("CSIStorageCapacity", "csistoragecapacities", &[], Namespace, &[], EVERY, &[]),
            Row("StorageClass", "storageclasses", &["sc"], Cluster, &[], EVERY, &[]),
            Row("VolumeAttachment", "volumeattachments", &[], Cluster, &[], EVERY, &["status"]),
            Row("VolumeAttributesClass", "volumeattributesclasses", &["vac"], Cluster, &[], EVERY, &[]),
        ],
    },
    Served {
        group: "admissionregistration.k8s.io",
        version: "v1",
        rows: &[
            Row(
                "MutatingWebhookConfiguration",
                "mutatingwebhookconfigurations",
                &[],
                Cluster,
                &["api-extensions"],
                EVERY,
                &[],
            ),
            Row(
                "ValidatingAdmissionPolicy",
                "validatingadmissionpolicies",
                &[],
                Cluster,
                &["api-extensions"],
                EVERY,
                &["status"],
            ),
            Row(
                "ValidatingAdmissionPolicyBinding",
                "validatingadmissionpolicybindings",
                &[],
                Cluster,
                &["api-extensions"],
                EVERY,
                &[],
            ),
            Row(
                "ValidatingWebhookConfiguration",
                "validatingwebhookconfigurations",
                &[],
                Cluster,
                &["api-extensions"],
                EVERY,
                &[],
            ),
        ],
    },
    Served {
        group: "apiextensions.k8s.io",
        version: "v1",
        rows: &[Row(
            "CustomResourceDefinition",
            "customresourcedefinitions",
            &["crd", "crds"],
            Cluster,
            &["api-extensions"],
            EVERY,
            &["status"],
        )],
    },
    Served {
        group: "scheduling.k8s.io",
        version: "v1",
        rows: &[Row("PriorityClass", "priorityclasses", &["pc"], Cluster, &[], EVERY, &[])],
    },
    Served {
        group: "coordination.k8s.io",
        version: "v1",
        rows: &[Row("Lease", "leases", &[], Namespace, &[], EVERY, &[])],
    },
    Served {
        group: "node.k8s.io",
        version: "v1",
        rows: &[Row("RuntimeClass", "runtimeclasses", &[], Cluster, &[], EVERY, &[])],
    },
    Served {
        group: "discovery.k8s.io",
        version: "v1",
        rows: &[Row("EndpointSlice", "endpointslices", &[], Namespace, &[], EVERY, &[])],
    },
    Served {
        group: "resource.k8s.io",
        version: "v1",
        rows: &[
            Row("DeviceClass", "deviceclasses", &[], Cluster, &[], EVERY, &[]),
            Row("ResourceClaim", "resourceclaims", &[], Namespace, &[], EVERY, &["status"]),
            Row("ResourceClaimTemplate", "resourceclaimtemplates", &[], Namespace, &[], EVERY, &[]),
            Row("ResourceSlice", "resourceslices", &[], Cluster, &[], EVERY, &[]),
        ],
    },
    Served {
        group: "flowcontrol.apiserver.k8s.io",
        version: "v1",
        rows: &[
            Row("FlowSchema", "flowschemas", &[], Cluster, &[], EVERY, &["status"]),
            Row("PriorityLevelConfiguration", "prioritylevelconfigurations", &[], Cluster, &[], EVERY, &["status"]),
        ],
    },
];

pub(super) fn resources() -> impl Iterator<Item = Resource> {
    BUILTIN.iter().flat_map(|version| version.rows.iter().map(move |row| resource(version, row)))
}

fn resource(served: &Served, row: &Row) -> Resource {
    let &Row(kind, plural, short_names, scope, categories, verbs, subresources) = row;
    Resource {
        group: served.group.into(),
        version: served.version.into(),
        kind: kind.into(),
        list_kind: format!("{kind}List").into(),
        plural: plural.into(),
        singular: kind.to_lowercase().into(),
        short_names: words(short_names),
        namespaced: matches!(scope, Namespace),
        categories: words(categories),
        verbs: words(verbs),
        subresources: subresources.iter().map(|name| subresource(kind, name)).collect(),
        custom: None,
    }
}

fn subresource(kind: &'static str, name: &'static str) -> Subresource {
    let (group, version, kind, verbs): (_, _, Word, &[&str]) = match name {
        "attach" | "exec" | "portforward" => ("", "", options(kind, name), &["create", "get"]),
        "proxy" => ("", "", options(kind, name), &["create", "delete", "get", "patch", "update"]),
        "binding" => ("", "", "Binding".into(), CREATE),
        "eviction" => ("policy", "v1", "Eviction".into(), CREATE),
        "token" => ("authentication.k8s.io", "v1", "TokenRequest".into(), CREATE),
        "scale" => ("autoscaling", "v1", "Scale".into(), &["get", "patch", "update"]),
        "log" => ("", "", kind.into(), &["get"]),
        "finalize" => ("", "", kind.into(), &["update"]),
        _ => ("", "", kind.into(), &["get", "patch", "update"]),
    };
    Subresource { name: name.into(), group: group.into(), version: version.into(), kind, verbs: words(verbs) }
}

/// The kind of the options of a connection: `PodExecOptions`.
fn options(kind: &str, name: &str) -> Word {
    let camel = match name {
        "attach" => "Attach",
        "exec" => "Exec",
        "portforward" => "PortForward",
        _ => "Proxy",
    };
    format!("{kind}{camel}Options").into()
}

fn words(words: &[&'static str]) -> Vec<Word> {
    words.iter().copied().map(Cow::Borrowed).collect()
}
