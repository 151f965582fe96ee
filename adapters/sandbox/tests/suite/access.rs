//! Who may do what.

use kubewhy_sandbox::Rule;
use serde_json::{Value, json};

use crate::api::{Api, config, names, refusal};

const CONFIGS: &str = "/api/v1/namespaces/default/configmaps";

fn role(namespace: &str, rules: &Value) -> Vec<Rule> {
    let kind = if namespace.is_empty() { "ClusterRole" } else { "Role" };
    Rule::of_role(&json!({"kind": kind, "metadata": {"name": "r", "namespace": namespace}, "rules": rules}))
}

fn readers(namespace: &str) -> Vec<Rule> {
    role(namespace, &json!([{"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list", "watch"]}]))
}

#[tokio::test]
async fn everything_is_allowed_until_somebody_says_otherwise() {
    let api = Api::new();
    assert_eq!(api.post(CONFIGS, config("a")).await.0, 201);
}

#[tokio::test]
async fn what_no_rule_allows_is_403_in_kubernetes_words() {
    let api = Api::new().with("impersonate-user", "alice");
    api.sandbox.restrict_user("alice", readers("default"));
    assert_eq!(api.get("/api/v1/namespaces/default/pods").await.0, 200);
    let answer = api.get("/api/v1/pods").await;
    let message =
        "pods is forbidden: User \"alice\" cannot list resource \"pods\" in API group \"\" at the cluster scope";
    assert_eq!(refusal(&answer), (403, "Forbidden", message));
    let answer = api.delete("/api/v1/namespaces/default/pods/a", json!({})).await;
    let message = "pods \"a\" is forbidden: User \"alice\" cannot delete resource \"pods\" in API group \"\" in the \
                   namespace \"default\"";
    assert_eq!(refusal(&answer).2, message);
    assert_eq!(answer.1["details"], json!({"name": "a", "kind": "pods"}));
    let answer = api.merge("/apis/apps/v1/namespaces/default/deployments/a/scale", json!({})).await;
    assert!(refusal(&answer).2.contains("cannot patch resource \"deployments/scale\" in API group \"apps\""));
    let answer = api.get("/metrics").await;
    assert_eq!(refusal(&answer).2, "forbidden: User \"alice\" cannot get path \"/metrics\"");
    assert_eq!(api.get("/version").await.0, 200, "everybody may read that");
    assert_eq!(api.get("/apis").await.0, 200);
}

#[tokio::test]
async fn a_rule_may_name_objects_and_subresources() {
    let api = Api::new();
    api.pod("default", "a");
    api.post(CONFIGS, config("mine")).await;
    api.post(CONFIGS, config("other")).await;
    api.sandbox.restrict(role(
        "",
        &json!([
            {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["mine"], "verbs": ["get", "list"]},
            {"apiGroups": ["*"], "resources": ["*/status"], "verbs": ["*"]},
            {"nonResourceURLs": ["/metrics", "/logs/*"], "verbs": ["get"]},
        ]),
    ));
    assert_eq!(api.get(&format!("{CONFIGS}/mine")).await.0, 200);
    assert_eq!(api.get(&format!("{CONFIGS}/other")).await.0, 403);
    assert_eq!(api.get(CONFIGS).await.0, 403);
    let (code, list) = api.get(&format!("{CONFIGS}?fieldSelector=metadata.name%3Dmine")).await;
    assert_eq!((code, names(&list)), (200, vec!["mine"]));
    assert_eq!(api.get("/api/v1/namespaces/default/pods/a/status").await.0, 200);
    assert_eq!(api.get("/api/v1/namespaces/default/pods/a").await.0, 403);
    assert_eq!(api.get("/metrics").await.0, 404, "allowed, but not there");
    assert_eq!(api.get("/logs/x").await.0, 404);
}

#[tokio::test]
async fn impersonation_has_to_be_allowed() {
    let api = Api::new();
    api.sandbox.restrict(readers(""));
    let answer = api.with("impersonate-user", "bob").get("/api/v1/pods").await;
    let message = "users \"bob\" is forbidden: User \"kubernetes-admin\" cannot impersonate resource \"users\" in API \
                   group \"\" at the cluster scope";
    assert_eq!(refusal(&answer), (403, "Forbidden", message));
}

#[tokio::test]
async fn tokens_say_who_asks() {
    let api = Api::new();
    api.sandbox.know_token("secret", "carol", &["staff"]);
    assert_eq!(refusal(&api.get("/api/v1/pods").await), (401, "Unauthorized", "Unauthorized"));
    assert_eq!(api.with("authorization", "Bearer wrong").get("/api/v1/pods").await.0, 401);
    let carol = api.with("authorization", "Bearer secret");
    assert_eq!(carol.get("/api/v1/pods").await.0, 200);
    let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
    let (code, answer) = carol.post("/apis/authentication.k8s.io/v1/selfsubjectreviews", review).await;
    assert_eq!((code, &answer["status"]["userInfo"]["username"]), (201, &json!("carol")));
}

fn access_review(kind: &str, spec: &Value) -> Value {
    json!({"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec})
}

#[tokio::test]
async fn reviews_answer_by_the_same_rules() {
    let api = Api::new();
    api.sandbox.restrict_user("alice", readers("default"));
    let alice = api.with("impersonate-user", "alice");
    let own = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
    let ask = |verb: &str, namespace: &str| json!({"verb": verb, "resource": "pods", "namespace": namespace});
    for (verb, namespace, allowed) in [("list", "default", true), ("delete", "default", false), ("list", "", false)] {
        let spec = json!({"resourceAttributes": ask(verb, namespace)});
        let (code, answer) = alice.post(own, access_review("SelfSubjectAccessReview", &spec)).await;
        assert_eq!((code, &answer["status"]["allowed"]), (201, &json!(allowed)), "{verb} {namespace}");
    }
    let spec = json!({"user": "alice", "resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "default"}});
    let others = "/apis/authorization.k8s.io/v1/subjectaccessreviews";
    let (_, answer) = api.post(others, access_review("SubjectAccessReview", &spec)).await;
    assert_eq!(answer["status"]["allowed"], true);
    assert_eq!(alice.post(others, access_review("SubjectAccessReview", &spec)).await.0, 403, "that needs a rule");
    assert_eq!(api.post(others, access_review("SubjectAccessReview", &json!({"resourceAttributes": {}}))).await.0, 422);
    assert_eq!(alice.post(own, access_review("SelfSubjectAccessReview", &json!({}))).await.0, 422);
    let paths = json!({"nonResourceAttributes": {"verb": "get", "path": "/metrics"}});
    let (_, answer) = alice.post(own, access_review("SelfSubjectAccessReview", &paths)).await;
    assert_eq!(answer["status"]["allowed"], false);
}

#[tokio::test]
async fn rules_can_be_asked_for() {
    let api = Api::new();
    api.sandbox.restrict(readers("default"));
    let path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews";
    let review = |namespace: &str| access_review("SelfSubjectRulesReview", &json!({"namespace": namespace}));
    let (code, answer) = api.post(path, review("default")).await;
    assert_eq!((code, &answer["status"]["resourceRules"][0]["verbs"]), (201, &json!(["get", "list", "watch"])));
    assert_eq!(api.post(path, review("other")).await.1["status"]["resourceRules"], json!([]));
}

#[tokio::test]
async fn what_is_used_is_recorded() {
    let api = Api::new();
    api.sandbox.restrict(readers("default"));
    api.get("/api/v1/namespaces/default/pods").await;
    api.get("/api/v1/namespaces/default/pods").await;
    api.get("/api/v1/namespaces/default/pods/a/log").await;
    api.get("/api/v1/nodes").await;
    let used: Vec<String> = api
        .sandbox
        .used_access()
        .into_iter()
        .map(|(what, times)| format!("{} {} {} {times}", what.verb, what.resource, what.allowed))
        .collect();
    assert_eq!(used, ["get pods/log true 1", "list nodes false 1", "list pods true 2"]);
    api.sandbox.clear_used_access();
    assert!(api.sandbox.used_access().is_empty());
    api.sandbox.allow_everything();
    assert_eq!(api.get("/api/v1/nodes").await.0, 200);
}
