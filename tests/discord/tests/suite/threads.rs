//! Threads: opening, limits, archives, members.

use std::time::Duration;

use kubewhy_discord_server::{Id, world};
use serde_json::{Value, json};

use crate::bot::{Bot, unhurried};

async fn open(bot: &Bot, message: Id, body: Value) -> crate::bot::Answer {
    bot.call("POST", &format!("/channels/{}/messages/{message}/threads", world::OPS), body).await
}

#[tokio::test]
async fn a_message_has_one_thread_with_its_id() {
    let bot = Bot::new().await;
    let message = bot.posted(world::OPS, "root").await;
    let answer = open(&bot, message, json!({"name": "details", "auto_archive_duration": 60})).await;
    assert_eq!((answer.status, answer.id()), (201, message));
    assert_eq!(answer.body["type"], 11);
    assert_eq!(answer.body["thread_metadata"]["auto_archive_duration"], 60);
    assert_eq!(open(&bot, message, json!({"name": "again"})).await.code(), 160_004);
    let root = bot.get(&format!("/channels/{}/messages/{message}", world::OPS)).await;
    assert_eq!(root.body["thread"]["name"], "details");
    bot.posted(message, "inside").await;
    bot.server.read(|view| {
        assert_eq!(view.threads(world::OPS), [(message, "details".to_owned())]);
        assert_eq!(view.messages(message)[0].content, "inside");
        assert_eq!(view.messages(world::OPS).len(), 1);
    });
    let active = bot.get(&format!("/guilds/{}/threads/active", world::GUILD)).await;
    assert_eq!(active.body["threads"][0]["message_count"], 1);
}

#[tokio::test]
async fn names_and_durations_are_checked() {
    let bot = Bot::new().await;
    let message = bot.posted(world::OPS, "root").await;
    assert_eq!(open(&bot, message, json!({"name": "x".repeat(101)})).await.wrong("name"), ["BASE_TYPE_BAD_LENGTH"]);
    assert_eq!(open(&bot, message, json!({})).await.wrong("name"), ["BASE_TYPE_REQUIRED"]);
    let body = json!({"name": "x", "auto_archive_duration": 61});
    assert_eq!(open(&bot, message, body).await.wrong("auto_archive_duration"), ["BASE_TYPE_CHOICES"]);
    assert_eq!(open(&bot, Id(42), json!({"name": "x"})).await.code(), 10_008);
    assert_eq!(open(&bot, message, json!({"name": "x".repeat(100)})).await.status, 201);
}

#[tokio::test]
async fn a_thread_needs_permissions_and_room() {
    let mut world = unhurried();
    world.limits.active_threads = 1;
    let bot = Bot::in_world(world).await;
    let message = bot.server.say(world::ALICE, world::READ_ONLY, "root").unwrap();
    let path = format!("/channels/{}/messages/{message}/threads", world::READ_ONLY);
    assert_eq!(bot.call("POST", &path, json!({"name": "x"})).await.code(), 50_013);
    let (first, second) = (bot.posted(world::OPS, "1").await, bot.posted(world::OPS, "2").await);
    assert_eq!(open(&bot, first, json!({"name": "x"})).await.status, 201);
    assert_eq!(open(&bot, second, json!({"name": "x"})).await.code(), 160_006);
    let inside = bot.posted(first, "x").await;
    let nested = format!("/channels/{first}/messages/{inside}/threads");
    assert_eq!(bot.call("POST", &nested, json!({"name": "x"})).await.code(), 50_024);
}

#[tokio::test]
async fn a_quiet_thread_is_archived_and_a_post_wakes_it() {
    let bot = Bot::new().await;
    let thread = bot.posted(world::OPS, "root").await;
    open(&bot, thread, json!({"name": "x", "auto_archive_duration": 60})).await;
    let inside = bot.posted(thread, "inside").await;
    bot.server.advance(Duration::from_mins(59));
    assert_eq!(bot.get(&format!("/channels/{thread}")).await.body["thread_metadata"]["archived"], false);
    bot.server.advance(Duration::from_mins(2));
    assert_eq!(bot.get(&format!("/channels/{thread}")).await.body["thread_metadata"]["archived"], true);
    let edit = format!("/channels/{thread}/messages/{inside}");
    assert_eq!(bot.call("PATCH", &edit, json!({"content": "late"})).await.code(), 50_083);
    bot.posted(thread, "awake").await;
    assert_eq!(bot.get(&format!("/channels/{thread}")).await.body["thread_metadata"]["archived"], false);
}

#[tokio::test]
async fn a_locked_thread_takes_no_posts_and_a_deleted_one_is_unknown() {
    let bot = Bot::new().await;
    let thread = bot.posted(world::OPS, "root").await;
    open(&bot, thread, json!({"name": "x"})).await;
    bot.server.change_world(|world| world.close_thread(thread, true, true));
    assert_eq!(bot.post(thread, json!({"content": "x"})).await.code(), 160_005);
    bot.server.change_world(|world| world.delete_channel(thread));
    assert_eq!(bot.post(thread, json!({"content": "x"})).await.code(), 10_003);
}

#[tokio::test]
async fn threads_without_a_message_and_their_members() {
    let bot = Bot::new().await;
    let path = format!("/channels/{}/threads", world::OPS);
    let answer = bot.call("POST", &path, json!({"name": "x", "type": 11})).await;
    assert_eq!(answer.status, 201);
    let private = bot.call("POST", &path, json!({"name": "x", "type": 12})).await;
    assert_eq!(private.code(), 50_013, "private threads need a permission members do not have");
    let members = format!("/channels/{}/thread-members", answer.id());
    assert_eq!(bot.call("PUT", &format!("{members}/{}", world::BOB), Value::Null).await.status, 204);
    assert_eq!(bot.get(&members).await.body.as_array().unwrap().len(), 2);
    assert_eq!(bot.get(&format!("{members}/{}", world::MALLORY)).await.code(), 10_007);
}
