//! What the garbage collector, the namespace controller and the protection of storage do after a change, done at once.

mod namespaces;
mod storage;

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::object::{elements, finalizers, is_deleting, set_meta, text};
use crate::removal::{self, DeleteOptions, Propagation};
use crate::store::{Place, Store, owners};

/// Brings the store to where both controllers have nothing left to do.
pub(crate) fn settle(store: &mut Store, now: Timestamp) {
    loop {
        let before = store.revision();
        for uid in store.take_gone() {
            for place in store.dependants(&uid) {
                collect(store, &place, now);
            }
        }
        for place in store.waiting() {
            release(store, &place, now);
        }
        for namespace in store.ending() {
            namespaces::empty(store, &namespace, now);
        }
        storage::release(store);
        if store.revision() == before {
            return;
        }
    }
}

/// Deletes an object that lost its last owner; one that lost only some forgets those.
fn collect(store: &mut Store, place: &Place, now: Timestamp) {
    let Some(object) = store.at(place).cloned() else { return };
    let owned = owners(&object).any(|uid| store.place_of(uid).is_some());
    if owned {
        let present: Vec<Value> = elements(&object, "/metadata/ownerReferences")
            .iter()
            .filter(|owner| store.place_of(text(owner, "/uid")).is_some())
            .cloned()
            .collect();
        rewrite(store, place, &object, "ownerReferences", present);
    } else if !is_deleting(&object) {
        delete(store, place, Propagation::Background, now);
    }
}

/// Takes the collector's finalizer off an object whose dependants are dealt with.
fn release(store: &mut Store, place: &Place, now: Timestamp) {
    let Some(object) = store.at(place).cloned() else { return };
    let uid = crate::object::meta(&object, "uid");
    let held = finalizers(&object);
    if held.contains(&"orphan") {
        for dependant in store.dependants(uid) {
            disown(store, &dependant, uid);
        }
        take_off(store, place, "orphan");
    } else if held.contains(&"foregroundDeletion") && !is_blocked(store, uid, now) {
        take_off(store, place, "foregroundDeletion");
    }
}

/// Deletes the dependants of an object that waits for them, and says whether it still has to wait.
fn is_blocked(store: &mut Store, uid: &str, now: Timestamp) -> bool {
    for place in store.dependants(uid) {
        let Some(object) = store.at(&place).cloned() else { continue };
        let others = owners(&object).any(|owner| owner != uid && store.place_of(owner).is_some());
        if others {
            disown(store, &place, uid);
        } else if !is_deleting(&object) {
            let has_dependants = !store.dependants(crate::object::meta(&object, "uid")).is_empty();
            let how = if has_dependants { Propagation::Foreground } else { Propagation::Background };
            delete(store, &place, how, now);
        }
    }
    let left = store.dependants(uid);
    left.iter().filter_map(|place| store.at(place)).any(|object| blocks(object, uid))
}

/// Whether a dependant keeps its owner from going.
fn blocks(object: &Value, uid: &str) -> bool {
    let owners = elements(object, "/metadata/ownerReferences");
    let mut blocking = owners.iter().filter(|owner| owner.get("blockOwnerDeletion") == Some(&Value::Bool(true)));
    blocking.any(|owner| text(owner, "/uid") == uid)
}

fn delete(store: &mut Store, place: &Place, propagation: Propagation, now: Timestamp) {
    let options = DeleteOptions { propagation: Some(propagation), ..DeleteOptions::default() };
    // The only refusal possible here, a namespace nobody may delete, is one a controller would get as well.
    drop(removal::delete(store, place, &options, now));
}

fn disown(store: &mut Store, place: &Place, uid: &str) {
    let Some(object) = store.at(place).cloned() else { return };
    let others: Vec<Value> = elements(&object, "/metadata/ownerReferences")
        .iter()
        .filter(|owner| text(owner, "/uid") != uid)
        .cloned()
        .collect();
    rewrite(store, place, &object, "ownerReferences", others);
}

fn take_off(store: &mut Store, place: &Place, finalizer: &str) {
    let Some(object) = store.at(place).cloned() else { return };
    let others: Vec<Value> = finalizers(&object).into_iter().filter(|one| *one != finalizer).map(Value::from).collect();
    rewrite(store, place, &object, "finalizers", others);
    removal::finish(store, place);
}

fn rewrite(store: &mut Store, place: &Place, object: &Arc<Value>, field: &str, values: Vec<Value>) {
    let mut changed = Value::clone(object);
    set_meta(&mut changed, field, values);
    if changed != **object {
        store.write(place, changed);
    }
}
