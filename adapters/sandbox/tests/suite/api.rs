//! A client that shows what is really on the wire.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;
use kubewhy_sandbox::{Body, Clock, Error, Sandbox};
use serde_json::{Value, json};
use tower::ServiceExt;

/// The time in every test.
pub(crate) const NOW: &str = "2026-01-02T03:04:05Z";

/// What waiting for something that must come may take at most.
pub(crate) const PATIENCE: Duration = Duration::from_secs(100);

/// A sandbox and requests to it.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) sandbox: Sandbox,
    headers: Vec<(String, String)>,
}

/// An answer: status code and body.
pub(crate) type Answer = (u16, Value);

impl Api {
    pub(crate) fn new() -> Self {
        let now: Timestamp = NOW.parse().expect("a time");
        Self { sandbox: Sandbox::new(Clock::fixed(now)), headers: Vec::new() }
    }

    /// The same sandbox, asked with another header.
    pub(crate) fn with(&self, name: &str, value: &str) -> Self {
        let mut api = self.clone();
        api.headers.push((name.to_owned(), value.to_owned()));
        api
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        content_type: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Body>, Error> {
        let mut request = Request::builder().method(method).uri(path);
        if !content_type.is_empty() {
            request = request.header("content-type", content_type);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body.into())).expect("a request");
        self.sandbox.service().oneshot(request).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, content_type: &str, body: impl Into<Bytes>) -> Answer {
        let response = self.raw(method, path, content_type, body).await.expect("an answer");
        let code = response.status().as_u16();
        let body = response.into_body().collect().await.expect("a whole body").to_bytes();
        let text = String::from_utf8_lossy(&body).into_owned();
        (code, serde_json::from_slice(&body).unwrap_or(Value::String(text)))
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, "application/json", body.to_string()).await
    }

    pub(crate) async fn put(&self, path: &str, body: Value) -> Answer {
        self.ask("PUT", path, "application/json", body.to_string()).await
    }

    pub(crate) async fn merge(&self, path: &str, body: Value) -> Answer {
        self.ask("PATCH", path, "application/merge-patch+json", body.to_string()).await
    }

    pub(crate) async fn json_patch(&self, path: &str, body: Value) -> Answer {
        self.ask("PATCH", path, "application/json-patch+json", body.to_string()).await
    }

    pub(crate) async fn delete(&self, path: &str, options: Value) -> Answer {
        self.ask("DELETE", path, "application/json", options.to_string()).await
    }

    /// Opens a stream: a watch or a log that is followed.
    pub(crate) async fn stream(&self, path: &str) -> Stream {
        let response = self.raw("GET", path, "", "").await.expect("an answer");
        assert_eq!(response.status(), 200, "{path}");
        Stream { body: response.into_body(), rest: Vec::new(), lines: VecDeque::new() }
    }

    /// Makes a pod as a kubelet would have it: on a node and running.
    pub(crate) fn pod(&self, namespace: &str, name: &str) {
        self.sandbox.put(running(namespace, name)).expect("a pod");
    }
}

/// A pod that runs on a node.
pub(crate) fn running(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name}},
        "spec": {"nodeName": "node-1", "terminationGracePeriodSeconds": 30,
            "containers": [{"name": "app", "image": "app:1"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "state": {"running": {}}}]},
    })
}

/// A pod as somebody would create it.
pub(crate) fn draft(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name},
        "spec": {"containers": [{"name": "app", "image": "app:1"}]}})
}

/// A config map, the simplest of objects.
pub(crate) fn config(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"a": "1"}})
}

pub(crate) fn deployment(name: &str) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name},
        "spec": {"replicas": 2, "selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": "app:1"}]}}}})
}

/// A field of an answer as text.
pub(crate) fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The names of a list's objects.
pub(crate) fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("items");
    items.iter().map(|item| text(item, "/metadata/name")).collect()
}

/// Code, reason and message of a refusal.
pub(crate) fn refusal(answer: &Answer) -> (u16, &str, &str) {
    assert_eq!(text(&answer.1, "/kind"), "Status", "{}", answer.1);
    assert_eq!(answer.1["code"], answer.0);
    (answer.0, text(&answer.1, "/reason"), text(&answer.1, "/message"))
}

/// A stream of lines.
pub(crate) struct Stream {
    body: Body,
    rest: Vec<u8>,
    lines: VecDeque<String>,
}

impl Stream {
    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        tokio::time::timeout(PATIENCE, self.read()).await.expect("a line or the end in time")
    }

    async fn read(&mut self) -> Option<String> {
        while self.lines.is_empty() {
            let data = self.body.frame().await?.ok()?.into_data().ok()?;
            self.rest.extend_from_slice(&data);
            while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                self.lines.push_back(String::from_utf8_lossy(&line).trim_end().to_owned());
            }
        }
        self.lines.pop_front()
    }

    /// The next event: its type and its object.
    pub(crate) async fn event(&mut self) -> (String, Value) {
        let line = self.line().await.expect("an event");
        let mut event: Value = serde_json::from_str(&line).expect("JSON");
        (text(&event, "/type").to_owned(), event["object"].take())
    }

    /// The next event in short: its type and the object's name.
    pub(crate) async fn brief(&mut self) -> String {
        let (kind, object) = self.event().await;
        format!("{kind} {}", text(&object, "/metadata/name"))
    }

    /// Whether nothing comes for a moment. Only for what must never come.
    pub(crate) async fn is_quiet(&mut self) -> bool {
        tokio::time::timeout(Duration::from_millis(50), self.read()).await.is_err()
    }
}
