//! Messages: posted, in threads, edited, deleted, seen by one.

use kubewhy_slack_server::{Patience, World};
use serde_json::json;

use crate::app::{App, INCIDENTS, error, texts};

#[tokio::test]
async fn a_message_goes_only_where_the_bot_may_write() {
    let app = App::new().await;
    for (channel, expected) in [
        ("C0INCIDENTS", "ok"),
        ("#incidents", "ok"),
        ("C0WAR", "ok"),
        ("U0ANNA", "ok"),
        ("C0GENERAL", "not_in_channel"),
        ("C0SECRET", "channel_not_found"),
        ("C0NOWHERE", "channel_not_found"),
        ("C0OLD", "is_archived"),
    ] {
        let answer = app.call("chat.postMessage", json!({ "channel": channel, "text": "hello" })).await;
        assert_eq!(error(&answer), expected, "{channel}");
    }
    assert_eq!(texts(&app.slack, "D0ANNA"), ["hello"], "a message to a person is a direct one");
    assert_eq!(texts(&app.slack, INCIDENTS).len(), 2);
}

#[tokio::test]
async fn a_message_says_something_and_not_too_much() {
    let app = App::new().await;
    let post = async |fields: serde_json::Value| {
        let mut arguments = json!({ "channel": INCIDENTS });
        arguments.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        app.call("chat.postMessage", arguments).await
    };
    assert_eq!(error(&post(json!({})).await), "no_text");
    assert_eq!(error(&post(json!({ "text": "" })).await), "no_text");
    let long = post(json!({ "text": "x".repeat(40_001) })).await;
    assert_eq!(long["message"]["text"].as_str().unwrap().len(), 40_000, "a long text is cut");
    assert_eq!(error(&post(json!({ "markdown_text": "x".repeat(12_001) })).await), "msg_too_long");
    assert_eq!(error(&post(json!({ "markdown_text": "x", "text": "y" })).await), "markdown_text_conflict");
    assert_eq!(error(&post(json!({ "blocks": "no json" })).await), "invalid_blocks_format");
    let fat = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(2_990) } });
    assert_eq!(error(&post(json!({ "blocks": [fat, fat, fat, fat, fat] })).await), "msg_blocks_too_long");
    assert_eq!(error(&post(json!({ "blocks": [fat, fat, fat, fat] })).await), "ok");
    let metadata = json!({ "event_type": "why", "event_payload": { "x": "y".repeat(8_000) } });
    assert_eq!(error(&post(json!({ "text": "x", "metadata": metadata })).await), "metadata_too_large");
    assert_eq!(error(&post(json!({ "text": "x", "metadata": { "event_type": 1 } })).await), "invalid_metadata_schema");
}

#[tokio::test]
async fn a_thread_holds_its_replies() {
    let app = App::new().await;
    let parent = app.slack.person("U0ANNA").says(INCIDENTS, "web is down").unwrap();
    let reply = |thread: &str| json!({ "channel": INCIDENTS, "text": "looking", "thread_ts": thread });
    let first = app.call("chat.postMessage", reply(&parent)).await["ts"].as_str().unwrap().to_owned();
    let second = app.call("chat.postMessage", reply(&first)).await;
    assert_eq!(second["message"]["thread_ts"], parent, "a reply to a reply is one to the parent");
    assert_eq!(error(&app.call("chat.postMessage", reply("1.000001")).await), "thread_not_found");
    let replies = app.get("conversations.replies", &[("channel", INCIDENTS), ("ts", &parent)]).await;
    assert_eq!(replies["messages"].as_array().unwrap().len(), 3);
    assert_eq!(replies["messages"][0]["reply_count"], 2);
    assert_eq!(replies["messages"][1]["parent_user_id"], "U0ANNA");
    let history = app.get("conversations.history", &[("channel", INCIDENTS)]).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 1, "replies stand in the thread only");
    assert_eq!(app.slack.thread(INCIDENTS, &parent).len(), 3);
}

#[tokio::test]
async fn a_broadcast_reply_stands_in_the_channel_too() {
    let app = App::new().await;
    let parent = app.post(INCIDENTS, "web is down").await;
    let reply = json!({ "channel": INCIDENTS, "text": "fixed", "thread_ts": parent, "reply_broadcast": true });
    assert_eq!(app.call("chat.postMessage", reply).await["message"]["subtype"], "thread_broadcast");
    let history = app.get("conversations.history", &[("channel", INCIDENTS)]).await;
    assert_eq!(history["messages"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn only_own_messages_are_edited() {
    let app = App::new().await;
    let own = app.post(INCIDENTS, "looking").await;
    let foreign = app.slack.person("U0ANNA").says(INCIDENTS, "mine").unwrap();
    let update = |ts: &str, text: &str| json!({ "channel": INCIDENTS, "ts": ts, "text": text });
    assert_eq!(app.call("chat.update", update(&own, "found")).await["text"], "found");
    assert_eq!(error(&app.call("chat.update", update(&foreign, "no")).await), "cant_update_message");
    assert_eq!(error(&app.call("chat.update", update("1.000001", "no")).await), "message_not_found");
    assert_eq!(error(&app.call("chat.update", update(&own, &"x".repeat(4_001))).await), "msg_too_long");
    let seen = app.slack.message(INCIDENTS, &own).unwrap();
    assert_eq!((seen.text.as_str(), seen.edits, seen.before), ("found", 1, vec!["looking".to_owned()]));
}

#[tokio::test]
async fn an_edit_without_blocks_takes_the_blocks_away() {
    let app = App::new().await;
    let blocks = json!([{ "type": "divider" }]);
    let posted = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "a", "blocks": blocks })).await;
    let update = json!({ "channel": INCIDENTS, "ts": posted["ts"], "text": "b" });
    assert!(app.call("chat.update", update).await["message"]["blocks"].is_null());
}

#[tokio::test]
async fn the_time_to_edit_ends() {
    let patience = Patience { edit_ms: 60_000, ..Patience::default() };
    let app = App::in_world(World { patience, ..World::default() }).await;
    let own = app.post(INCIDENTS, "looking").await;
    app.slack.advance(std::time::Duration::from_secs(61));
    let update = json!({ "channel": INCIDENTS, "ts": own, "text": "late" });
    assert_eq!(error(&app.call("chat.update", update).await), "edit_window_closed");
}

#[tokio::test]
async fn a_deleted_message_with_replies_leaves_its_place() {
    let app = App::new().await;
    let alone = app.post(INCIDENTS, "alone").await;
    let parent = app.post(INCIDENTS, "parent").await;
    app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "reply", "thread_ts": parent })).await;
    for ts in [&alone, &parent] {
        assert_eq!(error(&app.call("chat.delete", json!({ "channel": INCIDENTS, "ts": ts })).await), "ok");
        assert_eq!(
            error(&app.call("chat.delete", json!({ "channel": INCIDENTS, "ts": ts })).await),
            "message_not_found"
        );
    }
    assert_eq!(texts(&app.slack, INCIDENTS), ["This message was deleted.", "reply"]);
}

#[tokio::test]
async fn an_ephemeral_message_is_seen_by_one_who_is_there() {
    let app = App::new().await;
    let show = |user: &str| json!({ "channel": "C0WAR", "user": user, "text": "just for you" });
    let shown = app.call("chat.postEphemeral", show("U0ANNA")).await;
    let ts = shown["message_ts"].as_str().unwrap();
    assert_eq!(error(&app.call("chat.postEphemeral", show("U0CARA")).await), "user_not_in_channel");
    assert_eq!(error(&app.call("chat.postEphemeral", show("U0NOBODY")).await), "user_not_found");
    assert_eq!(app.slack.ephemerals("U0ANNA").len(), 1);
    assert!(app.slack.ephemerals("U0BEN").is_empty() && app.slack.messages("C0WAR").is_empty());
    let update = json!({ "channel": "C0WAR", "ts": ts, "text": "no" });
    assert_eq!(error(&app.call("chat.update", update).await), "message_not_found", "it cannot be edited");
    let link = app.get("chat.getPermalink", &[("channel", "C0WAR"), ("message_ts", ts)]).await;
    assert_eq!(error(&link), "message_not_found", "it has no link");
}

#[tokio::test]
async fn a_permalink_leads_into_the_thread() {
    let app = App::new().await;
    let parent = app.post(INCIDENTS, "parent").await;
    let reply = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "r", "thread_ts": parent })).await;
    let ts = reply["ts"].as_str().unwrap();
    let link = app.get("chat.getPermalink", &[("channel", INCIDENTS), ("message_ts", ts)]).await;
    let expected = format!(
        "https://acme.slack.com/archives/C0INCIDENTS/p{}?thread_ts={parent}&cid=C0INCIDENTS",
        ts.replace('.', "")
    );
    assert_eq!(link["permalink"], expected);
}

#[tokio::test]
async fn metadata_is_shown_to_those_who_ask_for_it() {
    let app = App::new().await;
    let metadata = json!({ "event_type": "why", "event_payload": { "pod": "web" } });
    app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "a", "metadata": metadata })).await;
    let plain = app.get("conversations.history", &[("channel", INCIDENTS)]).await;
    assert!(plain["messages"][0]["metadata"].is_null());
    let all = app.get("conversations.history", &[("channel", INCIDENTS), ("include_all_metadata", "true")]).await;
    assert_eq!(all["messages"][0]["metadata"], metadata);
}

#[tokio::test]
async fn reactions_and_statuses_come_and_go() {
    let app = App::new().await;
    let ts = app.post(INCIDENTS, "hello").await;
    let react = json!({ "channel": INCIDENTS, "timestamp": ts, "name": "eyes" });
    assert_eq!(error(&app.call("reactions.add", react.clone()).await), "ok");
    assert_eq!(error(&app.call("reactions.add", react.clone()).await), "already_reacted");
    assert_eq!(app.slack.messages(INCIDENTS)[0].reactions, [("eyes".to_owned(), vec!["U0KUBEWHY".to_owned()])]);
    assert_eq!(error(&app.call("reactions.remove", react.clone()).await), "ok");
    assert_eq!(error(&app.call("reactions.remove", react).await), "no_reaction");
    let status = json!({ "channel_id": INCIDENTS, "thread_ts": ts, "status": "is looking" });
    assert_eq!(error(&app.call("assistant.threads.setStatus", status).await), "ok");
    assert_eq!(app.slack.status(INCIDENTS, &ts).as_deref(), Some("is looking"));
    app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "found", "thread_ts": ts })).await;
    assert_eq!(app.slack.status(INCIDENTS, &ts), None, "an answer clears it");
}
