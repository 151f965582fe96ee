//! `image-inspect-failed`.

use kubewhy_text::{name, quoted, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::finding::{Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::pull::{PullFailure, PullFault};
use crate::pods::{self, ContainerView};

cause! {
    /// ## What it means
    /// Before it pulls, the kubelet asks the container runtime whether the image is there, and that question itself
    /// failed: the runtime is down, its image store is broken, or it finds the short name ambiguous.
    /// ## Signals
    /// Waiting `ImageInspectError`, event `InspectFailed` with `Failed to inspect image "IMG": WORDS` (from 1.32 on
    /// with an empty name: `Failed to inspect image "": WORDS`); CRI-O `short name mode is enforcing, but image name N
    /// returns ambiguous list`.
    /// ## Look-alikes
    /// `invalid-image-name`: event `InspectFailed` too, with waiting `InvalidImageName`. `runtime-unavailable`: where
    /// the words say that the runtime does not answer, that is the root and this follows.
    /// ## Fixes
    /// Name the image with its registry where the short name is ambiguous; else mend the runtime or its store on the
    /// node.
    /// ## Source
    /// pkg/kubelet/images/image_manager.go; CRI-O internal/storage/image.go.
    ImageInspectFailed, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let waiting = case.containers().filter(|container| container.waiting_reason() == "ImageInspectError");
    Ok(waiting.map(|container| explain(case, &container)).collect())
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>) -> Finding {
    let message = container.waiting_message();
    let words = message.strip_prefix("Failed to inspect image ").and_then(|rest| rest.split_once(": "));
    let words = words.map_or(message, |(_, words)| words);
    let failure = PullFailure::parse(words);
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let image = container.image();
    let ambiguous = words.contains("short name") || words.contains("short-name");
    let finding = case
        .finding_in(Code::ImageInspectFailed, container)
        .title(text!["The container runtime of node ", name(node), " cannot look up image ", name(image)])
        .evidence(case.waiting_evidence(container));
    let said = (!words.is_empty()).then(|| text!["The runtime says: ", quoted(failure.words.clone()), "."]);
    if ambiguous {
        return finding
            .explain(text![
                "Image ",
                name(image),
                " names no registry, and the runtime of node ",
                name(node),
                " knows several it could come from and does not guess."
            ])
            .also(said)
            .fix(Fix::disruptive(text!["name the image with its registry: ", name(format!("docker.io/{image}"))]));
    }
    let finding =
        if failure.fault == PullFault::RuntimeDown { finding.follows(Code::RuntimeUnavailable) } else { finding };
    let list = format!("crictl inspecti {}", shell_quoted(image));
    finding
        .root(ObjectRef::new(Kind::Node, None, node))
        .explain(text![
            "The kubelet asked the container runtime on node ",
            name(node),
            " whether it has image ",
            name(image),
            ", and got an error instead of an answer. That is a fault of the node, not of the image's name."
        ])
        .also(said)
        .fix(
            Fix::safe(text!["look at the image and the runtime on the node; remove the image there if it is broken"])
                .command(list)
                .command("systemctl status containerd crio docker"),
        )
        .fix(
            Fix::disruptive(text!["keep new pods off the node meanwhile"])
                .command(case.kubectl_cluster(["cordon", node])),
        )
}
