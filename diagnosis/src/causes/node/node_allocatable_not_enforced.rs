//! `node-allocatable-not-enforced`.

use kubewhy_text::{code, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::{node_advice, node_state};
use crate::finding::{Confidence, Evidence, Fix, Severity};

cause! {
    /// ## What it means
    /// The kubelet cannot set the limit that keeps all pods together below what the node has for them: pods may eat what its
    /// daemons need, and the kernel then kills one or the other.
    /// ## Signals
    /// Node event `FailedNodeAllocatableEnforcement`, every minute: `Failed to update Node Allocatable Limits "CGROUP": E`; or
    /// `Failed to enforce System Reserved Cgroup Limits on "CGROUP": E`, after which the kubelet ends.
    /// ## Look-alikes
    /// Once, before a later `NodeAllocatableEnforced`: over. Enforcement that is switched off on purpose says nothing.
    /// ## Fixes
    /// Let the kubelet manage cgroups (cgroupsPerQOS), name only cgroups that exist in systemReservedCgroup and
    /// kubeReservedCgroup, or leave them out of enforceNodeAllocatable.
    /// ## Source
    /// pkg/kubelet/cm/node_container_manager_linux.go.
    NodeAllocatableNotEnforced, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(node) = node_state::subject(case) else { return Ok(Vec::new()) };
    let reasons = ["FailedNodeAllocatableEnforcement", "NodeAllocatableEnforced"];
    let newest = node_state::recent_event(case, &node, &reasons, |_| true)?;
    let Some(event) = newest.filter(|event| event.reason == "FailedNodeAllocatableEnforcement") else {
        return Ok(Vec::new());
    };
    let reserved = event.message.contains("Reserved");
    let what = if reserved {
        text!["The kubelet was told to limit a cgroup of the system's daemons, and could not: it ends after that."]
    } else {
        text![
            "Its kubelet could not set the limit for all pods together, so pods may take what the kubelet and the system need \
             for themselves. Pods run on meanwhile."
        ]
    };
    Ok(vec![
        case.finding(Code::NodeAllocatableNotEnforced)
            .root(node_state::reference(&node))
            // Pods run: the limit matters once the node is full.
            .severity(if reserved { Severity::Error } else { Severity::Warning })
            .confidence(if repeats(&event) { Confidence::Certain } else { Confidence::Likely })
            .title(text![
                node_state::called(&node),
                " does not enforce the limit of its pods: ",
                quoted(event.message.clone())
            ])
            .explain(what)
            .also((event.count > 1).then(|| text!["The kubelet has said so ", event.count, " times."]))
            .evidence(Evidence::event(&event))
            .since(event.first)
            .fix(
                Fix::safe(text![
                    "on the node, see ",
                    code("enforceNodeAllocatable"),
                    ", ",
                    code("cgroupsPerQOS"),
                    ", ",
                    code("systemReservedCgroup"),
                    " and ",
                    code("kubeReservedCgroup"),
                    " of the kubelet, and whether the cgroup that the message names exists"
                ])
                .command(node_advice::shell(case, &node))
                .command("grep -iE 'cgroup|reserved|enforce' /var/lib/kubelet/config.yaml; systemd-cgls --no-pager | head -n 40"),
            )
            .fix(
                Fix::disruptive(text![
                    "set ",
                    code("cgroupsPerQOS: true"),
                    " and ",
                    code("enforceNodeAllocatable: [pods]"),
                    ", or make the cgroup, and start the kubelet again"
                ])
                .command("systemctl restart kubelet; journalctl -u kubelet --since '2 min ago' --no-pager | grep -i allocatable"),
            ),
    ])
}

fn repeats(event: &Event) -> bool {
    event.count > 1
}
