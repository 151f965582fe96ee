//! What a person does on a node: commands that several causes share, the likeliest first.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, shell_quoted};
use crate::facts::node_state;
use crate::finding::{Action, Finding, Fix};

/// The steps that bring a silent kubelet back, and what is left where the machine is gone.
pub(crate) fn bring_back(case: &Case<'_>, node: &Node, finding: Finding) -> Finding {
    let node_name = node_state::name_of(node);
    let runtime = node_state::runtime_service(node);
    let machine = Fix::safe(text![
        "see whether the machine of node ",
        name(node_name),
        " is up and reachable (cloud console, ping, SSH)"
    ])
    .command(case.kubectl_cluster(["describe", "node", node_name]));
    let machine = match node_state::address(node) {
        Some(address) => machine.command(format!("ping -c 3 {}", shell_quoted(address))),
        None => machine,
    };
    let kubelet = Fix::safe(text!["on the machine, see why the kubelet does not run or does not get through"])
        .command(format!("systemctl status kubelet {runtime}"))
        .command("journalctl -u kubelet --since '30 min ago' --no-pager | tail -n 100")
        .command("df -h / /var/lib/kubelet; df -i /var/lib/kubelet; free -m")
        .command("openssl x509 -noout -enddate -in /var/lib/kubelet/pki/kubelet-client-current.pem");
    let restart = Fix::disruptive(text!["then start the kubelet again: it takes its pods up where they are"])
        .command("systemctl restart kubelet");
    let gone = Fix::risking_data(text![
        "only when the machine is gone for good: delete Node ",
        name(node_name),
        ", so that its pods and volumes are let go"
    ])
    .command(case.kubectl_cluster(["delete", "node", node_name]))
    .remedy(Action::DeleteNode);
    finding.fix(machine).fix(kubelet).fix(restart).fix(gone)
}

/// A shell on a node that still takes pods: the node's own files stand under `/host`.
pub(crate) fn shell(case: &Case<'_>, node: &Node) -> String {
    let target = format!("node/{}", node_state::name_of(node));
    case.kubectl_cluster(["debug", &target, "-it", "--image=busybox", "--", "chroot", "/host"])
}

/// The step to restart the container runtime of a node, then its kubelet.
pub(crate) fn restart_runtime(node: &Node, why: Text) -> Fix {
    let runtime = node_state::runtime_service(node);
    Fix::disruptive(text![
        "on node ",
        name(node_state::name_of(node)),
        ", restart the container runtime (",
        code(runtime),
        "), then the kubelet; containers go on",
        why
    ])
    .command(format!("systemctl restart {runtime}"))
    .command("systemctl restart kubelet")
}

/// The step to see how the runtime of a node is.
pub(crate) fn look_at_runtime(node: &Node) -> Fix {
    let runtime = node_state::runtime_service(node);
    Fix::safe(text![
        "on node ",
        name(node_state::name_of(node)),
        ", see how the container runtime is and what it last said"
    ])
    .command(format!("systemctl status {runtime}"))
    .command(format!("journalctl -u {runtime} --since '30 min ago' --no-pager | tail -n 100"))
    .command("timeout 20 crictl ps; timeout 20 crictl info | head -n 40")
    .command("df -h; df -i; ps -eo pid,stat,wchan:30,comm | awk '$2 ~ /^D/'")
}

/// The step that keeps new pods off a node.
pub(crate) fn cordon(case: &Case<'_>, node: &str) -> Fix {
    Fix::disruptive(text!["keep new pods off node ", name(node), " meanwhile"])
        .command(case.kubectl_cluster(["cordon", node]))
        .remedy(Action::Cordon)
}
