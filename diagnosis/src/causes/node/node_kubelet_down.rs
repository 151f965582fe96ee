//! `node-kubelet-down`.

use jiff::SignedDuration;
use k8s_openapi::api::core::v1::{Node, NodeCondition};
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::cluster::{network_partition, too_many_watched_configmaps};
use crate::causes::{Code, cause};
use crate::facts::node_advice;
use crate::facts::node_state::{self, Pulse, Watch};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::node_condition::{self, Fault};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The kubelet of the node does not report any more (or never did): it has stopped, hangs, is cut off from the API
    /// server, or its machine is down. Nobody knows how the pods there are.
    /// ## Signals
    /// Condition Ready Unknown, reason `NodeStatusUnknown`, `Kubelet stopped posting node status.` or `NodeStatusNeverUpdated`,
    /// `Kubelet never posted node status.`; its Lease in kube-node-lease is not renewed (40 s); taints
    /// `node.kubernetes.io/unreachable` and `node.cloudprovider.kubernetes.io/shutdown`; Node events `NodeNotReady`,
    /// `KubeletSetupFailed`. A stale lease with Ready True: nobody has noticed yet, or the controller manager is down.
    /// Ready False with `missing node capacity for resources`, or with words that are not known.
    /// ## Look-alikes
    /// `node-runtime-down`, `node-pleg-unhealthy`, `node-network-not-ready`: Ready is False, and the kubelet says why.
    /// `node-certificate-expired`: the API server turns the kubelet away. `network-partition`: all nodes of a zone at once.
    /// `node-lost`: the same, seen from a pod.
    /// ## Fixes
    /// Bring the machine back, then its kubelet: state, journal, disk, certificate, way to the API server. Delete the Node
    /// only when the machine is gone for good.
    /// ## Source
    /// pkg/controller/nodelifecycle/node_lifecycle_controller.go; pkg/kubelet/kubelet_node_status.go;
    /// <https://kubernetes.io/docs/concepts/architecture/nodes/#node-heartbeats>
    NodeKubeletDown, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    let Some(ready) = node_state::condition(&node, "Ready") else {
        return Ok(never_joined(case, &node).into_iter().collect());
    };
    if too_many_watched_configmaps::speaks_for(case)? {
        return Ok(Vec::new());
    }
    let finding = match ready.status.as_str() {
        "Unknown" => silent(case, &node, ready)?,
        "True" => unnoticed(case, &node, ready)?,
        _ => speaks(case, &node, ready)?,
    };
    Ok(finding.into_iter().collect())
}

/// Ready Unknown: the node controller says so.
fn silent(case: &Case<'_>, node: &Node, ready: &NodeCondition) -> Result<Option<Finding>, Needs> {
    let (pulse, burden) =
        (node_state::pulse(case, node_state::name_of(node)), node_state::burden(case, node_state::name_of(node)));
    let setup = setup_failed(case, node);
    let partition = network_partition::among(case)?;
    let (pulse, burden, setup) = (pulse?, burden?, setup?);
    let never = ready.reason.as_deref() == Some("NodeStatusNeverUpdated");
    let since = node_state::since(ready);
    let title = if never {
        text![node_state::called(node), " has never reported: its kubelet has not posted a status yet"]
    } else if is_shut_down(node) {
        text![node_state::called(node), " is switched off, says its cloud, and its kubelet is silent"]
    } else {
        text!["The kubelet of ", node_state::called(node), " has stopped reporting (Ready is Unknown)"]
    };
    let what = if never {
        text![
            "The Node object is there, and no kubelet has ever posted a status for it: the machine did not start, or its \
               kubelet cannot reach the API server or is not let in."
        ]
    } else {
        text![
            "The kubelet has stopped, hangs, cannot reach the API server, or its machine is down; from the API alone these \
             look the same."
        ]
    };
    let finding = start(case, node)
        .title(title)
        .explain(what)
        .also(last_word(case, pulse.as_ref(), ready))
        .also(setup.as_ref().map(|event| text!["Before it fell silent it said: ", quoted(event.text.clone()), "."]))
        .also(setup.as_ref().and_then(|event| group_set_up(node, &event.text)))
        .also(leak(node))
        .also(is_shut_down(node).then(|| {
            text![
                "The cloud has set the taint ",
                code("node.cloudprovider.kubernetes.io/shutdown"),
                ": the machine is off."
            ]
        }))
        .also(burden)
        .also(eviction(node))
        .evidence(node_state::evidence(node, ready))
        .evidence(pulse.as_ref().map(Pulse::evidence))
        .evidence(setup)
        .evidence(taint_evidence(node))
        .since(since);
    let finding = match &partition {
        Some(partition) if partition.holds(node_state::name_of(node)) => finding.follows(Code::NetworkPartition),
        _ => finding.follows(Code::NodeCertificateExpired),
    };
    // A machine that is just joining has its time.
    let joining = never && node_state::is_joining(node, case.now());
    let finding = if joining { finding.severity(Severity::Info) } else { finding };
    Ok(Some(node_advice::bring_back(case, node, finding)))
}

/// What lies behind a kubelet that cannot set up its control groups.
fn group_set_up(node: &Node, words: &str) -> Option<Text> {
    if !words.contains("QOS containers") && !words.contains("cgroup") {
        return None;
    }
    let info = node.status.as_ref()?.node_info.as_ref()?;
    Some(text![
        "Mostly the cgroup driver is the matter: kubelet ",
        code(info.kubelet_version.clone()),
        " and runtime ",
        code(info.container_runtime_version.clone()),
        " have to use the same (systemd or cgroupfs), and one that fits the cgroup version of the kernel."
    ])
}

/// A release whose kubelet is known to grow until its node has no memory left.
fn leak(node: &Node) -> Option<Text> {
    let version = &node.status.as_ref()?.node_info.as_ref()?.kubelet_version;
    version.starts_with("v1.12.").then(|| {
        text![
            "Its kubelet is ",
            code(version.clone()),
            ": that release leaks memory (in hyperkube above all) until the node has none left for it; an upgrade ends that."
        ]
    })
}

/// Ready True, and the lease has run out: nobody has noticed yet.
fn unnoticed(case: &Case<'_>, node: &Node, ready: &NodeCondition) -> Result<Option<Finding>, Needs> {
    let Some(pulse) = node_state::pulse(case, node_state::name_of(node))? else { return Ok(None) };
    // A kubelet that has written its status since is alive, whatever its lease says.
    let wrote = node_state::heartbeat(ready)
        .is_some_and(|at| at > pulse.renewed && case.age(at) < SignedDuration::from_mins(6));
    if !pulse.stale || wrote {
        return Ok(None);
    }
    let why = match node_state::watch(case)? {
        Watch::Fresh => text![
            "Its Node object still says Ready, because the controller manager marks a silent node only after some 40 to 50 s."
        ],
        Watch::ManagerDown => text![
            "Its Node object still says Ready, because the controller manager, which marks silent nodes, does not renew its \
             own lease either: nobody watches the nodes."
        ],
        // Neither is known to be fresh: the clock or the dump may be old.
        Watch::Unknown => return Ok(None),
    };
    let finding = start(case, node)
        .confidence(Confidence::Likely)
        .title(text![
            "The kubelet of ",
            node_state::called(node),
            " has fallen silent: its lease was renewed last ",
            node_state::ago(case.age(pulse.renewed)),
            " ago"
        ])
        .explain(text!["A kubelet that lives renews its lease every 10 s. ", why])
        .also(node_state::burden(case, node_state::name_of(node))?)
        .evidence(pulse.evidence())
        .evidence(node_state::evidence(node, ready))
        .since(Some(pulse.renewed));
    Ok(Some(node_advice::bring_back(case, node, finding)))
}

/// Ready False, and the kubelet's words are none of the others'.
fn speaks(case: &Case<'_>, node: &Node, ready: &NodeCondition) -> Result<Option<Finding>, Needs> {
    let parts = node_condition::parse(ready.message.as_deref().unwrap_or_default());
    if parts.iter().any(|part| part.fault == Fault::CsiNode) && parts.len() == 1 {
        return Ok(Some(without_csi_node(case, node, ready)));
    }
    let capacity = parts.iter().find_map(|part| match &part.fault {
        Fault::Capacity(resources) => Some(resources.clone()),
        _ => None,
    });
    let unknown = parts.is_empty() || parts.iter().any(|part| part.fault == Fault::Other);
    if capacity.is_none() && !unknown {
        return Ok(None);
    }
    let reason = ready.reason.clone().unwrap_or_default();
    let finding = start(case, node).evidence(node_state::evidence(node, ready)).since(node_state::since(ready));
    let finding = if let Some(resources) = capacity {
        finding
            .title(text![node_state::called(node), " is NotReady: its kubelet could not find out its ", name(resources)])
            .explain(text![
                "The part of the kubelet that measures the machine (cAdvisor) failed at its start, so no pod may be placed there. \
                 Its journal says why."
            ])
    } else {
        let message = ready.message.clone().unwrap_or_default();
        let said = (!message.is_empty()).then(|| text![": ", quoted(message)]);
        finding
            .confidence(Confidence::Likely)
            .title(text![node_state::called(node), " is NotReady (", name(reason), ")"])
            .explain(text!["Its kubelet reports that it is not ready", said, "."])
            .follows_lead()
    };
    let burden = node_state::burden(case, node_state::name_of(node))?;
    Ok(Some(node_advice::bring_back(case, node, finding.also(burden))))
}

/// The kubelet waits until it has written which storage drivers it has.
fn without_csi_node(case: &Case<'_>, node: &Node, ready: &NodeCondition) -> Finding {
    let node_name = node_state::name_of(node);
    let finding = case
        .finding(Code::CsiDriverMissing)
        .root(node_state::reference(node))
        .title(text![node_state::called(node), " is NotReady: its CSINode object is not written yet"])
        .explain(text![
            "The kubelet tells in that object which storage drivers (CSI) the node has, and is not ready before it is there. Mostly \
             the API server refuses the write, or serves storage.k8s.io not as the kubelet expects it."
        ])
        .evidence(node_state::evidence(node, ready))
        .since(node_state::since(ready))
        .fix(
            Fix::safe(text!["see whether the CSINode is there, and why the kubelet cannot write it"])
                .command(case.kubectl_cluster(["get", "csinode", node_name, "-o", "yaml"]))
                .command("journalctl -u kubelet --since '30 min ago' --no-pager | grep -i csinode"),
        );
    if node_state::is_joining(node, case.now()) { finding.severity(Severity::Info) } else { finding }
}

/// A Node object without a Ready condition: no kubelet has written one, and no controller either.
fn never_joined(case: &Case<'_>, node: &Node) -> Option<Finding> {
    // Without a status nothing was read of it.
    node.status.as_ref()?;
    let finding = start(case, node)
        .confidence(Confidence::Likely)
        .title(text![node_state::called(node), " has never reported: it has no Ready condition"])
        .explain(text!["The Node object was made, and no kubelet has written its status: the machine has not joined."])
        .evidence(case.field(".status.conditions", "no condition Ready"));
    let joining = node_state::is_joining(node, case.now());
    Some(node_advice::bring_back(case, node, if joining { finding.severity(Severity::Info) } else { finding }))
}

fn start(case: &Case<'_>, node: &Node) -> Finding {
    case.finding(Code::NodeKubeletDown).root(node_state::reference(node))
}

fn is_shut_down(node: &Node) -> bool {
    node_state::taint(node, "node.cloudprovider.kubernetes.io/shutdown").is_some()
}

fn last_word(case: &Case<'_>, pulse: Option<&Pulse>, ready: &NodeCondition) -> Option<Text> {
    if let Some(pulse) = pulse {
        let ago = node_state::ago(case.age(pulse.renewed));
        if !pulse.stale {
            return Some(text!["Its lease was renewed ", ago, " ago: it may be on its way back."]);
        }
        return Some(text!["It renewed its lease last at ", pulse.renewed, "."]);
    }
    let heartbeat = node_state::heartbeat(ready)?;
    Some(text!["Its last heartbeat was at ", heartbeat, "."])
}

/// What the taint of a silent node does to its pods.
fn eviction(node: &Node) -> Option<Text> {
    let taint = node_state::taints(node)
        .find(|taint| taint.key == "node.kubernetes.io/unreachable" && taint.effect == "NoExecute")?;
    let at = taint.time_added.as_ref().map(|time| time.0)?;
    let at = at.checked_add(SignedDuration::from_mins(5)).ok()?;
    Some(text![
        "Pods that tolerate this for 5 minutes, as most do, are deleted there from ",
        at,
        " on and made anew on other nodes; those of StatefulSets wait."
    ])
}

fn taint_evidence(node: &Node) -> Option<Evidence> {
    let keys: Vec<String> = node_state::taints(node)
        .filter(|taint| {
            taint.key == "node.kubernetes.io/unreachable" || taint.key == "node.cloudprovider.kubernetes.io/shutdown"
        })
        .map(|taint| format!("{}:{}", taint.key, taint.effect))
        .collect();
    (!keys.is_empty()).then(|| Evidence::field(&node_state::reference(node), ".spec.taints", keys.join(", ")))
}

/// What the kubelet said of a part of it that could not start, or of a shutdown of the machine.
fn setup_failed(case: &Case<'_>, node: &Node) -> Result<Option<Evidence>, Needs> {
    let event = node_state::recent_event(case, node, &["KubeletSetupFailed", "Shutdown"], |_| true)?;
    Ok(event.map(|event| Evidence::event(&event)))
}
