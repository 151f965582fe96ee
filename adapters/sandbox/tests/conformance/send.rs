//! Sends the requests of an area to a server and keeps the comparable form of each answer.

use std::{collections::BTreeMap, fmt::Write, time::Duration};

use bytes::Bytes;
use http_body_util::BodyExt;
use kube::{Client, client::Body};
use serde_json::{Value, json};

use crate::{
    shape,
    suite::{Area, Request, Step, Until},
};

/// No answer, a watch's included, takes longer.
const PATIENCE: Duration = Duration::from_mins(1);
/// How often a question that waits for controllers is asked, with [`PAUSE`] in between.
const ATTEMPTS: usize = 100;
const PAUSE: Duration = Duration::from_millis(200);

/// A server under comparison.
#[derive(Clone)]
pub(crate) struct Server {
    /// Carries the requests.
    pub(crate) client: Client,
    /// Sent with every request.
    pub(crate) token: Option<String>,
    /// What the names of this run end in, so that a server can be asked twice.
    pub(crate) run: String,
}

/// What a server answered: the comparable form by the name of the step.
pub(crate) type Answers = BTreeMap<String, Value>;

impl Server {
    /// Sends every area's requests, the areas side by side, the requests of one in order.
    pub(crate) async fn ask(&self, areas: &[Area]) -> BTreeMap<String, Answers> {
        let areas = areas.iter().map(async |area| (area.name.clone(), self.area(area).await));
        futures::future::join_all(areas).await.into_iter().collect()
    }

    async fn area(&self, area: &Area) -> Answers {
        let mut variables: BTreeMap<String, String> = area
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
            .collect();
        variables.insert("run".to_owned(), self.run.clone());
        variables.insert("ns".to_owned(), format!("conf-{}-{}", area.name, self.run));
        let mut answers = Answers::new();
        for step in &area.steps {
            let answer = self.step(area, step, &mut variables).await;
            let answer = shape::masked(answer, step, &self.run);
            answers.insert(step.name.clone(), answer);
        }
        answers
    }

    async fn step(&self, area: &Area, step: &Step, variables: &mut BTreeMap<String, String>) -> Value {
        let outcome = tokio::time::timeout(PATIENCE, self.settled(area, step, variables)).await;
        let (parts, body) = match outcome {
            Err(_) => return json!({ "failed": "no end of the answer in time" }),
            Ok(Err(failure)) => return json!({ "failed": failure }),
            Ok(Ok(answer)) => answer,
        };
        if let Ok(value) = serde_json::from_slice::<Value>(&body) {
            for (name, pointer) in &step.capture {
                let captured = value.pointer(pointer).cloned().unwrap_or(json!("NOT-CAPTURED"));
                let captured = captured.as_str().map_or_else(|| captured.to_string(), str::to_owned);
                variables.insert(name.clone(), captured);
            }
        }
        shape::answer(&parts, &body, step)
    }

    /// Asks until the answer is the one waited for, and no more than [`ATTEMPTS`] times.
    async fn settled(
        &self,
        area: &Area,
        step: &Step,
        variables: &BTreeMap<String, String>,
    ) -> Result<(http::response::Parts, Bytes), String> {
        let mut answer = self.exchange(area, step, variables).await?;
        for _ in 1..ATTEMPTS {
            let (parts, body) = &answer;
            let holds = match &step.until {
                None => true,
                Some(Until::Code(code)) => parts.status.as_u16() == *code,
                Some(Until::Present(pointer)) => {
                    serde_json::from_slice::<Value>(body).is_ok_and(|value| value.pointer(pointer).is_some())
                }
            };
            if holds {
                break;
            }
            tokio::time::sleep(PAUSE).await;
            answer = self.exchange(area, step, variables).await?;
        }
        Ok(answer)
    }

    async fn exchange(
        &self,
        area: &Area,
        step: &Step,
        variables: &BTreeMap<String, String>,
    ) -> Result<(http::response::Parts, Bytes), String> {
        let response = self.send(area, &step.request(), variables).await?;
        for request in &step.during {
            let code = self.send(area, request, variables).await?;
            if !code.status().is_success() {
                return Err(format!("{} during the watch: {}", request.send, code.status()));
            }
        }
        let (parts, body) = response.into_parts();
        let body = body.collect().await.map_err(|error| format!("the body broke off: {error}"))?;
        Ok((parts, body.to_bytes()))
    }

    async fn send(
        &self,
        area: &Area,
        request: &Request,
        variables: &BTreeMap<String, String>,
    ) -> Result<http::Response<Body>, String> {
        let (method, path) = request.send.split_once(' ').ok_or("a request is a method and a path")?;
        let path = match path.strip_prefix('~') {
            Some(rest) => format!("{}{rest}", area.base),
            None => path.to_owned(),
        };
        let mut builder = http::Request::builder().method(method).uri(encoded(&filled(&path, variables)));
        let content_type = match request.patch.as_deref() {
            Some("json") => "application/json-patch+json",
            Some("merge") => "application/merge-patch+json",
            Some("strategic") => "application/strategic-merge-patch+json",
            Some("apply") => "application/apply-patch+yaml",
            Some(other) => return Err(format!("no kind of patch: {other}")),
            None => "application/json",
        };
        let body = match (&request.body, &request.text) {
            (Some(body), _) => filled(&body.to_string(), variables),
            (None, Some(text)) => filled(text, variables),
            (None, None) => String::new(),
        };
        if !body.is_empty() && !request.headers.contains_key("content-type") {
            builder = builder.header("content-type", content_type);
        }
        for (name, value) in &request.headers {
            builder = builder.header(name, filled(value, variables));
        }
        if let Some(token) = &self.token {
            builder = builder.header("authorization", format!("Bearer {token}"));
        }
        let request = builder.body(Body::from(body.into_bytes())).map_err(|error| error.to_string())?;
        self.client.send(request).await.map_err(|error| format!("no answer: {error}"))
    }
}

fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = text.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("{{{{{name}}}}}"), value);
    }
    text
}

/// A URI with what may not stand in one percent-encoded; `%` itself stays.
fn encoded(uri: &str) -> String {
    let mut out = String::new();
    for character in uri.chars() {
        if character.is_ascii_alphanumeric() || "-._~:/?#@!$&'()*+,;=%".contains(character) {
            out.push(character);
        } else {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                write!(out, "%{byte:02X}").expect("a String takes all");
            }
        }
    }
    out
}
