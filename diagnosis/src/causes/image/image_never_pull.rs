//! `image-never-pull`.

use kubewhy_text::{code, name, text};
use serde_json::json;

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::finding::{Finding, Fix, ObjectRef};
use crate::pods::{self, ContainerView, Role};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The container says that its image must never be pulled, and the node does not have it.
    /// ## Signals
    /// Waiting `ErrImageNeverPull` with `Container image "IMG" is not present with pull policy of Never`; event
    /// `ErrImageNeverPull` with the same text.
    /// ## Look-alikes
    /// `image-not-found`: the pull was tried, and the registry has no such image.
    /// ## Fixes
    /// Load the image onto the node (`kind load docker-image`, `minikube image load`), or let it be pulled
    /// (`imagePullPolicy: IfNotPresent`).
    /// ## Source
    /// pkg/kubelet/images/image_manager.go, EnsureImageExists.
    ImageNeverPull, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let waiting = case.containers().filter(|container| container.waiting_reason() == "ErrImageNeverPull");
    waiting.map(|container| explain(case, &container)).collect()
}

fn explain(case: &Case<'_>, container: &ContainerView<'_>) -> Result<Finding, Needs> {
    let owner = owner::top(case)?;
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let image = container.image();
    let quoted_image = shell_quoted(image);
    Ok(case
        .finding_in(Code::ImageNeverPull, container)
        .title(text!["Image ", name(image), " is not on node ", name(node), ", and may never be pulled"])
        .explain(text![
            "Container ",
            name(container.name()),
            " has ",
            code("imagePullPolicy: Never"),
            ", so node ",
            name(node),
            " uses only an image that is there already, and it has no image ",
            name(image),
            ". Each node has images of its own: one that was built or loaded elsewhere does not count."
        ])
        .evidence(case.waiting_evidence(container))
        .evidence(
            container
                .spec
                .image_pull_policy
                .clone()
                .map(|policy| case.field(&format!("{}.imagePullPolicy", container.spec_path()), policy)),
        )
        .fix(
            Fix::safe(text!["load the image onto the node (local clusters), under exactly that name"])
                .command(format!("kind load docker-image {quoted_image}"))
                .command(format!("minikube image load {quoted_image}")),
        )
        .fix(allow(case, container, &owner)))
}

fn allow(case: &Case<'_>, container: &ContainerView<'_>, owner: &ObjectRef) -> Fix {
    let mut fix = Fix::disruptive(text!["or let the node pull it: ", code("imagePullPolicy: IfNotPresent")]);
    let list = if container.role == Role::Main { "containers" } else { "initContainers" };
    let spec = json!({list: [{"name": container.name(), "imagePullPolicy": "IfNotPresent"}]});
    let patch = owner::template_patch(owner, &spec);
    fix.commands.extend(patch.as_ref().map(|patch| owner::patch_command(case, owner, patch)));
    fix.patch = patch;
    fix
}
