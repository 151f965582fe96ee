//! `image-corrupt`.

use kubewhy_text::{name, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::pull::{self, Pull};
use crate::finding::{Action, Confidence, Finding, Fix, ObjectRef};
use crate::kind::Kind;
use crate::pods;

cause! {
    /// ## What it means
    /// The image was found, and what came is broken or cannot be unpacked: a layer was cut or altered on its way or in
    /// the registry, the image store of the node is damaged, or the image has a format that the runtime no longer
    /// reads.
    /// ## Signals
    /// `failed to extract layer ...: unexpected EOF`, `failed size validation: N != M`, `unexpected commit digest`,
    /// `missing rootfs`, `rejecting N byte manifest`, `failed to register layer`, `error creating overlay mount`, `blob
    /// unknown`, and `media type "M" is no longer supported since containerd v2.0`.
    /// ## Look-alikes
    /// `image-disk-full`: the same places with `no space left on device`. `node-disk-io-error`: with `input/output
    /// error`. `registry-unreachable`: `unexpected EOF` in the middle of a request.
    /// ## Fixes
    /// Remove what is there of the image on the node and pull again; where every node says so, push the image again.
    /// ## Source
    /// containerd core/remotes/docker/resolver.go and client/pull.go.
    ImageCorrupt, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImageCorrupt)?;
    Ok(pulls.iter().map(|pull| explain(case, pull)).collect())
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Finding {
    let node = case.pod().and_then(pods::node_name).unwrap_or_default();
    let image = name(pull.image.clone());
    let finding = pull.finding(case, Code::ImageCorrupt).confidence(Confidence::Likely);
    let lower = pull.failure.words.to_ascii_lowercase();
    let outdated = ["no longer supported", "schema 1", "unsupported manifest media type"];
    if outdated.iter().any(|words| lower.contains(words)) {
        let rebuild = format!("docker buildx build --push -t {} .", shell_quoted(&pull.image));
        return finding
            .confidence(Confidence::Certain)
            .title(text!["Image ", image.clone(), " has a format that the node no longer reads"])
            .explain(text![
                "The manifest of image ",
                image,
                " is of an old kind (such as Docker schema 1) that the container runtime of node ",
                name(node),
                " does not support."
            ])
            .also(pull.said())
            .fix(Fix::safe(text!["build and push the image again with a present-day tool"]).command(rebuild));
    }
    finding
        .root(ObjectRef::new(Kind::Node, None, node))
        .title(text!["Image ", image.clone(), " arrives broken, or cannot be unpacked, on node ", name(node)])
        .explain(text![
            "The registry has image ",
            image,
            ", and node ",
            name(node),
            " cannot unpack it for container ",
            name(pull.container.name()),
            ": a layer is incomplete or altered. If other nodes pull it well, the store of this node is damaged; if \
             none does, \
             the image in the registry (or a proxy on the way) is."
        ])
        .also(pull.said())
        .fix(
            Fix::safe(text!["on the node, remove what is there of the image and pull it again"])
                .command(format!("crictl rmi {0}; crictl pull {0}", shell_quoted(&pull.image))),
        )
        .fix(Fix::safe(text!["if every node says so, build and push the image again"]))
        .fix(
            Fix::disruptive(text!["if only this node says so, let the pod run elsewhere until its store is mended"])
                .command(case.kubectl_cluster(["cordon", node]))
                .command(case.kubectl(["delete", "pod", case.name()]))
                .remedy(Action::Cordon),
        )
}
