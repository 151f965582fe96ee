//! Reading a world that may not be complete yet.
//!
//! A read answers found, absent or unreadable; where nobody has asked yet it notes the ask and ends with [`Needs`], which
//! `?` hands up to the engine. Several reads that do not depend on each other are made before the first `?`, so that they
//! are asked in one round.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;

use crate::ask::{Answer, Ask, Filter, Instance};
use crate::event::Event;
use crate::finding::ObjectRef;
use crate::kind::{Evidential, Kind, Object};

/// Something has to be asked first; what, the [`Reader`] has noted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needs(());

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read<T> {
    /// It is there.
    Found(T),
    /// It does not exist: evidence.
    Absent,
    /// It could not be read (forbidden, failed, not in the dump): the report says so, and nothing follows from it.
    Unreadable,
}

impl<T> Read<T> {
    /// What was found, if anything.
    pub fn found(self) -> Option<T> {
        if let Self::Found(found) = self { Some(found) } else { None }
    }

    /// Tells whether it is known not to exist.
    pub const fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    /// The same with what was found turned into something else.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::Found(found) => Read::Found(f(found)),
            Self::Absent => Read::Absent,
            Self::Unreadable => Read::Unreadable,
        }
    }
}

/// A read, or what has to be asked first.
pub type Reading<T> = Result<Read<T>, Needs>;

/// All answers so far.
#[derive(Clone, Debug, Default)]
pub struct World {
    answers: HashMap<Ask, Answer>,
    /// Objects that came in lists: nobody has to ask for them again.
    listed: HashMap<(Kind, Option<String>, String), Object>,
}

impl World {
    /// Adds an answer; the first one to an ask stays.
    pub fn insert(&mut self, ask: Ask, answer: Answer) {
        if let (Ask::List { .. }, Answer::List { items, .. }) = (&ask, &answer) {
            for object in items {
                let key = (object.kind(), object.namespace().map(str::to_owned), object.name().to_owned());
                self.listed.entry(key).or_insert_with(|| object.clone());
            }
        }
        self.answers.entry(ask).or_insert(answer);
    }

    /// The answer to an ask, if there is one.
    pub fn get(&self, ask: &Ask) -> Option<&Answer> {
        self.answers.get(ask)
    }

    /// How many asks were answered.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Tells whether nothing was answered yet.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }

    /// The asks with their answers, in a stable order.
    pub fn iter(&self) -> impl Iterator<Item = (&Ask, &Answer)> {
        #[expect(clippy::iter_over_hash_type, reason = "sorted right below")]
        let mut all: Vec<_> = {
            let mut all = Vec::with_capacity(self.answers.len());
            for entry in &self.answers {
                all.push(entry);
            }
            all
        };
        all.sort_by(|a, b| a.0.cmp(b.0));
        all.into_iter()
    }
}

/// Reads a [`World`] and notes what it lacks.
#[derive(Debug)]
pub struct Reader<'w> {
    world: &'w World,
    now: Timestamp,
    wanted: RefCell<BTreeSet<Ask>>,
}

impl<'w> Reader<'w> {
    /// Reads that world at that time.
    pub fn new(world: &'w World, now: Timestamp) -> Self {
        Self { world, now, wanted: RefCell::default() }
    }

    /// The time at which the question was asked.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What has to be asked, noted so far.
    pub fn wanted(&self) -> BTreeSet<Ask> {
        self.wanted.borrow().clone()
    }

    /// Forgets what was noted since `mark` (a former [`Reader::wanted`]).
    pub(crate) fn forget_since(&self, mark: BTreeSet<Ask>) {
        *self.wanted.borrow_mut() = mark;
    }

    /// All objects that were read so far, in a stable order.
    pub fn known(&self) -> impl Iterator<Item = &'w Object> {
        self.world.iter().flat_map(|(_, answer)| match answer {
            Answer::Object(object) => std::slice::from_ref(object),
            Answer::List { items, .. } => items.as_slice(),
            _ => &[],
        })
    }

    /// The asks so far that the API could not answer, with its words: `etcdserver: request timed out`.
    pub fn failures(&self) -> impl Iterator<Item = (&'w Ask, &'w str)> {
        self.world.iter().filter_map(|(ask, answer)| match answer {
            Answer::Failed(why) => Some((ask, why.as_str())),
            _ => None,
        })
    }

    fn answer(&self, ask: Ask) -> Result<&'w Answer, Needs> {
        self.world.get(&ask).ok_or_else(|| {
            self.wanted.borrow_mut().insert(ask);
            Needs(())
        })
    }

    /// One object; `namespace` is left out for cluster-wide kinds.
    ///
    /// # Errors
    /// [`Needs`] where it has not been asked yet.
    pub fn get<T: Evidential>(&self, namespace: Option<&str>, name: &str) -> Reading<Arc<T>> {
        Ok(self.object(T::KIND, namespace, name)?.map(|object| T::of(&object)).flatten())
    }

    /// One object of a kind known at run time.
    ///
    /// # Errors
    /// [`Needs`] where it has not been asked yet.
    pub fn object(&self, kind: Kind, namespace: Option<&str>, name: &str) -> Reading<Object> {
        let namespace = namespace.filter(|_| kind.is_namespaced()).map(str::to_owned);
        let key = (kind, namespace, name.to_owned());
        let listed = self.world.listed.get(&key);
        let (kind, namespace, name) = key;
        let ask = Ask::Get { kind, namespace, name };
        if let Some(object) = listed.filter(|_| self.world.get(&ask).is_none()) {
            return Ok(Read::Found(object.clone()));
        }
        Ok(match self.answer(ask)? {
            Answer::Object(object) => Read::Found(object.clone()),
            Answer::Absent => Read::Absent,
            Answer::List { .. } | Answer::Log(_) | Answer::Forbidden(_) | Answer::Failed(_) | Answer::NotCovered => {
                Read::Unreadable
            }
        })
    }

    /// The objects of a kind that a filter lets through; an empty list is found, not absent.
    ///
    /// # Errors
    /// [`Needs`] where they have not been asked yet.
    pub fn list<T: Evidential>(&self, namespace: Option<&str>, filter: Filter) -> Reading<Vec<Arc<T>>> {
        let namespace = namespace.filter(|_| T::KIND.is_namespaced()).map(str::to_owned);
        Ok(match self.answer(Ask::List { kind: T::KIND, namespace, filter })? {
            Answer::List { items, .. } => Read::Found(items.iter().filter_map(T::of).collect()),
            Answer::Object(_)
            | Answer::Log(_)
            | Answer::Absent
            | Answer::Forbidden(_)
            | Answer::Failed(_)
            | Answer::NotCovered => Read::Unreadable,
        })
    }

    /// The events about an object, oldest first, earlier objects of the same name left out by their UID. Unreadable events
    /// are none: their absence proves nothing anyway.
    ///
    /// # Errors
    /// [`Needs`] where they have not been asked yet.
    pub fn events(
        &self,
        kind: Kind,
        namespace: Option<&str>,
        name: &str,
        uid: Option<&str>,
    ) -> Result<Vec<Arc<Event>>, Needs> {
        let ask = Ask::Events { kind, namespace: namespace.map(str::to_owned), name: name.to_owned() };
        let Answer::List { items, .. } = self.answer(ask)? else {
            return Ok(Vec::new());
        };
        let mut events: Vec<Arc<Event>> =
            items.iter().filter_map(Event::of).filter(|event| event.is_about(kind.name(), name, uid)).collect();
        events.sort_by(|a, b| (a.last, &a.metadata.name).cmp(&(b.last, &b.metadata.name)));
        Ok(events)
    }

    /// The tail of a container's log.
    ///
    /// # Errors
    /// [`Needs`] where it has not been asked yet.
    pub fn log(&self, pod: &Pod, container: &str, instance: Instance) -> Reading<Arc<str>> {
        let meta = &pod.metadata;
        let ask = Ask::Log {
            namespace: meta.namespace.clone().unwrap_or_default(),
            pod: meta.name.clone().unwrap_or_default(),
            container: container.to_owned(),
            instance,
        };
        Ok(match self.answer(ask)? {
            Answer::Log(log) => Read::Found(Arc::clone(log)),
            Answer::Absent => Read::Absent,
            Answer::Object(_) | Answer::List { .. } | Answer::Forbidden(_) | Answer::Failed(_) | Answer::NotCovered => {
                Read::Unreadable
            }
        })
    }

    /// The controllers of an object from the nearest to the top one, as far as they can be read. A `ReplicaSet` or `Job`
    /// is read to find its own controller; others are the top.
    ///
    /// # Errors
    /// [`Needs`] where one has not been asked yet.
    pub fn controllers(&self, object: &Object) -> Result<Vec<ObjectRef>, Needs> {
        let mut found = Vec::new();
        let mut next = Some(object.clone());
        while let Some(object) = next.take() {
            let mut owners = object.meta().owner_references.iter().flatten();
            let Some(owner) = owners.find(|owner| owner.controller == Some(true)) else { break };
            let namespace = object.namespace();
            let Some(kind) = Kind::from_name(&owner.kind) else {
                found.push(ObjectRef::foreign(&owner.kind, namespace, &owner.name));
                break;
            };
            let namespace = namespace.filter(|_| kind.is_namespaced());
            found.push(ObjectRef::new(kind, namespace, &owner.name));
            if matches!(kind, Kind::ReplicaSet | Kind::Job) && found.len() < 4 {
                next = self.object(kind, namespace, &owner.name)?.found();
            }
        }
        Ok(found)
    }
}

impl<T> Read<Option<T>> {
    fn flatten(self) -> Read<T> {
        match self {
            Self::Found(Some(found)) => Read::Found(found),
            Self::Found(None) | Self::Unreadable => Read::Unreadable,
            Self::Absent => Read::Absent,
        }
    }
}
