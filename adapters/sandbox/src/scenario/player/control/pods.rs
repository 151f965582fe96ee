//! Pods and events as controllers write them.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::{HASH, NODES, name_of, namespace_of};
use crate::scenario::event::{Regarding, write_event};
use crate::scenario::format::PodEntry;
use crate::scenario::identity::Seed;
use crate::scenario::json::{self, Map};
use crate::scenario::player::{Due, PlayError, Player, STARTING, Scene, shift};
use crate::scenario::pod::{Course, PodPlan, normal};
use crate::scenario::time::{Moment, Time, write};

impl Player {
    /// Makes a pod of an owner, with the course of a model or, without one, well.
    pub(super) fn make_pod(&mut self, owner: &Value, name: &str, model: Option<&PodPlan>, now: Timestamp) {
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
    pub(super) fn ask_away(&mut self, pod: &Value, now: Timestamp) {
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

    /// Stores what a controller writes. All of it was served before, or is made of what was.
    pub(super) fn store(&mut self, object: Value) {
        if let Err(status) = self.sandbox.put(object) {
            self.fail(PlayError::Unknown { scenario: "controllers".to_owned(), what: status.message });
        }
    }

    /// An event about an object.
    pub(super) fn tell(&mut self, about: &Value, reason: &str, message: String, now: Timestamp) {
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

    fn moment(&self, now: Timestamp) -> Moment {
        Moment::at(now, self.nodes)
    }
}
