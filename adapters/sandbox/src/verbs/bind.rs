//! Binding: a scheduler says where a pod runs.

use serde_json::{Value, json};

use super::{Request, body};
use crate::answer::Answer;
use crate::handle::Sandbox;
use crate::object::{as_map, field_mut, meta, stamp, text};
use crate::status::{Cause, Status};

/// Binds a pod to a node.
pub(super) fn bind(sandbox: &Sandbox, request: &Request) -> Result<Answer, Status> {
    let dry_run = request.dry_run("CreateOptions")?;
    let binding = body::parse(request, "Binding")?;
    body::check_posted(&binding, "", "Binding")?;
    let name = request.target.name.as_str();
    if meta(&binding, "name") != name {
        return Err(Status::bad_request("name in URL does not match name in Binding object"));
    }
    let node = text(&binding, "/target/name");
    if node.is_empty() {
        let missing = Cause::required("target.name", "");
        return Err(Status::invalid("", "Binding", name, vec![missing]));
    }
    let mut store = sandbox.store();
    let place = request.place();
    let pod = store.at(&place).cloned().ok_or_else(|| request.not_found())?;
    if let Some(why) = refusal(&pod, name, node) {
        return Err(Status::conflict("", "pods/binding", name, &why));
    }
    if !dry_run {
        let mut bound = Value::clone(&pod);
        as_map(field_mut(&mut bound, "spec")).insert("nodeName".to_owned(), node.into());
        mark(&mut bound, &stamp(request.now));
        store.write(&place, bound);
        sandbox.settle(&mut store, request.now);
    }
    Ok(Answer::Document(
        201,
        json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}),
    ))
}

/// Why a pod cannot be bound any more, or not yet.
fn refusal(pod: &Value, name: &str, node: &str) -> Option<String> {
    if crate::object::is_deleting(pod) {
        return Some(format!("pod {name} is being deleted, cannot be assigned to a host"));
    }
    let bound = text(pod, "/spec/nodeName");
    if !bound.is_empty() {
        return Some(format!("pod {name} is already assigned to node \"{bound}\""));
    }
    let gated = !crate::object::elements(pod, "/spec/schedulingGates").is_empty();
    gated.then(|| format!("pod {name} has non-empty .spec.schedulingGates, cannot be assigned to node {node}"))
}

fn mark(pod: &mut Value, now: &str) {
    let status = as_map(field_mut(pod, "status"));
    let Some(conditions) = status.entry("conditions").or_insert_with(|| json!([])).as_array_mut() else { return };
    conditions.retain(|one| text(one, "/type") != "PodScheduled");
    conditions.push(json!({
        "type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now,
    }));
}
