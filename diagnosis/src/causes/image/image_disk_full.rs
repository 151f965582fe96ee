//! `image-disk-full`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Action, Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The disk on which the node keeps its images is full, in bytes or in inodes, so the image cannot be stored.
    /// ## Signals
    /// `failed to extract layer DIGEST: ... no space left on device`, `write /var/lib/containerd/...: no space left on
    /// device`, `failed to register layer: ... no space left on device`; on the node often DiskPressure,
    /// `FreeDiskSpaceFailed`, `ImageGCFailed`.
    /// ## Look-alikes
    /// `app-disk-full`: the container runs and its own writes fail. `node-disk-pressure`: the node evicts or refuses
    /// pods.
    /// ## Fixes
    /// Remove unused images and logs on the node, let the pod run elsewhere meanwhile, and give the node a larger disk.
    /// ## Source
    /// pkg/kubelet/images/image_gc_manager.go; containerd client/pull.go.
    ImageDiskFull, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImageDiskFull)?;
    let Some(first) = pulls.first() else { return Ok(Vec::new()) };
    Ok(vec![explain(case, first)?])
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Result<Finding, Needs> {
    let node_name = case.pod().and_then(pods::node_name).unwrap_or_default();
    let root = ObjectRef::new(Kind::Node, None, node_name);
    let pressure = match case.node()? {
        Read::Found(node) => {
            let conditions = node.status.as_ref().and_then(|status| status.conditions.clone()).unwrap_or_default();
            conditions.into_iter().find(|condition| condition.type_ == "DiskPressure" && condition.status == "True")
        }
        Read::Absent | Read::Unreadable => None,
    };
    let says = pressure.as_ref().map(|_| text!["The node itself reports DiskPressure."]);
    let shown = pressure.map(|condition| {
        let message = condition.message.unwrap_or_default();
        Evidence::field(&root, ".status.conditions[DiskPressure]", format!("True: {message}"))
    });
    Ok(pull
        .finding(case, Code::ImageDiskFull)
        .root(root)
        .title(text![
            "The disk of node ",
            name(node_name),
            " is full: image ",
            name(pull.image.clone()),
            " cannot be stored"
        ])
        .explain(text![
            "Node ",
            name(node_name),
            " got image ",
            name(pull.image.clone()),
            " for container ",
            name(pull.container.name()),
            " from its registry, and has no room to unpack it (space or inodes of the disk that holds images)."
        ])
        .also(says)
        .also(pull.said())
        .evidence(shown)
        .fix(
            Fix::safe(text!["on the node, see what fills the disk, and remove images that no container uses"])
                .command("df -h /var/lib/containerd /var/lib/kubelet; df -i /var/lib/containerd")
                .command("crictl rmi --prune"),
        )
        .fix(
            Fix::disruptive(text!["let the pod run on another node meanwhile"])
                .command(case.kubectl_cluster(["cordon", node_name]))
                .command(case.kubectl(["delete", "pod", case.name()]))
                .remedy(Action::Cordon),
        ))
}
