//! A small cluster, each in its namespace.

use serde_json::{Value, json};

/// A deployment with one pod that runs and one that crashes, and what belongs to them.
pub(crate) fn shop(namespace: &str) -> Vec<Value> {
    let labels = json!({"app": "web"});
    let owned = |kind: &str, name: &str, uid: &str| json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": true}]);
    let template = json!({"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web", "image": "web:1"}]}});
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
        json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": format!("{namespace}-node"), "labels": {"node-role.kubernetes.io/worker": ""}},
            "status": {"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.34.1"}},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": namespace, "uid": format!("{namespace}-d"), "generation": 1, "labels": labels,
                "creationTimestamp": "2026-03-01T10:00:00Z", "annotations": {"deployment.kubernetes.io/revision": "1"}},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
            "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "readyReplicas": 1,
                "availableReplicas": 1, "unavailableReplicas": 1},
        }),
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {"name": "web-1", "namespace": namespace, "uid": format!("{namespace}-r"), "labels": labels,
                "creationTimestamp": "2026-03-01T10:00:00Z", "annotations": {"deployment.kubernetes.io/revision": "1"},
                "ownerReferences": owned("Deployment", "web", &format!("{namespace}-d"))},
            "spec": {"replicas": 2, "selector": {"matchLabels": labels}, "template": template},
            "status": {"replicas": 2, "readyReplicas": 1},
        }),
        pod(namespace, "web-1-good", &json!({"running": {"startedAt": "2026-03-01T10:00:05Z"}}), 0),
        pod(namespace, "web-1-bad", &json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}}), 7),
        json!({
            "apiVersion": "v1", "kind": "Event", "metadata": {"name": "web-1-bad.1", "namespace": namespace},
            "involvedObject": {"apiVersion": "v1", "kind": "Pod", "name": "web-1-bad", "namespace": namespace,
                "uid": format!("{namespace}-web-1-bad"), "fieldPath": "spec.containers{web}"},
            "type": "Warning", "reason": "BackOff", "message": "Back-off restarting failed container web",
            "source": {"component": "kubelet", "host": "node-1"}, "count": 9,
            "firstTimestamp": "2026-03-01T10:01:00Z", "lastTimestamp": "2026-03-01T11:58:00Z",
        }),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", "namespace": namespace},
            "data": {"color": "blue"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": namespace},
            "spec": {"selector": labels, "clusterIP": "10.96.0.7", "ports": [{"port": 80}]}}),
    ]
}

fn pod(namespace: &str, name: &str, state: &Value, restarts: u32) -> Value {
    let ready = state.get("running").is_some();
    let status = if ready { "True" } else { "False" };
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "uid": format!("{namespace}-{name}"), "labels": {"app": "web"},
            "creationTimestamp": "2026-03-01T10:00:00Z", "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet",
                "name": "web-1", "uid": format!("{namespace}-r"), "controller": true}]},
        "spec": {"nodeName": format!("{namespace}-node"), "containers": [{"name": "web", "image": "web:1"}]},
        "status": {
            "phase": "Running", "podIP": "10.1.0.4", "podIPs": [{"ip": "10.1.0.4"}], "startTime": "2026-03-01T10:00:00Z",
            "conditions": [{"type": "Ready", "status": status}, {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "web", "image": "web:1", "imageID": "", "ready": ready, "restartCount": restarts,
                "state": state, "lastState": if restarts == 0 { json!({}) } else { json!({"terminated": {
                    "exitCode": 1, "reason": "Error", "startedAt": "2026-03-01T11:54:00Z", "finishedAt": "2026-03-01T11:55:00Z"}}) }}],
        },
    })
}

/// The definition of a custom resource with a column, a status and a scale.
pub(crate) const WIDGETS: &str = r#"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Widget, plural: widgets, singular: widget, shortNames: [wd], categories: [all]}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
    subresources: {status: {}, scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}}
    additionalPrinterColumns:
    - {name: Size, type: integer, jsonPath: .spec.replicas}
    - {name: Colour, type: string, jsonPath: .spec.colour, priority: 1}
"#;
