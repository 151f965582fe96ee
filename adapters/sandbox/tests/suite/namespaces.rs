//! Namespaces: what needs one, and how one ends.

use serde_json::json;

use crate::api::{Api, config, refusal, running, text};

async fn make(api: &Api, name: &str) {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
    let (code, made) = api.post("/api/v1/namespaces", namespace).await;
    assert_eq!((code, text(&made, "/status/phase")), (201, "Active"));
    assert_eq!(text(&made, "/metadata/labels/kubernetes.io~1metadata.name"), name);
}

#[tokio::test]
async fn an_absent_namespace_takes_nothing() {
    let api = Api::new();
    let answer = api.post("/api/v1/namespaces/x/configmaps", config("a")).await;
    assert_eq!(refusal(&answer), (404, "NotFound", "namespaces \"x\" not found"));
}

#[tokio::test]
async fn an_empty_namespace_goes_at_once() {
    let api = Api::new();
    make(&api, "x").await;
    api.post("/api/v1/namespaces/x/configmaps", config("a")).await;
    let (code, namespace) = api.delete("/api/v1/namespaces/x", json!({})).await;
    assert_eq!((code, text(&namespace, "/status/phase")), (200, "Terminating"));
    assert_eq!(api.get("/api/v1/namespaces/x").await.0, 404);
    assert_eq!(api.get("/api/v1/namespaces/x/configmaps/a").await.0, 404);
}

#[tokio::test]
async fn a_namespace_with_a_held_object_says_what_holds_it() {
    let api = Api::new();
    make(&api, "x").await;
    let mut held = config("a");
    held["metadata"]["finalizers"] = json!(["example.org/hold"]);
    api.post("/api/v1/namespaces/x/configmaps", held).await;
    api.delete("/api/v1/namespaces/x", json!({})).await;
    let (code, namespace) = api.get("/api/v1/namespaces/x").await;
    assert_eq!(code, 200);
    let conditions = namespace["status"]["conditions"].as_array().expect("conditions");
    let message = |kind: &str| {
        let condition = conditions.iter().find(|one| text(one, "/type") == kind).expect(kind);
        (text(condition, "/status").to_owned(), text(condition, "/message").to_owned())
    };
    let expected = "Some content in the namespace has finalizers remaining: example.org/hold in 1 resource instances";
    assert_eq!(message("NamespaceFinalizersRemaining"), ("True".to_owned(), expected.to_owned()));
    assert_eq!(
        message("NamespaceContentRemaining").1,
        "Some resources are remaining: configmaps. has 1 resource instances"
    );
    assert_eq!(message("NamespaceDeletionDiscoveryFailure").0, "False");
    let answer = api.post("/api/v1/namespaces/x/configmaps", config("b")).await;
    let why =
        "configmaps \"b\" is forbidden: unable to create new content in namespace x because it is being terminated";
    assert_eq!(refusal(&answer), (403, "Forbidden", why));
    let cause = json!({"reason": "NamespaceTerminating", "message": "namespace x is being terminated", "field": "metadata.namespace"});
    assert_eq!(answer.1["details"]["causes"][0], cause);
    api.merge("/api/v1/namespaces/x/configmaps/a", json!({"metadata": {"finalizers": null}})).await;
    assert_eq!(api.get("/api/v1/namespaces/x").await.0, 404);
}

#[tokio::test]
async fn a_namespace_waits_for_kubelets() {
    let api = Api::new();
    api.sandbox.put(running("x", "a")).expect("a pod");
    api.delete("/api/v1/namespaces/x", json!({})).await;
    assert_eq!(api.get("/api/v1/namespaces/x/pods/a").await.1["metadata"]["deletionGracePeriodSeconds"], 30);
    api.sandbox.remove("v1", "Pod", "x", "a");
    assert_eq!(api.get("/api/v1/namespaces/x").await.0, 404);
}

#[tokio::test]
async fn a_dead_api_service_keeps_every_namespace() {
    let api = Api::new();
    let service = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"}, "spec": {"group": "metrics.k8s.io", "version": "v1beta1"},
        "status": {"conditions": [{"type": "Available", "status": "False"}]}});
    api.sandbox.put(service).expect("a service");
    make(&api, "x").await;
    api.delete("/api/v1/namespaces/x", json!({})).await;
    let (_, namespace) = api.get("/api/v1/namespaces/x").await;
    assert_eq!(text(&namespace, "/status/conditions/0/reason"), "DiscoveryFailed");
    api.sandbox.remove("apiregistration.k8s.io/v1", "APIService", "", "v1beta1.metrics.k8s.io");
    assert_eq!(api.get("/api/v1/namespaces/x").await.0, 404);
}

#[tokio::test]
async fn finalize_ends_a_namespace_by_force() {
    let api = Api::new();
    make(&api, "x").await;
    let mut held = config("a");
    held["metadata"]["finalizers"] = json!(["example.org/hold"]);
    api.post("/api/v1/namespaces/x/configmaps", held).await;
    api.delete("/api/v1/namespaces/x", json!({})).await;
    let (_, mut namespace) = api.get("/api/v1/namespaces/x").await;
    namespace["spec"]["finalizers"] = json!([]);
    assert_eq!(api.put("/api/v1/namespaces/x", namespace.clone()).await.0, 200);
    assert_eq!(api.get("/api/v1/namespaces/x").await.0, 200, "only `finalize` takes its finalizer off");
    let (_, mut namespace) = api.get("/api/v1/namespaces/x").await;
    namespace["spec"]["finalizers"] = json!([]);
    assert_eq!(api.put("/api/v1/namespaces/x/finalize", namespace).await.0, 200);
    assert_eq!(api.get("/api/v1/namespaces/x").await.0, 404);
}

#[tokio::test]
async fn some_namespaces_cannot_be_deleted() {
    let api = Api::new();
    let answer = api.delete("/api/v1/namespaces/kube-system", json!({})).await;
    assert_eq!(
        refusal(&answer),
        (403, "Forbidden", "namespaces \"kube-system\" is forbidden: this namespace may not be deleted")
    );
}
