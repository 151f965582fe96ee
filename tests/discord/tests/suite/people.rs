//! People can do what Discord's client lets them do, and no more.

use kubewhy_discord_server::{Unable, permission, world};
use serde_json::json;

use crate::bot::Bot;

#[tokio::test]
async fn commands_are_checked_before_they_are_sent() {
    let bot = Bot::new().await;
    let why = |options: &[(&str, serde_json::Value)]| bot.server.slash(world::BOB, world::OPS, "why", options);
    assert_eq!(why(&[]), Err(Unable::NoCommand("why".to_owned())));
    bot.register().await;
    assert_eq!(why(&[]), Err(Unable::Missing("name".to_owned())));
    assert_eq!(why(&[("what", json!("x"))]), Err(Unable::NoOption("what".to_owned())));
    for (option, value) in
        [("name", json!("x".repeat(21))), ("name", json!(1)), ("deep", json!(6)), ("deep", json!("1"))]
    {
        let refused = why(&[("name", json!("x")), (option, value.clone())]);
        assert_eq!(refused, Err(Unable::Unsuitable { option: option.to_owned(), value: value.to_string() }));
    }
    assert!(why(&[("name", json!("web")), ("deep", json!(5))]).is_ok());
    let logs = |line: &str| bot.server.slash(world::BOB, world::OPS, line, &[("pod", json!("web-1"))]);
    assert!(logs("kubewhy logs").is_ok());
    assert!(logs("kubewhy").is_err(), "a command with subcommands is not used alone");
    assert!(logs("kubewhy nothing").is_err());
    assert!(bot.server.complete(world::BOB, world::OPS, "why", &[], ("deep", "1")).is_err(), "it does not complete");
}

#[tokio::test]
async fn who_may_not_use_commands_or_see_the_channel_does_not() {
    let bot = Bot::new().await;
    bot.register().await;
    bot.server.change_world(|world| {
        *world.overwrites(world::GENERAL).unwrap() = vec![
            world::Overwrite { id: world::MALLORY, member: true, allow: 0, deny: permission::VIEW_CHANNEL },
            world::Overwrite { id: world::SRE, member: false, allow: 0, deny: permission::USE_APPLICATION_COMMANDS },
        ];
    });
    let why = |by| bot.server.slash(by, world::GENERAL, "why", &[("name", json!("web"))]);
    assert_eq!(why(world::MALLORY), Err(Unable::NoChannel(world::GENERAL)));
    assert_eq!(why(world::BOB), Err(Unable::NotAllowed("use commands")));
    assert!(why(world::ALICE).is_ok(), "an owner may everything");
    let id = bot.posted(world::GENERAL, "x").await;
    assert_eq!(bot.server.say(world::MALLORY, world::GENERAL, "x"), Err(Unable::NoChannel(world::GENERAL)));
    assert_eq!(bot.server.message_command(world::MALLORY, id, "Why?"), Err(Unable::NoChannel(world::GENERAL)));
    assert!(bot.server.read(|view| view.messages_for(world::MALLORY, world::GENERAL)).is_empty());
}

#[tokio::test]
async fn only_buttons_that_are_there_can_be_pressed() {
    let bot = Bot::new().await;
    let components = json!([{"type": 1, "components": [
        {"type": 2, "style": 2, "label": "Off", "custom_id": "off", "disabled": true},
        {"type": 2, "style": 5, "label": "Docs", "url": "https://example.com"}]},
        {"type": 1, "components": [{"type": 3, "custom_id": "pick", "options": [{"label": "One", "value": "1"}]}]}]);
    let id = bot.post(world::OPS, json!({"content": "x", "components": components})).await.id();
    let press = |button: &str| bot.server.press(world::BOB, id, button);
    assert_eq!(press("On"), Err(Unable::NoComponent("On".to_owned())));
    assert_eq!(press("Off"), Err(Unable::Disabled("Off".to_owned())));
    assert_eq!(press("Docs"), Err(Unable::Disabled("Docs".to_owned())));
    assert!(bot.server.choose(world::BOB, id, "pick", &["Two"]).is_err());
    assert!(bot.server.choose(world::BOB, id, "pick", &[]).is_err());
    assert!(bot.server.choose(world::BOB, id, "pick", &["One"]).is_ok());
    bot.call("DELETE", &format!("/channels/{}/messages/{id}", world::OPS), serde_json::Value::Null).await;
    assert_eq!(press("Off"), Err(Unable::NoMessage(id)));
}

#[tokio::test]
async fn a_message_command_carries_the_message_with_its_content() {
    let bot = Bot::new().await;
    bot.register().await;
    let mut socket = bot.online().await;
    let id = bot.server.say(world::ALICE, world::OPS, "pod web is down").unwrap();
    assert_eq!(socket.event("MESSAGE_CREATE").await["content"], "");
    bot.server.message_command(world::BOB, id, "Why?").unwrap();
    let payload = socket.event("INTERACTION_CREATE").await;
    assert_eq!(payload["data"]["target_id"], json!(id));
    assert_eq!(payload["data"]["resolved"]["messages"][id.to_string()]["content"], "pod web is down");
}

#[tokio::test]
async fn a_person_can_refuse_direct_messages() {
    let bot = Bot::new().await;
    let channel = bot.call("POST", "/users/@me/channels", json!({"recipient_id": world::BOB})).await.id();
    assert_eq!(bot.post(channel, json!({"content": "psst"})).await.status, 200);
    bot.server.change_world(|world| world.user(world::BOB).unwrap().refuses_direct_messages = true);
    assert_eq!(bot.post(channel, json!({"content": "psst"})).await.code(), 50_007);
}
