//! Limits and failures of the REST API.

use std::time::{Duration, Instant};

use kubewhy_chat::{ChatError, ChatPlatform, Place, Post};
use kubewhy_discord_server::{Fault, What, world};
use serde_json::json;

use crate::stage::{Setting, Stage, public, says, short};

fn post(channel: impl std::fmt::Display, key: &str) -> Post {
    Post {
        place: Place { channel: format!("discord:{channel}"), thread: None },
        message: short("hello"),
        mention: None,
        key: key.to_owned(),
    }
}

#[tokio::test]
async fn a_limited_route_waits_and_others_go_on() {
    let stage = Stage::raise(Setting::default()).await;
    // So that finding out what a channel is does not count below.
    stage.discord.post(&post(world::OPS, "a")).await.unwrap();
    stage.discord.post(&post(world::GENERAL, "b")).await.unwrap();
    stage.server.fault(Fault::next("POST", "/messages", What::RateLimited { retry_after_s: 1.0, global: false }));
    let begun = Instant::now();
    let (limited, other) = tokio::join!(
        async {
            let post = stage.discord.post(&post(world::OPS, "c")).await;
            (post, begun.elapsed())
        },
        async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            let post = stage.discord.post(&post(world::GENERAL, "d")).await;
            (post, begun.elapsed())
        }
    );
    assert!(limited.0.is_ok() && limited.1 >= Duration::from_secs(1), "{:?}", limited.1);
    assert!(other.0.is_ok() && other.1 < Duration::from_millis(900), "{:?}", other.1);
    assert_eq!(stage.server.read(|view| view.calls().iter().filter(|call| call.status == 429).count()), 1);
}

#[tokio::test]
async fn a_global_limit_holds_everything_back() {
    let stage = Stage::raise(Setting::default()).await;
    stage.discord.post(&post(world::OPS, "a")).await.unwrap();
    stage.discord.post(&post(world::GENERAL, "b")).await.unwrap();
    stage.server.fault(Fault::next("POST", "/messages", What::RateLimited { retry_after_s: 1.0, global: true }));
    let begun = Instant::now();
    let (limited, other) = tokio::join!(async { stage.discord.post(&post(world::OPS, "c")).await }, async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stage.discord.post(&post(world::GENERAL, "d")).await
    });
    assert!(limited.is_ok() && other.is_ok());
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!(stage.server.read(|view| view.calls().iter().filter(|call| call.status == 429).count()), 1);
}

#[tokio::test]
async fn a_wait_that_makes_no_sense_is_said() {
    let stage = Stage::raise(Setting::default()).await;
    stage.server.fault(Fault::next("POST", "/messages", What::RateLimited { retry_after_s: 600.0, global: false }));
    let begun = Instant::now();
    let refused = stage.discord.post(&post(world::OPS, "a")).await;
    assert_eq!(refused, Err(ChatError::Throttled { seconds: 600 }));
    assert!(begun.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn many_posts_into_one_channel_stay_within_its_limit() {
    let stage = Stage::raise(Setting::default()).await;
    let keys: Vec<String> = (0..12).map(|index| format!("k{index}")).collect();
    let posts: Vec<Post> = keys.iter().map(|key| post(world::OPS, key)).collect();
    let done = futures::future::join_all(posts.iter().map(|post| stage.discord.post(post))).await;
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    let calls = stage.server.read(|view| view.calls());
    assert_eq!(calls.iter().filter(|call| call.status == 429).count(), 0);
    assert_eq!(stage.server.read(|view| view.messages(world::OPS).len()), 12);
}

#[tokio::test]
async fn a_failure_that_passes_is_not_noticed() {
    let stage = Stage::set().await;
    for what in [
        What::Status { status: 503, after_effect: false },
        What::Status { status: 502, after_effect: true },
        What::Reset { after_effect: false },
        What::Reset { after_effect: true },
        What::Garbage { after_effect: false },
    ] {
        stage.server.clear_faults();
        let garbage = matches!(what, What::Garbage { .. });
        stage.server.fault(Fault::next("PATCH", "/webhooks", what));
        stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
        let delivery = stage.delivered().await;
        let shown = stage.discord.answer(&delivery, &public(short("cart is down"))).await;
        assert_eq!(shown.is_ok(), !garbage, "{shown:?}");
    }
    assert_eq!(
        stage.server.read(|view| view.messages(world::OPS)).iter().filter(|it| says("cart is down")(it)).count(),
        4
    );
}

#[tokio::test]
async fn a_failure_that_stays_is_said_and_can_be_tried_again() {
    let stage = Stage::raise(Setting::default()).await;
    stage.server.fault(Fault::next("POST", "/messages", What::Status { status: 500, after_effect: false }).times(0));
    let failed = stage.discord.post(&post(world::OPS, "a")).await.unwrap_err();
    assert!(failed.is_retryable(), "{failed:?}");
    stage.server.clear_faults();
    stage.discord.post(&post(world::OPS, "a")).await.unwrap();
    assert_eq!(stage.server.read(|view| view.messages(world::OPS).len()), 1);
}

#[tokio::test]
async fn a_follow_up_that_may_have_arrived_is_not_sent_twice() {
    let stage = Stage::set().await;
    stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("crat"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.server.fault(Fault::next("POST", "/webhooks", What::Reset { after_effect: true }));
    let shown = stage.discord.answer(&delivery, &crate::stage::private(short("no crat here"))).await;
    assert!(matches!(shown, Err(ChatError::Unreachable { doubtful: true, .. })), "{shown:?}");
    assert_eq!(stage.server.read(|view| view.ephemerals(world::BOB)).len(), 1);
}
