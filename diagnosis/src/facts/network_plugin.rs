//! The network plugins that clusters mostly have: what their agents are called, and what a person does with them.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, shell_quoted};
use crate::facts::sandbox::{Agent, Sandbox, node_name};
use crate::finding::Fix;
use crate::parse::sandbox::SandboxFault;

/// A network plugin, and the `DaemonSet` of its agents as it is mostly installed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NetworkPlugin {
    /// As people call it.
    pub(crate) name: &'static str,
    /// The namespace that its manifest installs it into.
    pub(crate) namespace: &'static str,
    /// The `DaemonSet` of its agents.
    pub(crate) daemon_set: &'static str,
    /// The label of its agents.
    label: &'static str,
    /// Words by which it is known in an error of the runtime, in lower case.
    words: &'static [&'static str],
}

/// A plugin that calls others stands after them: the inner one is what fails.
static PLUGINS: [NetworkPlugin; 13] = [
    NetworkPlugin {
        name: "Calico",
        namespace: "kube-system",
        daemon_set: "calico-node",
        label: "k8s-app=calico-node",
        words: &["calico"],
    },
    NetworkPlugin {
        name: "Cilium",
        namespace: "kube-system",
        daemon_set: "cilium",
        label: "k8s-app=cilium",
        words: &["cilium"],
    },
    NetworkPlugin {
        name: "flannel",
        namespace: "kube-flannel",
        daemon_set: "kube-flannel-ds",
        label: "app=flannel",
        words: &["flannel", "cni0", "cbr0"],
    },
    NetworkPlugin {
        name: "Amazon VPC CNI",
        namespace: "kube-system",
        daemon_set: "aws-node",
        label: "k8s-app=aws-node",
        words: &["aws-cni", "amazon vpc cni", "ipamd", "127.0.0.1:50051", "add cmd: failed to assign an ip address"],
    },
    NetworkPlugin {
        name: "Azure CNI",
        namespace: "kube-system",
        daemon_set: "azure-cns",
        label: "k8s-app=azure-cns",
        words: &["azure-vnet", "azure-ipam", "azure-cns", "azure cni"],
    },
    NetworkPlugin {
        name: "OVN-Kubernetes",
        namespace: "openshift-ovn-kubernetes",
        daemon_set: "ovnkube-node",
        label: "app=ovnkube-node",
        words: &["ovn-k8s", "ovn-kubernetes", "ovnkube", "k8s.ovn.org", "ovn-cni"],
    },
    NetworkPlugin {
        name: "Kube-OVN",
        namespace: "kube-system",
        daemon_set: "kube-ovn-cni",
        label: "app=kube-ovn-cni",
        words: &["kube-ovn"],
    },
    NetworkPlugin {
        name: "Weave Net",
        namespace: "kube-system",
        daemon_set: "weave-net",
        label: "name=weave-net",
        words: &["weave", "127.0.0.1:6784"],
    },
    NetworkPlugin {
        name: "Antrea",
        namespace: "kube-system",
        daemon_set: "antrea-agent",
        label: "component=antrea-agent",
        words: &["antrea"],
    },
    NetworkPlugin {
        name: "kube-router",
        namespace: "kube-system",
        daemon_set: "kube-router",
        label: "k8s-app=kube-router",
        words: &["kube-router", "kube-bridge"],
    },
    NetworkPlugin {
        name: "kindnet",
        namespace: "kube-system",
        daemon_set: "kindnet",
        label: "k8s-app=kindnet",
        words: &["kindnet"],
    },
    NetworkPlugin {
        name: "Istio CNI",
        namespace: "istio-system",
        daemon_set: "istio-cni-node",
        label: "k8s-app=istio-cni-node",
        words: &["istio-cni", "istio cni"],
    },
    NetworkPlugin {
        name: "Multus",
        namespace: "kube-system",
        daemon_set: "kube-multus-ds",
        label: "app=multus",
        words: &["multus"],
    },
];

/// The plugin that the failure is about, where its words tell.
pub(crate) fn of(failure: &Sandbox) -> Option<&'static NetworkPlugin> {
    if let SandboxFault::AgentDown(agent) = &failure.fault
        && let Some(named) = PLUGINS.iter().find(|plugin| plugin.name == *agent)
    {
        return Some(named);
    }
    by_words(&failure.words)
}

/// The plugin that those words are about.
pub(crate) fn by_words(words: &str) -> Option<&'static NetworkPlugin> {
    let lower = words.to_ascii_lowercase();
    PLUGINS.iter().find(|plugin| plugin.words.iter().any(|word| lower.contains(word)))
}

/// Tells whether the API server (or the plugin's datastore) rejects what the plugin identifies itself with.
pub(crate) fn is_unauthorized(failure: &Sandbox) -> bool {
    failure.words.to_ascii_lowercase().contains("unauthorized")
}

impl NetworkPlugin {
    /// Commands that show its agents on the pod's node and what they say.
    fn look(&self, case: &Case<'_>, node: &str) -> Vec<String> {
        let on_node = format!("spec.nodeName={node}");
        vec![
            case.kubectl_cluster(["get", "pods", "-A", "-l", self.label, "-o", "wide", "--field-selector", &on_node]),
            case.kubectl_in(self.namespace, ["logs", "-l", self.label, "--all-containers", "--prefix", "--tail=30"]),
        ]
    }

    /// The step to see why its agent on the node does not work.
    pub(crate) fn see(&self, case: &Case<'_>) -> Fix {
        self.see_on(case, node_name(case))
    }

    /// The same for a node.
    pub(crate) fn see_on(&self, case: &Case<'_>, node: &str) -> Fix {
        Fix::safe(text![
            "see whether the agent of ",
            self.name,
            " runs on node ",
            name(node),
            " and what it says (DaemonSet ",
            name(self.daemon_set),
            ", mostly in namespace ",
            name(self.namespace),
            ")"
        ])
        .commands(self.look(case, node))
    }

    /// The step to restart its agents.
    pub(crate) fn restart(&self, case: &Case<'_>, why: Text) -> Fix {
        let target = format!("daemonset/{}", self.daemon_set);
        Fix::disruptive(text!["restart DaemonSet ", name(self.daemon_set), " of ", self.name, why])
            .command(case.kubectl_in(self.namespace, ["rollout", "restart", &target]))
            .command(case.kubectl_in(self.namespace, ["rollout", "status", &target]))
    }
}

/// What a person does about an agent that does not work, the surest step first.
pub(crate) fn mend(case: &Case<'_>, failure: &Sandbox, agent: Option<&Agent>) -> Vec<Fix> {
    let plugin = of(failure);
    let mut fixes = Vec::new();
    fixes.extend(plugin.and_then(|plugin| by_fault(case, failure, plugin)));
    if let Some(agent) = agent {
        let namespace = agent.pod.namespace.clone().unwrap_or_default();
        let pod = agent.pod.name.as_str();
        let of = plugin.map(|plugin| text![" of ", plugin.name]);
        fixes.push(
            Fix::safe(text!["see why the agent", of, " is not up: state and log of Pod ", name(agent.pod.path())])
                .command(case.kubectl_in(&namespace, ["describe", "pod", pod]))
                .command(case.kubectl_in(&namespace, ["logs", pod, "--all-containers", "--tail=50"])),
        );
        fixes.push(
            Fix::disruptive(text!["if it hangs, delete that pod: its DaemonSet makes a new one"])
                .command(case.kubectl_in(&namespace, ["delete", "pod", pod])),
        );
    } else if let Some(plugin) = plugin {
        fixes.push(plugin.see(case));
        if !is_unauthorized(failure) {
            fixes.push(plugin.restart(case, text![" if the agent runs and hangs"]));
        }
    } else {
        let on_node = format!("spec.nodeName={}", node_name(case));
        fixes.push(
            Fix::safe(text!["find the agent of the network plugin on the node, and see why it is not up"])
                .command(case.kubectl_cluster(["get", "pods", "-A", "-o", "wide", "--field-selector", &on_node]))
                .command(case.kubectl_cluster(["get", "daemonsets", "-A"])),
        );
    }
    fixes
}

/// The step that suits what the plugin says, where it says more than that it does not answer.
fn by_fault(case: &Case<'_>, failure: &Sandbox, plugin: &NetworkPlugin) -> Option<Fix> {
    let node = node_name(case);
    if is_unauthorized(failure) {
        let why = text![
            ": its agent writes a fresh kubeconfig with a valid token to ",
            code("/etc/cni/net.d"),
            " of the node when it starts"
        ];
        return Some(plugin.restart(case, why));
    }
    let nothing_there = failure.words.contains("subnet.env");
    (plugin.name == "flannel" && nothing_there).then(|| {
        let ranges = "custom-columns=NODE:.metadata.name,PODCIDR:.spec.podCIDR";
        Fix::safe(text![
            "flannel writes ",
            code("/run/flannel/subnet.env"),
            " from the node's podCIDR when its pod starts there: see that node ",
            name(node),
            " has one (else give kube-controller-manager ",
            code("--allocate-node-cidrs"),
            " and ",
            code("--cluster-cidr"),
            ")"
        ])
        .command(case.kubectl_cluster(["get", "node", node, "-o", ranges]))
    })
}

/// How a larger range, or a fuller use of the one that is there, is had with that plugin.
pub(crate) fn more_addresses(case: &Case<'_>, failure: &Sandbox) -> Fix {
    let node = node_name(case);
    let lower = failure.words.to_ascii_lowercase();
    match of(failure).map(|plugin| plugin.name) {
        Some("Amazon VPC CNI") => Fix::disruptive(text![
            "with Amazon VPC CNI: see that the node's subnet has free addresses (else add a larger subnet), and let \
             each network card carry more (prefix delegation; new nodes get it)"
        ])
        .command("aws ec2 describe-subnets --query 'Subnets[].[SubnetId,CidrBlock,AvailableIpAddressCount]'".to_owned())
        .command(case.kubectl_in(
            "kube-system",
            ["set", "env", "daemonset/aws-node", "ENABLE_PREFIX_DELEGATION=true", "WARM_PREFIX_TARGET=1"],
        )),
        Some("Calico") => Fix::disruptive(text![
            "with Calico: see how full its pools are, free leaked addresses, and add an IPPool (or enlarge the one there)"
        ])
        .command("calicoctl ipam show --show-blocks; calicoctl ipam check".to_owned())
        .command(case.kubectl_cluster(["get", "ippools.crd.projectcalico.org", "-o", "yaml"])),
        Some("Cilium") => Fix::disruptive(text![
            "with Cilium: see the range of the node, and give it another (cluster-pool-ipv4-cidr, or the subnet of \
             the cloud)"
        ])
        .command(case.kubectl_cluster(["get", "ciliumnode", node, "-o", "yaml"]))
        .command(case.kubectl_in("kube-system", ["get", "configmap", "cilium-config", "-o", "yaml"])),
        Some("Azure CNI") => Fix::disruptive(text![
            "with Azure CNI: see how many addresses the subnet of the nodes has left; use a larger subnet or the \
             overlay mode"
        ])
        .command(case.kubectl_cluster(["get", "nodenetworkconfigs", "-A"])),
        _ if lower.contains("no podcidr") => Fix::safe(text![
            "give node ",
            name(node),
            " a podCIDR: kube-controller-manager hands them out with ",
            code("--allocate-node-cidrs"),
            " while ",
            code("--cluster-cidr"),
            " has room"
        ])
        .command(case.kubectl_cluster(["get", "node", node, "-o", "jsonpath={.spec.podCIDR}"])),
        _ => Fix::disruptive(text![
            "give the network a larger range (subnet, address pool, node CIDR), or set maxPods of the kubelet so that \
             no more pods come to the node than its range has addresses"
        ])
        .command(case.kubectl_cluster(["get", "node", node, "-o", "jsonpath={.spec.podCIDR} {.status.capacity.pods}"])),
    }
}

/// A look at what the host-local plugin has handed out on the node.
pub(crate) fn leaked(failure: &Sandbox) -> Option<Fix> {
    let cloud = ["Amazon VPC CNI", "Azure CNI", "Cilium", "Calico"];
    if of(failure).is_some_and(|plugin| cloud.contains(&plugin.name)) {
        return None;
    }
    let folder = shell_quoted("/var/lib/cni/networks");
    let words = text!["if fewer pods run there than addresses are taken, some are leaked: compare them on the node"];
    Some(Fix::safe(words).command(format!("find {folder} -type f; crictl pods")))
}

#[cfg(test)]
mod tests {
    use super::by_words;

    #[test]
    fn plugins_are_known_by_their_words() {
        let cases = [
            ("plugin type=\"calico\" failed (add): connection is unauthorized: Unauthorized", Some("Calico")),
            ("plugin type=\"multus\" name=\"multus-cni\": [shop/cart:k8s-pod-network]: calico: x", Some("Calico")),
            ("Multus: [shop/cart]: error getting pod: Unauthorized", Some("Multus")),
            (
                "failed to set bridge addr: \"cni0\" already has an IP address different from 10.1.1.1/24",
                Some("flannel"),
            ),
            ("add cmd: failed to assign an IP address to container", Some("Amazon VPC CNI")),
            ("no IP addresses available in range set: 10.42.1.1-10.42.1.254", None),
        ];
        for (words, plugin) in cases {
            assert_eq!(by_words(words).map(|plugin| plugin.name), plugin, "{words}");
        }
    }
}
