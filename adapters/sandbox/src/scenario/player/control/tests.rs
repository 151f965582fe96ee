use std::time::Duration;

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::Player;
use crate::scenario::Scenario;
use crate::{Clock, Sandbox};

const STORY: &str = r#"
title: A small cluster
kind: healthy
namespace: shop
workloads:
- kind: Deployment
  name: cart
  replicas: 2
  revision: {number: 4, at: T-5m, before: {containers: [{name: app, image: "shop/cart:1"}]}}
  pod: {containers: [{name: app, image: "shop/cart:2"}]}
  pods:
  - {name: cart-7c9d8-aaaaa, node: worker-1, containers: &crash {app: {waiting: {reason: CrashLoopBackOff}, restarts: 3, last: {exitCode: 2}}}}
  - {name: cart-7c9d8-bbbbb, node: worker-2, containers: *crash}
- kind: StatefulSet
  name: db
  replicas: 2
  pod: {containers: [{name: db, image: "postgres:16"}]}
  pods: [{node: worker-1}, {node: worker-2}]
- kind: Deployment
  name: idle
  replicas: 0
  pod: {containers: [{name: app, image: "shop/idle:1"}]}
  pods: []
- kind: StatefulSet
  name: slow
  pod: {terminationGracePeriodSeconds: 600, containers: [{name: app, image: "shop/slow:1"}]}
  pods: [{node: worker-1, deleting: {at: T-1m, grace: 600}, containers: {app: {running: {}}}}]
- kind: StatefulSet
  name: lost
  pod: {containers: [{name: app, image: "shop/lost:1"}]}
  pods: [{node: worker-gone}]
objects:
- {kind: Node, metadata: {name: worker-1}}
- {kind: Node, metadata: {name: worker-2}}
- {kind: Node, metadata: {name: worker-3}}
- {kind: Node, metadata: {name: worker-4}}
reactions:
- when: {deleting: Pod/*, namespace: "*", on_ready_node: true}
  after: 3s
  remove: [that]
- when: {gone: Pod/*, namespace: "*"}
  after: 1s
  recreate: true
"#;

struct World {
    clock: Clock,
    sandbox: Sandbox,
    player: Player,
}

impl World {
    fn new() -> Self {
        let clock = Clock::fixed("2026-11-20T10:00:00Z".parse().unwrap());
        let sandbox = Sandbox::new(clock.clone());
        let player = Player::new(sandbox.clone(), vec![Scenario::parse("small", STORY).unwrap()]);
        let mut world = Self { clock, sandbox, player };
        world.wait(1);
        world
    }

    fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.clock.advance(Duration::from_secs(1));
            self.player.advance(self.clock.now()).unwrap();
        }
    }

    fn change(&mut self, kind: &str, name: &str, change: impl FnOnce(&mut Value)) {
        let mut object = (*self.sandbox.get("apps/v1", kind, "shop", name).unwrap()).clone();
        change(&mut object);
        self.sandbox.put(object).unwrap();
    }

    /// Name, image of the first container, ready.
    fn pods(&self, of: &str) -> Vec<(String, String, bool)> {
        let pods = self.sandbox.list("v1", "Pod", Some("shop"));
        let own = pods.iter().filter(|pod| pod["metadata"]["name"].as_str().unwrap().starts_with(of));
        own.map(|pod| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let image = text(&pod["spec"]["containers"][0]["image"]);
            (text(&pod["metadata"]["name"]), image, super::is_ready(pod))
        })
        .collect()
    }

    fn status(&self, kind: &str, name: &str) -> Value {
        self.sandbox.get("apps/v1", kind, "shop", name).unwrap()["status"].clone()
    }
}

#[test]
fn what_nobody_changed_stays_as_it_was_written() {
    let mut world = World::new();
    let before: Vec<Value> = world.sandbox.everything().iter().map(|object| (**object).clone()).collect();
    world.wait(5);
    let after: Vec<Value> = world.sandbox.everything().iter().map(|object| (**object).clone()).collect();
    assert_eq!(before, after);
}

#[test]
fn scaling_up_from_nothing_makes_pods_that_get_ready() {
    let mut world = World::new();
    world.change("Deployment", "idle", |object| {
        object["spec"]["replicas"] = json!(2);
    });
    world.wait(1);
    assert_eq!(world.pods("idle").len(), 2);
    assert_eq!(world.status("Deployment", "idle")["unavailableReplicas"], 2);
    world.wait(10);
    assert!(world.pods("idle").iter().all(|(_, _, ready)| *ready));
    assert_eq!(world.status("Deployment", "idle")["readyReplicas"], 2);
}

#[test]
fn scaling_up_makes_more_of_the_same_trouble() {
    let mut world = World::new();
    world.change("Deployment", "cart", |object| {
        object["spec"]["replicas"] = json!(4);
    });
    world.wait(12);
    let pods = world.pods("cart");
    assert_eq!((pods.len(), pods.iter().filter(|(_, _, ready)| *ready).count()), (4, 0), "{pods:?}");
}

#[test]
fn scaling_down_lets_pods_go() {
    let mut world = World::new();
    world.change("Deployment", "cart", |object| {
        object["spec"]["replicas"] = json!(1);
    });
    world.change("StatefulSet", "db", |object| {
        object["spec"]["replicas"] = json!(1);
    });
    world.wait(8);
    assert_eq!(world.pods("cart").len(), 1);
    assert_eq!(world.pods("db"), [("db-0".to_owned(), "postgres:16".to_owned(), true)]);
}

#[test]
fn going_back_to_the_revision_before_heals() {
    let mut world = World::new();
    let old = world.sandbox.list("apps/v1", "ReplicaSet", Some("shop"));
    let old = old.iter().find(|set| set["metadata"]["annotations"][super::REVISION] == "3").unwrap();
    let mut template = old["spec"]["template"].clone();
    template["metadata"]["labels"].as_object_mut().unwrap().remove(super::HASH);
    world.change("Deployment", "cart", |object| {
        object["spec"]["template"] = template;
    });
    world.wait(12);
    let pods = world.pods("cart");
    assert!(pods.len() == 2 && pods.iter().all(|(_, image, ready)| image == "shop/cart:1" && *ready), "{pods:?}");
    let set = world.sandbox.get("apps/v1", "ReplicaSet", "shop", old["metadata"]["name"].as_str().unwrap()).unwrap();
    assert_eq!(set["metadata"]["annotations"][super::REVISION], "5");
}

#[test]
fn a_restart_crashes_again_and_a_changed_spec_does_not() {
    let mut world = World::new();
    let restart = json!({"kubectl.kubernetes.io/restartedAt": "2026-11-20T10:00:01Z"});
    world.change("Deployment", "cart", |object| {
        object["spec"]["template"]["metadata"]["annotations"] = restart;
    });
    world.wait(12);
    let pods = world.pods("cart");
    assert!(pods.len() == 2 && pods.iter().all(|(name, _, ready)| !name.contains("7c9d8") && !*ready), "{pods:?}");
    world.change("Deployment", "cart", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("shop/cart:3");
    });
    world.wait(12);
    let pods = world.pods("cart");
    assert!(pods.len() == 2 && pods.iter().all(|(_, image, ready)| image == "shop/cart:3" && *ready), "{pods:?}");
}

#[test]
fn a_deployment_that_somebody_makes_gets_its_pods() {
    let mut world = World::new();
    let labels = json!({"app": "hello"});
    world
        .sandbox
        .put(json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "hello", "namespace": "shop"},
            "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": {
                "metadata": {"labels": labels}, "spec": {"containers": [{"name": "hello", "image": "nginx"}]}}},
        }))
        .unwrap();
    world.wait(10);
    assert!(matches!(world.pods("hello").as_slice(), [(_, _, true)]), "{:?}", world.pods("hello"));
    assert_eq!(world.status("Deployment", "hello")["readyReplicas"], 1);
}

#[test]
fn a_changed_stateful_set_replaces_its_pods_under_their_names() {
    let mut world = World::new();
    let wait = SignedDuration::from_secs(15);
    world.change("StatefulSet", "db", |object| {
        object["spec"]["template"]["spec"]["containers"][0]["image"] = json!("postgres:17");
    });
    world.wait(wait.as_secs().unsigned_abs());
    let pods = world.pods("db");
    assert!(pods.len() == 2 && pods.iter().all(|(_, image, ready)| image == "postgres:17" && *ready), "{pods:?}");
}

#[test]
fn a_shorter_grace_ends_a_pod_that_takes_its_time_and_the_next_is_well() {
    let mut world = World::new();
    world.wait(10);
    let slow = world.sandbox.get("v1", "Pod", "shop", "slow-0").unwrap();
    assert!(slow["metadata"]["deletionTimestamp"].is_string(), "nobody shortened it yet");
    let mut shorter = (*slow).clone();
    shorter["metadata"]["deletionGracePeriodSeconds"] = json!(1);
    world.sandbox.put(shorter).unwrap();
    world.wait(15);
    let next = world.sandbox.get("v1", "Pod", "shop", "slow-0").unwrap();
    assert!(next["metadata"]["deletionTimestamp"].is_null() && next["metadata"]["uid"] != slow["metadata"]["uid"]);
    assert!(super::is_ready(&next), "{next}");
}

#[test]
fn the_pod_of_a_node_that_is_gone_is_made_anew_on_another() {
    let mut world = World::new();
    world.sandbox.remove("v1", "Pod", "shop", "lost-0");
    world.wait(12);
    let next = world.sandbox.get("v1", "Pod", "shop", "lost-0").unwrap();
    assert!(next["spec"]["nodeName"] != "worker-gone" && super::is_ready(&next), "{next}");
}

#[test]
fn the_pods_of_a_deleted_node_go_and_are_made_anew_elsewhere() {
    let mut world = World::new();
    world.sandbox.remove("v1", "Node", "", "worker-1");
    world.wait(20);
    let db = world.sandbox.get("v1", "Pod", "shop", "db-0").unwrap();
    assert!(db["spec"]["nodeName"] != "worker-1" && super::is_ready(&db), "{db}");
    assert!(world.pods("cart").iter().all(|(name, _, _)| name != "cart-7c9d8-aaaaa"));
    assert_eq!(world.pods("cart").len(), 2);
    // Its node was never there: nobody deleted it.
    assert_eq!(world.sandbox.get("v1", "Pod", "shop", "lost-0").unwrap()["spec"]["nodeName"], "worker-gone");
}
