//! Facts of the stage image: which pulls fail, why, and which one cause speaks for it.

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use kubewhy_text::{Text, quoted, text};

use crate::ask::{Filter, Selector};
use crate::case::Case;
use crate::causes::Code;
use crate::event::Event;
use crate::finding::{Evidence, Finding, ObjectRef};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::parse::image::{ImageRef, OFFICIAL};
use crate::parse::pull::{PullFailure, PullFault, image_named};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read};
use crate::scope;
use crate::secret::Secret;

/// Waiting reasons under which a pull has failed.
const PULL_REASONS: [&str; 5] =
    ["ErrImagePull", "ImagePullBackOff", "RegistryUnavailable", "SignatureValidationFailed", "InvalidImageName"];

/// A pull that fails now.
#[derive(Clone, Debug)]
pub(crate) struct Pull<'c> {
    /// The container that waits for it.
    pub(crate) container: ContainerView<'c>,
    /// The image: the container's, or that of an image volume of the pod.
    pub(crate) image: String,
    /// Why it fails.
    pub(crate) failure: PullFailure,
    /// Where that is said.
    pub(crate) source: Evidence,
    /// The first time it was said, where an event tells.
    pub(crate) since: Option<Timestamp>,
}

impl Pull<'_> {
    /// The image as far as it can be read.
    pub(crate) fn reference(&self) -> Option<ImageRef> {
        ImageRef::parse(&self.image).ok()
    }

    /// The registry that the image is of.
    pub(crate) fn registry(&self) -> String {
        self.reference().map_or_else(|| "docker.io".to_owned(), |image| image.host)
    }

    /// The registry to act on: the host that the words name, Docker Hub's many hosts as one.
    pub(crate) fn failing_host(&self) -> String {
        let host = self.failure.host.clone().unwrap_or_else(|| self.registry());
        let hub = host.ends_with("docker.io") || host.ends_with("docker.com");
        if hub { "docker.io".to_owned() } else { host }
    }

    /// It as an object of the report.
    pub(crate) fn registry_ref(&self) -> ObjectRef {
        ObjectRef::virtual_("Registry", &self.failing_host())
    }

    /// The innermost words, as a sentence; none where nothing was said.
    pub(crate) fn said(&self) -> Option<Text> {
        let words = self.failure.words.trim();
        (!words.is_empty()).then(|| text!["The node reports: ", quoted(words), "."])
    }

    /// A finding on its container with its evidence.
    pub(crate) fn finding(&self, case: &Case<'_>, code: Code) -> Finding {
        case.finding_in(code, &self.container).evidence(self.source.clone()).since(self.since)
    }
}

/// The pod is one whose pulls matter: neither finished nor on its way out.
pub(crate) fn is_live(case: &Case<'_>) -> bool {
    case.pod().is_some_and(|pod| !pods::is_finished(pod) && pod.metadata.deletion_timestamp.is_none())
}

/// The pulls of the pod that fail now, each with the words that say most.
pub(crate) fn failing<'c>(case: &'c Case<'_>) -> Result<Vec<Pull<'c>>, Needs> {
    let mut found = Vec::new();
    if !is_live(case) {
        return Ok(found);
    }
    for container in case.containers() {
        let reason = container.waiting_reason();
        if PULL_REASONS.contains(&reason) {
            found.push(stuck(case, container)?);
        } else if may_hide_a_failure(case, &container) {
            found.extend(behind_creating(case, container)?);
        }
    }
    Ok(found)
}

/// A restarted kubelet shows `ContainerCreating` until the next failure; only events tell then.
fn may_hide_a_failure(case: &Case<'_>, container: &ContainerView<'_>) -> bool {
    let silent = matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing" | "");
    let idle = container.running().is_none() && container.last_end().is_none();
    let bound = case.pod().and_then(pods::node_name).is_some();
    silent && idle && bound && container.status.is_none_or(|status| status.image_id.is_empty())
}

fn stuck<'c>(case: &'c Case<'_>, container: ContainerView<'c>) -> Result<Pull<'c>, Needs> {
    let message = container.waiting_message();
    let mut failure = PullFailure::parse(message);
    match container.waiting_reason() {
        "InvalidImageName" => failure.fault = PullFault::BadReference,
        "SignatureValidationFailed" => failure.fault = PullFault::Signature,
        _ => {}
    }
    let image = image_of(&container, message);
    let source = case.waiting_evidence(&container);
    // A container that has never run fails since its pod was made.
    let since = case.pod().and_then(pods::created).filter(|_| container.last_end().is_none());
    let mut pull = Pull { container, image, failure, source, since };
    if pull.failure.fault != PullFault::Unknown {
        return Ok(pull);
    }
    let events = case.own_events()?;
    let said = events.iter().rev().filter(|event| is_failure(event) && is_of(event, &pull));
    let better = said.map(|event| (event, PullFailure::parse(&event.message)));
    let best = better.clone().find(|(_, failure)| failure.fault != PullFault::Unknown).or_else(|| {
        let mut spoken = better;
        spoken.find(|(_, failure)| pull.failure.words.is_empty() && !failure.words.is_empty())
    });
    if let Some((event, failure)) = best {
        pull = told_by(&pull, event, failure);
    }
    Ok(pull)
}

/// The image that a message is about: an image volume's, or the container's as the pod writes it (runtimes write it
/// whole, with `docker.io/library/` in front).
fn image_of(container: &ContainerView<'_>, message: &str) -> String {
    let own = container.image();
    let Some(named) = image_named(message) else { return own.to_owned() };
    let without_tag = |image: &str| ImageRef::parse(image).map(|image| (image.host, image.repository));
    let same = without_tag(named).is_ok() && without_tag(named) == without_tag(own);
    if same { own.to_owned() } else { named.to_owned() }
}

fn told_by<'c>(pull: &Pull<'c>, event: &Event, failure: PullFailure) -> Pull<'c> {
    let image = image_of(&pull.container, &event.message);
    Pull { image, failure, source: Evidence::event(event), since: event.first, container: pull.container }
}

fn is_failure(event: &Event) -> bool {
    // An aggregated event begins with "(combined from similar events): ".
    event.reason == "Failed" && event.message.contains("ailed to pull image")
}

fn is_of(event: &Event, pull: &Pull<'_>) -> bool {
    match event.container() {
        Some(container) => container == pull.container.name(),
        None => image_named(&event.message).is_none_or(|image| image == pull.image),
    }
}

/// A failed pull with no sign of a later success.
fn behind_creating<'c>(case: &'c Case<'_>, container: ContainerView<'c>) -> Result<Option<Pull<'c>>, Needs> {
    let image = container.image().to_owned();
    let source = case.waiting_evidence(&container);
    let pull = Pull { container, image, failure: PullFailure::parse(""), source, since: None };
    let events = case.own_events()?;
    let mut of_pull = events.iter().filter(|event| is_about_image(event) && is_of(event, &pull));
    let last = of_pull.rfind(|event| event.reason != "Pulling" && event.reason != "BackOff");
    Ok(last.filter(|event| is_failure(event)).map(|event| {
        let failure = PullFailure::parse(&event.message);
        told_by(&pull, event, failure)
    }))
}

fn is_about_image(event: &Event) -> bool {
    matches!(event.reason.as_str(), "Pulling" | "Pulled" | "BackOff" | "Created" | "Started") || is_failure(event)
}

/// A pull that is under way: since when, and the event that says so.
pub(crate) fn under_way<'c>(case: &'c Case<'_>) -> Result<Vec<(ContainerView<'c>, Arc<Event>)>, Needs> {
    let mut found = Vec::new();
    if !is_live(case) {
        return Ok(found);
    }
    for container in case.containers().filter(|container| may_hide_a_failure(case, container)) {
        let events = case.own_events()?;
        let mut mine = events.iter().filter(|event| {
            let by_image = || image_named(&event.message) == Some(container.image());
            is_about_image(event) && event.container().map_or_else(by_image, |named| named == container.name())
        });
        if let Some(last) = mine.next_back().filter(|event| event.reason == "Pulling") {
            found.push((container, Arc::clone(last)));
        }
    }
    Ok(found)
}

/// What the pod's pull secrets say about a refusal.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    /// That Secret is named and is not there; the evidence.
    Missing(String, Evidence),
    /// That Secret is there and holds no registry credentials.
    Invalid(Arc<Secret>),
    /// Credentials were sent (or none, where the pod names none), and refused.
    Refused,
}

/// The names of the pull secrets of the pod.
pub(crate) fn secret_names(case: &Case<'_>) -> Vec<String> {
    let spec = case.pod().and_then(pods::spec);
    let named = spec.into_iter().flat_map(|spec| spec.image_pull_secrets.iter().flatten());
    named.map(|reference| reference.name.clone()).filter(|name| !name.is_empty()).collect()
}

/// Looks at the pull secrets of the pod.
pub(crate) fn access(case: &Case<'_>) -> Result<Access, Needs> {
    let names = secret_names(case);
    let reads: Vec<_> = names.iter().map(|name| (name, case.get::<Secret>(case.namespace(), name))).collect();
    let mut invalid = None;
    let mut any_valid = false;
    for (name, read) in reads {
        match read? {
            Read::Absent => {
                let said = unretrieved(case, name)?;
                let spec = || case.field(".spec.imagePullSecrets", format!("{name} (does not exist)"));
                return Ok(Access::Missing(name.clone(), said.unwrap_or_else(spec)));
            }
            Read::Found(secret) if is_invalid(&secret) => invalid = Some(secret),
            Read::Found(_) => any_valid = true,
            Read::Unreadable => {
                if let Some(said) = unretrieved(case, name)? {
                    return Ok(Access::Missing(name.clone(), said));
                }
            }
        }
    }
    Ok(match invalid.filter(|_| !any_valid) {
        Some(secret) => Access::Invalid(secret),
        None => Access::Refused,
    })
}

/// The kubelet's word that it could not read that pull secret.
fn unretrieved(case: &Case<'_>, name: &str) -> Result<Option<Evidence>, Needs> {
    let event = case.newest_event(&["FailedToRetrieveImagePullSecret"], |event| {
        let list = event.message.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        list.is_some_and(|(list, _)| list.split(',').any(|part| part.trim() == name))
    })?;
    Ok(event.map(|event| Evidence::event(&event)))
}

/// Neither by its type nor by its keys can it hold registry credentials.
fn is_invalid(secret: &Secret) -> bool {
    let types = ["kubernetes.io/dockerconfigjson", "kubernetes.io/dockercfg"];
    let keys = [".dockerconfigjson", ".dockercfg"];
    let wrong_type = secret.type_.as_deref().is_some_and(|type_| !types.contains(&type_));
    let no_key = secret.keys.as_ref().is_some_and(|names| !keys.iter().any(|key| names.contains(*key)));
    wrong_type || no_key
}

/// The one cause that speaks for a failed pull.
pub(crate) fn cause_of(case: &Case<'_>, pull: &Pull<'_>) -> Result<Code, Needs> {
    Ok(match &pull.failure.fault {
        PullFault::BadReference => Code::InvalidImageName,
        PullFault::NotFound => Code::ImageNotFound,
        // Docker Hub's official images need no credentials, whatever the pod names.
        PullFault::Denied | PullFault::Unauthorized if is_official(pull) => Code::ImageNotFound,
        PullFault::Denied | PullFault::Unauthorized => match access(case)? {
            Access::Missing(..) => Code::ImagePullSecretMissing,
            Access::Invalid(_) => Code::ImagePullSecretInvalid,
            Access::Refused if is_misspelt(case, pull)? => Code::ImageNotFound,
            Access::Refused => Code::ImageUnauthorized,
        },
        PullFault::Unknown => match access(case)? {
            Access::Missing(..) => Code::ImagePullSecretMissing,
            Access::Invalid(_) | Access::Refused => Code::ImageNotFound,
        },
        PullFault::RateLimited => Code::RegistryRateLimited,
        PullFault::Throttled | PullFault::TooSlow => Code::ImagePullSlow,
        PullFault::Unreachable(_) => Code::RegistryUnreachable,
        PullFault::Tls(_) => Code::RegistryTlsError,
        PullFault::Platform => Code::ImagePlatformMismatch,
        PullFault::DiskFull => Code::ImageDiskFull,
        PullFault::DiskError => Code::NodeDiskIoError,
        PullFault::Corrupt => Code::ImageCorrupt,
        PullFault::Signature => Code::ImageSignatureRejected,
        PullFault::RuntimeDown => Code::RuntimeUnavailable,
    })
}

fn is_official(pull: &Pull<'_>) -> bool {
    pull.reference().is_some_and(|image| image.is_official())
}

/// "Does not exist or may require authorization" where the first reading is the likelier one: a name nearly that of a
/// neighbour is a slip.
fn is_misspelt(case: &Case<'_>, pull: &Pull<'_>) -> Result<bool, Needs> {
    // Docker Hub answers 401 for what does not exist; CRI-O shows only that.
    let ambiguous = pull.failure.fault == PullFault::Denied || pull.registry() == "docker.io";
    if !ambiguous {
        return Ok(false);
    }
    Ok(near_repository(case, pull)?.is_some())
}

/// The failing pulls that this cause speaks for.
pub(crate) fn of_code<'c>(case: &'c Case<'_>, code: Code) -> Result<Vec<Pull<'c>>, Needs> {
    let mut mine = Vec::new();
    for pull in failing(case)? {
        if cause_of(case, &pull)? == code {
            mine.push(pull);
        }
    }
    Ok(mine)
}

/// An image of a neighbour (another container, an earlier revision) with nearly the same repository.
pub(crate) fn near_repository(case: &Case<'_>, pull: &Pull<'_>) -> Result<Option<String>, Needs> {
    let Some(mine) = pull.reference() else { return Ok(None) };
    let mut others: Vec<String> = case.containers().map(|container| container.image().to_owned()).collect();
    others.extend(earlier_images(case, pull)?);
    let others: Vec<ImageRef> = others.iter().filter_map(|image| ImageRef::parse(image).ok()).collect();
    // What an organisation's images share is its name; the last part tells which image is meant.
    let last = |image: &ImageRef| image.repository.rsplit('/').next().unwrap_or_default().to_owned();
    let is_alike = |other: &ImageRef| {
        let (mine, other) = (last(&mine), last(other));
        mine == other || nearest(&mine, [other.as_str()]).is_some()
    };
    let candidates = others.iter().filter(|other| other.repository != mine.repository && is_alike(other));
    let near = nearest(&mine.repository, candidates.clone().map(|other| other.repository.as_str()));
    let neighbour = near.and_then(|near| candidates.clone().find(|other| other.repository == near));
    Ok(neighbour.map(ImageRef::written).or_else(|| near_official(&mine)))
}

/// The official image of Docker Hub whose name is nearest, for a name without an organisation.
fn near_official(mine: &ImageRef) -> Option<String> {
    let short = mine.repository.strip_prefix("library/").filter(|_| mine.is_official())?;
    let near = nearest(short, OFFICIAL).filter(|_| !OFFICIAL.contains(&short))?;
    Some(ImageRef { repository: format!("library/{near}"), ..mine.clone() }.written())
}

/// The images that the same container had in earlier revisions of its `Deployment`, newest first.
pub(crate) fn earlier_images(case: &Case<'_>, pull: &Pull<'_>) -> Result<Vec<String>, Needs> {
    let Some(owner) = case.controllers(case.object())?.pop().filter(|owner| owner.kind == Kind::Deployment.name())
    else {
        return Ok(Vec::new());
    };
    let Read::Found(deployment) = case.get::<Deployment>(case.namespace(), &owner.name)? else {
        return Ok(Vec::new());
    };
    let Some(selector) = deployment.spec.as_ref().map(|spec| Selector::from_api(&spec.selector)) else {
        return Ok(Vec::new());
    };
    let Read::Found(mut sets) = case.list::<ReplicaSet>(case.namespace(), Filter::Labels(selector))? else {
        return Ok(Vec::new());
    };
    sets.sort_by_key(|set| std::cmp::Reverse(scope::revision(set)));
    let images = sets.iter().filter_map(|set| {
        let spec = set.spec.as_ref()?.template.as_ref()?.spec.as_ref()?;
        let mut all = spec.init_containers.iter().flatten().chain(&spec.containers);
        all.find(|container| container.name == pull.container.name())?.image.clone()
    });
    let mut images: Vec<String> = images.filter(|image| *image != pull.image).collect();
    images.dedup();
    Ok(images)
}
