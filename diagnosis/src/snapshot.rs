//! Objects and logs held in memory that answer asks: for dumps, recordings and tests.
//!
//! What a snapshot lacks is unknown, not absent: only a kind that it holds at least one object of in that namespace (or at
//! all, for cluster-wide kinds), or that was declared covered, can be called missing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::Value;

use crate::ask::{Answer, Ask, Filter, Instance};
use crate::kind::{Kind, Object, ObjectError};
use crate::pods;

/// Objects, logs, and what they cover.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    objects: BTreeMap<(Kind, Option<String>), BTreeMap<String, Object>>,
    events: BTreeMap<(String, String, String), Vec<Object>>,
    logs: BTreeMap<(String, String, String, Instance), Arc<str>>,
    covered: BTreeSet<(Kind, Option<String>)>,
    caveats: Vec<String>,
}

impl Snapshot {
    /// Adds an object, or each item of a `List`. Objects of kinds that no rule reads are passed over; an object that cannot
    /// be read becomes a caveat.
    pub fn add_value(&mut self, mut value: Value) {
        let is_list = value.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
        if let Some(Value::Array(items)) = value.get_mut("items").map(Value::take).filter(|_| is_list) {
            let kind = value.get("kind").and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List"));
            let (kind, api) = (kind.unwrap_or_default().to_owned(), value.get("apiVersion").cloned());
            for mut item in items {
                // The items of a typed list leave out what the list says.
                if let Some(item) = item.as_object_mut()
                    && !kind.is_empty()
                {
                    item.entry("kind").or_insert_with(|| Value::String(kind.clone()));
                    item.entry("apiVersion").or_insert_with(|| api.clone().unwrap_or_default());
                }
                self.add_value(item);
            }
            return;
        }
        match Object::from_value(value) {
            Ok(object) => self.add(object),
            Err(ObjectError::OtherKind(_)) => {}
            Err(error @ ObjectError::Malformed { .. }) => self.caveats.push(error.to_string()),
        }
    }

    /// Adds an object; a later one of the same name replaces it.
    pub fn add(&mut self, object: Object) {
        let namespace = object.namespace().map(str::to_owned);
        self.covered.insert((object.kind(), namespace.clone()));
        if let Object::Event(event) = &object {
            let about = &event.involved;
            let key = (about.kind.clone(), about.namespace.clone(), about.name.clone());
            self.events.entry(key).or_default().push(object);
            return;
        }
        let name = object.name().to_owned();
        self.objects.entry((object.kind(), namespace)).or_default().insert(name, object);
    }

    /// Adds the log of a container.
    pub fn add_log(&mut self, namespace: &str, pod: &str, container: &str, instance: Instance, log: &str) {
        let key = (namespace.to_owned(), pod.to_owned(), container.to_owned(), instance);
        self.logs.insert(key, Arc::from(log));
    }

    /// Declares a kind covered, though it may have no object there.
    pub fn cover(&mut self, kind: Kind, namespace: Option<&str>) {
        self.covered.insert((kind, namespace.filter(|_| kind.is_namespaced()).map(str::to_owned)));
    }

    /// Notes something that could not be read while the snapshot was made.
    pub fn add_caveat(&mut self, caveat: impl Into<String>) {
        self.caveats.push(caveat.into());
    }

    /// What could not be read while the snapshot was made.
    pub fn caveats(&self) -> &[String] {
        &self.caveats
    }

    /// Tells whether it holds no object at all.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// The kinds of which it holds objects, events apart.
    pub fn kinds(&self) -> impl Iterator<Item = Kind> {
        let mut kinds: Vec<Kind> = self.objects.keys().map(|(kind, _)| *kind).collect();
        kinds.dedup();
        kinds.into_iter()
    }

    /// All objects of a kind, in the order of namespace and name.
    pub fn objects(&self, kind: Kind) -> impl Iterator<Item = &Object> {
        self.objects.iter().filter(move |((of, _), _)| *of == kind).flat_map(|(_, objects)| objects.values())
    }

    /// The newest creation, condition, container, event or lease time: the clock of a dump. A deletionTimestamp lies a
    /// grace period ahead and does not count.
    pub fn newest_time(&self) -> Option<Timestamp> {
        let objects = self.objects.values().flat_map(BTreeMap::values).filter_map(newest_of);
        let events = self.events.values().flatten().filter_map(newest_of);
        objects.chain(events).max()
    }

    /// Answers an ask from what it holds.
    pub fn answer(&self, ask: &Ask) -> Answer {
        match ask {
            // A snapshot is of one cluster, whatever it is called.
            Ask::Get { kind: Kind::Cluster, .. } => {
                self.objects(Kind::Cluster).next().map_or(Answer::NotCovered, |it| Answer::Object(it.clone()))
            }
            Ask::Get { kind, namespace, name } => {
                let place = (*kind, namespace.clone());
                match self.objects.get(&place).and_then(|objects| objects.get(name)) {
                    Some(object) => Answer::Object(object.clone()),
                    None if self.covered.contains(&place) => Answer::Absent,
                    None => Answer::NotCovered,
                }
            }
            Ask::List { kind, namespace, filter } => self.list(*kind, namespace.as_ref(), filter),
            Ask::Events { kind, namespace, name } => {
                let key = (kind.name().to_owned(), namespace.clone().unwrap_or_default(), name.clone());
                match self.events.get(&key) {
                    Some(events) => Answer::List { items: events.clone(), complete: true },
                    None if self.covers_events(namespace.as_deref()) => {
                        Answer::List { items: Vec::new(), complete: true }
                    }
                    None => Answer::NotCovered,
                }
            }
            Ask::Log { namespace, pod, container, instance } => {
                let key = (namespace.clone(), pod.clone(), container.clone(), *instance);
                self.logs.get(&key).map_or(Answer::NotCovered, |log| Answer::Log(Arc::clone(log)))
            }
        }
    }

    fn covers_events(&self, namespace: Option<&str>) -> bool {
        // Events about cluster-wide objects live in namespace "default".
        self.covered.contains(&(Kind::Event, Some(namespace.unwrap_or("default").to_owned())))
    }

    fn list(&self, kind: Kind, namespace: Option<&String>, filter: &Filter) -> Answer {
        let everywhere = kind.is_namespaced() && namespace.is_none();
        let place = (kind, namespace.cloned());
        let covered =
            if everywhere { self.covered.iter().any(|(of, _)| *of == kind) } else { self.covered.contains(&place) };
        if !covered {
            return Answer::NotCovered;
        }
        let matches = |object: &&Object| match filter {
            Filter::All => true,
            Filter::Labels(selector) => selector.matches(object.meta().labels.as_ref()),
            Filter::OnNode(node) => matches!(object, Object::Pod(pod) if pods::occupies(pod) == Some(node)),
            Filter::Scheduled => matches!(object, Object::Pod(pod) if pods::occupies(pod).is_some()),
        };
        let items = self
            .objects
            .iter()
            .filter(|((of, ns), _)| *of == kind && (everywhere || ns.as_ref() == namespace))
            .flat_map(|(_, objects)| objects.values())
            .filter(matches)
            .cloned()
            .collect();
        Answer::List { items, complete: true }
    }
}

/// The newest time that an object speaks of in its past.
fn newest_of(object: &Object) -> Option<Timestamp> {
    let created = object.meta().creation_timestamp.as_ref().map(|time| time.0);
    let managed =
        object.meta().managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref()).map(|time| time.0);
    let mut newest = created.into_iter().chain(managed).max();
    match object {
        Object::Event(event) => newest = newest.max(event.first).max(event.last),
        Object::Pod(pod) => newest = newest.max(pods::newest_time(pod)),
        Object::Node(node) => {
            for condition in node.status.iter().flat_map(|status| status.conditions.iter().flatten()) {
                newest = newest.max(condition.last_heartbeat_time.as_ref().map(|time| time.0));
                newest = newest.max(condition.last_transition_time.as_ref().map(|time| time.0));
            }
        }
        Object::Lease(lease) => {
            let renewed = lease.spec.as_ref().and_then(|spec| spec.renew_time.as_ref()).map(|time| time.0);
            newest = newest.max(renewed);
        }
        Object::Deployment(deployment) => {
            for condition in deployment.status.iter().flat_map(|status| status.conditions.iter().flatten()) {
                newest = newest.max(condition.last_update_time.as_ref().map(|time| time.0));
            }
        }
        Object::Job(job) => {
            for condition in job.status.iter().flat_map(|status| status.conditions.iter().flatten()) {
                newest = newest.max(condition.last_transition_time.as_ref().map(|time| time.0));
            }
        }
        // Other kinds change without times of their own that matter, or their events tell.
        _ => {}
    }
    newest
}
