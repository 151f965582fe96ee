//! `node-runtime-down`.

use kubewhy_text::{quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::{node_advice, node_state};
use crate::parse::node_condition::{self, Fault};

cause! {
    /// ## What it means
    /// The container runtime of the node (containerd, CRI-O, Docker) is down or hangs: the kubelet runs and says so, and
    /// nothing can be started or stopped there.
    /// ## Signals
    /// Condition Ready False with `container runtime is down` (30 s without a good status), `container runtime status check
    /// may not have completed yet`, or `container runtime not ready: RuntimeReady=false reason:R message:M`; mostly `PLEG is
    /// not healthy` with it after 3 minutes. A hung runtime leaves its node Ready for some 2 minutes.
    /// ## Look-alikes
    /// `node-pleg-unhealthy`: the runtime answers, and slowly. `node-network-not-ready`: only its network is not ready.
    /// `node-kubelet-down`: the kubelet itself is silent. `runtime-unavailable`: the same seen from a pod.
    /// ## Fixes
    /// See the runtime's state and log; a full disk, a hung disk and lack of memory stop it; restart it, then the kubelet.
    /// ## Source
    /// pkg/kubelet/runtime.go; pkg/kubelet/kubelet.go updateRuntimeUp.
    NodeRuntimeDown, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    let Some(ready) = node_state::condition(&node, "Ready").filter(|ready| ready.status == "False") else {
        return Ok(Vec::new());
    };
    let parts = node_condition::parse(ready.message.as_deref().unwrap_or_default());
    let Some((part, said)) = parts.iter().find_map(|part| match &part.fault {
        Fault::Runtime { said } => Some((part, said.clone())),
        _ => None,
    }) else {
        return Ok(Vec::new());
    };
    let node_name = node_state::name_of(&node);
    let starting = part.words.starts_with("container runtime status check");
    let title = match &said {
        Some(said) => {
            text!["The container runtime of ", node_state::called(&node), " is not ready: ", quoted(said.clone())]
        }
        None if starting => {
            text!["The container runtime of ", node_state::called(&node), " has not answered since the kubelet started"]
        }
        None => {
            text!["The container runtime of ", node_state::called(&node), " is down (", quoted(part.words.clone()), ")"]
        }
    };
    let what = if said.is_some() {
        text!["The runtime answers the kubelet and says itself that it is not ready. "]
    } else {
        text!["The kubelet runs and gets no good answer from the container runtime: it has stopped or hangs. "]
    };
    let unknown_version = node.status.as_ref().and_then(|status| status.node_info.as_ref());
    let unknown_version = unknown_version.is_some_and(|info| info.container_runtime_version.ends_with("://Unknown"));
    let finding = case
        .finding(Code::NodeRuntimeDown)
        .root(node_state::reference(&node))
        .title(title)
        .explain(text![
            what,
            "Nothing can be started, stopped or probed there; containers that run may go on, and what the API says of them is \
             old."
        ])
        .also(unknown_version.then(|| text!["It does not even tell its version any more."]))
        .also(node_state::burden(case, node_name)?)
        .evidence(node_state::evidence(&node, ready))
        .since(node_state::since(ready))
        .fix(node_advice::look_at_runtime(&node))
        .fix(node_advice::restart_runtime(&node, text![" unless their shims are gone too"]))
        .fix(node_advice::cordon(case, node_name));
    Ok(vec![finding])
}
