//! A bot made of nothing but HTTP and a WebSocket.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use kubewhy_discord_server::{DiscordServer, Id, World, world};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

/// How long anything may take.
pub(crate) const LIMIT: Duration = Duration::from_secs(5);
/// Guilds, messages of guilds and of people, reactions.
pub(crate) const INTENTS: u64 = 1 | (1 << 9) | (1 << 10) | (1 << 12);

pub(crate) struct Bot {
    pub(crate) server: DiscordServer,
    http: reqwest::Client,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn code(&self) -> u64 {
        self.body["code"].as_u64().unwrap_or(0)
    }

    pub(crate) fn id(&self) -> Id {
        self.body["id"].as_str().and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id in {self:?}"))
    }

    /// The codes of what is wrong at a path, such as `embeds.0.title`.
    pub(crate) fn wrong(&self, path: &str) -> Vec<String> {
        let node = path.split('.').fold(&self.body["errors"], |node, key| &node[key]);
        let list = node["_errors"].as_array().unwrap_or_else(|| panic!("nothing is wrong at {path}: {}", self.body));
        list.iter().map(|wrong| wrong["code"].as_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// A world without waiting: limits are tried where they are the subject.
pub(crate) fn unhurried() -> World {
    let mut world = World::default();
    world.limits.rates = false;
    world.limits.identify_spacing_ms = 0;
    world
}

impl Bot {
    pub(crate) async fn new() -> Self {
        Self::in_world(unhurried()).await
    }

    pub(crate) async fn in_world(world: World) -> Self {
        let http = reqwest::Client::builder().timeout(LIMIT).build().unwrap();
        Self { server: DiscordServer::start(world).await.unwrap(), http }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/v10{path}", self.server.api_url())
    }

    pub(crate) fn request(&self, method: &str, path: &str) -> reqwest::RequestBuilder {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.http.request(method, self.url(path)).header("authorization", format!("Bot {}", self.server.token()))
    }

    pub(crate) async fn send(&self, request: reqwest::RequestBuilder) -> Result<Answer, reqwest::Error> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or_default();
        Ok(Answer { status, headers, text, body })
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: Value) -> Answer {
        let mut request = self.request(method, path);
        if !body.is_null() {
            request = request.header("content-type", "application/json").body(body.to_string());
        }
        self.send(request).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.call("GET", path, Value::Null).await
    }

    pub(crate) async fn post(&self, channel: Id, body: Value) -> Answer {
        self.call("POST", &format!("/channels/{channel}/messages"), body).await
    }

    /// Posts a message that must succeed.
    pub(crate) async fn posted(&self, channel: Id, content: &str) -> Id {
        let answer = self.post(channel, json!({"content": content})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.id()
    }

    /// Registers `/why name [deep]`, `/kubewhy logs pod` and the message command `Why?`.
    pub(crate) async fn register(&self) {
        let option = |name: &str, more: Value| {
            let mut option = json!({"type": 3, "name": name, "description": "d"});
            option.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            option
        };
        let commands = json!([
            {"name": "why", "description": "d", "options": [
                option("name", json!({"required": true, "autocomplete": true, "max_length": 20})),
                {"type": 4, "name": "deep", "description": "d", "min_value": 1, "max_value": 5}]},
            {"name": "kubewhy", "description": "d", "options": [
                {"type": 1, "name": "logs", "description": "d", "options": [option("pod", json!({"required": true}))]}]},
            {"name": "Why?", "type": 3},
        ]);
        let answer = self.call("PUT", &commands_path(), commands).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Answers an interaction first.
    pub(crate) async fn answer(&self, interaction: &Value, kind: u64, data: Value) -> Answer {
        let (id, token) = (interaction["id"].as_str().unwrap(), interaction["token"].as_str().unwrap());
        let path = format!("/interactions/{id}/{token}/callback");
        self.call("POST", &path, json!({"type": kind, "data": data})).await
    }

    /// A path of the webhook of an interaction.
    pub(crate) fn hook(interaction: &Value, rest: &str) -> String {
        let (application, token) =
            (interaction["application_id"].as_str().unwrap(), interaction["token"].as_str().unwrap());
        format!("/webhooks/{application}/{token}{rest}")
    }

    /// Connects and identifies.
    pub(crate) async fn online(&self) -> Socket {
        let mut socket = self.socket("/?v=10&encoding=json").await;
        socket.identify(self.server.token(), INTENTS).await;
        let ready = socket.event("READY").await;
        socket.session = ready["session_id"].as_str().unwrap().to_owned();
        socket.event("GUILD_CREATE").await;
        socket
    }

    pub(crate) async fn socket(&self, address: &str) -> Socket {
        let answer = self.get("/gateway").await;
        let url = format!("{}{address}", answer.body["url"].as_str().unwrap());
        let (stream, _) = timeout(LIMIT, connect_async(url)).await.unwrap().unwrap();
        let mut socket = Socket { stream, sequence: 0, session: String::new() };
        let hello = socket.payload().await;
        assert_eq!(hello["op"], 10, "{hello}");
        socket
    }
}

/// Where the commands of the guild are.
pub(crate) fn commands_path() -> String {
    format!("/applications/{}/guilds/{}/commands", World::default().application.id, world::GUILD)
}

pub(crate) struct Socket {
    pub(crate) stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub(crate) sequence: u64,
    pub(crate) session: String,
}

/// What a connection gave.
#[derive(Debug)]
pub(crate) enum Got {
    Payload(Value),
    Binary(Vec<u8>),
    Closed(Option<u16>),
}

impl Socket {
    pub(crate) async fn got(&mut self) -> Got {
        loop {
            match timeout(LIMIT, self.stream.next()).await.expect("the gateway says something in time") {
                Some(Ok(Message::Text(text))) => {
                    let payload: Value = serde_json::from_str(&text).unwrap();
                    self.sequence = payload["s"].as_u64().unwrap_or(self.sequence);
                    return Got::Payload(payload);
                }
                Some(Ok(Message::Binary(bytes))) => return Got::Binary(bytes.to_vec()),
                Some(Ok(Message::Close(frame))) => return Got::Closed(frame.map(|frame| frame.code.into())),
                None | Some(Err(_)) => return Got::Closed(None),
                Some(Ok(_)) => {}
            }
        }
    }

    pub(crate) async fn payload(&mut self) -> Value {
        match self.got().await {
            Got::Payload(payload) => payload,
            other => panic!("a payload was expected, not {other:?}"),
        }
    }

    /// The next event of a name, whatever comes before.
    pub(crate) async fn event(&mut self, name: &str) -> Value {
        loop {
            let payload = self.payload().await;
            if payload["t"] == name {
                return payload["d"].clone();
            }
        }
    }

    /// The next payload with an opcode, whatever comes before.
    pub(crate) async fn op(&mut self, op: u64) -> Value {
        loop {
            let payload = self.payload().await;
            if payload["op"] == op {
                return payload["d"].clone();
            }
        }
    }

    /// The close code, whatever comes before.
    pub(crate) async fn closed(&mut self) -> Option<u16> {
        loop {
            if let Got::Closed(code) = self.got().await {
                return code;
            }
        }
    }

    pub(crate) async fn send(&mut self, payload: Value) {
        // A closed connection shows when it is read.
        let _ = self.stream.send(Message::text(payload.to_string())).await;
    }

    pub(crate) async fn identify(&mut self, token: &str, intents: u64) {
        self.send(json!({"op": 2, "d": {"token": token, "intents": intents, "properties": {"os": "linux"}}})).await;
    }

    pub(crate) async fn resume(&mut self, token: &str, session: &str, sequence: u64) {
        self.send(json!({"op": 6, "d": {"token": token, "session_id": session, "seq": sequence}})).await;
    }
}
