//! The gateway: who gets in, what is sent, resuming, closing.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::ZlibDecoder;
use futures::{SinkExt as _, StreamExt as _};
use kubewhy_discord_server::{GatewayFault, Id, View, World, world};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::bot::{Bot, Got, INTENTS, LIMIT, unhurried};

#[tokio::test]
async fn ready_names_guilds_that_come_as_events() {
    let bot = Bot::new().await;
    let mut socket = bot.socket("/?v=10").await;
    socket.identify(bot.server.token(), INTENTS).await;
    let ready = socket.event("READY").await;
    assert_eq!(ready["guilds"], json!([{"id": world::GUILD, "unavailable": true}]));
    assert!(ready["resume_gateway_url"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
    assert_eq!(ready["application"]["id"], json!(World::default().application.id));
    let guild = socket.event("GUILD_CREATE").await;
    assert_eq!(guild["channels"].as_array().unwrap().len(), 4);
    assert_eq!(guild["members"].as_array().unwrap().len(), 1, "only the bot, without the members intent");
    bot.server.wait_ready(LIMIT).await.unwrap();
}

#[tokio::test]
async fn who_must_not_come_in_is_closed_with_the_code() {
    let bot = Bot::new().await;
    let closed = async |payload: Value| {
        let mut socket = bot.socket("/?v=10").await;
        socket.send(payload).await;
        socket.closed().await
    };
    let identify = |token: &str, intents: u64| json!({"op": 2, "d": {"token": token, "intents": intents}});
    let token = bot.server.token().to_owned();
    assert_eq!(closed(identify("nonsense", 1)).await, Some(4_004));
    assert_eq!(closed(identify(&token, 1 << 30)).await, Some(4_013));
    assert_eq!(closed(identify(&token, 1 << 15)).await, Some(4_014));
    assert_eq!(closed(json!({"op": 2, "d": {"token": token, "intents": 1, "shard": [1, 1]}})).await, Some(4_010));
    assert_eq!(closed(json!({"op": 99})).await, Some(4_001));
    assert_eq!(closed(json!({"op": 3, "d": {}})).await, Some(4_003));
    let mut socket = bot.socket("/?v=10").await;
    socket.stream.send(Message::text("{")).await.unwrap();
    assert_eq!(socket.closed().await, Some(4_002));
    let mut socket = bot.online().await;
    socket.identify(&token, 1).await;
    assert_eq!(socket.closed().await, Some(4_005));
    let codes: Vec<u16> = bot.server.gateway_history().iter().filter_map(|event| event.code).collect();
    assert_eq!(codes, [4_004, 4_013, 4_014, 4_010, 4_001, 4_003, 4_002, 4_005]);
}

#[tokio::test]
async fn content_comes_only_with_the_privileged_intent() {
    let mut world = unhurried();
    world.application.message_content = true;
    let bot = Bot::in_world(world).await;
    let mut socket = bot.socket("/?v=10").await;
    socket.identify(bot.server.token(), INTENTS | (1 << 15)).await;
    let mut without = bot.online().await;
    bot.server.wait_for(LIMIT, |view| (view.ready_connections() == 2).then_some(())).await.unwrap();
    bot.server.say(world::ALICE, world::OPS, "between us").unwrap();
    assert_eq!(socket.event("MESSAGE_CREATE").await["content"], "between us");
    assert_eq!(without.event("MESSAGE_CREATE").await["content"], "");
}

#[tokio::test]
async fn heartbeats_are_acknowledged_and_their_absence_closes() {
    let mut world = unhurried();
    world.limits.heartbeat_interval_ms = 300;
    let bot = Bot::in_world(world).await;
    let mut socket = bot.online().await;
    socket.send(json!({"op": 1, "d": null})).await;
    socket.op(11).await;
    assert_eq!(socket.closed().await, Some(4_009));
}

#[tokio::test]
async fn a_deaf_gateway_does_not_acknowledge_and_a_silent_one_says_nothing() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    bot.server.gateway_fault(&GatewayFault::Deaf { on: true });
    socket.send(json!({"op": 1, "d": null})).await;
    bot.posted(world::OPS, "x").await;
    let payload = socket.payload().await;
    assert_eq!(payload["t"], "MESSAGE_CREATE", "an event, and no acknowledgement before it");
    bot.server.gateway_fault(&GatewayFault::Silence { on: true });
    bot.posted(world::OPS, "y").await;
    let nothing = tokio::time::timeout(Duration::from_millis(200), socket.got()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    bot.server.gateway_fault(&GatewayFault::Silence { on: false });
    assert_eq!(socket.event("MESSAGE_CREATE").await["content"], "y");
}

#[tokio::test]
async fn a_resume_replays_what_was_missed() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    bot.posted(world::OPS, "before").await;
    socket.event("MESSAGE_CREATE").await;
    bot.server.gateway_fault(&GatewayFault::Reset);
    assert_eq!(socket.closed().await, None);
    bot.posted(world::OPS, "missed 1").await;
    bot.posted(world::OPS, "missed 2").await;
    let mut again = bot.socket("/resume?v=10").await;
    again.resume(bot.server.token(), &socket.session, socket.sequence).await;
    assert_eq!(again.event("MESSAGE_CREATE").await["content"], "missed 1");
    assert_eq!(again.payload().await["d"]["content"], "missed 2");
    assert_eq!(again.payload().await["t"], "RESUMED");
    bot.posted(world::OPS, "after").await;
    assert_eq!(again.event("MESSAGE_CREATE").await["content"], "after");
}

#[tokio::test]
async fn a_resume_can_replay_events_the_client_has() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    bot.posted(world::OPS, "known").await;
    socket.event("MESSAGE_CREATE").await;
    bot.server.gateway_fault(&GatewayFault::ReplayOnResume { events: 1 });
    bot.server.gateway_fault(&GatewayFault::Reconnect);
    socket.op(7).await;
    let mut again = bot.socket("/resume?v=10").await;
    again.resume(bot.server.token(), &socket.session, socket.sequence).await;
    assert_eq!(again.event("MESSAGE_CREATE").await["content"], "known");
    again.event("RESUMED").await;
}

#[tokio::test]
async fn what_cannot_be_resumed_is_an_invalid_session() {
    let bot = Bot::new().await;
    let mut socket = bot.socket("/?v=10").await;
    socket.resume(bot.server.token(), "nonsense", 1).await;
    assert_eq!(socket.op(9).await, false);
    let online = bot.online().await;
    let mut ahead = bot.socket("/?v=10").await;
    ahead.resume(bot.server.token(), &online.session, online.sequence + 10).await;
    assert_eq!(ahead.closed().await, Some(4_007));
    drop(online.stream);
    let gone = |view: &View<'_>| (view.ready_connections() == 0).then_some(());
    bot.server.wait_for(LIMIT, gone).await.unwrap();
    bot.server.advance(Duration::from_mins(5));
    let mut late = bot.socket("/?v=10").await;
    late.resume(bot.server.token(), &online.session, online.sequence).await;
    assert_eq!(late.op(9).await, false);
}

#[tokio::test]
async fn orders_of_the_gateway_reach_the_client() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    bot.server.gateway_fault(&GatewayFault::InvalidSession { resumable: true });
    assert_eq!(socket.op(9).await, true);
    bot.server.gateway_fault(&GatewayFault::Close { code: Some(4_000) });
    assert_eq!(socket.closed().await, Some(4_000));
    bot.server.gateway_fault(&GatewayFault::ReconnectStorm { times: 2 });
    for _ in 0..2 {
        bot.online().await.op(7).await;
    }
    let mut calm = bot.online().await;
    bot.server.revoke_token();
    assert_eq!(calm.closed().await, Some(4_004));
    let mut refused = bot.socket("/?v=10").await;
    refused.identify(bot.server.token(), 1).await;
    assert_eq!(refused.closed().await, Some(4_004));
}

#[tokio::test]
async fn identifies_are_spaced_and_counted() {
    let mut world = unhurried();
    world.limits.identify_spacing_ms = 5_000;
    world.limits.identifies = 3;
    let bot = Bot::in_world(world).await;
    let _first = bot.online().await;
    let mut hasty = bot.socket("/?v=10").await;
    hasty.identify(bot.server.token(), 1).await;
    assert_eq!(hasty.op(9).await, false);
    let limit = bot.get("/gateway/bot").await.body["session_start_limit"].clone();
    assert_eq!((&limit["remaining"], &limit["max_concurrency"]), (&json!(1), &json!(1)));
    bot.server.advance(Duration::from_secs(6));
    hasty.identify(bot.server.token(), INTENTS).await;
    hasty.event("READY").await;
    bot.server.advance(Duration::from_secs(6));
    let mut beyond = bot.socket("/?v=10").await;
    beyond.identify(bot.server.token(), 1).await;
    assert_eq!(beyond.closed().await, Some(4_004), "Discord takes the token away");
}

#[tokio::test]
async fn a_mute_connection_says_not_even_hello() {
    let bot = Bot::new().await;
    bot.server.gateway_fault(&GatewayFault::Mute { times: 1 });
    let url = bot.get("/gateway").await.body["url"].as_str().unwrap().to_owned();
    let (mut mute, _) = tokio_tungstenite::connect_async(format!("{url}/?v=10")).await.unwrap();
    let nothing = tokio::time::timeout(Duration::from_millis(200), mute.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    bot.online().await;
}

#[tokio::test]
async fn guilds_and_channels_come_and_go() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    let channel = |id, name: &str| world::Channel { id, name: name.to_owned(), kind: 0, overwrites: Vec::new() };
    let (guild, first, second) = (Id(77 << 22), Id(78 << 22), Id(79 << 22));
    bot.server.change_world(|world| {
        world.add_guild(world::Guild {
            id: guild,
            name: "Other".to_owned(),
            owner: world::BOB,
            roles: Vec::new(),
            members: Vec::new(),
            channels: vec![channel(first, "first")],
        });
        world.add_channel(guild, &channel(second, "second"));
    });
    assert_eq!(socket.event("GUILD_CREATE").await["name"], "Other");
    assert_eq!(socket.event("CHANNEL_CREATE").await["name"], "second");
    bot.posted(second, "hello").await;
    bot.server.change_world(|world| world.delete_channel(second));
    assert_eq!(socket.event("CHANNEL_DELETE").await["id"], json!(second));
    bot.server.change_world(|world| world.remove_bot(guild));
    assert_eq!(socket.event("GUILD_DELETE").await["id"], json!(guild));
    assert_eq!(bot.get(&format!("/channels/{first}")).await.code(), 10_003);
}

#[tokio::test]
async fn a_client_that_sends_too_much_is_closed() {
    let mut world = unhurried();
    world.limits.rates = true;
    let bot = Bot::in_world(world).await;
    let mut socket = bot.online().await;
    for _ in 0..120 {
        socket.send(json!({"op": 3, "d": {}})).await;
    }
    assert_eq!(socket.closed().await, Some(4_008));
}

#[tokio::test]
async fn payloads_are_compressed_when_asked_for() {
    let bot = Bot::new().await;
    let mut socket = bot.socket("/?v=10").await;
    let data = json!({"token": bot.server.token(), "intents": 1, "compress": true});
    socket.send(json!({"op": 2, "d": data})).await;
    let Got::Binary(bytes) = socket.got().await else { panic!("READY is large enough to be compressed") };
    let mut text = String::new();
    ZlibDecoder::new(bytes.as_slice()).read_to_string(&mut text).unwrap();
    let ready: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(ready["t"], "READY");
}

#[tokio::test]
async fn a_guild_belongs_to_one_shard() {
    let bot = Bot::new().await;
    let mine = (world::GUILD.0 >> 22) % 2;
    for shard in [0, 1] {
        let mut socket = bot.socket("/?v=10").await;
        let data = json!({"token": bot.server.token(), "intents": INTENTS, "shard": [shard, 2]});
        socket.send(json!({"op": 2, "d": data})).await;
        let ready = socket.event("READY").await;
        assert_eq!(ready["shard"], json!([shard, 2]));
        assert_eq!(ready["guilds"].as_array().unwrap().len(), usize::from(shard == mine));
    }
}
