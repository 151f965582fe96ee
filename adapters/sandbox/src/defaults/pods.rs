//! Pods and their templates.

mod volumes;

use serde_json::{Value, json};

use super::{Object, child, each, part, put, text};

/// What a pod gets beyond what its template would get: access, priority, tolerations and a status.
pub(super) fn pod(pod: &mut Object) {
    let Some(spec) = child(pod, "spec") else { return };
    put(spec, "enableServiceLinks", true);
    for list in ["initContainers", "containers"] {
        each(spec, list).for_each(requests_from_limits);
    }
    self::spec(spec);
    put(spec, "serviceAccountName", "default");
    let account = text(spec, "serviceAccountName").to_owned();
    put(spec, "serviceAccount", account);
    if text(spec, "priorityClassName").is_empty() {
        put(spec, "priority", 0);
    }
    put(spec, "preemptionPolicy", "PreemptLowerPriority");
    tolerations(spec);
    let class = quality_of_service(spec);
    let Some(status) = child(pod, "status") else { return };
    put(status, "phase", "Pending");
    put(status, "qosClass", class);
}

/// The part of a pod that a template has too.
pub(super) fn spec(spec: &mut Object) {
    put(spec, "restartPolicy", "Always");
    put(spec, "terminationGracePeriodSeconds", 30);
    put(spec, "dnsPolicy", "ClusterFirst");
    put(spec, "securityContext", json!({}));
    put(spec, "schedulerName", "default-scheduler");
    let host_network = spec.get("hostNetwork") == Some(&Value::Bool(true));
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for one in each(spec, list) {
            container(one, host_network);
        }
    }
    each(spec, "volumes").for_each(volumes::volume);
}

fn container(container: &mut Object, host_network: bool) {
    let policy = pull_policy(text(container, "image"));
    put(container, "resources", json!({}));
    put(container, "terminationMessagePath", "/dev/termination-log");
    put(container, "terminationMessagePolicy", "File");
    put(container, "imagePullPolicy", policy);
    for port in each(container, "ports") {
        put(port, "protocol", "TCP");
        if host_network {
            let number = port.get("containerPort").cloned().unwrap_or_default();
            put(port, "hostPort", number);
        }
    }
    for variable in each(container, "env") {
        if let Some(field) = part(variable, "valueFrom").and_then(|source| part(source, "fieldRef")) {
            put(field, "apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(one) = part(container, name) {
            probe(one);
        }
    }
    if let Some(lifecycle) = part(container, "lifecycle") {
        for hook in ["postStart", "preStop"] {
            part(lifecycle, hook).into_iter().for_each(http_get);
        }
    }
}

fn probe(probe: &mut Object) {
    for (key, value) in [("timeoutSeconds", 1), ("periodSeconds", 10), ("successThreshold", 1), ("failureThreshold", 3)]
    {
        put(probe, key, value);
    }
    http_get(probe);
    if let Some(call) = part(probe, "grpc") {
        put(call, "service", "");
    }
}

fn http_get(action: &mut Object) {
    if let Some(get) = part(action, "httpGet") {
        put(get, "path", "/");
        put(get, "scheme", "HTTP");
    }
}

/// `Always` for an image that may be another one tomorrow.
fn pull_policy(image: &str) -> &'static str {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    match (last.split_once(':').map(|(_, tag)| tag), digest) {
        (Some("latest"), _) | (None, None) => "Always",
        _ => "IfNotPresent",
    }
}

fn requests_from_limits(container: &mut Object) {
    let Some(resources) = part(container, "resources") else { return };
    let Some(limits) = resources.get("limits").and_then(Value::as_object).cloned() else { return };
    let Some(requests) = child(resources, "requests") else { return };
    for (name, limit) in limits {
        put(requests, &name, limit);
    }
}

/// Every pod stays five minutes on a node that is lost, unless it says otherwise.
fn tolerations(spec: &mut Object) {
    put(spec, "tolerations", json!([]));
    let Some(tolerations) = spec.get_mut("tolerations").and_then(Value::as_array_mut) else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        if tolerations.iter().any(|toleration| tolerates(toleration, key)) {
            continue;
        }
        tolerations.push(json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}));
    }
}

fn tolerates(toleration: &Value, taint: &str) -> bool {
    let field = |name: &str| toleration.get(name).and_then(Value::as_str).unwrap_or_default();
    matches!(field("key"), "" | "node.kubernetes.io/not-ready" | "node.kubernetes.io/unreachable")
        && (field("key").is_empty() || field("key") == taint)
        && matches!(field("effect"), "" | "NoExecute")
}

/// How the kubelet ranks the pod when memory runs short.
pub(crate) fn quality_of_service(spec: &Object) -> &'static str {
    let containers = ["initContainers", "containers"]
        .into_iter()
        .filter_map(|list| spec.get(list).and_then(Value::as_array))
        .flatten();
    let (mut any, mut all) = (false, true);
    for container in containers {
        for resource in ["cpu", "memory"] {
            let limit = container.pointer(&format!("/resources/limits/{resource}"));
            let request = container.pointer(&format!("/resources/requests/{resource}"));
            any |= limit.is_some() || request.is_some();
            all &= limit.is_some() && limit == request;
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
