//! `node-memory-pressure`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::node_pressure::Evicted;
use crate::facts::{node_load, node_pressure, node_state};
use crate::finding::{Evidence, Fix};
use crate::parse::eviction::Pressure;

cause! {
    /// ## What it means
    /// The node is nearly out of memory: its kubelet evicts pods and takes no new ones without a memory request.
    /// ## Signals
    /// Condition MemoryPressure True, `KubeletHasInsufficientMemory`, `kubelet has insufficient memory available`; taint
    /// `node.kubernetes.io/memory-pressure`; Node events `EvictionThresholdMet` `Attempting to reclaim memory`, `SystemOOM`; it
    /// stays at least 5 minutes after the memory is back. A pod refused with `The node had condition: [MemoryPressure]`.
    /// ## Look-alikes
    /// `evicted-memory`: a pod that ran was evicted for it. `oom-limit`: a container reached its own limit, the node has room.
    /// `oom-node`: the kernel killed before the kubelet could act.
    /// ## Fixes
    /// Give the pods that use most beyond their requests true requests and limits, move them, add memory; see what daemons
    /// outside Kubernetes take.
    /// ## Source
    /// pkg/kubelet/eviction; <https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/>
    NodeMemoryPressure, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else {
        return node_pressure::of_refused_pod(case, "MemoryPressure", Code::NodeMemoryPressure, "memory");
    };
    let Some(condition) = node_pressure::now(&node, "MemoryPressure") else { return Ok(Vec::new()) };
    let load = node_load::of(case, &node, "memory");
    let threshold = node_state::recent_event(case, &node, &["EvictionThresholdMet", "SystemOOM"], |event| {
        event.reason == "SystemOOM" || event.message.contains("memory")
    });
    let evicted = node_pressure::evicted(case, &node, Pressure::Memory);
    let (load, threshold, evicted) = (load?, threshold?, evicted?);
    let node_name = node_state::name_of(&node);
    let finding = node_pressure::start(case, &node, condition, Code::NodeMemoryPressure)
        .title(text![node_state::called(&node), " is nearly out of memory (MemoryPressure)"])
        .explain(text![
            "Its kubelet evicts pods, those first that use more memory than they have requested, and no pod \
             without a memory request is placed there. The condition stays for at least 5 minutes after the memory is back."
        ])
        .also(load.of_node())
        .also(node_pressure::told(&evicted))
        .also(load.sentence())
        .evidence(evicted.first().map(Evicted::evidence))
        .evidence(threshold.map(|event| Evidence::event(&event)))
        .evidence(load.evidence())
        .fix(
            Fix::safe(text!["see which pods of the node use most memory against their requests"])
                .command(case.kubectl_cluster(["top", "pods", "-A", "--sort-by=memory"]))
                .command(case.kubectl_cluster(["describe", "node", node_name])),
        );
    let finding = match evicted.first().map(|one| &one.pod).or_else(|| load.heaviest()) {
        Some(pod) => finding.fix(
            Fix::disruptive(text![
                "give Pod ",
                name(pod.path()),
                " and its kin a memory request that fits their use and a limit, or move them to a larger node"
            ])
            .command(
                case.kubectl_in(pod.namespace.as_deref().unwrap_or_default(), ["get", "pod", &pod.name, "-o", "yaml"]),
            ),
        ),
        None => finding,
    };
    Ok(vec![
        finding.fix(
            Fix::safe(text![
                "on the node, see what takes memory outside of pods, and what the kubelet says of the eviction"
            ])
            .command("free -m; ps -eo rss,comm --sort=-rss | head -n 15")
            .command("journalctl -u kubelet --since '30 min ago' --no-pager | grep -i evict"),
        ),
    ])
}
