//! `image-platform-mismatch`.

use kubewhy_text::{code, name, text};
use serde_json::json;

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::facts::pull::{self, Pull};
use crate::finding::{Evidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::parse::pull as parse;
use crate::pods;
use crate::reader::{Needs, Read};

cause! {
    /// ## What it means
    /// The image exists, and has no variant for the operating system or processor of the node.
    /// ## Signals
    /// containerd `no match for platform in manifest: not found`; CRI-O `no image found in manifest list for
    /// architecture`; Docker `no matching manifest for linux/arm64 in the manifest list entries`; Windows builds that
    /// do not fit the host (`a Windows version 10.0.20348-based image is incompatible with a 10.0.17763 host`).
    /// ## Look-alikes
    /// `image-not-found`: `not found` without a word about a platform. `exec-format-error`: an image of one
    /// architecture only is pulled anywhere and fails when it starts.
    /// ## Fixes
    /// Build the image for the node's platform too, or keep the pod on nodes that it is built for.
    /// ## Source
    /// containerd core/images/image.go, Manifest; containers/image manifest list.
    ImagePlatformMismatch, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImagePlatformMismatch)?;
    pulls.iter().map(|pull| explain(case, pull)).collect()
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Result<Finding, Needs> {
    let (node, owner) = (case.node(), owner::top(case));
    let (node, owner) = (node?, owner?);
    let node_name = case.pod().and_then(pods::node_name).unwrap_or_default();
    let info = match &node {
        Read::Found(node) => node.status.as_ref().and_then(|status| status.node_info.clone()),
        Read::Absent | Read::Unreadable => None,
    };
    let platform = info.map(|info| format!("{}/{}", info.operating_system, info.architecture));
    let reported = parse::platform(&pull.failure.words);
    let shown = platform.clone().map(|platform| {
        let node = ObjectRef::new(Kind::Node, None, node_name);
        Evidence::field(&node, ".status.nodeInfo", platform)
    });
    let platform = platform.or(reported);
    let wanted = platform.clone().map_or_else(|| text!["the platform of the node"], |platform| text![code(platform)]);
    let build =
        format!("docker buildx build --platform linux/amd64,linux/arm64 --push -t {} .", shell_quoted(&pull.image));
    Ok(pull
        .finding(case, Code::ImagePlatformMismatch)
        .title(text!["Image ", name(pull.image.clone()), " is not built for ", wanted.clone()])
        .explain(text![
            "Image ",
            name(pull.image.clone()),
            " exists, and has no variant for ",
            wanted.clone(),
            ", which node ",
            name(node_name),
            " needs to run container ",
            name(pull.container.name()),
            "."
        ])
        .also(pull.said())
        .evidence(shown)
        .fix(Fix::safe(text!["build and push the image for ", wanted, " too"]).command(build))
        .fix(keep_away(case, &owner, platform.as_deref())))
}

/// Keeps the pods on nodes of the other architecture, where the template can be patched.
fn keep_away(case: &Case<'_>, owner: &ObjectRef, platform: Option<&str>) -> Fix {
    let other = match platform.and_then(|platform| platform.split_once('/')) {
        Some(("linux", "arm64" | "arm")) => "amd64",
        Some(("linux", "amd64")) => "arm64",
        _ => {
            return Fix::disruptive(text![
                "or keep the pod on nodes that it is built for (nodeSelector kubernetes.io/os and kubernetes.io/arch)"
            ]);
        }
    };
    let mut fix = Fix::disruptive(text![
        "or keep the pod on nodes that it is built for, such as ",
        code(format!("kubernetes.io/arch: {other}"))
    ]);
    let patch = owner::template_patch(owner, &json!({"nodeSelector": {"kubernetes.io/arch": other}}));
    fix.commands.extend(patch.as_ref().map(|patch| owner::patch_command(case, owner, patch)));
    fix.patch = patch;
    fix
}
