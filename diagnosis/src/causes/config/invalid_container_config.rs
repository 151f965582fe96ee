//! `invalid-container-config`.

use jiff::SignedDuration;
use kubewhy_text::{Text, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::facts::pull::is_live;
use crate::facts::volumes::absent_on_node;
use crate::finding::{Confidence, Evidence, Finding, Fix};
use crate::parse::reference::{is_transient, lacks};
use crate::pods::{self, ContainerView};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The kubelet cannot put the container's settings together, for a reason that none of the other causes of this
    /// stage names.
    /// ## Signals
    /// Waiting `CreateContainerConfigError` with, among others, `environment variable key "K" not found in file "F"`,
    /// `couldn't parse env file`, `cannot find the volume "V" referenced by FileKeyRef`, `pod Hostname "H" is not a
    /// valid DNS label`, `hostname for pod "P" was invalid`, `cannot find volume "V" to mount into container "C"`,
    /// `failed to resolve recursive read-only mode`, `unsupported supplementalGroupsPolicy`, `create container log
    /// directory for container C failed`; event `FailedCreatePodContainer` with `unable to ensure pod container exists`
    /// before any container is there.
    /// ## Look-alikes
    /// `configmap-missing`, `secret-missing` and their keys; `run-as-non-root-violation`; `invalid-mount-path`
    /// (subPath); `security-profile-missing` (seccomp, AppArmor); `node-disk-io-error`. Words of a kubelet that has
    /// only just started (`services have not yet been read at least once`, cache time-outs) pass by themselves.
    /// ## Fixes
    /// What the kubelet's words name has to be mended in the template; for log directories and cgroups, on the node.
    /// ## Source
    /// pkg/kubelet/kuberuntime/kuberuntime_container.go, generateContainerConfig; pkg/kubelet/kubelet_pods.go.
    InvalidContainerConfig, stage Config, since "0.1.0", detect
}

/// Words of other causes.
const OTHERS: [&str; 14] = [
    "runAsNonRoot",
    "non-root policy",
    "subPath",
    "SubPath",
    "subpath",
    "localhostProfile must be set",
    "apparmor",
    "seccomp",
    "input/output error",
    "DevicePath",
    "is specified in volumeMounts",
    "is specified in volumeDevices",
    "but is specified in",
    "no command specified",
];

/// How long words that mean nothing alone may be repeated.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    if !is_live(case) {
        return Ok(found);
    }
    for container in case.containers().filter(|it| it.waiting_reason() == "CreateContainerConfigError") {
        let message = container.waiting_message();
        let young = case.pod().and_then(pods::created).is_some_and(|created| case.age(created) < PATIENCE);
        let of_others = !lacks(message).is_empty()
            || OTHERS.iter().any(|words| message.contains(words))
            || absent_on_node(case, &container, message).is_some();
        if of_others || message.is_empty() || (is_transient(message) && young) {
            continue;
        }
        found.push(explain(case, &container)?);
    }
    if found.is_empty() {
        found.extend(of_pod(case)?);
    }
    Ok(found)
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Finding, Needs> {
    let message = container.waiting_message();
    let owner = owner::top(case)?;
    let known = advice(message);
    // What the kubelet's words mean is not known: the container cannot be made, and that is all that is certain.
    let confidence = match known {
        _ if is_transient(message) => Confidence::Possible,
        Some(_) => Confidence::Certain,
        None => Confidence::Likely,
    };
    let (what, advice) = known.unwrap_or_else(|| {
        (
            text!["a field of it is not valid on this node"],
            text!["mend the field that these words name, in the template"],
        )
    });
    let mut fix = Fix::disruptive(advice);
    fix.commands.extend(owner::edit(case, &owner));
    if fix.commands.is_empty() {
        fix.commands.push(case.kubectl(["get", "pod", case.name(), "-o", "yaml"]));
    }
    Ok(case
        .finding_in(Code::InvalidContainerConfig, container)
        .confidence(confidence)
        .title(text!["The settings of container ", name(container.name()), " cannot be used: ", quoted(message)])
        .explain(text![
            "The kubelet cannot put the settings of container ",
            name(container.name()),
            " together, so the container is not created: ",
            what,
            ". It says: ",
            quoted(message),
            "."
        ])
        .evidence(case.waiting_evidence(container))
        .fix(fix))
}

/// What that kind of message means, and what mends it; none where it is not known.
fn advice(message: &str) -> Option<(Text, Text)> {
    if message.contains("env file") || message.contains("not found in file") || message.contains("FileKeyRef") {
        return Some((
            text!["a variable comes from a file, and the file or the key in it cannot be read"],
            text!["mend the file that the variables come from, or the fileKeyRef that names it"],
        ));
    }
    if message.contains("ostname") || message.contains("Subdomain") {
        return Some((
            text!["the host name of the pod is not a valid DNS name"],
            text!["give the pod a hostname (and subdomain) of lower-case letters, digits and hyphens, at most 63"],
        ));
    }
    if message.contains("cannot find volume") {
        return Some((
            text!["a volumeMount names a volume that the pod does not have"],
            text!["name a volume of the pod in the volumeMount, or add that volume"],
        ));
    }
    if message.contains("recursive read-only") {
        return Some((
            text!["a mount asks for recursiveReadOnly, and mount or node does not allow it"],
            text!["set readOnly: true and no mountPropagation on that mount, or leave recursiveReadOnly out"],
        ));
    }
    if message.contains("log directory") || message.contains("data directories") {
        return Some((
            text!["the node cannot make a directory for it (full or read-only disk)"],
            text!["mend the disk of the node (space, inodes, read-only), or let the pod run on another node"],
        ));
    }
    if is_transient(message) {
        return Some((
            text!["the kubelet has not been able to read what it needs from the API"],
            text!["see whether the node reaches the API server, and whether all that the pod refers to exists"],
        ));
    }
    if message.contains("supplementalGroupsPolicy") || message.contains("SupplementalGroupsPolicy") {
        return Some((
            text!["the node's runtime does not know supplementalGroupsPolicy"],
            text!["leave supplementalGroupsPolicy out, or use nodes whose runtime supports it"],
        ));
    }
    None
}

/// The pod's own control group cannot be made, so no container can be.
fn of_pod(case: &Case<'_>) -> Result<Option<Finding>, Needs> {
    let waits = |container: ContainerView<'_>| {
        let quiet = matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing");
        quiet && container.last_end().is_none()
    };
    if !case.containers().all(waits) || case.pod().and_then(pods::node_name).is_none() {
        return Ok(None);
    }
    let reasons = ["FailedCreatePodContainer", "FailedToCreatePodContainer"];
    let Some(event) = case.newest_event(&reasons, |event| !event.message.contains("input/output error"))? else {
        return Ok(None);
    };
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    Ok(Some(
        case.finding(Code::InvalidContainerConfig)
            .confidence(Confidence::Likely)
            .since(event.first)
            .title(text!["Node ", name(node), " cannot make the control group of the pod"])
            .explain(text![
                "Before any container, the kubelet makes a control group (cgroup) with the pod's cpu and memory \
                 settings. Node ",
                name(node),
                " cannot: ",
                quoted(event.message.clone()),
                "."
            ])
            .evidence(Evidence::event(&event))
            .fix(
                Fix::safe(text![
                    "see whether other pods on the node fail alike: then its cgroups are the \
             matter"
                ])
                .command(case.kubectl_cluster([
                    "get",
                    "pods",
                    "-A",
                    "--field-selector",
                    &format!("spec.nodeName={node}"),
                ])),
            )
            .fix(Fix::safe(text![
                "else look at the cpu and memory requests and limits of the pod for values that \
             cannot be"
            ])),
    ))
}
