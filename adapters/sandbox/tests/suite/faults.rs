//! Faults on demand.

use std::time::Duration;

use http_body_util::BodyExt;
use kubewhy_sandbox::{Effect, Fault, Filter, Status, Verb, faults::Hook};
use serde_json::json;

use crate::api::{Api, config, names, refusal, text};

const CONFIGS: &str = "/api/v1/namespaces/default/configmaps";

fn unavailable() -> Status {
    Status::new(503, "ServiceUnavailable", "the server is currently unable to handle the request")
}

#[tokio::test]
async fn a_fault_meets_what_its_filter_says_and_as_often() {
    let api = Api::new();
    let filter = Filter::all().verbs(&[Verb::List]).resource("pods").namespace("default");
    api.sandbox.fault(Fault::times(2, filter, Effect::Refuse(unavailable())).after(1));
    let codes = async || api.get("/api/v1/namespaces/default/pods").await.0;
    assert_eq!((codes().await, codes().await, codes().await, codes().await), (200, 503, 503, 200));
    api.sandbox.fault(Fault::always(Filter::all().path("/configmaps"), Effect::Refuse(unavailable())));
    assert_eq!((api.get(CONFIGS).await.0, api.get("/api/v1/pods").await.0, api.get(CONFIGS).await.0), (503, 200, 503));
    api.sandbox.clear_faults();
    assert_eq!(api.get(CONFIGS).await.0, 200);
}

#[tokio::test]
async fn throttling_says_when_to_come_back() {
    let api = Api::new();
    let status = Status::too_many_requests("too many requests, please try again later", 7);
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Refuse(status)));
    let response = api.raw("GET", "/api/v1/pods", "", "").await.expect("an answer");
    assert_eq!((response.status().as_u16(), response.headers()["retry-after"].to_str().ok()), (429, Some("7")));
}

#[tokio::test]
async fn a_write_can_be_applied_and_denied() {
    let api = Api::new();
    api.sandbox.fault(Fault::once(Filter::all().verbs(&[Verb::Create]), Effect::RefuseAfterwards(unavailable())));
    assert_eq!(refusal(&api.post(CONFIGS, config("a")).await).0, 503);
    assert_eq!(api.get(&format!("{CONFIGS}/a")).await.0, 200);
    let entry = api.sandbox.journal().pop().expect("a write");
    assert_eq!((entry.code, entry.applied), (503, true));
}

#[tokio::test]
async fn connections_drop_before_or_after_the_write() {
    let api = Api::new();
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Disconnect));
    api.sandbox.fault(Fault::once(Filter::all(), Effect::DisconnectAfterwards).after(0));
    let write = |name: &str| api.clone().raw_owned(CONFIGS, config(name).to_string());
    assert!(write("before").await.is_err());
    api.sandbox.clear_faults();
    api.sandbox.fault(Fault::once(Filter::all(), Effect::DisconnectAfterwards));
    assert!(write("after").await.is_err());
    assert_eq!(api.get(&format!("{CONFIGS}/before")).await.0, 404);
    assert_eq!(api.get(&format!("{CONFIGS}/after")).await.0, 200);
    let codes: Vec<(u16, bool)> = api.sandbox.journal().iter().map(|entry| (entry.code, entry.applied)).collect();
    assert_eq!(codes, [(0, false), (0, true)]);
}

impl Api {
    async fn raw_owned(self, path: &str, body: String) -> Result<u16, kubewhy_sandbox::Error> {
        self.raw("POST", path, "application/json", body).await.map(|response| response.status().as_u16())
    }
}

#[tokio::test]
async fn a_body_breaks_off() {
    let api = Api::new();
    api.pod("default", "a");
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Truncate(10)));
    let response = api.raw("GET", "/api/v1/pods", "", "").await.expect("an answer");
    let mut body = response.into_body();
    let start = body.frame().await.expect("a frame").expect("data").into_data().expect("data");
    assert_eq!(start.len(), 10);
    assert!(body.frame().await.expect("an end").is_err());
}

#[tokio::test(start_paused = true)]
async fn answers_can_be_late_slow_or_never_come() {
    let api = Api::new();
    let started = tokio::time::Instant::now();
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Delay(Duration::from_secs(20))));
    assert_eq!(api.get("/api/v1/pods").await.0, 200);
    assert_eq!(started.elapsed().as_secs(), 20);
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Trickle(10, Duration::from_secs(1))));
    let (code, list) = api.get("/api/v1/pods").await;
    assert_eq!((code, text(&list, "/kind")), (200, "PodList"), "slow, but whole");
    assert!(started.elapsed().as_secs() > 25);
    api.sandbox.fault(Fault::once(Filter::all(), Effect::Hang));
    assert!(tokio::time::timeout(Duration::from_hours(1), api.get("/api/v1/pods")).await.is_err());
}

#[tokio::test]
async fn somebody_else_can_be_faster() {
    let api = Api::new();
    api.pod("default", "a");
    let uid = text(&api.sandbox.get("v1", "Pod", "default", "a").expect("a pod"), "/metadata/uid").to_owned();
    let twin = Hook::new(|sandbox| {
        sandbox.remove("v1", "Pod", "default", "a");
        sandbox.put(crate::api::running("default", "a")).expect("a pod");
    });
    api.sandbox.fault(Fault::once(Filter::all().verbs(&[Verb::Delete]).name("a"), Effect::Meanwhile(twin)));
    let answer = api.delete("/api/v1/namespaces/default/pods/a", json!({"preconditions": {"uid": uid}})).await;
    assert_eq!(refusal(&answer).0, 409);
    assert!(api.sandbox.get("v1", "Pod", "default", "a").is_some());
}

#[tokio::test]
async fn a_replica_can_lag() {
    let api = Api::new();
    api.pod("default", "a");
    let then = api.sandbox.revision();
    api.pod("default", "b");
    api.sandbox.fault(Fault::always(Filter::all(), Effect::Stale(then)));
    let (_, list) = api.get("/api/v1/pods").await;
    assert_eq!((names(&list), text(&list, "/metadata/resourceVersion")), (vec!["a"], then.to_string().as_str()));
    assert_eq!(api.get("/api/v1/namespaces/default/pods/b").await.0, 404);
    assert_eq!(api.get("/api/v1/namespaces/default/pods/a").await.0, 200);
}

#[tokio::test]
async fn a_later_page_can_expire() {
    let api = Api::new();
    for name in ["a", "b", "c"] {
        api.pod("default", name);
    }
    api.sandbox.fault(Fault::once(Filter::all().continued(), Effect::Refuse(Status::expired("gone"))));
    let (code, first) = api.get("/api/v1/pods?limit=1").await;
    assert_eq!(code, 200);
    let next = format!("/api/v1/pods?limit=1&continue={}", text(&first, "/metadata/continue"));
    assert_eq!(refusal(&api.get(&next).await), (410, "Expired", "gone"));
    assert_eq!(names(&api.get(&next).await.1), ["b"]);
}

#[tokio::test]
async fn a_server_can_refuse_dry_runs_alone() {
    let api = Api::new();
    api.post(CONFIGS, config("a")).await;
    let why = "admission webhook \"x\" does not support dry run";
    api.sandbox.fault(Fault::always(Filter::all().dry_run(), Effect::Refuse(Status::bad_request(why))));
    let a = format!("{CONFIGS}/a");
    assert_eq!(refusal(&api.delete(&a, json!({"dryRun": ["All"]})).await).2, why);
    assert_eq!(refusal(&api.merge(&format!("{a}?dryRun=All"), json!({})).await).2, why);
    assert_eq!(api.delete(&a, json!({})).await.0, 200);
}

#[tokio::test]
async fn parallel_writes_are_told_apart() {
    let api = Api::new();
    let (_, object) = api.post(CONFIGS, config("a")).await;
    api.sandbox.clear_journal();
    let version = object["metadata"]["resourceVersion"].clone();
    let writes = (0..50).map(|number| {
        let (api, version) = (api.clone(), version.clone());
        let patch = json!({"metadata": {"resourceVersion": version}, "data": {"a": format!("new {number}")}});
        async move { api.merge(&format!("{CONFIGS}/a"), patch).await.0 }
    });
    let codes = futures::future::join_all(writes).await;
    assert_eq!(codes.iter().filter(|code| **code == 200).count(), 1);
    assert_eq!(codes.iter().filter(|code| **code == 409).count(), 49);
    assert_eq!(api.sandbox.journal().iter().filter(|entry| entry.applied).count(), 1);
}
