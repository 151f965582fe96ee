//! The status of workloads that somebody changed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Wish, is_ready};
use crate::scenario::json::{self, Map};
use crate::scenario::player::Player;
use crate::scenario::time::write;

impl Player {
    /// Writes the status that a controller would.
    pub(super) fn recount(&mut self, kind: &'static str, namespace: &str, name: &str, now: Timestamp) {
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
            let uid = json::text_at(&owner, &["metadata", "uid"]);
            let pods = self.sandbox.list("v1", "Pod", Some(namespace));
            let own: Vec<_> = pods.iter().filter(|pod| super::has_owner(pod, uid)).collect();
            // Pods on their way out are pods of the set still.
            (all, updated) = (own.len(), self.pods_owned_by(namespace, uid).len());
            ready = own.iter().filter(|pod| is_ready(pod)).count();
            set_count(&mut status, "currentReplicas", updated);
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
        let pods = self.pods_owned_by(super::namespace_of(set), json::text_at(set, &["metadata", "uid"]));
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
        // A rollout whose time is over stays so until it is through.
        let is_over = type_ == "Progressing" && same("status", "False") && !complete;
        if is_over || same("status", state) && same("reason", reason) {
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
