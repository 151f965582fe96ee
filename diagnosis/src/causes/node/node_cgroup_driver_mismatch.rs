//! `node-cgroup-driver-mismatch`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::{node_state, node_words, sandbox};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::parse::sandbox::SandboxFault;

cause! {
    /// ## What it means
    /// The kubelet and the container runtime of the node manage control groups in two ways, one through systemd and the other
    /// by itself (cgroupfs): containers cannot be made, or the kubelet does not start.
    /// ## Signals
    /// Event `FailedCreatePodSandBox` with `expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got
    /// "/kubepods/..." instead`; the kubelet's `kubelet cgroup driver: "systemd" is different from docker cgroup driver:
    /// "cgroupfs"` (journal, or Node event `KubeletSetupFailed`).
    /// ## Look-alikes
    /// `sandbox-create-failed`: cgroups fail in another way. `node-inotify-exhausted`: `mkdir /sys/fs/cgroup/...: no space left`.
    /// Event `CgroupV1` is only a notice.
    /// ## Fixes
    /// Set both to systemd: cgroupDriver in the kubelet's configuration, SystemdCgroup in containerd's; restart both.
    /// ## Source
    /// runc libcontainer/specconv; pkg/kubelet/cm; <https://kubernetes.io/docs/setup/production-environment/container-runtimes/#cgroup-drivers>
    NodeCgroupDriverMismatch, stage Node, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = node_state::subject(case) {
        return of_node(case, &node);
    }
    let Some(failure) = sandbox::of_code(case, Code::NodeCgroupDriverMismatch)? else { return Ok(Vec::new()) };
    let finding = failure.finding(case, Code::NodeCgroupDriverMismatch);
    Ok(vec![explain(case, sandbox::node_name(case), finding, &failure.words)])
}

fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let told = node_words::of(case, node, &SandboxFault::CgroupDriver)?;
    let Some(first) = told.first() else { return Ok(Vec::new()) };
    let finding = case
        .finding(Code::NodeCgroupDriverMismatch)
        .root(node_state::reference(node))
        .evidence(first.source.clone())
        .since(first.since);
    let pods = told.iter().filter_map(|told| told.pod.as_ref()).map(ObjectRef::path);
    let pods: Vec<String> = pods.collect();
    let whose = (!pods.is_empty()).then(|| text!["It is said of Pod ", Text::names(pods, 3), "."]);
    Ok(vec![explain(case, node_state::name_of(node), finding, &first.words).also(whose)])
}

fn explain(case: &Case<'_>, node: &str, finding: Finding, words: &str) -> Finding {
    let runtime_systemd = words.contains("for systemd cgroups");
    let which = if runtime_systemd {
        text!["The runtime uses systemd, and the kubelet names groups as cgroupfs does."]
    } else {
        text!["Each names the groups in its own way, and the other does not find them."]
    };
    let version = ObjectRef::new(crate::kind::Kind::Node, None, node);
    let runtime = case.get::<Node>(None, node).ok().and_then(crate::reader::Read::found).and_then(|node| {
        node.status
            .as_ref()
            .and_then(|status| status.node_info.as_ref())
            .map(|info| info.container_runtime_version.clone())
    });
    finding
        .title(text!["Kubelet and container runtime of Node ", name(node), " disagree on the cgroup driver"])
        .explain(text![
            "Both have to manage control groups in the same way. ",
            which,
            " No new container can be made on the node. The node reports: ",
            quoted(words),
            "."
        ])
        .evidence(runtime.map(|runtime| Evidence::field(&version, ".status.nodeInfo.containerRuntimeVersion", runtime)))
        .fix(
            Fix::safe(text![
                "on the node, see what both are set to: ",
                code("cgroupDriver"),
                " of the kubelet and ",
                code("SystemdCgroup"),
                " of containerd"
            ])
            .command("grep -n cgroupDriver /var/lib/kubelet/config.yaml; containerd config dump | grep -n SystemdCgroup; stat -fc %T /sys/fs/cgroup"),
        )
        .fix(
            Fix::disruptive(text![
                "set both to systemd (",
                code("cgroupDriver: systemd"),
                " and ",
                code("SystemdCgroup = true"),
                "), then restart runtime and kubelet; drain the node first, its containers are made anew"
            ])
            .command(case.kubectl_cluster(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data"]))
            .command("systemctl restart containerd kubelet"),
        )
}
