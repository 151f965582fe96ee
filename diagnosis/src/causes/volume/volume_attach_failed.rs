//! `volume-attach-failed`.

use k8s_openapi::api::storage::v1::VolumeAttachment;
use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::mounts::{self, Holdup, What};
use crate::facts::{drivers, operators};
use crate::finding::{Action, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The volume could not be attached to the pod's node: the storage driver or its attacher says why.
    /// ## Signals
    /// FailedAttachVolume `AttachVolume.Attach failed for volume "NAME" : ERROR` (the driver's words, `timed out
    /// waiting for external-attacher of DRIVER CSI driver to attach volume ...`, `volume attachment is being deleted`,
    /// `PersistentVolume "NAME" is marked for deletion`), `AttachVolume.FindAttachablePluginBySpec failed`,
    /// `AttachVolume.NewAttacher failed`; FailedMount with `is not attached for volume attachment` or `has GET error
    /// for volume attachment`. Known words: `InvalidVolume.ZoneMismatch`, `UnauthorizedOperation`, `VolumeInUse`, `is not
    /// ready for workloads` (Longhorn), limits of the machine.
    /// ## Look-alikes
    /// `volume-multi-attach`: another node has it. `csi-driver-missing`: `CSINode NODE does not contain driver DRIVER`.
    /// `volume-mount-failed`: it is attached, mounting fails. `volume-attach-limit`: the node takes no more volumes.
    /// ## Fixes
    /// What the error says; the attach is tried again by itself.
    /// ## Source
    /// pkg/volume/csi/csi_attacher.go, external-attacher pkg/controller/csi_handler.go.
    VolumeAttachFailed, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(attachment) = case.subject_as::<VolumeAttachment>() {
        return Ok(of_itself(case, &attachment)?.into_iter().collect());
    }
    mounts::of_kind(case, What::Attach)?.iter().map(|holdup| explain(case, holdup)).collect()
}

/// An attachment that is asked about itself: what its attacher wrote down.
fn of_itself(case: &Case<'_>, attachment: &VolumeAttachment) -> Result<Option<Finding>, Needs> {
    let Some(status) = attachment.status.as_ref() else { return Ok(None) };
    let leaves = attachment.metadata.deletion_timestamp.is_some();
    let (field, error) = match (&status.attach_error, &status.detach_error) {
        (_, Some(error)) if leaves => (".status.detachError.message", error),
        (Some(error), _) if !status.attached => (".status.attachError.message", error),
        _ => return Ok(None),
    };
    let words = error.message.clone().unwrap_or_default();
    let at = error.time.as_ref().map(|time| time.0);
    let spec = &attachment.spec;
    let volume = spec.source.persistent_volume_name.clone();
    let what = if leaves { "detached from" } else { "attached to" };
    let operator = operators::find(case, &[&spec.attacher], None)?;
    let finding =
        case.finding(Code::VolumeAttachFailed)
            .root(
                volume
                    .as_ref()
                    .map_or_else(|| case.reference(), |volume| ObjectRef::new(Kind::PersistentVolume, None, volume)),
            )
            .title(text![
                "Volume ",
                volume.map(|volume| text![name(volume)]),
                " cannot be ",
                what,
                " node ",
                name(spec.node_name.clone())
            ])
            .explain(text![
                "The attacher ",
                name(spec.attacher.clone()),
                " tried, and the driver said: ",
                quoted(mounts::own_words(&words)),
                ". It is tried again by itself.",
            ])
            .also(operator.as_ref().map(operators::Operator::sentence))
            .evidence(case.field(field, words.clone()).at(at))
            .fix(
                Fix::safe(text!["mend what the error names; it is tried again by itself"])
                    .command(case.kubectl_cluster(["describe", "volumeattachment", case.name()])),
            )
            .fix(operator.as_ref().map(|it| Fix::safe(text!["read the attacher's log"]).command(it.logs(case))));
    Ok(Some(match operator.filter(operators::Operator::is_down) {
        Some(operator) => finding.caused_in(operator.workload),
        None => finding,
    }))
}

/// The attacher's own workload, where the attacher does not answer and its workload is seen to be down.
fn attacher(case: &Case<'_>, holdup: &Holdup) -> Result<Option<operators::Operator>, Needs> {
    let Some((_, rest)) = holdup.error.split_once("timed out waiting for external-attacher of ") else {
        return Ok(None);
    };
    let driver = rest.split(' ').next().unwrap_or_default();
    Ok(operators::find(case, &[driver], None)?.filter(operators::Operator::is_down))
}

fn explain(case: &Case<'_>, holdup: &Holdup) -> Result<Finding, Needs> {
    let node = mounts::node_name(case);
    let words = mounts::own_words(&holdup.error);
    let volume = mounts::called(case, &holdup.volume);
    let (means, fix) = match drivers::known(case, holdup)? {
        Some(known) => (Some(known.means), Some(known.fix)),
        None => advice(case, holdup, &node),
    };
    let mut finding = case.finding(Code::VolumeAttachFailed);
    if let Some(claim) = mounts::only_claim(case) {
        finding = finding.via(case.neighbour(Kind::PersistentVolumeClaim, &claim));
    }
    if let Some(volume) = mounts::persistent(case, &holdup.volume) {
        finding = finding.root(volume);
    }
    if let Some(attacher) = attacher(case, holdup)? {
        finding = finding.caused_in(attacher.workload);
    }
    Ok(finding
        .title(text![
            "The ",
            volume.clone(),
            " of pod ",
            name(case.name()),
            " cannot be attached to node ",
            name(&node)
        ])
        .explain(text![
            "Before pod ",
            name(case.name()),
            " can start, its ",
            volume,
            " has to be attached to node ",
            name(&node),
            ", and that fails: ",
            quoted(words),
            ".",
        ])
        .also(means)
        .evidence(Evidence::event(&holdup.event))
        .fix(fix)
        .fix(
            Fix::safe(text!["mend what the error names; the attach is tried again by itself"])
                .command(case.kubectl_cluster(["get", "volumeattachment"]))
                .command(case.kubectl(["describe", "pod", case.name()])),
        )
        .since(holdup.event.first))
}

fn advice(case: &Case<'_>, holdup: &Holdup, node: &str) -> (Option<Text>, Option<Fix>) {
    let has = |part: &str| holdup.error.contains(part);
    if let Some((_, rest)) = holdup.error.split_once("timed out waiting for external-attacher of ") {
        let driver = rest.split(' ').next().unwrap_or_default();
        let means =
            text!["The attacher of driver ", name(driver), " did not answer: it does not run, or its backend is slow."];
        let fix = Fix::safe(text!["look at the controller pods of driver ", name(driver), " (container csi-attacher)"])
            .command("kubectl get pods -A | grep -i csi".to_owned());
        return (Some(means), Some(fix));
    }
    let volume = |words: Text| {
        let fix = Fix::safe(words);
        if holdup.volume.is_empty() {
            return fix.command(case.kubectl_cluster(["get", "persistentvolumes"]));
        }
        fix.command(case.kubectl_cluster(["get", "persistentvolume", &holdup.volume, "-o", "yaml"]))
    };
    if has("marked for deletion") {
        let fix = volume(text!["make a new claim for the pod; where its data matters, set Retain on the volume first"]);
        return (Some(text!["The volume itself is being deleted, so nothing attaches it any more."]), Some(fix));
    }
    if has("volume attachment is being deleted") || has("volume attachment has been deleted") {
        let means = text!["An earlier attachment of the same volume is still being removed."];
        let fix = Fix::risking_data(text![
            "if it stays for long, find what keeps that VolumeAttachment before you remove it"
        ])
        .command(case.kubectl_cluster(["describe", "volumeattachment"]))
        .remedy(Action::DeleteVolumeAttachment);
        return (Some(means), Some(fix));
    }
    let in_use =
        ["is already attached", "already attached", "VolumeInUse", "in use", "RESOURCE_IN_USE", "being detached"];
    if in_use.iter().any(|word| has(word)) {
        let fix = volume(text![
            "see in the storage backend to which machine the disk of the volume (volumeHandle) is attached; stop what \
             uses it there, then detach it"
        ])
        .command(case.kubectl_cluster(["get", "volumeattachments"]));
        return (
            Some(text!["The backend still has it attached to another machine, maybe one outside of this cluster."]),
            Some(fix),
        );
    }
    let denied = [
        "UnauthorizedOperation",
        "AccessDenied",
        "Unauthenticated",
        "PermissionDenied",
        "AuthorizationFailed",
        "not authorized to perform",
        "does not have authorization",
        "Required 'compute.",
    ];
    if denied.iter().any(|word| has(word)) {
        return (
            Some(text!["The backend does not let the driver attach volumes: its credentials or role lack the right."]),
            Some(permit(case, &holdup.error)),
        );
    }
    if ["code = NotFound", "NotFound", "not found", "does not exist"].iter().any(|word| has(word)) {
        let fix = volume(text![
            "look for the disk (volumeHandle) in the storage backend: restore it from a snapshot or backup, or, where \
             its data can be lost, make claim and volume anew"
        ]);
        return (
            Some(text!["The storage behind the volume is not there any more: it was deleted outside of Kubernetes."]),
            Some(fix),
        );
    }
    let limit = ["maximum number", "AttachmentLimitExceeded", "limit exceeded", "too many", "instance limit"];
    if limit.iter().any(|word| has(word)) {
        let fix = Fix::disruptive(text!["move the pod to a node with room for volumes"])
            .command(case.kubectl_cluster(["describe", "csinode", node]));
        return (Some(text!["The machine takes no more volumes."]), Some(fix));
    }
    (None, None)
}

/// The right that the driver lacks, given where that cloud keeps it.
fn permit(case: &Case<'_>, error: &str) -> Fix {
    let has = |any: &[&str]| any.iter().any(|word| error.contains(word));
    if has(&["UnauthorizedOperation", "ec2:", "vol-"]) {
        return Fix::safe(text![
            "give the role of the EBS driver the right that the error names (policy AmazonEBSCSIDriverPolicy), and see \
             that its ServiceAccount has that role"
        ])
        .command(case.kubectl_in("kube-system", ["get", "serviceaccount", "ebs-csi-controller-sa", "-o", "yaml"]));
    }
    if has(&["Microsoft.Compute", "AuthorizationFailed"]) {
        return Fix::safe(text![
            "give the identity of the Azure cluster the right that the error names on the disk's resource group (role \
             Contributor)"
        ]);
    }
    if has(&["compute."]) {
        return Fix::safe(text![
            "give the service account of the Google disk driver the right that the error names (role \
             compute.storageAdmin)"
        ]);
    }
    Fix::safe(text!["give the storage driver's credentials the right that the error names"])
        .command("kubectl get pods -A | grep -i csi".to_owned())
}
