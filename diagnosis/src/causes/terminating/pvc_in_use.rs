//! `pvc-in-use`.

use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims::{self, Trouble};
use crate::facts::finalizers;
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The claim was deleted while a pod uses it. It is protected until no scheduled pod names it any more; a finished
    /// pod counts.
    /// ## Signals
    /// The claim has `deletionTimestamp` and finalizer `kubernetes.io/pvc-protection`; pods with a node name it. There
    /// is no event. A new pod that wants it is not scheduled: `persistentvolumeclaim "NAME" is being deleted`.
    /// ## Look-alikes
    /// `terminating-finalizer`: another finalizer, or no pod uses it. `pvc-lost`: the volume is gone. `pvc-missing`:
    /// the claim is.
    /// ## Fixes
    /// Delete the pods that use it, or scale their owner down; the claim (and by its policy the data) is then deleted.
    /// A deletion cannot be taken back.
    /// ## Source
    /// pkg/controller/volume/pvcprotection/pvc_protection_controller.go.
    PvcInUse, stage Terminating, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Subject::Claim(claim) = case.subject() {
        let protected = claim.metadata.finalizers.iter().flatten().any(|it| it == "kubernetes.io/pvc-protection");
        if claim.metadata.deletion_timestamp.is_none() || !protected {
            return Ok(Vec::new());
        }
        let since = claim.metadata.deletion_timestamp.as_ref().map(|time| time.0);
        return Ok(explain(case, case.name(), None)?.map(|finding| finding.since(since)).into_iter().collect());
    }
    let mut found = Vec::new();
    for troubled in claims::troubled(case)? {
        if matches!(troubled.trouble, Trouble::Deleting) {
            found.extend(explain(case, &troubled.name, troubled.verdict.clone())?);
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, claim_name: &str, verdict: Option<Evidence>) -> Result<Option<Finding>, Needs> {
    let claim = case.neighbour(Kind::PersistentVolumeClaim, claim_name);
    let listed = case.list::<Pod>(case.namespace(), Filter::All)?;
    let known = matches!(listed, Read::Found(_));
    let of_pod = case.pod().is_some();
    let uses = |pod: &Arc<Pod>| pods::node_name(pod).is_some() && pods::claims(pod).any(|used| used == claim_name);
    let consumers: Vec<Arc<Pod>> = listed.found().unwrap_or_default().into_iter().filter(uses).collect();
    // In use by nobody: the controller lets it go in a moment, or does not run.
    let settled = case.meta().deletion_timestamp.as_ref().is_none_or(|time| case.age(time.0).as_secs() < 60);
    if known && consumers.is_empty() && settled && !of_pod {
        return Ok(None);
    }
    let nobody = known && consumers.is_empty();
    let down = if nobody { finalizers::controller_manager_is_down(case)? } else { None };
    let names: Vec<String> = consumers.iter().filter_map(|pod| pod.metadata.name.clone()).collect();
    let finished: Vec<String> =
        consumers.iter().filter(|pod| pods::is_finished(pod)).filter_map(|pod| pod.metadata.name.clone()).collect();
    let by = match names.len() {
        0 if nobody => text![
            "No pod on a node uses it any more, so the controller-manager, which should let it go, is late or not \
                running."
        ],
        0 => text!["Which pods use it could not be read."],
        _ => text!["It is used by pod ", Text::names(names.clone(), 5), ", and goes when none of them does any more."],
    };
    let counts = (!finished.is_empty()).then(|| text!["Finished pods count too: ", Text::names(finished, 5), "."]);
    let waits = of_pod.then(|| {
        text![
            "Until then no new pod can use it: ",
            name(case.name()),
            " waits, and needs a new claim of that name afterwards."
        ]
    });
    let consumers_evidence = consumers.first().map(|pod| {
        let reference = ObjectRef::new(Kind::Pod, case.namespace(), pod.metadata.name.as_deref().unwrap_or_default());
        Evidence::field(&reference, ".spec.volumes[].persistentVolumeClaim.claimName", claim_name)
    });
    let stop = names.first().map(|first| {
        let owner = owner(&consumers);
        let fix = Fix::disruptive(text![
            "when the data may go: delete the pods that use it",
            owner.map(|(kind, owner)| text![", through their owner ", name(format!("{kind} {owner}"))]),
            " (or scale it down); the claim is then deleted by itself"
        ]);
        fix.command(case.kubectl(["delete", "pod", first]))
    });
    let keep = Fix::safe(text![
        "if it was deleted by mistake: save the data now, or set the volume's reclaim policy \
        to Retain; the deletion cannot be taken back"
    ])
    .command(case.kubectl(["get", "persistentvolumeclaim", claim_name, "-o", "yaml"]));
    let finding = case.finding(Code::PvcInUse);
    let finding = if of_pod { finding.via(claim.clone()) } else { finding };
    let title = match names.first() {
        Some(first) if names.len() == 1 => {
            text!["Claim ", name(claim.path()), " is being deleted, and pod ", name(first), " uses it"]
        }
        Some(first) => text![
            "Claim ",
            name(claim.path()),
            " is being deleted, and ",
            names.len(),
            " pods use it (",
            name(first),
            " and others)"
        ],
        None => text!["Claim ", name(claim.path()), " is being deleted and still protected"],
    };
    let confidence = if names.is_empty() { Confidence::Likely } else { Confidence::Certain };
    Ok(Some(
        finding
            .confidence(confidence)
            .root(claim.clone())
            .title(title)
            .explain(text![
                "PersistentVolumeClaim ",
                name(claim.path()),
                " was deleted, and Kubernetes keeps it (finalizer kubernetes.io/pvc-protection) as long as a pod \
                    uses it. ",
                by,
            ])
            .also(down)
            .also(counts)
            .also(waits)
            .evidence(verdict)
            .evidence(Evidence::field(&claim, ".metadata.finalizers", "kubernetes.io/pvc-protection"))
            .evidence(consumers_evidence)
            .fix(keep)
            .fix(stop),
    ))
}

fn owner(consumers: &[Arc<Pod>]) -> Option<(String, String)> {
    let owners = consumers.first()?.metadata.owner_references.as_ref()?;
    owners.first().map(|owner| (owner.kind.clone(), owner.name.clone()))
}
