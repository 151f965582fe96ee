//! The claims that a question is about, and the one trouble that each of them has.
//!
//! A question about a claim is about that claim; one about a pod is about its claims only where the scheduler's verdict or
//! the kubelet speaks of them. Each claim has at most one [`Trouble`], so exactly one cause speaks for it.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::storage::v1::StorageClass;
use kubewhy_text::{Text, name, text};

use crate::ask::Filter;
use crate::case::{Case, Subject};
use crate::causes::Code;
use crate::event::Event;
use crate::facts::volumes;
use crate::finding::{Evidence, Finding, ObjectRef};
use crate::kind::Kind;
use crate::parse::mount;
use crate::parse::quantity::Amount;
use crate::pods;
use crate::reader::{Needs, Read};

/// The provisioner of classes whose volumes people make by hand.
pub(crate) const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
/// How long a driver may take until its silence counts: a driver that runs says `Provisioning` at once.
const SILENCE: SignedDuration = SignedDuration::from_secs(30);
/// How long making a volume may take.
const SLOW: SignedDuration = SignedDuration::from_mins(5);

/// A claim, and what is wrong with it.
#[derive(Clone, Debug)]
pub(crate) struct Troubled {
    /// The claim's name.
    pub(crate) name: String,
    /// The claim, where it could be read.
    pub(crate) claim: Option<Arc<PersistentVolumeClaim>>,
    /// The sentence that led to the claim, where a pod is asked about.
    pub(crate) verdict: Option<Evidence>,
    /// What is wrong.
    pub(crate) trouble: Trouble,
}

/// What can be wrong with a claim.
#[derive(Clone, Debug)]
pub(crate) enum Trouble {
    /// It does not exist.
    Missing,
    /// Its class does not exist; these do, where they could be read.
    ClassMissing { class: String, others: Option<Vec<String>>, event: Option<Arc<Event>> },
    /// It names no class, and there is none to fall back on.
    NoDefaultClass { opted_out: bool, defaults: Vec<String>, classes: Option<Vec<String>>, event: Option<Arc<Event>> },
    /// The driver could not make the volume.
    Provisioning { class: String, provisioner: String, event: Arc<Event> },
    /// The driver says nothing at all.
    Silent { class: String, provisioner: String, event: Option<Arc<Event>>, took_up: bool },
    /// No volume fits; these were looked at.
    NoMatch { class: String, volumes: Option<Vec<Arc<PersistentVolume>>>, event: Option<Arc<Event>> },
    /// The driver of its class can make a volume for none of the nodes: no room there, or not allowed there.
    NoPlace { class: String, no_room: bool },
    /// The volume that would fit failed to be cleaned up.
    ReclaimFailed { volume: Arc<PersistentVolume> },
    /// Its volume is gone.
    Lost { event: Option<Arc<Event>> },
    /// It waits for a pod.
    Waiting { class: String, event: Option<Arc<Event>>, pods: Vec<String> },
    /// It is being deleted.
    Deleting,
}

impl Troubled {
    /// The claim as a reference.
    pub(crate) fn reference(&self, case: &Case<'_>) -> ObjectRef {
        case.neighbour(Kind::PersistentVolumeClaim, &self.name)
    }

    /// A finding of that code, with the claim between the subject and the root, and what led to it.
    pub(crate) fn finding(&self, case: &Case<'_>, code: Code) -> Finding {
        let claim = self.reference(case);
        let finding = case.finding(code).evidence(self.verdict.clone()).root(claim.clone());
        if matches!(case.subject(), Subject::Claim(_)) { finding } else { finding.via(claim) }
    }

    /// The claim's phase as evidence.
    pub(crate) fn phase(&self, case: &Case<'_>) -> Option<Evidence> {
        let claim = self.claim.as_ref()?;
        Some(Evidence::field(&self.reference(case), ".status.phase", phase(claim)))
    }

    /// What the pod suffers from it.
    pub(crate) fn so_the_pod_waits(case: &Case<'_>) -> Option<Text> {
        let pod = case.pod()?;
        let bound = pods::node_name(pod).is_some();
        let how = if bound { "cannot start its containers" } else { "cannot be put on a node" };
        Some(text!["Pod ", name(case.name()), " uses it and ", how, " until then."])
    }
}

/// All claims in question that are in trouble.
pub(crate) fn troubled(case: &Case<'_>) -> Result<Vec<Troubled>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Vec<Troubled>, Needs> {
    if let Subject::Claim(claim) = case.subject() {
        if claim.metadata.deletion_timestamp.is_some() {
            return Ok(Vec::new());
        }
        let trouble = trouble_of(case, case.name(), &Read::Found(Arc::clone(claim)), "")?;
        let claim = Some(Arc::clone(claim));
        let troubled = |trouble| Troubled { name: case.name().to_owned(), claim, verdict: None, trouble };
        return Ok(trouble.map(troubled).into_iter().collect());
    }
    let Some(pod) = case.pod() else { return Ok(Vec::new()) };
    let Some((words, verdict)) = verdict(case, pod)? else { return Ok(Vec::new()) };
    let named: Vec<String> = mount::claims_named(&words).into_iter().map(str::to_owned).collect();
    let used: Vec<String> = if named.is_empty() { pods::claims(pod).collect() } else { named };
    let namespace = case.namespace();
    // All in one round.
    let reads: Vec<_> = used.iter().map(|claim| case.get::<PersistentVolumeClaim>(namespace, claim)).collect();
    let mut found = Vec::new();
    let mut needs = None;
    for (claim_name, read) in used.iter().zip(reads) {
        match read.and_then(|read| Ok((trouble_of(case, claim_name, &read, &words)?, read.found()))) {
            Ok((Some(trouble), claim)) => {
                let verdict = Some(verdict.clone());
                found.push(Troubled { name: claim_name.clone(), claim, verdict, trouble });
            }
            Ok((None, _)) => {}
            Err(need) => needs = Some(need),
        }
    }
    needs.map_or(Ok(found), Err)
}

/// What the scheduler or the kubelet says of the pod's claims, where that is what holds it.
fn verdict(case: &Case<'_>, pod: &Pod) -> Result<Option<(String, Evidence)>, Needs> {
    if pod.metadata.deletion_timestamp.is_some() {
        return Ok(None);
    }
    if pods::node_name(pod).is_some() {
        if !is_before_start(pod) {
            return Ok(None);
        }
        let event = case.newest_event(&["FailedMount", "FailedMapVolume"], |event| {
            event.is_warning() && mount::speaks_of_claims(&event.message)
        })?;
        let newest = case.newest_event(&["FailedMount", "FailedMapVolume", "FailedAttachVolume"], |_| true)?;
        let stale =
            |event: &Event| newest.is_some_and(|newest| newest.last > event.last && !is_summary(&newest.message));
        return Ok(event.filter(|event| !stale(event)).map(|event| (event.message.clone(), Evidence::event(&event))));
    }
    let condition = pods::condition(pod, "PodScheduled").filter(|condition| condition.status == "False");
    if let Some(words) = condition.and_then(|condition| condition.message.as_deref()).filter(|words| !words.is_empty())
    {
        let evidence = case.field(".status.conditions[PodScheduled]", words);
        return Ok(mount::speaks_of_claims(words).then(|| (words.to_owned(), evidence)));
    }
    let event = case.newest_event(&["FailedScheduling"], |_| true)?;
    Ok(event
        .filter(|event| mount::speaks_of_claims(&event.message))
        .map(|event| (event.message.clone(), Evidence::event(&event))))
}

fn is_summary(message: &str) -> bool {
    mount::summary(message).is_some()
}

/// Tells whether no container of the pod has been created yet and its volumes may be why.
pub(crate) fn is_before_start(pod: &Pod) -> bool {
    let waits = |reason: &str| matches!(reason, "" | "ContainerCreating" | "PodInitializing");
    pod.metadata.deletion_timestamp.is_none()
        && !pods::is_finished(pod)
        && !pods::is_true(pod, "PodReadyToStartContainers")
        && pods::containers(pod).all(|container| {
            container.running().is_none() && container.last_end().is_none() && waits(container.waiting_reason())
        })
}

fn trouble_of(
    case: &Case<'_>,
    claim_name: &str,
    read: &Read<Arc<PersistentVolumeClaim>>,
    words: &str,
) -> Result<Option<Trouble>, Needs> {
    let claim = match read {
        Read::Found(claim) => claim,
        Read::Absent => return Ok(Some(Trouble::Missing)),
        // The verdict alone has to do.
        Read::Unreadable => return Ok(from_words(claim_name, words).or_else(|| only_claim(case, words))),
    };
    if claim.metadata.deletion_timestamp.is_some() {
        return Ok(Some(Trouble::Deleting));
    }
    if phase(claim) == "Bound" && !words.contains("bound to non-existent") {
        return Ok(None);
    }
    let uid = claim.metadata.uid.as_deref();
    let events = case.events(Kind::PersistentVolumeClaim, case.namespace(), claim_name, uid);
    if phase(claim) == "Lost" || phase(claim) == "Bound" {
        let event = newest(&events?, &["ClaimLost", "ClaimMisbound"]);
        return Ok(Some(Trouble::Lost { event }));
    }
    let class = class_of(claim);
    if let Some(class) = class.as_deref().filter(|class| !class.is_empty()) {
        let read = case.get::<StorageClass>(None, class);
        let events = events?;
        return of_class(case, claim, class, &read?, &events, words);
    }
    without_class(case, claim, class.is_some(), &events?)
}

fn from_words(claim_name: &str, words: &str) -> Option<Trouble> {
    let says = |what: &str| {
        ["persistentvolumeclaim", "persistentvolumeclaims"]
            .iter()
            .any(|kind| words.contains(&format!("{kind} \"{claim_name}\" {what}")))
    };
    if says("not found") {
        return Some(Trouble::Missing);
    }
    if says("is being deleted") || words.contains(&format!("{claim_name}: PVC is being deleted")) {
        return Some(Trouble::Deleting);
    }
    says("bound to non-existent persistentvolume").then_some(Trouble::Lost { event: None })
}

/// The scheduler does not say which claim finds no volume; where the pod has one only, it is that.
fn only_claim(case: &Case<'_>, words: &str) -> Option<Trouble> {
    let one = case.pod().is_some_and(|pod| pods::claims(pod).count() == 1);
    (one && words.contains("didn't find available persistent volumes to bind")).then(|| Trouble::NoMatch {
        class: String::new(),
        volumes: None,
        event: None,
    })
}

/// A claim with a class.
fn of_class(
    case: &Case<'_>,
    claim: &PersistentVolumeClaim,
    class: &str,
    read: &Read<Arc<StorageClass>>,
    events: &[Arc<Event>],
    words: &str,
) -> Result<Option<Trouble>, Needs> {
    let class_name = class.to_owned();
    if names_volume(claim) {
        return by_hand(case, claim, class, events);
    }
    let missing = newest(events, &["ProvisioningFailed"])
        .filter(|event| says_class_missing(&event.message))
        .filter(|_| !matches!(read, Read::Found(_)));
    if read.is_absent() || missing.is_some() {
        // A class without an object is legitimate where volumes carry its name.
        let volumes = case.list::<PersistentVolume>(None, Filter::All);
        let classes = case.list::<StorageClass>(None, Filter::All);
        if let Read::Found(volumes) = volumes?
            && volumes.iter().any(|volume| volumes::class(volume) == class)
        {
            return by_hand(case, claim, class, events);
        }
        let others = classes?.found().map(|classes| names(&classes));
        return Ok(Some(Trouble::ClassMissing { class: class_name, others, event: missing }));
    }
    let Read::Found(found) = read else {
        return unreadable_class(case, claim, class, events, words);
    };
    if found.provisioner == NO_PROVISIONER {
        let waits = binds_late(found) && !words.contains("didn't find available persistent volumes");
        if waits {
            return waiting(case, claim, class, events);
        }
        return by_hand(case, claim, class, events);
    }
    if binds_late(found) && !is_node_chosen(claim) {
        let failed = newest(events, &["ProvisioningFailed"]);
        let waits = newest(events, &["WaitForFirstConsumer", "WaitForPodScheduled"]);
        let failed = failed.filter(|failed| waits.as_ref().is_none_or(|waits| failed.last > waits.last));
        if let Some(event) = failed {
            let provisioner = provisioner(claim, &found.provisioner);
            return Ok(Some(Trouble::Provisioning { class: class_name, provisioner, event }));
        }
        let no_room = words.contains("did not have enough free storage");
        if no_room || words.contains("didn't find available persistent volumes to bind") {
            return Ok(Some(Trouble::NoPlace { class: class_name, no_room }));
        }
        return waiting(case, claim, class, events);
    }
    Ok(dynamic(case.now(), claim, class, provisioner(claim, &found.provisioner), events))
}

/// The class may not be read: the events and the claim's annotations tell the rest.
fn unreadable_class(
    case: &Case<'_>,
    claim: &PersistentVolumeClaim,
    class_name: &str,
    events: &[Arc<Event>],
    words: &str,
) -> Result<Option<Trouble>, Needs> {
    let class = class_name.to_owned();
    let last =
        newest(events, &["ProvisioningFailed", "ExternalProvisioning", "WaitForFirstConsumer", "WaitForPodScheduled"]);
    let said = last.as_ref().and_then(|event| mount::external_provisioner(&event.message));
    let provisioner = provisioner(claim, said.unwrap_or_default());
    Ok(match last.as_ref().map(|event| event.reason.as_str()) {
        Some("WaitForFirstConsumer" | "WaitForPodScheduled") => return waiting(case, claim, class_name, events),
        Some("ProvisioningFailed") if last.as_ref().is_some_and(|event| event.message.contains(NO_PROVISIONER)) => {
            return by_hand(case, claim, class_name, events);
        }
        Some("ProvisioningFailed") => last.map(|event| Trouble::Provisioning { class, provisioner, event }),
        Some("ExternalProvisioning") => {
            let took_up = newest(events, &["Provisioning"]).is_some();
            Some(match newest(events, &["ProvisioningFailed"]) {
                Some(event) => Trouble::Provisioning { class, provisioner, event },
                None => Trouble::Silent { class, provisioner, event: last, took_up },
            })
        }
        _ if words.contains("didn't find available persistent volumes to bind") => {
            Some(Trouble::NoMatch { class, volumes: None, event: None })
        }
        _ if !provisioner.is_empty() && words.contains("unbound immediate") => {
            Some(Trouble::Silent { class, provisioner, event: None, took_up: false })
        }
        _ => None,
    })
}

/// A claim whose volume a driver has to make.
fn dynamic(
    now: Timestamp,
    claim: &PersistentVolumeClaim,
    class: &str,
    provisioner: String,
    events: &[Arc<Event>],
) -> Option<Trouble> {
    let class = class.to_owned();
    if let Some(event) = newest(events, &["ProvisioningFailed"]) {
        return Some(Trouble::Provisioning { class, provisioner, event });
    }
    let took_up = newest(events, &["Provisioning"]).is_some();
    let event = newest(events, &["ExternalProvisioning"]);
    let since = claim.metadata.creation_timestamp.as_ref().map(|time| time.0).or_else(|| event.as_ref()?.first);
    let age = since.map_or(SLOW, |since| now.duration_since(since));
    let patience = if took_up || event.is_none() { SLOW } else { SILENCE };
    (age >= patience).then_some(Trouble::Silent { class, provisioner, event, took_up })
}

/// A claim whose volume a person has to make.
fn by_hand(
    case: &Case<'_>,
    claim: &PersistentVolumeClaim,
    class: &str,
    events: &[Arc<Event>],
) -> Result<Option<Trouble>, Needs> {
    let event = newest(events, &["VolumeMismatch", "FailedBinding", "ProvisioningFailed"]);
    let wanted = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).filter(|volume| !volume.is_empty());
    let volumes = match wanted {
        Some(volume) => match case.get::<PersistentVolume>(None, volume)? {
            Read::Found(volume) => Some(vec![volume]),
            Read::Absent => Some(Vec::new()),
            Read::Unreadable => None,
        },
        None => case.list::<PersistentVolume>(None, Filter::All)?.found(),
    };
    let volumes = volumes.map(|volumes| volumes::by_fitness(claim, class, volumes));
    let nearest = volumes.as_ref().and_then(|volumes| volumes.first());
    let only_failed = |volume: &&Arc<PersistentVolume>| {
        volumes::phase(volume) == "Failed" && volumes::misfits(claim, class, volume).len() == 1
    };
    if let Some(volume) = nearest.filter(only_failed) {
        return Ok(Some(Trouble::ReclaimFailed { volume: Arc::clone(volume) }));
    }
    // Something fits: the controller binds them in a moment.
    let fits = |volume: &Arc<PersistentVolume>| volumes::misfits(claim, class, volume).is_empty();
    if nearest.is_some_and(fits) && event.as_ref().is_none_or(|event| event.reason != "VolumeMismatch") {
        return Ok(None);
    }
    Ok(Some(Trouble::NoMatch { class: class.to_owned(), volumes, event }))
}

/// A claim with no class, or with the empty one.
fn without_class(
    case: &Case<'_>,
    claim: &PersistentVolumeClaim,
    opted_out: bool,
    events: &[Arc<Event>],
) -> Result<Option<Trouble>, Needs> {
    let selects = claim.spec.as_ref().is_some_and(|spec| spec.selector.is_some());
    if names_volume(claim) || selects {
        return by_hand(case, claim, "", events);
    }
    let volumes = case.list::<PersistentVolume>(None, Filter::All);
    let classes = case.list::<StorageClass>(None, Filter::All);
    let volumes = volumes?.found().unwrap_or_default();
    let classes = classes?.found();
    // Volumes without a class are what such a claim can take.
    let candidates = volumes.iter().any(|volume| volumes::class(volume).is_empty());
    if candidates && opted_out {
        return by_hand(case, claim, "", events);
    }
    let is_default = |class: &&Arc<StorageClass>| is_default(class);
    let defaults: Vec<_> = classes.iter().flatten().filter(is_default).cloned().collect();
    let young = claim.metadata.creation_timestamp.as_ref().is_some_and(|time| case.age(time.0) < SILENCE);
    let event = newest(events, &["FailedBinding"]);
    if young && event.is_none() {
        return Ok(None);
    }
    let classes = classes.map(|classes| names(&classes));
    Ok(Some(Trouble::NoDefaultClass { opted_out, defaults: names(&defaults), classes, event }))
}

fn waiting(
    case: &Case<'_>,
    claim: &PersistentVolumeClaim,
    class: &str,
    events: &[Arc<Event>],
) -> Result<Option<Trouble>, Needs> {
    let event = newest(events, &["WaitForFirstConsumer", "WaitForPodScheduled"]);
    let claim_name = claim.metadata.name.as_deref().unwrap_or_default();
    let listed = case.list::<Pod>(case.namespace(), Filter::All)?.found().unwrap_or_default();
    let uses = |pod: &&Arc<Pod>| {
        pods::node_name(pod).is_none()
            && pod.metadata.deletion_timestamp.is_none()
            && pods::claims(pod).any(|used| used == claim_name)
    };
    let pods = listed.iter().filter(uses).filter_map(|pod| pod.metadata.name.clone()).collect();
    Ok(Some(Trouble::Waiting { class: class.to_owned(), event, pods }))
}

/// The newest event with one of these reasons.
pub(crate) fn newest(events: &[Arc<Event>], reasons: &[&str]) -> Option<Arc<Event>> {
    events.iter().rev().find(|event| reasons.contains(&event.reason.as_str())).cloned()
}

fn says_class_missing(message: &str) -> bool {
    message.contains("not found") && (message.contains("storageclass") || message.contains("storageClass"))
}

fn names(classes: &[Arc<StorageClass>]) -> Vec<String> {
    classes.iter().filter_map(|class| class.metadata.name.clone()).collect()
}

fn is_default(class: &StorageClass) -> bool {
    let annotations = class.metadata.annotations.as_ref();
    DEFAULT_CLASS.iter().any(|key| annotations.and_then(|all| all.get(*key)).is_some_and(|value| value == "true"))
}

fn binds_late(class: &StorageClass) -> bool {
    class.volume_binding_mode.as_deref() == Some("WaitForFirstConsumer")
}

fn annotation<'c>(claim: &'c PersistentVolumeClaim, keys: &[&str]) -> Option<&'c str> {
    let annotations = claim.metadata.annotations.as_ref()?;
    keys.iter().find_map(|key| annotations.get(*key)).map(String::as_str)
}

fn is_node_chosen(claim: &PersistentVolumeClaim) -> bool {
    annotation(claim, &["volume.kubernetes.io/selected-node"]).is_some()
}

/// The annotation names the CSI driver where an in-tree plugin was migrated to it.
fn provisioner(claim: &PersistentVolumeClaim, of_class: &str) -> String {
    let keys = ["volume.kubernetes.io/storage-provisioner", "volume.beta.kubernetes.io/storage-provisioner"];
    annotation(claim, &keys).unwrap_or(of_class).to_owned()
}

/// The class that a claim names: `None` where it leaves the choice, empty where it wants none.
pub(crate) fn class_of(claim: &PersistentVolumeClaim) -> Option<String> {
    let of_spec = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
    of_spec.or_else(|| annotation(claim, &["volume.beta.kubernetes.io/storage-class"]).map(str::to_owned))
}

fn names_volume(claim: &PersistentVolumeClaim) -> bool {
    claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).is_some_and(|volume| !volume.is_empty())
}

/// The claim's phase; an empty status is a claim that nobody has looked at.
pub(crate) fn phase(claim: &PersistentVolumeClaim) -> &str {
    claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending")
}

/// How much storage the claim asks for.
pub(crate) fn wanted_size(claim: &PersistentVolumeClaim) -> Option<Amount> {
    let resources = claim.spec.as_ref()?.resources.as_ref()?;
    Amount::in_list(resources.requests.as_ref(), "storage")
}
