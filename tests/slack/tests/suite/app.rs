//! A small app: calls methods, opens sockets.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use kubewhy_slack_server::{Slack, SlackServer, World};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// Long enough for anything that is going to happen.
pub(crate) const SOON: Duration = Duration::from_secs(10);
pub(crate) const INCIDENTS: &str = "C0INCIDENTS";

pub(crate) struct App {
    pub(crate) slack: SlackServer,
    pub(crate) http: reqwest::Client,
}

pub(crate) struct Line(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl App {
    pub(crate) async fn in_world(world: World) -> Self {
        let slack = SlackServer::start(world).await.expect("a port is free");
        Self { slack, http: reqwest::Client::new() }
    }

    /// In the default world, without rate limits.
    pub(crate) async fn new() -> Self {
        Self::in_world(World::default().without_limits()).await
    }

    pub(crate) fn request(&self, method: &str) -> reqwest::RequestBuilder {
        let token = if method == "apps.connections.open" { "xapp-test-app" } else { "xoxb-test-bot" };
        self.http.post(format!("{}/{method}", self.slack.api_url())).bearer_auth(token)
    }

    /// Calls a method that writes, with JSON.
    pub(crate) async fn call(&self, method: &str, arguments: Value) -> Value {
        let response = self.request(method).json(&arguments).send().await.expect("an answer");
        response.json().await.expect("JSON")
    }

    /// Calls a method that reads, with a query.
    pub(crate) async fn get(&self, method: &str, arguments: &[(&str, &str)]) -> Value {
        let request = self.http.get(format!("{}/{method}", self.slack.api_url())).bearer_auth("xoxb-test-bot");
        request.query(arguments).send().await.expect("an answer").json().await.expect("JSON")
    }

    pub(crate) async fn post(&self, channel: &str, text: &str) -> String {
        let answer = self.call("chat.postMessage", json!({ "channel": channel, "text": text })).await;
        answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Answers over a response URL.
    pub(crate) async fn respond(&self, url: &str, body: Value) -> (u16, String) {
        let response = self.http.post(url).json(&body).send().await.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("a body"))
    }

    /// Opens a socket and reads its greeting.
    pub(crate) async fn connect(&self) -> Line {
        let (line, greeting) = self.connect_anyhow().await;
        assert_eq!(greeting["type"], "hello", "{greeting}");
        line
    }

    pub(crate) async fn connect_anyhow(&self) -> (Line, Value) {
        let answer = self.call("apps.connections.open", json!({})).await;
        let url = answer["url"].as_str().unwrap_or_else(|| panic!("{answer}"));
        let (socket, _) = connect_async(url).await.expect("a socket");
        let mut line = Line(socket);
        let greeting = line.next().await.expect("a greeting");
        (line, greeting)
    }
}

impl Line {
    /// The next envelope; none when the socket is gone.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            let message = tokio::time::timeout(SOON, self.0.next()).await.expect("something happens");
            match message? {
                Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    pub(crate) async fn envelope(&mut self) -> Value {
        self.next().await.expect("the socket is open")
    }

    /// Acknowledges an envelope, with a payload or without.
    pub(crate) async fn ack(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut ack = json!({ "envelope_id": envelope["envelope_id"] });
        if let Some(payload) = payload {
            ack["payload"] = payload;
        }
        self.0.send(Message::text(ack.to_string())).await.expect("the socket is open");
    }

    /// How the socket ended.
    pub(crate) async fn end(&mut self) -> Result<(), String> {
        loop {
            match tokio::time::timeout(SOON, self.0.next()).await.expect("it ends") {
                Some(Ok(Message::Close(_))) | None => return Ok(()),
                Some(Ok(_)) => {}
                Some(Err(problem)) => return Err(problem.to_string()),
            }
        }
    }
}

pub(crate) fn error(answer: &Value) -> &str {
    answer["error"].as_str().unwrap_or("ok")
}

/// The texts of messages.
pub(crate) fn texts(slack: &Slack, channel: &str) -> Vec<String> {
    slack.messages(channel).into_iter().map(|message| message.text).collect()
}
