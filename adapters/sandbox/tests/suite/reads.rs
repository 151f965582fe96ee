//! Get, forms, paths.

use serde_json::json;

use crate::api::{Api, NOW, config, names, refusal, text};

#[tokio::test]
async fn an_object_comes_whole_with_what_the_server_sets() {
    let api = Api::new();
    let (code, made) = api.post("/api/v1/namespaces/default/configmaps", config("a")).await;
    assert_eq!(code, 201);
    assert_eq!(text(&made, "/metadata/creationTimestamp"), NOW);
    assert_eq!(text(&made, "/metadata/namespace"), "default");
    assert_eq!(text(&made, "/metadata/uid").len(), 36);
    let (code, read) = api.get("/api/v1/namespaces/default/configmaps/a").await;
    assert_eq!((code, &read), (200, &made));
}

#[tokio::test]
async fn what_is_not_there_is_404_in_kubernetes_words() {
    let api = Api::new();
    let answer = api.get("/api/v1/namespaces/default/pods/x").await;
    assert_eq!(refusal(&answer), (404, "NotFound", "pods \"x\" not found"));
    assert_eq!(answer.1["details"], json!({"name": "x", "kind": "pods"}));
    let answer = api.get("/apis/apps/v1/namespaces/default/deployments/x").await;
    assert_eq!(refusal(&answer), (404, "NotFound", "deployments.apps \"x\" not found"));
    assert_eq!(answer.1["details"], json!({"name": "x", "group": "apps", "kind": "deployments"}));
}

#[tokio::test]
async fn unknown_paths_are_404_in_plain_text() {
    let api = Api::new();
    for path in ["/apis/none/v1/things", "/nonsense", "/apis/none"] {
        let (code, body) = api.get(path).await;
        assert_eq!((code, body.as_str()), (404, Some("404 page not found\n")), "{path}");
    }
}

#[tokio::test]
async fn unknown_paths_of_a_group_that_is_served_are_404_in_json() {
    let api = Api::new();
    for path in [
        "/api/v1/nothings",
        "/api/v2/pods",
        "/apis/apps/v9",
        "/api/v1/pods/without-namespace",
        "/api/v1/namespaces/default/nodes",
        "/api/v1/namespaces/default/pods/a/nonsense",
        "/apis/apps/v1/pods",
    ] {
        let answer = api.get(path).await;
        assert_eq!(refusal(&answer), (404, "NotFound", "the server could not find the requested resource"), "{path}");
    }
}

#[tokio::test]
async fn methods_that_a_resource_lacks_are_405() {
    let api = Api::new();
    for (method, path) in [
        ("POST", "/api/v1/pods"),
        ("DELETE", "/api/v1/namespaces"),
        ("PUT", "/api/v1/namespaces/default/pods"),
        ("POST", "/api/v1/namespaces/default/pods/a"),
        ("POST", "/api/v1/namespaces/default/pods/a/status"),
        ("DELETE", "/api/v1/pods"),
        ("DELETE", "/api/v1/namespaces/default/pods/a/log"),
    ] {
        let answer = api.ask(method, path, "application/json", "{}").await;
        let message = "the server does not allow this method on the requested resource";
        assert_eq!(refusal(&answer), (405, "MethodNotAllowed", message), "{method} {path}");
    }
    assert_eq!(api.ask("TRACE", "/api/v1/pods", "", "").await.0, 405);
}

#[tokio::test]
async fn metadata_alone_is_read_by_accept() {
    let api = Api::new();
    api.pod("default", "a");
    let one = api.with("accept", "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    let (code, object) = one.get("/api/v1/namespaces/default/pods/a").await;
    assert_eq!((code, text(&object, "/kind")), (200, "PartialObjectMetadata"));
    assert!(object.get("spec").is_none() && text(&object, "/metadata/name") == "a");
    let many = api.with("accept", "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    let (_, list) = many.get("/api/v1/pods").await;
    assert_eq!((text(&list, "/kind"), text(&list, "/apiVersion")), ("PartialObjectMetadataList", "meta.k8s.io/v1"));
    assert_eq!(names(&list), ["a"]);
    assert!(list["items"][0].get("spec").is_none());
}

#[tokio::test]
async fn a_form_that_is_not_spoken_gives_way_to_the_next_or_is_406() {
    let api = Api::new();
    let fallback = api.with("accept", "application/vnd.kubernetes.protobuf,application/json");
    assert_eq!(fallback.get("/api/v1/pods").await.0, 200);
    let only = api.with("accept", "application/vnd.kubernetes.protobuf");
    assert_eq!(refusal(&only.get("/api/v1/pods").await).1, "NotAcceptable");
}

#[tokio::test]
async fn a_table_has_a_row_for_each_object() {
    let api = Api::new();
    api.pod("default", "a");
    let table = api.with("accept", "application/json;as=Table;v=v1;g=meta.k8s.io,application/json");
    let (code, shown) = table.get("/api/v1/namespaces/default/pods").await;
    assert_eq!((code, text(&shown, "/kind")), (200, "Table"));
    assert_eq!(shown["rows"].as_array().map(Vec::len), Some(1));
    assert_eq!(shown["rows"][0]["cells"][0], "a");
}

#[tokio::test]
async fn a_version_from_the_future_is_504() {
    let api = Api::new();
    api.pod("default", "a");
    for path in ["/api/v1/namespaces/default/pods/a?resourceVersion=999999", "/api/v1/pods?resourceVersion=999999"] {
        let answer = api.get(path).await;
        let (code, reason, message) = refusal(&answer);
        assert_eq!((code, reason), (504, "Timeout"));
        assert!(message.starts_with("Timeout: Too large resource version: 999999, current: "), "{message}");
        assert_eq!(answer.1["details"]["causes"][0]["reason"], "ResourceVersionTooLarge");
    }
    assert_eq!(api.get("/api/v1/namespaces/default/pods/a?resourceVersion=0").await.0, 200);
}

#[tokio::test]
async fn both_groups_show_the_same_event_in_their_own_words() {
    let api = Api::new();
    let event = json!({"apiVersion": "v1", "kind": "Event", "metadata": {"name": "e", "namespace": "default"},
        "involvedObject": {"kind": "Pod", "name": "a"}, "message": "hello", "count": 3, "type": "Warning"});
    assert_eq!(api.post("/api/v1/namespaces/default/events", event).await.0, 201);
    let (_, new) = api.get("/apis/events.k8s.io/v1/namespaces/default/events/e").await;
    assert_eq!((text(&new, "/apiVersion"), text(&new, "/note")), ("events.k8s.io/v1", "hello"));
    assert_eq!((text(&new, "/regarding/name"), &new["deprecatedCount"]), ("a", &json!(3)));
    let newer = json!({"apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": {"name": "f", "namespace": "default"},
        "regarding": {"kind": "Pod", "name": "b"}, "note": "there", "eventTime": NOW, "reportingController": "x"});
    let (code, shown) = api.post("/apis/events.k8s.io/v1/namespaces/default/events", newer).await;
    assert_eq!((code, text(&shown, "/note")), (201, "there"));
    let (_, list) = api.get("/api/v1/events?fieldSelector=involvedObject.name%3Db").await;
    assert_eq!(names(&list), ["f"]);
    assert_eq!(text(&list["items"][0], "/message"), "there");
}
