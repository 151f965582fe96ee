//! `pvc-resize-failed`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use kubewhy_text::{Text, code, name, own, quoted, text};

use crate::case::{Case, Subject, Verdict};
use crate::causes::{Code, cause};
use crate::facts::claims;
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::quantity::Amount;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The claim is bound and can be used, and its growth to the new size did not come about.
    /// ## Signals
    /// The claim asks for more than `.status.capacity`; `.status.allocatedResourceStatuses` says
    /// ControllerResizeInfeasible, NodeResizeInfeasible (or the older ...Failed); conditions ControllerResizeError,
    /// NodeResizeError, ModifyVolumeError; events VolumeResizeFailed, FileSystemResizeFailed; only ExternalExpanding
    /// `waiting for an external controller to expand this PVC`: no resizer runs; FileSystemResizePending: a pod has to
    /// mount it first.
    /// ## Look-alikes
    /// `pvc-provisioning-failed`: there is no volume at all. `app-disk-full`: the volume is full, nobody asked for
    /// more.
    /// ## Fixes
    /// End what the error names; ask for a smaller size (allowed down to the present one); start the pod again where
    /// the file system is grown on the node.
    /// ## Source
    /// pkg/controller/volume/expand/expand_controller.go, external-resizer pkg/controller, core/v1 types.go.
    PvcResizeFailed, stage Volume, since "0.1.0", detect
}

/// How long growing may take until its silence counts.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn detect(case: &Case<'_>) -> Verdict {
    let Subject::Claim(claim) = case.subject() else { return Ok(Vec::new()) };
    let (Some(wanted), Some(has)) = (claims::wanted_size(claim), capacity(claim)) else { return Ok(Vec::new()) };
    let modify = condition(claim, &["ModifyVolumeError"]).is_some();
    if claims::phase(claim) != "Bound" || (wanted <= has && !modify) || claim.metadata.deletion_timestamp.is_some() {
        return Ok(Vec::new());
    }
    Ok(explain(case, claim, wanted, has)?.into_iter().collect())
}

fn explain(
    case: &Case<'_>,
    claim: &PersistentVolumeClaim,
    wanted: Amount,
    has: Amount,
) -> Result<Option<Finding>, Needs> {
    let event = case.newest_event(&["VolumeResizeFailed", "FileSystemResizeFailed"], |_| true)?;
    let waits = case.newest_event(&["ExternalExpanding"], |_| true)?;
    let status = claim.status.as_ref().and_then(|status| status.allocated_resource_statuses.as_ref());
    let status = status.and_then(|all| all.get("storage")).cloned();
    let infeasible =
        status.as_deref().is_some_and(|status| status.ends_with("Infeasible") || status.ends_with("Failed"));
    let error = condition(claim, &["ControllerResizeError", "NodeResizeError", "ModifyVolumeError"]);
    let pending = condition(claim, &["FileSystemResizePending"]);
    let sizes = text![own(has.show("storage")), " to ", own(wanted.show("storage"))];
    let claim_path = case.reference().path();
    let old = waits.as_ref().and_then(|event| event.first).is_some_and(|first| case.age(first) > PATIENCE);
    let (why, confidence, severity) = if infeasible || error.is_some() || event.is_some() {
        let words = error.as_ref().and_then(|(_, message)| message.clone());
        let words = words.or_else(|| event.as_ref().map(|event| event.message.clone()));
        let says = words.map(|words| text![" The driver says: ", quoted(words), "."]);
        (text!["Growing it failed.", says], Confidence::Certain, Severity::Warning)
    } else if pending.is_some() {
        let why = text!["The volume has grown; its file system grows when a pod mounts it again."];
        (why, Confidence::Certain, Severity::Info)
    } else if old {
        let why = text!["No resizer of the driver has taken it up: most likely its external-resizer does not run."];
        (why, Confidence::Likely, Severity::Warning)
    } else {
        return Ok(None);
    };
    let explanation: Text = text![
        "Claim ",
        name(claim_path.clone()),
        " was to grow from ",
        sizes.clone(),
        ". ",
        why,
        " The claim can be used meanwhile, at its present size.",
    ];
    let back = format!("{{\"spec\":{{\"resources\":{{\"requests\":{{\"storage\":\"{}\"}}}}}}}}", has.show("storage"));
    let restart = pending.as_ref().map(|_| {
        Fix::disruptive(text!["start the pod that uses it again, so that the file system is grown at the mount"])
            .command(case.kubectl(["describe", "persistentvolumeclaim", case.name()]))
    });
    Ok(Some(
        case.finding(Code::PvcResizeFailed)
            .root(case.reference())
            .confidence(confidence)
            .severity(severity)
            .title(text!["Claim ", name(claim_path), " does not grow from ", sizes])
            .explain(explanation)
            .evidence(case.field(".status.capacity.storage", has.show("storage")))
            .evidence(case.field(".spec.resources.requests.storage", wanted.show("storage")))
            .evidence(status.map(|status| case.field(".status.allocatedResourceStatuses.storage", status)))
            .evidence(error.or(pending).map(|(type_, message)| {
                case.field(&format!(".status.conditions[{type_}]"), message.unwrap_or_else(|| "True".to_owned()))
            }))
            .evidence(event.or(waits).as_deref().map(Evidence::event))
            .fix(restart)
            .fix(Fix::safe(text!["end what the driver names; it tries again by itself"]).command(case.kubectl([
                "describe",
                "persistentvolumeclaim",
                case.name(),
            ])))
            .fix(
                Fix::safe(text![
                    "or take the request back to a size that works (",
                    code("spec.resources.requests"),
                    ")"
                ])
                .command(case.kubectl(["patch", "persistentvolumeclaim", case.name(), "-p", &back])),
            ),
    ))
}

fn capacity(claim: &PersistentVolumeClaim) -> Option<Amount> {
    Amount::in_list(claim.status.as_ref()?.capacity.as_ref(), "storage")
}

fn condition(claim: &PersistentVolumeClaim, types: &[&str]) -> Option<(String, Option<String>)> {
    let mut conditions = claim.status.as_ref()?.conditions.iter().flatten();
    let found = conditions.find(|condition| types.contains(&condition.type_.as_str()) && condition.status == "True")?;
    Some((found.type_.clone(), found.message.clone()))
}
