//! Watches.

use kubewhy_sandbox::{Effect, Fault, Filter, Verb, faults::WatchFault};
use serde_json::{Value, json};

use crate::api::{Api, Stream, refusal, running, text};

fn labelled(name: &str, label: &str) -> Value {
    let mut pod = running("default", name);
    pod["metadata"]["labels"] = json!({"tier": label});
    pod
}

async fn follow(api: &Api, query: &str) -> Stream {
    api.stream(&format!("/api/v1/pods?watch=true&{query}")).await
}

#[tokio::test]
async fn a_watch_from_nothing_starts_with_what_is_there() {
    let api = Api::new();
    api.pod("default", "a");
    let mut watch = follow(&api, "").await;
    assert_eq!(watch.brief().await, "ADDED a");
    api.pod("default", "b");
    assert_eq!(watch.brief().await, "ADDED b");
    let mut changed = running("default", "a");
    changed["status"]["phase"] = json!("Failed");
    api.sandbox.put(changed).expect("a pod");
    let (kind, object) = watch.event().await;
    assert_eq!((kind.as_str(), text(&object, "/status/phase"), text(&object, "/kind")), ("MODIFIED", "Failed", "Pod"));
    api.sandbox.remove("v1", "Pod", "default", "a");
    let (kind, object) = watch.event().await;
    assert_eq!((kind.as_str(), text(&object, "/metadata/name")), ("DELETED", "a"));
    assert_eq!(text(&object, "/metadata/resourceVersion"), api.sandbox.revision().to_string());
}

#[tokio::test]
async fn a_watch_from_a_version_tells_only_what_came_after() {
    let api = Api::new();
    api.pod("default", "a");
    let from = api.sandbox.revision();
    api.pod("default", "b");
    api.sandbox.remove("v1", "Pod", "default", "a");
    let mut watch = follow(&api, &format!("resourceVersion={from}")).await;
    assert_eq!(watch.brief().await, "ADDED b");
    assert_eq!(watch.brief().await, "DELETED a");
    assert!(watch.is_quiet().await);
}

#[tokio::test]
async fn what_leaves_the_selection_is_deleted_and_what_enters_it_added() {
    let api = Api::new();
    api.sandbox.put(labelled("a", "front")).expect("a pod");
    let mut watch = follow(&api, "labelSelector=tier%3Dfront").await;
    assert_eq!(watch.brief().await, "ADDED a");
    api.sandbox.put(labelled("b", "back")).expect("a pod");
    api.sandbox.put(labelled("a", "back")).expect("a pod");
    let (kind, object) = watch.event().await;
    assert_eq!(
        (kind.as_str(), text(&object, "/metadata/labels/tier")),
        ("DELETED", "front"),
        "its last selected state"
    );
    assert_eq!(text(&object, "/metadata/resourceVersion"), api.sandbox.revision().to_string());
    api.sandbox.put(labelled("b", "front")).expect("a pod");
    assert_eq!(watch.brief().await, "ADDED b");
}

#[tokio::test]
async fn a_watch_sees_one_namespace_or_one_name() {
    let api = Api::new();
    let mut space = api.stream("/api/v1/namespaces/x/pods?watch=1").await;
    let mut name = follow(&api, "fieldSelector=metadata.name%3Db").await;
    let mut old = api.stream("/api/v1/watch/namespaces/x/pods/a").await;
    api.pod("x", "a");
    api.pod("y", "b");
    assert_eq!(space.brief().await, "ADDED a");
    assert_eq!(name.brief().await, "ADDED b");
    assert_eq!(old.brief().await, "ADDED a");
    assert!(space.is_quiet().await);
}

#[tokio::test]
async fn initial_events_end_with_a_marked_bookmark() {
    let api = Api::new();
    api.pod("default", "a");
    let query = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    let mut watch = follow(&api, query).await;
    assert_eq!(watch.brief().await, "ADDED a");
    let (kind, object) = watch.event().await;
    assert_eq!((kind.as_str(), text(&object, "/kind")), ("BOOKMARK", "Pod"));
    assert_eq!(text(&object, "/metadata/annotations/k8s.io~1initial-events-end"), "true");
    assert_eq!(text(&object, "/metadata/resourceVersion"), api.sandbox.revision().to_string());
    api.pod("default", "b");
    assert_eq!(watch.brief().await, "ADDED b");
}

#[tokio::test]
async fn a_version_before_the_window_is_an_error_in_the_stream() {
    let api = Api::new();
    api.pod("default", "a");
    let from = api.sandbox.revision();
    api.pod("default", "b");
    api.sandbox.compact();
    let mut watch = follow(&api, &format!("resourceVersion={from}")).await;
    let (kind, status) = watch.event().await;
    assert_eq!((kind.as_str(), text(&status, "/reason"), &status["code"]), ("ERROR", "Expired", &json!(410)));
    assert!(text(&status, "/message").starts_with(&format!("too old resource version: {from} (")));
    assert_eq!(watch.line().await, None);
}

#[tokio::test]
async fn many_changes_push_old_versions_out_of_the_window() {
    let api = Api::new();
    api.pod("default", "a");
    let from = api.sandbox.revision();
    for number in 0..5000 {
        let mut pod = running("default", "a");
        pod["metadata"]["annotations"] = json!({"n": number.to_string()});
        api.sandbox.put(pod).expect("a pod");
    }
    assert_eq!(follow(&api, &format!("resourceVersion={from}")).await.event().await.0, "ERROR");
    let recent = api.sandbox.revision() - 1;
    assert_eq!(follow(&api, &format!("resourceVersion={recent}")).await.brief().await, "MODIFIED a");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_come_while_nothing_happens_and_before_the_end() {
    let api = Api::new();
    let from = api.sandbox.revision();
    let mut watch = follow(&api, &format!("resourceVersion={from}&allowWatchBookmarks=true&timeoutSeconds=150")).await;
    api.sandbox.put(json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}})).expect("a node");
    for _ in 0..3 {
        let (kind, object) = watch.event().await;
        assert_eq!(kind, "BOOKMARK");
        assert_eq!(text(&object, "/metadata/resourceVersion"), api.sandbox.revision().to_string());
    }
    assert_eq!(watch.line().await, None);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_after_its_time_and_without_bookmarks_silently() {
    let api = Api::new();
    let started = tokio::time::Instant::now();
    let mut watch = follow(&api, "timeoutSeconds=5").await;
    assert_eq!(watch.line().await, None);
    assert_eq!(started.elapsed().as_secs(), 5);
}

#[tokio::test]
async fn events_take_the_form_that_was_asked_for() {
    let api = Api::new();
    api.pod("default", "a");
    let metadata = api.with("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    let (_, object) = follow(&metadata, "").await.event().await;
    assert_eq!((text(&object, "/kind"), text(&object, "/metadata/name")), ("PartialObjectMetadata", "a"));
    let table = api.with("accept", "application/json;as=Table;g=meta.k8s.io;v=v1");
    let (_, shown) = follow(&table, "").await.event().await;
    assert_eq!((text(&shown, "/kind"), &shown["rows"][0]["cells"][0]), ("Table", &json!("a")));
}

#[tokio::test]
async fn all_streams_can_be_closed() {
    let api = Api::new();
    let mut watch = follow(&api, "").await;
    assert!(watch.is_quiet().await);
    api.sandbox.close_streams();
    assert_eq!(watch.line().await, None);
    api.pod("default", "a");
    assert_eq!(follow(&api, "").await.brief().await, "ADDED a");
}

#[tokio::test]
async fn a_rewound_store_shows_the_past_and_expires_the_rest() {
    let api = Api::new();
    api.pod("default", "a");
    let then = api.sandbox.revision();
    let uid = text(&api.sandbox.get("v1", "Pod", "default", "a").expect("a pod"), "/metadata/uid").to_owned();
    api.pod("default", "b");
    api.sandbox.remove("v1", "Pod", "default", "a");
    assert!(api.sandbox.rewind(then));
    let (_, list) = api.get("/api/v1/pods").await;
    assert_eq!(
        (crate::api::names(&list), text(&list, "/metadata/resourceVersion")),
        (vec!["a"], then.to_string().as_str())
    );
    assert_eq!(text(&list["items"][0], "/metadata/uid"), uid);
    assert_eq!(refusal(&api.get(&format!("/api/v1/pods?resourceVersion={}", then + 2)).await).0, 504);
    assert!(!api.sandbox.rewind(1), "what was before the restored state is not known");
}

fn faulty(fault: WatchFault) -> Api {
    let api = Api::new();
    api.pod("default", "a");
    api.sandbox.fault(Fault::once(Filter::all().verbs(&[Verb::Watch]).resource("pods"), Effect::Watch(fault)));
    api
}

#[tokio::test]
async fn streams_break_on_demand() {
    assert_eq!(follow(&faulty(WatchFault::EndAtOnce), "").await.line().await, None);
    assert!(follow(&faulty(WatchFault::Silent), "timeoutSeconds=1").await.is_quiet().await);
    assert_eq!(follow(&faulty(WatchFault::Expired), "").await.event().await.0, "ERROR");
    let mut doubled = follow(&faulty(WatchFault::Doubled), "").await;
    assert_eq!((doubled.brief().await, doubled.brief().await), ("ADDED a".to_owned(), "ADDED a".to_owned()));
    let garbage = follow(&faulty(WatchFault::Garbage), "").await.line().await.expect("a line");
    assert!(serde_json::from_str::<Value>(&garbage).is_err());
    let initial = "sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true";
    assert_eq!(follow(&faulty(WatchFault::OnlyBookmarks), initial).await.event().await.0, "BOOKMARK");
    let mut unmarked = follow(&faulty(WatchFault::NoBookmarks), initial).await;
    assert_eq!(unmarked.brief().await, "ADDED a");
    assert!(unmarked.is_quiet().await);
    assert_eq!(follow(&faulty(WatchFault::Reordered), initial).await.event().await.0, "BOOKMARK");
}

#[tokio::test]
async fn deletions_can_get_lost() {
    let api = faulty(WatchFault::NoDeletions);
    let mut watch = follow(&api, "").await;
    assert_eq!(watch.brief().await, "ADDED a");
    api.sandbox.remove("v1", "Pod", "default", "a");
    api.pod("default", "b");
    assert_eq!(watch.brief().await, "ADDED b");
}

#[tokio::test(start_paused = true)]
async fn bookmarks_can_go_backward() {
    let api = faulty(WatchFault::BackwardBookmarks);
    let mut watch = follow(&api, "allowWatchBookmarks=true").await;
    assert_eq!(watch.brief().await, "ADDED a");
    assert_eq!(watch.event().await.0, "BOOKMARK", "the end of what was there");
    let version = |object: &Value| text(object, "/metadata/resourceVersion").parse::<u64>().expect("a number");
    let (first, second) = (watch.event().await.1, watch.event().await.1);
    assert!(version(&second) < version(&first));
}
