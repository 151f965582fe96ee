//! What an API server fills into an object before it keeps it.

mod access;
mod cluster;
mod network;
mod pods;
mod storage;
mod workloads;

use serde_json::{Map, Value, json};

pub(crate) use pods::quality_of_service;

use crate::{resources::Resource, types};

type Object = Map<String, Value>;

/// Fills in what a client may leave out, writes quantities in their one form, and drops fields that say null.
/// Custom resources stay as they are.
pub fn fill(resource: &Resource, object: &mut Value) {
    if resource.custom.is_some() {
        return;
    }
    if !matches!(resource.kind.as_ref(), "ControllerRevision" | "CustomResourceDefinition") {
        drop_nulls(object);
    }
    settle_quantities(resource, object);
    let Some(fields) = object.as_object_mut() else { return };
    match (resource.group.as_ref(), resource.kind.as_ref()) {
        ("", "Pod") => pods::pod(fields),
        ("", "PodTemplate") => workloads::template(fields),
        ("", "ReplicationController") => workloads::replication_controller(fields),
        ("", "Service") => network::service(fields),
        ("", "Endpoints") => network::endpoints(fields),
        ("", "PersistentVolumeClaim") => storage::claim(fields),
        ("", "PersistentVolume") => storage::volume(fields),
        ("", "Namespace") => cluster::namespace(fields),
        ("", "Secret") => cluster::secret(fields),
        ("", "LimitRange") => cluster::limit_range(fields),
        ("", "ResourceQuota") => put(fields, "status", json!({})),
        ("", "Node") => cluster::node(fields),
        ("", "Event") => cluster::event(fields),
        ("apps", "Deployment") => workloads::deployment(fields),
        ("apps", "StatefulSet") => workloads::stateful_set(fields),
        ("apps", "DaemonSet") => workloads::daemon_set(fields),
        ("apps", "ReplicaSet") => workloads::replica_set(fields),
        ("batch", "Job") => workloads::job(fields),
        ("batch", "CronJob") => workloads::cron_job(fields),
        ("autoscaling", "HorizontalPodAutoscaler") => workloads::autoscaler(fields, &resource.version),
        ("policy", "PodDisruptionBudget") => workloads::disruption_budget(fields),
        ("discovery.k8s.io", "EndpointSlice") => network::endpoint_slice(fields),
        ("networking.k8s.io", "Ingress") => put_into(fields, "status", "loadBalancer", json!({})),
        ("networking.k8s.io", "NetworkPolicy") => network::network_policy(fields),
        ("rbac.authorization.k8s.io", "RoleBinding" | "ClusterRoleBinding") => access::binding(fields),
        ("storage.k8s.io", "StorageClass") => storage::class(fields),
        ("storage.k8s.io", "CSIDriver") => storage::driver(fields),
        ("scheduling.k8s.io", "PriorityClass") => put(fields, "preemptionPolicy", "PreemptLowerPriority"),
        ("admissionregistration.k8s.io", "MutatingWebhookConfiguration") => access::webhooks(fields, true),
        ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration") => access::webhooks(fields, false),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => cluster::definition(fields),
        _ => {}
    }
}

/// Maps and lists that are left out where they are empty, wherever they stand.
const LEFT_OUT: [&str; 12] = [
    "annotations",
    "args",
    "command",
    "data",
    "env",
    "finalizers",
    "imagePullSecrets",
    "labels",
    "nodeSelector",
    "ownerReferences",
    "tolerations",
    "volumes",
];

fn is_left_out(field: &str, value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty() && LEFT_OUT.contains(&field),
        Value::Array(items) => items.is_empty() && LEFT_OUT.contains(&field),
        _ => false,
    }
}

/// An object may be in the version in which it is kept, which is not that of every request.
fn settle_quantities(resource: &Resource, object: &mut Value) {
    let api_version =
        object.get("apiVersion").and_then(Value::as_str).map_or_else(|| resource.api_version(), str::to_owned);
    types::settle(&api_version, &resource.kind, object);
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|field, value| !is_left_out(field, value));
            fields.values_mut().for_each(drop_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}

/// Sets a field that is not there.
fn put(object: &mut Object, key: &str, value: impl Into<Value>) {
    let field = object.entry(key).or_insert(Value::Null);
    if field.is_null() {
        *field = value.into();
    }
}

/// Sets a field of a part that is made where it is not there.
fn put_into(object: &mut Object, part: &str, key: &str, value: impl Into<Value>) {
    if let Some(part) = child(object, part) {
        put(part, key, value);
    }
}

/// A part of an object, made where it is not there; nothing where something else is in its place.
fn child<'a>(object: &'a mut Object, key: &str) -> Option<&'a mut Object> {
    put(object, key, json!({}));
    part(object, key)
}

/// A part of an object, where it is there.
fn part<'a>(object: &'a mut Object, key: &str) -> Option<&'a mut Object> {
    object.get_mut(key).and_then(Value::as_object_mut)
}

/// The objects of a list.
fn each<'a>(object: &'a mut Object, key: &str) -> impl Iterator<Item = &'a mut Object> {
    object.get_mut(key).and_then(Value::as_array_mut).into_iter().flatten().filter_map(Value::as_object_mut)
}

fn text<'a>(object: &'a Object, key: &str) -> &'a str {
    object.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn is_set(object: &Object, key: &str) -> bool {
    object.get(key).is_some_and(|value| !value.is_null())
}

#[cfg(test)]
mod tests;
