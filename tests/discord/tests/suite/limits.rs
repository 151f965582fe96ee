//! Rate limits: buckets, the bot as a whole, and shutting out.

use std::time::Duration;

use kubewhy_discord_server::{World, world};
use serde_json::json;

use crate::bot::Bot;

#[tokio::test]
async fn a_bucket_empties_per_channel_and_fills_again() {
    let bot = Bot::in_world(World::default()).await;
    for left in (0..5).rev() {
        let answer = bot.post(world::OPS, json!({"content": "x"})).await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, left.to_string().as_str()));
    }
    let limited = bot.post(world::OPS, json!({"content": "x"})).await;
    assert_eq!((limited.status, &limited.body["global"]), (429, &json!(false)));
    assert!(limited.body["retry_after"].as_f64().unwrap() > 0.0);
    assert_eq!(limited.header("x-ratelimit-scope"), "user");
    assert_eq!(bot.post(world::GENERAL, json!({"content": "x"})).await.status, 200, "another channel, another bucket");
    bot.server.advance(Duration::from_secs(5));
    assert_eq!(bot.post(world::OPS, json!({"content": "x"})).await.status, 200);
    assert_eq!(bot.server.read(|view| view.messages(world::OPS).len()), 6);
}

#[tokio::test]
async fn without_limits_something_always_remains() {
    let bot = Bot::new().await;
    for _ in 0..8 {
        let answer = bot.post(world::OPS, json!({"content": "x"})).await;
        assert_eq!((answer.status, answer.header("x-ratelimit-remaining")), (200, "4"));
    }
}

#[tokio::test]
async fn the_bot_as_a_whole_has_a_limit_that_interactions_do_not_count_towards() {
    let mut world = World::default();
    world.limits.global_per_second = 3;
    let bot = Bot::in_world(world).await;
    for path in ["/users/@me", "/gateway", "/applications/@me"] {
        assert_eq!(bot.get(path).await.status, 200);
    }
    let limited = bot.get("/users/@me").await;
    assert_eq!((limited.status, &limited.body["global"]), (429, &json!(true)));
    assert_eq!(limited.header("x-ratelimit-global"), "true");
    let callback = bot.call("POST", "/interactions/42/token/callback", json!({"type": 5})).await;
    assert_eq!(callback.code(), 10_062, "not limited");
    bot.server.advance(Duration::from_secs(1));
    assert_eq!(bot.get("/users/@me").await.status, 200);
}

#[tokio::test]
async fn too_many_invalid_requests_shut_the_address_out() {
    let mut world = World::default();
    world.limits.invalid_requests = 3;
    let bot = Bot::in_world(world).await;
    for _ in 0..3 {
        assert_eq!(bot.get(&format!("/channels/{}", world::SECRET)).await.code(), 50_001);
    }
    let answer = bot.get("/users/@me").await;
    assert_eq!((answer.status, answer.text.as_str()), (429, "error code: 1015"));
    assert_eq!(answer.header("via"), "", "it does not come from Discord, but from what stands before it");
    bot.server.advance(Duration::from_mins(11));
    assert_eq!(bot.get("/users/@me").await.status, 200);
}
