//! `runtime-unavailable`.

use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::node_state;
use crate::facts::pull::{self, is_live};
use crate::facts::sandbox::{self, node_name};
use crate::finding::{Action, Finding, Fix};
use crate::parse::node_condition::Fault;
use crate::parse::sandbox::{SandboxFault, parse};

cause! {
    /// ## What it means
    /// The container runtime of the node (containerd, CRI-O, Docker) is down or hangs, so nothing can be started there.
    /// ## Signals
    /// `rpc error: code = Unavailable desc = connection error: ... dial unix SOCK: connect: connection refused` or `no
    /// such file or directory`, `Cannot connect to the Docker daemon`, in waiting messages and in events
    /// `FailedCreatePodSandBox`, `FailedPodSandBoxStatus`, `FailedSync`; `context deadline exceeded` from the runtime;
    /// the node's `container runtime is down`.
    /// ## Look-alikes
    /// `registry-unreachable`: `dial tcp`, the registry. `cni-not-ready`: the socket is the network agent's
    /// (`cilium.sock`). `container-name-conflict`: what often follows a time-out. `node-runtime-down`: the same seen
    /// from the node.
    /// ## Fixes
    /// Restart the runtime on the node and look at its log; keep pods off the node meanwhile.
    /// ## Source
    /// pkg/kubelet/kuberuntime; pkg/kubelet/runtime.go.
    RuntimeUnavailable, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(failure) = sandbox::of_code(case, Code::RuntimeUnavailable)? {
        let slow = failure.fault == SandboxFault::Deadline;
        let finding = failure.finding(case, Code::RuntimeUnavailable);
        return Ok(vec![explain(case, finding, slow).also(failure.said())]);
    }
    if !is_live(case) {
        return Ok(Vec::new());
    }
    if let Some(pull) = pull::of_code(case, Code::RuntimeUnavailable)?.first() {
        let finding = pull.finding(case, Code::RuntimeUnavailable).root(sandbox::node(case));
        return Ok(vec![explain(case, finding, false).also(pull.said())]);
    }
    let reasons = ["CreateContainerError", "RunContainerError", "ImageInspectError", "CreateContainerConfigError"];
    let waiting = case.containers().find(|container| {
        reasons.contains(&container.waiting_reason()) && parse(container.waiting_message()) == SandboxFault::RuntimeDown
    });
    let Some(container) = waiting else { return Ok(Vec::new()) };
    let finding = case
        .finding_in(Code::RuntimeUnavailable, &container)
        .root(sandbox::node(case))
        .evidence(case.waiting_evidence(&container));
    Ok(vec![explain(case, finding, false)])
}

fn explain(case: &Case<'_>, finding: Finding, slow: bool) -> Finding {
    let finding =
        node_state::blamed(case, finding, |fault| matches!(fault, Fault::Runtime { .. } | Fault::Relist { .. }));
    let node = node_name(case);
    let (title, what): (Text, Text) = if slow {
        (
            text!["The container runtime of node ", name(node), " did not answer in time"],
            text!["It hangs or is overloaded (disk, load); the kubelet tries again by itself."],
        )
    } else {
        (
            text!["The container runtime of node ", name(node), " does not answer"],
            text!["Its socket is not there or refuses: the runtime has stopped or is restarting."],
        )
    };
    finding
        .title(title)
        .explain(text![
            "The kubelet of node ",
            name(node),
            " asked the container runtime (containerd, CRI-O or Docker) to start the pod and got no answer. ",
            what
        ])
        .fix(
            Fix::disruptive(text![
                "on the node, see the state and log of the container runtime and of the kubelet, and restart the runtime if it hangs"
            ])
            .command("systemctl status containerd crio docker; journalctl -u containerd -u crio -u kubelet --since '-15 min'")
            .command("systemctl restart containerd"),
        )
        .fix(
            Fix::disruptive(text!["keep new pods off the node meanwhile"])
                .command(case.kubectl_cluster(["cordon", node]))
                .remedy(Action::Cordon),
        )
}
