//! `container-start-failed`.

use kubewhy_text::{Text, code, name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::owner::edited;
use crate::facts::start::{StartFailure, failures};
use crate::finding::{Confidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::quantity::{Amount, bytes};
use crate::parse::start::{self, StartError};
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container runtime could not create or start the container, for a reason that no code of its own names: a user
    /// that the image lacks, a memory limit too low to start anything, a device or GPU, a full or overloaded node.
    /// ## Signals
    /// Waiting `CreateContainerError`, `RunContainerError` or `PreStartHookError`, or a last end `StartError` 128 or
    /// `ContainerCannotRun`: `unable to find user X: no matching entries in passwd file`, `container init was OOM-killed
    /// (memory limit too low?)`, `set memory limit N too low; should be at least M bytes`, `nvidia-container-cli:
    /// initialization error`, `no space left on device`, `context deadline exceeded`.
    /// ## Look-alikes
    /// `command-not-found`, `command-not-executable`, `no-command`, `working-dir-missing`, `security-profile-missing`: the same
    /// states, with a message that names the fault. `invalid-mount-path`: a mount fails. `container-name-conflict`: `failed
    /// to reserve container name`. `oom-limit`: the container ran, and was killed later.
    /// ## Fixes
    /// By what the runtime says: name a user that the image has or a number, raise the memory limit, repair the device
    /// plugin or the node.
    /// ## Source
    /// containerd internal/cri/server/container_create.go and container_start.go; opencontainers/runc libcontainer/process_linux.go
    ContainerStartFailed, stage Start, since "0.1.0", detect
}

/// Runc, the pause container and the kernel's accounting need a few MiB before an app has begun.
const NEEDED_TO_START: Amount = Amount::whole(16 << 20);

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for failure in failures(case)? {
        let finding = match &failure.error {
            StartError::UserMissing { name, group } => user_missing(case, &failure, name, *group)?,
            StartError::MemoryTooLow { least } => memory_too_low(case, &failure, *least)?,
            StartError::Device => {
                on_node(case, &failure, text![" cannot get its device"], device_fix(case)).also(internal_hook(&failure))
            }
            StartError::NoSpace => {
                on_node(case, &failure, text![": no space left on the node's disk"], space_fix(case))
            }
            StartError::TooSlow => {
                on_node(case, &failure, text![": the container runtime did not answer in time"], slow_fix(case))
            }
            StartError::Other => other(case, &failure)?,
            _ => continue,
        };
        found.push(finding);
    }
    Ok(found)
}

fn base(case: &Case<'_>, failure: &StartFailure<'_>) -> Finding {
    case.finding_in(Code::ContainerStartFailed, &failure.container)
        .confidence(failure.confidence)
        .evidence(failure.evidence.clone())
}

/// The runtime's own words, without its envelopes.
fn words(failure: &StartFailure<'_>) -> Text {
    text!["The container runtime said: ", quoted(start::heart(&failure.evidence.text)), "."]
}

fn user_missing(case: &Case<'_>, failure: &StartFailure<'_>, user: &str, group: bool) -> Result<Finding, Needs> {
    let container = &failure.container;
    let (what, file) = if group { ("group", "/etc/group") } else { ("user", "/etc/passwd") };
    let named = if user.is_empty() { text![] } else { text![" ", quoted(user)] };
    let fix = Fix::disruptive(text![
        "run as a number, which needs no entry: ",
        code(if group { "securityContext.runAsGroup" } else { "securityContext.runAsUser" }),
        ", or as a ",
        what,
        " that the image has"
    ]);
    Ok(base(case, failure)
        .title(text![container.subject(), ": image ", name(container.image()), " has no ", what, named.clone()])
        .explain(text![
            "The container is to run as ",
            what,
            named,
            ", and the image has no such entry in ",
            code(file),
            ". ",
            words(failure)
        ])
        .fix(edited(case, fix)?))
}

fn memory_too_low(case: &Case<'_>, failure: &StartFailure<'_>, least: Option<u64>) -> Result<Finding, Needs> {
    let container = &failure.container;
    let limits = container.spec.resources.as_ref().and_then(|resources| resources.limits.as_ref());
    let limit = Amount::in_list(limits, "memory");
    let needs = least.map(|least| text![" The runtime asks for at least ", code(bytes(i128::from(least))), "."]);
    let written = limits.and_then(|limits| limits.get("memory")).map(|quantity| quantity.0.as_str());
    let slip = written.filter(|written| written.ends_with('m'));
    let shown = limit.map(|limit| {
        let amount = slip.map_or_else(|| limit.show("memory"), str::to_owned);
        text![" of ", code(amount)]
    });
    let slip = slip.map(|written| {
        text![
            " The unit ",
            code("m"),
            " means thousandths: ",
            code(written),
            " is less than what anybody means by it, which is ",
            code(format!("{}Mi", written.trim_end_matches('m'))),
            "."
        ]
    });
    let filled = limit.is_none_or(|limit| limit > NEEDED_TO_START).then(|| memory_volume(case, failure)).flatten();
    let raise =
        text!["raise the memory limit of container ", name(container.name()), ": 64Mi or more to start anything"];
    let finding = base(case, failure)
        .title(text![container.subject(), ": memory limit", shown, " is too low to start it"])
        .explain(text![
            "The kernel killed the container for lack of memory before its program had begun, so the limit leaves no room ",
            "even to start.",
            needs,
            slip
        ])
        .also(filled)
        .evidence(limit.map(|limit| {
            case.field(&format!("{}.resources.limits.memory", container.spec_path()), limit.show("memory"))
        }))
        .fix(edited(case, Fix::disruptive(raise))?);
    Ok(finding.follows(Code::OomLimit))
}

/// Files in a memory-backed volume outlive a restart of the container and are charged to it again.
fn memory_volume(case: &Case<'_>, failure: &StartFailure<'_>) -> Option<Text> {
    let volumes = case.pod().and_then(pods::spec)?.volumes.as_ref()?;
    let mounted =
        |volume: &str| failure.container.spec.volume_mounts.iter().flatten().any(|mount| mount.name == volume);
    let in_memory = volumes.iter().find(|volume| {
        let medium = volume.empty_dir.as_ref().and_then(|source| source.medium.as_deref());
        medium == Some("Memory") && mounted(&volume.name)
    })?;
    Some(text![
        "Volume ",
        name(in_memory.name.clone()),
        " lies in memory: what earlier instances wrote there is still charged to the container's limit."
    ])
}

fn on_node(case: &Case<'_>, failure: &StartFailure<'_>, what: Text, fix: Fix) -> Finding {
    let container = &failure.container;
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let finding = base(case, failure)
        .title(text![container.subject(), what])
        .explain(text!["It fails on node ", name(node), ". ", words(failure)])
        .fix(fix);
    if node.is_empty() { finding } else { finding.root(ObjectRef::new(Kind::Node, None, node)) }
}

fn node_of<'c>(case: &'c Case<'_>) -> &'c str {
    case.pod().and_then(pods::node_name).unwrap_or_default()
}

/// A waiting reason that reads like a hook of the pod and is none.
fn internal_hook(failure: &StartFailure<'_>) -> Option<Text> {
    (failure.container.waiting_reason() == "PreStartHookError").then(|| {
        text![
            "The hook is the kubelet's own (it lets the device plugin prepare the device), not a lifecycle hook of the pod: \
             Kubernetes has no preStart hook."
        ]
    })
}

fn device_fix(case: &Case<'_>) -> Fix {
    let field = format!("spec.nodeName={}", node_of(case));
    Fix::safe(text![
        "look at the device plugin and the driver on node ",
        name(node_of(case)),
        ": the runtime's words name what is missing"
    ])
    .command(case.kubectl_cluster(["get", "pods", "-A", "-o", "wide", "--field-selector", &field]))
    .command(case.kubectl_cluster(["describe", "node", node_of(case)]))
}

fn space_fix(case: &Case<'_>) -> Fix {
    Fix::safe(text!["free space on the disk of node ", name(node_of(case)), ": images, logs, files of other pods"])
        .command(case.kubectl_cluster(["describe", "node", node_of(case)]))
}

fn slow_fix(case: &Case<'_>) -> Fix {
    Fix::safe(text![
        "look at the load of node ",
        name(node_of(case)),
        " (disk, memory, number of pods) and at its container runtime; the kubelet tries again by itself"
    ])
    .command(case.kubectl_cluster(["describe", "node", node_of(case)]))
    .command("journalctl -u containerd -u crio -u docker --since '30 min ago'")
}

fn other(case: &Case<'_>, failure: &StartFailure<'_>) -> Result<Finding, Needs> {
    let container = &failure.container;
    let heart = start::heart(&failure.evidence.text);
    let short: String = heart.chars().take(120).collect();
    let node = node_of(case);
    let look =
        Fix::safe(text!["see whether it fails on every node: what the runtime names lies in the pod or on the node"])
            .command(case.kubectl(["describe", "pod", case.name()]));
    let look = if node.is_empty() { look } else { look.command(case.kubectl_cluster(["describe", "node", node])) };
    let edit = Fix::disruptive(text!["change what the runtime names in the pod's template"]);
    Ok(base(case, failure)
        .confidence(failure.confidence.max(Confidence::Likely))
        .title(text![container.subject(), " cannot be started: ", quoted(short)])
        .explain(text![
            "The container runtime on node ",
            name(node),
            " could not create or start the container. ",
            words(failure)
        ])
        .fix(look)
        .fix(edited(case, edit)?))
}
