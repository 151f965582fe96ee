//! What every call has: authorisation, routes, headers, and being remembered.

use kubewhy_discord_server::world;
use serde_json::{Value, json};

use crate::bot::Bot;

#[tokio::test]
async fn answers_carry_what_clients_read() {
    let bot = Bot::new().await;
    let answer = bot.get("/users/@me").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("via"), "1.1 google");
    for header in ["limit", "remaining", "reset", "reset-after", "bucket"] {
        assert!(!answer.header(&format!("x-ratelimit-{header}")).is_empty(), "{header} is absent");
    }
}

#[tokio::test]
async fn a_wrong_token_is_401_and_the_gateway_needs_none() {
    let bot = Bot::new().await;
    let wrong = reqwest::Client::new().get(bot.url("/users/@me")).header("authorization", "Bot nonsense");
    assert_eq!(bot.send(wrong).await.unwrap().status, 401);
    let bearer = reqwest::Client::new().get(bot.url("/users/@me")).header("authorization", bot.server.token());
    assert_eq!(bot.send(bearer).await.unwrap().status, 401);
    assert_eq!(bot.send(reqwest::Client::new().get(bot.url("/gateway"))).await.unwrap().status, 200);
    bot.server.revoke_token();
    assert_eq!(bot.get("/users/@me").await.status, 401);
    bot.server.restore_token();
    assert_eq!(bot.get("/users/@me").await.status, 200);
}

#[tokio::test]
async fn the_token_is_in_no_debug_text() {
    let bot = Bot::new().await;
    let text = format!("{:?} {:?}", kubewhy_discord_server::World::default(), bot.server);
    assert!(!text.contains(bot.server.token()), "{text}");
}

#[tokio::test]
async fn versions_and_prefixes_lead_to_the_same_routes() {
    let bot = Bot::new().await;
    let root = bot.server.api_url().strip_suffix("/api").unwrap();
    for path in ["/api/v10/gateway", "/api/v9/gateway", "/api/gateway", "/egress/discord/api/v10/gateway"] {
        let answer = bot.send(reqwest::Client::new().get(format!("{root}{path}"))).await.unwrap();
        assert!(answer.body["url"].as_str().unwrap().starts_with("ws://"), "{path}: {answer:?}");
    }
}

#[tokio::test]
async fn unknown_things_have_their_codes() {
    let bot = Bot::new().await;
    for (method, path, status, code) in [
        ("GET", "/nothing", 404, 0),
        ("GET", "/channels/42", 404, 10_003),
        ("GET", "/guilds/42", 404, 10_004),
        ("GET", "/users/42", 404, 10_013),
        ("GET", "/channels/1100000000000000201/messages/42", 404, 10_008),
        ("GET", "/guilds/1100000000000000100/members/42", 404, 10_013),
        ("GET", "/channels/1100000000000000203", 403, 50_001),
        ("GET", "/channels/name", 400, 50_035),
        ("PUT", "/channels/1100000000000000201/messages", 405, 0),
        ("POST", "/interactions/42/token/callback", 404, 10_062),
        ("POST", "/webhooks/42/token", 404, 10_015),
        ("POST", "/webhooks/1100000000000000001/token", 401, 50_027),
    ] {
        let body = if method == "GET" { Value::Null } else { json!({"content": "x"}) };
        let answer = bot.call(method, path, body).await;
        assert_eq!((answer.status, answer.code()), (status, code), "{method} {path}: {answer:?}");
    }
    let broken = bot.request("POST", &format!("/channels/{}/messages", world::OPS)).body("{");
    assert_eq!(bot.send(broken).await.unwrap().code(), 50_109);
}

#[tokio::test]
async fn the_world_can_be_read() {
    let bot = Bot::new().await;
    assert_eq!(bot.get("/oauth2/applications/@me").await.body["name"], "kubewhy");
    assert_eq!(bot.get("/guilds/1100000000000000100").await.body["name"], "Example");
    assert_eq!(bot.get("/guilds/1100000000000000100/channels").await.body.as_array().unwrap().len(), 4);
    assert_eq!(bot.get("/guilds/1100000000000000100/roles").await.body[0]["name"], "@everyone");
    let bob = bot.get(&format!("/guilds/{}/members/{}", world::GUILD, world::BOB)).await;
    assert_eq!(bob.body["roles"], json!([world::SRE]));
    assert_eq!(bob.body["user"]["username"], "bob");
}

#[tokio::test]
async fn calls_are_remembered_with_body_status_and_route() {
    let bot = Bot::new().await;
    bot.posted(world::OPS, "hello").await;
    bot.post(world::OPS, json!({"content": "x".repeat(2_001)})).await;
    let calls = bot.server.read(|view| view.calls_of("POST", "/channels/{id}/messages"));
    let seen: Vec<_> = calls.iter().map(|call| (call.status, call.effect)).collect();
    assert_eq!(seen, [(200, 200), (400, 400)]);
    assert_eq!(calls[0].body, json!({"content": "hello"}));
    assert_eq!(calls[0].answer["content"], "hello");
    assert_eq!(calls[0].path, format!("/channels/{}/messages", world::OPS));
}
