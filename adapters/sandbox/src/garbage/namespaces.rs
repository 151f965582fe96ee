//! The end of a namespace: its content goes first, and its conditions say what does not go.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::object::{as_map, elements, field_mut, finalizers, is_deleting, stamp, text};
use crate::removal;
use crate::store::{Place, ShelfName, Store};

/// Type, reason and message of each condition when all is well.
const WELL: [(&str, &str, &str); 5] = [
    ("NamespaceDeletionDiscoveryFailure", "ResourcesDiscovered", "All resources successfully discovered"),
    ("NamespaceDeletionGroupVersionParsingFailure", "ParsedGroupVersions", "All legacy kube types successfully parsed"),
    (
        "NamespaceDeletionContentFailure",
        "ContentDeleted",
        "All content successfully deleted, may be waiting on finalization",
    ),
    ("NamespaceContentRemaining", "ContentRemoved", "All content successfully removed"),
    ("NamespaceFinalizersRemaining", "ContentHasNoFinalizers", "All content-preserving finalizers finished"),
];

/// Deletes what is in a namespace and, once nothing is, the namespace.
pub(super) fn empty(store: &mut Store, name: &str, now: Timestamp) {
    for place in content(store, name) {
        if store.at(&place).is_some_and(|object| !is_deleting(object)) {
            super::delete(store, &place, removal::Propagation::Background, now);
        }
    }
    let place = Place { shelf: ShelfName::namespaces(), namespace: String::new(), name: name.to_owned() };
    let Some(namespace) = store.at(&place).cloned() else { return };
    let failures = failures(store, name);
    let mut changed = Value::clone(&namespace);
    if failures.is_empty() {
        let spec = field_mut(&mut changed, "spec");
        let others: Vec<Value> =
            elements(&namespace, "/spec/finalizers").iter().filter(|one| *one != "kubernetes").cloned().collect();
        as_map(spec).insert("finalizers".to_owned(), others.into());
    } else {
        set_conditions(&mut changed, &failures, now);
    }
    if changed != *namespace {
        store.write(&place, changed);
    }
    removal::finish(store, &place);
}

fn content(store: &Store, namespace: &str) -> Vec<Place> {
    let content = store.content(namespace);
    content.into_iter().flat_map(|(shelf, named)| named.values().map(|object| Place::of(shelf, object))).collect()
}

/// What keeps the namespace, by the type of its condition: reason and message.
fn failures(store: &Store, namespace: &str) -> BTreeMap<&'static str, (&'static str, String)> {
    let mut failures = BTreeMap::new();
    if let Some(message) = dead_services(store) {
        failures.insert("NamespaceDeletionDiscoveryFailure", ("DiscoveryFailed", message));
    }
    let content = store.content(namespace);
    let mut remaining: Vec<String> = content
        .iter()
        .map(|(shelf, named)| format!("{}.{} has {} resource instances", shelf.plural, shelf.group, named.len()))
        .collect();
    remaining.sort();
    if !remaining.is_empty() {
        let message = format!("Some resources are remaining: {}", remaining.join(", "));
        failures.insert("NamespaceContentRemaining", ("SomeResourcesRemain", message));
    }
    let mut held: BTreeMap<&str, usize> = BTreeMap::new();
    let objects = content.iter().flat_map(|(_, named)| named.values());
    for finalizer in objects.flat_map(|object| finalizers(object)) {
        *held.entry(finalizer).or_default() += 1;
    }
    if !held.is_empty() {
        let held: Vec<String> =
            held.iter().map(|(one, count)| format!("{one} in {count} resource instances")).collect();
        let message = format!("Some content in the namespace has finalizers remaining: {}", held.join(", "));
        failures.insert("NamespaceFinalizersRemaining", ("SomeFinalizersRemain", message));
    }
    failures
}

/// API groups whose server does not answer: what they hold in the namespace cannot be known.
fn dead_services(store: &Store) -> Option<String> {
    let services = store.objects(&ShelfName::new("apiregistration.k8s.io", "apiservices"), None);
    let dead: Vec<String> = services
        .filter(|service| {
            let conditions = elements(service, "/status/conditions");
            conditions.iter().any(|one| text(one, "/type") == "Available" && text(one, "/status") == "False")
        })
        .map(|service| format!("{}/{}", text(service, "/spec/group"), text(service, "/spec/version")))
        .collect();
    if dead.is_empty() {
        return None;
    }
    let each: Vec<String> = dead.iter().map(|one| format!("{one}: stale GroupVersion discovery: {one}")).collect();
    Some(format!(
        "Discovery failed for some groups, {} failing: unable to retrieve the complete list of server APIs: {}",
        dead.len(),
        each.join(", ")
    ))
}

fn set_conditions(namespace: &mut Value, failures: &BTreeMap<&'static str, (&'static str, String)>, now: Timestamp) {
    let old: Vec<Value> = elements(namespace, "/status/conditions").to_vec();
    let mut new: Vec<Value> =
        old.iter().filter(|one| WELL.iter().all(|(kind, ..)| *kind != text(one, "/type"))).cloned().collect();
    for (kind, reason, message) in WELL {
        let failure = failures.get(kind);
        let (status, reason, message) = match failure {
            Some((reason, message)) => ("True", *reason, message.as_str()),
            None => ("False", reason, message),
        };
        let before = old.iter().find(|one| text(one, "/type") == kind);
        let since = before.filter(|one| text(one, "/status") == status).map(|one| text(one, "/lastTransitionTime"));
        let since = since.map_or_else(|| stamp(now), ToOwned::to_owned);
        new.push(json!({
            "type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since,
        }));
    }
    as_map(field_mut(namespace, "status")).insert("conditions".to_owned(), new.into());
}
