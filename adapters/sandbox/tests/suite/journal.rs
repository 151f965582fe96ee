//! The log of writes, and writes that demand nothing.

use kubewhy_sandbox::Verb;
use serde_json::json;

use crate::api::{Api, NOW, config, refusal};

const CONFIGS: &str = "/api/v1/namespaces/default/configmaps";
const A: &str = "/api/v1/namespaces/default/configmaps/a";

#[tokio::test]
async fn every_write_is_noted_and_no_read() {
    let api = Api::new().with("user-agent", "test/1").with("impersonate-user", "alice");
    let (_, made) = api.post(CONFIGS, config("a")).await;
    api.get(A).await;
    api.merge(
        &format!("{A}?dryRun=All"),
        json!({"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"a": "2"}}),
    )
    .await;
    api.json_patch(A, json!([{"op": "test", "path": "/data/a", "value": "7"}])).await;
    api.delete(A, json!({"preconditions": {"uid": "other"}})).await;
    api.ask("POST", CONFIGS, "application/json", "no JSON").await;
    let journal = api.sandbox.journal();
    let brief: Vec<_> = journal.iter().map(|entry| (entry.verb, entry.code, entry.dry_run, entry.applied)).collect();
    assert_eq!(
        brief,
        [
            (Verb::Create, 201, false, true),
            (Verb::Patch, 200, true, false),
            (Verb::Patch, 422, false, false),
            (Verb::Delete, 409, false, false),
            (Verb::Create, 400, false, false),
        ]
    );
    let [made, dry, tested, deleted, broken] = journal.as_slice() else { panic!("five writes") };
    assert_eq!(
        (made.user.as_str(), made.user_agent.as_str(), made.resource.as_str()),
        ("alice", "test/1", "configmaps")
    );
    assert_eq!((made.at.to_string().as_str(), made.body["data"]["a"].as_str()), (NOW, Some("1")));
    assert!(made.preconditions.is_empty() && dry.preconditions.resource_version.is_some() && tested.preconditions.test);
    assert_eq!((deleted.preconditions.uid.as_deref(), deleted.reason.as_str()), (Some("other"), "Conflict"));
    assert_eq!((broken.body.as_str(), deleted.name.as_str()), (Some("no JSON"), "a"));
    assert!(dry.path.ends_with("/configmaps/a?dryRun=All"));
    api.sandbox.clear_journal();
    assert!(api.sandbox.journal().is_empty());
}

#[tokio::test]
async fn unguarded_writes_are_refused_where_guards_are_required() {
    let api = Api::new();
    api.pod("default", "a");
    api.sandbox.require_guards(true);
    let (code, made) = api.post(CONFIGS, config("a")).await;
    assert_eq!(code, 201, "a creation hits nothing");
    let pod = "/api/v1/namespaces/default/pods/a";
    let eviction = json!({"metadata": {"name": "a"}});
    let mut blind = config("a");
    blind["data"]["a"] = json!("2");
    for answer in [
        api.delete(A, json!({})).await,
        api.ask("DELETE", A, "", "").await,
        api.put(A, blind).await,
        api.merge(A, json!({"data": {"a": "2"}})).await,
        api.json_patch(A, json!([{"op": "replace", "path": "/data/a", "value": "2"}])).await,
        api.merge("/apis/apps/v1/namespaces/default/deployments/a/scale", json!({"spec": {"replicas": 0}})).await,
        api.post(&format!("{pod}/eviction"), eviction).await,
        api.delete(CONFIGS, json!({"preconditions": {"uid": "x"}})).await,
    ] {
        assert_eq!(refusal(&answer).0, 428, "{}", answer.1);
    }
    let review = json!({"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {"verb": "get", "resource": "pods"}}});
    assert_eq!(api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", review).await.0, 201);
    let tested =
        json!([{"op": "test", "path": "/data/a", "value": "1"}, {"op": "replace", "path": "/data/a", "value": "2"}]);
    assert_eq!(api.json_patch(A, tested).await.0, 200);
    assert_eq!(api.delete(A, json!({"preconditions": {"uid": made["metadata"]["uid"]}})).await.0, 200);
}

#[tokio::test]
async fn large_bodies_push_old_writes_out() {
    let api = Api::new();
    let mut large = config("a");
    large["data"]["large"] = "x".repeat(2_000_000).into();
    for _ in 0..40 {
        api.post(CONFIGS, large.clone()).await;
    }
    let kept = api.sandbox.journal();
    assert!((10..17).contains(&kept.len()), "{} writes of 2 MB are kept", kept.len());
    assert_eq!(kept.last().map(|entry| entry.code), Some(409), "the newest are");
}
