//! How what a pod was made from is edited.

use crate::case::{Case, shell_quoted};
use crate::finding::Fix;
use crate::reader::Needs;

/// A fix with the commands that edit what the pod was made from: its top controller, or the pod itself, which has to be
/// made anew.
///
/// # Errors
/// [`Needs`] where a controller has not been asked yet.
pub(crate) fn edited(case: &Case<'_>, fix: Fix) -> Result<Fix, Needs> {
    let owner = case.controllers(case.object())?.pop();
    let (kind, name) = match &owner {
        Some(owner) => (owner.kind.to_lowercase(), owner.name.as_str()),
        None => (case.reference().kind.to_lowercase(), case.name()),
    };
    if !matches!(kind.as_str(), "pod" | "job" | "node") {
        return Ok(fix.command(case.kubectl(["edit", &kind, name])));
    }
    if kind == "node" {
        // A static pod: its manifest lies on the node.
        return Ok(fix);
    }
    let file = format!("{name}.yaml");
    let read = case.kubectl(["get", &kind, name, "-o", "yaml"]);
    Ok(fix
        .command(format!("{read} > {}", shell_quoted(&file)))
        .command(case.kubectl(["replace", "--force", "-f", &file])))
}
