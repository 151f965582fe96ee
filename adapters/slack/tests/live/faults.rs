//! Slack limits, fails, and lags; nothing is said twice, and what is doubtful is called so.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kubewhy_chat::{Acceptance, ChatError, ChatPlatform as _, Place, Post, Reply, Visibility};
use kubewhy_slack_server::{CallFault, Channel, Effect, EnvelopeFault, World};
use tokio::task::JoinSet;

use crate::scene::{ANNA, INCIDENTS, SOON, Scene, message, reply, slack};

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
async fn a_channel_that_is_limited_does_not_silence_another() {
    let scene = Scene::open().await;
    let (limited, other) = (scene.asked(INCIDENTS, "pod cart").await, scene.asked("C0WAR", "pod cart").await);
    scene.server.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 600 }, 1);
    scene.slack.answer(&limited, &reply("cart fails")).await.expect("who asked is answered");
    assert!(scene.posted(INCIDENTS).is_empty(), "the channel has no room for it");
    scene.slack.answer(&other, &reply("cart fails")).await.expect("it is answered");
    assert_eq!(scene.posted("C0WAR").len(), 1);
}

#[tokio::test]
async fn whatever_goes_wrong_each_question_is_answered_once() {
    const ROOMS: [&str; 6] = ["C0A", "C0B", "C0C", "C0D", "C0E", "C0F"];
    let world = ROOMS.into_iter().fold(World::default().without_limits(), |world, id| {
        let members = ["U0ANNA", "U0KUBEWHY"].map(ToOwned::to_owned).to_vec();
        let room = world.channels[0].clone();
        world.with_channel(Channel { id: id.to_owned(), name: id.to_lowercase(), members, ..room })
    });
    let scene = Scene::with(world, Box::new(|_| Acceptance::Accepted(Visibility::Everybody))).await;
    scene.server.fail_envelopes(None, EnvelopeFault::Duplicate, 5);
    scene.server.fail_envelopes(None, EnvelopeFault::Reorder, 1);
    scene.server.fail_calls("chat.postMessage", CallFault::Status { status: 502, effect: Effect::Done }, 3);
    scene.server.fail_calls("chat.postMessage", CallFault::Reset { effect: Effect::None }, 3);
    scene.server.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 1 }, 3);
    scene.server.fail_calls("chat.postMessage", CallFault::Reset { effect: Effect::Done }, 3);
    let mut questions = Vec::new();
    for round in 0..3 {
        for room in ROOMS {
            let said = scene.server.person("U0ANNA").says(room, "<@U0KUBEWHY> pod cart");
            questions.push((room, said.expect("it can be said")));
        }
        if round == 1 {
            scene.server.drop_connections(None);
        }
    }
    scene.server.wait_for_connections(2, SOON).await.expect("two sockets");
    // What nobody acknowledged comes again after 3 s, and after another minute.
    scene.server.advance(Duration::from_secs(4));
    scene.server.advance(Duration::from_mins(1));
    let mut answers = JoinSet::new();
    let mut answered = BTreeSet::new();
    let mut seen = 0;
    while answered.len() < questions.len() {
        let all = scene.inbox.wait_for(seen + 1).await;
        for delivery in all.iter().skip(seen).filter(|delivery| answered.insert(delivery.id.clone())) {
            let (slack, delivery) = (Arc::clone(&scene.slack), delivery.clone());
            answers.spawn(async move { slack.answer(&delivery, &reply("cart fails")).await });
        }
        seen = all.len();
    }
    for answer in answers.join_all().await {
        answer.expect("it is answered");
    }
    for (room, ts) in questions {
        let thread = scene.server.thread(room, &ts);
        assert_eq!(thread.len(), 2, "{thread:?}");
    }
}

#[tokio::test]
async fn an_answer_for_which_a_channel_has_no_room_is_for_who_asked_alone() {
    let scene = Scene::open().await;
    let by_command = scene.asked(INCIDENTS, "pod cart").await;
    let (by_mention, ts) = scene.mentioned(INCIDENTS, "pod cart").await;
    scene.server.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 600 }, 1);
    for (number, asked) in [by_command, by_mention].into_iter().enumerate() {
        scene.slack.answer(&asked, &reply("cart fails")).await.expect("who asked is answered");
        let seen = scene.server.ephemerals(ANNA);
        assert_eq!(seen.len(), number + 1, "{seen:?}");
        let seen = seen.last().expect("Anna reads it");
        assert!(seen.shows("cart fails") && seen.shows("so only you see this"), "{seen:?}");
    }
    assert_eq!(scene.server.thread(INCIDENTS, &ts).len(), 1, "only the question stands there");
}

#[tokio::test]
async fn a_wait_that_is_too_long_is_handed_to_the_caller() {
    let scene = Scene::open().await;
    let place = Place { channel: format!("slack:{INCIDENTS}"), thread: None };
    let post = Post { place, message: message("cart fails"), mention: None, key: "incident-1".to_owned() };
    scene.server.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 600 }, 1);
    let error = scene.slack.post(&post).await.expect_err("it takes too long");
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
async fn a_question_that_was_answered_before_a_restart_is_not_answered_again() {
    let scene = Scene::open().await;
    let (asked, ts) = scene.mentioned(INCIDENTS, "pod cart").await;
    let first = scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
    // The process died before it could note that.
    let again = slack(&scene.server).answer(&asked, &reply("cart fails")).await.expect("it was answered");
    assert_eq!((first, scene.server.thread(INCIDENTS, &ts).len()), (again, 2));
}

#[tokio::test]
async fn what_one_person_may_have_seen_is_doubtful() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod crat").await;
    scene.server.fail_calls("response_url", CallFault::Status { status: 502, effect: Effect::Done }, 1);
    let refusal = Reply::to_asker(message("no pod crat"));
    let error = scene.slack.answer(&asked, &refusal).await.expect_err("nobody knows");
    assert!(matches!(error, ChatError::Unreachable { doubtful: true, .. }), "{error}");
    assert_eq!(scene.server.ephemerals("U0ANNA").len(), 1);
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
