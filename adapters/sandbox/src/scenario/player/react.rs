//! Reactions: what controllers and kubelets do when somebody did something.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Due, Player, STARTING, Scene, shift};
use crate::scenario::format::{On, PodEntry, Reaction, Scenario, Trigger};
use crate::scenario::identity::Seed;
use crate::scenario::json;
use crate::scenario::node;
use crate::scenario::pod::{Course, PodPlan, build};
use crate::scenario::time::{Moment, Time};

/// What a reaction answers to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct That {
    pub(super) kind: String,
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
}

/// How many finalizers an object has.
pub(super) fn finalizers(object: &Value) -> usize {
    json::at(object, &["metadata", "finalizers"]).and_then(Value::as_array).map_or(0, Vec::len)
}

impl Player {
    /// Schedules the reactions whose condition has come to hold.
    pub(super) fn react(&mut self, now: Timestamp) {
        for index in self.begun.clone() {
            let Some(scenario) = self.scenarios.get(index).map(Arc::clone) else {
                continue;
            };
            for (number, reaction) in scenario.text.reactions.iter().enumerate() {
                let holds = self.holding(index, &scenario, reaction);
                self.note(index, number, reaction, holds, now);
            }
        }
    }

    /// Schedules what is new, and forgets what no longer holds.
    fn note(&mut self, index: usize, number: usize, reaction: &Reaction, holds: Vec<Option<That>>, now: Timestamp) {
        let key = |that: &Option<That>| that.as_ref().map_or_else(String::new, |that| that.uid.clone());
        let keys: BTreeSet<String> = holds.iter().map(key).collect();
        self.fired.retain(|(i, n, uid)| *i != index || *n != number || keys.contains(uid));
        for that in holds {
            if self.fired.insert((index, number, key(&that))) {
                self.schedule(shift(now, reaction.after.0), Due::React(index, number, that));
            }
        }
    }

    /// The objects for which a reaction's condition holds; `None` in the list where there is no object to it.
    fn holding(&self, index: usize, scenario: &Scenario, reaction: &Reaction) -> Vec<Option<That>> {
        let when = &reaction.when;
        let namespace = match when.namespace.as_deref() {
            Some("*") => None,
            Some(namespace) => Some(namespace),
            None => Some(scenario.namespace()),
        };
        if when.on == On::Gone {
            return self.gone(when, namespace).into_iter().map(Some).collect();
        }
        let Some(resource) = self.resource("", &when.target.kind) else {
            return Vec::new();
        };
        let namespace = namespace.filter(|_| resource.namespaced);
        let listed = self.sandbox.list(&resource.api_version(), &when.target.kind, namespace);
        let mut fitting =
            listed.into_iter().filter(|object| when.target.fits(json::text_at(object, &["metadata", "name"])));
        match when.on {
            On::Absent if fitting.next().is_none() => vec![None],
            On::Absent | On::Gone => Vec::new(),
            On::Exists => fitting.filter(|object| has(object, when)).map(|object| Some(that(&object))).collect(),
            On::Deleting => {
                let waits = reaction.remove.iter().any(|what| what == "that");
                let counts =
                    |object: &Arc<Value>| self.is_asked_away(index, object, when) && !(waits && finalizers(object) > 0);
                fitting.filter(counts).map(|object| Some(that(&object))).collect()
            }
        }
    }

    /// Tells whether somebody asked for this deletion and this reaction is the one to answer.
    fn is_asked_away(&self, index: usize, object: &Value, when: &Trigger) -> bool {
        let uid = json::text_at(object, &["metadata", "uid"]);
        let scripted = self.scripted.contains(uid) && !self.is_shortened(object);
        if json::at(object, &["metadata", "deletionTimestamp"]).is_none() || scripted || !has(object, when) {
            return false;
        }
        if when.on_ready_node && !self.is_on_ready_node(object) {
            return false;
        }
        when.namespace.as_deref() != Some("*") || !self.has_own_reaction(index, object)
    }

    /// Tells whether another scenario answers to the deletion of this very object.
    fn has_own_reaction(&self, index: usize, object: &Value) -> bool {
        let (kind, name) = (json::text_at(object, &["kind"]), json::text_at(object, &["metadata", "name"]));
        let namespace = json::text_at(object, &["metadata", "namespace"]);
        let others = self.begun.iter().filter(|other| **other != index).filter_map(|other| self.scenarios.get(*other));
        others.into_iter().any(|scenario| {
            scenario.text.reactions.iter().any(|reaction| {
                let when = &reaction.when;
                let place = when.namespace.as_deref().unwrap_or(scenario.namespace());
                when.on == On::Deleting && place == namespace && when.target.kind == kind && when.target.fits(name)
            })
        })
    }

    /// Tells whether somebody shortened the grace period of a pod that a scenario wrote as leaving: the kubelet kills what
    /// is left of it then. One whose grace was over is not killed by that.
    fn is_shortened(&self, object: &Value) -> bool {
        let field = |key: &str| json::text_at(object, &["metadata", key]).to_owned();
        let Some(plan) = self.plans.get(&(field("namespace"), field("name"))) else {
            return false;
        };
        let Some(deleting) = &plan.entry.deleting else {
            return false;
        };
        let grace = json::at(object, &["metadata", "deletionGracePeriodSeconds"]).and_then(Value::as_u64);
        let end = shift(plan.moment.resolve(deleting.at), SignedDuration::from_secs(deleting.grace.into()));
        grace.is_some_and(|grace| grace < u64::from(deleting.grace)) && end > self.sandbox.now()
    }

    fn is_on_ready_node(&self, pod: &Value) -> bool {
        let name = json::text_at(pod, &["spec", "nodeName"]);
        name.is_empty() || self.sandbox.get("v1", "Node", "", name).is_some_and(|node| node::is_ready(&node))
    }

    /// The pods that are gone and that their owner still wants.
    fn gone(&self, when: &Trigger, namespace: Option<&str>) -> Vec<That> {
        let missing = self.plans.values().filter(|plan| {
            namespace.is_none_or(|namespace| namespace == plan.namespace)
                && when.target.fits(&plan.name)
                && plan.owner.is_some()
                && self.sandbox.get("v1", "Pod", &plan.namespace, &plan.name).is_none()
        });
        let wanted = missing.filter(|plan| self.owner_wants(plan));
        wanted
            .map(|plan| That {
                kind: "Pod".to_owned(),
                namespace: plan.namespace.clone(),
                name: plan.name.clone(),
                uid: format!("gone {}/{} {}", plan.namespace, plan.name, plan.salt),
            })
            .collect()
    }

    fn owner_wants(&self, plan: &PodPlan) -> bool {
        let Some(reference) = &plan.owner else {
            return false;
        };
        let field = |key: &str| json::text_at(reference, &[key]);
        let owner = self.sandbox.get(field("apiVersion"), field("kind"), &plan.namespace, field("name"));
        let Some(owner) = owner.filter(|owner| json::text_at(owner, &["metadata", "uid"]) == field("uid")) else {
            return false;
        };
        if json::at(&owner, &["metadata", "deletionTimestamp"]).is_some() {
            return false;
        }
        match json::at(&owner, &["spec", "replicas"]).and_then(Value::as_u64) {
            Some(wanted) => self.pods_of(plan, field("uid")) < usize::try_from(wanted).unwrap_or(usize::MAX),
            // A Job that has ended wants nothing more.
            None => !json::at(&owner, &["status", "conditions"]).and_then(Value::as_array).is_some_and(|list| {
                list.iter().any(|condition| matches!(json::text_at(condition, &["type"]), "Complete" | "Failed"))
            }),
        }
    }

    fn pods_of(&self, plan: &PodPlan, owner: &str) -> usize {
        let pods = self.sandbox.list("v1", "Pod", Some(&plan.namespace));
        let is_of = |pod: &&Arc<Value>| {
            let references = json::at(pod, &["metadata", "ownerReferences"]).and_then(Value::as_array);
            references.into_iter().flatten().any(|reference| json::text_at(reference, &["uid"]) == owner)
                && json::at(pod, &["metadata", "deletionTimestamp"]).is_none()
                && !matches!(json::text_at(pod, &["status", "phase"]), "Failed" | "Succeeded")
        };
        pods.iter().filter(is_of).count()
    }

    /// Does what a reaction says.
    pub(super) fn do_reaction(&mut self, index: usize, number: usize, that: Option<&That>, at: Timestamp) {
        let Some(scenario) = self.scenarios.get(index).map(Arc::clone) else {
            return;
        };
        let Some(reaction) = scenario.text.reactions.get(number) else {
            return;
        };
        let scene = Scene { index, scenario: &scenario, moment: Moment::at(at, self.nodes), created: Time::NOW };
        self.apply(&scene, &reaction.part(), that);
        if let (true, Some(that)) = (reaction.recreate, that) {
            self.recreate(&scene, that, at);
        }
    }

    /// Makes a new pod in the place of one that is gone.
    fn recreate(&mut self, scene: &Scene<'_>, that: &That, at: Timestamp) {
        let key = (that.namespace.clone(), that.name.clone());
        let still_gone = self.sandbox.get("v1", "Pod", &that.namespace, &that.name).is_none();
        let Some(mut plan) = self.plans.get(&key).filter(|plan| still_gone && self.owner_wants(plan)).cloned() else {
            return;
        };
        self.plans.remove(&key);
        // One that had ended or was on its way out is followed by one that is well.
        if plan.entry.deleting.is_some() || json::text(&plan.entry.status, "phase") == "Failed" {
            plan.entry = PodEntry { node: plan.entry.node.clone(), ..PodEntry::default() };
        }
        if let Some(node) = plan.entry.node.clone().filter(|_| !plan.daemon)
            && !self.sandbox.get("v1", "Node", "", &node).is_some_and(|node| takes_pods(&node))
        {
            plan.entry.node = Some(another_node(&plan.name, &node));
        }
        let owner = plan.owner.as_ref().map(|owner| json::text_at(owner, &["kind"]).to_owned()).unwrap_or_default();
        plan.salt = format!("{} {}", plan.salt, at.as_millisecond());
        if owner != "StatefulSet" {
            let prefix = plan.generate_name.clone().unwrap_or_default();
            plan.name = format!("{prefix}{}", Seed::of(&[&plan.name, &plan.salt]).letters(5));
        }
        plan.created = Time::Absolute(at);
        plan.moment = Moment { at, not_before: Some(at), nodes: self.nodes };
        plan.course = Course::Starting;
        plan.entry.name = None;
        self.put_pod(scene, &plan);
        if plan.entry.node.is_some() {
            self.schedule(shift(at, STARTING), Due::Started(Box::new(plan.clone())));
        }
        self.count_again(&plan);
        self.plans.insert((plan.namespace.clone(), plan.name.clone()), plan);
    }

    /// The containers of a new pod have started, and take the course of those before.
    pub(super) fn started(&mut self, plan: &PodPlan, at: Timestamp) {
        let mut plan = plan.clone();
        plan.moment.at = at;
        plan.course = Course::Again;
        let built = build(&plan);
        let present = self.sandbox.get("v1", "Pod", &plan.namespace, &plan.name);
        let uid = json::text_at(&built.object, &["metadata", "uid"]);
        let lives = |pod: &Arc<Value>| {
            json::text_at(pod, &["metadata", "uid"]) == uid
                && json::at(pod, &["metadata", "deletionTimestamp"]).is_none()
        };
        // A pod of a workload that somebody made belongs to no scenario.
        let index = self.scenarios.iter().position(|scenario| scenario.name == plan.scenario).unwrap_or_default();
        let Some(scenario) = self.scenarios.get(index).map(Arc::clone) else {
            return;
        };
        if present.is_some_and(|pod| lives(&pod)) {
            let scene = Scene { index, scenario: &scenario, moment: plan.moment, created: Time::NOW };
            self.put_pod(&scene, &plan);
        }
    }

    pub(super) fn put_pod(&mut self, scene: &Scene<'_>, plan: &PodPlan) {
        let built = build(plan);
        for object in std::iter::once(built.object).chain(built.events) {
            self.put(scene, json::map_of(object));
        }
        for log in built.logs {
            self.sandbox.set_log(&log.namespace, &log.pod, &log.container, log.previous, &log.text);
        }
    }
}

/// Tells whether a node is ready and not closed for new pods.
fn takes_pods(node: &Value) -> bool {
    node::is_ready(node) && json::at(node, &["spec", "unschedulable"]) != Some(&Value::Bool(true))
}

/// A node of the common ones that is another than this.
fn another_node(pod: &str, node: &str) -> String {
    let first = Seed::of(&["node", pod]).below(4);
    let name = |step: u64| format!("worker-{}", (first + step) % 4 + 1);
    if name(0) == node { name(1) } else { name(0) }
}

fn that(object: &Value) -> That {
    let field = |path: &[&str]| json::text_at(object, path).to_owned();
    That {
        kind: field(&["kind"]),
        namespace: field(&["metadata", "namespace"]),
        name: field(&["metadata", "name"]),
        uid: field(&["metadata", "uid"]),
    }
}

/// Tells whether the field is there that a reaction waits for: `data.password`; keys with dots are taken as they come.
fn has(object: &Value, when: &Trigger) -> bool {
    let Some(path) = &when.has else {
        return true;
    };
    let mut value = object;
    let mut rest = path.as_str();
    loop {
        if let Some(found) = value.get(rest) {
            return !found.is_null();
        }
        let Some((key, after)) = rest.split_once('.') else {
            return false;
        };
        let Some(inner) = value.get(key) else {
            return false;
        };
        (value, rest) = (inner, after);
    }
}
