//! `kube-proxy-conntrack-missing`.

use kubewhy_text::{code, name, text};

use crate::case::{Case, Verdict, Workload};
use crate::causes::{Code, cause};
use crate::facts::control_plane::NAMESPACE;
use crate::facts::ends;
use crate::facts::lookups::{self, Why};
use crate::facts::service_proxy::{self, Fault};
use crate::finding::{Confidence, Finding, Fix, Severity};
use crate::parse::log::Failure;

cause! {
    /// ## What it means
    /// kube-proxy finds no `conntrack` program on its node, so it cannot make the kernel forget connections to pods that are
    /// gone: UDP (DNS above all) goes on to dead addresses after every rollout.
    /// ## Signals
    /// kube-proxy's log: `error looking for path of conntrack: exec: "conntrack": executable file not found in $PATH` (up to
    /// 1.31; later releases speak to the kernel themselves).
    /// ## Look-alikes
    /// `kube-proxy-down`: it does not run at all. `dns-failing`: DNS has no pod that answers.
    /// ## Fixes
    /// Install conntrack-tools on the node (or use an image of kube-proxy that has it), then restart kube-proxy.
    /// ## Source
    /// pkg/proxy/conntrack/conntrack.go; <https://kubernetes.io/docs/setup/production-environment/tools/kubeadm/install-kubeadm/>
    KubeProxyConntrackMissing, stage Cluster, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let is_it = case.name() == service_proxy::DAEMON_SET && case.namespace() == Some(NAMESPACE);
    let itself = matches!(case.workload(), Some(Workload::DaemonSet(_))) && is_it
        || case.pod().is_some_and(service_proxy::is_proxy);
    if itself {
        let Some(fault) = service_proxy::lacks_conntrack(case)? else { return Ok(Vec::new()) };
        let finding = case.finding(Code::KubeProxyConntrackMissing).severity(Severity::Warning);
        return Ok(vec![explain(case, finding, fault)]);
    }
    let is_lookup = |failure: &Failure| matches!(failure, Failure::UnknownHost { .. });
    ends::explained(case, Code::KubeProxyConntrackMissing, is_lookup, |_, finding, signature| {
        let Failure::UnknownHost { host, answer, .. } = &signature.kind else { return Ok(None) };
        let Why::Conntrack(fault) = lookups::why(case, host, *answer)? else { return Ok(None) };
        Ok(Some(explain(case, finding, *fault)))
    })
}

fn explain(case: &Case<'_>, finding: Finding, fault: Fault) -> Finding {
    let node = fault.node.clone();
    let finding = finding
        .confidence(Confidence::Likely)
        .root(service_proxy::daemon_set())
        .title(text!["kube-proxy on node ", name(node.clone()), " finds no ", code("conntrack"), " program"])
        .also(text![
            "Without it kube-proxy cannot make the kernel forget connections to pods that are gone. UDP goes on to the old \
             addresses: look-ups of names time out after the pods of DNS were replaced, until the entries run out."
        ]);
    let finding = fault.evidence.into_iter().fold(finding, Finding::evidence);
    finding
        .fix(
            Fix::safe(text!["install conntrack on node ", name(node), " (package conntrack or conntrack-tools)"])
                .command("apt-get install -y conntrack || yum install -y conntrack-tools"),
        )
        .fix(
            Fix::disruptive(text!["then restart kube-proxy"])
                .command(case.kubectl_in(NAMESPACE, ["rollout", "restart", "daemonset", service_proxy::DAEMON_SET])),
        )
}
