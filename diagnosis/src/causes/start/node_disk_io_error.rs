//! `node-disk-io-error`.

use k8s_openapi::api::core::v1::Node;
use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::pull::{self, is_live};
use crate::facts::sandbox::{self, node_name};
use crate::facts::{node_state, node_words};
use crate::finding::{Action, Confidence, Evidence, Finding, Fix};
use crate::parse::reference::volume;
use crate::parse::sandbox::SandboxFault;
use crate::pods;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// A disk of the node does not read or write any more (bad sectors, a lost device, a file system that gave up).
    /// ## Signals
    /// `input/output error` in the pull of an image, in the making of a sandbox, of a container or of a volume that
    /// lives on the node; mostly in several pods of one node; Node events `IOError` and `Ext4Error` of
    /// node-problem-detector.
    /// ## Look-alikes
    /// `volume-mount-failed`: one CSI or NFS volume with such an error is that volume's storage. `image-corrupt`: a
    /// broken layer on a disk that works. `image-disk-full`, `app-disk-full`: no space left.
    /// ## Fixes
    /// Cordon and drain the node, look at its kernel log, replace the disk or the node.
    /// ## Source
    /// The kernel's EIO, passed on by containerd, CRI-O and runc.
    NodeDiskIoError, stage Start, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    if let Some(node) = node_state::subject(case) {
        return of_node(case, &node);
    }
    let evidence = evidence(case)?;
    Ok(evidence.map(|(evidence, container)| explain(case, evidence, container)).into_iter().collect())
}

/// The first place that speaks of it.
fn evidence(case: &Case<'_>) -> Result<Option<(Evidence, Option<String>)>, Needs> {
    if !is_live(case) {
        return Ok(None);
    }
    let broken = |message: &str| message.to_ascii_lowercase().contains("input/output error");
    let reasons = ["CreateContainerError", "RunContainerError", "CreateContainerConfigError", "ImageInspectError"];
    for container in case.containers() {
        if reasons.contains(&container.waiting_reason()) && broken(container.waiting_message()) {
            return Ok(Some((case.waiting_evidence(&container), Some(container.name().to_owned()))));
        }
    }
    if let Some(pull) = pull::of_code(case, Code::NodeDiskIoError)?.first() {
        return Ok(Some((pull.source.clone(), Some(pull.container.name().to_owned()))));
    }
    if let Some(failure) = sandbox::of_code(case, Code::NodeDiskIoError)? {
        return Ok(Some((failure.source, None)));
    }
    let idle = case.containers().all(|container| {
        matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing" | "")
            && container.running().is_none()
            && container.last_end().is_none()
    });
    if !idle || case.pod().and_then(pods::node_name).is_none() {
        return Ok(None);
    }
    let local =
        |event: &Event| broken(&event.message) && volume(&event.message).is_none_or(|name| is_local(case, name));
    let event = case.newest_event(&["FailedMount", "FailedCreatePodContainer", "Failed"], local)?;
    Ok(event.map(|event| (Evidence::event(&event), None)))
}

/// A volume that lives on the node itself; others have storage of their own that may be at fault.
fn is_local(case: &Case<'_>, volume: &str) -> bool {
    let spec = case.pod().and_then(pods::spec);
    let found = spec.and_then(|spec| spec.volumes.iter().flatten().find(|it| it.name == volume));
    found.is_some_and(|it| {
        it.empty_dir.is_some()
            || it.host_path.is_some()
            || it.config_map.is_some()
            || it.secret.is_some()
            || it.projected.is_some()
            || it.downward_api.is_some()
    })
}

/// What the node's kernel (by node-problem-detector) or its failing pods say of its disk.
fn of_node(case: &Case<'_>, node: &Node) -> Verdict {
    let kernel = node_state::recent_event(case, node, &["IOError", "Ext4Error"], |_| true)?;
    let told = node_words::of(case, node, &SandboxFault::DiskError)?;
    let evidence =
        kernel.map(|event| Evidence::event(&event)).or_else(|| told.into_iter().next().map(|told| told.source));
    let root = node_state::reference(node);
    let base = case.finding(Code::NodeDiskIoError).root(root);
    Ok(evidence.map(|evidence| fill(case, node_state::name_of(node), base, evidence)).into_iter().collect())
}

fn explain(case: &Case<'_>, evidence: Evidence, container: Option<String>) -> Finding {
    let mut finding = case.finding(Code::NodeDiskIoError).root(sandbox::node(case));
    finding.object.container = container;
    fill(case, node_name(case), finding, evidence)
}

fn fill(case: &Case<'_>, node: &str, finding: Finding, evidence: Evidence) -> Finding {
    let words = evidence.text.clone();
    let finding = finding.confidence(Confidence::Likely).since(evidence.at).evidence(evidence);
    finding
        .title(text!["A disk of node ", name(node), " fails: input/output error"])
        .explain(text![
            "The kernel of node ",
            name(node),
            " reported an input/output error: a disk, or the file system on it, does \
             not read or \
             write any more. Other pods on that node will fail too. The node reports: ",
            quoted(words),
            "."
        ])
        .fix(
            Fix::disruptive(text!["take the node out of service and move its pods"])
                .command(case.kubectl_cluster(["cordon", node]))
                .command(case.kubectl_cluster(["drain", node, "--ignore-daemonsets", "--delete-emptydir-data"]))
                .remedy(Action::Cordon),
        )
        .fix(
            Fix::safe(text!["look at the kernel log and the health of the disks on the node; replace what is broken"])
                .command("dmesg -T | grep -iE 'i/o error|ext4|xfs|nvme|ata'"),
        )
}
