//! What holds up a pod's volumes, one [`Holdup`] for each volume: the newest specific event about it, the kubelet's summary
//! only where there is none.

use std::sync::Arc;

use jiff::Timestamp;
use kubewhy_text::{Text, name, text};

use crate::case::Case;
use crate::event::Event;
use crate::facts::claims;
use crate::finding::ObjectRef;
use crate::kind::Kind;
use crate::parse::mount::{self, Trouble};
use crate::pods;
use crate::reader::Needs;

const TROUBLE: [&str; 3] = ["FailedAttachVolume", "FailedMount", "FailedMapVolume"];
/// Events of what comes after the volumes.
const AFTERWARDS: [&str; 6] = ["FailedCreatePodSandBox", "Pulling", "Pulled", "Created", "Started", "AddedInterface"];

/// What holds up a volume.
#[derive(Clone, Debug)]
pub(crate) struct Holdup {
    /// The event that says so.
    pub(crate) event: Arc<Event>,
    /// The `PersistentVolume`, or the pod's volume; empty for a summary.
    pub(crate) volume: String,
    /// The error in it: the event's message where it has no envelope.
    pub(crate) error: String,
    /// What it is.
    pub(crate) what: What,
}

/// What holds up a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// Another node or pod has it.
    HeldElsewhere,
    /// The driver is not registered on the node.
    DriverMissing,
    /// It could not be attached.
    Attach,
    /// It could not be mounted.
    Mount,
    /// It can only be read.
    ReadOnly,
    /// It took too long.
    Timeout,
    /// Another stage or cause speaks for it.
    Others,
}

/// All that holds up the pod's volumes now; none once a container has started or the sandbox is being made.
pub(crate) fn holdups(case: &Case<'_>) -> Result<Vec<Holdup>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Vec<Holdup>, Needs> {
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    if pods::node_name(pod).is_none() || !claims::is_before_start(pod) {
        return Ok(Vec::new());
    }
    let events = case.own_events()?;
    let over = newest_time(events, |event| AFTERWARDS.contains(&event.reason.as_str()));
    let current = |event: &&Arc<Event>| {
        TROUBLE.contains(&event.reason.as_str())
            && event.is_warning()
            && over.is_none_or(|over| event.last > Some(over))
    };
    let mut found: Vec<Holdup> = Vec::new();
    let mut summary = None;
    for event in events.iter().filter(current) {
        let Some(holdup) = read(event) else {
            summary = mount::summary(&event.message).map(|_| Arc::clone(event)).or(summary);
            continue;
        };
        let attached = newest_time(events, |other| {
            other.reason == "SuccessfulAttachVolume" && other.message.contains(&holdup.volume)
        });
        let of_attaching = event.reason == "FailedAttachVolume";
        if of_attaching && attached.is_some_and(|attached| event.last < Some(attached)) {
            continue;
        }
        match found.iter_mut().find(|other| other.volume == holdup.volume) {
            // A timeout says less than what was said before it.
            Some(known) if holdup.what != What::Timeout || known.what == What::Timeout => *known = holdup,
            Some(_) => {}
            None => found.push(holdup),
        }
    }
    if let Some(event) = summary.filter(|_| found.is_empty()) {
        let what = if mount::speaks_of_claims(&event.message) { What::Others } else { What::Timeout };
        let error = event.message.clone();
        found.push(Holdup { event, volume: String::new(), error, what });
    }
    Ok(found)
}

/// The hold-ups of that kind.
pub(crate) fn of_kind(case: &Case<'_>, what: What) -> Result<Vec<Holdup>, Needs> {
    Ok(holdups(case)?.into_iter().filter(|holdup| holdup.what == what).collect())
}

fn newest_time(events: &[Arc<Event>], is: impl Fn(&Event) -> bool) -> Option<Timestamp> {
    events.iter().filter(|event| is(event)).filter_map(|event| event.last).max()
}

fn read(event: &Arc<Event>) -> Option<Holdup> {
    let holdup = |volume: &str, error: &str, what| Holdup {
        event: Arc::clone(event),
        volume: volume.to_owned(),
        error: error.to_owned(),
        what,
    };
    if let Some(held) = mount::multi_attach(&event.message) {
        return Some(holdup(held.volume, &event.message, What::HeldElsewhere));
    }
    if let Some(operation) = mount::operation(&event.message) {
        let what = match mount::trouble(operation.name, operation.error) {
            Trouble::Configuration | Trouble::Claim => What::Others,
            Trouble::DriverMissing(_) => What::DriverMissing,
            Trouble::OtherPodHolds => What::HeldElsewhere,
            Trouble::NotAttached => What::Attach,
            Trouble::ReadOnly => What::ReadOnly,
            Trouble::Timeout => What::Timeout,
            Trouble::Resize | Trouble::Mount(_) => What::Mount,
        };
        return Some(holdup(operation.volume, operation.error, what));
    }
    // Some errors come bare: of the claim's look-up, or of an attachment that nobody wrapped.
    if mount::summary(&event.message).is_some() {
        return None;
    }
    let what = match mount::trouble("", &event.message) {
        Trouble::Configuration | Trouble::Claim => What::Others,
        Trouble::DriverMissing(_) => What::DriverMissing,
        Trouble::Timeout => What::Timeout,
        _ if event.reason == "FailedAttachVolume" => What::Attach,
        _ => What::Mount,
    };
    Some(holdup("", &event.message, what))
}

/// The `PersistentVolume` of that name; `None` where the name is that of a volume that stands in the pod itself.
pub(crate) fn persistent(case: &Case<'_>, volume: &str) -> Option<ObjectRef> {
    let spec = case.pod().and_then(pods::spec)?;
    let inline = spec.volumes.iter().flatten().any(|own| own.name == volume && own.persistent_volume_claim.is_none());
    (!volume.is_empty() && !inline).then(|| ObjectRef::new(Kind::PersistentVolume, None, volume))
}

/// The pod's claim, where it has just one: then a `PersistentVolume` is that claim's.
pub(crate) fn only_claim(case: &Case<'_>) -> Option<String> {
    let mut used = case.pod().into_iter().flat_map(pods::claims);
    let claim = used.next()?;
    used.next().is_none().then_some(claim)
}

/// The driver's or system's own words: the last cause in a chain of wrappings, whole where it is not gRPC.
pub(crate) fn own_words(error: &str) -> &str {
    error.rsplit_once(" desc = ").map_or(error, |(_, words)| words).trim()
}

/// `volume data` as people say it: with its claim where that is known.
pub(crate) fn called(case: &Case<'_>, volume: &str) -> Text {
    if volume.is_empty() {
        return text!["a volume"];
    }
    let claim = only_claim(case).filter(|_| persistent(case, volume).is_some());
    text!["volume ", name(volume), claim.map(|claim| text![" (claim ", name(claim), ")"])]
}

/// The node of the pod.
pub(crate) fn node_name(case: &Case<'_>) -> String {
    case.pod().and_then(pods::node_name).unwrap_or_default().to_owned()
}
