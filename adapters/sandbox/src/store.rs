//! The objects, their history and what is looked up in both.
//!
//! Every change raises one revision, which is every object's and every list's resource version, as with etcd.
#![expect(clippy::similar_names, reason = "`shelf` beside `self` is still the right word")]

mod history;
mod identities;
mod place;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;

use crate::object::{self, elements, finalizers, is_deleting, meta, set_meta, text};
use crate::resources::{Registry, Resource};

use identities::Identities;

pub(crate) use history::{Change, Past};
pub(crate) use place::{Place, Shelf as ShelfName};

/// Objects by namespace (empty for cluster-wide kinds) and name.
type Objects = BTreeMap<String, BTreeMap<String, Arc<Value>>>;

/// How many changes of one resource are kept for watches and old pages.
const KEPT_CHANGES: usize = 4096;

thread_local! {
    /// How many changes this thread made, of any store.
    static CHANGES: Cell<u64> = const { Cell::new(0) };
}

/// How many changes this thread made so far. A request is handled on one thread without a break, so that the difference
/// is what this request changed, and not what others changed meanwhile.
pub(crate) fn changes_of_this_thread() -> u64 {
    CHANGES.get()
}

/// All objects of a sandbox.
#[derive(Debug)]
pub(crate) struct Store {
    revision: u64,
    shelves: BTreeMap<ShelfName, Shelf>,
    registry: Arc<Registry>,
    by_uid: BTreeMap<String, Place>,
    dependants: BTreeMap<String, BTreeSet<Place>>,
    /// UIDs of objects that went and whose dependants nobody has looked after yet.
    gone: Vec<String>,
    /// Objects in deletion that wait for a controller played here to take its finalizer off.
    waiting: BTreeSet<Place>,
    /// Namespaces in deletion.
    ending: BTreeSet<String>,
    /// Up to here the past is forgotten.
    compacted: u64,
    identities: Identities,
    changed: watch::Sender<u64>,
}

/// The objects of one resource, whatever the version they are asked in.
#[derive(Debug)]
struct Shelf {
    objects: Objects,
    past: Past,
    changed: watch::Sender<u64>,
}

impl Default for Shelf {
    fn default() -> Self {
        Self { objects: Objects::new(), past: Past::new(KEPT_CHANGES), changed: watch::Sender::new(0) }
    }
}

impl Store {
    /// An empty store whose UIDs follow from the seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            revision: 1,
            shelves: BTreeMap::new(),
            registry: Arc::new(Registry::builtin()),
            by_uid: BTreeMap::new(),
            dependants: BTreeMap::new(),
            gone: Vec::new(),
            waiting: BTreeSet::new(),
            ending: BTreeSet::new(),
            compacted: 0,
            identities: Identities::new(seed),
            changed: watch::Sender::new(1),
        }
    }

    /// The version of the last change.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// What is served now.
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// Serves a group of APIs that comes with its first object.
    pub(crate) fn learn_of(&mut self, api_version: &str) {
        if api_version == "metrics.k8s.io/v1beta1" {
            Arc::make_mut(&mut self.registry).learn_group(api_version);
        }
    }

    /// Wakes whoever waits for a change of any kind.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Wakes whoever waits for a change of one resource.
    pub(crate) fn changes_of(&mut self, shelf: &ShelfName) -> watch::Receiver<u64> {
        self.shelf_mut(shelf).changed.subscribe()
    }

    /// An object as it is now.
    pub(crate) fn get(&self, shelf: &ShelfName, namespace: &str, name: &str) -> Option<&Arc<Value>> {
        self.shelves.get(shelf)?.objects.get(namespace)?.get(name)
    }

    /// An object as it is now.
    pub(crate) fn at(&self, place: &Place) -> Option<&Arc<Value>> {
        self.get(&place.shelf, &place.namespace, &place.name)
    }

    /// The objects of a resource in one namespace or, without one, in all, by namespace and name.
    pub(crate) fn objects<'a>(
        &'a self,
        shelf: &ShelfName,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        let objects = self.shelves.get(shelf).map(|shelf| &shelf.objects);
        let bounds = match namespace {
            Some(one) => (Bound::Included(one), Bound::Included(one)),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let range = objects.into_iter().flat_map(move |objects| objects.range::<str, _>(bounds));
        range.flat_map(|(_, named)| named.values())
    }

    /// The objects of all resources.
    pub(crate) fn everything(&self) -> impl Iterator<Item = &Arc<Value>> {
        self.shelves.values().flat_map(|shelf| shelf.objects.values()).flat_map(BTreeMap::values)
    }

    /// The objects behind a namespace and name, by namespace and name.
    pub(crate) fn objects_after<'a>(
        &'a self,
        shelf: &ShelfName,
        namespace: Option<&'a str>,
        after: &'a (String, String),
    ) -> impl Iterator<Item = &'a Arc<Value>> + use<'a> {
        let objects = self.shelves.get(shelf).map(|shelf| &shelf.objects);
        let (space, name) = after;
        let first = objects.and_then(|objects| objects.get(space)).filter(|_| namespace.is_none_or(|one| one == space));
        let rest_of_first = first.into_iter().flat_map(move |named| {
            named.range::<str, _>((Bound::Excluded(name.as_str()), Bound::Unbounded)).map(|(_, object)| object)
        });
        let others = objects.filter(|_| namespace.is_none()).into_iter().flat_map(move |objects| {
            let behind = objects.range::<str, _>((Bound::Excluded(space.as_str()), Bound::Unbounded));
            behind.flat_map(|(_, named)| named.values())
        });
        rest_of_first.chain(others)
    }

    /// Whether a resource changed after a revision; also true where that is no longer known.
    pub(crate) fn changed_since(&self, shelf: &ShelfName, revision: u64) -> bool {
        let Some(past) = self.past(shelf) else { return false };
        past.since(revision).is_none_or(|mut changes| changes.next().is_some())
    }

    /// The past of a resource.
    pub(crate) fn past(&self, shelf: &ShelfName) -> Option<&Past> {
        self.shelves.get(shelf).map(|shelf| &shelf.past)
    }

    /// The objects of a resource as they were at a revision; `None` where that is no longer known.
    pub(crate) fn objects_at(
        &self,
        shelf: &ShelfName,
        namespace: Option<&str>,
        revision: u64,
    ) -> Option<Vec<Arc<Value>>> {
        let Some(found) = self.shelves.get(shelf) else { return Some(Vec::new()) };
        let then = found.past.overlay(revision)?;
        let mut objects: BTreeMap<(&str, &str), &Arc<Value>> = self
            .objects(shelf, namespace)
            .map(|object| ((meta(object, "namespace"), meta(object, "name")), object))
            .collect();
        for ((space, name), state) in then {
            if namespace.is_some_and(|wanted| wanted != space) {
                continue;
            }
            match state {
                Some(object) => drop(objects.insert((space, name), object)),
                None => drop(objects.remove(&(space, name))),
            }
        }
        Some(objects.into_values().cloned().collect())
    }

    /// How many objects each resource has in a namespace.
    pub(crate) fn content(&self, namespace: &str) -> Vec<(&ShelfName, &BTreeMap<String, Arc<Value>>)> {
        let all = self.shelves.iter();
        all.filter_map(|(name, shelf)| Some((name, shelf.objects.get(namespace)?)))
            .filter(|(_, named)| !named.is_empty())
            .collect()
    }

    /// Stores an object under its next resource version and tells the watches.
    pub(crate) fn write(&mut self, place: &Place, mut object: Value) -> Arc<Value> {
        self.revision += 1;
        set_meta(&mut object, "resourceVersion", self.revision.to_string());
        let object = Arc::new(object);
        let before = self.at(place).cloned();
        if let Some(before) = &before {
            self.forget(place, before);
        }
        self.remember(place, &object);
        let named = self.shelf_mut(&place.shelf).objects.entry(place.namespace.clone()).or_default();
        named.insert(place.name.clone(), object.clone());
        self.log(place, before, Some(object.clone()));
        object
    }

    /// Removes an object and tells the watches.
    pub(crate) fn erase(&mut self, place: &Place) -> Option<Arc<Value>> {
        let objects = &mut self.shelf_mut(&place.shelf).objects;
        let named = objects.get_mut(&place.namespace)?;
        let before = named.remove(&place.name)?;
        if named.is_empty() {
            objects.remove(&place.namespace);
        }
        self.revision += 1;
        self.forget(place, &before);
        self.gone.push(meta(&before, "uid").to_owned());
        self.log(place, Some(before.clone()), None);
        if place.shelf.is_definitions() {
            self.erase_customs(&before);
        }
        Some(before)
    }

    /// Makes a UID that no other object of this store has.
    pub(crate) fn next_uid(&mut self) -> String {
        self.identities.uid()
    }

    /// Makes the random end of a generated name.
    pub(crate) fn next_suffix(&mut self) -> String {
        self.identities.suffix()
    }

    /// Where the object with a UID is.
    pub(crate) fn place_of(&self, uid: &str) -> Option<&Place> {
        self.by_uid.get(uid)
    }

    /// Which objects name an owner by this UID.
    pub(crate) fn dependants(&self, uid: &str) -> Vec<Place> {
        self.dependants.get(uid).into_iter().flatten().cloned().collect()
    }

    /// Hands over the UIDs of objects that went since this was last asked.
    pub(crate) fn take_gone(&mut self) -> Vec<String> {
        std::mem::take(&mut self.gone)
    }

    /// The objects in deletion with a finalizer that a controller played here takes off.
    pub(crate) fn waiting(&self) -> Vec<Place> {
        self.waiting.iter().cloned().collect()
    }

    /// The namespaces in deletion.
    pub(crate) fn ending(&self) -> Vec<String> {
        self.ending.iter().cloned().collect()
    }

    /// Forgets the past: every watch and page from before is answered 410 from now on.
    pub(crate) fn compact(&mut self) {
        let revision = self.revision;
        self.compacted = revision;
        for shelf in self.shelves.values_mut() {
            shelf.past.compact(revision);
            // A watch that already waits must notice too.
            shelf.changed.send_replace(revision);
        }
    }

    /// Goes on at a higher revision, before which everything is forgotten.
    pub(crate) fn skip_to(&mut self, revision: u64) {
        self.revision = self.revision.max(revision);
        self.compact();
    }

    /// Goes back to an earlier revision, as a restore of etcd from a backup does.
    /// Says whether that revision is still known.
    pub(crate) fn rewind(&mut self, revision: u64) -> bool {
        let names: Vec<ShelfName> = self.shelves.keys().cloned().collect();
        let mut then = Vec::new();
        for name in &names {
            let Some(objects) = self.objects_at(name, None, revision) else { return false };
            then.push(objects);
        }
        for (name, objects) in names.into_iter().zip(then) {
            self.replace(&name, objects, revision);
        }
        self.revision = revision;
        self.gone.clear();
        self.changed.send_replace(revision);
        true
    }

    fn replace(&mut self, name: &ShelfName, objects: Vec<Arc<Value>>, revision: u64) {
        let old: Vec<Arc<Value>> = self.objects(name, None).cloned().collect();
        for object in old {
            self.forget(&Place::of(name, &object), &object);
        }
        let mut restored = Objects::new();
        for object in objects {
            let place = Place::of(name, &object);
            self.remember(&place, &object);
            restored.entry(place.namespace).or_default().insert(place.name, object);
        }
        let shelf = self.shelf_mut(name);
        shelf.objects = restored;
        shelf.past = Past::new(KEPT_CHANGES);
        shelf.past.compact(revision);
    }

    fn shelf_mut(&mut self, name: &ShelfName) -> &mut Shelf {
        let compacted = self.compacted;
        self.shelves.entry(name.clone()).or_insert_with(|| {
            let mut shelf = Shelf::default();
            shelf.past.compact(compacted);
            shelf
        })
    }

    fn log(&mut self, place: &Place, before: Option<Arc<Value>>, after: Option<Arc<Value>>) {
        CHANGES.set(CHANGES.get().wrapping_add(1));
        let revision = self.revision;
        let shelf = self.shelf_mut(&place.shelf);
        let (namespace, name) = (place.namespace.clone(), place.name.clone());
        shelf.past.push(Change { revision, namespace, name, before, after });
        shelf.changed.send_replace(revision);
        self.changed.send_replace(revision);
    }

    fn remember(&mut self, place: &Place, object: &Arc<Value>) {
        self.by_uid.insert(meta(object, "uid").to_owned(), place.clone());
        for owner in owners(object) {
            self.dependants.entry(owner.to_owned()).or_default().insert(place.clone());
        }
        if is_deleting(object) && finalizers(object).iter().any(|one| is_ours(one)) {
            self.waiting.insert(place.clone());
        }
        if place.shelf.is_namespaces() && is_deleting(object) {
            self.ending.insert(place.name.clone());
        }
        if place.shelf.is_definitions() {
            Arc::make_mut(&mut self.registry).learn(object);
        }
    }

    fn forget(&mut self, place: &Place, object: &Arc<Value>) {
        self.by_uid.remove(meta(object, "uid"));
        for owner in owners(object) {
            let Some(places) = self.dependants.get_mut(owner) else { continue };
            places.remove(place);
            if places.is_empty() {
                self.dependants.remove(owner);
            }
        }
        self.waiting.remove(place);
        if place.shelf.is_namespaces() {
            self.ending.remove(&place.name);
        }
        if place.shelf.is_definitions() {
            Arc::make_mut(&mut self.registry).unlearn(object);
        }
    }

    /// With its definition, a custom resource's objects go too.
    fn erase_customs(&mut self, definition: &Value) {
        let shelf = ShelfName::new(text(definition, "/spec/group"), text(definition, "/spec/names/plural"));
        let objects: Vec<Arc<Value>> = self.objects(&shelf, None).cloned().collect();
        for object in objects {
            self.erase(&Place::of(&shelf, &object));
        }
    }
}

/// The finalizers that the garbage collector takes off itself.
pub(crate) fn is_collectors(finalizer: &str) -> bool {
    matches!(finalizer, "foregroundDeletion" | "orphan")
}

/// The finalizers that some controller played here takes off: an index of them keeps every write from a search.
fn is_ours(finalizer: &str) -> bool {
    is_collectors(finalizer) || matches!(finalizer, "kubernetes.io/pvc-protection" | "kubernetes.io/pv-protection")
}

/// The UIDs of an object's owners.
pub(crate) fn owners(object: &Value) -> impl Iterator<Item = &str> {
    elements(object, "/metadata/ownerReferences").iter().map(|owner| object::text(owner, "/uid"))
}

impl Resource {
    /// The place of one of its objects.
    pub(crate) fn place(&self, namespace: &str, name: &str) -> Place {
        Place { shelf: self.shelf(), namespace: namespace.to_owned(), name: name.to_owned() }
    }

    /// Where its objects are kept.
    pub(crate) fn shelf(&self) -> ShelfName {
        let (group, plural) = self.storage();
        ShelfName::new(group, plural)
    }
}
