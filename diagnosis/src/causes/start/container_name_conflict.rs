//! `container-name-conflict`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::pull::is_live;
use crate::facts::sandbox::{self, node_name};
use crate::finding::{Finding, Fix};
use crate::parse::sandbox::{SandboxFault, parse};
use crate::pods::ContainerView;

cause! {
    /// ## What it means
    /// The runtime holds the name of the container or sandbox for an earlier try, so it cannot be made again. Mostly
    /// the first try took longer than the kubelet waits (slow disk, overload) and is still going on; else something is
    /// left over.
    /// ## Signals
    /// Waiting `CreateContainerError` or event `FailedCreatePodSandBox` with `failed to reserve container name "N":
    /// name "N" is reserved for "ID"` or `failed to reserve sandbox name` (containerd), `error reserving pod name N for
    /// id ID: name is reserved` (CRI-O), `Conflict. The container name "/k8s_..." is already in use by container "ID"`
    /// (Docker).
    /// ## Look-alikes
    /// `runtime-unavailable`: `context deadline exceeded` alone, before the name is found taken. `host-port-conflict`:
    /// a port.
    /// ## Fixes
    /// Wait some minutes; if it stays, remove what holds the name on the node, and look for a slow disk.
    /// ## Source
    /// containerd internal/registrar/registrar.go; CRI-O server/sandbox_run_linux.go; cri-dockerd core/helpers.go.
    ContainerNameConflict, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    if let Some(failure) = sandbox::of_code(case, Code::ContainerNameConflict)? {
        let finding = failure.finding(case, Code::ContainerNameConflict);
        found.push(explain(case, finding, &failure.fault, None).also(failure.said()));
    }
    if !is_live(case) {
        return Ok(found);
    }
    for container in case.containers() {
        let message = container.waiting_message();
        let waits = matches!(container.waiting_reason(), "CreateContainerError" | "RunContainerError");
        let fault = parse(message);
        if waits && matches!(fault, SandboxFault::NameTaken(_)) {
            let finding = case
                .finding_in(Code::ContainerNameConflict, &container)
                .root(sandbox::node(case))
                .evidence(case.waiting_evidence(&container));
            found.push(explain(case, finding, &fault, Some(&container)));
        }
    }
    Ok(found)
}

fn explain(case: &Case<'_>, finding: Finding, fault: &SandboxFault, container: Option<&ContainerView<'_>>) -> Finding {
    let node = node_name(case);
    let what =
        container.map_or_else(|| text!["the pod's sandbox"], |container| text!["container ", name(container.name())]);
    let holder = match fault {
        SandboxFault::NameTaken(Some(holder)) => Some(holder.clone()),
        _ => None,
    };
    let by = holder.clone().map(|holder| text![" (", code(holder), ")"]);
    let remove = holder.map(|holder| {
        let id = shell_quoted(&holder);
        let command = match container {
            Some(container) if is_docker(container) => format!("docker rm -f {id} || crictl rm -f {id}"),
            Some(_) => format!("crictl rm -f {id}"),
            None => format!("crictl rmp -f {id}"),
        };
        Fix::disruptive(text!["if it stays so, remove what holds the name on the node"]).command(command)
    });
    finding
        .title(text!["On node ", name(node), " the name of ", what.clone(), " is still taken by an earlier try"])
        .explain(text![
            "The runtime of node ",
            name(node),
            " holds the name of ",
            what,
            " for an earlier try",
            by,
            ", so it cannot be made again. Mostly that try took longer than the kubelet waits, because disk or \
             runtime are slow, \
             and it passes; a leftover of a crash stays."
        ])
        .fix(
            Fix::safe(text![
                "wait some minutes, and look for the slowness behind it on the node: disk, load, the \
             runtime's log"
            ])
            .command("journalctl -u containerd -u crio -u docker --since '-30 min'"),
        )
        .fix(remove)
        .fix(container.is_some_and(is_docker).then(two_runtimes))
        .fix(
            Fix::disruptive(text!["or delete the pod, so that its controller makes one with a new name"])
                .command(case.kubectl(["delete", "pod", case.name()])),
        )
}

/// Docker's own wording.
fn is_docker(container: &ContainerView<'_>) -> bool {
    container.waiting_message().contains("Error response from daemon")
}

/// The step for what an earlier Docker left behind.
fn two_runtimes() -> Fix {
    Fix::safe(text![
        "see whether two runtimes run on the node, as after a move away from Docker, and which stale containers the one has \
         that the kubelet does not use"
    ])
    .command("systemctl is-active docker containerd crio; docker ps -a --filter name=k8s_; crictl ps -a")
}
