//! What the controllers of Deployments and StatefulSets do when somebody scales them or changes their template.
//!
//! What a scenario writes is taken as it stands; only what differs from that is somebody's wish. A pod spec that was
//! changed is taken for the repair: its pods run well. One that is only started anew takes the course it took before.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{Due, Player, STARTING, Scene, shift};
use crate::scenario::event::{Regarding, write_event};
use crate::scenario::format::PodEntry;
use crate::scenario::identity::Seed;
use crate::scenario::json::{self, Map};
use crate::scenario::pod::{Course, PodPlan, for_template, normal};
use crate::scenario::time::{Moment, Time, write};

/// The label that tells the pods of one ReplicaSet from those of another.
const HASH: &str = "pod-template-hash";
/// The annotation with the number of a rollout.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// The nodes over which new pods are spread.
const NODES: [&str; 4] = ["worker-1", "worker-2", "worker-3", "worker-4"];
/// How many pods one wish may bring.
const MAX_PODS: usize = 50;

/// What somebody wants a workload to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wish {
    replicas: usize,
    template: Value,
}

impl Wish {
    fn of(owner: &Value) -> Self {
        let replicas = json::at(owner, &["spec", "replicas"]).and_then(Value::as_u64).unwrap_or(1);
        let template = json::at(owner, &["spec", "template"]).cloned().unwrap_or_default();
        Self { replicas: usize::try_from(replicas).unwrap_or(MAX_PODS).min(MAX_PODS), template: comparable(&template) }
    }

    fn has_spec_of(&self, other: &Self) -> bool {
        self.template.get("spec") == other.template.get("spec")
    }
}

/// A template without what says nothing of its pods, so that two can be compared.
fn comparable(template: &Value) -> Value {
    let metadata = template.get("metadata").cloned().unwrap_or_default();
    let mut labels = json::map_of(metadata.get("labels").cloned().unwrap_or_default());
    labels.remove(HASH);
    let annotations = json::map_of(metadata.get("annotations").cloned().unwrap_or_default());
    let mut spec = json::map_of(template.get("spec").cloned().unwrap_or_default());
    for_template(&mut spec, "Always");
    spec.retain(|_, value| !value.is_null());
    json!({"labels": labels, "annotations": annotations, "spec": spec})
}

/// Kind, namespace, name.
pub(super) type Controlled = (&'static str, String, String);

impl Player {
    /// Remembers what a scenario wants a workload to be.
    pub(super) fn learn(&mut self, object: &Map) {
        if matches!(json::text(object, "kind"), "Deployment" | "StatefulSet") {
            let object = Value::Object(object.clone());
            self.wishes.insert(json::text_at(&object, &["metadata", "uid"]).to_owned(), Wish::of(&object));
        }
    }

    /// Does what somebody wished since the last time.
    pub(super) fn control(&mut self, now: Timestamp) {
        if self.controlled_at == self.sandbox.revision() {
            return;
        }
        for kind in ["Deployment", "StatefulSet"] {
            for owner in self.sandbox.list("apps/v1", kind, None) {
                let field = |key: &str| json::text_at(&owner, &["metadata", key]).to_owned();
                let is_paused = json::at(&owner, &["spec", "paused"]) == Some(&json!(true));
                if json::at(&owner, &["metadata", "deletionTimestamp"]).is_some() || is_paused {
                    continue;
                }
                let wish = Wish::of(&owner);
                let known = self.wishes.insert(field("uid"), wish.clone());
                if known.as_ref() == Some(&wish) {
                    continue;
                }
                self.controlled.insert((kind, field("namespace"), field("name")));
                if kind == "Deployment" {
                    self.obey_deployment(&owner, known.as_ref(), &wish, now);
                } else {
                    self.obey_stateful_set(&owner, known.as_ref(), &wish, now);
                }
            }
        }
        for (kind, namespace, name) in self.controlled.clone() {
            self.recount(kind, &namespace, &name, now);
        }
        self.controlled_at = self.sandbox.revision();
    }

    fn obey_deployment(&mut self, owner: &Value, known: Option<&Wish>, wish: &Wish, now: Timestamp) {
        let sets = self.sets_of(owner);
        let current = sets.iter().max_by_key(|set| revision(set)).cloned();
        let same_spec = known.is_some_and(|known| known.has_spec_of(wish));
        let model =
            current.as_ref().filter(|_| same_spec).and_then(|set| self.model(json::text_at(set, &["metadata", "uid"])));
        let fitting = sets.iter().filter(|set| Wish::of(set).template == wish.template).max_by_key(|set| revision(set));
        let number = current.as_deref().map_or(0, revision) + 1;
        let set = match fitting {
            Some(set) if current.as_ref().is_some_and(|current| Arc::ptr_eq(current, set)) => Value::clone(set),
            Some(set) => numbered(Value::clone(set), number),
            None => numbered(new_set(owner, now), number),
        };
        let name = json::text_at(&set, &["metadata", "name"]).to_owned();
        self.resize(owner, set, wish.replicas, model.as_ref(), now);
        for old in sets {
            if json::text_at(&old, &["metadata", "name"]) != name && wanted(&old) > 0 {
                self.resize(owner, Value::clone(&old), 0, None, now);
            }
        }
        let present = self.sandbox.get("apps/v1", "Deployment", namespace_of(owner), name_of(owner));
        if let Some(present) = present {
            let newest = self.sets_of(owner).iter().map(|set| revision(set)).max().unwrap_or(1);
            self.store(numbered(Value::clone(&present), newest));
        }
    }

    fn obey_stateful_set(&mut self, owner: &Value, known: Option<&Wish>, wish: &Wish, now: Timestamp) {
        let uid = json::text_at(owner, &["metadata", "uid"]).to_owned();
        let same_spec = known.is_some_and(|known| known.has_spec_of(wish));
        if known.is_some_and(|known| known.template != wish.template) {
            let spec = json::map_of(json::at(owner, &["spec", "template", "spec"]).cloned().unwrap_or_default());
            for plan in self.plans.values_mut().filter(|plan| is_owned_by(plan, &uid)) {
                json::merge(&mut plan.template, &spec);
                if !same_spec {
                    plan.entry = PodEntry { node: plan.entry.node.clone(), ..PodEntry::default() };
                }
            }
            for pod in self.pods_owned_by(namespace_of(owner), &uid) {
                self.ask_away(&pod, now);
            }
        }
        let pods = self.pods_owned_by(namespace_of(owner), &uid);
        let has_claims = json::at(owner, &["spec", "volumeClaimTemplates"]).is_some();
        let mut missing: Vec<usize> = Vec::new();
        for ordinal in 0..wish.replicas {
            let name = format!("{}-{ordinal}", name_of(owner));
            let planned = self.plans.contains_key(&(namespace_of(owner).to_owned(), name.clone()));
            if !planned && pods.iter().all(|pod| name_of(pod) != name) {
                missing.push(ordinal);
            }
        }
        let model = self.model(&uid);
        for ordinal in missing.into_iter().filter(|_| !has_claims) {
            self.make_pod(owner, &format!("{}-{ordinal}", name_of(owner)), model.as_ref(), now);
        }
        for pod in pods {
            let ordinal = name_of(&pod).rsplit('-').next().and_then(|end| end.parse::<usize>().ok()).unwrap_or(0);
            if ordinal >= wish.replicas {
                self.ask_away(&pod, now);
            }
        }
    }

    /// Brings a ReplicaSet to a number of pods.
    fn resize(&mut self, owner: &Value, mut set: Value, replicas: usize, model: Option<&PodPlan>, now: Timestamp) {
        let (name, uid) = (name_of(&set).to_owned(), json::text_at(&set, &["metadata", "uid"]).to_owned());
        let before = if self.sandbox.get("apps/v1", "ReplicaSet", namespace_of(&set), &name).is_some() {
            wanted(&set)
        } else {
            0
        };
        if let Some(spec) = set.get_mut("spec").and_then(Value::as_object_mut) {
            spec.insert("replicas".into(), replicas.into());
        }
        self.store(set.clone());
        if before != replicas {
            let way = if replicas > before { "up" } else { "down" };
            self.tell(
                owner,
                "ScalingReplicaSet",
                format!("Scaled {way} replica set {name} from {before} to {replicas}"),
                now,
            );
        }
        let mut pods = self.pods_owned_by(namespace_of(&set), &uid);
        for index in pods.len()..replicas {
            let seed = [name.as_str(), &now.as_millisecond().to_string(), &index.to_string()];
            let pod = format!("{name}-{}", Seed::of(&seed).letters(5));
            self.make_pod(&set, &pod, model, now);
            self.tell(&set, "SuccessfulCreate", format!("Created pod: {pod}"), now);
        }
        // Who is not ready goes first, and of the others the youngest.
        pods.sort_by_key(|pod| {
            (is_ready(pod), std::cmp::Reverse(json::text_at(pod, &["metadata", "creationTimestamp"]).to_owned()))
        });
        for pod in pods.iter().take(pods.len().saturating_sub(replicas)) {
            self.ask_away(pod, now);
            self.tell(&set, "SuccessfulDelete", format!("Deleted pod: {}", name_of(pod)), now);
        }
    }

    /// Makes a pod of an owner, with the course of a model or, without one, well.
    fn make_pod(&mut self, owner: &Value, name: &str, model: Option<&PodPlan>, now: Timestamp) {
        let template = json::at(owner, &["spec", "template"]).cloned().unwrap_or_default();
        let map = |path: &[&str]| json::map_of(json::at(&template, path).cloned().unwrap_or_default());
        let (kind, namespace) = (json::text_at(owner, &["kind"]), namespace_of(owner));
        let mut labels = map(&["metadata", "labels"]);
        let mut spec = map(&["spec"]);
        let prefix = name_of(owner);
        if kind == "StatefulSet" {
            labels.insert("statefulset.kubernetes.io/pod-name".into(), name.into());
            spec.insert("hostname".into(), name.into());
        }
        let mut entry = model.map(|model| model.entry.clone()).unwrap_or_default();
        let number = Seed::of(&["node", namespace, name]).below(4);
        let node = NODES.get(usize::try_from(number).unwrap_or(0)).map(|&node| node.to_owned());
        entry = PodEntry { name: None, deleting: None, metadata: Map::new(), ..entry };
        if model.is_none_or(|model| model.entry.node.is_some()) {
            entry.node = node;
        }
        let plan = PodPlan {
            scenario: model.map_or_else(|| "controllers".to_owned(), |model| model.scenario.clone()),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            salt: now.as_millisecond().to_string(),
            workload: model.map_or_else(|| prefix.to_owned(), |model| model.workload.clone()),
            generate_name: Some(format!("{prefix}-")),
            hash: json::text(&labels, HASH).to_owned(),
            annotations: map(&["metadata", "annotations"]),
            labels,
            owner: Some(json!({
                "apiVersion": "apps/v1", "kind": kind, "name": prefix, "controller": true, "blockOwnerDeletion": true,
                "uid": json::text_at(owner, &["metadata", "uid"]),
            })),
            template: spec,
            daemon: false,
            entry,
            created: Time::Absolute(now),
            moment: Moment { not_before: Some(now), ..self.moment(now) },
            course: Course::Starting,
        };
        let Some(scenario) = self.scenarios.first().map(Arc::clone) else {
            return;
        };
        let scene = Scene { index: 0, scenario: &scenario, moment: plan.moment, created: Time::NOW };
        self.put_pod(&scene, &plan);
        if plan.entry.node.is_some() {
            self.schedule(shift(now, STARTING), Due::Started(Box::new(plan.clone())));
        }
        self.plans.insert((plan.namespace.clone(), plan.name.clone()), plan);
    }

    /// Asks for a pod's deletion as a controller does.
    fn ask_away(&mut self, pod: &Value, now: Timestamp) {
        let grace = json::at(pod, &["spec", "terminationGracePeriodSeconds"]).and_then(Value::as_i64).unwrap_or(30);
        let end = shift(now, SignedDuration::from_secs(grace.clamp(0, 86_400)));
        let mut object = pod.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.insert("deletionTimestamp".into(), write(end).into());
            metadata.insert("deletionGracePeriodSeconds".into(), grace.into());
        }
        self.store(object);
        let containers = json::at(pod, &["spec", "containers"]).and_then(Value::as_array).cloned().unwrap_or_default();
        for container in &containers {
            let message = format!("Stopping container {}", json::text_at(container, &["name"]));
            self.tell(pod, "Killing", message, now);
        }
    }

    /// Writes the status that a controller would.
    fn recount(&mut self, kind: &'static str, namespace: &str, name: &str, now: Timestamp) {
        let Some(owner) = self.sandbox.get("apps/v1", kind, namespace, name) else {
            self.controlled.remove(&(kind, namespace.to_owned(), name.to_owned()));
            return;
        };
        let mut status = json::map_of(owner.get("status").cloned().unwrap_or_default());
        let wish = Wish::of(&owner);
        let (mut all, mut ready, mut updated) = (0, 0, 0);
        if kind == "Deployment" {
            for set in self.sets_of(&owner) {
                let (of_set, ready_of_set) = self.recount_set(&set);
                all += of_set;
                ready += ready_of_set;
                updated += if Wish::of(&set).template == wish.template { of_set } else { 0 };
            }
            let missing = wish.replicas.saturating_sub(ready);
            set_count(&mut status, "unavailableReplicas", missing);
            conditions(&mut status, &wish, (all, ready, updated), now);
        } else {
            let pods = self.pods_owned_by(namespace, json::text_at(&owner, &["metadata", "uid"]));
            (all, updated) = (pods.len(), pods.len());
            ready = pods.iter().filter(|pod| is_ready(pod)).count();
            set_count(&mut status, "currentReplicas", all);
        }
        for (key, count) in
            [("replicas", all), ("readyReplicas", ready), ("availableReplicas", ready), ("updatedReplicas", updated)]
        {
            set_count(&mut status, key, count);
        }
        let generation = json::at(&owner, &["metadata", "generation"]).cloned().unwrap_or_else(|| json!(1));
        status.insert("observedGeneration".into(), generation);
        self.store_status(&owner, status);
    }

    fn recount_set(&mut self, set: &Value) -> (usize, usize) {
        let pods = self.pods_owned_by(namespace_of(set), json::text_at(set, &["metadata", "uid"]));
        let ready = pods.iter().filter(|pod| is_ready(pod)).count();
        let mut status = json::map_of(set.get("status").cloned().unwrap_or_default());
        status.insert("replicas".into(), pods.len().into());
        for (key, count) in
            [("fullyLabeledReplicas", pods.len()), ("readyReplicas", ready), ("availableReplicas", ready)]
        {
            set_count(&mut status, key, count);
        }
        self.store_status(set, status);
        (pods.len(), ready)
    }

    fn store_status(&mut self, object: &Value, status: Map) {
        let status = Value::Object(status);
        if object.get("status") != Some(&status) {
            let mut object = object.clone();
            if let Some(fields) = object.as_object_mut() {
                fields.insert("status".into(), status);
            }
            self.store(object);
        }
    }

    /// Stores what a controller writes. All of it was served before, or is made of what was.
    fn store(&mut self, object: Value) {
        if let Err(status) = self.sandbox.put(object) {
            self.fail(super::PlayError::Unknown { scenario: "controllers".to_owned(), what: status.message });
        }
    }

    /// An event about an object.
    fn tell(&mut self, about: &Value, reason: &str, message: String, now: Timestamp) {
        let kind = json::text_at(about, &["kind"]);
        let from = match kind {
            "Deployment" => "deployment-controller",
            "ReplicaSet" => "replicaset-controller",
            _ => "kubelet",
        };
        let regarding = Regarding {
            kind,
            api_version: json::text_at(about, &["apiVersion"]),
            namespace: namespace_of(about),
            name: name_of(about),
            uid: json::text_at(about, &["metadata", "uid"]),
        };
        let host = json::text_at(about, &["spec", "nodeName"]);
        let event = normal(reason, message, Time::Absolute(now), from);
        let event = write_event(&event, &regarding, host, None, &self.moment(now));
        self.store(event);
    }

    fn sets_of(&self, owner: &Value) -> Vec<Arc<Value>> {
        let uid = json::text_at(owner, &["metadata", "uid"]);
        let sets = self.sandbox.list("apps/v1", "ReplicaSet", Some(namespace_of(owner)));
        sets.into_iter().filter(|set| has_owner(set, uid)).collect()
    }

    /// The pods that an owner counts: neither ended nor on their way out.
    fn pods_owned_by(&self, namespace: &str, uid: &str) -> Vec<Arc<Value>> {
        let pods = self.sandbox.list("v1", "Pod", Some(namespace));
        let counts = |pod: &Arc<Value>| {
            has_owner(pod, uid)
                && json::at(pod, &["metadata", "deletionTimestamp"]).is_none()
                && !matches!(json::text_at(pod, &["status", "phase"]), "Failed" | "Succeeded")
        };
        pods.into_iter().filter(counts).collect()
    }

    /// How the pods of an owner were made so far.
    fn model(&self, uid: &str) -> Option<PodPlan> {
        self.plans.values().rfind(|plan| is_owned_by(plan, uid)).cloned()
    }

    fn moment(&self, now: Timestamp) -> Moment {
        Moment::at(now, self.nodes)
    }
}

fn name_of(object: &Value) -> &str {
    json::text_at(object, &["metadata", "name"])
}

fn namespace_of(object: &Value) -> &str {
    json::text_at(object, &["metadata", "namespace"])
}

fn has_owner(object: &Value, uid: &str) -> bool {
    let owners = json::at(object, &["metadata", "ownerReferences"]).and_then(Value::as_array);
    owners.into_iter().flatten().any(|owner| json::text_at(owner, &["uid"]) == uid)
}

fn is_owned_by(plan: &PodPlan, uid: &str) -> bool {
    plan.owner.as_ref().is_some_and(|owner| json::text_at(owner, &["uid"]) == uid)
}

fn is_ready(pod: &Value) -> bool {
    let conditions = json::at(pod, &["status", "conditions"]).and_then(Value::as_array);
    conditions.into_iter().flatten().any(|condition| {
        json::text_at(condition, &["type"]) == "Ready" && json::text_at(condition, &["status"]) == "True"
    })
}

fn wanted(set: &Value) -> usize {
    Wish::of(set).replicas
}

fn revision(set: &Value) -> u64 {
    json::text_at(set, &["metadata", "annotations", REVISION]).parse().unwrap_or(0)
}

fn numbered(mut object: Value, number: u64) -> Value {
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        json::child(metadata, "annotations").insert(REVISION.into(), number.to_string().into());
    }
    object
}

/// A ReplicaSet for a Deployment's template.
fn new_set(owner: &Value, now: Timestamp) -> Value {
    let (namespace, deployment) = (namespace_of(owner), name_of(owner));
    let mut template = json::map_of(json::at(owner, &["spec", "template"]).cloned().unwrap_or_default());
    let text = Value::Object(template.clone()).to_string();
    let hash = Seed::of(&[namespace, deployment, "template", &text]).letters(10);
    let metadata = json::child(&mut template, "metadata");
    json::child(metadata, "labels").insert(HASH.into(), hash.clone().into());
    let labels = json::child(metadata, "labels").clone();
    let name = format!("{deployment}-{hash}");
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {
            "name": name, "namespace": namespace, "generation": 1, "labels": labels, "creationTimestamp": write(now),
            "uid": Seed::of(&["controllers", "ReplicaSet", namespace, &name]).uid(),
            "ownerReferences": [{
                "apiVersion": "apps/v1", "kind": "Deployment", "name": deployment, "controller": true,
                "blockOwnerDeletion": true, "uid": json::text_at(owner, &["metadata", "uid"]),
            }],
        },
        "spec": {"replicas": 0, "selector": {"matchLabels": labels}, "template": template},
        "status": {"replicas": 0},
    })
}

/// Counts of nothing are left out, as the API does.
fn set_count(status: &mut Map, key: &str, count: usize) {
    if count == 0 {
        status.remove(key);
    } else {
        status.insert(key.to_owned(), count.into());
    }
}

/// The conditions of a Deployment with so many pods, ready ones, and ones of the newest template.
fn conditions(status: &mut Map, wish: &Wish, (all, ready, updated): (usize, usize, usize), now: Timestamp) {
    let available = ready >= wish.replicas - wish.replicas / 4;
    let complete = ready >= wish.replicas && updated >= wish.replicas && all == updated;
    let (availability, why, words) = if available {
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    } else {
        ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    };
    let (progress, progress_words) = if complete {
        ("NewReplicaSetAvailable", "The newest ReplicaSet has successfully progressed.")
    } else {
        ("ReplicaSetUpdated", "The newest ReplicaSet is progressing.")
    };
    let mut list = status.get("conditions").and_then(Value::as_array).cloned().unwrap_or_default();
    for (type_, state, reason, message) in
        [("Available", availability, why, words), ("Progressing", "True", progress, progress_words)]
    {
        let present = list.iter().find(|condition| json::text_at(condition, &["type"]) == type_);
        let same = |key: &str, value: &str| present.is_some_and(|present| json::text_at(present, &[key]) == value);
        if same("status", state) && same("reason", reason) {
            continue;
        }
        let mut over = json::map_of(json!({
            "type": type_, "status": state, "reason": reason, "message": message, "lastUpdateTime": write(now),
        }));
        if !same("status", state) {
            over.insert("lastTransitionTime".into(), write(now).into());
        }
        json::merge_keyed(&mut list, &[over], "type");
    }
    status.insert("conditions".into(), list.into());
}

#[cfg(test)]
mod tests;
