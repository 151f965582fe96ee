//! What the API server and controllers add to an object that somebody writes.

use serde_json::{Value, json};

use super::Scene;
use crate::scenario::identity::Seed;
use crate::scenario::json::{self, Map};
use crate::scenario::node;

/// Who wrote which keys: where only metadata may be read, the keys of a Secret are known from here.
pub(super) fn managed_fields(secret: &Map, time: &str) -> Value {
    let data = secret.get("data").and_then(Value::as_object);
    let keys: Map = data.into_iter().flatten().map(|(key, _)| (format!("f:{key}"), json!({}))).collect();
    json!([{"manager": "kubectl-create", "operation": "Update", "apiVersion": "v1", "time": time,
        "fieldsType": "FieldsV1", "fieldsV1": {"f:data": keys, "f:type": {}}}])
}

pub(super) fn take_conditions(object: &mut Map) -> Vec<Map> {
    let status = object.get_mut("status").and_then(Value::as_object_mut);
    match status.and_then(|status| status.remove("conditions")) {
        Some(Value::Array(items)) => items.into_iter().map(json::map_of).collect(),
        _ => Vec::new(),
    }
}

/// What the API server and controllers would add to a new object.
pub(super) fn complete(scene: &Scene<'_>, kind: &str, mut object: Map, namespace: &str, name: &str) -> Map {
    if kind == "Node" {
        object = json::map_of(node::complete(&object, &scene.moment, scene.created));
    }
    let uid = Seed::of(&[&scene.scenario.name, kind, namespace, name, ""]).uid();
    let metadata = json::child(&mut object, "metadata");
    json::fill(metadata, "uid", uid);
    json::fill(metadata, "creationTimestamp", scene.moment.write(scene.created));
    match kind {
        "Namespace" => {
            json::fill(json::child(metadata, "labels"), "kubernetes.io/metadata.name", name);
            json::fill(json::child(&mut object, "spec"), "finalizers", json!(["kubernetes"]));
            json::fill(json::child(&mut object, "status"), "phase", "Active");
        }
        "Secret" => json::fill(&mut object, "type", "Opaque"),
        "Service" => {
            let spec = json::child(&mut object, "spec");
            json::fill(spec, "type", "ClusterIP");
            json::fill(spec, "sessionAffinity", "None");
            json::fill(spec, "ipFamilyPolicy", "SingleStack");
            for port in json::each_mut(spec, "ports") {
                json::fill(port, "protocol", "TCP");
                let target = port.get("port").cloned().unwrap_or_default();
                json::fill(port, "targetPort", target);
            }
            if json::text(spec, "type") == "ClusterIP" {
                let address = format!(
                    "10.96.{}.{}",
                    Seed::of(&["svc", namespace]).below(200),
                    2 + Seed::of(&["svc", namespace, name]).below(250)
                );
                json::fill(spec, "clusterIP", address);
                let addresses = json!([spec.get("clusterIP")]);
                json::fill(spec, "clusterIPs", addresses);
            }
            json::fill(&mut object, "status", json!({"loadBalancer": {}}));
        }
        "PersistentVolumeClaim" => json::fill(json::child(&mut object, "spec"), "volumeMode", "Filesystem"),
        _ => {}
    }
    object
}
