//! `pvc-missing`.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble, Troubled};
use crate::finding::{Action, Finding, Fix};
use crate::kind::Kind;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The pod uses a PersistentVolumeClaim that does not exist in its namespace. It waits until there is one of that
    /// name.
    /// ## Signals
    /// The scheduler's verdict `persistentvolumeclaim "NAME" not found`, or `waiting for ephemeral volume controller to
    /// create the persistentvolumeclaim "NAME"`; where the pod names its node itself, the kubelet's FailedMount `error
    /// processing PVC NAMESPACE/NAME: ... persistentvolumeclaims "NAME" not found`. The claim is read and is absent.
    /// ## Look-alikes
    /// `pvc-lost`: the claim is there, its volume is gone. `storage-class-missing`: the claim is there, its class is
    /// not. `pvc-in-use`: the claim is being deleted. `configmap-missing`, `secret-missing`: another kind of volume.
    /// ## Fixes
    /// Name the claim that exists, or create the claim. The claim of a StatefulSet is made again with its pod.
    /// ## Source
    /// pkg/scheduler/framework/plugins/volumebinding/volume_binding.go, pkg/kubelet/volumemanager/populator.
    PvcMissing, stage Volume, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for troubled in claims::troubled(case)? {
        if matches!(troubled.trouble, Trouble::Missing) {
            found.push(explain(case, &troubled)?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, troubled: &Troubled) -> Result<Finding, Needs> {
    let claim = troubled.reference(case);
    let listed = case.list::<PersistentVolumeClaim>(case.namespace(), Filter::All);
    let owners = case.controllers(case.object());
    let others: Option<Vec<String>> =
        listed?.found().map(|claims| claims.iter().filter_map(|claim| claim.metadata.name.clone()).collect());
    let nearest =
        others.as_ref().and_then(|others| crate::nearest::nearest(&troubled.name, others.iter().map(String::as_str)));
    let set = owners?.into_iter().find(|owner| owner.kind == Kind::StatefulSet.name());
    // The claims of a StatefulSet end in the name of the pod.
    let set = set.filter(|_| troubled.name.ends_with(&format!("-{}", case.name())));
    let volume = volume_of(case, &troubled.name);
    let has = others.map(|others| {
        if others.is_empty() {
            text![" The namespace has no claims at all."]
        } else {
            text![" The namespace has: ", Text::names(others, 6), "."]
        }
    });
    let explanation = text![
        "Pod ",
        name(case.name()),
        " uses PersistentVolumeClaim ",
        name(&troubled.name),
        volume.map(|volume| text![" for its volume ", name(volume)]),
        ", and namespace ",
        name(case.namespace().unwrap_or_default()),
        " has no claim of that name. The pod waits until there is one.",
        has,
    ];
    let rename =
        nearest.map(|nearest| Fix::disruptive(text!["name the claim that exists: did you mean ", name(nearest), "?"]));
    let recreate = set.map(|set| {
        Fix::disruptive(text![
            "delete the pod: StatefulSet ",
            name(set.name),
            " then makes it again together with its claim (a new, empty volume)"
        ])
        .command(case.kubectl(["delete", "pod", case.name()]))
        .remedy(Action::DeletePod)
    });
    let create = Fix::safe(text![
        "create the claim ",
        name(claim.path()),
        " (a manifest of ",
        code("kind: PersistentVolumeClaim"),
        " with that name); the pod goes on by itself"
    ])
    .command(case.kubectl(["get", "persistentvolumeclaim"]));
    Ok(troubled
        .finding(case, Code::PvcMissing)
        .title(text!["PersistentVolumeClaim ", name(claim.path()), " does not exist"])
        .explain(explanation)
        .fix(rename)
        .fix(recreate)
        .fix(create))
}

fn volume_of(case: &Case<'_>, claim: &str) -> Option<String> {
    let spec = case.pod()?.spec.as_ref()?;
    let mut volumes = spec.volumes.iter().flatten();
    let uses = volumes.find(|volume| volume.persistent_volume_claim.as_ref().is_some_and(|it| it.claim_name == claim));
    uses.map(|volume| volume.name.clone())
}
