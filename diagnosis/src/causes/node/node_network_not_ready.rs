//! `node-network-not-ready`.

use std::sync::Arc;

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kubewhy_text::{Text, code, name, quoted, text};

use crate::ask::Filter;
use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::sandbox::{self, Agent};
use crate::facts::{network_plugin, node_advice, node_state};
use crate::finding::{Confidence, Evidence, Finding, Fix, ObjectRef, Severity};
use crate::kind::Kind;
use crate::parse::node_condition::{self, Fault};
use crate::parse::sandbox::{SandboxFault, parse};
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The node has no working pod network: no network plugin (CNI) has set it up, or its routes are not made. Pods on the
    /// host's network go on; no other pod can start there.
    /// ## Signals
    /// Condition Ready False with `container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady
    /// message:M` (`cni plugin not initialized`, `no network config found in DIR`, `no CNI configuration file in DIR`, `cni config
    /// uninitialized`); condition NetworkUnavailable True (`NoRouteCreated`, `CalicoIsDown`), taint
    /// `node.kubernetes.io/network-unavailable`; the network plugin's pod on the node is not ready or not there.
    /// ## Look-alikes
    /// `node-runtime-down`: without a runtime there is no network either, and it leads. `cni-config-missing`, `cni-not-ready`:
    /// the same seen from a pod. A node that has just joined waits for its plugin for a minute or two.
    /// ## Fixes
    /// Mend the network plugin's pod on the node (its DaemonSet, image, tolerations, log); look at /etc/cni/net.d; for routes
    /// the cloud controller manager.
    /// ## Source
    /// pkg/kubelet/runtime.go; containerd internal/cri/server/status.go; staging/src/k8s.io/cloud-provider/controllers/route.
    NodeNetworkNotReady, stage Node, since "0.1.0", detect
}

/// Where network plugins are mostly installed.
const HOMES: [&str; 2] = ["kube-system", "kube-flannel"];

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    let ready = node_state::condition(&node, "Ready");
    let plugin = ready.filter(|ready| ready.status == "False").and_then(|ready| {
        let parts = node_condition::parse(ready.message.as_deref().unwrap_or_default());
        parts.into_iter().find_map(|part| match part.fault {
            Fault::Network(words) => Some((ready, words)),
            _ => None,
        })
    });
    let finding = if let Some((ready, words)) = plugin {
        not_set_up(case, &node, ready, &words)?
    } else if let Some(condition) = node_state::condition(&node, "NetworkUnavailable").filter(|it| it.status == "True")
    {
        unavailable(case, &node, condition)?
    } else {
        return Ok(Vec::new());
    };
    let silent = ready.is_some_and(|ready| ready.status == "Unknown");
    let finding = finding.follows(if silent { Code::NodeKubeletDown } else { Code::NodeRuntimeDown });
    let joining = node_state::is_joining(&node, case.now());
    Ok(vec![if joining { finding.severity(Severity::Info) } else { finding }])
}

/// The runtime finds no network plugin, or the plugin says that it is not ready.
fn not_set_up(case: &Case<'_>, node: &Node, ready: &NodeCondition, words: &str) -> Result<Finding, Needs> {
    let node_name = node_state::name_of(node);
    let agent = sandbox::agent_on(case, node_name)?;
    let folder = match parse(words) {
        SandboxFault::ConfigMissing(Some(folder)) => folder,
        _ => "/etc/cni/net.d".to_owned(),
    };
    let finding = case
        .finding(Code::NodeNetworkNotReady)
        .root(node_state::reference(node))
        .title(text![node_state::called(node), " has no pod network: ", quoted(words)])
        .explain(text![
            "The container runtime of the node finds no working network plugin (CNI): its agent on the node writes the \
             configuration to ",
            code(folder.clone()),
            " when it is up. Until then no pod can start there except on the host's network."
        ])
        .evidence(node_state::evidence(node, ready))
        .since(node_state::since(ready));
    let finding = with_agent(case, node, finding, &agent)?;
    let finding = match network_plugin::by_words(words) {
        Some(plugin) if agent.is_absent() => finding.fix(plugin.see_on(case, node_name)),
        _ => finding,
    };
    let finding = finding.also(node_state::burden(case, node_name)?);
    Ok(finding
        .fix(
            Fix::safe(text!["on the node, see what is in the folders of the network plugin (CNI)"])
                .command(format!("ls -l {} /opt/cni/bin", crate::case::shell_quoted(&folder)))
                .command(node_advice::shell(case, node)),
        )
        .fix(
            Fix::disruptive(text!["when the configuration is there and the node stays NotReady: restart the runtime"])
                .command(format!("systemctl restart {}", node_state::runtime_service(node))),
        ))
}

/// What is known of the plugin's agent on the node.
fn with_agent(case: &Case<'_>, node: &Node, finding: Finding, agent: &Read<Agent>) -> Result<Finding, Needs> {
    Ok(match agent {
        Read::Found(agent) => {
            let namespace = agent.pod.namespace.clone().unwrap_or_default();
            let pod = agent.pod.name.clone();
            let finding = finding.also(agent.sentence()).via(agent.pod.clone()).fix(
                Fix::safe(text![
                    "see why the network plugin's agent is not up: state and log of Pod ",
                    name(agent.pod.path())
                ])
                .command(case.kubectl_in(&namespace, ["describe", "pod", &pod]))
                .command(case.kubectl_in(&namespace, ["logs", &pod, "--all-containers", "--tail=50"])),
            );
            if agent.ready { finding } else { finding.explained_by(agent.pod.clone()) }
        }
        Read::Absent => {
            let asked = HOMES.map(|namespace| case.list::<DaemonSet>(Some(namespace), Filter::All));
            let mut found = Vec::new();
            for read in asked {
                found.extend(read?.found().unwrap_or_default());
            }
            let set = found.into_iter().find(|set| sandbox::is_agent(set.metadata.name.as_deref().unwrap_or_default()));
            without_agent(case, node, finding, set)
        }
        Read::Unreadable => finding.fix(look_for_agents(case, node)),
    })
}

fn without_agent(case: &Case<'_>, node: &Node, finding: Finding, set: Option<Arc<DaemonSet>>) -> Finding {
    let Some(set) = set else {
        let sentence = text!["No agent of a known network plugin (Calico, Cilium, flannel, ...) was found on it."];
        let install =
            Fix::safe(text!["install a network plugin (CNI) in the cluster, or repair its DaemonSet on the node"])
                .command(case.kubectl_cluster(["get", "daemonsets", "-A"]));
        return finding.also(sentence).fix(install);
    };
    let (namespace, set_name) =
        (set.metadata.namespace.clone().unwrap_or_default(), set.metadata.name.clone().unwrap_or_default());
    let reference = ObjectRef::new(Kind::DaemonSet, Some(&namespace), &set_name);
    let wanted = set.status.as_ref().map_or(0, |status| status.desired_number_scheduled);
    let finding = finding
        .also(text![
            "The network plugin's DaemonSet ",
            name(reference.path()),
            " has no pod on this node (it wants ",
            wanted,
            " in all): its node selector or tolerations leave the node out, or its pod could not be made."
        ])
        .evidence(Evidence::field(
            &reference,
            ".status.desiredNumberScheduled",
            format!("{wanted}, none of them on {}", node_state::name_of(node)),
        ))
        .via(reference);
    finding.fix(
        Fix::safe(text!["see why the network plugin's DaemonSet has no pod on the node"])
            .command(case.kubectl_in(&namespace, ["describe", "daemonset", &set_name]))
            .command(case.kubectl_cluster(["get", "node", node_state::name_of(node), "--show-labels"])),
    )
}

fn look_for_agents(case: &Case<'_>, node: &Node) -> Fix {
    let on_node = format!("spec.nodeName={}", node_state::name_of(node));
    Fix::safe(text!["find the agent of the network plugin (CNI) on the node, and see why it is not up"])
        .command(case.kubectl_cluster(["get", "pods", "-A", "-o", "wide", "--field-selector", &on_node]))
        .command(case.kubectl_cluster(["get", "daemonsets", "-A"]))
}

/// The condition that a cloud's route controller or a network plugin sets.
fn unavailable(case: &Case<'_>, node: &Node, condition: &NodeCondition) -> Result<Finding, Needs> {
    let (reason, message) =
        (condition.reason.clone().unwrap_or_default(), condition.message.clone().unwrap_or_default());
    let node_name = node_state::name_of(node);
    let routes = reason == "NoRouteCreated" || message.contains("RouteController");
    let what: Text = if routes {
        text![
            "The cloud's route controller has not made the route to the node's pods, and keeps new pods off it until it has."
        ]
    } else {
        text!["The network plugin says that it does not work on the node, and keeps new pods off it."]
    };
    let said = if message.is_empty() { reason.clone() } else { message };
    let finding = case
        .finding(Code::NodeNetworkNotReady)
        .root(node_state::reference(node))
        .title(text![
            "The network of ",
            node_state::called(node),
            " is not available (",
            name(reason),
            "): ",
            quoted(said)
        ])
        .explain(what)
        .evidence(node_state::evidence(node, condition))
        .since(node_state::since(condition));
    if routes {
        return Ok(finding
            .fix(
                Fix::safe(text![
                    "see what the cloud controller manager says of the route, and the cloud's limit of routes"
                ])
                .command(
                    case.kubectl_in("kube-system", ["logs", "-l", "component=cloud-controller-manager", "--tail=50"]),
                )
                .command(case.kubectl_cluster([
                    "get",
                    "node",
                    node_name,
                    "-o",
                    "jsonpath={.spec.podCIDR} {.spec.providerID}",
                ])),
            )
            .fix(look_for_agents(case, node)));
    }
    let agent = sandbox::agent_on(case, node_name)?;
    let finding = if agent.is_absent() { finding.confidence(Confidence::Likely) } else { finding };
    with_agent(case, node, finding, &agent)
}
