//! The control plane, as a program in another language uses it.

use kubewhy_discord_server::world;
use serde_json::{Value, json};

use crate::bot::{Answer, Bot};

async fn control(bot: &Bot, command: &str, body: Value) -> Answer {
    let root = bot.server.api_url().strip_suffix("/api").unwrap();
    let request = reqwest::Client::new().post(format!("{root}/control/{command}")).body(body.to_string());
    bot.send(request).await.unwrap()
}

#[tokio::test]
async fn people_act_and_tests_read() {
    let bot = Bot::new().await;
    let said =
        control(&bot, "act", json!({"do": "say", "by": world::ALICE, "channel": world::OPS, "content": "hi"})).await;
    let messages = control(&bot, "read", json!({"what": "messages", "channel": world::OPS})).await;
    assert_eq!(messages.body[0]["id"], said.body["id"]);
    assert_eq!(messages.body[0]["content"], "hi");
    let slash = json!({"do": "slash", "by": world::ALICE, "channel": world::OPS, "line": "why"});
    let refused = control(&bot, "act", slash).await;
    assert_eq!((refused.status, &refused.body["error"]), (400, &json!("no command \"why\" is registered here")));
    assert_eq!(control(&bot, "act", json!({"do": "dance"})).await.status, 400);
    assert_eq!(control(&bot, "nothing", json!({})).await.status, 400);
}

#[tokio::test]
async fn the_world_changes() {
    let bot = Bot::new().await;
    let upload = json!({"do": "upload", "by": world::BOB, "channel": world::OPS, "content": "log", "name": "a.txt", "text": "oom"});
    let id = control(&bot, "act", upload).await.id();
    let rewrite = json!({"do": "rewrite", "by": world::BOB, "message": id, "content": "the log"});
    assert_eq!(control(&bot, "act", rewrite).await.status, 200);
    let seen = bot.server.read(|view| view.message(id)).unwrap();
    assert_eq!((seen.content.as_str(), seen.files[0].bytes.as_slice()), ("the log", &b"oom"[..]));
    let foreign = json!({"do": "take-back", "by": world::MALLORY, "message": id});
    assert_eq!(control(&bot, "act", foreign).await.status, 400);
    let roles = json!({"change": "member-roles", "guild": world::GUILD, "user": world::BOB, "roles": []});
    assert_eq!(control(&bot, "world", roles).await.status, 200);
    let bob = bot.get(&format!("/guilds/{}/members/{}", world::GUILD, world::BOB)).await;
    assert_eq!(bob.body["roles"], json!([]));
    control(&bot, "world", json!({"change": "delete-channel", "channel": world::OPS})).await;
    assert_eq!(bot.get(&format!("/channels/{}", world::OPS)).await.code(), 10_003);
}

#[tokio::test]
async fn faults_and_limits_are_set() {
    let bot = Bot::new().await;
    let fault = json!({"method": "GET", "route": "/users", "what": {"status": {"status": 503}}});
    assert_eq!(control(&bot, "fault", fault).await.status, 200);
    assert_eq!(bot.get("/users/@me").await.status, 503);
    assert_eq!(control(&bot, "limits", json!({"first_answer_ms": 5})).await.body["first_answer_ms"], 5);
    assert_eq!(control(&bot, "limits", json!({"unknown": 5})).await.status, 400);
    let mut socket = bot.online().await;
    assert_eq!(control(&bot, "gateway", json!("reconnect")).await.status, 200);
    socket.op(7).await;
    control(&bot, "token", json!({"revoked": true})).await;
    assert_eq!(socket.closed().await, Some(4_004));
    let calls = control(&bot, "read", json!({"what": "calls"})).await;
    assert_eq!(calls.body[0]["status"], 503);
}
