//! Eviction and disruption budgets.

use serde_json::{Value, json};

use crate::api::{Api, refusal, running, text};

fn eviction(name: &str) -> Value {
    json!({"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": "default"}})
}

async fn evict(api: &Api, name: &str, body: Value) -> (u16, Value) {
    api.post(&format!("/api/v1/namespaces/default/pods/{name}/eviction"), body).await
}

fn budget(api: &Api, name: &str, status: &Value) {
    let mut budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}});
    if status.is_null() {
        budget["metadata"] = json!({"name": name, "namespace": "default"});
    } else {
        budget["status"] = status.clone();
    }
    api.sandbox.put(budget).expect("a budget");
}

fn is_deleting(api: &Api, name: &str) -> bool {
    let pod = api.sandbox.get("v1", "Pod", "default", name).expect("a pod");
    !text(&pod, "/metadata/deletionTimestamp").is_empty()
}

#[tokio::test]
async fn a_pod_without_a_budget_is_evicted() {
    let api = Api::new();
    api.pod("default", "a");
    let (code, status) = evict(&api, "a", eviction("a")).await;
    assert_eq!((code, text(&status, "/status")), (201, "Success"));
    let pod = api.sandbox.get("v1", "Pod", "default", "a").expect("a pod until its kubelet is done");
    let conditions = pod["status"]["conditions"].as_array().expect("conditions");
    assert!(
        conditions
            .iter()
            .any(|one| text(one, "/type") == "DisruptionTarget" && text(one, "/reason") == "EvictionByEvictionAPI")
    );
    assert!(is_deleting(&api, "a"));
}

#[tokio::test]
async fn an_exhausted_budget_is_429_with_its_numbers() {
    let api = Api::new();
    api.pod("default", "a");
    budget(
        &api,
        "pdb",
        &json!({"observedGeneration": 1, "disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1}),
    );
    let answer = evict(&api, "a", eviction("a")).await;
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    assert_eq!(refusal(&answer), (429, "TooManyRequests", message));
    let cause = json!({"reason": "DisruptionBudget", "message": "The disruption budget pdb needs 1 healthy pods and has 1 currently"});
    assert_eq!(answer.1["details"]["causes"][0], cause);
    assert!(!is_deleting(&api, "a"));
}

#[tokio::test]
async fn a_budget_is_used_up() {
    let api = Api::new();
    api.pod("default", "a");
    let mut twin = running("default", "b");
    twin["metadata"]["labels"] = json!({"app": "a"});
    api.sandbox.put(twin).expect("a pod");
    budget(
        &api,
        "pdb",
        &json!({"observedGeneration": 1, "disruptionsAllowed": 1, "desiredHealthy": 1, "currentHealthy": 2}),
    );
    let mut dry = eviction("a");
    dry["deleteOptions"] = json!({"dryRun": ["All"]});
    assert_eq!(evict(&api, "a", dry).await.0, 201);
    assert!(!is_deleting(&api, "a"));
    assert_eq!(evict(&api, "a", eviction("a")).await.0, 201);
    let pdb = api.sandbox.get("policy/v1", "PodDisruptionBudget", "default", "pdb").expect("a budget");
    assert_eq!(pdb["status"]["disruptionsAllowed"], 0);
    assert!(pdb["status"]["disruptedPods"].get("a").is_some());
    assert_eq!(evict(&api, "b", eviction("b")).await.0, 429);
}

#[tokio::test]
async fn a_budget_without_a_status_is_counted() {
    let api = Api::new();
    api.pod("default", "a");
    budget(&api, "pdb", &Value::Null);
    assert_eq!(evict(&api, "a", eviction("a")).await.0, 429);
    let mut twin = running("default", "b");
    twin["metadata"]["labels"] = json!({"app": "a"});
    api.sandbox.put(twin).expect("a pod");
    assert_eq!(evict(&api, "a", eviction("a")).await.0, 201);
}

#[tokio::test]
async fn two_budgets_are_500_and_an_unseen_one_429() {
    let api = Api::new();
    api.pod("default", "a");
    budget(&api, "one", &json!({"observedGeneration": 0, "disruptionsAllowed": 1}));
    let answer = evict(&api, "a", eviction("a")).await;
    assert_eq!(
        answer.1["details"]["causes"][0]["message"],
        "The disruption budget one is still being processed by the server."
    );
    assert_eq!(answer.1["details"]["retryAfterSeconds"], 10);
    budget(&api, "two", &json!({"observedGeneration": 1, "disruptionsAllowed": 1}));
    let answer = evict(&api, "a", eviction("a")).await;
    let message = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.";
    assert_eq!(refusal(&answer), (500, "", message));
}

#[tokio::test]
async fn pods_that_do_no_work_need_no_budget() {
    let api = Api::new();
    budget(
        &api,
        "pdb",
        &json!({"observedGeneration": 1, "disruptionsAllowed": 0, "desiredHealthy": 2, "currentHealthy": 1}),
    );
    for phase in ["Pending", "Failed", "Succeeded"] {
        let mut pod = running("default", "a");
        pod["status"]["phase"] = json!(phase);
        api.sandbox.put(pod).expect("a pod");
        assert_eq!(evict(&api, "a", eviction("a")).await.0, 201, "{phase}");
        api.sandbox.remove("v1", "Pod", "default", "a");
    }
    let mut unready = running("default", "a");
    unready["status"]["conditions"] = json!([]);
    api.sandbox.put(unready).expect("a pod");
    assert_eq!(evict(&api, "a", eviction("a")).await.0, 429, "the budget is not met as it is");
    budget(
        &api,
        "pdb",
        &json!({"observedGeneration": 1, "disruptionsAllowed": 0, "desiredHealthy": 1, "currentHealthy": 1}),
    );
    assert_eq!(evict(&api, "a", eviction("a")).await.0, 201);
}

#[tokio::test]
async fn an_eviction_keeps_its_preconditions() {
    let api = Api::new();
    api.pod("default", "a");
    let mut other = eviction("a");
    other["deleteOptions"] = json!({"preconditions": {"uid": "other"}});
    assert_eq!(evict(&api, "a", other).await.0, 409);
    assert!(!is_deleting(&api, "a"));
    let pod = api.sandbox.get("v1", "Pod", "default", "a").expect("a pod");
    let mut exact = eviction("a");
    exact["deleteOptions"] = json!({"gracePeriodSeconds": 0, "preconditions": {"uid": pod["metadata"]["uid"],
        "resourceVersion": pod["metadata"]["resourceVersion"]}});
    assert_eq!(evict(&api, "a", exact).await.0, 201);
    assert!(api.sandbox.get("v1", "Pod", "default", "a").is_none());
    assert_eq!(evict(&api, "a", eviction("a")).await.0, 404);
    assert_eq!(evict(&api, "b", eviction("a")).await.0, 400);
}
