//! Nodes: a complete, ready one under what a scenario says of it.

use serde_json::{Value, json};

use super::identity::{Seed, node_address, node_subnet};
use super::json::{self, Map};
use super::time::{Moment, Time};

/// Merges what is written of a node over a whole one; conditions by their type.
pub(crate) fn complete(written: &Map, moment: &Moment, created: Time) -> Value {
    let name = written.get("metadata").map(|metadata| json::text_at(metadata, &["name"])).unwrap_or_default();
    let mut node = json::map_of(usual(name, moment, created));
    let mut over = written.clone();
    let status = json::child(&mut over, "status");
    let conditions: Vec<Map> = match status.remove("conditions") {
        Some(Value::Array(items)) => items.into_iter().map(json::map_of).collect(),
        _ => Vec::new(),
    };
    let has_allocatable = status.contains_key("allocatable");
    let capacity = status.get("capacity").cloned();
    json::merge(&mut node, &over);
    let status = json::child(&mut node, "status");
    if let (false, Some(Value::Object(capacity))) = (has_allocatable, capacity) {
        json::merge(json::child(status, "allocatable"), &capacity);
    }
    if let Some(Value::Array(list)) = status.get_mut("conditions") {
        json::merge_keyed(list, &conditions, "type");
        for condition in list.iter_mut().filter_map(Value::as_object_mut) {
            let since = moment.write(created);
            json::fill(condition, "lastTransitionTime", since);
            json::fill(condition, "lastHeartbeatTime", moment.write(Time::ago(40)));
        }
    }
    Value::Object(node)
}

/// The lease of a node whose kubelet is alive.
pub(crate) fn lease(name: &str, uid: &str, moment: &Moment) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": {
            "name": name, "namespace": "kube-node-lease",
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}],
        },
        "spec": {
            "holderIdentity": name, "leaseDurationSeconds": 40,
            "renewTime": super::time::write_micro(moment.resolve(Time::ago(2))),
        },
    })
}

/// Tells whether a node's Ready condition is true.
pub(crate) fn is_ready(node: &Value) -> bool {
    let conditions = json::at(node, &["status", "conditions"]).and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        json::text_at(condition, &["type"]) == "Ready" && json::text_at(condition, &["status"]) == "True"
    })
}

fn usual(name: &str, moment: &Moment, created: Time) -> Value {
    let since = moment.write(created);
    let mut seed = Seed::of(&["node", name]);
    let (machine, boot) = (seed.hex(32), seed.uid());
    let subnet = format!("10.244.{}.0/24", node_subnet(name));
    let condition = |type_: &str, status: &str, reason: &str, message: &str| {
        json!({"type": type_, "status": status, "reason": reason, "message": message,
            "lastHeartbeatTime": moment.write(Time::ago(40)), "lastTransitionTime": since})
    };
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": name, "creationTimestamp": since,
            "labels": {
                "beta.kubernetes.io/arch": "amd64", "beta.kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name, "kubernetes.io/os": "linux",
            },
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
        },
        "spec": {"podCIDR": subnet, "podCIDRs": [subnet]},
        "status": {
            "addresses": [{"type": "InternalIP", "address": node_address(name)}, {"type": "Hostname", "address": name}],
            "capacity": {"cpu": "4", "ephemeral-storage": "103079844Ki", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
                "memory": "16384Mi", "pods": "110"},
            "allocatable": {"cpu": "4", "ephemeral-storage": "94998384128", "hugepages-1Gi": "0", "hugepages-2Mi": "0",
                "memory": "16284Mi", "pods": "110"},
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
                condition("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
            ],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "nodeInfo": {
                "machineID": machine, "systemUUID": machine, "bootID": boot, "kernelVersion": "6.1.0-28-amd64",
                "osImage": "Debian GNU/Linux 12 (bookworm)", "containerRuntimeVersion": "containerd://1.7.27",
                "kubeletVersion": "v1.34.1", "kubeProxyVersion": "", "operatingSystem": "linux", "architecture": "amd64",
            },
        },
    })
}
