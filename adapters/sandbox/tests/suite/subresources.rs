//! Status, scale and the others.

use serde_json::json;

use crate::api::{Api, deployment, refusal, text};

const DEPLOYMENT: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const POD: &str = "/api/v1/namespaces/default/pods/a";

async fn with_deployment() -> Api {
    let api = Api::new();
    assert_eq!(api.post("/apis/apps/v1/namespaces/default/deployments", deployment("web")).await.0, 201);
    api
}

#[tokio::test]
async fn a_status_is_written_only_under_its_own_path() {
    let api = with_deployment().await;
    let both = json!({"spec": {"replicas": 9}, "status": {"replicas": 3}});
    let (_, object) = api.merge(&format!("{DEPLOYMENT}/status"), both.clone()).await;
    assert_eq!((&object["spec"]["replicas"], &object["status"]["replicas"]), (&json!(2), &json!(3)));
    let (_, object) = api.merge(DEPLOYMENT, json!({"spec": {"replicas": 9}, "status": {"replicas": 7}})).await;
    assert_eq!((&object["spec"]["replicas"], &object["status"]["replicas"]), (&json!(9), &json!(3)));
    assert_eq!(api.get(&format!("{DEPLOYMENT}/status")).await.1, api.get(DEPLOYMENT).await.1);
}

#[tokio::test]
async fn a_status_write_may_label_a_pod_but_not_move_it() {
    let api = Api::new();
    api.pod("default", "a");
    let patch =
        json!({"metadata": {"labels": {"x": "y"}}, "spec": {"nodeName": "other"}, "status": {"phase": "Failed"}});
    let (code, pod) = api.merge(&format!("{POD}/status"), patch).await;
    assert_eq!((code, text(&pod, "/status/phase"), text(&pod, "/spec/nodeName")), (200, "Failed", "node-1"));
    assert_eq!(text(&pod, "/metadata/labels/x"), "y");
}

#[tokio::test]
async fn a_scale_is_read_and_written() {
    let api = with_deployment().await;
    api.merge(&format!("{DEPLOYMENT}/status"), json!({"status": {"replicas": 1}})).await;
    let (code, scale) = api.get(&format!("{DEPLOYMENT}/scale")).await;
    assert_eq!((code, text(&scale, "/kind"), text(&scale, "/apiVersion")), (200, "Scale", "autoscaling/v1"));
    assert_eq!(
        (&scale["spec"]["replicas"], &scale["status"]),
        (&json!(2), &json!({"replicas": 1, "selector": "app=web"}))
    );
    let mut wanted = scale.clone();
    wanted["spec"]["replicas"] = json!(4);
    let (code, changed) = api.put(&format!("{DEPLOYMENT}/scale"), wanted.clone()).await;
    assert_eq!((code, &changed["spec"]["replicas"]), (200, &json!(4)));
    let (_, object) = api.get(DEPLOYMENT).await;
    assert_eq!((&object["spec"]["replicas"], &object["metadata"]["generation"]), (&json!(4), &json!(2)));
    assert_eq!(refusal(&api.put(&format!("{DEPLOYMENT}/scale"), wanted).await).1, "Conflict", "an old version");
    let tested = json!([{"op": "test", "path": "/spec/replicas", "value": 4}, {"op": "replace", "path": "/spec/replicas", "value": 0}]);
    assert_eq!(
        api.json_patch(&format!("{DEPLOYMENT}/scale"), tested).await.1["spec"],
        json!({}),
        "a nought is not shown"
    );
    let answer = api.merge(&format!("{DEPLOYMENT}/scale"), json!({"spec": {"replicas": -1}})).await;
    assert!(refusal(&answer).2.ends_with("spec.replicas: Invalid value: -1: must be greater than or equal to 0"));
    assert_eq!(api.merge(&format!("{DEPLOYMENT}/scale"), json!({"spec": {"replicas": "many"}})).await.0, 400);
}

#[tokio::test]
async fn ephemeral_containers_are_added() {
    let api = Api::new();
    api.pod("default", "a");
    let patch = json!({"spec": {"ephemeralContainers": [{"name": "debug", "image": "busybox"}], "nodeName": "other"}});
    let (code, pod) = api.merge(&format!("{POD}/ephemeralcontainers"), patch.clone()).await;
    assert_eq!((code, text(&pod, "/spec/ephemeralContainers/0/name")), (200, "debug"));
    assert_eq!(text(&pod, "/spec/nodeName"), "node-1");
    assert_eq!(api.merge(POD, json!({"spec": {"ephemeralContainers": []}})).await.0, 422);
}

#[tokio::test]
async fn resources_are_resized_under_their_own_path() {
    let api = Api::new();
    api.pod("default", "a");
    let patch =
        json!({"spec": {"containers": [{"name": "app", "image": "app:1", "resources": {"requests": {"cpu": "2"}}}]}});
    assert_eq!(api.merge(POD, patch.clone()).await.0, 422);
    let (code, pod) = api.merge(&format!("{POD}/resize"), patch).await;
    assert_eq!((code, text(&pod, "/spec/containers/0/resources/requests/cpu")), (200, "2"));
}

#[tokio::test]
async fn connections_into_a_pod_are_refused() {
    let api = Api::new();
    api.pod("default", "a");
    for name in ["exec", "attach", "portforward"] {
        assert_eq!(refusal(&api.get(&format!("{POD}/{name}")).await).0, 400, "{name}");
    }
}
