//! The reader against an API server in the process: what is sent, what becomes of each answer, how few requests it takes.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use http::{Request, Response, StatusCode};
use kube::Client;
use kube::client::Body;
use kubewhy_diagnosis::ask::{Answer, Ask, Filter, Instance, Selector};
use kubewhy_diagnosis::kind::Kind;
use kubewhy_diagnosis::{Inquiry, Report, Step, Target};
use kubewhy_kubernetes::Cluster;
use serde_json::{Value, json};

/// A request as the server saw it: path with query, and the form asked for.
type Seen = Arc<Mutex<Vec<(String, String)>>>;

/// A server that answers by its script and keeps what it saw.
fn serve(script: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> (Cluster, Seen) {
    let seen: Seen = Seen::default();
    let (script, log) = (Arc::new(script), Arc::clone(&seen));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (script, log) = (Arc::clone(&script), Arc::clone(&log));
        async move {
            assert_eq!(request.method(), http::Method::GET, "only reads are sent");
            let uri = request.uri().to_string();
            let accept =
                request.headers().get(http::header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
            log.lock().expect("the log").push((uri.clone(), accept.to_owned()));
            let (code, body) = script(&uri);
            let response = Response::builder().status(StatusCode::from_u16(code).expect("a code"));
            Ok::<_, Infallible>(response.body(Body::from(body.into_bytes())).expect("a response"))
        }
    });
    (Cluster::new(Client::new(service, "default"), "test"), seen)
}

fn status(code: u16, reason: &str, message: &str, details: impl serde::Serialize) -> (u16, String) {
    let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
        "message": message, "details": details});
    (code, status.to_string())
}

async fn one(cluster: &Cluster, ask: Ask) -> Answer {
    cluster.answer(vec![ask]).await.remove(0).1
}

fn get(kind: Kind, name: &str) -> Ask {
    Ask::Get { kind, namespace: kind.is_namespaced().then(|| "shop".to_owned()), name: name.to_owned() }
}

#[tokio::test]
async fn absent_forbidden_and_failed_are_told_apart() {
    let (cluster, _) = serve(|uri| match uri {
        uri if uri.contains("/configmaps/absent") => {
            status(404, "NotFound", "configmaps \"absent\" not found", json!({"name": "absent"}))
        }
        uri if uri.contains("/configmaps/secret") => {
            status(403, "Forbidden", "configmaps is forbidden: User \"x\" cannot get", json!({}))
        }
        uri if uri.contains("/resourceclaims/") => {
            status(404, "NotFound", "the server could not find the requested resource", json!({}))
        }
        uri if uri.contains("/configmaps/broken") => (200, "{\"kind\": \"ConfigMap\", \"metadata\"".to_owned()),
        _ => (500, "not even a Status".to_owned()),
    });
    assert!(matches!(one(&cluster, get(Kind::ConfigMap, "absent")).await, Answer::Absent));
    assert!(
        matches!(one(&cluster, get(Kind::ConfigMap, "secret")).await, Answer::Forbidden(why) if why.contains("cannot get"))
    );
    assert!(
        matches!(one(&cluster, get(Kind::ResourceClaim, "c")).await, Answer::Failed(_)),
        "an unknown API is no absent object"
    );
    assert!(matches!(one(&cluster, get(Kind::ConfigMap, "broken")).await, Answer::Failed(_)));
    assert!(matches!(one(&cluster, get(Kind::ConfigMap, "other")).await, Answer::Failed(_)));
}

#[tokio::test]
async fn the_data_of_a_secret_is_never_asked_for() {
    let (cluster, seen) = serve(|_| {
        let table = json!({"kind": "Table", "columnDefinitions": [{"name": "Name"}, {"name": "Type"}, {"name": "Data"}],
            "rows": [{"cells": ["cart-db", "Opaque", 1], "object": {"metadata": {"name": "cart-db", "namespace": "shop"}}}]});
        (200, table.to_string())
    });
    assert!(matches!(one(&cluster, get(Kind::Secret, "cart-db")).await, Answer::Object(_)));
    let list = Ask::List { kind: Kind::Secret, namespace: Some("shop".to_owned()), filter: Filter::All };
    assert!(matches!(one(&cluster, list).await, Answer::List { items, complete: true } if items.len() == 1));
    for (uri, accept) in seen.lock().expect("the log").iter() {
        assert!(accept.contains("as=Table"), "{uri} asks for {accept}");
    }
}

#[tokio::test]
async fn lists_are_selected_by_the_server_and_paged() {
    let (cluster, seen) = serve(|uri| {
        let next = if uri.contains("continue=") { "" } else { "more" };
        let pod = json!({"metadata": {"name": if next.is_empty() { "b" } else { "a" }, "namespace": "shop"}});
        (200, json!({"kind": "PodList", "metadata": {"continue": next}, "items": [pod]}).to_string())
    });
    let selector = Selector::labels(&[("app".to_owned(), "cart".to_owned())].into());
    let list = Ask::List { kind: Kind::Pod, namespace: Some("shop".to_owned()), filter: Filter::Labels(selector) };
    assert!(matches!(one(&cluster, list).await, Answer::List { items, complete: true } if items.len() == 2));
    let on_node = Ask::List { kind: Kind::Pod, namespace: None, filter: Filter::OnNode("node-1".to_owned()) };
    one(&cluster, on_node).await;
    let seen = seen.lock().expect("the log");
    assert!(
        seen[0].0.contains("/api/v1/namespaces/shop/pods?") && seen[0].0.contains("labelSelector=app%3Dcart"),
        "{seen:?}"
    );
    assert!(seen[2].0.contains("fieldSelector=spec.nodeName%3Dnode-1%2Cstatus.phase%21%3DSucceeded"), "{seen:?}");
    assert!(seen.iter().all(|(uri, _)| uri.contains("limit=500")));
}

#[tokio::test]
async fn a_busy_server_is_asked_once_more() {
    let (cluster, seen) = serve(|_| status(429, "TooManyRequests", "try again later", json!({})));
    assert!(matches!(one(&cluster, get(Kind::Pod, "x")).await, Answer::Failed(_)));
    assert_eq!(seen.lock().expect("the log").len(), 2);
}

#[tokio::test]
async fn a_log_that_is_not_there_is_absent() {
    let (cluster, seen) = serve(|uri| match uri {
        uri if uri.contains("previous=true") => {
            status(400, "BadRequest", "previous terminated container \"app\" in pod \"x\" not found", json!({}))
        }
        _ => (200, "last words\n".to_owned()),
    });
    let log = |instance| Ask::Log { namespace: "shop".into(), pod: "x".into(), container: "app".into(), instance };
    assert!(matches!(one(&cluster, log(Instance::Previous)).await, Answer::Absent));
    assert!(matches!(one(&cluster, log(Instance::Current)).await, Answer::Log(text) if &*text == "last words\n"));
    assert!(
        seen.lock().expect("the log").iter().all(|(uri, _)| uri.contains("limitBytes=") && uri.contains("tailLines="))
    );
}

async fn explain(cluster: &Cluster, target: Target) -> Report {
    let mut inquiry = Inquiry::new(target, "2026-11-20T10:05:00Z".parse().expect("a time"));
    let mut answers = Vec::new();
    loop {
        match inquiry.step(answers) {
            Step::Needs(asks) => answers = cluster.answer(asks).await,
            Step::Done(report) => return *report,
        }
    }
}

#[tokio::test]
async fn a_healthy_pod_takes_two_requests_and_a_missing_key_three() {
    let pod = |ready: bool, state: Value| {
        json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "cart", "namespace": "shop", "uid": "u"},
            "spec": {"nodeName": "n", "containers": [{"name": "app", "image": "i"}]},
            "status": {"phase": if ready { "Running" } else { "Pending" },
                "conditions": [{"type": "Ready", "status": if ready { "True" } else { "False" }}],
                "containerStatuses": [{"name": "app", "ready": ready, "restartCount": 0, "image": "i", "imageID": "", "state": state}]}})
        .to_string()
    };
    let script = |body: String| {
        move |uri: &str| match uri {
            uri if uri.contains("/events") => {
                (200, json!({"kind": "EventList", "metadata": {}, "items": []}).to_string())
            }
            uri if uri.contains("/secrets/") => {
                status(404, "NotFound", "secrets \"cart-db\" not found", json!({"name": "cart-db"}))
            }
            _ => (200, body.clone()),
        }
    };
    let target = || Target {
        cluster: "test".into(),
        context: None,
        kind: Kind::Pod,
        namespace: Some("shop".into()),
        name: "cart".into(),
    };
    let (cluster, _) = serve(script(pod(true, json!({"running": {}}))));
    let report = explain(&cluster, target()).await;
    assert_eq!((report.status, cluster.requests()), (kubewhy_diagnosis::Status::Healthy, 2));
    let message = "couldn't find key password in Secret shop/cart-db";
    let (cluster, _) =
        serve(script(pod(false, json!({"waiting": {"reason": "CreateContainerConfigError", "message": message}}))));
    let report = explain(&cluster, target()).await;
    assert_eq!(report.lead().map(|lead| lead.finding.code.as_str()), Some("secret-key-missing"));
    assert!(cluster.requests() <= 3, "{} requests", cluster.requests());
}
