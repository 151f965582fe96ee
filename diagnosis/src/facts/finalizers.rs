//! Finalizers: whose they are, what they wait for, and what is lost when one is removed by hand.

use jiff::SignedDuration;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kubewhy_text::{Text, text};

use crate::case::Case;
use crate::reader::{Needs, Read};

/// A holder renews its lease every few seconds; a clean stop leaves it without a holder.
const LEASE_IS_STALE: SignedDuration = SignedDuration::from_secs(90);

/// What is known of a finalizer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Keeper {
    /// The controller that takes it off.
    pub(crate) owner: &'static str,
    /// What that waits for.
    pub(crate) waits_for: &'static str,
    /// What is lost when the finalizer is taken off by hand.
    pub(crate) lost: &'static str,
}

/// `(prefix or whole name, owner, waits for, lost)`; the first that fits.
const KNOWN: &[(&str, &str, &str, &str)] = &[
    (
        "kubernetes.io/pvc-protection",
        "the controller-manager",
        "no pod uses the claim",
        "the volume is taken away under a running pod",
    ),
    (
        "kubernetes.io/pv-protection",
        "the controller-manager",
        "no claim is bound to the volume",
        "the claim becomes Lost",
    ),
    (
        "external-provisioner.volume.kubernetes.io/finalizer",
        "the driver's provisioner",
        "the volume is deleted in the storage backend",
        "the disk stays in the backend, and is billed",
    ),
    (
        "kubernetes.io/pv-controller",
        "the controller-manager",
        "the volume is deleted in the storage backend",
        "the disk stays in the backend, and is billed",
    ),
    (
        "external-attacher/",
        "the driver's attacher",
        "the volume is detached",
        "it stays attached, or is attached twice",
    ),
    (
        "snapshot.storage.kubernetes.io/",
        "the snapshot controller",
        "the snapshot is removed, and no restore runs",
        "a snapshot is orphaned, or a restore breaks",
    ),
    (
        "provisioner.storage.kubernetes.io/",
        "the driver's provisioner",
        "the clone or restore is done",
        "the clone is half done",
    ),
    ("foregroundDeletion", "the garbage collector", "what the object owns is gone", "what it owns is orphaned"),
    ("orphan", "the garbage collector", "what the object owns has let go of it", "what it owns is deleted later"),
    ("batch.kubernetes.io/job-tracking", "the job controller", "the pod is counted in its Job", "the Job miscounts"),
    (
        "service.kubernetes.io/load-balancer-cleanup",
        "the cloud's service controller",
        "the load balancer is deleted",
        "the load balancer is orphaned",
    ),
    (
        "service.k8s.aws/",
        "the AWS Load Balancer Controller",
        "its AWS objects are deleted",
        "load balancers are orphaned",
    ),
    (
        "ingress.k8s.aws/",
        "the AWS Load Balancer Controller",
        "its AWS objects are deleted",
        "load balancers are orphaned",
    ),
    (
        "group.ingress.k8s.aws/",
        "the AWS Load Balancer Controller",
        "its AWS objects are deleted",
        "load balancers are orphaned",
    ),
    (
        "elbv2.k8s.aws/",
        "the AWS Load Balancer Controller",
        "its AWS objects are deleted",
        "load balancers are orphaned",
    ),
    (
        "gateway.k8s.aws/",
        "the AWS Load Balancer Controller",
        "its AWS objects are deleted",
        "load balancers are orphaned",
    ),
    ("networking.gke.io/", "the GKE ingress controller", "its cloud objects are unused", "load balancers are orphaned"),
    (
        "customresourcecleanup.apiextensions.k8s.io",
        "the API server",
        "all its instances are gone",
        "instances stay in etcd",
    ),
    (
        "resource.kubernetes.io/delete-protection",
        "the resource claim controller",
        "the devices are given back",
        "the state of the device",
    ),
    (
        "karpenter.sh/termination",
        "Karpenter",
        "the node is drained and its machine ended",
        "the machine runs on, and is billed",
    ),
    (
        "resources-finalizer.argocd.argoproj.io",
        "the Argo CD controller",
        "the application's resources are pruned",
        "the resources stay",
    ),
    ("pre-delete-finalizer.argocd.argoproj.io", "the Argo CD controller", "its hook has run", "the hook does not run"),
    ("post-delete-finalizer.argocd.argoproj.io", "the Argo CD controller", "its hook has run", "the hook does not run"),
    (
        "finalizer.managedresource.crossplane.io",
        "the Crossplane provider",
        "the external object is deleted",
        "the cloud object is orphaned",
    ),
    ("in-use.crossplane.io", "the Crossplane provider", "nothing uses it any more", "objects lose their credentials"),
    ("acme.cert-manager.io/finalizer", "cert-manager", "the challenge's record is cleaned up", "a DNS record stays"),
    ("finalizer.acme.cert-manager.io", "cert-manager", "the challenge's record is cleaned up", "a DNS record stays"),
    ("finalizers.fluxcd.io", "the Flux controllers", "its resources are pruned", "the resources stay"),
    ("finalizer.keda.sh", "the KEDA operator", "the scale is restored", "the last size stays"),
    ("kueue.x-k8s.io/managed", "Kueue", "the workload is finished", "the quota is miscounted"),
    (
        "ceph.rook.io/disaster-protection",
        "nobody: it is there on purpose",
        "a person decides",
        "Ceph's identity, and with it the data",
    ),
    (
        "controller.cattle.io/namespace-auth",
        "Rancher (often stale)",
        "its bindings are cleaned up",
        "role bindings stay",
    ),
    (
        "istio-finalizer.install.istio.io",
        "the Istio operator, which is discontinued (stale)",
        "its control plane is pruned",
        "the control plane stays",
    ),
    (
        "kubernetes.io/vac-protection",
        "the controller-manager",
        "nothing uses the class",
        "claims name a class that is gone",
    ),
    (
        "networking.k8s.io/service-cidr-finalizer",
        "the controller-manager",
        "no Service has an address of it",
        "addresses are given twice",
    ),
];

/// What is known of a finalizer of that name.
pub(crate) fn keeper(finalizer: &str) -> Option<Keeper> {
    let fits = |known: &str| {
        finalizer == known
            || (known.ends_with('/') && finalizer.starts_with(known))
            || finalizer.strip_prefix(known).is_some_and(|rest| rest.starts_with('/'))
    };
    KNOWN.iter().find(|(known, ..)| fits(known)).map(|&(_, owner, waits_for, lost)| Keeper { owner, waits_for, lost })
}

/// Tells whether that owner is a part of the controller-manager.
pub(crate) fn is_core(owner: &str) -> bool {
    matches!(
        owner,
        "the controller-manager" | "the garbage collector" | "the job controller" | "the resource claim controller"
    )
}

/// A sentence where the controller-manager is seen not to run: then nothing of Kubernetes' own takes a finalizer off.
pub(crate) fn controller_manager_is_down(case: &Case<'_>) -> Result<Option<Text>, Needs> {
    let Read::Found(lease) = case.get::<Lease>(Some("kube-system"), "kube-controller-manager")? else {
        return Ok(None);
    };
    let Some(spec) = lease.spec.as_ref() else { return Ok(None) };
    let renewed = spec.renew_time.as_ref().map(|time| time.0);
    let stale = renewed.is_some_and(|renewed| case.age(renewed) > LEASE_IS_STALE);
    let down = stale || spec.holder_identity.as_deref() == Some("");
    Ok(down.then(|| {
        let since = renewed.map(|renewed| text![" since ", renewed]);
        text![
            "The controller-manager does not run: its lease has not been renewed",
            since,
            ", so nobody takes the finalizer off."
        ]
    }))
}

/// The domain of a finalizer, which tells whose it is.
pub(crate) fn domain(finalizer: &str) -> Option<&str> {
    finalizer.split_once('/').map(|(domain, _)| domain).filter(|domain| domain.contains('.'))
}

/// Who wrote the finalizer, as the managed fields tell.
pub(crate) fn writer(meta: &ObjectMeta, finalizer: &str) -> Option<String> {
    let key = format!("v:\"{finalizer}\"");
    let writes = |fields: &serde_json::Value| {
        let finalizers = fields.get("f:metadata").and_then(|metadata| metadata.get("f:finalizers"));
        finalizers.is_some_and(|finalizers| finalizers.get(&key).is_some())
    };
    let mut entries = meta.managed_fields.iter().flatten();
    let entry = entries.find(|entry| entry.fields_v1.as_ref().is_some_and(|fields| writes(&fields.0)))?;
    entry.manager.clone()
}

#[cfg(test)]
mod tests {
    use super::{domain, keeper};

    #[test]
    fn finalizers_are_known_by_name_or_prefix() {
        assert_eq!(keeper("kubernetes.io/pvc-protection").map(|keeper| keeper.owner), Some("the controller-manager"));
        assert!(keeper("external-attacher/ebs-csi-aws-com").is_some());
        assert!(keeper("resources-finalizer.argocd.argoproj.io/background").is_some());
        assert!(keeper("resources-finalizer.argocd.argoproj.io").is_some());
        assert_eq!(keeper("example.com/drain"), None);
        assert_eq!((domain("example.com/drain"), domain("orphan")), (Some("example.com"), None));
    }
}
