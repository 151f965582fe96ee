//! `node-pid-pressure`.

use kubewhy_text::{code, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::node_pressure::Evicted;
use crate::facts::{node_pressure, node_state};
use crate::finding::{Evidence, Fix};
use crate::parse::eviction::Pressure;

cause! {
    /// ## What it means
    /// The node has nearly no process ids left: its kubelet evicts pods, and soon nothing can start a process there.
    /// ## Signals
    /// Condition PIDPressure True, `KubeletHasInsufficientPID`, `kubelet has insufficient PID available`; taint
    /// `node.kubernetes.io/pid-pressure`; Node event `EvictionThresholdMet` `Attempting to reclaim pids`. A pod refused with
    /// `The node had condition: [PIDPressure]`.
    /// ## Look-alikes
    /// `evicted-pids`: a pod that ran was evicted for it. An app that alone says `Resource temporarily unavailable` has reached
    /// its own podPidsLimit.
    /// ## Fixes
    /// Find who has so many processes, threads or zombies; limit it with podPidsLimit.
    /// ## Source
    /// pkg/kubelet/eviction; <https://kubernetes.io/docs/concepts/policy/pid-limiting/>
    NodePidPressure, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else {
        return node_pressure::of_refused_pod(case, "PIDPressure", Code::NodePidPressure, "process ids");
    };
    let Some(condition) = node_pressure::now(&node, "PIDPressure") else { return Ok(Vec::new()) };
    let threshold =
        node_state::recent_event(case, &node, &["EvictionThresholdMet"], |event| event.message.contains("pid"));
    let burden = node_state::burden(case, node_state::name_of(&node));
    let evicted = node_pressure::evicted(case, &node, Pressure::Pids);
    let (threshold, burden, evicted) = (threshold?, burden?, evicted?);
    Ok(vec![
        node_pressure::start(case, &node, condition, Code::NodePidPressure)
            .title(text![node_state::called(&node), " has nearly no process ids left (PIDPressure)"])
            .explain(text![
                "All processes and threads of the node share one range of ids. Its kubelet evicts pods, lowest priority first, \
                 and the scheduler places no new ones there. The API does not tell how many processes a pod has."
            ])
            .also(node_pressure::told(&evicted))
            .also(burden)
            .evidence(evicted.first().map(Evicted::evidence))
            .evidence(threshold.map(|event| Evidence::event(&event)))
            .fix(
                Fix::safe(text!["on the node, count processes and threads, and see whose they are"])
                    .command("cat /proc/sys/kernel/pid_max; ps -eLf | wc -l; ps -eo pid,nlwp,stat,comm --sort=-nlwp | head -n 15"),
            )
            .fix(
                Fix::disruptive(text![
                    "limit what one pod may have (",
                    code("podPidsLimit"),
                    " in the kubelet's configuration), and restart the pod that has most"
                ])
                .command("systemctl restart kubelet"),
            ),
    ])
}
