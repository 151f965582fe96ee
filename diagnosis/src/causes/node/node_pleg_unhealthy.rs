//! `node-pleg-unhealthy`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::{node_advice, node_state};
use crate::finding::Fix;
use crate::parse::node_condition::{self, Fault};

cause! {
    /// ## What it means
    /// The kubelet did not get through its list of all containers of the node for 3 minutes (PLEG, the pod lifecycle event
    /// generator): the container runtime or the disk beneath is too slow, or something in it hangs. The node flaps.
    /// ## Signals
    /// Condition Ready False with `PLEG is not healthy: pleg was last seen active D ago; threshold is 3m0s`, `pleg has yet to
    /// be successful`, or `EventedPLEG is not healthy: ...` (10 minutes).
    /// ## Look-alikes
    /// `node-runtime-down`: the runtime does not answer at all; it leads where both are said. `node-disk-pressure`,
    /// `node-memory-pressure`, `node-pid-pressure`: a starved node is what makes it slow.
    /// ## Fixes
    /// Find what is slow: a hung container shim or NFS mount, the disk, too many containers or exec probes; then restart the
    /// runtime.
    /// ## Source
    /// pkg/kubelet/pleg/generic.go, evented.go.
    NodePlegUnhealthy, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    let Some(ready) = node_state::condition(&node, "Ready").filter(|ready| ready.status == "False") else {
        return Ok(Vec::new());
    };
    let parts = node_condition::parse(ready.message.as_deref().unwrap_or_default());
    let Some((part, last)) = parts.iter().find_map(|part| match &part.fault {
        Fault::Relist { last } => Some((part, last.clone())),
        _ => None,
    }) else {
        return Ok(Vec::new());
    };
    let node_name = node_state::name_of(&node);
    let since = match last {
        Some(last) => text![" for ", name(last)],
        None => text![" since it started"],
    };
    let finding = case
        .finding(Code::NodePlegUnhealthy)
        .root(node_state::reference(&node))
        .title(text![node_state::called(&node), " is NotReady: ", quoted(part.words.clone())])
        .explain(text![
            "The kubelet lists all containers of the node again and again to see what has changed (PLEG), and did not get through \
             that list",
            since,
            ". The container runtime or the disk beneath is too slow, or a container in it hangs; the node turns NotReady and back."
        ])
        .also(node_state::burden(case, node_name)?)
        .evidence(node_state::evidence(&node, ready))
        .since(node_state::since(ready))
        .fix(node_advice::look_at_runtime(&node))
        .fix(
            Fix::safe(text!["find what is slow: how long a list takes, how many containers there are, what the disk does"])
                .command("time crictl ps -a | wc -l; time crictl pods | wc -l; iostat -x 2 3; uptime"),
        )
        .fix(node_advice::restart_runtime(&node, text![""]))
        .fix(node_advice::cordon(case, node_name))
        .follows(beneath(&node, &parts));
    Ok(vec![finding])
}

/// What makes a runtime slow, where the node says that too; else the runtime's own finding, where there is one.
fn beneath(node: &Node, parts: &[node_condition::Part]) -> Code {
    if parts.iter().any(|part| matches!(part.fault, Fault::Runtime { .. })) {
        return Code::NodeRuntimeDown;
    }
    [
        ("DiskPressure", Code::NodeDiskPressure),
        ("MemoryPressure", Code::NodeMemoryPressure),
        ("PIDPressure", Code::NodePidPressure),
    ]
    .into_iter()
    .find(|(type_, _)| node_state::is(node, type_, "True"))
    .map_or(Code::NodeRuntimeDown, |(_, code)| code)
}
