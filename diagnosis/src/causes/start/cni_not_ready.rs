//! `cni-not-ready`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::network_plugin;
use crate::facts::node_state;
use crate::facts::sandbox::{self, Sandbox, node_name};
use crate::finding::Finding;
use crate::parse::node_condition::Fault;
use crate::parse::sandbox::SandboxFault;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The network plugin (CNI) is installed, and its agent on the node does not work, so no pod there gets a network.
    /// ## Signals
    /// Event `FailedCreatePodSandBox` with, of flannel, `loadFlannelSubnetEnv failed: open /run/flannel/subnet.env`;
    /// Calico `stat /var/lib/calico/nodename: no such file or directory`, `error getting ClusterInformation`; Cilium
    /// `unable to connect to Cilium`, `cilium.sock: connect: connection refused`; Amazon `dial tcp 127.0.0.1:50051:
    /// connect: connection refused`; Multus, OVN-Kubernetes, Weave, Antrea likewise. `NetworkPluginNotReady` while the
    /// agent's pod on the node is not ready.
    /// ## Look-alikes
    /// `cni-config-missing`: no configuration and no agent that is about to write one, or no program.
    /// `cni-ip-exhausted`: the agent answers, and has no address. `sandbox-create-failed`: the plugin fails in another
    /// way.
    /// ## Fixes
    /// Mend the agent's pod on that node: its state and its log say why it is not up. flannel needs the node's podCIDR to
    /// write its file; a token that has run out is renewed when the agent starts anew.
    /// ## Source
    /// flannel, Calico, Cilium, Amazon VPC CNI: the plugins' own programs.
    CniNotReady, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(failure) = sandbox::of_code(case, Code::CniNotReady)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &failure)?])
}

fn explain(case: &Case<'_>, failure: &Sandbox) -> Result<Finding, Needs> {
    let node = node_name(case);
    let agent = sandbox::agent(case)?;
    let plugin = if let SandboxFault::AgentDown(plugin) = &failure.fault {
        text![name(*plugin)]
    } else {
        text!["The network plugin (CNI)"]
    };
    let known = match &agent {
        Read::Found(agent) => Some(agent.sentence()),
        Read::Absent => Some(text!["No pod of it was found on the node: its DaemonSet may not reach this node."]),
        Read::Unreadable => None,
    };
    let unauthorized = network_plugin::is_unauthorized(failure);
    let title = if unauthorized {
        text![plugin.clone(), " on node ", name(node), " is turned away by the API server (Unauthorized)"]
    } else {
        text![plugin.clone(), " is not up on node ", name(node), ", so pods there get no network"]
    };
    let finding = failure.finding(case, Code::CniNotReady);
    let finding = node_state::blamed(case, finding, |fault| matches!(fault, Fault::Network(_)));
    let finding = finding
        .title(title)
        .explain(text![
            "A pod gets its network from the network plugin on its node. ",
            plugin,
            " is installed on node ",
            name(node),
            if unauthorized {
                ", and the token that it identifies itself with is not valid (any more), so pods there get no network."
            } else {
                ", and its agent does not answer or has not prepared the node yet."
            }
        ])
        .also(known)
        .also(failure.said());
    let agent = agent.found();
    let via = agent.as_ref().map(|agent| agent.pod.clone());
    let finding = network_plugin::mend(case, failure, agent.as_ref()).into_iter().fold(finding, Finding::fix);
    Ok(match via {
        Some(agent) => finding.via(agent),
        None => finding,
    })
}
