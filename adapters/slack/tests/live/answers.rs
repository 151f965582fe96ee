//! Answers stand where they belong, and reach who asked in any case.

use std::net::TcpListener;
use std::sync::Arc;

use kubewhy_chat::{Address, Block, ChatPlatform as _, Image, Reply};

use crate::scene::{ANNA, GENERAL, INCIDENTS, SOON, Scene, message, reply};

#[tokio::test]
async fn a_command_is_answered_in_the_channel_with_the_rest_in_the_thread() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    let image =
        Image { file: "restarts.png".to_owned(), alt: "restarts over days".into(), png: Arc::from(&b"\x89PNG"[..]) };
    let answer = message("cart fails").below(Block::Paragraph("It was killed.".into())).below(Block::Image(image));
    let posted = scene.slack.answer(&asked, &Reply::to_everybody(answer)).await.expect("it is answered");
    let ts = posted.place.thread.as_deref().expect("a thread");
    assert_eq!((posted.place.channel.as_str(), posted.id.as_str()), ("slack:C0INCIDENTS", ts));
    let thread = scene.server.thread(INCIDENTS, ts);
    assert!(thread[0].shows("cart fails") && thread[0].thread.is_none(), "{thread:?}");
    assert!(thread.iter().skip(1).any(|message| message.shows("It was killed.")), "{thread:?}");
    let file = thread.iter().flat_map(|message| &message.files).next().expect("a file");
    assert_eq!(scene.server.file(file).as_deref(), Some(&b"\x89PNG"[..]));
    for call in scene.server.calls_of("chat.postMessage") {
        assert_eq!((&call.arguments["unfurl_links"], &call.arguments["unfurl_media"]), (&false.into(), &false.into()));
        assert_eq!((&call.arguments["parse"], &call.arguments["link_names"]), (&"none".into(), &false.into()));
    }
}

#[tokio::test]
async fn a_mention_is_answered_in_its_thread() {
    let scene = Scene::open().await;
    let (asked, ts) = scene.mentioned(INCIDENTS, "pod cart").await;
    let posted = scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
    assert_eq!(posted.place.thread.as_ref(), Some(&ts));
    let thread = scene.server.thread(INCIDENTS, &ts);
    assert!(thread[1].shows("cart fails"), "{thread:?}");
}

#[tokio::test]
async fn a_direct_message_is_answered_in_place_even_when_meant_for_one() {
    let scene = Scene::open().await;
    scene.server.person(ANNA).says("D0ANNA", "pod cart").expect("it can be said");
    let asked = scene.inbox.wait_for(1).await.pop().expect("a delivery");
    scene.slack.answer(&asked, &Reply::to_asker(message("no pod cart"))).await.expect("it is answered");
    assert_eq!(scene.posted("D0ANNA").len(), 1);
}

#[tokio::test]
async fn where_the_bot_is_not_only_who_asked_reads_and_learns_how_to_invite() {
    let scene = Scene::open().await;
    for channel in [GENERAL, "C0SECRET"] {
        let asked = scene.asked(channel, "pod cart").await;
        let posted = scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
        let seen = scene.server.ephemerals(ANNA).pop().expect("Anna reads it");
        assert!(seen.shows("cart fails") && seen.shows("/invite @kubewhy"), "{seen:?}");
        assert!(scene.posted(channel).is_empty());
        let error = scene.slack.edit(&posted, &message("cart is healthy")).await.expect_err("it cannot be edited");
        assert!(matches!(error, kubewhy_chat::ChatError::Gone { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_press_where_the_bot_is_not_is_answered_the_same_way() {
    let scene = Scene::open().await;
    let asked = scene.asked(GENERAL, "pod cart").await;
    let buttons = Block::Buttons(vec![kubewhy_chat::Button::command("Logs", "logs pod cart")]);
    scene
        .slack
        .answer(&asked, &Reply::to_everybody(message("cart fails").with(buttons)))
        .await
        .expect("it is answered");
    let seen = scene.server.ephemerals(ANNA).pop().expect("Anna reads it");
    scene.server.person(ANNA).presses(GENERAL, &seen.ts, "Logs").expect("a button");
    let pressed = scene.inbox.wait_for(2).await.pop().expect("a delivery");
    scene.slack.answer(&pressed, &reply("the log of cart")).await.expect("it is answered");
    scene.server.wait_for_ephemeral(ANNA, "the log of cart", SOON).await.expect("Anna reads it");
}

#[tokio::test]
async fn what_is_meant_for_one_is_seen_by_one() {
    let scene = Scene::open().await;
    let by_command = scene.asked(INCIDENTS, "pod crat").await;
    scene.slack.answer(&by_command, &Reply::to_asker(message("no pod crat"))).await.expect("it is answered");
    scene.server.wait_for_ephemeral(ANNA, "no pod crat", SOON).await.expect("Anna reads it");
    let (by_mention, ts) = scene.mentioned(INCIDENTS, "pod krat").await;
    scene.slack.answer(&by_mention, &Reply::to_asker(message("no pod krat"))).await.expect("it is answered");
    let seen = scene.server.wait_for_ephemeral(ANNA, "no pod krat", SOON).await.expect("Anna reads it");
    assert_eq!(seen.thread, Some(ts));
    assert!(scene.posted(INCIDENTS).is_empty());
}

#[tokio::test]
async fn a_response_url_that_is_used_up_is_made_up_for() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod crat").await;
    for number in 1..=7 {
        scene.slack.answer(&asked, &Reply::to_asker(message("no pod crat"))).await.expect("it is answered");
        assert_eq!(scene.server.ephemerals(ANNA).len(), number);
    }
    assert!(!scene.server.calls_of("chat.postEphemeral").is_empty());
}

#[tokio::test]
async fn a_response_url_that_leads_elsewhere_is_not_followed() {
    let scene = Scene::open().await;
    let elsewhere = TcpListener::bind("127.0.0.1:0").expect("a port");
    elsewhere.set_nonblocking(true).expect("it can be asked");
    let mut asked = scene.asked(INCIDENTS, "pod crat").await;
    let url = format!("http://{}/steal", elsewhere.local_addr().expect("an address"));
    asked.address = Address(serde_json::json!({"u": ANNA, "r": url}).to_string());
    scene.slack.answer(&asked, &Reply::to_asker(message("no pod crat"))).await.expect("it is answered");
    assert!(elsewhere.accept().is_err(), "somebody else was called");
    assert!(scene.server.ephemerals(ANNA).pop().expect("Anna reads it").shows("no pod crat"));
}

#[tokio::test]
async fn an_answer_to_a_question_that_was_deleted_stands_in_the_channel() {
    let scene = Scene::open().await;
    let (asked, ts) = scene.mentioned(INCIDENTS, "pod cart").await;
    scene.server.person(ANNA).deletes(INCIDENTS, &ts).expect("it can be deleted");
    scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
    assert_eq!(scene.posted(INCIDENTS).len(), 1);
}

#[tokio::test]
async fn an_archived_channel_is_no_reason_to_say_nothing() {
    let scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod cart").await;
    scene.server.change_world(|world| {
        world.channels.iter_mut().filter(|channel| channel.id == INCIDENTS).for_each(|channel| channel.archived = true);
    });
    scene.slack.answer(&asked, &reply("cart fails")).await.expect("it is answered");
}
