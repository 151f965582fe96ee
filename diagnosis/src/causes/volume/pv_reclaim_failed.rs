//! `pv-reclaim-failed`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kubewhy_text::{code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::facts::volumes;
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A PersistentVolume was given back by a deleted claim and could not be cleaned up or deleted. It stays Failed for
    /// ever and can serve no claim.
    /// ## Signals
    /// The volume that the claim would take has phase Failed; events VolumeFailedDelete, VolumeFailedRecycle (`No
    /// recycler plugin found for the volume!`, `Recycle failed: ...`), VolumeUnknownReclaimPolicy; `.status.message` of
    /// the volume.
    /// ## Look-alikes
    /// `pvc-no-matching-volume`: the volume is Released and waits for a person (policy Retain), or does not fit.
    /// `terminating-finalizer`: the volume is being deleted and waits for its driver.
    /// ## Fixes
    /// End what the error names; or save the data and delete the PersistentVolume.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go, deleteVolumeOperation and recycleVolumeOperation.
    PvReclaimFailed, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for troubled in claims::troubled(case)? {
        if let Trouble::ReclaimFailed { volume } = &troubled.trouble {
            found.push(explain(case, &troubled, volume)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, troubled: &Troubled, volume: &PersistentVolume) -> Result<Finding, Needs> {
    let volume_name = volume.metadata.name.as_deref().unwrap_or_default();
    let root = ObjectRef::new(Kind::PersistentVolume, None, volume_name);
    let uid = volume.metadata.uid.as_deref();
    let events = case.events(Kind::PersistentVolume, None, volume_name, uid)?;
    let event = claims::newest(&events, &["VolumeFailedDelete", "VolumeFailedRecycle", "VolumeUnknownReclaimPolicy"]);
    let of_status = volume.status.as_ref().and_then(|status| status.message.clone());
    let words = event.as_ref().map(|event| event.message.clone()).or(of_status);
    let policy = volume.spec.as_ref().and_then(|spec| spec.persistent_volume_reclaim_policy.clone());
    let claim = troubled.reference(case);
    Ok(troubled
        .finding(case, Code::PvReclaimFailed)
        .root(root.clone())
        .title(text![
            "PersistentVolume ",
            name(volume_name),
            " could not be cleaned up, so claim ",
            name(claim.path()),
            " has no volume"
        ])
        .explain(text![
            "The volume that fits the claim was given back by a deleted claim, and its reclaim policy",
            policy.map(|policy| text![" ", code(policy)]),
            " could not be carried out",
            words.map(|words| text![": ", quoted(words)]),
            ". It is Failed and serves no claim until a person steps in.",
        ])
        .also(Troubled::so_the_pod_waits(case))
        .evidence(Evidence::field(&root, ".status.phase", volumes::phase(volume)))
        .evidence(event.as_deref().map(Evidence::event))
        .fix(
            Fix::safe(text!["end what the error names, then look whether the volume is deleted or Available"])
                .command(case.kubectl_cluster(["describe", "persistentvolume", volume_name])),
        )
        .fix(
            Fix::risking_data(text!["or save what is on it, delete the PersistentVolume and make a new one"])
                .command(case.kubectl_cluster(["delete", "persistentvolume", volume_name])),
        ))
}
