//! The verbs: objects, workloads, removals, events, logs.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::complete::{complete, managed_fields, take_conditions};
use super::react::That;
use super::{PlayError, Player, Scene};
use crate::resources::Resource;
use crate::scenario::format::{Part, Pattern, Workload, fits};
use crate::scenario::json::{self, Map};
use crate::scenario::node;
use crate::scenario::workload::{Context, expand};

impl Player {
    /// Applies all verbs of a part. `that` is what a reaction answers to.
    pub(super) fn apply(&mut self, scene: &Scene<'_>, part: &Part<'_>, that: Option<&That>) {
        for object in part.objects {
            self.put_written(scene, object);
        }
        for workload in part.workloads {
            self.put_workload(scene, workload);
        }
        for what in part.remove {
            self.remove_written(scene, what, that);
        }
        for event in part.events {
            self.put_event(scene, event);
        }
        for log in part.logs {
            self.put_log(scene, log);
        }
    }

    fn put_written(&mut self, scene: &Scene<'_>, written: &Map) {
        let kind = json::text(written, "kind");
        let Some(resource) = self.resource(json::text(written, "apiVersion"), kind) else {
            self.unknown(scene, kind);
            return;
        };
        let mut object = written.clone();
        object.insert("apiVersion".into(), resource.api_version().into());
        let metadata = json::child(&mut object, "metadata");
        if resource.namespaced {
            json::fill(metadata, "namespace", scene.scenario.namespace());
        }
        let name = json::text(metadata, "name").to_owned();
        let namespace = json::text(metadata, "namespace").to_owned();
        let mut object = Value::Object(object);
        scene.moment.fill_in(&mut object);
        let object = json::map_of(object);
        if name.contains('*') {
            let found = self.sandbox.list(
                &resource.api_version(),
                kind,
                Some(&namespace).filter(|n| !n.is_empty()).map(String::as_str),
            );
            for present in found {
                let present_name = json::text_at(&present, &["metadata", "name"]);
                if fits(&name, present_name) {
                    let mut object = object.clone();
                    json::child(&mut object, "metadata").insert("name".into(), present_name.into());
                    self.put_over(scene, &resource, object);
                }
            }
        } else {
            self.put_over(scene, &resource, object);
        }
    }

    /// Puts an object over the one that is there, or as a new one.
    fn put_over(&mut self, scene: &Scene<'_>, resource: &Resource, mut object: Map) {
        let kind = resource.kind.to_string();
        let metadata = json::child(&mut object, "metadata");
        let (namespace, name) = (json::text(metadata, "namespace").to_owned(), json::text(metadata, "name").to_owned());
        if resource.namespaced {
            self.prepare(scene, &namespace);
        }
        let present = self.sandbox.get(&resource.api_version(), &kind, &namespace, &name);
        let mut object = if let Some(present) = present {
            let mut whole = json::map_of(Value::clone(&present));
            let conditions = if kind == "Node" { take_conditions(&mut object) } else { Vec::new() };
            json::merge(&mut whole, &object);
            if let Some(Value::Array(list)) =
                json::child(&mut whole, "status").get_mut("conditions").filter(|_| kind == "Node")
            {
                json::merge_keyed(list, &conditions, "type");
            }
            if json::child(&mut whole, "status").is_empty() {
                whole.remove("status");
            }
            whole
        } else {
            complete(scene, &kind, object, &namespace, &name)
        };
        if kind == "Secret" {
            let managed = managed_fields(&object, &scene.moment.write(scene.created));
            json::child(&mut object, "metadata").insert("managedFields".into(), managed);
        }
        self.put(scene, object.clone());
        if kind == "Node" {
            self.put_lease(scene, &Value::Object(object));
        }
    }

    fn put_lease(&mut self, scene: &Scene<'_>, node: &Value) {
        let name = json::text_at(node, &["metadata", "name"]);
        let kind = ("coordination.k8s.io/v1", "Lease");
        if node::is_ready(node) && self.sandbox.get(kind.0, kind.1, "kube-node-lease", name).is_none() {
            let lease = node::lease(name, json::text_at(node, &["metadata", "uid"]), &scene.moment);
            self.put(scene, json::map_of(lease));
        }
    }

    /// Puts a whole object.
    pub(super) fn put(&mut self, scene: &Scene<'_>, object: Map) {
        let metadata = object.get("metadata").and_then(Value::as_object);
        if let Some(metadata) = metadata.filter(|metadata| metadata.contains_key("deletionTimestamp")) {
            self.scripted.insert(json::text(metadata, "uid").to_owned());
        }
        self.learn(&object);
        let kind = json::text(&object, "kind").to_owned();
        let name = metadata.map(|metadata| json::text(metadata, "name").to_owned()).unwrap_or_default();
        if let Err(status) = self.sandbox.put(Value::Object(object)) {
            let scenario = scene.scenario.name.clone();
            self.fail(PlayError::Refused { scenario, kind, name, reason: status.message });
        }
    }

    /// Makes a namespace with what every namespace has.
    fn prepare(&mut self, scene: &Scene<'_>, namespace: &str) {
        if namespace.is_empty() || self.sandbox.get("v1", "ServiceAccount", namespace, "default").is_some() {
            return;
        }
        let object = |kind: &str, namespace: &str, name: &str| {
            json::map_of(json!({"apiVersion": "v1", "kind": kind, "metadata": {"namespace": namespace, "name": name}}))
        };
        if self.sandbox.get("v1", "Namespace", "", namespace).is_none() {
            let made = complete(scene, "Namespace", object("Namespace", "", namespace), "", namespace);
            self.put(scene, made);
        }
        let account =
            complete(scene, "ServiceAccount", object("ServiceAccount", namespace, "default"), namespace, "default");
        self.put(scene, account);
        let name = "kube-root-ca.crt";
        let mut authority = complete(scene, "ConfigMap", object("ConfigMap", namespace, name), namespace, name);
        let text = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n";
        authority.insert("data".into(), json!({"ca.crt": text}));
        self.put(scene, authority);
    }

    fn put_workload(&mut self, scene: &Scene<'_>, workload: &Workload) {
        let namespace = workload.namespace.as_deref().unwrap_or(scene.scenario.namespace()).to_owned();
        self.prepare(scene, &namespace);
        let context = Context {
            scenario: &scene.scenario.name,
            namespace: &namespace,
            moment: scene.moment,
            created: scene.created,
        };
        let expansion = expand(&context, workload);
        let mut brought = BTreeSet::new();
        for object in expansion.objects {
            let field = |path: &[&str]| json::text_at(&object, path).to_owned();
            let kind = field(&["kind"]);
            if matches!(kind.as_str(), "Pod" | "ReplicaSet" | "Job") {
                brought.insert((kind, field(&["metadata", "namespace"]), field(&["metadata", "name"])));
            }
            let object = self.keep_deletion(json::map_of(object));
            self.put(scene, object);
        }
        for plan in expansion.plans {
            self.plans.insert((plan.namespace.clone(), plan.name.clone()), plan);
        }
        for log in expansion.logs {
            self.sandbox.set_log(&log.namespace, &log.pod, &log.container, log.previous, &log.text);
        }
        for event in expansion.events {
            self.put_event(scene, &event);
        }
        let key = (scene.index, workload.kind.name(), namespace, workload.name.clone());
        let before = self.brought.insert(key, brought.clone()).unwrap_or_default();
        for gone in before.difference(&brought) {
            self.retire(scene, gone);
        }
    }

    /// Somebody's wish to delete an object outlives what its controllers write.
    fn keep_deletion(&self, mut object: Map) -> Map {
        let (api_version, kind) =
            (json::text(&object, "apiVersion").to_owned(), json::text(&object, "kind").to_owned());
        let metadata = json::child(&mut object, "metadata");
        let present =
            self.sandbox.get(&api_version, &kind, json::text(metadata, "namespace"), json::text(metadata, "name"));
        let uid = json::text(metadata, "uid").to_owned();
        if let Some(present) = present
            && json::text_at(&present, &["metadata", "uid"]) == uid
            && !self.scripted.contains(&uid)
        {
            for key in ["deletionTimestamp", "deletionGracePeriodSeconds"] {
                if let Some(value) = json::at(&present, &["metadata", key]) {
                    json::fill(metadata, key, value.clone());
                }
            }
        }
        object
    }

    /// What a workload no longer brings: pods go, older `ReplicaSet`s stay at nothing.
    fn retire(&mut self, scene: &Scene<'_>, (kind, namespace, name): &super::Brought) {
        if kind != "ReplicaSet" {
            self.drop_object(kind, namespace, name);
            return;
        }
        let Some(set) = self.sandbox.get("apps/v1", kind, namespace, name) else {
            return;
        };
        let mut set = json::map_of(Value::clone(&set));
        json::child(&mut set, "spec").insert("replicas".into(), 0.into());
        set.insert("status".into(), json!({"replicas": 0, "observedGeneration": 1}));
        self.put(scene, set);
    }

    fn drop_object(&mut self, kind: &str, namespace: &str, name: &str) {
        if kind == "Node" {
            self.forget_node(name);
        }
        if kind == "Pod" {
            self.plans.remove(&(namespace.to_owned(), name.to_owned()));
        }
        if let Some(resource) = self.resource("", kind) {
            self.sandbox.remove(&resource.api_version(), kind, namespace, name);
        }
    }

    fn remove_written(&mut self, scene: &Scene<'_>, what: &str, that: Option<&That>) {
        if what == "that" {
            if let Some(that) = that {
                self.remove_that(that);
            }
            return;
        }
        let Some((pattern, resource)) =
            Pattern::parse(what).and_then(|p| Some((self.resource("", &p.kind)?, p))).map(|(r, p)| (p, r))
        else {
            self.unknown(scene, what);
            return;
        };
        let namespace = resource.namespaced.then(|| scene.scenario.namespace().to_owned());
        for object in self.sandbox.list(&resource.api_version(), &pattern.kind, namespace.as_deref()) {
            let name = json::text_at(&object, &["metadata", "name"]);
            if pattern.fits(name) {
                self.drop_object(&pattern.kind, namespace.as_deref().unwrap_or_default(), name);
            }
        }
    }

    /// Removes what a reaction answers to, unless it is another one by now or somebody still holds it. A pod's plan
    /// stays: its owner may want a new one.
    fn remove_that(&mut self, that: &That) {
        let Some(resource) = self.resource("", &that.kind) else {
            return;
        };
        let api_version = resource.api_version();
        let present = self.sandbox.get(&api_version, &that.kind, &that.namespace, &that.name);
        let is_that = |object: &Arc<Value>| {
            json::text_at(object, &["metadata", "uid"]) == that.uid && super::react::finalizers(object) == 0
        };
        if present.is_some_and(|object| is_that(&object)) {
            self.sandbox.remove(&api_version, &that.kind, &that.namespace, &that.name);
        }
    }

    /// Renews the leases that are alive: those that were renewed not long before the last heartbeat.
    pub(super) fn heartbeat(&mut self, at: Timestamp) {
        let bound = super::shift(self.last_heartbeat, jiff::SignedDuration::from_secs(-30));
        self.last_heartbeat = at;
        for lease in self.sandbox.list("coordination.k8s.io/v1", "Lease", None) {
            let renewed: Option<Timestamp> = json::text_at(&lease, &["spec", "renewTime"]).parse().ok();
            let namespace = json::text_at(&lease, &["metadata", "namespace"]);
            let node = json::text_at(&lease, &["metadata", "name"]);
            let is_dead = namespace == "kube-node-lease"
                && !self.sandbox.get("v1", "Node", "", node).is_some_and(|node| node::is_ready(&node));
            if is_dead || renewed.is_none_or(|renewed| renewed < bound) {
                continue;
            }
            let mut lease = json::map_of(Value::clone(&lease));
            let renewed = crate::scenario::time::write_micro(at);
            json::child(&mut lease, "spec").insert("renewTime".into(), renewed.into());
            // A lease that was there a moment ago is taken again.
            let _ = self.sandbox.put(Value::Object(lease));
        }
    }

    /// The resource of a kind; without a version the first that serves it.
    pub(super) fn resource(&self, api_version: &str, kind: &str) -> Option<Arc<Resource>> {
        let registry = self.sandbox.registry();
        if api_version.is_empty() {
            return registry.resources().iter().find(|resource| resource.kind == kind).cloned();
        }
        registry.by_kind(api_version, kind)
    }

    pub(super) fn unknown(&mut self, scene: &Scene<'_>, what: &str) {
        self.fail(PlayError::Unknown { scenario: scene.scenario.name.clone(), what: what.to_owned() });
    }
}
