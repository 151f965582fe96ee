//! Slack limits, fails, and lags; nothing is said twice, and what is doubtful is called so.

use std::time::{Duration, Instant};

use kubewhy_chat::{ChatError, ChatPlatform as _};
use kubewhy_slack_server::{CallFault, Effect, World};

use crate::scene::{INCIDENTS, SOON, Scene, reply};

#[tokio::test]
async fn slack_is_not_called_before_it_wants_to_be() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 2 }, 1);
    let since = Instant::now();
    scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
    assert!(since.elapsed() >= Duration::from_secs(2), "{:?}", since.elapsed());
    assert_eq!((scene.server.calls_of("chat.postMessage").len(), scene.posted(INCIDENTS).len()), (2, 1));
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_handed_to_the_caller() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 600 }, 1);
    let error = scene.slack.answer(&asked, &reply("cart fails")).await.expect_err("it takes too long");
    assert!(matches!(error, ChatError::Throttled { seconds: 590.. }) && error.is_retryable(), "{error}");
}

#[tokio::test]
async fn an_answer_whose_fate_is_unclear_is_looked_up_before_it_is_sent_again() {
    for (fault, sends) in [
        (CallFault::Status { status: 502, effect: Effect::Done }, 1),
        (CallFault::Status { status: 502, effect: Effect::None }, 2),
        (CallFault::Reset { effect: Effect::Done }, 1),
        (CallFault::Reset { effect: Effect::None }, 2),
        (CallFault::Error { error: "fatal_error".to_owned() }, 2),
    ] {
        let scene = Scene::open().await;
        let by_command = scene.asked(INCIDENTS, "pod cart").await;
        scene.server.fail_calls("chat.postMessage", fault.clone(), 1);
        scene.slack.answer(&by_command, &reply("cart fails")).await.expect("it is answered");
        assert_eq!(scene.posted(INCIDENTS).len(), 1, "{fault:?}");
        assert_eq!(scene.server.calls_of("chat.postMessage").len(), sends, "{fault:?}");

        let (by_mention, ts) = scene.mentioned(INCIDENTS, "pod cart").await;
        scene.server.fail_calls("chat.postMessage", fault.clone(), 1);
        scene.slack.answer(&by_mention, &reply("cart fails")).await.expect("it is answered");
        assert_eq!(scene.server.thread(INCIDENTS, &ts).len(), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_that_never_came_back_is_found() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("chat.postMessage", CallFault::Silence { effect: Effect::Done }, 1);
    let posted = scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
    assert_eq!(scene.posted(INCIDENTS).len(), 1);
    assert!(scene.server.message(INCIDENTS, &posted.id).is_some());
}

#[tokio::test]
async fn what_cannot_be_looked_up_is_not_repeated_and_doubtful() {
    let world = ["channels:history", "groups:history", "im:history", "mpim:history"]
        .into_iter()
        .fold(World::default().without_limits(), World::without_scope);
    let scene = Scene::with(world, Box::new(|_| kubewhy_chat::Acceptance::Duplicate)).await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("chat.postMessage", CallFault::Status { status: 500, effect: Effect::Done }, 1);
    let error = scene.slack.answer(&asked, &reply("cart fails")).await.expect_err("nobody knows");
    assert!(matches!(error, ChatError::Unreachable { doubtful: true, .. }), "{error}");
    assert_eq!(scene.posted(INCIDENTS).len(), 1);
}

#[tokio::test]
async fn a_slow_slack_is_waited_for() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("*", CallFault::Lag { ms: 1_500 }, 1);
    scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
    assert_eq!((scene.server.calls_of("chat.postMessage").len(), scene.posted(INCIDENTS).len()), (1, 1));
}

#[tokio::test]
async fn a_slack_that_cannot_be_reached_is_no_doubt() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    let Scene { server, slack, listening, .. } = scene;
    listening.abort();
    drop(server);
    let error = slack.answer(&asked, &reply("cart fails")).await.expect_err("nobody is there");
    assert!(matches!(error, ChatError::Unreachable { .. }) && error.is_retryable(), "{error}");
    assert!(!error.to_string().contains("xoxb"), "{error}");
}

#[tokio::test]
async fn the_limits_of_slack_are_kept_by_our_own_pace() {
    let scene = Scene::with(World::default(), Box::new(|_| kubewhy_chat::Acceptance::Duplicate)).await;
    let mut asked = Vec::new();
    for number in 0..8 {
        asked.push(scene.asked(INCIDENTS, &format!("pod cart-{number}")).await);
    }
    for delivery in &asked {
        scene.slack.answer(delivery, &reply("cart fails")).await.expect("it is answered");
    }
    assert_eq!(scene.posted(INCIDENTS).len(), 8);
    let refused = scene.server.calls().into_iter().filter(|call| call.status == 429).count();
    assert_eq!(refused, 0, "Slack had to ask us to slow down");
}

#[tokio::test]
async fn an_answer_survives_the_loss_of_all_sockets() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("chat.postMessage", CallFault::Lag { ms: 500 }, 1);
    let answer = reply("cart fails");
    let (answered, ()) = tokio::join!(scene.slack.answer(&asked, &answer), async {
        scene.server.drop_connections(None);
        scene.server.wait_for_connections(2, SOON).await.expect("they are opened again");
    });
    answered.expect("it is answered");
    assert_eq!(scene.posted(INCIDENTS).len(), 1);
    scene.asked(INCIDENTS, "and now").await;
}
