//! `cni-ip-exhausted`.

use std::net::Ipv4Addr;

use k8s_openapi::api::core::v1::Pod;
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::network_plugin;
use crate::facts::sandbox::{self, Sandbox, node_name};
use crate::finding::{Evidence, Finding, Fix};
use crate::parse::sandbox::SandboxFault;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The network plugin has no address left for another pod on that node.
    /// ## Signals
    /// Event `FailedCreatePodSandBox` with `no IP addresses available in range set: A-B` (host-local), `No IPs
    /// available in pools: [CIDR]` or `limit of N blocks reached` (Calico), `range is full` or `no IPs currently
    /// available` (Cilium), `add cmd: failed to assign an IP address to container` (Amazon), `No available addresses`
    /// (Azure), `no podCidr for node`.
    /// ## Look-alikes
    /// `cni-not-ready`: the agent that hands out addresses does not answer. `cluster-out-of-capacity`: `Too many pods`,
    /// said by the scheduler.
    /// ## Fixes
    /// Fewer pods on the node (`maxPods` fitting the range), a larger range or pool, or leaked reservations removed.
    /// ## Source
    /// CNI plugins/ipam/host-local/backend/allocator/allocator.go; Calico libcalico-go/lib/ipam/ipam.go.
    CniIpExhausted, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(failure) = sandbox::of_code(case, Code::CniIpExhausted)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &failure)?])
}

fn explain(case: &Case<'_>, failure: &Sandbox) -> Result<Finding, Needs> {
    let node = node_name(case);
    let (on_node, it) = (case.list::<Pod>(None, Filter::OnNode(node.to_owned())), case.node());
    let (on_node, it) = (on_node?, it?);
    let SandboxFault::NoAddress(range) = &failure.fault else { return Ok(failure.finding(case, Code::CniIpExhausted)) };
    let room = range.as_deref().and_then(addresses);
    let pod_range = match &it {
        Read::Found(node) => node.spec.as_ref().and_then(|spec| spec.pod_cidr.clone()),
        Read::Absent | Read::Unreadable => None,
    };
    let title = match (range, room) {
        (Some(range), Some(room)) => text![
            "No IP address left for pods on node ",
            name(node),
            ": range ",
            code(range.clone()),
            " has ",
            room,
            " addresses"
        ],
        (Some(range), None) => {
            text!["No IP address left for pods on node ", name(node), " in range ", code(range.clone())]
        }
        (None, _) => text!["No IP address left for pods on node ", name(node)],
    };
    let shown = pod_range.clone().map(|range| Evidence::field(&sandbox::node(case), ".spec.podCIDR", range));
    Ok(failure
        .finding(case, Code::CniIpExhausted)
        .title(title)
        .explain(text![
            "Each pod needs an IP address of its own, and the network plugin on node ",
            name(node),
            " has none left to give, so the pod's sandbox cannot be made. It starts as soon as an address is free."
        ])
        .also(count(on_node.found().as_deref(), node))
        .also(failure.said())
        .evidence(shown)
        .fix(room_elsewhere(case, node))
        .fix(network_plugin::more_addresses(case, failure))
        .fix(network_plugin::leaked(failure)))
}

/// How many pods on the node have taken an address.
fn count(on_node: Option<&[std::sync::Arc<Pod>]>, node: &str) -> Option<Text> {
    let of_network = |pod: &Pod| pods::spec(pod).and_then(|spec| spec.host_network) != Some(true);
    let with_address = |pod: &Pod| {
        pods::status(pod).and_then(|status| status.pod_ip.as_deref()).is_some_and(|address| !address.is_empty())
    };
    let pods = on_node?;
    let all = pods.iter().filter(|pod| of_network(pod)).count();
    let have = pods.iter().filter(|pod| of_network(pod) && with_address(pod)).count();
    (have > 0).then(|| text!["Of ", all, " pods that need an address on node ", name(node), ", ", have, " have one."])
}

/// How many addresses `A-B` or `A/N` holds.
fn addresses(range: &str) -> Option<u32> {
    if let Some((first, last)) = range.split_once('-') {
        let first: Ipv4Addr = first.trim().parse().ok()?;
        let last: Ipv4Addr = last.trim().parse().ok()?;
        return u32::from(last).checked_sub(u32::from(first))?.checked_add(1);
    }
    let (_, prefix) = range.split_once('/')?;
    let bits = 32_u32.checked_sub(prefix.parse().ok()?)?;
    1_u32.checked_shl(bits)
}

fn room_elsewhere(case: &Case<'_>, node: &str) -> Fix {
    let selector = format!("spec.nodeName={node}");
    Fix::safe(text!["see which pods take the addresses of the node, and move or scale down what it need not run"])
        .command(case.kubectl_cluster(["get", "pods", "-A", "-o", "wide", "--field-selector", selector.as_str()]))
}

#[cfg(test)]
mod tests {
    use super::addresses;

    #[test]
    fn ranges_are_counted() {
        assert_eq!(addresses("10.244.9.1-10.244.9.6"), Some(6));
        assert_eq!(addresses("10.1.0.0/26"), Some(64));
        assert_eq!(addresses("10.1.0.0/0"), None);
        assert_eq!(addresses("fd00::/120"), None);
    }
}
