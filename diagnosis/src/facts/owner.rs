//! What a person edits to change a pod: its top controller, or the pod itself.

use serde_json::{Value, json};

use crate::case::{Case, shell_quoted};
use crate::finding::{Fix, ObjectRef, Patch};
use crate::reader::Needs;

/// The top controller of the subject, or the subject itself.
pub(crate) fn top(case: &Case<'_>) -> Result<ObjectRef, Needs> {
    Ok(case.controllers(case.object())?.pop().unwrap_or_else(|| case.reference()))
}

/// `kubectl edit deployment cart`; none for a bare pod, most fields of which cannot be changed, for
/// jobs, and for the node that a static pod belongs to.
pub(crate) fn edit(case: &Case<'_>, owner: &ObjectRef) -> Option<String> {
    let kind = owner.kind.to_ascii_lowercase();
    (!matches!(kind.as_str(), "pod" | "job" | "node"))
        .then(|| case.kubectl(["edit", kind.as_str(), owner.name.as_str()]))
}

/// A fix with the commands that edit what the pod was made from: its top controller, or the pod itself, which has to be
/// made anew.
///
/// # Errors
/// [`Needs`] where a controller has not been asked yet.
pub(crate) fn edited(case: &Case<'_>, fix: Fix) -> Result<Fix, Needs> {
    let owner = top(case)?;
    if owner.kind == "Node" {
        // A static pod: its manifest lies on the node.
        return Ok(fix);
    }
    if let Some(command) = edit(case, &owner) {
        return Ok(fix.command(command));
    }
    Ok(fix.command(remake(case, &owner.kind.to_ascii_lowercase(), &owner.name)))
}

/// The command that makes anew, edited, what cannot be changed in place.
pub(crate) fn remake(case: &Case<'_>, kind: &str, name: &str) -> String {
    let file = format!("{name}.yaml");
    let get = case.kubectl(["get", kind, name, "-o", "yaml"]);
    let replace = case.kubectl(["replace", "--force", "-f", file.as_str()]);
    let file = shell_quoted(&file);
    format!("{get} > {file} && ${{EDITOR:-vi}} {file} && {replace}")
}

/// A command that sets the image of a container in the template (or in the pod, whose images can be changed).
pub(crate) fn set_image(case: &Case<'_>, owner: &ObjectRef, container: &str, image: &str) -> Option<String> {
    let kind = owner.kind.to_ascii_lowercase();
    let target = format!("{kind}/{}", owner.name);
    let assignment = format!("{container}={image}");
    (kind != "job").then(|| case.kubectl(["set", "image", target.as_str(), assignment.as_str()]))
}

/// A strategic patch that puts `spec` into the pod template of that controller; none for kinds whose template is fixed.
pub(crate) fn template_patch(owner: &ObjectRef, spec: &Value) -> Option<Patch> {
    let template = json!({"spec": {"template": {"spec": spec}}});
    let body = match owner.kind.as_ref() {
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" => template,
        "CronJob" => json!({"spec": {"jobTemplate": template}}),
        _ => return None,
    };
    Some(Patch { type_: "strategic", body })
}

/// The command that applies a patch.
pub(crate) fn patch_command(case: &Case<'_>, owner: &ObjectRef, patch: &Patch) -> String {
    let (kind, body) = (owner.kind.to_ascii_lowercase(), patch.body.to_string());
    let type_ = format!("--type={}", patch.type_);
    case.kubectl(["patch", kind.as_str(), owner.name.as_str(), type_.as_str(), "-p", body.as_str()])
}
