//! `sandbox-create-failed`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::network_plugin;
use crate::facts::owner;
use crate::facts::sandbox::{self, Sandbox, node_name};
use crate::finding::{Finding, Fix};
use crate::parse::sandbox::SandboxFault;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The node cannot make the pod's sandbox (its network and the process that holds it), for a reason that no other
    /// cause of this stage names; the runtime's own words tell it.
    /// ## Signals
    /// Newest event `FailedCreatePodSandBox` with, among others, `failed to get sandbox image "IMG"` (the pause image),
    /// `unable to apply cgroup configuration`, `no space left on device`, `"cni0" already has an IP address different
    /// from`, `open /proc/sys/...: no such file or directory`, `container init was OOM-killed (memory limit too low?)`,
    /// `set memory limit N too low`, user namespace mappings, or any other failure of a network plugin (then
    /// only likely: the words are shown, and not understood).
    /// ## Look-alikes
    /// `cni-config-missing`, `cni-not-ready`, `cni-ip-exhausted`, `runtime-handler-missing`, `container-name-conflict`,
    /// `runtime-unavailable`, `node-disk-io-error`: each has words of its own. A sandbox that came up later makes the
    /// event history.
    /// ## Fixes
    /// As the words say; most are faults of the node, so another node is the quick way out.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_manager.go; containerd internal/cri/server/sandbox_run.go.
    SandboxCreateFailed, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let Some(failure) = sandbox::of_code(case, Code::SandboxCreateFailed)? else { return Ok(Vec::new()) };
    Ok(vec![explain(case, &failure)?])
}

fn explain(case: &Case<'_>, failure: &Sandbox) -> Result<Finding, Needs> {
    let node = node_name(case);
    let (what, fix) = words(case, failure)?;
    let mut finding = failure.finding(case, Code::SandboxCreateFailed);
    if matches!(failure.fault, SandboxFault::MemoryTooLow | SandboxFault::Sysctl) {
        // The template asks for it: the node is as it should be.
        finding.root = None;
    }
    let node_fault = finding.root.is_some();
    let finding = finding
        .title(text!["The sandbox of Pod ", name(case.reference().path()), " cannot be made: ", what.clone()])
        .explain(text![
            "Before its containers, a pod gets a sandbox: its network and a process that holds it. Node ",
            name(node),
            " cannot make it: ",
            what,
            "."
        ])
        .also(failure.said())
        .fix(fix);
    Ok(finding.fix(node_fault.then(|| {
        Fix::disruptive(text!["let the pod run on another node meanwhile"])
            .command(case.kubectl_cluster(["cordon", node]))
            .command(case.kubectl(["delete", "pod", case.name()]))
    })))
}

/// What is wrong, and the first step.
fn words(case: &Case<'_>, failure: &Sandbox) -> Result<(Text, Fix), Needs> {
    let node = node_name(case);
    Ok(match &failure.fault {
        SandboxFault::PauseImage(image) => (
            text!["its sandbox image ", name(image.clone()), " cannot be pulled"],
            Fix::safe(text![
                "make image ",
                name(image.clone()),
                " available to the node: it is set in the container runtime (sandbox_image), pulled without the pod's \
                 secrets"
            ])
            .command(format!("crictl pull {}", crate::case::shell_quoted(image))),
        ),
        SandboxFault::NoSpace => (
            text!["no space is left on the node (disk, inodes, /run or control groups)"],
            Fix::safe(text!["on the node, see what is full, and make room"])
                .command("df -h; df -i; crictl rmi --prune"),
        ),
        SandboxFault::ControlGroup => (
            text!["its control group (cgroup) cannot be set up"],
            Fix::safe(text![
                "on the node, see that kubelet and runtime use the same cgroup driver and that systemd \
             answers"
            ])
            .command("journalctl -u kubelet -u containerd -u crio --since '-15 min'"),
        ),
        SandboxFault::UserNamespace => (
            text!["user namespaces (hostUsers: false) cannot be set up"],
            Fix::safe(text![
                "run it on nodes whose kernel and runtime support user namespaces, or leave ",
                code("hostUsers: false"),
                " out"
            ]),
        ),
        SandboxFault::BridgeAddress => (
            text!["its network bridge has an address of another network, left from before"],
            Fix::disruptive(text![
                "on node ",
                name(node),
                ", remove the old bridge; the network plugin makes it again"
            ])
            .command("ip link delete cni0"),
        ),
        SandboxFault::ResolverFile => (
            text!["the resolver file that pods inherit from the node is not there"],
            Fix::safe(text![
                "on the node, set ",
                code("resolvConf"),
                " of the kubelet to a file that is there (",
                code("/etc/resolv.conf"),
                "), or start systemd-resolved"
            ])
            .command("systemctl status systemd-resolved; ls -l /etc/resolv.conf /run/systemd/resolve/resolv.conf"),
        ),
        SandboxFault::Sysctl => (
            text![
                "a kernel setting (sysctl) that the pod asks for is not to be had \
         there"
            ],
            sysctl(case)?,
        ),
        SandboxFault::MemoryTooLow => memory(case)?,
        SandboxFault::Network(type_) => {
            let type_ = type_.clone().map(|type_| text![" ", quoted(type_)]);
            let fix = match network_plugin::of(failure) {
                Some(plugin) => plugin.see(case),
                None => Fix::safe(text![
                    "look at the log of the network plugin's agent on the node (its DaemonSet mostly lives in \
                     kube-system), and of the kubelet"
                ])
                .command(case.kubectl_in(
                    "kube-system",
                    ["get", "pods", "-o", "wide", "--field-selector", &format!("spec.nodeName={node}")],
                )),
            };
            (text!["the network plugin", type_, " failed"], fix)
        }
        _ => (
            text!["its container runtime reports an error"],
            Fix::safe(text!["look at what the kubelet and the container runtime say on node ", name(node)])
                .command("journalctl -u kubelet -u containerd -u crio --since '-15 min'"),
        ),
    })
}

/// The limits that leave the runtime no room, and the step that raises them.
fn memory(case: &Case<'_>) -> Result<(Text, Fix), Needs> {
    let limits: Vec<(String, String)> = case
        .containers()
        .filter_map(|container| {
            let limits = container.spec.resources.as_ref()?.limits.as_ref()?;
            Some((container.name().to_owned(), limits.get("memory")?.0.clone()))
        })
        .collect();
    let mut listed = Text::default();
    for (index, (container, limit)) in limits.iter().enumerate() {
        listed.push(if index == 0 { " (" } else { ", " });
        listed.push(text!["container ", name(container.clone()), ": ", code(limit.clone())]);
    }
    listed.push(if limits.is_empty() { "" } else { ")" });
    let what = text!["its memory limit", listed, " is too low for the runtime to start anything"];
    let owner = owner::top(case)?;
    let advice = text!["raise the memory limit of the containers (some 20 MiB are the least); mind the unit (Mi, Gi)"];
    if limits.is_empty() || matches!(owner.kind.as_ref(), "Pod" | "Job" | "Node") {
        return Ok((what, template(case, advice)?));
    }
    let target = format!("{}/{}", owner.kind.to_ascii_lowercase(), owner.name);
    let set =
        |container: &str| case.kubectl(["set", "resources", target.as_str(), "-c", container, "--limits=memory=64Mi"]);
    let fix = Fix::disruptive(advice).commands(limits.iter().map(|(container, _)| set(container)));
    Ok((what, fix))
}

fn template(case: &Case<'_>, advice: Text) -> Result<Fix, Needs> {
    let owner = owner::top(case)?;
    let mut fix = Fix::disruptive(advice);
    fix.commands.extend(owner::edit(case, &owner));
    Ok(fix)
}

fn sysctl(case: &Case<'_>) -> Result<Fix, Needs> {
    let context = case.pod().and_then(pods::spec).and_then(|spec| spec.security_context.as_ref());
    let names: Vec<String> = context
        .and_then(|context| context.sysctls.as_ref())
        .into_iter()
        .flatten()
        .map(|sysctl| sysctl.name.clone())
        .collect();
    let which = (!names.is_empty()).then(|| text![" (", Text::names(names, 4), ")"]);
    template(
        case,
        text!["leave the sysctl out of the pod's securityContext", which, ", or use nodes whose kernel has it"],
    )
}
