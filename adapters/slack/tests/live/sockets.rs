//! Sockets break, storm, and are taken away.

use std::time::{Duration, Instant};

use kubewhy_chat::{Acceptance, ChatError, ChatPlatform as _, Link, Visibility};
use kubewhy_slack_server::World;

use crate::scene::{ANNA, INCIDENTS, Judge, SOON, Scene};

fn all() -> Judge {
    Box::new(|_| Acceptance::Accepted(Visibility::Everybody))
}

#[tokio::test]
async fn the_link_is_told_truly() {
    let mut scene = Scene::open().await;
    scene.wait_for_link(|link| *link == Link::Open).await;
    scene.server.change_world(|world| world.app.app_scopes.clear());
    scene.server.drop_connections(None);
    scene.wait_for_link(|link| matches!(link, Link::Lost { .. })).await;
    let error = scene.ended().await.expect_err("a scope lacks");
    assert!(matches!(error, ChatError::Forbidden { .. }) && error.to_string().contains("connections:write"), "{error}");
}

#[tokio::test]
async fn sockets_that_are_lost_are_opened_again() {
    for in_good_order in [false, true] {
        let scene = Scene::open().await;
        if in_good_order {
            scene.server.close_connections(None)
        } else {
            scene.server.drop_connections(None)
        }
        scene.server.wait_for(SOON, |server| (server.connections_opened() == 4).then_some(())).await.expect("reopened");
        scene.wait_for_link(|link| *link == Link::Open).await;
        scene.asked(INCIDENTS, "pod cart").await;
    }
}

#[tokio::test]
async fn what_is_delivered_while_a_socket_is_replaced_arrives() {
    let scene = Scene::open().await;
    scene.server.disconnect("warning", None);
    for number in 0..20 {
        scene.mentioned(INCIDENTS, &format!("pod cart-{number}")).await;
    }
    scene.server.wait_for(SOON, |server| (server.connections_opened() >= 4).then_some(())).await.expect("new ones");
    scene
        .server
        .wait_for(SOON, |server| (server.acks().len() >= 20).then_some(()))
        .await
        .expect("all are acknowledged");
    let all = scene.server.acks();
    for delivered in scene.server.delivered() {
        let ack = all.iter().find(|ack| ack.envelope == delivered.envelope).expect("an acknowledgement");
        assert_eq!(ack.connection, delivered.connection, "it was acknowledged on another socket");
    }
}

#[tokio::test]
async fn a_storm_of_disconnects_does_not_become_a_storm_of_openings() {
    for refuse in [false, true] {
        let scene = Scene::begin(World::default().without_limits(), all()).await;
        if refuse {
            scene.server.refuse_connections(1_000)
        } else {
            scene.server.storm(1_000)
        }
        let opened = |server: &kubewhy_slack_server::SlackServer| server.calls_of("apps.connections.open").len();
        let flooded = scene.server.wait_for(Duration::from_secs(6), |server| (opened(server) > 7).then_some(())).await;
        assert!(flooded.is_err(), "sockets were opened {} times within 6 s", opened(&scene.server));
        println!("opened {} times in a storm", opened(&scene.server));
        scene.server.clear_faults();
        scene.server.wait_for_connections(1, Duration::from_secs(30)).await.expect("it recovers");
    }
}

#[tokio::test]
async fn a_revoked_token_ends_the_listening() {
    let mut scene = Scene::open().await;
    scene.server.revoke("xapp-test-app");
    let error = scene.ended().await.expect_err("it is revoked");
    assert!(matches!(error, ChatError::Revoked { .. }), "{error}");

    let mut scene = Scene::open().await;
    scene.server.revoke("xoxb-test-bot");
    let asked = kubewhy_chat::Person { id: "slack:T0ACME:U0BEN".to_owned(), ..kubewhy_chat::Person::default() };
    let error = scene.slack.identity(&asked).await.expect_err("it is revoked");
    assert!(matches!(error, ChatError::Revoked { .. }), "{error}");
    scene.stop().await.expect("it stops");
}

#[tokio::test]
async fn a_bot_token_that_was_never_good_ends_the_listening() {
    let mut scene = Scene::begin(
        World {
            app: kubewhy_slack_server::App { bot_token: "xoxb-other".to_owned(), ..Default::default() },
            ..World::default()
        },
        all(),
    )
    .await;
    let error = scene.ended().await.expect_err("it is not accepted");
    assert!(matches!(error, ChatError::Revoked { .. }), "{error}");
}

#[tokio::test]
async fn socket_mode_that_is_switched_off_is_told() {
    let mut scene = Scene::open().await;
    scene.server.disconnect("link_disabled", None);
    let error = scene.ended().await.expect_err("nothing can arrive");
    assert!(error.to_string().contains("switch Socket Mode on"), "{error}");
}

#[tokio::test]
async fn a_slack_that_fails_at_first_is_waited_for() {
    let scene = Scene::begin(World::default().without_limits(), all()).await;
    let fault = kubewhy_slack_server::CallFault::Error { error: "internal_error".to_owned() };
    scene.server.fail_calls("apps.connections.open", fault, 2);
    scene.server.wait_for_connections(2, Duration::from_secs(30)).await.expect("two sockets");
}

#[tokio::test]
async fn a_stop_ends_within_bounds_and_acknowledges_what_was_stored() {
    let mut scene = Scene::open().await;
    scene.inbox.open(false);
    let sent = scene.server.person(ANNA).slash(INCIDENTS, "/why", "pod cart").expect("it can be typed");
    scene.inbox.wait_for(1).await;
    let since = Instant::now();
    let inbox = std::sync::Arc::clone(&scene.inbox);
    let (stopped, ()) = tokio::join!(scene.stop(), async move { inbox.open(true) });
    stopped.expect("it stops");
    assert!(since.elapsed() < Duration::from_secs(5), "{:?}", since.elapsed());
    scene.server.wait_for_ack(&sent.envelope, SOON).await.expect("it was acknowledged on the way out");
    assert!(scene.server.connections().is_empty());
}

#[tokio::test]
async fn a_store_that_hangs_does_not_hold_up_a_stop_and_is_not_acknowledged() {
    let mut scene = Scene::open().await;
    scene.inbox.open(false);
    scene.server.person(ANNA).slash(INCIDENTS, "/why", "pod cart").expect("it can be typed");
    scene.inbox.wait_for(1).await;
    let since = Instant::now();
    scene.stop().await.expect("it stops");
    assert!(since.elapsed() < Duration::from_secs(8), "{:?}", since.elapsed());
    assert!(scene.server.acks().is_empty());
}
