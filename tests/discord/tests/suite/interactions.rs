//! Interactions: what may be answered when, and what people see of it.

use std::time::Duration;

use kubewhy_discord_server::{Id, world};
use serde_json::{Value, json};

use crate::bot::{Bot, Socket};

async fn ready() -> (Bot, Socket) {
    let bot = Bot::new().await;
    bot.register().await;
    let socket = bot.online().await;
    (bot, socket)
}

async fn slash(bot: &Bot, socket: &mut Socket) -> (Id, Value) {
    let id = bot.server.slash(world::ALICE, world::OPS, "why", &[("name", json!("web"))]).unwrap();
    (id, socket.event("INTERACTION_CREATE").await)
}

#[tokio::test]
async fn a_slash_command_comes_with_all_a_bot_needs() {
    let (bot, mut socket) = ready().await;
    let (id, payload) = slash(&bot, &mut socket).await;
    assert_eq!(payload["id"], json!(id));
    assert_eq!(payload["type"], 2);
    assert_eq!(payload["data"]["options"], json!([{"name": "name", "type": 3, "value": "web"}]));
    assert_eq!(payload["member"]["user"]["username"], "alice");
    assert_eq!(payload["member"]["roles"], json!([world::SRE]));
    assert!(payload["member"]["permissions"].as_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(payload["channel"]["type"], 0);
    assert_eq!(payload["context"], 0);
    assert_eq!(payload["authorizing_integration_owners"]["0"], json!(world::GUILD));
    assert_eq!(payload["attachment_size_limit"], 10 * 1024 * 1024);
    for key in ["app_permissions", "locale", "guild_locale", "guild_id", "channel_id", "token", "entitlements"] {
        assert!(!payload[key].is_null(), "{key} is absent");
    }
}

#[tokio::test]
async fn the_first_answer_counts_and_a_second_is_refused() {
    let (bot, mut socket) = ready().await;
    let (id, payload) = slash(&bot, &mut socket).await;
    assert_eq!(bot.answer(&payload, 4, json!({"content": "hello"})).await.status, 204);
    assert_eq!(bot.answer(&payload, 4, json!({"content": "again"})).await.code(), 40_060);
    let seen = bot.server.read(|view| view.interaction(id)).unwrap();
    let original = seen.original.unwrap();
    assert_eq!((original.content.as_str(), seen.answer, seen.has_failed), ("hello", Some(4), false));
    assert!(seen.answered_after_ms.unwrap() < 3_000);
    assert_eq!(original.json["type"], 20);
    assert_eq!(original.json["interaction_metadata"]["id"], json!(id));
}

#[tokio::test]
async fn after_three_seconds_nothing_is_taken_any_more() {
    let (bot, mut socket) = ready().await;
    let (id, payload) = slash(&bot, &mut socket).await;
    bot.server.advance(Duration::from_millis(3_001));
    let late = bot.answer(&payload, 5, Value::Null).await;
    assert_eq!((late.status, late.code()), (404, 10_062));
    let edit = bot.call("PATCH", &Bot::hook(&payload, "/messages/@original"), json!({"content": "x"})).await;
    assert_eq!(edit.code(), 10_015);
    assert!(bot.server.read(|view| view.interaction(id)).unwrap().has_failed);
}

#[tokio::test]
async fn a_deferred_answer_is_edited_for_fifteen_minutes() {
    let (bot, mut socket) = ready().await;
    let (id, payload) = slash(&bot, &mut socket).await;
    assert_eq!(bot.answer(&payload, 5, Value::Null).await.status, 204);
    let original = Bot::hook(&payload, "/messages/@original");
    assert_eq!(bot.get(&original).await.body["flags"], 128);
    assert!(bot.server.read(|view| view.interaction(id)).unwrap().original.unwrap().is_thinking);
    let edited = bot.call("PATCH", &original, json!({"content": "found it", "embeds": [{"title": "t"}]})).await;
    assert_eq!((edited.status, &edited.body["content"], &edited.body["flags"]), (200, &json!("found it"), &json!(0)));
    for key in ["author", "timestamp", "embeds", "attachments", "mentions", "channel_id"] {
        assert!(!edited.body[key].is_null(), "{key} is absent");
    }
    bot.server.advance(Duration::from_mins(14));
    assert_eq!(bot.call("PATCH", &original, json!({"content": "still"})).await.status, 200);
    bot.server.advance(Duration::from_secs(61));
    let late = bot.call("PATCH", &original, json!({"content": "late"})).await;
    assert_eq!((late.status, late.code()), (401, 50_027));
}

#[tokio::test]
async fn the_first_follow_up_takes_the_place_of_thinking_and_later_ones_are_messages() {
    let (bot, mut socket) = ready().await;
    let (id, payload) = slash(&bot, &mut socket).await;
    bot.answer(&payload, 5, json!({"flags": 64})).await;
    bot.call("POST", &Bot::hook(&payload, ""), json!({"content": "first"})).await;
    let second = bot.call("POST", &Bot::hook(&payload, ""), json!({"content": "second", "flags": 64})).await;
    let third = bot.call("POST", &Bot::hook(&payload, ""), json!({"content": "third"})).await;
    assert_eq!(third.status, 200);
    let whispers = |user| -> Vec<String> {
        bot.server.read(|view| view.ephemerals(user)).into_iter().map(|message| message.content).collect()
    };
    assert_eq!(whispers(world::ALICE), ["first", "second"]);
    assert_eq!(whispers(world::BOB), Vec::<String>::new());
    let sees = |user| bot.server.read(|view| view.messages_for(user, world::OPS)).len();
    assert_eq!((sees(world::ALICE), sees(world::BOB)), (3, 1));
    bot.server.read(|view| {
        assert_eq!(view.messages(world::OPS).len(), 1, "only the third is for everybody");
        assert_eq!(view.interaction(id).unwrap().followups.len(), 2);
    });
    let path = Bot::hook(&payload, &format!("/messages/{}", second.id()));
    assert_eq!(bot.call("PATCH", &path, json!({"content": "changed"})).await.status, 200);
    assert_eq!(bot.call("DELETE", &path, Value::Null).await.status, 204);
    assert_eq!(bot.get(&path).await.code(), 10_008);
    let hidden = bot.get(&format!("/channels/{}/messages/{}", world::OPS, second.id())).await;
    assert_eq!(hidden.code(), 10_008, "ephemeral messages are not in the channel");
    bot.call("DELETE", &Bot::hook(&payload, "/messages/@original"), Value::Null).await;
    assert_eq!(whispers(world::ALICE), Vec::<String>::new());
}

#[tokio::test]
async fn a_callback_can_answer_with_its_message() {
    let (bot, mut socket) = ready().await;
    let (_, payload) = slash(&bot, &mut socket).await;
    let (id, token) = (payload["id"].as_str().unwrap(), payload["token"].as_str().unwrap());
    let path = format!("/interactions/{id}/{token}/callback?with_response=true");
    let answer = bot.call("POST", &path, json!({"type": 4, "data": {"content": "hello"}})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.body["resource"]["message"]["content"], "hello");
    assert_eq!(answer.body["interaction"]["response_message_id"], answer.body["resource"]["message"]["id"]);
}

#[tokio::test]
async fn completion_takes_choices_and_nothing_else() {
    let (bot, mut socket) = ready().await;
    let start = || bot.server.complete(world::ALICE, world::OPS, "why", &[], ("name", "we")).unwrap();
    let id = start();
    let payload = socket.event("INTERACTION_CREATE").await;
    assert_eq!(payload["type"], 4);
    assert_eq!(payload["data"]["options"][0]["focused"], true);
    assert_eq!(bot.answer(&payload, 4, json!({"content": "x"})).await.wrong("type"), ["BASE_TYPE_CHOICES"]);
    let many: Vec<Value> = (0..26).map(|n| json!({"name": "n", "value": n.to_string()})).collect();
    let answer = bot.answer(&payload, 8, json!({"choices": many})).await;
    assert_eq!(answer.wrong("data.choices"), ["BASE_TYPE_BAD_LENGTH"]);
    let long = json!({"choices": [{"name": "n".repeat(101), "value": "v"}]});
    assert_eq!(bot.answer(&payload, 8, long).await.wrong("data.choices.0.name"), ["BASE_TYPE_BAD_LENGTH"]);
    let choices = json!({"choices": [{"name": "web (default)", "value": "web"}]});
    assert_eq!(bot.answer(&payload, 8, choices).await.status, 204);
    let seen = bot.server.read(|view| view.interaction(id)).unwrap();
    assert_eq!(seen.choices, Some(vec![("web (default)".to_owned(), json!("web"))]));
}

async fn with_buttons(bot: &Bot) -> Id {
    let components = json!([{"type": 1, "components": [
        {"type": 2, "style": 4, "label": "Raise", "custom_id": "raise:1"},
        {"type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": true}]},
        {"type": 1, "components": [{"type": 3, "custom_id": "pick", "options": [{"label": "One", "value": "1"}]}]}]);
    bot.post(world::OPS, json!({"content": "plan", "components": components})).await.id()
}

#[tokio::test]
async fn a_button_updates_its_message_at_once_or_later() {
    let (bot, mut socket) = ready().await;
    let message = with_buttons(&bot).await;
    bot.server.press(world::BOB, message, "Raise").unwrap();
    let payload = socket.event("INTERACTION_CREATE").await;
    assert_eq!((&payload["type"], &payload["data"]["custom_id"]), (&json!(3), &json!("raise:1")));
    assert_eq!(payload["message"]["content"], "plan");
    bot.answer(&payload, 7, json!({"content": "raised"})).await;
    bot.server.press(world::BOB, message, "raise:1").unwrap();
    let payload = socket.event("INTERACTION_CREATE").await;
    assert_eq!(bot.answer(&payload, 6, Value::Null).await.status, 204);
    bot.call("PATCH", &Bot::hook(&payload, "/messages/@original"), json!({"content": "done", "components": []})).await;
    let seen = bot.server.read(|view| view.message(message)).unwrap();
    assert_eq!((seen.content.as_str(), seen.buttons.len()), ("done", 0));
    assert_eq!(seen.before, ["plan", "raised"]);
}

const FORM: &str = r#"{"custom_id": "form", "title": "Limit", "components": [{"type": 1, "components":
    [{"type": 4, "custom_id": "limit", "label": "Limit", "style": 1, "min_length": 2, "max_length": 5, "value": "64Mi"}]}]}"#;

#[tokio::test]
async fn a_modal_is_filled_in_and_updates_the_message_it_came_from() {
    let (bot, mut socket) = ready().await;
    let message = with_buttons(&bot).await;
    let opened = bot.server.press(world::ALICE, message, "Raise").unwrap();
    let payload = socket.event("INTERACTION_CREATE").await;
    let modal: Value = serde_json::from_str(FORM).unwrap();
    assert_eq!(bot.answer(&payload, 9, modal).await.status, 204);
    assert_eq!(bot.server.read(|view| view.open_modal(world::ALICE)).unwrap().0, opened);
    assert!(bot.server.submit(world::BOB, &[]).is_err(), "another person has none open");
    assert!(bot.server.submit(world::ALICE, &[("Limit", "128 gigabytes")]).is_err());
    assert!(bot.server.submit(world::ALICE, &[("Unknown", "x")]).is_err());
    bot.server.submit(world::ALICE, &[("Limit", "128Mi")]).unwrap();
    let payload = socket.event("INTERACTION_CREATE").await;
    assert_eq!(payload["type"], 5);
    assert_eq!(payload["data"]["components"][0]["components"][0]["value"], "128Mi");
    assert_eq!(bot.answer(&payload, 9, Value::Null).await.wrong("type"), ["BASE_TYPE_CHOICES"]);
    assert_eq!(bot.answer(&payload, 7, json!({"content": "128Mi it is"})).await.status, 204);
    assert_eq!(bot.server.read(|view| view.message(message)).unwrap().content, "128Mi it is");
    assert!(bot.server.submit(world::ALICE, &[]).is_err(), "it is submitted once");
}

#[tokio::test]
async fn a_modal_of_a_command_has_no_message_to_update_and_none_follows_a_deferral() {
    let (bot, mut socket) = ready().await;
    let (_, payload) = slash(&bot, &mut socket).await;
    let modal: Value = serde_json::from_str(FORM).unwrap();
    let mut long = modal.clone();
    long["title"] = json!("t".repeat(46));
    assert_eq!(bot.answer(&payload, 9, long).await.wrong("data.title"), ["BASE_TYPE_BAD_LENGTH"]);
    assert_eq!(bot.answer(&payload, 7, json!({"content": "x"})).await.wrong("type"), ["BASE_TYPE_CHOICES"]);
    bot.answer(&payload, 9, modal.clone()).await;
    bot.server.submit(world::ALICE, &[]).unwrap();
    let submitted = socket.event("INTERACTION_CREATE").await;
    assert_eq!(submitted["data"]["components"][0]["components"][0]["value"], "64Mi", "what was in it stays");
    assert_eq!(bot.answer(&submitted, 7, json!({"content": "x"})).await.wrong("type"), ["BASE_TYPE_CHOICES"]);
    assert_eq!(bot.answer(&submitted, 4, json!({"content": "x"})).await.status, 204);
    let (_, payload) = slash(&bot, &mut socket).await;
    bot.answer(&payload, 5, Value::Null).await;
    assert_eq!(bot.answer(&payload, 9, modal).await.code(), 40_060);
}

#[tokio::test]
async fn limits_of_answers_are_at_their_path() {
    let (bot, mut socket) = ready().await;
    let (id, payload) = slash(&bot, &mut socket).await;
    let answer = bot.answer(&payload, 4, json!({"content": "x".repeat(2_001)})).await;
    assert_eq!(answer.wrong("data.content"), ["BASE_TYPE_MAX_LENGTH"]);
    assert_eq!(bot.answer(&payload, 4, json!({})).await.code(), 50_006);
    assert!(bot.server.read(|view| view.interaction(id)).unwrap().answer.is_none(), "it can still be answered");
    assert_eq!(bot.answer(&payload, 4, json!({"content": "x"})).await.status, 204);
}

#[tokio::test]
async fn without_a_bot_an_interaction_fails() {
    let bot = Bot::new().await;
    bot.register().await;
    let id = bot.server.slash(world::ALICE, world::OPS, "why", &[("name", json!("web"))]).unwrap();
    bot.server.advance(Duration::from_secs(4));
    let seen = bot.server.read(|view| view.interaction(id)).unwrap();
    assert_eq!((seen.was_delivered, seen.has_failed), (false, true));
}
