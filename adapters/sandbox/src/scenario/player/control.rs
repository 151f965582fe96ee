//! What the controllers of Deployments and `StatefulSets` do when somebody scales them or changes their template.
//!
//! What a scenario writes is taken as it stands; only what differs from that is somebody's wish. A pod spec that was
//! changed is taken for the repair: its pods run well. One that is only started anew takes the course it took before.

mod pods;
mod status;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Player;
use super::react::finalizers;
use crate::scenario::format::PodEntry;
use crate::scenario::identity::Seed;
use crate::scenario::json::{self, Map};
use crate::scenario::pod::{PodPlan, for_template};
use crate::scenario::time::write;

/// The label that tells the pods of one `ReplicaSet` from those of another.
const HASH: &str = "pod-template-hash";
/// The annotation with the number of a rollout.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// The nodes over which new pods are spread.
const NODES: [&str; 4] = ["worker-1", "worker-2", "worker-3", "worker-4"];
/// How long after a Node was deleted its pods are removed; a real cluster takes 40 s.
const COLLECTED_AFTER: SignedDuration = SignedDuration::from_secs(5);
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

    /// Removes the pods of nodes that somebody deleted, as the collector of pods does. One that a finalizer holds stays.
    fn collect(&mut self, now: Timestamp) {
        let nodes: BTreeSet<String> =
            self.sandbox.list("v1", "Node", None).iter().map(|node| name_of(node).to_owned()).collect();
        for gone in self.nodes_seen.difference(&nodes) {
            self.nodes_gone.entry(gone.clone()).or_insert(now);
        }
        self.nodes_gone.retain(|node, _| !nodes.contains(node));
        self.nodes_seen.extend(nodes);
        let is_due = |since: &Timestamp| now.duration_since(*since) >= COLLECTED_AFTER;
        let due: BTreeSet<&str> =
            self.nodes_gone.iter().filter(|(_, since)| is_due(since)).map(|(node, _)| node.as_str()).collect();
        if due.is_empty() {
            return;
        }
        for pod in self.sandbox.list("v1", "Pod", None) {
            if due.contains(json::text_at(&pod, &["spec", "nodeName"])) && finalizers(&pod) == 0 {
                self.sandbox.remove("v1", "Pod", namespace_of(&pod), name_of(&pod));
            }
        }
    }

    /// Has the status of a pod's workload counted from now on, since the pod was made anew.
    pub(super) fn count_again(&mut self, plan: &PodPlan) {
        let Some(owner) = &plan.owner else {
            return;
        };
        let name = json::text_at(owner, &["name"]);
        let counted = match json::text_at(owner, &["kind"]) {
            "StatefulSet" => Some(("StatefulSet", name.to_owned())),
            "ReplicaSet" => self.sandbox.get("apps/v1", "ReplicaSet", &plan.namespace, name).and_then(|set| {
                let owners = json::at(&set, &["metadata", "ownerReferences"])?.as_array()?;
                let deployment = owners.iter().find(|owner| json::text_at(owner, &["kind"]) == "Deployment")?;
                Some(("Deployment", json::text_at(deployment, &["name"]).to_owned()))
            }),
            _ => None,
        };
        if let Some((kind, name)) = counted {
            self.controlled.insert((kind, plan.namespace.clone(), name));
        }
    }

    /// Forgets a node that goes by a scenario's own word: what becomes of its pods is told there.
    pub(super) fn forget_node(&mut self, node: &str) {
        self.nodes_seen.remove(node);
        self.nodes_gone.remove(node);
    }

    /// Does what somebody wished since the last time.
    pub(super) fn control(&mut self, now: Timestamp) {
        self.collect(now);
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

    /// Brings a `ReplicaSet` to a number of pods.
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

/// A `ReplicaSet` for a Deployment's template.
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

#[cfg(test)]
mod tests;
