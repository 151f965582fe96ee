//! `image-not-found`.

use kubewhy_text::{Text, code, name, text};

use crate::case::{Case, Verdict, shell_quoted};
use crate::causes::{Code, cause};
use crate::facts::owner;
use crate::facts::pull::{self, Pull};
use crate::facts::pull_helper;
use crate::finding::{Action, Confidence, Finding, Fix, ObjectRef};
use crate::nearest::nearest;
use crate::parse::image::ImageRef;
use crate::parse::pull::PullFault;
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The registry answers, and has no such image: the repository, the tag or the digest does not exist.
    /// ## Signals
    /// containerd `failed to resolve reference "REF": REF: not found` (NotFound) or `404 Not Found`; Docker `manifest
    /// for REF not found: manifest unknown`; CRI-O `reading manifest TAG in REPO: manifest unknown` or `name unknown`.
    /// Docker Hub's `pull access denied, repository does not exist or may require authorization` where the name is an
    /// official image (those are public) or nearly that of a neighbour. An `ImagePullBackOff` whose reason stands
    /// nowhere any more is named here with confidence `possible`.
    /// ## Look-alikes
    /// `image-unauthorized`: the registry refuses to tell. `image-platform-mismatch`: the image exists for other
    /// architectures (`no match for platform in manifest: not found`). `registry-unreachable`: nobody answered.
    /// ## Fixes
    /// Name a tag that exists (nearest known names are offered), push the missing one, or go back to the revision
    /// before.
    /// ## Source
    /// containerd core/remotes/docker/resolver.go; pkg/kubelet/images/image_manager.go.
    ImageNotFound, stage Image, since "0.1.0", detect
}

fn detect(case: &Case<'_>) -> Verdict {
    let pulls = pull::of_code(case, Code::ImageNotFound)?;
    pulls.iter().map(|pull| explain(case, pull)).collect()
}

fn explain(case: &Case<'_>, pull: &Pull<'_>) -> Result<Finding, Needs> {
    let owner = owner::top(case)?;
    let earlier = pull::earlier_images(case, pull)?;
    let near = match moved_or_slip(pull).or(pull::near_repository(case, pull)?) {
        Some(near) => Some(near),
        None => nearest(&pull.image, earlier.iter().map(String::as_str)),
    };
    let (title, what, confidence) = words(pull);
    let known = earlier.first().map(|image| text!["An earlier revision ran ", name(image.clone()), "."]);
    let mut finding = pull
        .finding(case, Code::ImageNotFound)
        .confidence(confidence)
        .title(title)
        .explain(what)
        .also(pull.said())
        .also(known)
        .fix(near.map(|near| rename(case, pull, &owner, &near)));
    finding = finding.fix(look_up(pull)).fix(edit(case, pull, &owner));
    let unsure = confidence != Confidence::Certain;
    let by_hand = if unsure { pull_helper::on_the_node(case, pull) } else { None };
    Ok(finding.fix((!earlier.is_empty()).then(|| undo(case, &owner))).fix(by_hand))
}

/// Where the image has moved to, or the tag `latest` where it is written nearly so.
fn moved_or_slip(pull: &Pull<'_>) -> Option<String> {
    let image = pull.reference()?;
    let latest = || {
        let tag = image.tag.as_deref().filter(|tag| *tag != "latest")?;
        let near = nearest(tag, ["latest"])?;
        Some(ImageRef { tag: Some(near), ..image.clone() }.written())
    };
    image.moved().map(|moved| moved.written()).or_else(latest)
}

fn words(pull: &Pull<'_>) -> (Text, Text, Confidence) {
    let (image, container) = (name(pull.image.clone()), name(pull.container.name()));
    let host = name(pull.registry());
    match pull.failure.fault {
        PullFault::NotFound => (
            text!["Image ", image.clone(), " does not exist in registry ", host.clone()],
            text![
                "Container ",
                container,
                " cannot start: registry ",
                host,
                " answered that it has no such ",
                part(pull.reference().as_ref()),
                ". The name may be misspelt, or the image was never pushed or has been deleted."
            ],
            Confidence::Certain,
        ),
        PullFault::Unknown => (
            text!["Image ", image.clone(), " cannot be pulled"],
            text![
                "The node cannot pull image ",
                image,
                " of container ",
                container,
                ". ",
                if pull.failure.words.is_empty() {
                    "Its reason is on record nowhere any more (events live for an hour)"
                } else {
                    "Its words do not tell plainly what is wrong"
                },
                "; most often such an image does not exist, or its registry ",
                host,
                " wants credentials."
            ],
            Confidence::Possible,
        ),
        _ => (
            text!["Image ", image.clone(), " most likely does not exist in registry ", host.clone()],
            text![
                "Container ",
                container,
                " cannot start: registry ",
                host,
                " gives the same answer for a repository that does not exist and for one that is private. The name \
                 speaks for the first; if the repository is private, the pod needs a pull secret (imagePullSecrets)."
            ],
            Confidence::Likely,
        ),
    }
}

fn part(image: Option<&ImageRef>) -> Text {
    let Some(image) = image else { return text!["image"] };
    let repository = name(image.repository.clone());
    match (&image.digest, &image.tag) {
        (Some(digest), _) => text!["digest ", code(digest.clone()), " in repository ", repository],
        (None, Some(tag)) => text!["repository ", repository, ", or no tag ", code(tag.clone()), " in it"],
        (None, None) => text!["repository ", repository, ", or no tag ", code("latest"), " in it"],
    }
}

fn rename(case: &Case<'_>, pull: &Pull<'_>, owner: &ObjectRef, near: &str) -> Fix {
    let mut fix = Fix::disruptive(text!["name an image that is known here: did you mean ", name(near), "?"]);
    fix.commands.extend(owner::set_image(case, owner, pull.container.name(), near));
    fix
}

fn look_up(pull: &Pull<'_>) -> Fix {
    let fix = Fix::safe(text!["see which tags the repository has, and push the missing image if it should be there"]);
    let Some(image) = pull.reference() else { return fix };
    let repository = format!("docker://{}/{}", image.host, image.repository);
    fix.command(format!("skopeo list-tags {}", shell_quoted(&repository)))
}

fn edit(case: &Case<'_>, pull: &Pull<'_>, owner: &ObjectRef) -> Fix {
    let mut fix = Fix::disruptive(text!["name an image that exists for container ", name(pull.container.name())]);
    let kind = owner.kind.to_ascii_lowercase();
    fix.commands.push(case.kubectl(["edit", kind.as_str(), owner.name.as_str()]));
    fix
}

fn undo(case: &Case<'_>, owner: &ObjectRef) -> Fix {
    let target = format!("{}/{}", owner.kind.to_ascii_lowercase(), owner.name);
    Fix::disruptive(text!["go back to the revision before"])
        .command(case.kubectl(["rollout", "undo", target.as_str()]))
        .remedy(Action::Undo)
}
