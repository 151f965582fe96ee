//! What leads traffic to pods.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use serde_json::{Value, json};

use super::{Object, child, each, is_set, part, put, put_into, text};

pub(super) fn service(service: &mut Object) {
    put_into(service, "status", "loadBalancer", json!({}));
    let lot = lot(service);
    let Some(spec) = child(service, "spec") else { return };
    put(spec, "type", "ClusterIP");
    put(spec, "sessionAffinity", "None");
    if text(spec, "sessionAffinity") == "ClientIP" {
        put(spec, "sessionAffinityConfig", json!({"clientIP": {"timeoutSeconds": 10800}}));
    }
    for port in each(spec, "ports") {
        put(port, "protocol", "TCP");
        let number = port.get("port").cloned().unwrap_or_default();
        put(port, "targetPort", number);
    }
    let kind = text(spec, "type").to_owned();
    if kind == "ExternalName" {
        return;
    }
    put(spec, "internalTrafficPolicy", "Cluster");
    cluster_ip(spec, lot);
    if kind == "LoadBalancer" {
        put(spec, "allocateLoadBalancerNodePorts", true);
    }
    if matches!(kind.as_str(), "NodePort" | "LoadBalancer") {
        put(spec, "externalTrafficPolicy", "Cluster");
        if spec.get("allocateLoadBalancerNodePorts") != Some(&Value::Bool(false)) {
            for (place, port) in (0..).zip(each(spec, "ports")) {
                put(port, "nodePort", 30_000 + (lot + place) % 2768);
            }
        }
    }
}

/// Gives a service its address. It comes from the name, so that the same service has the same address in every run.
fn cluster_ip(spec: &mut Object, lot: u64) {
    if text(spec, "clusterIP").is_empty() {
        spec.remove("clusterIP");
    }
    let address = format!("10.96.{}.{}", lot / 254 % 254 + 1, lot % 254 + 1);
    put(spec, "clusterIP", address);
    let address = spec.get("clusterIP").cloned().unwrap_or_default();
    let everywhere = address == "None" && !is_set(spec, "selector");
    put(spec, "clusterIPs", json!([address]));
    let (families, policy) = match (everywhere, address.as_str().is_some_and(|address| address.contains(':'))) {
        (true, _) => (json!(["IPv4", "IPv6"]), "RequireDualStack"),
        (false, true) => (json!(["IPv6"]), "SingleStack"),
        (false, false) => (json!(["IPv4"]), "SingleStack"),
    };
    put(spec, "ipFamilies", families);
    put(spec, "ipFamilyPolicy", policy);
}

/// A number that only the namespace and the name decide.
fn lot(object: &mut Object) -> u64 {
    let mut hasher = DefaultHasher::new();
    if let Some(metadata) = part(object, "metadata") {
        (text(metadata, "namespace"), text(metadata, "name")).hash(&mut hasher);
    }
    hasher.finish() % 1_000_000
}

pub(super) fn endpoints(endpoints: &mut Object) {
    for subset in each(endpoints, "subsets") {
        each(subset, "ports").for_each(|port| put(port, "protocol", "TCP"));
    }
}

pub(super) fn endpoint_slice(slice: &mut Object) {
    for port in each(slice, "ports") {
        put(port, "name", "");
        put(port, "protocol", "TCP");
    }
    each(slice, "endpoints").for_each(|endpoint| put(endpoint, "conditions", json!({})));
}

pub(super) fn network_policy(policy: &mut Object) {
    let Some(spec) = child(policy, "spec") else { return };
    let both = spec.get("egress").and_then(Value::as_array).is_some_and(|rules| !rules.is_empty());
    put(spec, "policyTypes", if both { json!(["Ingress", "Egress"]) } else { json!(["Ingress"]) });
    for direction in ["ingress", "egress"] {
        for rule in each(spec, direction) {
            each(rule, "ports").for_each(|port| put(port, "protocol", "TCP"));
        }
    }
}
