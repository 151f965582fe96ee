//! `cni-config-missing`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::network_plugin;
use crate::facts::node_state;
use crate::facts::sandbox::{self, Sandbox, node_name};
use crate::finding::{Finding, Fix};
use crate::parse::node_condition::Fault;
use crate::parse::sandbox::SandboxFault;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The node has no pod network: no network plugin (CNI) is configured there, or the plugin's program is not on it.
    /// ## Signals
    /// Event `NetworkNotReady`, or the node's Ready condition: `container runtime network not ready: NetworkReady=false
    /// reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized` (containerd), `no
    /// CNI configuration file in DIR. Has your network provider started?` (CRI-O), `cni config uninitialized` (Docker),
    /// `no network config found in DIR`; event `FailedCreatePodSandBox` with `cni config load failed` or `failed to
    /// find plugin "T" in path [DIRS]`.
    /// ## Look-alikes
    /// `cni-not-ready`: the configuration is there and the plugin's agent is not up, or the agent's pod on the node is
    /// not ready and so has written none yet. `cni-ip-exhausted`: the network works and has no address left.
    /// `node-network-not-ready`: the same seen from the node.
    /// ## Fixes
    /// Install or repair the network plugin's DaemonSet on the node; look at the folder that the runtime reads.
    /// ## Source
    /// containerd internal/cri/server/status.go; CNI pkg/invoke/find.go.
    CniConfigMissing, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(failure) = sandbox::of_code(case, Code::CniConfigMissing)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &failure)?])
}

fn explain(case: &Case<'_>, failure: &Sandbox) -> Result<Finding, Needs> {
    let node = node_name(case);
    let agent = sandbox::agent(case)?;
    let (title, what) = match &failure.fault {
        SandboxFault::BinaryMissing(plugin) => (
            text!["Network plugin ", name(plugin.clone()), " is not installed on node ", name(node)],
            text![
                "The network configuration of node ",
                name(node),
                " calls plugin ",
                name(plugin.clone()),
                ", and there is no such program in the folder for plugins (mostly ",
                code("/opt/cni/bin"),
                ")."
            ],
        ),
        fault => {
            let folder = match fault {
                SandboxFault::ConfigMissing(Some(folder)) => folder.clone(),
                _ => "/etc/cni/net.d".to_owned(),
            };
            (
                text!["Node ", name(node), " has no network plugin (CNI) configuration"],
                text![
                    "No pod can start on node ",
                    name(node),
                    " except those on the host's network: the container runtime finds no network configuration in ",
                    code(folder),
                    ". The network plugin writes it there when it starts on the node."
                ],
            )
        }
    };
    let plugin = network_plugin::of(failure);
    let known = match &agent {
        Read::Found(agent) => Some(agent.sentence()),
        Read::Absent => {
            Some(text!["No agent of a known network plugin (Calico, Cilium, flannel, ...) was found on the node."])
        }
        Read::Unreadable => None,
    };
    let logs = match &agent {
        Read::Found(agent) => {
            let namespace = agent.pod.namespace.clone().unwrap_or_default();
            case.kubectl_in(&namespace, ["logs", agent.pod.name.as_str(), "--all-containers", "--tail=50"])
        }
        Read::Absent | Read::Unreadable => case.kubectl_cluster(["get", "daemonsets", "-A"]),
    };
    let finding = failure.finding(case, Code::CniConfigMissing);
    let finding = node_state::blamed(case, finding, |fault| matches!(fault, Fault::Network(_)));
    Ok(finding
        .title(title)
        .explain(what)
        .also(known)
        .also(failure.said())
        .fix(
            Fix::safe(text!["install the network plugin (CNI) of the cluster, or repair its DaemonSet on the node"])
                .command(logs),
        )
        .fix(plugin.map(|plugin| plugin.see(case)))
        .fix(
            Fix::safe(text![
                "on the node, see what is in the folders of the network plugin, and restart the runtime after"
            ])
            .command("ls -l /etc/cni/net.d /opt/cni/bin"),
        ))
}
