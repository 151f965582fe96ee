//! Messages: their limits, who may do what to them, who they notify.

use std::time::Duration;

use kubewhy_discord_server::{permission, world};
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use crate::bot::Bot;

fn button(custom_id: &str) -> Value {
    json!({"type": 2, "style": 1, "label": "Go", "custom_id": custom_id})
}

fn row(children: &[Value]) -> Value {
    json!({"type": 1, "components": children})
}

#[tokio::test]
async fn what_is_within_the_limits_is_taken() {
    let bot = Bot::new().await;
    let five: Vec<Value> = (0..5)
        .map(|row_number| row(&(0..5).map(|place| button(&format!("{row_number}-{place}"))).collect::<Vec<_>>()))
        .collect();
    let fields: Vec<Value> = (0..25).map(|_| json!({"name": "n", "value": "v"})).collect();
    for body in [
        json!({"content": "ä".repeat(2_000)}),
        json!({"embeds": [{"title": "t".repeat(256), "description": "d".repeat(4_096), "fields": fields}]}),
        json!({"embeds": [{"description": "d".repeat(4_000)}, {"description": "d".repeat(2_000)}]}),
        json!({"content": "x", "components": five}),
        json!({"content": "x", "components": [row(&[json!({"type": 5, "custom_id": "user"})])]}),
    ] {
        let answer = bot.post(world::OPS, body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
}

#[tokio::test]
async fn what_is_beyond_a_limit_is_refused_at_its_path() {
    let bot = Bot::new().await;
    let many_options: Vec<Value> = (0..26).map(|n| json!({"label": "l", "value": n.to_string()})).collect();
    let select = json!({"type": 3, "custom_id": "s", "options": many_options});
    let six: Vec<Value> = (0..6).map(|n| button(&n.to_string())).collect();
    let embed = |embed: Value| json!({"embeds": [embed]});
    let components = |rows: &[Value]| json!({"content": "x", "components": rows});
    for (body, path, code) in [
        (json!({"content": "x".repeat(2_001)}), "content", "BASE_TYPE_MAX_LENGTH"),
        (embed(json!({"title": "x".repeat(257)})), "embeds.0.title", "BASE_TYPE_MAX_LENGTH"),
        (embed(json!({"description": "x".repeat(4_097)})), "embeds.0.description", "BASE_TYPE_MAX_LENGTH"),
        (embed(json!({"fields": [{"name": "", "value": "v"}]})), "embeds.0.fields.0.name", "BASE_TYPE_REQUIRED"),
        (
            embed(json!({"fields": [{"name": "n", "value": "v".repeat(1_025)}]})),
            "embeds.0.fields.0.value",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (embed(json!({"title": "t", "url": "javascript:alert(1)"})), "embeds.0.url", "URL_TYPE_INVALID_SCHEME"),
        (embed(json!({"title": "t", "color": 0x100_0000})), "embeds.0.color", "NUMBER_TYPE_MAX"),
        (embed(json!({"title": "t", "timestamp": "yesterday"})), "embeds.0.timestamp", "DATE_TIME_TYPE_PARSE"),
        (
            json!({"embeds": [{"description": "d".repeat(4_000)}, {"description": "d".repeat(2_001)}]}),
            "embeds",
            "MAX_EMBED_SIZE_EXCEEDED",
        ),
        (
            json!({"embeds": (0..11).map(|_| json!({"title": "t"})).collect::<Vec<_>>()}),
            "embeds",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (components(&[row(&six)]), "components.0.components", "BASE_TYPE_BAD_LENGTH"),
        (
            components(&(0..6).map(|n| row(&[button(&n.to_string())])).collect::<Vec<_>>()),
            "components",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            components(&[row(&[button("a")]), row(&[button("a")])]),
            "components.1.components.0.custom_id",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
        ),
        (
            components(&[row(&[button(&"a".repeat(101))])]),
            "components.0.components.0.custom_id",
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            components(&[row(&[json!({"type": 2, "style": 1, "label": "l".repeat(81), "custom_id": "a"})])]),
            "components.0.components.0.label",
            "BASE_TYPE_MAX_LENGTH",
        ),
        (
            components(&[row(&[json!({"type": 2, "style": 1, "custom_id": "a"})])]),
            "components.0.components.0",
            "BUTTON_COMPONENT_INVALID",
        ),
        (
            components(&[row(&[json!({"type": 2, "style": 5, "label": "l", "url": "data:x"})])]),
            "components.0.components.0.url",
            "URL_TYPE_INVALID_SCHEME",
        ),
        (components(&[row(&[select])]), "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH"),
        (
            components(&[row(&[button("a"), json!({"type": 5, "custom_id": "b"})])]),
            "components.0.components.1",
            "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
        ),
        (components(&[button("a")]), "components.0.type", "UNION_TYPE_CHOICES"),
        (json!({"content": "x", "nonce": "n".repeat(26)}), "nonce", "BASE_TYPE_MAX_LENGTH"),
        (
            json!({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}),
            "allowed_mentions",
            "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE",
        ),
        (
            json!({"content": "x", "message_reference": {"message_id": "42"}}),
            "message_reference",
            "MESSAGE_REFERENCE_UNKNOWN_MESSAGE",
        ),
    ] {
        let answer = bot.post(world::OPS, body.clone()).await;
        assert_eq!((answer.status, answer.code()), (400, 50_035), "{body}: {answer:?}");
        assert_eq!(answer.wrong(path), [code], "{path}: {}", answer.body);
    }
    assert_eq!(bot.server.read(|view| view.messages(world::OPS).len()), 0, "nothing of it was posted");
}

#[tokio::test]
async fn what_shows_nothing_cannot_be_sent() {
    let bot = Bot::new().await;
    for body in [json!({}), json!({"content": "  \n"}), json!({"embeds": [{}]}), json!({"content": null, "tts": true})]
    {
        assert_eq!(bot.post(world::OPS, body).await.code(), 50_006);
    }
}

#[tokio::test]
async fn permissions_of_the_channel_decide() {
    let bot = Bot::new().await;
    assert_eq!(bot.post(world::SECRET, json!({"content": "x"})).await.code(), 50_001);
    assert_eq!(bot.post(world::READ_ONLY, json!({"content": "x"})).await.code(), 50_013);
    let application = kubewhy_discord_server::World::default().application.id;
    let forbid = |deny: u64| {
        bot.server.change_world(|world| {
            *world.overwrites(world::GENERAL).unwrap() =
                vec![world::Overwrite { id: application, member: true, allow: 0, deny }];
        });
    };
    forbid(permission::EMBED_LINKS);
    assert_eq!(bot.post(world::GENERAL, json!({"embeds": [{"title": "t"}]})).await.code(), 50_013);
    let id = bot.posted(world::GENERAL, "text is fine").await;
    forbid(permission::READ_MESSAGE_HISTORY);
    assert_eq!(bot.get(&format!("/channels/{}/messages", world::GENERAL)).await.body, json!([]));
    assert_eq!(bot.get(&format!("/channels/{}/messages/{id}", world::GENERAL)).await.code(), 50_013);
}

#[tokio::test]
async fn a_bot_edits_only_its_own_and_deletes_others_only_as_moderator() {
    let bot = Bot::new().await;
    let own = bot.posted(world::OPS, "first").await;
    let path = format!("/channels/{}/messages/{own}", world::OPS);
    let answer = bot.call("PATCH", &path, json!({"content": "second"})).await;
    assert_eq!(answer.body["content"], "second");
    assert!(answer.body["edited_timestamp"].is_string());
    let seen = bot.server.read(|view| view.message(own)).unwrap();
    assert_eq!((seen.before, seen.is_edited), (vec!["first".to_owned()], true));
    assert_eq!(bot.call("PATCH", &path, json!({"content": ""})).await.code(), 50_006);
    let other = bot.server.say(world::ALICE, world::OPS, "mine").unwrap();
    let other_path = format!("/channels/{}/messages/{other}", world::OPS);
    assert_eq!(bot.call("PATCH", &other_path, json!({"content": "x"})).await.code(), 50_005);
    assert_eq!(bot.call("DELETE", &other_path, Value::Null).await.code(), 50_013);
    assert_eq!(bot.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(bot.call("DELETE", &path, Value::Null).await.code(), 10_008);
    assert!(bot.server.read(|view| view.message(own)).unwrap().is_deleted);
}

#[tokio::test]
async fn edits_of_old_messages_run_out() {
    let bot = Bot::new().await;
    let id = bot.posted(world::OPS, "old").await;
    let path = format!("/channels/{}/messages/{id}", world::OPS);
    bot.server.advance(Duration::from_mins(61));
    for count in 0..30 {
        assert_eq!(bot.call("PATCH", &path, json!({"content": count.to_string()})).await.status, 200);
    }
    let refused = bot.call("PATCH", &path, json!({"content": "too much"})).await;
    assert_eq!((refused.status, refused.code()), (429, 30_046));
    bot.server.advance(Duration::from_mins(61));
    assert_eq!(bot.call("PATCH", &path, json!({"content": "again"})).await.status, 200);
}

#[tokio::test]
async fn an_enforced_nonce_posts_once_per_channel() {
    let bot = Bot::new().await;
    let body = json!({"content": "once", "nonce": "abc", "enforce_nonce": true});
    let first = bot.post(world::OPS, body.clone()).await.id();
    assert_eq!(bot.post(world::OPS, body.clone()).await.id(), first);
    assert_ne!(bot.post(world::GENERAL, body.clone()).await.id(), first);
    assert_ne!(bot.post(world::OPS, json!({"content": "once", "nonce": "abc"})).await.id(), first);
    bot.server.advance(Duration::from_mins(30));
    assert_ne!(bot.post(world::OPS, body).await.id(), first, "a nonce is forgotten after minutes");
}

#[tokio::test]
async fn only_allowed_mentions_notify() {
    let bot = Bot::new().await;
    let content = format!("<@{}> <@{}> <@&{}> @everyone", world::ALICE, world::BOB, world::SRE);
    let pinged = async |allowed: Value| {
        let mut body = json!({"content": content});
        if !allowed.is_null() {
            body["allowed_mentions"] = allowed;
        }
        let id = bot.post(world::OPS, body).await.id();
        let seen = bot.server.read(|view| view.message(id)).unwrap();
        (seen.pinged_users, seen.pinged_roles, seen.pinged_everyone)
    };
    assert_eq!(pinged(json!({"parse": []})).await, (vec![], vec![], false));
    assert_eq!(pinged(json!({"users": [world::BOB]})).await, (vec![world::BOB], vec![], false));
    assert_eq!(pinged(Value::Null).await, (vec![world::ALICE, world::BOB], vec![], false), "no right to ping all");
    bot.server.change_world(|world| {
        world.guild(world::GUILD).unwrap().roles[0].permissions |= permission::MENTION_EVERYONE;
    });
    assert_eq!(pinged(Value::Null).await, (vec![world::ALICE, world::BOB], vec![world::SRE], true));
    assert_eq!(pinged(json!({"parse": []})).await, (vec![], vec![], false));
}

#[tokio::test]
async fn files_are_kept_and_too_large_ones_refused() {
    let mut world = crate::bot::unhurried();
    world.limits.attachment_bytes = 1_000;
    let bot = Bot::in_world(world).await;
    let upload = |bytes: Vec<u8>| {
        let body = json!({"content": "log", "attachments": [{"id": 0, "filename": "a.txt", "description": "d"}]});
        let form = Form::new()
            .text("payload_json", body.to_string())
            .part("files[0]", Part::bytes(bytes).file_name("ignored.txt"));
        bot.request("POST", &format!("/channels/{}/messages", world::OPS)).multipart(form)
    };
    let answer = bot.send(upload(b"hello".to_vec())).await.unwrap();
    assert_eq!(answer.body["attachments"][0]["filename"], "a.txt");
    let seen = bot.server.read(|view| view.message(answer.id())).unwrap();
    assert_eq!(seen.files[0].bytes, b"hello");
    let url = answer.body["attachments"][0]["url"].as_str().unwrap();
    assert_eq!(reqwest::get(url).await.unwrap().text().await.unwrap(), "hello");
    let large = bot.send(upload(vec![0; 1_001])).await.unwrap();
    assert_eq!((large.status, large.code()), (413, 40_005));
}

#[tokio::test]
async fn pages_of_messages_are_newest_first() {
    let bot = Bot::new().await;
    let mut ids = Vec::new();
    for count in 0..5 {
        ids.push(bot.posted(world::OPS, &count.to_string()).await);
    }
    let page = async |query: String| -> Vec<String> {
        let answer = bot.get(&format!("/channels/{}/messages?{query}", world::OPS)).await;
        answer.body.as_array().unwrap().iter().map(|it| it["content"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(page("limit=2".to_owned()).await, ["4", "3"]);
    assert_eq!(page(format!("limit=2&before={}", ids[2])).await, ["1", "0"]);
    assert_eq!(page(format!("limit=2&after={}", ids[0])).await, ["2", "1"]);
    assert_eq!(bot.get(&format!("/channels/{}/messages?limit=101", world::OPS)).await.code(), 50_035);
}

#[tokio::test]
async fn a_bot_reads_only_what_is_meant_for_it() {
    let bot = Bot::new().await;
    let application = kubewhy_discord_server::World::default().application.id;
    let own = bot.posted(world::OPS, "own").await;
    let private = bot.server.say(world::ALICE, world::OPS, "between us").unwrap();
    let named = bot.server.say(world::ALICE, world::OPS, &format!("<@{application}> help")).unwrap();
    let reply = bot.server.reply(world::ALICE, own, "thanks").unwrap();
    let direct = bot.server.direct_channel(world::BOB);
    let whispered = bot.server.say(world::BOB, direct, "psst").unwrap();
    for (channel, id, content) in [
        (world::OPS, own, "own"),
        (world::OPS, private, ""),
        (world::OPS, named, "<@1100000000000000001> help"),
        (world::OPS, reply, "thanks"),
        (direct, whispered, "psst"),
    ] {
        assert_eq!(bot.get(&format!("/channels/{channel}/messages/{id}")).await.body["content"], content);
    }
}

#[tokio::test]
async fn reactions_are_counted_and_limited_to_twenty() {
    let bot = Bot::new().await;
    let id = bot.posted(world::OPS, "x").await;
    let path = |emoji: &str| format!("/channels/{}/messages/{id}/reactions/{emoji}/@me", world::OPS);
    assert_eq!(bot.call("PUT", &path("%F0%9F%91%80"), Value::Null).await.status, 204);
    assert_eq!(bot.call("PUT", &path("nonsense"), Value::Null).await.code(), 10_014);
    bot.server.react(world::ALICE, id, "👀").unwrap();
    let seen = bot.server.read(|view| view.message(id)).unwrap();
    assert_eq!(seen.reactions.get("👀"), Some(&2));
    for count in 1..20 {
        assert_eq!(bot.call("PUT", &path(&format!("e:{count}")), Value::Null).await.status, 204);
    }
    assert_eq!(bot.call("PUT", &path("e:99"), Value::Null).await.code(), 30_010);
}
