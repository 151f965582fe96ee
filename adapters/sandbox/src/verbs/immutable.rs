//! Fields that cannot be changed once they are set.

use serde_json::Value;

use crate::object::{elements, finalizers, is_deleting, meta, number};
use crate::resources::Resource;
use crate::status::Cause;

/// What is wrong with a change of the metadata.
pub(super) fn metadata(object: &Value, existing: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for field in ["name", "namespace", "uid"] {
        let (new, old) = (meta(object, field), meta(existing, field));
        if new != old {
            causes.push(Cause::invalid(format!("metadata.{field}"), &new.into(), "field is immutable"));
        }
    }
    for field in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
        let of = |object: &Value| object.get("metadata").and_then(|metadata| metadata.get(field)).cloned();
        let (new, old) = (of(object), of(existing));
        if new != old {
            causes.push(Cause::invalid(format!("metadata.{field}"), &new.unwrap_or_default(), "field is immutable"));
        }
    }
    if is_deleting(existing) {
        let known = finalizers(existing);
        let added: Vec<&str> = finalizers(object).into_iter().filter(|one| !known.contains(one)).collect();
        if !added.is_empty() {
            let shown: Vec<String> = added.iter().map(|one| format!("\"{one}\"")).collect();
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
                shown.join(", ")
            );
            causes.push(Cause::forbidden("metadata.finalizers", &detail));
        }
    }
    causes
}

/// What is wrong with a change of the wanted state.
pub(super) fn spec(resource: &Resource, object: &Value, existing: &Value) -> Vec<Cause> {
    let fixed = |pointers: &[&str]| -> Vec<Cause> {
        let changed = pointers.iter().filter(|pointer| object.pointer(pointer) != existing.pointer(pointer));
        changed
            .map(|pointer| {
                let value = object.pointer(pointer).cloned().unwrap_or_default();
                let field = pointer.trim_start_matches('/').replace('/', ".");
                Cause::invalid(field, &value, "field is immutable")
            })
            .collect()
    };
    if resource.custom.is_some() {
        return Vec::new();
    }
    match resource.kind.as_ref() {
        "Pod" => pod(object, existing).into_iter().collect(),
        "Deployment" | "ReplicaSet" | "DaemonSet" => fixed(&["/spec/selector"]),
        "Job" => job(object, existing, &fixed),
        "StatefulSet" => only(
            object,
            existing,
            &[
                "replicas",
                "ordinals",
                "template",
                "updateStrategy",
                "revisionHistoryLimit",
                "persistentVolumeClaimRetentionPolicy",
                "minReadySeconds",
            ],
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', \
             'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        ),
        "PersistentVolumeClaim" => only(
            object,
            existing,
            &["resources", "volumeAttributesClassName", "volumeName"],
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        ),
        "ConfigMap" => frozen(object, existing),
        "Secret" => {
            let mut causes = fixed(&["/type"]);
            causes.extend(frozen(object, existing));
            causes
        }
        "StorageClass" => fixed(&["/provisioner", "/parameters", "/reclaimPolicy", "/volumeBindingMode"]),
        "PriorityClass" => {
            if object.get("value") == existing.get("value") {
                Vec::new()
            } else {
                vec![Cause::forbidden("value", "may not be changed in an update.")]
            }
        }
        "RoleBinding" | "ClusterRoleBinding" if object.get("roleRef") != existing.get("roleRef") => {
            let value = object.get("roleRef").cloned().unwrap_or_default();
            vec![Cause::invalid("roleRef", &value, "cannot change roleRef")]
        }
        _ => Vec::new(),
    }
}

/// Allows changes of the named fields of the spec only.
fn only(object: &Value, existing: &Value, allowed: &[&str], detail: &str) -> Vec<Cause> {
    let fixed = |object: &Value| -> Vec<(String, Value)> {
        let fields = object.get("spec").and_then(Value::as_object).into_iter().flatten();
        let fixed = fields.filter(|(key, _)| !allowed.contains(&key.as_str()));
        fixed.map(|(key, value)| (key.clone(), value.clone())).collect()
    };
    if fixed(object) == fixed(existing) { Vec::new() } else { vec![Cause::forbidden("spec", detail)] }
}

fn job(object: &Value, existing: &Value, fixed: &dyn Fn(&[&str]) -> Vec<Cause>) -> Vec<Cause> {
    let mut causes = fixed(&["/spec/selector", "/spec/completionMode"]);
    // A suspended job that never ran may still get another place to run at; nothing here tells these fields apart.
    let suspended = existing.pointer("/spec/suspend") == Some(&Value::Bool(true));
    if !suspended && object.pointer("/spec/template") != existing.pointer("/spec/template") {
        causes.extend(fixed(&["/spec/template"]));
    }
    causes
}

/// A pod's spec may change in few places, each in one direction.
fn pod(object: &Value, existing: &Value) -> Option<Cause> {
    let mut allowed = object.get("spec").cloned().unwrap_or_default();
    let old = existing.get("spec").cloned().unwrap_or_default();
    for list in ["containers", "initContainers"] {
        keep_images(&mut allowed, &old, list);
    }
    let added = |new: &Value, old: &Value| {
        elements(old, "/tolerations").iter().all(|one| elements(new, "/tolerations").contains(one))
    };
    let fields = allowed.as_object_mut()?;
    let mut restore = |field: &str| match old.get(field) {
        Some(value) => drop(fields.insert(field.to_owned(), value.clone())),
        None => drop(fields.remove(field)),
    };
    let new = object.get("spec")?;
    if added(new, &old) {
        restore("tolerations");
    }
    let (deadline, before) = (number(new, "/activeDeadlineSeconds"), number(&old, "/activeDeadlineSeconds"));
    if deadline.is_some_and(|new| before.is_none_or(|old| new <= old)) {
        restore("activeDeadlineSeconds");
    }
    let grace = number(&old, "/terminationGracePeriodSeconds");
    if grace.is_some_and(|old| old < 0) && number(new, "/terminationGracePeriodSeconds") == Some(1) {
        restore("terminationGracePeriodSeconds");
    }
    let gated = !elements(&old, "/schedulingGates").is_empty();
    let removed =
        elements(new, "/schedulingGates").iter().all(|gate| elements(&old, "/schedulingGates").contains(gate));
    if gated && removed {
        restore("schedulingGates");
        // While gated, a pod may be narrowed to fewer nodes.
        restore("nodeSelector");
        restore("affinity");
    }
    if allowed == old {
        return None;
    }
    let detail = "pod updates may not change fields other than `spec.containers[*].image`,\
                  `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to \
                  existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was \
                  previously negative)";
    Some(Cause::forbidden("spec", detail))
}

/// Gives containers their old images, so that a comparison does not see them.
fn keep_images(spec: &mut Value, old: &Value, list: &str) {
    let containers = spec.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    let before = old.get(list).and_then(Value::as_array).into_iter().flatten();
    for (container, before) in containers.zip(before) {
        let set = container.get("image").and_then(Value::as_str).is_some_and(|image| !image.is_empty());
        if set {
            crate::object::take_over(container, "image", before);
        }
    }
}

fn frozen(object: &Value, existing: &Value) -> Vec<Cause> {
    if existing.get("immutable") != Some(&Value::Bool(true)) {
        return Vec::new();
    }
    let changed =
        ["immutable", "data", "binaryData"].into_iter().filter(|field| object.get(field) != existing.get(field));
    changed.map(|field| Cause::forbidden(field, "field is immutable when `immutable` is set")).collect()
}
