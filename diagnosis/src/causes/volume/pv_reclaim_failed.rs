//! `pv-reclaim-failed`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PersistentVolume;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::facts::{operators, volumes};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A PersistentVolume was given back by a deleted claim and could not be cleaned up or deleted. It stays Failed for
    /// ever and can serve no claim.
    /// ## Signals
    /// The volume that the claim would take has phase Failed; events VolumeFailedDelete, VolumeFailedRecycle (`No
    /// recycler plugin found for the volume!`, `Recycle failed: ...`), VolumeUnknownReclaimPolicy; `.status.message` of
    /// the volume. Of a volume that is asked about itself also Released for more than two minutes with policy Delete, and,
    /// as a warning, Released with policy Retain: it waits for a person.
    /// ## Look-alikes
    /// `pvc-no-matching-volume`: a claim waits, and the volume is Released (policy Retain) or does not fit.
    /// `terminating-finalizer`: the volume is being deleted and waits for its driver.
    /// ## Fixes
    /// End what the error names; or save the data and delete the PersistentVolume.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go, deleteVolumeOperation and recycleVolumeOperation.
    PvReclaimFailed, stage Volume, since "0.1.0", detect
}

/// How long giving a volume back may take.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(volume) = case.subject_as::<PersistentVolume>() {
        return Ok(of_itself(case, &volume)?.into_iter().collect());
    }
    let mut found = Vec::new();
    for troubled in claims::troubled(case)? {
        if let Trouble::ReclaimFailed { volume } = &troubled.trouble {
            found.push(explain(case, &troubled, volume)?);
        }
    }
    Ok(found)
}

/// A volume that is asked about itself: Failed, or Released and not deleted, or kept for a person.
fn of_itself(case: &Case<'_>, volume: &PersistentVolume) -> Result<Option<Finding>, Needs> {
    let phase = volumes::phase(volume);
    if volume.metadata.deletion_timestamp.is_some() || !matches!(phase, "Failed" | "Released") {
        return Ok(None);
    }
    let spec = volume.spec.as_ref();
    let policy = spec.and_then(|spec| spec.persistent_volume_reclaim_policy.clone()).unwrap_or_default();
    let claim = spec.and_then(|spec| spec.claim_ref.as_ref()).map(|claim| {
        format!("{}/{}", claim.namespace.as_deref().unwrap_or_default(), claim.name.as_deref().unwrap_or_default())
    });
    let claim = claim.map(|claim| text![" of claim ", name(claim), ", which was deleted,"]);
    let events = case.own_events()?;
    let event = claims::newest(events, &["VolumeFailedDelete", "VolumeFailedRecycle", "VolumeUnknownReclaimPolicy"]);
    let of_status = volume.status.as_ref().and_then(|status| status.message.clone()).filter(|words| !words.is_empty());
    let words = event.as_ref().map(|event| event.message.clone()).or(of_status);
    let released =
        volume.status.as_ref().and_then(|status| status.last_phase_transition_time.as_ref()).map(|time| time.0);
    let finding = case
        .finding(Code::PvReclaimFailed)
        .root(case.reference())
        .evidence(case.field(".status.phase", phase).at(released))
        .evidence(case.field(".spec.persistentVolumeReclaimPolicy", &policy))
        .evidence(event.as_deref().map(Evidence::event))
        .since(released);
    let look = case.kubectl_cluster(["describe", "persistentvolume", case.name()]);
    if phase == "Released" && policy == "Retain" {
        return Ok(Some(kept(case, finding, claim)));
    }
    // To give a volume back takes a driver a moment.
    let lasts = released.or(event.as_ref().and_then(|event| event.last));
    if phase == "Released" && words.is_none() && lasts.is_none_or(|since| case.age(since) < PATIENCE) {
        return Ok(None);
    }
    let driver = provisioner(volume);
    let said = words.clone().map(|words| text![": ", quoted(words)]);
    let finding = finding
        .title(text!["PersistentVolume ", name(case.name()), " could not be given back (", code(&policy), ")"])
        .explain(text![
            "The volume",
            claim,
            " was to be cleaned up by its reclaim policy ",
            code(&policy),
            ", and that is not done",
            said,
            ". It is ",
            code(phase),
            " and serves no claim until then.",
        ]);
    let operator = match (&driver, &words) {
        (Some(driver), None) => operators::find(case, &[driver], None)?,
        _ => None,
    };
    let finding = finding.also(operator.as_ref().map(operators::Operator::sentence));
    let finding = match operator.filter(operators::Operator::is_down) {
        Some(operator) => finding.caused_in(operator.workload),
        None if words.is_none() => finding.confidence(Confidence::Likely),
        None => finding,
    };
    Ok(Some(
        finding.fix(Fix::safe(text!["end what the error names; the driver tries again by itself"]).command(look)).fix(
            Fix::risking_data(text!["or save what is on it, and delete the PersistentVolume"])
                .command(case.kubectl_cluster(["delete", "persistentvolume", case.name()])),
        ),
    ))
}

/// Policy Retain: the volume waits for a person, for ever.
fn kept(case: &Case<'_>, finding: Finding, claim: Option<Text>) -> Finding {
    let again = r#"[{"op":"remove","path":"/spec/claimRef"}]"#;
    finding
        .severity(Severity::Warning)
        .title(text!["PersistentVolume ", name(case.name()), " is Released and kept (policy Retain)"])
        .explain(text![
            "The volume",
            claim,
            " keeps its data until a person decides, as its reclaim policy ",
            code("Retain"),
            " says. No claim can take it, for its ",
            code("spec.claimRef"),
            " still names the old one.",
        ])
        .fix(
            Fix::risking_data(text!["free it for another claim, which then has the data"])
                .command(case.kubectl_cluster(["patch", "persistentvolume", case.name(), "--type=json", "-p", again])),
        )
        .fix(
            Fix::risking_data(text!["or delete it; what it stands for in the backend stays and is deleted there"])
                .command(case.kubectl_cluster(["delete", "persistentvolume", case.name()])),
        )
}

/// The driver that made the volume.
fn provisioner(volume: &PersistentVolume) -> Option<String> {
    let csi = volume.spec.as_ref().and_then(|spec| spec.csi.as_ref()).map(|csi| csi.driver.clone());
    let annotations = volume.metadata.annotations.as_ref();
    csi.or_else(|| annotations?.get("pv.kubernetes.io/provisioned-by").cloned()).filter(|driver| !driver.is_empty())
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
