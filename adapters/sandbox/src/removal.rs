//! Deletion as the API does it: preconditions, grace, finalizers, and only then the end.

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::object::{finalizers, is_deleting, meta, metadata_mut, number, set_meta, stamp, text};
use crate::status::Status;
use crate::store::{Place, Store, is_collectors};

/// What a deletion asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    pub(crate) grace_period_seconds: Option<i64>,
    pub(crate) propagation: Option<Propagation>,
    pub(crate) uid: Option<String>,
    pub(crate) resource_version: Option<String>,
    pub(crate) dry_run: bool,
}

/// What becomes of the dependants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Propagation {
    Background,
    Foreground,
    Orphan,
}

/// What came of a deletion.
#[derive(Clone, Debug)]
pub(crate) enum Removal {
    /// The object is gone; this was its last state.
    Gone(Arc<Value>),
    /// The object stays until its kubelet, its finalizers' owners or its content are done.
    Pending(Arc<Value>),
}

/// How far a graceful deletion got.
enum Grace {
    /// The object may go now.
    None,
    /// Its kubelet has so many seconds.
    Starts(i64),
    /// An earlier deletion already gave it less or the same time.
    Runs,
}

/// Namespaces that nobody may delete.
const IMMORTAL: [&str; 3] = ["default", "kube-system", "kube-public"];

/// Deletes an object or begins to.
pub(crate) fn delete(
    store: &mut Store,
    place: &Place,
    options: &DeleteOptions,
    now: Timestamp,
) -> Result<Removal, Status> {
    let Some(existing) = store.at(place).cloned() else {
        return Err(Status::not_found(&place.shelf.group, &place.shelf.plural, &place.name));
    };
    if place.shelf.is_namespaces() {
        return delete_namespace(store, place, &existing, options, now);
    }
    check_preconditions(&existing, place, options)?;
    let mut object = Value::clone(&existing);
    let grace = if place.shelf.is_pods() { begin_grace(&mut object, options, now) } else { Grace::None };
    if matches!(grace, Grace::Runs) {
        return Ok(Removal::Pending(existing));
    }
    set_collectors(&mut object, options.propagation);
    let held = !finalizers(&object).is_empty();
    if held && matches!(grace, Grace::None) {
        mark_deleting(&mut object, now);
    }
    let stays = held || matches!(grace, Grace::Starts(seconds) if seconds > 0);
    if !stays {
        return Ok(Removal::Gone(end(store, place, &existing, object, options)));
    }
    if object == *existing {
        return Ok(Removal::Pending(existing));
    }
    if options.dry_run {
        return Ok(Removal::Pending(Arc::new(object)));
    }
    Ok(Removal::Pending(store.write(place, object)))
}

/// Ends an object in deletion that nothing holds any more; says whether it did.
pub(crate) fn finish(store: &mut Store, place: &Place) -> bool {
    let Some(object) = store.at(place) else { return false };
    may_go(object) && store.erase(place).is_some()
}

/// Whether an object in deletion has neither finalizers nor a running grace period nor content.
pub(crate) fn may_go(object: &Value) -> bool {
    is_deleting(object)
        && finalizers(object).is_empty()
        && number(object, "/metadata/deletionGracePeriodSeconds").unwrap_or(0) == 0
        && !(text(object, "/kind") == "Namespace"
            && text(object, "/apiVersion") == "v1"
            && !crate::object::elements(object, "/spec/finalizers").is_empty())
}

/// Ends an object; one whose time to go was set by this very deletion is seen with it first.
fn end(store: &mut Store, place: &Place, existing: &Arc<Value>, object: Value, options: &DeleteOptions) -> Arc<Value> {
    if object == **existing {
        return erase(store, place, existing.clone(), options);
    }
    if options.dry_run {
        return Arc::new(object);
    }
    let marked = store.write(place, object);
    store.erase(place).unwrap_or(marked)
}

fn erase(store: &mut Store, place: &Place, existing: Arc<Value>, options: &DeleteOptions) -> Arc<Value> {
    if options.dry_run {
        return existing;
    }
    store.erase(place).unwrap_or(existing)
}

fn check_preconditions(existing: &Value, place: &Place, options: &DeleteOptions) -> Result<(), Status> {
    let conflict = |why: &str| Err(Status::conflict(&place.shelf.group, text(existing, "/kind"), &place.name, why));
    let uid = meta(existing, "uid");
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid) {
        return conflict(&format!(
            "the UID in the precondition ({wanted}) does not match the UID in record ({uid}). \
             The object might have been deleted and then recreated"
        ));
    }
    let version = meta(existing, "resourceVersion");
    if let Some(wanted) = options.resource_version.as_deref().filter(|wanted| *wanted != version) {
        return conflict(&format!(
            "the ResourceVersion in the precondition ({wanted}) does not match the ResourceVersion in record \
             ({version}). The object might have been modified"
        ));
    }
    Ok(())
}

/// Gives a pod's kubelet its time, or shortens what it was given.
fn begin_grace(pod: &mut Value, options: &DeleteOptions, now: Timestamp) -> Grace {
    let asked = options.grace_period_seconds.map(|seconds| if seconds < 0 { 1 } else { seconds });
    if is_deleting(pod) {
        return shorten_grace(pod, asked, now);
    }
    let own = number(pod, "/spec/terminationGracePeriodSeconds");
    let ended = matches!(text(pod, "/status/phase"), "Failed" | "Succeeded");
    let seconds = if text(pod, "/spec/nodeName").is_empty() || ended {
        0
    } else {
        asked.or(own.map(|seconds| if seconds < 0 { 1 } else { seconds })).unwrap_or(0)
    };
    set_meta(pod, "deletionTimestamp", stamp(after(now, seconds)));
    set_meta(pod, "deletionGracePeriodSeconds", seconds);
    raise_generation(pod);
    Grace::Starts(seconds)
}

fn shorten_grace(pod: &mut Value, asked: Option<i64>, now: Timestamp) -> Grace {
    let given = match number(pod, "/metadata/deletionGracePeriodSeconds") {
        None | Some(0) => return Grace::None,
        Some(given) => given,
    };
    let Some(asked) = asked.filter(|asked| *asked < given) else { return Grace::Runs };
    let end = meta(pod, "deletionTimestamp").parse().unwrap_or(now);
    let shortened = after(end, asked.saturating_sub(given));
    let (end, seconds) = match shortened < now {
        // A graceful deletion stays one: the kubelet still has the last word.
        true if asked > 0 => (now, 1),
        true => (now, 0),
        false => (shortened, asked),
    };
    set_meta(pod, "deletionTimestamp", stamp(end));
    set_meta(pod, "deletionGracePeriodSeconds", seconds);
    Grace::Starts(seconds)
}

fn after(time: Timestamp, seconds: i64) -> Timestamp {
    time.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
}

/// Puts on or takes off the finalizers that stand for what becomes of the dependants.
fn set_collectors(object: &mut Value, propagation: Option<Propagation>) {
    let Some(propagation) = propagation else { return };
    let wanted = match propagation {
        Propagation::Background => None,
        Propagation::Foreground => Some("foregroundDeletion"),
        Propagation::Orphan => Some("orphan"),
    };
    let old = finalizers(object);
    let mut new: Vec<String> = old.iter().filter(|one| !is_collectors(one)).map(ToString::to_string).collect();
    if let Some(wanted) = wanted {
        new.push(wanted.to_owned());
    }
    if old != new {
        set_meta(object, "finalizers", new);
    }
}

fn mark_deleting(object: &mut Value, now: Timestamp) {
    if !is_deleting(object) {
        raise_generation(object);
    }
    let later = meta(object, "deletionTimestamp").parse::<Timestamp>().is_ok_and(|end| end > now);
    if !is_deleting(object) || later {
        set_meta(object, "deletionTimestamp", stamp(now));
    }
    set_meta(object, "deletionGracePeriodSeconds", 0);
}

/// Counts a deletion as a change of what is wanted, for kinds that count.
fn raise_generation(object: &mut Value) {
    if let Some(generation) = number(object, "/metadata/generation").filter(|generation| *generation > 0) {
        metadata_mut(object).insert("generation".to_owned(), generation.saturating_add(1).into());
    }
}

fn delete_namespace(
    store: &mut Store,
    place: &Place,
    existing: &Arc<Value>,
    options: &DeleteOptions,
    now: Timestamp,
) -> Result<Removal, Status> {
    if IMMORTAL.contains(&place.name.as_str()) {
        return Err(Status::forbidden("", "namespaces", &place.name, "this namespace may not be deleted"));
    }
    // Its registry has words of its own, and looks at the UID only.
    let uid = meta(existing, "uid");
    if let Some(wanted) = options.uid.as_deref().filter(|wanted| *wanted != uid) {
        let why = format!("Precondition failed: UID in precondition: {wanted}, UID in object meta: {uid}");
        return Err(Status::conflict("", "namespaces", &place.name, &why));
    }
    if !is_deleting(existing) {
        let mut object = Value::clone(existing);
        set_meta(&mut object, "deletionTimestamp", stamp(now));
        let status = crate::object::field_mut(&mut object, "status");
        crate::object::as_map(status).insert("phase".to_owned(), "Terminating".into());
        set_collectors(&mut object, options.propagation.filter(|propagation| *propagation == Propagation::Orphan));
        let pending = if options.dry_run { Arc::new(object) } else { store.write(place, object) };
        return Ok(Removal::Pending(pending));
    }
    if may_go(existing) {
        return Ok(Removal::Gone(erase(store, place, existing.clone(), options)));
    }
    Ok(Removal::Pending(existing.clone()))
}
