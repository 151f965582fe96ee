//! The API under the client that the bot uses.

use k8s_openapi::api::core::v1::{ConfigMap, Pod};
use k8s_openapi::api::policy::v1::Eviction;
use kube::api::{
    Api, DeleteParams, ListParams, LogParams, Patch, PatchParams, PostParams, Preconditions, WatchEvent, WatchParams,
};
use kube::core::Status;
use kube::{Client, ResourceExt};
use serde_json::json;

fn client(api: &crate::api::Api) -> Client {
    // A client over a service has no retry layer: what it sends arrives once.
    Client::new(api.sandbox.service(), "default")
}

#[tokio::test]
async fn typed_objects_go_in_and_out() {
    let sandbox = crate::api::Api::new();
    let maps: Api<ConfigMap> = Api::default_namespaced(client(&sandbox));
    let draft: ConfigMap = serde_json::from_value(crate::api::config("a")).expect("a config map");
    let made = maps.create(&PostParams::default(), &draft).await.expect("made");
    assert_eq!(maps.get("a").await.expect("read").uid(), made.uid());
    assert!(maps.get_opt("b").await.expect("an answer").is_none());
    let patched =
        maps.patch("a", &PatchParams::default(), &Patch::Merge(json!({"data": {"b": "2"}}))).await.expect("patched");
    assert_eq!(patched.data.expect("data").len(), 2);
    let Err(kube::Error::Api(status)) = maps.create(&PostParams::default(), &draft).await else { panic!("taken") };
    assert!(status.is_already_exists());
    let guard = DeleteParams {
        preconditions: Some(Preconditions { uid: Some("x".to_owned()), resource_version: None }),
        ..DeleteParams::default()
    };
    let Err(kube::Error::Api(status)) = maps.delete("a", &guard).await else { panic!("guarded") };
    assert!(status.is_conflict());
    assert!(maps.delete("a", &DeleteParams::default()).await.expect("deleted").is_right());
}

#[tokio::test]
async fn lists_pages_metadata_and_logs_are_read() {
    let sandbox = crate::api::Api::new();
    for name in ["a", "b", "c"] {
        sandbox.pod("default", name);
    }
    let pods: Api<Pod> = Api::default_namespaced(client(&sandbox));
    let page = pods.list(&ListParams::default().limit(2)).await.expect("a page");
    assert_eq!((page.items.len(), page.metadata.remaining_item_count), (2, Some(1)));
    let next = page.metadata.continue_.expect("a token");
    assert_eq!(pods.list(&ListParams::default().limit(2).continue_token(&next)).await.expect("a page").items.len(), 1);
    let metadata = pods.list_metadata(&ListParams::default().labels("app=a")).await.expect("a list");
    assert_eq!(metadata.items.iter().map(ResourceExt::name_any).collect::<Vec<_>>(), ["a"]);
    sandbox.sandbox.set_log("default", "a", "app", false, "one\ntwo");
    let tail = LogParams { tail_lines: Some(1), ..LogParams::default() };
    assert_eq!(pods.logs("a", &tail).await.expect("a log"), "two\n");
}

#[tokio::test]
async fn a_watch_is_followed() {
    use futures::TryStreamExt;
    let sandbox = crate::api::Api::new();
    let pods: Api<Pod> = Api::default_namespaced(client(&sandbox));
    let version = sandbox.sandbox.revision().to_string();
    let mut events = Box::pin(pods.watch(&WatchParams::default(), &version).await.expect("a watch"));
    sandbox.pod("default", "a");
    sandbox.sandbox.remove("v1", "Pod", "default", "a");
    assert!(matches!(events.try_next().await, Ok(Some(WatchEvent::Added(pod))) if pod.name_any() == "a"));
    assert!(matches!(events.try_next().await, Ok(Some(WatchEvent::Deleted(_)))));
    sandbox.sandbox.compact();
    let mut events = Box::pin(pods.watch(&WatchParams::default(), "1").await.expect("a watch"));
    assert!(matches!(events.try_next().await, Ok(Some(WatchEvent::Error(error))) if error.code == 410));
}

#[tokio::test]
async fn an_eviction_that_is_not_allowed_is_answered_once() {
    let sandbox = crate::api::Api::new();
    sandbox.pod("default", "a");
    let budget = json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "b", "namespace": "default"},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "a"}}}});
    sandbox.sandbox.put(budget).expect("a budget");
    let pods: Api<Pod> = Api::default_namespaced(client(&sandbox));
    let eviction: Eviction = serde_json::from_value(json!({"metadata": {"name": "a"}})).expect("an eviction");
    let answer = pods.create_subresource::<_, Status>("eviction", "a", &PostParams::default(), &eviction).await;
    let Err(kube::Error::Api(status)) = answer else { panic!("refused") };
    assert_eq!(status.code, 429);
    assert_eq!(sandbox.sandbox.journal().len(), 1);
}
