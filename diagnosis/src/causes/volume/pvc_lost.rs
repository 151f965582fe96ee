//! `pvc-lost`.

use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The claim was bound to a PersistentVolume that does not exist any more. What was on it is out of Kubernetes'
    /// reach.
    /// ## Signals
    /// The claim's phase is Lost; event ClaimLost `Bound claim has lost its PersistentVolume. Data on the volume is
    /// lost!` or ClaimMisbound; the scheduler's `persistentvolumeclaim "NAME" bound to non-existent persistentvolume
    /// "VOLUME"`.
    /// ## Look-alikes
    /// `pvc-missing`: the claim itself is absent. `pvc-no-matching-volume`: the claim was never bound.
    /// ## Fixes
    /// Where the storage behind it still exists: make a PersistentVolume of the same name that points to it. Else make
    /// the claim again and restore a backup.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go, syncBoundClaim.
    PvcLost, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    Ok(claims::troubled(case)?.iter().filter_map(|troubled| explain(case, troubled)).collect())
}

fn explain(case: &Case<'_>, troubled: &Troubled) -> Option<Finding> {
    let Trouble::Lost { event } = &troubled.trouble else { return None };
    let claim = troubled.reference(case);
    let of_spec = troubled.claim.as_ref().and_then(|claim| claim.spec.as_ref()?.volume_name.clone());
    let of_words = troubled.verdict.as_ref().and_then(|verdict| {
        let rest = verdict.text.split_once("bound to non-existent persistentvolume \"")?.1;
        rest.split_once('"').map(|(volume, _)| volume.to_owned())
    });
    let volume = of_spec.or(of_words).filter(|volume| !volume.is_empty());
    let misbound = event.as_ref().is_some_and(|event| event.reason == "ClaimMisbound");
    let what = if misbound {
        text![" is bound to a volume that belongs to another claim"]
    } else {
        text![" was bound to a volume that does not exist any more"]
    };
    let root = volume.as_deref().map_or_else(|| claim.clone(), |it| ObjectRef::new(Kind::PersistentVolume, None, it));
    let remake = Fix::risking_data(text![
        "if the storage behind it still exists: make a PersistentVolume",
        volume.as_deref().map(|volume| text![" named ", name(volume)]),
        " that points to it; the claim binds again by itself"
    ])
    .command(case.kubectl(["get", "persistentvolumeclaim", &troubled.name, "-o", "yaml"]));
    let again = Fix::risking_data(text!["else delete the claim, make it again and restore a backup into it"])
        .command(case.kubectl(["delete", "persistentvolumeclaim", &troubled.name]));
    Some(
        troubled
            .finding(case, Code::PvcLost)
            .root(root)
            .title(text![
                "Claim ",
                name(claim.path()),
                " has lost its volume",
                volume.as_deref().map(|volume| text![" ", name(volume)])
            ])
            .explain(text![
                "PersistentVolumeClaim ",
                name(claim.path()),
                what,
                volume.as_deref().map(|volume| text![" (PersistentVolume ", name(volume), ")"]),
                ". Kubernetes never binds it to another one by itself.",
            ])
            .also(event.as_ref().map(|event| text!["The controller says: ", quoted(event.message.clone()), "."]))
            .also(Troubled::so_the_pod_waits(case))
            .evidence(troubled.phase(case))
            .evidence(event.as_deref().map(Evidence::event))
            .evidence(volume.map(|volume| Evidence::field(&claim, ".spec.volumeName", volume)))
            .fix(remake)
            .fix(again),
    )
}
