//! The handle: what a test, a scenario or a server does with a sandbox.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::access::{Access, Rule, Use};
use crate::clock::Clock;
use crate::faults::{Fault, Faults};
use crate::garbage;
use crate::health::Health;
use crate::journal::{Entry, Journal};
use crate::logs::Logs;
use crate::object::{meta, set_meta, stamp, take_over_meta, text};
use crate::resources::{Registry, Resource};
use crate::status::{Cause, Status};
use crate::store::{Place, Store};

/// A cluster without machines: the objects, their history, and the API in front of them. Clones are the same cluster.
#[derive(Clone, Debug)]
pub struct Sandbox {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) clock: Clock,
    store: Mutex<Store>,
    logs: Mutex<Logs>,
    access: Mutex<Access>,
    faults: Mutex<Faults>,
    journal: Mutex<Journal>,
    health: Mutex<Health>,
    /// How often all watches were closed.
    closings: watch::Sender<u64>,
    collects: AtomicBool,
    guards: AtomicBool,
}

impl Sandbox {
    /// A cluster with nothing in it but the namespaces every cluster has.
    pub fn new(clock: Clock) -> Self {
        Self::seeded(clock, 0)
    }

    /// Like [`Sandbox::new`], with UIDs that follow from the seed: two clusters with different seeds share none.
    pub fn seeded(clock: Clock, seed: u64) -> Self {
        let inner = Inner {
            clock,
            store: Mutex::new(Store::new(seed)),
            logs: Mutex::default(),
            access: Mutex::default(),
            faults: Mutex::default(),
            journal: Mutex::default(),
            health: Mutex::default(),
            closings: watch::Sender::new(0),
            collects: AtomicBool::new(true),
            guards: AtomicBool::new(false),
        };
        let sandbox = Self { inner: Arc::new(inner) };
        let mut store = sandbox.store();
        for name in ["default", "kube-node-lease", "kube-public", "kube-system"] {
            add_namespace(&mut store, name, sandbox.now());
        }
        drop(store);
        sandbox
    }

    /// The clock that stamps objects.
    pub fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// The time in the cluster.
    pub fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// What is served now.
    pub fn registry(&self) -> Arc<Registry> {
        self.store().registry().clone()
    }

    /// Stores an object as a controller or a kubelet would, its status included and whatever was there replaced.
    /// A UID and a creation time are kept where given, else taken over or made; an absent namespace is made.
    ///
    /// # Errors
    /// 404 for a kind that is not served, 422 for an object without a name.
    pub fn put(&self, object: Value) -> Result<(), Status> {
        let now = self.now();
        let mut store = self.store();
        put(&mut store, object, now)?;
        self.settle(&mut store, now);
        Ok(())
    }

    /// Removes an object at once, whatever its grace period and finalizers say, and returns its last state.
    pub fn remove(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let now = self.now();
        let mut store = self.store();
        let resource = store.registry().by_kind(api_version, kind)?;
        let removed = store.erase(&resource.place(namespace, name));
        self.settle(&mut store, now);
        removed
    }

    /// An object as it is now, in the version asked for.
    pub fn get(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<Arc<Value>> {
        let store = self.store();
        let resource = store.registry().by_kind(api_version, kind)?;
        let found = store.at(&resource.place(namespace, name))?;
        Some(crate::convert::to_version(&resource, found))
    }

    /// The objects of a kind in one namespace or, without one, in all, by namespace and name.
    pub fn list(&self, api_version: &str, kind: &str, namespace: Option<&str>) -> Vec<Arc<Value>> {
        let store = self.store();
        let Some(resource) = store.registry().by_kind(api_version, kind) else { return Vec::new() };
        let found = store.objects(&resource.shelf(), namespace);
        found.map(|object| crate::convert::to_version(&resource, object)).collect()
    }

    /// Every object of every kind, in the version it is kept in.
    pub fn everything(&self) -> Vec<Arc<Value>> {
        self.store().everything().cloned().collect()
    }

    /// The resource version of the last change.
    pub fn revision(&self) -> u64 {
        self.store().revision()
    }

    /// Wakes its receiver after every change; the value is the resource version of the last one.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.store().changes()
    }

    /// Replaces the log of a container, or of its previous run; every line gets the time now.
    pub fn set_log(&self, namespace: &str, pod: &str, container: &str, previous: bool, text: &str) {
        let now = self.now();
        self.logs().set(namespace, pod, container, previous, text.lines().map(|line| (now, line.to_owned())));
    }

    /// Replaces the log of a container, or of its previous run, by lines with their times.
    pub fn set_log_lines(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        previous: bool,
        lines: impl IntoIterator<Item = (Timestamp, String)>,
    ) {
        self.logs().set(namespace, pod, container, previous, lines);
    }

    /// Adds lines to the log of a container, which who follows it gets at once.
    pub fn append_log(&self, namespace: &str, pod: &str, container: &str, text: &str) {
        let now = self.now();
        self.logs().append(namespace, pod, container, text.lines().map(|line| (now, line.to_owned())));
    }

    /// Makes the log of a container that of its previous run, as a restart does.
    pub fn rotate_log(&self, namespace: &str, pod: &str, container: &str) {
        self.logs().rotate(namespace, pod, container);
    }

    /// Says what a health endpoint answers: `/readyz`, its status, and a line for each check.
    pub fn set_health(&self, path: &str, status: u16, checks: &str) {
        self.health().set(path, status, checks);
    }

    /// Says which version the server gives itself: `v1.33.4`.
    pub fn set_version(&self, version: &str) {
        self.health().version = Some(version.to_owned());
    }

    /// Adds a fault behind those that are set.
    pub fn fault(&self, fault: Fault) {
        self.faults().add(fault);
    }

    /// Takes all faults away.
    pub fn clear_faults(&self) {
        self.faults().clear();
    }

    /// The writes that reached the API, oldest first, refused ones and dry runs included. The last 20,000 are kept, fewer where their bodies are large.
    pub fn journal(&self) -> Vec<Entry> {
        self.writes().entries()
    }

    /// Forgets the writes so far.
    pub fn clear_journal(&self) {
        self.writes().clear();
    }

    /// Allows users without rules of their own only what these rules say. Before this is called they may do everything.
    pub fn restrict(&self, rules: Vec<Rule>) {
        self.access().restrict(None, rules);
    }

    /// Allows one user only what these rules say.
    pub fn restrict_user(&self, user: &str, rules: Vec<Rule>) {
        self.access().restrict(Some(user), rules);
    }

    /// Allows everybody everything again.
    pub fn allow_everything(&self) {
        self.access().allow_everything();
    }

    /// Takes a bearer token for this user's. Once a token is known, requests without a known one are answered 401.
    pub fn know_token(&self, token: &str, user: &str, groups: &[&str]) {
        self.access().know(token, user, groups);
    }

    /// What was asked for, whether it was allowed, and how often.
    pub fn used_access(&self) -> Vec<(Use, u64)> {
        self.access().used()
    }

    /// Forgets what was asked for so far.
    pub fn clear_used_access(&self) {
        self.access().forget_used();
    }

    /// Switches the garbage collector and the namespace controller, which are on at first.
    pub fn set_garbage_collection(&self, on: bool) {
        self.inner.collects.store(on, Ordering::Relaxed);
    }

    /// Refuses from now on (428) every write to an existing object that demands neither its UID, nor a resource version,
    /// nor, in a JSON patch, a value: such a write could hit another object than the one that was looked at.
    pub fn require_guards(&self, on: bool) {
        self.inner.guards.store(on, Ordering::Relaxed);
    }

    /// Forgets the past: watches and pages from before now are answered 410.
    pub fn compact(&self) {
        self.store().compact();
    }

    /// Goes on at a higher resource version and forgets the past. A server that starts anew begins above whatever its
    /// clients know of the one before, so that they are answered 410 and list again.
    pub fn skip_to_revision(&self, revision: u64) {
        self.store().skip_to(revision);
    }

    /// Goes back to what was there at an earlier resource version, which then is the current one, as after a restore of
    /// etcd from a backup. Says whether that version was still known.
    pub fn rewind(&self, revision: u64) -> bool {
        let rewound = self.store().rewind(revision);
        self.close_streams();
        rewound
    }

    /// Ends all watches and followed logs, as a server does that restarts.
    pub fn close_streams(&self) {
        self.inner.closings.send_modify(|closings| *closings += 1);
    }

    /// The API as a service, for `kube::Client::new` or a server.
    pub fn service(&self) -> crate::Service {
        crate::Service::new(self.clone())
    }

    pub(crate) fn needs_guards(&self) -> bool {
        self.inner.guards.load(Ordering::Relaxed)
    }

    /// Changes whenever all streams have to end.
    pub(crate) fn closing(&self) -> watch::Receiver<u64> {
        self.inner.closings.subscribe()
    }

    pub(crate) fn access(&self) -> MutexGuard<'_, Access> {
        self.inner.access.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, Faults> {
        self.inner.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.inner.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn writes(&self) -> MutexGuard<'_, Journal> {
        self.inner.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn store(&self) -> MutexGuard<'_, Store> {
        // A panic elsewhere leaves at worst one change half told; the objects themselves are whole.
        self.inner.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn logs(&self) -> MutexGuard<'_, Logs> {
        self.inner.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets the garbage collector and the namespace controller do what the last change asks of them.
    pub(crate) fn settle(&self, store: &mut Store, now: Timestamp) {
        if self.inner.collects.load(Ordering::Relaxed) {
            garbage::settle(store, now);
        }
        // Who follows a log looks whether its container still runs. Nobody takes these two locks the other way round.
        self.logs().wake();
    }
}

/// Stores an object with its status.
fn put(store: &mut Store, object: Value, now: Timestamp) -> Result<(), Status> {
    let (api_version, kind) = (text(&object, "/apiVersion").to_owned(), text(&object, "/kind").to_owned());
    store.learn_of(&api_version);
    let Some(resource) = store.registry().by_kind(&api_version, &kind) else {
        let message = format!("no matches for kind \"{kind}\" in version \"{api_version}\"");
        return Err(Status::new(404, "NotFound", message));
    };
    let mut object = crate::convert::to_storage(&resource, object);
    if meta(&object, "name").is_empty() {
        let missing = Cause::required("metadata.name", "name or generateName is required");
        return Err(Status::invalid(&resource.group, &resource.kind, "", vec![missing]));
    }
    settle_namespace(store, &resource, &mut object, now);
    let place = Place::of(&resource.shelf(), &object);
    let before = store.at(&place).cloned();
    for field in ["uid", "creationTimestamp", "generation"] {
        if let Some(before) = &before
            && object.pointer("/metadata").and_then(|metadata| metadata.get(field)).is_none()
        {
            take_over_meta(&mut object, field, before);
        }
    }
    if meta(&object, "uid").is_empty() {
        set_meta(&mut object, "uid", store.next_uid());
    }
    if meta(&object, "creationTimestamp").is_empty() {
        set_meta(&mut object, "creationTimestamp", stamp(now));
    }
    crate::defaults::fill(&resource, &mut object);
    store.write(&place, object);
    Ok(())
}

/// Puts the object where it belongs: a namespace that exists, or none.
fn settle_namespace(store: &mut Store, resource: &Resource, object: &mut Value, now: Timestamp) {
    if !resource.namespaced {
        set_meta(object, "namespace", "");
        return;
    }
    if meta(object, "namespace").is_empty() {
        set_meta(object, "namespace", "default");
    }
    add_namespace(store, meta(object, "namespace"), now);
}

fn add_namespace(store: &mut Store, name: &str, now: Timestamp) {
    let place = Place { shelf: crate::store::ShelfName::namespaces(), namespace: String::new(), name: name.to_owned() };
    if store.at(&place).is_some() {
        return;
    }
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "uid": store.next_uid(),
            "creationTimestamp": stamp(now),
            "labels": {"kubernetes.io/metadata.name": name},
        },
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    });
    store.write(&place, namespace);
}
