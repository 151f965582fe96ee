//! The defaults that the API server fills into pod specs.

use serde_json::{Value, json};

use crate::scenario::json::{Map, child, each_mut, fill, text};

/// Fills a template's spec.
pub(crate) fn for_template(spec: &mut Map, restart_policy: &str) {
    for list in ["containers", "initContainers"] {
        for container in each_mut(spec, list) {
            fill_container(container);
        }
    }
    for volume in each_mut(spec, "volumes") {
        fill_volume(volume);
    }
    fill(spec, "dnsPolicy", "ClusterFirst");
    fill(spec, "restartPolicy", restart_policy);
    fill(spec, "schedulerName", "default-scheduler");
    fill(spec, "securityContext", json!({}));
    fill(spec, "terminationGracePeriodSeconds", 30);
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        fill(spec, "serviceAccount", account);
    }
}

/// Fills in what only pods have: node, account, priority, tolerations, the account's token.
pub(super) fn for_pod(spec: &mut Map, node: Option<&str>, daemon: bool, token: &str) {
    fill(spec, "enableServiceLinks", true);
    fill(spec, "preemptionPolicy", "PreemptLowerPriority");
    let priority = match text(spec, "priorityClassName") {
        "system-node-critical" => 2_000_001_000,
        "system-cluster-critical" => 2_000_000_000,
        _ => 0,
    };
    fill(spec, "priority", priority);
    fill(spec, "serviceAccountName", "default");
    let account = spec.get("serviceAccountName").cloned().unwrap_or_default();
    fill(spec, "serviceAccount", account);
    fill_tolerations(spec, daemon);
    if spec.get("automountServiceAccountToken").and_then(Value::as_bool) != Some(false) {
        mount_token(spec, &format!("kube-api-access-{token}"));
    }
    if let Some(node) = node {
        spec.insert("nodeName".into(), node.into());
    }
}

/// Binds a daemon's pod to its node as the controller does.
pub(crate) fn for_node(spec: &mut Map, node: &str) {
    let affinity = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
    ]}}});
    fill(spec, "affinity", affinity);
}

fn fill_container(container: &mut Map) {
    let policy = if is_latest(text(container, "image")) { "Always" } else { "IfNotPresent" };
    fill(container, "imagePullPolicy", policy);
    fill(container, "resources", json!({}));
    fill(container, "terminationMessagePath", "/dev/termination-log");
    fill(container, "terminationMessagePolicy", "File");
    for port in each_mut(container, "ports") {
        fill(port, "protocol", "TCP");
    }
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(key).and_then(Value::as_object_mut) {
            fill_probe(probe);
        }
    }
    for variable in each_mut(container, "env") {
        let source = variable.get_mut("valueFrom").and_then(|from| from.get_mut("fieldRef"));
        if let Some(source) = source.and_then(Value::as_object_mut) {
            fill(source, "apiVersion", "v1");
        }
    }
    let resources = child(container, "resources");
    if let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() {
        let requests = child(resources, "requests");
        for (name, quantity) in limits {
            fill(requests, &name, quantity);
        }
    }
}

fn is_latest(image: &str) -> bool {
    let last = image.rsplit('/').next().unwrap_or_default();
    !last.contains('@') && (!last.contains(':') || last.ends_with(":latest"))
}

fn fill_probe(probe: &mut Map) {
    fill(probe, "failureThreshold", 3);
    fill(probe, "periodSeconds", 10);
    fill(probe, "successThreshold", 1);
    fill(probe, "timeoutSeconds", 1);
    if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        fill(get, "scheme", "HTTP");
        fill(get, "path", "/");
    }
}

fn fill_volume(volume: &mut Map) {
    for key in ["configMap", "secret", "projected", "downwardAPI"] {
        if let Some(source) = volume.get_mut(key).and_then(Value::as_object_mut) {
            fill(source, "defaultMode", 420);
        }
    }
    if let Some(path) = volume.get_mut("hostPath").and_then(Value::as_object_mut) {
        fill(path, "type", "");
    }
}

fn fill_tolerations(spec: &mut Map, daemon: bool) {
    let mut added: Vec<Value> = Vec::new();
    for key in ["not-ready", "unreachable"] {
        let mut toleration =
            json!({"key": format!("node.kubernetes.io/{key}"), "operator": "Exists", "effect": "NoExecute"});
        if let (false, Some(toleration)) = (daemon, toleration.as_object_mut()) {
            toleration.insert("tolerationSeconds".into(), 300.into());
        }
        added.push(toleration);
    }
    if daemon {
        for key in ["disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"] {
            let key = format!("node.kubernetes.io/{key}");
            added.push(json!({"key": key, "operator": "Exists", "effect": "NoSchedule"}));
        }
    }
    let list = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else {
        return;
    };
    for toleration in added {
        let covers = |present: &Value| {
            let everything = present.get("key").is_none()
                && present.get("effect").is_none_or(|effect| Some(effect) == toleration.get("effect"));
            let same = present.get("key") == toleration.get("key")
                && present.get("effect").is_none_or(|effect| Some(effect) == toleration.get("effect"));
            same || everything && daemon
        };
        if !list.iter().any(covers) {
            list.push(toleration);
        }
    }
}

fn mount_token(spec: &mut Map, volume: &str) {
    for list in ["containers", "initContainers"] {
        for container in each_mut(spec, list) {
            let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
            if let Some(mounts) = mounts.as_array_mut() {
                let path = "/var/run/secrets/kubernetes.io/serviceaccount";
                if mounts.iter().any(|mount| mount.get("mountPath").is_some_and(|at| at == path)) {
                    continue;
                }
                mounts.push(json!({"name": volume, "readOnly": true, "mountPath": path}));
            }
        }
    }
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(json!({"name": volume, "projected": {"defaultMode": 420, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
            ]}}
        ]}}));
    }
}
