//! Posts that nobody asked for just now, and edits.

use kubewhy_chat::{ChatError, ChatPlatform as _, Person, Place, Post, Posted, Tone};
use kubewhy_slack_server::{CallFault, Effect, Patience, World};
use serde_json::Value;

use crate::scene::{INCIDENTS, Scene, message, slack};

fn post(channel: &str, key: &str) -> Post {
    let place = Place { channel: format!("slack:{channel}"), thread: None };
    Post { place, message: message("cart fails"), mention: None, key: key.to_owned() }
}

#[tokio::test]
async fn the_same_key_is_posted_once_whoever_asks_again() {
    let scene = Scene::open().await;
    let first = scene.slack.post(&post(INCIDENTS, "incident-1")).await.expect("it is posted");
    let again = scene.slack.post(&post(INCIDENTS, "incident-1")).await.expect("it stands there");
    assert_eq!(first, again);
    // After a restart nothing is remembered here; Slack does.
    let anew = slack(&scene.server).post(&post(INCIDENTS, "incident-1")).await.expect("it stands there");
    assert_eq!((first, scene.posted(INCIDENTS).len()), (anew, 1));
    scene.slack.post(&post(INCIDENTS, "incident-2")).await.expect("it is posted");
    assert_eq!(scene.posted(INCIDENTS).len(), 2);
}

#[tokio::test]
async fn one_person_is_called_and_nobody_else() {
    let scene = Scene::open().await;
    let anna = Person { id: "slack:T0ACME:U0ANNA".to_owned(), ..Person::default() };
    let hostile =
        kubewhy_chat::Message::new(Tone::Healthy, kubewhy_text::text![kubewhy_text::quoted("<!channel> <@U0BEN>")]);
    let post = Post { mention: Some(anna), message: hostile, ..post(INCIDENTS, "healthy-1") };
    scene.slack.post(&post).await.expect("it is posted");
    let sent = scene.server.calls_of("chat.postMessage").pop().expect("a call").arguments;
    let live: Vec<&str> =
        signs(&sent["text"]).chain(sent["blocks"].as_array().into_iter().flatten().flat_map(marked)).collect();
    assert_eq!(live, ["<@U0ANNA>"; 2], "{sent}");
}

#[tokio::test]
async fn a_channel_without_the_bot_is_named() {
    let scene = Scene::open().await;
    for (channel, code) in [("C0GENERAL", "not_in_channel"), ("C0NONE", "channel_not_found"), ("C0OLD", "is_archived")]
    {
        let error = scene.slack.post(&post(channel, channel)).await.expect_err("it cannot be posted");
        assert_eq!(error, ChatError::NoChannel { channel: channel.to_owned(), code: code.to_owned() });
    }
}

#[tokio::test]
async fn an_edit_replaces_all_that_was_shown() {
    let scene = Scene::open().await;
    let posted = scene.slack.post(&post(INCIDENTS, "incident-1")).await.expect("it is posted");
    let healthy = kubewhy_chat::Message::new(Tone::Healthy, "cart is healthy".into());
    scene.slack.edit(&posted, &healthy).await.expect("it is edited");
    let seen = scene.server.message(INCIDENTS, &posted.id).expect("a message");
    assert!(seen.shows("cart is healthy") && !seen.shows("cart fails"), "{seen:?}");
    assert_eq!((seen.edits, scene.posted(INCIDENTS).len()), (1, 1));
}

#[tokio::test]
async fn an_edit_is_repeated_until_slack_takes_it() {
    let scene = Scene::open().await;
    let posted = scene.slack.post(&post(INCIDENTS, "incident-1")).await.expect("it is posted");
    scene.server.fail_calls("chat.update", CallFault::Status { status: 503, effect: Effect::Done }, 1);
    scene.server.fail_calls("chat.update", CallFault::Error { error: "internal_error".to_owned() }, 1);
    scene.slack.edit(&posted, &message("cart fails still")).await.expect("it is edited");
    assert!(scene.server.message(INCIDENTS, &posted.id).expect("a message").shows("still"));
}

#[tokio::test]
async fn what_cannot_be_edited_any_more_is_gone() {
    let world = World { patience: Patience { edit_ms: 1, ..Patience::default() }, ..World::default() }.without_limits();
    let scene = Scene::with(world, Box::new(|_| kubewhy_chat::Acceptance::Duplicate)).await;
    let posted = scene.slack.post(&post(INCIDENTS, "incident-1")).await.expect("it is posted");
    scene.server.advance(std::time::Duration::from_secs(1));
    let nowhere = Posted { id: "1.000001".to_owned(), ..posted.clone() };
    for posted in [posted, nowhere] {
        let error = scene.slack.edit(&posted, &message("cart fails still")).await.expect_err("it is too late");
        assert!(matches!(error, ChatError::Gone { .. }), "{error}");
    }
}

/// The words of a block that Slack reads as markup.
fn marked(block: &Value) -> impl Iterator<Item = &str> {
    let markup = block.pointer("/text").filter(|text| text["type"] == "mrkdwn");
    markup.map(|text| &text["text"]).into_iter().flat_map(signs)
}

/// What calls somebody in text that Slack reads as markup.
fn signs(text: &Value) -> impl Iterator<Item = &str> {
    let text = text.as_str().unwrap_or_default();
    text.match_indices('<').map(move |(at, _)| text[at..].split_inclusive('>').next().unwrap_or_default())
}
