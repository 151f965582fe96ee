//! `image-pull-slow`.

use jiff::SignedDuration;
use kubewhy_text::{Text, name, text};

use crate::case::{Case, Verdict};
use crate::causes::{Code, cause};
use crate::event::Event;
use crate::facts::pull::{self, Pull};
use crate::facts::{image_size, neighbours};
use crate::finding::{Confidence, Evidence, Finding, Fix, Severity};
use crate::parse::pull::{PullFault, image_named};
use crate::pods::{self, ContainerView};
use crate::reader::Needs;

cause! {
    /// ## What it means
    /// The image is still being pulled after minutes, or was given up because it took too long. Nothing is wrong with
    /// its name or with the credentials: it is large, the way is slow, or the pull waits in a queue.
    /// ## Signals
    /// Event `Pulling` without `Pulled` or `Failed` for two minutes or more, container still `ContainerCreating`; `pull
    /// QPS exceeded`; `context canceled` or `context deadline exceeded` without a network error (containerd gives up a
    /// pull without progress after 5 minutes). The node of a replica that has the image tells its size (`status.images`),
    /// and the node's other pods that wait for containers tell the queue.
    /// ## Look-alikes
    /// `registry-unreachable`: the error names a URL or an address. `volume-mount-timeout`: no `Pulling` event at all
    /// yet.
    /// ## Fixes
    /// Wait; then a smaller image, a registry or mirror nearer to the nodes, images pulled in advance, parallel pulls.
    /// ## Source
    /// pkg/kubelet/images/helpers.go; containerd internal/cri/server/images/image_pull.go.
    ImagePullSlow, stage Image, since "0.1.0", detect
}

/// From here on a pull under way is worth a word, and from the second on it is trouble.
const NOTABLE: SignedDuration = SignedDuration::from_secs(60);
const SLOW: SignedDuration = SignedDuration::from_secs(120);

fn detect(case: &Case<'_>) -> Verdict {
    let mut found = Vec::new();
    for pull in pull::of_code(case, Code::ImagePullSlow)? {
        found.push(given_up(case, &pull));
    }
    for (container, event) in pull::under_way(case)? {
        found.extend(under_way(case, &container, &event)?);
    }
    Ok(found)
}

fn given_up(case: &Case<'_>, pull: &Pull<'_>) -> Finding {
    let throttled = pull.failure.fault == PullFault::Throttled;
    let what = if throttled {
        text![
            "The kubelet starts only so many pulls a second (registryPullQPS, 5 by default), and many pods came to \
             node ",
            node(case),
            " at once. It tries again by itself."
        ]
    } else {
        text![
            "The pull of image ",
            name(pull.image.clone()),
            " made no headway for minutes, or reached the time limit, and was given up; the next try goes on from the \
             layers \
             that are there."
        ]
    };
    let title = if throttled {
        text!["Image ", name(pull.image.clone()), " waits: too many pulls at once on node ", node(case)]
    } else {
        text!["The pull of image ", name(pull.image.clone()), " took too long and was given up"]
    };
    let finding = pull
        .finding(case, Code::ImagePullSlow)
        .confidence(if throttled { Confidence::Certain } else { Confidence::Likely })
        .title(title)
        .explain(what)
        .also(pull.said());
    with_fixes(case, finding)
}

fn under_way(case: &Case<'_>, container: &ContainerView<'_>, event: &Event) -> Result<Option<Finding>, Needs> {
    let Some(since) = event.last else { return Ok(None) };
    let age = case.age(since);
    if age < NOTABLE {
        return Ok(None);
    }
    let image = image_named(&event.message).unwrap_or_else(|| container.image()).to_owned();
    let severity = if age >= SLOW { Severity::Error } else { Severity::Info };
    // Asked only where it is trouble.
    let (size, queue) = if age >= SLOW {
        let (size, queue) = (image_size::told_elsewhere(case, &image, age), neighbours::queue(case));
        (size?, queue?)
    } else {
        (None, None)
    };
    let (size, told) = size.unzip();
    let finding = case
        .finding_in(Code::ImagePullSlow, container)
        .severity(severity)
        .confidence(Confidence::Likely)
        .since(Some(since))
        .title(text!["Image ", name(image.clone()), " is still being pulled after ", how_long(age)])
        .explain(text![
            "Node ",
            node(case),
            " began ",
            how_long(age),
            " ago to pull image ",
            name(image),
            " for container ",
            name(container.name()),
            ", and reports neither success nor an error. The image is large, the way to its registry is slow, or the \
             pull waits \
             for others on the node (one at a time by default)."
        ])
        .also(size)
        .also(queue)
        .evidence(Evidence::event(event))
        .evidence(told);
    Ok(Some(with_fixes(case, finding)))
}

fn node(case: &Case<'_>) -> kubewhy_text::Span {
    name(case.pod().and_then(pods::node_name).unwrap_or_default())
}

fn how_long(age: SignedDuration) -> Text {
    if age >= SLOW { text![age.as_mins(), " min"] } else { text![age.as_secs(), " s"] }
}

fn with_fixes(case: &Case<'_>, finding: Finding) -> Finding {
    let pod = case.name();
    finding
        .fix(Fix::safe(text!["see whether the pull ends and how long it took, with the size of the image"]).command(
            case.kubectl(["get", "events", "--field-selector", &format!("involvedObject.name={pod}"), "--watch"]),
        ))
        .fix(Fix::safe(text![
            "make pulls shorter: a smaller image, a registry or mirror nearer to the nodes, or the image pulled in \
             advance \
             (a DaemonSet, a node image that has it)"
        ]))
        .fix(Fix::disruptive(text![
            "let the kubelet pull several images at once: serializeImagePulls: false with maxParallelImagePulls, and \
             a higher \
             registryPullQPS, in its configuration"
        ]))
}
