//! Deletion: grace, preconditions, finalizers, dependants.

use serde_json::{Value, json};

use crate::api::{Api, config, deployment, draft, refusal, running, text};

const CONFIGS: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";
const DEPLOYMENTS: &str = "/apis/apps/v1/namespaces/default/deployments";

#[tokio::test]
async fn a_pod_on_a_node_waits_for_its_kubelet() {
    let api = Api::new();
    api.pod("default", "a");
    let (code, pod) = api.delete(&format!("{PODS}/a"), json!({})).await;
    assert_eq!(code, 200);
    assert_eq!(text(&pod, "/metadata/deletionTimestamp"), "2026-01-02T03:04:35Z");
    assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 30);
    assert_eq!(api.get(&format!("{PODS}/a")).await.0, 200);
    let (_, again) = api.delete(&format!("{PODS}/a"), json!({})).await;
    assert_eq!(again, pod, "a second deletion changes nothing");
    let (_, shorter) = api.delete(&format!("{PODS}/a"), json!({"gracePeriodSeconds": 5})).await;
    assert_eq!(text(&shorter, "/metadata/deletionTimestamp"), "2026-01-02T03:04:10Z");
    let (_, longer) = api.delete(&format!("{PODS}/a"), json!({"gracePeriodSeconds": 50})).await;
    assert_eq!(longer, shorter, "a grace period only gets shorter");
    let (code, last) = api.delete(&format!("{PODS}/a"), json!({"gracePeriodSeconds": 0})).await;
    assert_eq!((code, text(&last, "/kind")), (200, "Pod"));
    assert_eq!(api.get(&format!("{PODS}/a")).await.0, 404);
}

#[tokio::test]
async fn pods_without_a_node_and_finished_ones_go_at_once() {
    let api = Api::new();
    api.post(PODS, draft("pending")).await;
    let mut done = running("default", "done");
    done["status"]["phase"] = json!("Succeeded");
    api.sandbox.put(done).expect("a pod");
    for name in ["pending", "done"] {
        assert_eq!(api.delete(&format!("{PODS}/{name}"), Value::Null).await.0, 500, "null is no object");
        assert_eq!(api.ask("DELETE", &format!("{PODS}/{name}"), "", "").await.0, 200);
        assert_eq!(api.get(&format!("{PODS}/{name}")).await.0, 404);
    }
}

#[tokio::test]
async fn most_kinds_answer_with_a_success() {
    let api = Api::new();
    let (_, made) = api.post(CONFIGS, config("a")).await;
    let (code, status) = api.delete(&format!("{CONFIGS}/a"), json!({})).await;
    assert_eq!((code, text(&status, "/status")), (200, "Success"));
    assert_eq!(status["details"], json!({"name": "a", "kind": "configmaps", "uid": made["metadata"]["uid"]}));
    assert_eq!(refusal(&api.delete(&format!("{CONFIGS}/a"), json!({})).await).0, 404);
}

#[tokio::test]
async fn preconditions_protect_a_successor() {
    let api = Api::new();
    api.pod("default", "a");
    let path = format!("{PODS}/a");
    let answer = api.delete(&path, json!({"preconditions": {"uid": "other"}})).await;
    let (code, reason, message) = refusal(&answer);
    assert_eq!((code, reason), (409, "Conflict"));
    assert!(message.starts_with("Operation cannot be fulfilled on Pod \"a\": the UID in the precondition (other) does not match the UID in record ("), "{message}");
    assert!(message.ends_with("The object might have been deleted and then recreated"));
    let answer = api.delete(&path, json!({"preconditions": {"resourceVersion": "1"}})).await;
    assert!(refusal(&answer).2.contains("the ResourceVersion in the precondition (1) does not match"));
    let (_, pod) = api.get(&path).await;
    let right = json!({"preconditions": {"uid": pod["metadata"]["uid"], "resourceVersion": pod["metadata"]["resourceVersion"]}});
    assert_eq!(api.delete(&path, right).await.0, 200);
}

#[tokio::test]
async fn an_object_stays_until_its_last_finalizer_leaves() {
    let api = Api::new();
    let mut held = config("a");
    held["metadata"]["finalizers"] = json!(["example.org/one", "example.org/two"]);
    api.post(CONFIGS, held).await;
    let path = format!("{CONFIGS}/a");
    let (code, object) = api.delete(&path, json!({})).await;
    assert_eq!((code, text(&object, "/metadata/deletionTimestamp")), (200, crate::api::NOW));
    assert_eq!(object["metadata"]["deletionGracePeriodSeconds"], 0);
    let revived = json!({"metadata": {"deletionTimestamp": null}});
    assert_eq!(text(&api.merge(&path, revived).await.1, "/metadata/deletionTimestamp"), crate::api::NOW);
    let first = json!([{"op": "test", "path": "/metadata/finalizers/0", "value": "example.org/one"},
        {"op": "remove", "path": "/metadata/finalizers/0"}]);
    assert_eq!(api.json_patch(&path, first.clone()).await.0, 200);
    assert_eq!(api.get(&path).await.0, 200);
    assert_ne!(api.json_patch(&path, first).await.0, 200, "the first finalizer is another one now");
    assert_eq!(api.merge(&path, json!({"metadata": {"finalizers": null}})).await.0, 200);
    assert_eq!(api.get(&path).await.0, 404);
}

#[tokio::test]
async fn a_forced_deletion_does_not_take_finalizers_off() {
    let api = Api::new();
    let mut pod = running("default", "a");
    pod["metadata"]["finalizers"] = json!(["example.org/hold"]);
    api.sandbox.put(pod).expect("a pod");
    let (_, object) = api.delete(&format!("{PODS}/a"), json!({"gracePeriodSeconds": 0})).await;
    assert_eq!(object["metadata"]["deletionGracePeriodSeconds"], 0);
    assert_eq!(api.get(&format!("{PODS}/a")).await.0, 200);
    api.merge(&format!("{PODS}/a"), json!({"metadata": {"finalizers": []}})).await;
    assert_eq!(api.get(&format!("{PODS}/a")).await.0, 404);
}

#[tokio::test]
async fn a_pod_in_its_grace_period_outlives_its_finalizers() {
    let api = Api::new();
    let mut pod = running("default", "a");
    pod["metadata"]["finalizers"] = json!(["example.org/hold"]);
    api.sandbox.put(pod).expect("a pod");
    api.delete(&format!("{PODS}/a"), json!({})).await;
    api.merge(&format!("{PODS}/a"), json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(api.get(&format!("{PODS}/a")).await.0, 200, "its kubelet is not done");
    assert!(api.sandbox.remove("v1", "Pod", "default", "a").is_some());
}

/// A deployment with a replica set with two pods, as their controllers make them.
async fn workload(api: &Api, blocking: bool) {
    let owned_by = |owner: &Value, kind: &str, name: &str| {
        json!({"name": name, "namespace": "default", "ownerReferences": [{"apiVersion": "apps/v1", "kind": kind,
            "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": true,
            "blockOwnerDeletion": blocking}]})
    };
    let (_, owner) = api.post(DEPLOYMENTS, deployment("web")).await;
    let set = json!({"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": owned_by(&owner, "Deployment", "web-1"),
        "spec": {"replicas": 2}});
    api.sandbox.put(set).expect("a replica set");
    let set = api.sandbox.get("apps/v1", "ReplicaSet", "default", "web-1").expect("a replica set");
    for name in ["web-1-a", "web-1-b"] {
        let mut pod = running("default", name);
        pod["metadata"] = owned_by(&set, "ReplicaSet", name);
        api.sandbox.put(pod).expect("a pod");
    }
}

fn exists(api: &Api, kind: &str, name: &str) -> bool {
    let version = if kind == "Pod" { "v1" } else { "apps/v1" };
    api.sandbox.get(version, kind, "default", name).is_some()
}

#[tokio::test]
async fn dependants_go_behind_their_owner() {
    let api = Api::new();
    workload(&api, true).await;
    assert_eq!(api.delete(&format!("{DEPLOYMENTS}/web"), json!({})).await.0, 200);
    assert!(!exists(&api, "Deployment", "web") && !exists(&api, "ReplicaSet", "web-1"));
    let pod = api.sandbox.get("v1", "Pod", "default", "web-1-a").expect("a pod until its kubelet is done");
    assert!(!text(&pod, "/metadata/deletionTimestamp").is_empty());
}

#[tokio::test]
async fn a_foreground_deletion_waits_for_what_blocks_it() {
    let api = Api::new();
    workload(&api, true).await;
    let (code, owner) = api.delete(&format!("{DEPLOYMENTS}/web"), json!({"propagationPolicy": "Foreground"})).await;
    assert_eq!((code, &owner["metadata"]["finalizers"]), (200, &json!(["foregroundDeletion"])));
    assert!(exists(&api, "Deployment", "web") && exists(&api, "ReplicaSet", "web-1"));
    api.sandbox.remove("v1", "Pod", "default", "web-1-a");
    assert!(exists(&api, "Deployment", "web") && exists(&api, "ReplicaSet", "web-1"));
    api.sandbox.remove("v1", "Pod", "default", "web-1-b");
    assert!(!exists(&api, "Deployment", "web") && !exists(&api, "ReplicaSet", "web-1"));
}

#[tokio::test]
async fn a_foreground_deletion_does_not_wait_for_what_does_not_block() {
    let api = Api::new();
    workload(&api, false).await;
    api.delete(&format!("{DEPLOYMENTS}/web"), json!({"propagationPolicy": "Foreground"})).await;
    assert!(!exists(&api, "Deployment", "web"));
    assert!(exists(&api, "Pod", "web-1-a"), "its kubelet is not done");
}

#[tokio::test]
async fn orphans_stay_and_forget_their_owner() {
    let api = Api::new();
    workload(&api, true).await;
    api.delete(&format!("{DEPLOYMENTS}/web"), json!({"propagationPolicy": "Orphan"})).await;
    assert!(!exists(&api, "Deployment", "web"));
    let set = api.sandbox.get("apps/v1", "ReplicaSet", "default", "web-1").expect("the orphan");
    assert!(set["metadata"].get("ownerReferences").is_none() && text(&set, "/metadata/deletionTimestamp").is_empty());
}

#[tokio::test]
async fn without_a_garbage_collector_dependants_stay() {
    let api = Api::new();
    workload(&api, true).await;
    api.sandbox.set_garbage_collection(false);
    api.delete(&format!("{DEPLOYMENTS}/web"), json!({})).await;
    assert!(!exists(&api, "Deployment", "web") && exists(&api, "ReplicaSet", "web-1"));
}

#[tokio::test]
async fn a_dependant_with_another_owner_stays() {
    let api = Api::new();
    let (_, one) = api.post(CONFIGS, config("one")).await;
    let (_, two) = api.post(CONFIGS, config("two")).await;
    let mut shared = config("shared");
    let owner = |owner: &Value| json!({"apiVersion": "v1", "kind": "ConfigMap", "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"]});
    shared["metadata"]["ownerReferences"] = json!([owner(&one), owner(&two)]);
    api.post(CONFIGS, shared).await;
    api.delete(&format!("{CONFIGS}/one"), json!({})).await;
    let (_, shared) = api.get(&format!("{CONFIGS}/shared")).await;
    assert_eq!(shared["metadata"]["ownerReferences"].as_array().map(Vec::len), Some(1));
    api.delete(&format!("{CONFIGS}/two"), json!({})).await;
    assert_eq!(api.get(&format!("{CONFIGS}/shared")).await.0, 404);
}

#[tokio::test]
async fn a_collection_is_deleted_by_selector() {
    let api = Api::new();
    for name in ["a", "b", "c"] {
        api.pod("default", name);
    }
    let (code, list) =
        api.delete(&format!("{PODS}?labelSelector=app+in+(a,b)"), json!({"gracePeriodSeconds": 0})).await;
    assert_eq!((code, crate::api::names(&list)), (200, vec!["a", "b"]));
    assert_eq!(crate::api::names(&api.get(PODS).await.1), ["c"]);
}

#[tokio::test]
async fn options_that_mean_nothing_are_refused() {
    let api = Api::new();
    api.pod("default", "a");
    for (options, code) in [
        (json!({"propagationPolicy": "Sideways"}), 422),
        (json!({"propagationPolicy": "Orphan", "orphanDependents": true}), 422),
        (json!({"dryRun": ["Some"]}), 422),
        (json!({"gracePeriodSeconds": "soon"}), 400),
        (json!({"preconditions": {"uid": 7}}), 400),
        // A real server has no better code for what it cannot read here.
        (json!({"kind": "Pod", "apiVersion": "v1"}), 500),
        (json!([]), 500),
    ] {
        assert_eq!(api.delete(&format!("{PODS}/a"), options.clone()).await.0, code, "{options}");
    }
    let (_, pod) = api.get(&format!("{PODS}/a")).await;
    assert_eq!(text(&pod, "/metadata/deletionTimestamp"), "");
    let (_, pod) = api.delete(&format!("{PODS}/a"), json!({"gracePeriodSeconds": -7})).await;
    assert_eq!(pod["metadata"]["deletionGracePeriodSeconds"], 1, "negative is one second");
}
