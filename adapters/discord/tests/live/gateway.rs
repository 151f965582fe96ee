//! The stream of events through losses.

use std::sync::Arc;
use std::time::{Duration, Instant};

use kubewhy_chat::{ChatError, ChatPlatform, Link};
use kubewhy_discord_server::{DiscordServer, Fault, GatewayFault, What, World, world};
use serde_json::json;

use crate::stage::{ANEW, SOON, Setting, Stage, public, says, short};

fn mention(words: &str) -> String {
    format!("<@{}> {words}", world::Application::default().id)
}

fn count(stage: &Stage, what: &str) -> usize {
    stage.server.read(|view| view.gateway().iter().filter(|it| it.what == what).count())
}

async fn resumed(stage: &Stage, times: usize) {
    let happened = stage.server.wait_for(ANEW, |view| {
        let count = view.gateway().iter().filter(|it| it.what == "resumed").count();
        (count >= times && view.ready_connections() > 0).then_some(())
    });
    happened.await.unwrap();
}

async fn open(stage: &Stage) {
    stage.server.wait_for(SOON, |_| (stage.discord.link() == Link::Open).then_some(())).await.expect("the link opens");
}

#[tokio::test]
async fn a_lost_socket_loses_no_question_and_no_answer() {
    let stage = Stage::set().await;
    open(&stage).await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    stage.server.gateway_fault(&GatewayFault::Reset);
    // Said while nobody listens.
    stage.server.say(world::BOB, world::OPS, &mention("said in between")).unwrap();
    stage.discord.answer(&delivery, &public(short("cart is down"))).await.unwrap();
    assert!(says("cart is down")(&stage.seen(|it| it.channel == world::OPS).await));
    let delivery = stage.delivered().await;
    stage.discord.answer(&delivery, &public(short("heard"))).await.unwrap();
    resumed(&stage, 1).await;
    assert_eq!(count(&stage, "identified"), 1);
    open(&stage).await;
}

#[tokio::test]
async fn what_is_replayed_is_answered_once() {
    let stage = Stage::set().await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    stage.delivered().await;
    stage.server.wait_for(SOON, |view| view.interaction(asked)?.original).await.unwrap();
    stage.server.gateway_fault(&GatewayFault::ReplayOnResume { events: 5 });
    stage.server.gateway_fault(&GatewayFault::Reconnect);
    resumed(&stage, 1).await;
    stage.server.say(world::BOB, world::OPS, &mention("after")).unwrap();
    stage.delivered().await;
    assert!(stage.is_quiet().await);
    let replayed = || (*stage.inbox.duplicates.lock().unwrap() >= 1).then_some(());
    stage.server.wait_for(SOON, |_| replayed()).await.unwrap();
    let callbacks = stage.server.read(|view| view.calls()).iter().filter(|it| it.route.ends_with("/callback")).count();
    assert_eq!(callbacks, 1);
}

#[tokio::test]
async fn an_invalid_session_is_followed_by_another() {
    let stage = Stage::set().await;
    open(&stage).await;
    stage.server.gateway_fault(&GatewayFault::InvalidSession { resumable: false });
    let again = stage.server.wait_for(ANEW, |view| {
        let identified = view.gateway().iter().filter(|it| it.what == "identified").count();
        (identified == 2 && view.ready_connections() == 1).then_some(())
    });
    again.await.unwrap();
    stage.server.say(world::BOB, world::OPS, &mention("still there?")).unwrap();
    stage.delivered().await;
    assert_eq!(stage.server.read(|view| view.command_writes()), 1);
}

#[tokio::test]
async fn a_token_that_was_taken_away_ends_listening() {
    let mut stage = Stage::set().await;
    stage.server.revoke_token();
    assert!(matches!(stage.ended().await, Err(ChatError::Revoked { .. })));
    // Nothing is asked any more.
    let before = stage.server.read(|view| view.calls().len());
    let person = kubewhy_chat::Person { id: format!("discord:{}", world::BOB), ..Default::default() };
    for _ in 0..3 {
        assert!(matches!(stage.discord.identity(&person).await, Err(ChatError::Revoked { .. })));
    }
    assert!(stage.server.read(|view| view.calls().len()) <= before + 1);
}

#[tokio::test]
async fn a_wrong_token_ends_listening_before_a_gateway_was_opened() {
    let server = DiscordServer::start(World::default()).await.unwrap();
    server.revoke_token();
    let discord = crate::stage::discord(&server, Arc::default());
    let stage = Stage::raise(Setting::default()).await;
    let ended = discord.listen(stage.inbox.clone(), Box::pin(std::future::pending())).await;
    assert!(matches!(ended, Err(ChatError::Revoked { .. })));
    assert!(server.read(|view| view.gateway().is_empty()));
}

#[tokio::test]
async fn events_that_discord_does_not_grant_end_listening_with_what_to_do() {
    let mut stage = Stage::set().await;
    stage.server.gateway_fault(&GatewayFault::Close { code: Some(4014) });
    let ended = stage.ended().await;
    let Err(ChatError::Forbidden { action, code }) = &ended else { panic!("{ended:?}") };
    assert_eq!(code, "4014");
    assert!(action.contains("Discord developer portal"));
}

#[tokio::test]
async fn stopping_is_quick_and_says_goodbye() {
    let mut stage = Stage::set().await;
    open(&stage).await;
    let begun = Instant::now();
    stage.stop().await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(matches!(stage.discord.link(), Link::Lost { .. }));
    stage.server.wait_for(SOON, |view| (view.ready_connections() == 0).then_some(())).await.unwrap();
}

#[tokio::test]
async fn stopping_is_quick_where_nothing_ever_connected() {
    for fault in [What::Status { status: 503, after_effect: false }, What::NoAnswer { after_effect: false }] {
        let setting = Setting::default();
        let mut stage = Stage::raise(setting).await;
        stage.server.fault(Fault::next("GET", "/gateway", fault).times(0));
        stage.server.gateway_fault(&GatewayFault::Refuse { times: 1_000 });
        stage.server.wait_for(SOON, |view| (!view.calls().is_empty()).then_some(())).await.unwrap();
        let begun = Instant::now();
        stage.stop().await.unwrap();
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn a_gateway_that_refuses_connections_is_tried_again() {
    let stage = Stage::raise(Setting::default()).await;
    stage.server.gateway_fault(&GatewayFault::Refuse { times: 1 });
    stage.server.wait_ready(ANEW).await.unwrap();
    open(&stage).await;
}

#[tokio::test]
async fn no_session_is_started_when_discord_grants_none() {
    let mut world = World::default();
    world.limits.identifies = 0;
    let mut stage = Stage::raise(Setting { world, ..Setting::default() }).await;
    stage.server.wait_for(SOON, |_| matches!(stage.discord.link(), Link::Lost { .. }).then_some(())).await.unwrap();
    assert!(stage.server.read(|view| view.gateway().is_empty()));
    stage.stop().await.unwrap();
}

#[tokio::test]
async fn a_zombie_connection_is_left() {
    let mut world = World::default();
    world.limits.heartbeat_interval_ms = 1_000;
    let stage = Stage::set_with(Setting { world, ..Setting::default() }).await;
    stage.server.gateway_fault(&GatewayFault::Silence { on: true });
    let left = stage.server.wait_for(ANEW, |view| {
        let sessions = view.gateway().iter().filter(|it| it.what == "identified" || it.what == "resumed").count();
        (sessions >= 2).then_some(())
    });
    left.await.unwrap();
    stage.server.say(world::BOB, world::OPS, &mention("still there?")).unwrap();
    stage.delivered().await;
}

#[tokio::test]
async fn a_storm_of_reconnects_costs_no_session() {
    let stage = Stage::set().await;
    stage.server.gateway_fault(&GatewayFault::ReconnectStorm { times: 5 });
    stage.server.gateway_fault(&GatewayFault::Reconnect);
    resumed(&stage, 5).await;
    stage.server.say(world::BOB, world::OPS, &mention("still there?")).unwrap();
    stage.delivered().await;
    assert_eq!(count(&stage, "identified"), 1);
}
