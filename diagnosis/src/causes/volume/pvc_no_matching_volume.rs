//! `pvc-no-matching-volume`.

use k8s_openapi::api::core::v1::PersistentVolume;
use kubewhy_text::{Text, code, name, own, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::facts::volumes;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;

cause! {
    /// ## What it means
    /// The claim waits for a PersistentVolume that somebody makes by hand, and none of those that exist fits it.
    /// ## Signals
    /// The claim is Pending; its class has provisioner `kubernetes.io/no-provisioner`, or it has none and asks for a
    /// volume by name, by selector or with `storageClassName: ""`; event VolumeMismatch `Cannot bind to requested
    /// volume "NAME": ...`, or ProvisioningFailed `no volume plugin matched name: kubernetes.io/no-provisioner`; the
    /// scheduler's `node(s) didn't find available persistent volumes to bind`. The nearest volume is too small, of
    /// another class, access mode or volumeMode, does not match the selector, belongs to another claim, or is Released
    /// with the old `claimRef`.
    /// ## Look-alikes
    /// `pvc-provisioning-failed`: a driver makes the volumes. `volume-node-affinity-conflict`: the claim is bound, and
    /// its volume cannot be used on the node. `pv-reclaim-failed`: the fitting volume could not be cleaned up.
    /// ## Fixes
    /// Make a volume that fits, or free the nearest: a Released volume is free again once its `claimRef` is removed.
    /// ## Source
    /// pkg/controller/volume/persistentvolume/pv_controller.go, component-helpers/storage/volume/pv_helpers.go.
    PvcNoMatchingVolume, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let troubled = claims::troubled(case)?;
    let by_hand = troubled.iter().filter_map(|troubled| explain(case, troubled));
    let by_driver = troubled.iter().filter_map(|troubled| nowhere(case, troubled));
    Ok(by_hand.chain(by_driver).collect())
}

/// A driver makes the volumes, and can make none where the pod may run.
fn nowhere(case: &Case<'_>, troubled: &Troubled) -> Option<Finding> {
    let Trouble::NoPlace { class, no_room } = &troubled.trouble else { return None };
    let claim = troubled.reference(case);
    let size = troubled.claim.as_deref().and_then(claims::wanted_size);
    let why = if *no_room {
        text!["its driver reports too little free storage on the nodes where the pod could run"]
    } else {
        text![
            "none of the nodes where the pod could run lies where the class allows volumes (",
            code("allowedTopologies"),
            ")"
        ]
    };
    let fix = if *no_room {
        Fix::safe(text!["free or add storage for class ", name(class), ", or ask for less"])
    } else {
        Fix::safe(text!["compare ", code("allowedTopologies"), " of the class with the labels of the nodes"])
    };
    let look = case.kubectl_cluster(["get", "storageclass", class, "-o", "yaml"]);
    Some(
        troubled
            .finding(case, Code::PvcNoMatchingVolume)
            .root(ObjectRef::new(Kind::StorageClass, None, class))
            .title(text![
                "No volume of class ",
                name(class),
                " can be made for claim ",
                name(claim.path()),
                " on any node"
            ])
            .explain(text![
                "Claim ",
                name(claim.path()),
                " gets its volume",
                size.map(|size| text![" of ", own(size.show("storage"))]),
                " from StorageClass ",
                name(class),
                " when its pod is put on a node, and ",
                why,
                ".",
            ])
            .also(Troubled::so_the_pod_waits(case))
            .evidence(troubled.phase(case))
            .fix(fix.command(look).command(case.kubectl_cluster(["get", "nodes", "--show-labels"]))),
    )
}

fn explain(case: &Case<'_>, troubled: &Troubled) -> Option<Finding> {
    let Trouble::NoMatch { class, volumes, event } = &troubled.trouble else { return None };
    let claim = troubled.reference(case);
    let spec = troubled.claim.as_ref().and_then(|claim| claim.spec.as_ref());
    let wanted = spec.and_then(|spec| spec.volume_name.as_deref()).filter(|volume| !volume.is_empty());
    let nearest = volumes.as_ref().and_then(|volumes| volumes.first());
    let nearest_name = nearest.and_then(|volume| volume.metadata.name.clone());
    let misfits = match (&troubled.claim, nearest) {
        (Some(claim), Some(volume)) => volumes::misfits(claim, class, volume),
        _ => Vec::new(),
    };
    let by_class = (!class.is_empty()).then(|| text![" of class ", name(class)]);
    let why = match (&nearest_name, volumes) {
        (Some(nearest), _) => text!["The nearest is ", name(nearest), ": ", joined(misfits.clone()), "."],
        (None, Some(_)) if wanted.is_some() => text!["No PersistentVolume of that name exists."],
        (None, Some(_)) => text!["There is none that its nodes could use."],
        (None, None) => text!["The volumes could not be read."],
    };
    let root = wanted.map(str::to_owned).or_else(|| nearest_name.clone());
    let root = root.map_or_else(|| claim.clone(), |volume| ObjectRef::new(Kind::PersistentVolume, None, &volume));
    let asks = wanted.map(|volume| text![", by name ", name(volume)]);
    let size = troubled.claim.as_deref().and_then(claims::wanted_size);
    let explanation = text![
        "Claim ",
        name(claim.path()),
        " waits for an existing PersistentVolume",
        by_class,
        asks,
        size.map(|size| text![" with ", own(size.show("storage"))]),
        ": nothing makes one for it. ",
        why,
    ];
    let which = nearest_name.as_ref().map(|nearest| {
        let first = misfits.first().cloned().unwrap_or_else(|| text!["it cannot be used"]);
        text!["; the nearest, ", name(nearest), ": ", first]
    });
    let title = text!["No volume fits claim ", name(claim.path()), which];
    let state = nearest.map(|volume| {
        let phase = volumes::phase(volume);
        Evidence::field(&root, ".status.phase", phase).at(None)
    });
    Some(
        troubled
            .finding(case, Code::PvcNoMatchingVolume)
            .root(root.clone())
            .confidence(if volumes.is_some() { Confidence::Certain } else { Confidence::Likely })
            .title(title)
            .explain(explanation)
            .also(Troubled::so_the_pod_waits(case))
            .evidence(event.as_deref().map(Evidence::event))
            .evidence(state)
            .evidence(nearest.and_then(|volume| claim_ref(volume, &root)))
            .evidence(troubled.phase(case))
            .fix(nearest.and_then(|volume| free(case, volume)))
            .fix(
                Fix::safe(text![
                    "make a PersistentVolume that fits",
                    wanted.map(|volume| text![", called ", name(volume), " as the claim's volumeName asks"]),
                    (!class.is_empty()).then(|| text![" (class ", name(class), ")"]),
                    ", or make the claim again so that an existing one does"
                ])
                .command(case.kubectl_cluster(["get", "persistentvolume"]))
                .command(case.kubectl(["get", "persistentvolumeclaim", &troubled.name, "-o", "yaml"])),
            ),
    )
}

fn joined(parts: Vec<Text>) -> Text {
    let mut all = Text::default();
    for (index, part) in parts.into_iter().enumerate() {
        if index > 0 {
            all.push("; ");
        }
        all.push(part);
    }
    if all.is_empty() { text!["it cannot be used"] } else { all }
}

fn claim_ref(volume: &PersistentVolume, reference: &ObjectRef) -> Option<Evidence> {
    let holder = volume.spec.as_ref()?.claim_ref.as_ref()?;
    let (namespace, name) =
        (holder.namespace.as_deref().unwrap_or_default(), holder.name.as_deref().unwrap_or_default());
    Some(Evidence::field(reference, ".spec.claimRef", format!("{namespace}/{name}")))
}

/// A Released volume is free again without its reference; what is on it then belongs to the new claim.
fn free(case: &Case<'_>, volume: &PersistentVolume) -> Option<Fix> {
    let volume_name = volume.metadata.name.as_deref()?;
    if volumes::phase(volume) != "Released" {
        return None;
    }
    let patch = r#"[{"op":"remove","path":"/spec/claimRef"}]"#;
    Some(
        Fix::risking_data(text![
            "if what is on volume ",
            name(volume_name),
            " may be used again, or is worth nothing: remove its ",
            code("claimRef"),
            "; the volume is then Available and the claim takes it, with the old data"
        ])
        .command(case.kubectl_cluster(["patch", "persistentvolume", volume_name, "--type=json", "-p", patch])),
    )
}
