//! `storage-class-missing`.

use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// A PersistentVolumeClaim names a StorageClass that the cluster does not have, so nobody makes a volume for it.
    /// ## Signals
    /// The claim is Pending, its class is absent, and no PersistentVolume carries that class; event ProvisioningFailed
    /// `storageclass.storage.k8s.io "NAME" not found`.
    /// ## Look-alikes
    /// `no-default-storage-class`: the claim names no class. `pvc-provisioning-failed`: the class is there, its driver
    /// fails. `pvc-no-matching-volume`: volumes of that class exist, the class needs no object.
    /// ## Fixes
    /// A claim's class cannot be changed: make the claim again with a class that exists, or create the class.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go.
    StorageClassMissing, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    Ok(claims::troubled(case)?.iter().filter_map(|troubled| explain(case, troubled)).collect())
}

fn explain(case: &Case<'_>, troubled: &Troubled) -> Option<Finding> {
    let Trouble::ClassMissing { class, others, event } = &troubled.trouble else { return None };
    let claim = troubled.reference(case);
    let nearest = others.as_ref().and_then(|others| crate::nearest::nearest(class, others.iter().map(String::as_str)));
    let has = others.clone().map(|others| {
        if others.is_empty() {
            text![" The cluster has no StorageClass at all."]
        } else {
            text![" The cluster has: ", Text::names(others, 8), "."]
        }
    });
    let root = ObjectRef::new(Kind::StorageClass, None, class);
    let explanation = text![
        "PersistentVolumeClaim ",
        name(claim.path()),
        " asks for storage of class ",
        name(class),
        ", and the cluster has no such class, so no volume is made for it.",
        has,
    ];
    let did_you_mean = nearest.map(|nearest| text![": did you mean ", name(nearest), "?"]);
    let rename = Fix::disruptive(text![
        "make the claim again with a class that exists (the class of a claim cannot be changed)",
        did_you_mean
    ])
    .command(case.kubectl(["get", "persistentvolumeclaim", &troubled.name, "-o", "yaml"]))
    .command(case.kubectl(["delete", "persistentvolumeclaim", &troubled.name]));
    let create = Fix::safe(text!["or create StorageClass ", name(class), "; the claim is then served by itself"])
        .command(case.kubectl_cluster(["get", "storageclass"]));
    let finding = troubled.finding(case, Code::StorageClassMissing);
    Some(
        finding
            .root(root)
            .title(text!["StorageClass ", name(class), " does not exist (claim ", name(claim.path()), ")"])
            .explain(explanation)
            .also(Troubled::so_the_pod_waits(case))
            .evidence(Evidence::field(&claim, ".spec.storageClassName", class))
            .evidence(event.as_deref().map(Evidence::event))
            .fix(rename)
            .fix(create),
    )
}
