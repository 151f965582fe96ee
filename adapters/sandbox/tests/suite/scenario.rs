//! Scenarios: what is refused, what the shorthand stands for, and how a player plays.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use kubewhy_sandbox::scenario::{Player, Scenario};
use kubewhy_sandbox::{Clock, Sandbox};
use serde_json::{Value, json};

const START: &str = "2026-11-20T10:00:00Z";

/// What a cluster's kubelets and controllers do.
const CLUSTER: &str = r#"
title: nodes and their kubelets
kind: healthy
objects:
- {kind: Node, metadata: {name: worker-1}}
- {kind: Node, metadata: {name: worker-2}}
- {kind: Node, metadata: {name: worker-lost}, status: {conditions: [{type: Ready, status: Unknown, reason: NodeStatusUnknown}]}}
- {kind: Lease, metadata: {name: worker-lost, namespace: kube-node-lease}, spec: {holderIdentity: worker-lost, renewTime: T-10m}}
reactions:
- {when: {deleting: Pod/*, namespace: "*", on_ready_node: true}, after: 3s, remove: [that]}
- {when: {gone: Pod/*, namespace: "*"}, after: 1s, recreate: true}
"#;

const CART: &str = r#"
title: a crash loop
kind: exit
namespace: shop
workloads:
- kind: Deployment
  name: cart
  replicas: 3
  created: T-12d
  revision: {number: 14, at: T-4m, before: {containers: [{name: app, image: "shop/cart:1.4.2"}]}}
  pod:
    containers:
    - {name: app, image: "shop/cart:1.4.3", ports: [{containerPort: 8080}], resources: {limits: {memory: 128Mi}}}
  pods:
  - {revision: before, node: worker-1, created: T-3d}
  - {revision: before, node: worker-2, created: T-3d}
  - node: worker-2
    created: T-4m
    containers: {app: {waiting: {reason: CrashLoopBackOff}, restarts: 5, last: {exitCode: 1, started: T-40s, finished: T-38s}}}
    events: [{type: Warning, reason: BackOff, message: "Back-off restarting failed container app in pod {pod}", count: 12, first: T-3m, last: T-5s}]
    logs: {app.previous: "${T-38s} cannot start\n"}
"#;

struct Stage {
    clock: Clock,
    sandbox: Sandbox,
    player: Player,
}

impl Stage {
    fn of(texts: &[(&str, &str)]) -> Self {
        let clock = Clock::fixed(START.parse().expect("a time"));
        let sandbox = Sandbox::new(clock.clone());
        let scenarios = texts.iter().map(|(name, text)| Scenario::parse(name, text).expect("a scenario")).collect();
        let player = Player::new(sandbox.clone(), scenarios);
        let mut stage = Self { clock, sandbox, player };
        stage.after(0);
        stage
    }

    /// Plays up to so many seconds later.
    fn after(&mut self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
        self.player.advance(self.clock.now()).expect("everything is played");
    }

    fn pods(&self, namespace: &str) -> Vec<Value> {
        self.sandbox.list("v1", "Pod", Some(namespace)).iter().map(|pod| Value::clone(pod)).collect()
    }

    fn names(&self, namespace: &str) -> Vec<String> {
        self.pods(namespace).iter().map(|pod| text(pod, "/metadata/name").to_owned()).collect()
    }

    /// What the API does when somebody deletes a pod with grace.
    fn delete(&self, namespace: &str, name: &str) {
        let mut pod = Value::clone(&self.sandbox.get("v1", "Pod", namespace, name).expect("the pod"));
        pod["metadata"]["deletionTimestamp"] = json!("2026-11-20T10:00:30Z");
        pod["metadata"]["deletionGracePeriodSeconds"] = json!(30);
        self.sandbox.put(pod).expect("it is taken");
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn condition<'a>(object: &'a Value, type_: &str) -> &'a Value {
    let list = object.pointer("/status/conditions").and_then(Value::as_array).expect("conditions");
    list.iter().find(|condition| condition["type"] == type_).expect("the condition")
}

#[test]
fn a_wrong_file_is_refused_with_the_path_of_its_key() {
    let head = "title: t\nkind: exit\n";
    for (body, expected) in [
        ("nodes: []", "unknown field `nodes`"),
        (
            "workloads: [{kind: Deployment, name: a, pod: {}, pods: [{nod: x}]}]",
            "at workloads[0].pods[0].nod: unknown field `nod`",
        ),
        ("workloads: [{kind: Gizmo, name: a, pod: {}}]", "at workloads[0].kind: unknown variant `Gizmo`"),
        ("steps: [{after: soon}]", "at steps[0].after: \"soon\" is no span"),
        ("events: [{reason: A, last: yesterday}]", "at events[0].last: \"yesterday\" is no time"),
        ("reactions: [{when: {deleting: Pod/a, absent: Pod/b}}]", "exactly one of"),
        ("reactions: [{when: {deleting: a}}]", "\"a\" is not of the form Kind/name"),
        ("title: again", "is no YAML"),
        ("objects: [", "is no YAML"),
    ] {
        let error = Scenario::parse("broken", &format!("{head}{body}")).unwrap_err().to_string();
        assert!(error.contains(expected) && error.starts_with("\"broken\""), "{body}: {error}");
    }
    assert!(Scenario::parse("huge", &" ".repeat(2 << 20)).unwrap_err().to_string().contains("larger than"));
}

#[test]
fn an_object_of_an_unknown_kind_is_named_and_the_rest_is_played() {
    let text =
        "title: t\nkind: exit\nobjects: [{kind: Gizmo, metadata: {name: a}}, {kind: ConfigMap, metadata: {name: b}}]";
    let sandbox = Sandbox::new(Clock::fixed(START.parse().unwrap()));
    let mut player = Player::new(sandbox.clone(), vec![Scenario::parse("odd", text).unwrap()]);
    let error = player.advance(sandbox.now()).unwrap_err().to_string();
    assert_eq!(error, "scenario \"odd\": \"Gizmo\" names nothing that is served");
    assert!(sandbox.get("v1", "ConfigMap", "default", "b").is_some());
}

#[test]
fn a_deployment_stands_for_its_replica_sets_and_pods_as_controllers_write_them() {
    let stage = Stage::of(&[("cluster", CLUSTER), ("cart", CART)]);
    let deployment = stage.sandbox.get("apps/v1", "Deployment", "shop", "cart").unwrap();
    assert_eq!(deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"], "14");
    assert_eq!(deployment["status"]["replicas"], 3);
    assert_eq!(deployment["status"]["updatedReplicas"], 1);
    assert_eq!(deployment["status"]["readyReplicas"], 2);
    assert_eq!(deployment["status"]["unavailableReplicas"], 1);
    assert_eq!(condition(&deployment, "Progressing")["reason"], "ReplicaSetUpdated");
    let sets = stage.sandbox.list("apps/v1", "ReplicaSet", Some("shop"));
    let images: Vec<&str> = sets.iter().map(|set| text(set, "/spec/template/spec/containers/0/image")).collect();
    assert_eq!(sets.len(), 2);
    assert!(images.contains(&"shop/cart:1.4.2") && images.contains(&"shop/cart:1.4.3"), "{images:?}");
    let pods = stage.pods("shop");
    let crashing = pods
        .iter()
        .find(|pod| text(pod, "/status/containerStatuses/0/state/waiting/reason") == "CrashLoopBackOff")
        .unwrap();
    let set =
        sets.iter().find(|set| set["metadata"]["uid"] == crashing["metadata"]["ownerReferences"][0]["uid"]).unwrap();
    assert_eq!(set["metadata"]["labels"]["pod-template-hash"], crashing["metadata"]["labels"]["pod-template-hash"]);
    let (name, uid) = (text(crashing, "/metadata/name"), text(crashing, "/metadata/uid"));
    let status = &crashing["status"]["containerStatuses"][0];
    assert_eq!(
        text(status, "/state/waiting/message"),
        format!("back-off 2m40s restarting failed container=app pod={name}_shop({uid})")
    );
    assert_eq!(status["lastState"]["terminated"]["finishedAt"], "2026-11-20T09:59:22Z");
    assert_eq!(status["lastState"]["terminated"]["reason"], "Error");
    assert!(text(status, "/imageID").starts_with("docker.io/shop/cart@sha256:"));
    assert_eq!(crashing["status"]["phase"], "Running");
    assert_eq!(crashing["status"]["qosClass"], "Burstable");
    assert_eq!(condition(crashing, "Ready")["message"], "containers with unready status: [app]");
    assert_eq!(crashing["spec"]["containers"][0]["resources"]["requests"]["memory"], "128Mi");
    let events = stage.sandbox.list("v1", "Event", Some("shop"));
    let event = events.iter().find(|event| text(event, "/reason") == "BackOff").unwrap();
    assert_eq!(event["involvedObject"]["fieldPath"], "spec.containers{app}");
    assert_eq!(text(event, "/message"), format!("Back-off restarting failed container app in pod {name}"));
    assert!(events.iter().any(|event| text(event, "/reason") == "Scheduled" && event["action"] == "Binding"));
}

#[test]
fn the_same_scenario_gives_the_same_names_and_uids_and_another_one_others() {
    let ids = |name: &str| -> Vec<(String, String)> {
        let stage = Stage::of(&[("cluster", CLUSTER), (name, CART)]);
        let id = |pod: &Value| (text(pod, "/metadata/name").to_owned(), text(pod, "/metadata/uid").to_owned());
        stage.pods("shop").iter().map(id).collect()
    };
    assert_eq!(ids("cart"), ids("cart"));
    assert!(ids("cart").iter().all(|id| !ids("other").contains(id)));
}

#[test]
fn a_deleted_pod_goes_away_and_its_owner_makes_one_that_takes_the_same_course() {
    let mut stage = Stage::of(&[("cluster", CLUSTER), ("cart", CART)]);
    let before = stage.names("shop");
    let crashing = |pods: &[Value]| {
        let found = pods.iter().find(|pod| text(pod, "/metadata/creationTimestamp") > "2026-11-20T09:00:00Z");
        text(found.unwrap(), "/metadata/name").to_owned()
    };
    let victim = crashing(&stage.pods("shop"));
    stage.delete("shop", &victim);
    stage.after(0);
    assert_eq!(stage.names("shop"), before);
    stage.after(3);
    assert_eq!(stage.names("shop").len(), 2);
    stage.after(1);
    let pods = stage.pods("shop");
    let new = pods.iter().find(|pod| !before.contains(&text(pod, "/metadata/name").to_owned())).unwrap();
    assert_eq!(text(new, "/status/containerStatuses/0/state/waiting/reason"), "ContainerCreating");
    assert_eq!(text(new, "/metadata/creationTimestamp"), "2026-11-20T10:00:04Z");
    stage.after(10);
    let new = stage.sandbox.get("v1", "Pod", "shop", text(new, "/metadata/name")).unwrap();
    let status = &new["status"]["containerStatuses"][0];
    assert_eq!(text(status, "/state/waiting/reason"), "CrashLoopBackOff");
    assert_eq!(status["restartCount"], 1);
    assert!(text(status, "/lastState/terminated/startedAt") >= "2026-11-20T10:00:04Z");
}

#[test]
fn a_pod_stays_where_nobody_can_let_it_go() {
    let mut stage = Stage::of(&[
        ("cluster", CLUSTER),
        (
            "stuck",
            "title: t\nkind: terminating\nnamespace: shop\nworkloads:\n\
             - {kind: Pod, name: lost, pod: {containers: [{name: a, image: b}]}, pods: [{node: worker-lost}]}\n\
             - {kind: Pod, name: held, pod: {containers: [{name: a, image: b}]}, pods: [{node: worker-1, metadata: {finalizers: [example.com/hold]}}]}\n\
             - {kind: Pod, name: deaf, pod: {containers: [{name: a, image: b}]}, pods: [{node: worker-1, deleting: {at: T-10m}}]}\n",
        ),
    ]);
    assert_eq!(text(&stage.pods("shop")[0], "/metadata/deletionTimestamp"), "2026-11-20T09:50:30Z");
    stage.delete("shop", "lost");
    stage.delete("shop", "held");
    stage.after(60);
    assert_eq!(stage.names("shop"), ["deaf", "held", "lost"]);
    let mut held = Value::clone(&stage.sandbox.get("v1", "Pod", "shop", "held").unwrap());
    held["metadata"].as_object_mut().unwrap().remove("finalizers");
    stage.sandbox.put(held).unwrap();
    stage.after(0);
    stage.after(5);
    assert_eq!(stage.names("shop"), ["deaf", "lost"]);
}

#[test]
fn steps_come_at_their_time_and_skipping_plays_them_in_their_order() {
    let story = "title: t\nkind: exit\nbegins: 10s\nobjects: [{kind: ConfigMap, metadata: {name: m}, data: {at: T, state: begun}}]\n\
        steps:\n- {after: 30s, objects: [{kind: ConfigMap, metadata: {name: m}, data: {state: worse, later: T+1m}}]}\n\
        - {after: 60s, remove: [ConfigMap/m*]}\n";
    let data = |stage: &Stage| stage.sandbox.get("v1", "ConfigMap", "default", "m").map(|map| map["data"].clone());
    let mut stage = Stage::of(&[("story", story)]);
    assert_eq!(data(&stage), None);
    assert_eq!(stage.player.next_due(), Some("2026-11-20T10:00:10Z".parse().unwrap()));
    stage.after(10);
    assert_eq!(data(&stage), Some(json!({"at": "2026-11-20T10:00:10Z", "state": "begun"})));
    let clock = Clock::fixed(START.parse().unwrap());
    let sandbox = Sandbox::new(clock.clone());
    let mut player = Player::new(sandbox.clone(), vec![Scenario::parse("story", story).unwrap()]);
    player.skip_to(Duration::from_secs(45));
    player.advance(sandbox.now()).unwrap();
    let map = sandbox.get("v1", "ConfigMap", "default", "m").unwrap();
    assert_eq!(map["data"], json!({"at": "2026-11-20T09:59:25Z", "later": "2026-11-20T10:00:55Z", "state": "worse"}));
    let later: Timestamp = sandbox.now().checked_add(SignedDuration::from_secs(30)).unwrap();
    player.advance(later).unwrap();
    assert!(sandbox.get("v1", "ConfigMap", "default", "m").is_none());
}

#[test]
fn a_reaction_fires_when_somebody_adds_what_was_missing_and_once_only() {
    let mut stage = Stage::of(&[(
        "secret",
        "title: t\nkind: dependency\nnamespace: shop\nobjects: [{kind: Secret, metadata: {name: db}, data: {user: eA==}}]\n\
         reactions:\n- {when: {exists: Secret/db, has: data.tls.key}, after: 2s, events: [{on: Secret/db, reason: Seen, count: 1, last: T}]}\n",
    )]);
    let seen = |stage: &Stage| stage.sandbox.list("v1", "Event", Some("shop")).len();
    stage.after(60);
    assert_eq!(seen(&stage), 0);
    let mut secret = Value::clone(&stage.sandbox.get("v1", "Secret", "shop", "db").unwrap());
    secret["data"]["tls.key"] = json!("eA==");
    stage.sandbox.put(secret).unwrap();
    stage.after(0);
    assert_eq!(seen(&stage), 0);
    stage.after(2);
    assert_eq!(seen(&stage), 1);
    let revision = stage.sandbox.revision();
    stage.after(5);
    assert_eq!(stage.sandbox.revision(), revision);
}

#[test]
fn leases_of_living_nodes_stay_fresh_and_those_of_dead_ones_stale() {
    let mut stage = Stage::of(&[("cluster", CLUSTER)]);
    let renewed = |stage: &Stage, node: &str| {
        let lease = stage.sandbox.get("coordination.k8s.io/v1", "Lease", "kube-node-lease", node).unwrap();
        text(&lease, "/spec/renewTime").to_owned()
    };
    stage.after(3600);
    assert_eq!(renewed(&stage, "worker-1"), "2026-11-20T11:00:00.000000Z");
    let revision = stage.sandbox.revision();
    stage.after(7 * 86_400);
    assert_eq!(renewed(&stage, "worker-1"), "2026-11-27T11:00:00.000000Z");
    assert!(stage.sandbox.revision() - revision < 10, "a week that was slept through is not played beat by beat");
    assert_eq!(renewed(&stage, "worker-lost"), "2026-11-20T09:50:00.000000Z");
}

#[test]
fn a_workload_that_is_put_again_replaces_the_former_one() {
    let mut stage = Stage::of(&[(
        "heal",
        "title: t\nkind: exit\nnamespace: shop\nworkloads: [{kind: Deployment, name: web, replicas: 2, pod: {containers: [{name: a, image: 'b:1'}]}}]\n\
         steps: [{after: 10s, workloads: [{kind: Deployment, name: web, replicas: 1, pod: {containers: [{name: a, image: 'b:2'}]}}]}]\n",
    )]);
    assert_eq!(stage.pods("shop").len(), 2);
    stage.after(10);
    let pods = stage.pods("shop");
    assert_eq!(pods.len(), 1);
    assert_eq!(text(&pods[0], "/spec/containers/0/image"), "b:2");
    let sets = stage.sandbox.list("apps/v1", "ReplicaSet", Some("shop"));
    let sizes: Vec<i64> = sets.iter().filter_map(|set| set["spec"]["replicas"].as_i64()).collect();
    assert!(sizes.contains(&0) && sizes.contains(&1), "{sizes:?}");
}

#[test]
fn odd_shapes_are_refused_or_played_without_harm() {
    let head = "title: t\nkind: exit\nnamespace: shop\n";
    for body in [
        "objects: [{}]",
        "objects: [{kind: Pod}]",
        "objects: [{kind: Pod, metadata: 5}]",
        "objects: [{kind: Pod, metadata: {name: [a]}, spec: [], status: {conditions: 7}}]",
        "objects: [{kind: Node, metadata: {name: n}, status: {conditions: {a: b}, capacity: 3}}]",
        "objects: [{kind: Node, metadata: {name: n}, status: [1, 2]}]",
        "objects: [{kind: Service, metadata: {name: s}, spec: {ports: [5, {port: x}], type: []}}]",
        "objects: [{kind: Secret, metadata: {name: s}, data: []}]",
        "objects: [{kind: Lease, metadata: {name: l}, spec: {renewTime: never}}]",
        "workloads: [{kind: Deployment, name: '', pod: {}}]",
        "workloads: [{kind: Deployment, name: a, replicas: 4000000000, pod: {}, pods: []}]",
        "workloads: [{kind: Deployment, name: a, pod: {containers: 5, volumes: {a: b}, tolerations: x}}]",
        "workloads: [{kind: StatefulSet, name: a, replicas: 2, pod: {containers: [5, {name: {}}]}, spec: {volumeClaimTemplates: [{}, 3]}}]",
        "workloads: [{kind: DaemonSet, name: a, pod: {affinity: 3}, pods: [{count: 3}, {node: ''}]}]",
        "workloads: [{kind: CronJob, name: a, pod: {}, spec: {jobTemplate: 1}, pods: [{created: T-20d}]}]",
        "workloads: [{kind: Job, name: a, pod: {}, metadata: {name: b, uid: 7}, conditions: [{}], status: {active: x}}]",
        "workloads: [{kind: Pod, name: a, pod: {containers: [{name: ä, image: 'ö/ü:💥'}]}, pods: [{node: n, containers: {ä: {restarts: 4294967295, waiting: {reason: CrashLoopBackOff}}}}]}]",
        "workloads: [{kind: Deployment, name: a, revision: {number: 0, at: T}, pod: {}}]",
        "events: [{reason: A}, {on: x, reason: B}, {on: Pod/*, reason: C}]",
        "events: [{on: Pod/gone, reason: A, first: T+20d, last: T-20d, count: 4294967295}]",
        "remove: [x, Pod/*, Gizmo/a, that]\nlogs: [{pod: '*', container: a, text: '${T {nodes ${T-5s} {nodes-99}'}]",
        "steps: [{after: 0s, every: 0s, remove: [Pod/x]}]",
        "reactions: [{when: {absent: Pod/x}, remove: [that], recreate: true}]",
    ] {
        let Ok(scenario) = Scenario::parse("odd", &format!("{head}{body}")) else { continue };
        let clock = Clock::fixed(START.parse().unwrap());
        let sandbox = Sandbox::new(clock.clone());
        let mut player = Player::new(sandbox.clone(), vec![Scenario::parse("cluster", CLUSTER).unwrap(), scenario]);
        for _ in 0..3 {
            // What is refused is told; what matters here is that it comes back at all.
            let _ = player.advance(clock.now());
            clock.advance(Duration::from_secs(30));
        }
        assert!(sandbox.get("v1", "Node", "", "worker-1").is_some(), "{body}");
    }
}

#[tokio::test]
async fn a_running_player_wakes_when_somebody_changes_something() {
    let sandbox = Sandbox::new(Clock::system());
    let story = "title: t\nkind: exit\nreactions: [{when: {exists: ConfigMap/go}, objects: [{kind: ConfigMap, metadata: {name: gone}}]}]";
    let player = Player::new(sandbox.clone(), vec![Scenario::parse("story", story).unwrap()]);
    let playing = tokio::spawn(player.run());
    sandbox
        .put(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "go", "namespace": "default"}}))
        .unwrap();
    let mut changes = sandbox.changes();
    let answered = async {
        while sandbox.get("v1", "ConfigMap", "default", "gone").is_none() {
            changes.changed().await.unwrap();
        }
    };
    tokio::time::timeout(Duration::from_secs(20), answered).await.unwrap();
    playing.abort();
}
