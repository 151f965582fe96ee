//! Logs.

use jiff::Timestamp;
use serde_json::json;

use crate::api::{Api, draft, refusal, running, text};

const LOG: &str = "/api/v1/namespaces/default/pods/a/log";

async fn log(api: &Api, query: &str) -> (u16, String) {
    let (code, body) = api.get(&format!("{LOG}?{query}")).await;
    (code, body.as_str().map_or_else(|| body.to_string(), ToOwned::to_owned))
}

fn with_log(text: &str) -> Api {
    let api = Api::new();
    api.pod("default", "a");
    api.sandbox.set_log("default", "a", "app", false, text);
    api
}

#[tokio::test]
async fn a_log_is_cut_as_asked() {
    let api = with_log("one\ntwo\nthree\n");
    assert_eq!(log(&api, "").await, (200, "one\ntwo\nthree\n".to_owned()));
    assert_eq!(log(&api, "tailLines=1").await.1, "three\n");
    assert_eq!(log(&api, "tailLines=0").await, (200, String::new()));
    assert_eq!(log(&api, "limitBytes=5").await.1, "one\nt");
    assert_eq!(log(&api, "timestamps=true&tailLines=1").await.1, "2026-01-02T03:04:05.000000000Z three\n");
    assert_eq!(log(&api, "container=app&tailLines=999999999999").await.1.lines().count(), 3);
}

#[tokio::test]
async fn a_cut_never_splits_a_character() {
    let api = with_log("\u{e4}\u{e4}");
    assert_eq!(log(&api, "limitBytes=3").await.1, "\u{e4}");
}

#[tokio::test]
async fn only_recent_lines_are_shown_where_asked() {
    let api = Api::new();
    api.pod("default", "a");
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let lines = [(at("2026-01-02T03:00:00Z"), "old".to_owned()), (at("2026-01-02T03:04:00Z"), "new".to_owned())];
    api.sandbox.set_log_lines("default", "a", "app", false, lines);
    assert_eq!(log(&api, "sinceSeconds=60").await.1, "new\n");
    assert_eq!(log(&api, "sinceTime=2026-01-02T02:00:00Z").await.1, "old\nnew\n");
    assert_eq!(log(&api, "sinceTime=yesterday").await.0, 400);
}

#[tokio::test]
async fn the_previous_run_is_read_or_missed() {
    let api = with_log("first run");
    let answer = api.get(&format!("{LOG}?previous=true")).await;
    let message = "previous terminated container \"app\" in pod \"a\" not found";
    assert_eq!(refusal(&answer), (400, "BadRequest", message));
    api.sandbox.rotate_log("default", "a", "app");
    assert_eq!(log(&api, "previous=true").await.1, "first run\n");
    assert_eq!(log(&api, "").await.1, "");
}

#[tokio::test]
async fn a_container_must_be_meant() {
    let api = Api::new();
    let mut pod = running("default", "a");
    pod["spec"]["containers"] = json!([{"name": "app", "image": "a"}, {"name": "side", "image": "b"}]);
    pod["spec"]["initContainers"] = json!([{"name": "init", "image": "c"}]);
    api.sandbox.put(pod).expect("a pod");
    let message = "a container name must be specified for pod a, choose one of: [init app side]";
    assert_eq!(refusal(&api.get(LOG).await), (400, "BadRequest", message));
    let answer = api.get(&format!("{LOG}?container=none")).await;
    assert_eq!(refusal(&answer).2, "container none is not valid for pod a");
    assert_eq!(refusal(&api.get("/api/v1/namespaces/default/pods/none/log").await).0, 404);
}

#[tokio::test]
async fn a_container_that_waits_has_no_log() {
    let api = Api::new();
    for (reason, shown) in [
        ("ContainerCreating", "ContainerCreating"),
        ("ImagePullBackOff", "trying and failing to pull image"),
        ("ErrImagePull", "trying and failing to pull image"),
        ("CreateContainerConfigError", "CreateContainerConfigError"),
    ] {
        let mut pod = running("default", "a");
        pod["status"]["containerStatuses"] = json!([{"name": "app", "state": {"waiting": {"reason": reason}}}]);
        api.sandbox.put(pod).expect("a pod");
        let message = format!("container \"app\" in pod \"a\" is waiting to start: {shown}");
        assert_eq!(refusal(&api.get(LOG).await), (400, "BadRequest", message.as_str()));
    }
    api.sandbox.remove("v1", "Pod", "default", "a");
    api.post("/api/v1/namespaces/default/pods", draft("a")).await;
    assert_eq!(log(&api, "").await, (204, String::new()), "no node, no kubelet to ask");
}

#[tokio::test]
async fn numbers_that_mean_nothing_are_422_or_400() {
    let api = with_log("x");
    for query in ["tailLines=-1", "limitBytes=0", "sinceSeconds=0", "sinceSeconds=5&sinceTime=2026-01-02T02:00:00Z"] {
        let answer = api.get(&format!("{LOG}?{query}")).await;
        assert_eq!(refusal(&answer).1, "Invalid", "{query}");
    }
    assert_eq!(refusal(&api.get(&format!("{LOG}?tailLines=many")).await).0, 400);
}

#[tokio::test]
async fn a_followed_log_goes_on_until_the_container_ends() {
    let api = with_log("one");
    let mut stream = api.stream(&format!("{LOG}?follow=true")).await;
    assert_eq!(stream.line().await.as_deref(), Some("one"));
    api.sandbox.append_log("default", "a", "app", "two\nthree");
    assert_eq!(stream.line().await.as_deref(), Some("two"));
    assert_eq!(stream.line().await.as_deref(), Some("three"));
    let mut ended = running("default", "a");
    ended["status"]["containerStatuses"] = json!([{"name": "app", "state": {"terminated": {"exitCode": 1}}}]);
    api.sandbox.append_log("default", "a", "app", "last words");
    let (code, _) = api.merge("/api/v1/namespaces/default/pods/a/status", json!({"status": ended["status"]})).await;
    assert_eq!(code, 200);
    assert_eq!(stream.line().await.as_deref(), Some("last words"));
    assert_eq!(stream.line().await, None);
}

#[tokio::test]
async fn a_followed_log_ends_with_its_pod_or_at_its_limit() {
    let api = with_log("one");
    let mut followed = api.stream(&format!("{LOG}?follow=true&tailLines=0")).await;
    let mut limited = api.stream(&format!("{LOG}?follow=true&limitBytes=6")).await;
    assert_eq!(limited.line().await.as_deref(), Some("one"));
    api.sandbox.append_log("default", "a", "app", "2\n3");
    assert_eq!(limited.line().await.as_deref(), Some("2"));
    assert_eq!(limited.line().await, None);
    assert_eq!(followed.line().await.as_deref(), Some("2"));
    assert_eq!(followed.line().await.as_deref(), Some("3"));
    api.delete("/api/v1/namespaces/default/pods/a", json!({"gracePeriodSeconds": 0})).await;
    assert_eq!(followed.line().await, None);
    assert_eq!(text(&api.get(LOG).await.1, "/reason"), "NotFound");
}
