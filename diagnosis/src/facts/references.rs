//! Facts of the stage config: the `ConfigMap`s and `Secret`s that a pod refers to and that are not there.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, Volume};
use kubewhy_text::{Text, code, name, text};

use crate::ask::Filter;
use crate::case::Case;
use crate::event::Event;
use crate::facts::pull::is_live;
use crate::finding::{Confidence, Evidence, Severity};
use crate::kind::Kind;
use crate::nearest::nearest;
use crate::parse::reference::{Lack, is_transient, lacks, volume};
use crate::pods::{self, ContainerView};
use crate::reader::{Needs, Read, Reading};
use crate::secret::Secret;

/// How long a kubelet may take to see that an object has come.
const CATCHING_UP: SignedDuration = SignedDuration::from_mins(2);
/// How many references are looked up where no message tells which one fails.
const LOOKUPS: usize = 6;

/// A `ConfigMap`, a `Secret` or a key of one that the pod needs and that is not there.
#[derive(Clone, Debug)]
pub(crate) struct Missing {
    /// `ConfigMap` or `Secret`.
    pub(crate) kind: Kind,
    /// Its name.
    pub(crate) object: String,
    /// The key that it lacks; `None` where the whole object is absent.
    pub(crate) key: Option<String>,
    /// The container that cannot be created; `None` where a volume holds up the whole pod.
    pub(crate) container: Option<String>,
    /// The keys that it has, where they could be read.
    pub(crate) has: Option<BTreeSet<String>>,
    /// Where it is said.
    pub(crate) evidence: Evidence,
    /// Error, or info where it has come in the meantime.
    pub(crate) severity: Severity,
    /// Certain, unless it could be read although the kubelet says it is not there.
    pub(crate) confidence: Confidence,
    /// Since when, where an event tells.
    pub(crate) since: Option<Timestamp>,
}

/// Something said to be missing, not yet looked at.
struct Claim {
    kind: Kind,
    object: String,
    key: Option<String>,
    container: Option<String>,
    evidence: Evidence,
    since: Option<Timestamp>,
    /// The time of the event that says so; `None` where the container's state says so now.
    said: Option<Timestamp>,
}

/// What the pod lacks now, each thing once.
pub(crate) fn missing(case: &Case<'_>) -> Result<Vec<Missing>, Needs> {
    Ok((*case.once(|| sort_out(case))?).clone())
}

fn sort_out(case: &Case<'_>) -> Result<Vec<Missing>, Needs> {
    let Some(pod) = case.pod().filter(|_| is_live(case)) else { return Ok(Vec::new()) };
    let mut claims = of_containers(case)?;
    let held_up = is_held_up(pod);
    if held_up {
        claims.extend(of_volumes(case, pod)?);
    }
    let mut found: Vec<Missing> = Vec::new();
    for claim in claims {
        let same = |other: &Missing| (other.kind, &other.object, &other.key) == (claim.kind, &claim.object, &claim.key);
        if !found.iter().any(same) {
            found.extend(check(case, claim)?);
        }
    }
    if found.is_empty() && held_up {
        found = from_the_spec(case, pod)?;
    }
    Ok(found)
}

/// No container has ever started and none can: volumes come before all containers.
fn is_held_up(pod: &Pod) -> bool {
    let idle = |container: ContainerView<'_>| {
        let quiet = matches!(container.waiting_reason(), "ContainerCreating" | "PodInitializing" | "");
        quiet && container.running().is_none() && container.last_end().is_none()
    };
    pods::node_name(pod).is_some()
        && !pods::is_true(pod, "PodReadyToStartContainers")
        && pods::containers(pod).all(idle)
}

fn of_containers(case: &Case<'_>) -> Result<Vec<Claim>, Needs> {
    let mut claims = Vec::new();
    let created = case.pod().and_then(pods::created);
    for container in case.containers().filter(|it| it.waiting_reason() == "CreateContainerConfigError") {
        // A container that has never run fails since its pod was made.
        let since = created.filter(|_| container.last_end().is_none());
        let (mut said, mut evidence) = (lacks(container.waiting_message()), case.waiting_evidence(&container));
        if container.waiting_message().is_empty() {
            let mine = |event: &Event| event.container() == Some(container.name()) && !lacks(&event.message).is_empty();
            if let Some(event) = case.newest_event(&["Failed"], mine)? {
                (said, evidence) = (lacks(&event.message), Evidence::event(&event));
            }
        }
        for lack in said {
            let Some(object) = lack.name else { continue };
            let (kind, key, container) = (lack.kind, lack.key, Some(container.name().to_owned()));
            let evidence = evidence.clone();
            claims.push(Claim { kind, object, key, container, evidence, since, said: None });
        }
    }
    Ok(claims)
}

/// The newest word about each volume, noise left out.
fn of_volumes(case: &Case<'_>, pod: &Pod) -> Result<Vec<Claim>, Needs> {
    let events = case.own_events()?;
    let mut seen = BTreeSet::new();
    let mut claims = Vec::new();
    for event in events.iter().rev().filter(|event| event.reason == "FailedMount" && !is_transient(&event.message)) {
        let Some(volume_name) = volume(&event.message) else { continue };
        if !seen.insert(volume_name) {
            continue;
        }
        let volume = volumes(pod).find(|volume| volume.name == volume_name);
        if volume.is_some_and(|volume| references(volume).is_empty()) {
            continue;
        }
        for lack in lacks(&event.message) {
            let Some(object) = lack.name.clone().or_else(|| volume.and_then(|it| owner_of_key(it, &lack))) else {
                continue;
            };
            claims.push(Claim {
                kind: lack.kind,
                object,
                key: lack.key,
                container: None,
                evidence: Evidence::event(event),
                since: event.first,
                said: event.last,
            });
        }
    }
    Ok(claims)
}

fn volumes(pod: &Pod) -> impl Iterator<Item = &Volume> {
    pods::spec(pod).into_iter().flat_map(|spec| spec.volumes.iter().flatten())
}

/// An object that a volume takes files from, with the keys it names.
struct Reference {
    kind: Kind,
    object: String,
    keys: Vec<String>,
    optional: bool,
}

fn references(volume: &Volume) -> Vec<Reference> {
    let mut found = Vec::new();
    let mut add = |kind, object: &str, keys: Vec<String>, optional: Option<bool>| {
        if !object.is_empty() {
            found.push(Reference { kind, object: object.to_owned(), keys, optional: optional == Some(true) });
        }
    };
    if let Some(source) = &volume.config_map {
        let keys = source.items.iter().flatten().map(|item| item.key.clone()).collect();
        add(Kind::ConfigMap, &source.name, keys, source.optional);
    }
    if let Some(source) = &volume.secret {
        let keys = source.items.iter().flatten().map(|item| item.key.clone()).collect();
        add(Kind::Secret, source.secret_name.as_deref().unwrap_or_default(), keys, source.optional);
    }
    for source in volume.projected.iter().flat_map(|projected| projected.sources.iter().flatten()) {
        if let Some(source) = &source.config_map {
            let keys = source.items.iter().flatten().map(|item| item.key.clone()).collect();
            add(Kind::ConfigMap, &source.name, keys, source.optional);
        }
        if let Some(source) = &source.secret {
            let keys = source.items.iter().flatten().map(|item| item.key.clone()).collect();
            add(Kind::Secret, &source.name, keys, source.optional);
        }
    }
    found
}

fn owner_of_key(volume: &Volume, lack: &Lack) -> Option<String> {
    let key = lack.key.as_ref()?;
    let of_kind = references(volume).into_iter().filter(|reference| reference.kind == lack.kind);
    let (naming, others): (Vec<_>, Vec<_>) = of_kind.partition(|reference| reference.keys.contains(key));
    naming.into_iter().chain(others).next().map(|reference| reference.object)
}

/// The names of keys, where they are known, and when their object was made.
type Keys = (Option<BTreeSet<String>>, Option<Timestamp>);

/// The names of the keys of a `ConfigMap` or `Secret`, and when it was made.
fn keys(case: &Case<'_>, kind: Kind, object: &str) -> Reading<Keys> {
    if kind == Kind::Secret {
        return Ok(case
            .get::<Secret>(case.namespace(), object)?
            .map(|secret| (secret.keys.clone(), secret.metadata.creation_timestamp.as_ref().map(|time| time.0))));
    }
    Ok(case.get::<ConfigMap>(case.namespace(), object)?.map(|map| {
        let data = map.data.iter().flatten().map(|(key, _)| key.clone());
        let binary = map.binary_data.iter().flatten().map(|(key, _)| key.clone());
        (Some(data.chain(binary).collect()), map.metadata.creation_timestamp.as_ref().map(|time| time.0))
    }))
}

/// Holds what is said against what is there: what has come since an event is history.
fn check(case: &Case<'_>, claim: Claim) -> Result<Option<Missing>, Needs> {
    let (mut has, mut severity, mut confidence) = (None, Severity::Error, Confidence::Certain);
    if let Read::Found((known, created)) = keys(case, claim.kind, &claim.object)? {
        let there = match &claim.key {
            None => true,
            Some(key) => known.as_ref().is_some_and(|known| known.contains(key)),
        };
        if there {
            let later = created.zip(claim.said).is_some_and(|(created, said)| created >= said);
            if later || (claim.said.is_some() && claim.key.is_some()) {
                return Ok(None);
            }
            let fresh = created.is_some_and(|created| case.age(created) < CATCHING_UP);
            severity = if fresh { Severity::Info } else { Severity::Error };
            confidence = Confidence::Likely;
        }
        has = known;
    }
    Ok(Some(Missing {
        kind: claim.kind,
        object: claim.object,
        key: claim.key,
        container: claim.container,
        has,
        evidence: claim.evidence,
        severity,
        confidence,
        since: claim.since,
    }))
}

/// Where no message tells why the pod is held up, its references are looked up: one that is absent tells.
fn from_the_spec(case: &Case<'_>, pod: &Pod) -> Result<Vec<Missing>, Needs> {
    let events = case.own_events()?;
    let elsewhere = ["FailedCreatePodSandBox", "NetworkNotReady", "FailedAttachVolume", "FailedMapVolume"];
    let further = ["Pulling", "Pulled", "Failed", "BackOff", "Created", "Started"];
    let told = |event: &Event| {
        let reason = event.reason.as_str();
        let mount = reason == "FailedMount" && volume(&event.message).is_some() && !is_transient(&event.message);
        mount || elsewhere.contains(&reason) || further.contains(&reason)
    };
    if events.iter().any(|event| told(event)) {
        return Ok(Vec::new());
    }
    let needed: Vec<(String, Reference)> = volumes(pod)
        .flat_map(|volume| references(volume).into_iter().map(|reference| (volume.name.clone(), reference)))
        .filter(|(_, reference)| !reference.optional && reference.object != "kube-root-ca.crt")
        .take(LOOKUPS)
        .collect();
    let reads: Vec<_> = needed.iter().map(|(_, reference)| keys(case, reference.kind, &reference.object)).collect();
    let mut found = Vec::new();
    for ((volume, reference), read) in needed.into_iter().zip(reads) {
        let (key, has) = match read? {
            Read::Absent => (None, None),
            Read::Found((Some(has), _)) => {
                let Some(key) = reference.keys.iter().find(|key| !has.contains(*key)) else { continue };
                (Some(key.clone()), Some(has))
            }
            Read::Found((None, _)) | Read::Unreadable => continue,
        };
        let object = reference.object;
        let text =
            format!("{} {object}{}", reference.kind, key.as_ref().map(|k| format!(", key {k}")).unwrap_or_default());
        let evidence = case.field(&format!(".spec.volumes[{volume}]"), text + " (not there)");
        found.push(Missing {
            kind: reference.kind,
            object,
            key,
            container: None,
            has,
            evidence,
            severity: Severity::Error,
            confidence: Confidence::Certain,
            since: None,
        });
    }
    Ok(found)
}

/// The object of the namespace whose name is nearest to the missing one, where that one is known to be absent.
pub(crate) fn nearest_object(case: &Case<'_>, missing: &Missing) -> Result<Option<String>, Needs> {
    if missing.has.is_some() || missing.confidence != Confidence::Certain {
        return Ok(None);
    }
    let namespace = case.namespace();
    if missing.kind == Kind::Secret {
        let Read::Found(all) = case.list::<Secret>(namespace, Filter::All)? else { return Ok(None) };
        return Ok(nearest(&missing.object, all.iter().filter_map(|it| it.metadata.name.as_deref())));
    }
    let Read::Found(all) = case.list::<ConfigMap>(namespace, Filter::All)? else { return Ok(None) };
    let names = all.iter().filter_map(|it| it.metadata.name.as_deref()).filter(|name| *name != "kube-root-ca.crt");
    Ok(nearest(&missing.object, names))
}

/// Where the pod uses the object (or that key of it): variables, whole environments, volumes with their mount paths.
pub(crate) fn uses(pod: &Pod, missing: &Missing) -> Vec<Text> {
    let mut found = Vec::new();
    for container in pods::containers(pod) {
        for (variable, key) in variables(&container, missing) {
            if missing.key.is_none() || missing.key.as_deref() == Some(key.as_str()) {
                let (container, variable) = (name(container.name()), code(variable));
                found.push(text!["container ", container, " takes ", variable, " from its key ", name(key)]);
            }
        }
        let whole = container.spec.env_from.iter().flatten().any(|from| match missing.kind {
            Kind::Secret => from.secret_ref.as_ref().is_some_and(|it| it.name == missing.object),
            _ => from.config_map_ref.as_ref().is_some_and(|it| it.name == missing.object),
        });
        if whole && missing.key.is_none() {
            found.push(text!["container ", name(container.name()), " takes all its keys as environment (envFrom)"]);
        }
    }
    for volume in volumes(pod) {
        let refers = references(volume).into_iter().any(|it| it.kind == missing.kind && it.object == missing.object);
        if refers {
            found.push(text!["volume ", name(volume.name.clone()), " takes files from it", mounts(pod, &volume.name)]);
        }
    }
    found
}

/// The variables of a container that come from the object, with their keys.
fn variables(container: &ContainerView<'_>, missing: &Missing) -> Vec<(String, String)> {
    let of = |env: &k8s_openapi::api::core::v1::EnvVar| {
        let from = env.value_from.as_ref()?;
        let (object, key) = match missing.kind {
            Kind::Secret => from.secret_key_ref.as_ref().map(|it| (&it.name, &it.key))?,
            _ => from.config_map_key_ref.as_ref().map(|it| (&it.name, &it.key))?,
        };
        (*object == missing.object).then(|| (env.name.clone(), key.clone()))
    };
    container.spec.env.iter().flatten().filter_map(of).collect()
}

fn mounts(pod: &Pod, volume: &str) -> Option<Text> {
    pods::containers(pod).find_map(|container| {
        let mount = container.spec.volume_mounts.iter().flatten().find(|mount| mount.name == volume)?;
        Some(text![" for ", code(mount.mount_path.clone()), " in container ", name(container.name())])
    })
}

/// The keys that the pod asks of the object by name.
pub(crate) fn wanted_keys(pod: &Pod, missing: &Missing) -> BTreeSet<String> {
    let of_env = pods::containers(pod).flat_map(|container| variables(&container, missing)).map(|(_, key)| key);
    let of_volumes = volumes(pod).flat_map(references);
    let of_volumes = of_volumes.filter(|it| it.kind == missing.kind && it.object == missing.object);
    of_env.chain(of_volumes.flat_map(|it| it.keys)).collect()
}
