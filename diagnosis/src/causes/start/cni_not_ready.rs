//! `cni-not-ready`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::sandbox::{self, Sandbox, node_name};
use crate::finding::{Finding, Fix};
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
    /// Mend the agent's pod on that node: its state and its log say why it is not up.
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
    let finding = failure
        .finding(case, Code::CniNotReady)
        .title(text![plugin.clone(), " is not up on node ", name(node), ", so pods there get no network"])
        .explain(text![
            "A pod gets its network from the network plugin on its node. ",
            plugin,
            " is installed on node ",
            name(node),
            ", and its agent does not answer or has not prepared the node yet."
        ])
        .also(known)
        .also(failure.said());
    let Read::Found(agent) = agent else {
        return Ok(finding.fix(
            Fix::safe(text!["find the agent of the network plugin on the node, and see why it is not up"]).command(
                case.kubectl_cluster([
                    "get",
                    "pods",
                    "-A",
                    "-o",
                    "wide",
                    "--field-selector",
                    &format!("spec.nodeName={node}"),
                ]),
            ),
        ));
    };
    let namespace = agent.pod.namespace.clone().unwrap_or_default();
    let pod = agent.pod.name.as_str();
    Ok(finding
        .via(agent.pod.clone())
        .fix(
            Fix::safe(text!["see why the agent is not up: state and log of Pod ", name(agent.pod.path())])
                .command(case.kubectl_in(&namespace, ["describe", "pod", pod]))
                .command(case.kubectl_in(&namespace, ["logs", pod, "--all-containers", "--tail=50"])),
        )
        .fix(
            Fix::disruptive(text!["if it hangs, delete that pod: its DaemonSet makes a new one"])
                .command(case.kubectl_in(&namespace, ["delete", "pod", pod])),
        ))
}
