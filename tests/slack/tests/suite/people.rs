//! People: what they can do, and what the app hears of it.

use kubewhy_slack_server::{Impossible, World};
use serde_json::{Value, json};

use crate::app::{App, INCIDENTS, Line, SOON, error, texts};

async fn with_blocks(app: &App, blocks: Value) -> String {
    let message = json!({ "channel": INCIDENTS, "text": "x", "blocks": blocks });
    let answer = app.call("chat.postMessage", message).await;
    answer["ts"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

fn menu() -> Value {
    json!([{ "type": "section", "block_id": "pick", "text": { "type": "mrkdwn", "text": "Which?" }, "accessory": {
        "type": "static_select", "action_id": "which", "placeholder": { "type": "plain_text", "text": "Choose" },
        "options": [
            { "text": { "type": "plain_text", "text": "shop/web" }, "value": "1" },
            { "text": { "type": "plain_text", "text": "shop/db" }, "value": "2" },
        ],
    } }, { "type": "actions", "elements": [
        { "type": "button", "action_id": "more", "value": "v", "text": { "type": "plain_text", "text": "More" } },
    ] }])
}

async fn heard(line: &mut Line) -> Value {
    let envelope = line.envelope().await;
    line.ack(&envelope, None).await;
    envelope["payload"].clone()
}

#[tokio::test]
async fn commands_cannot_be_used_in_threads() {
    let app = App::new().await;
    let anna = app.slack.person("U0ANNA");
    let ts = anna.says(INCIDENTS, "hello").unwrap();
    let refused = anna.slash_in_thread(INCIDENTS, &ts, "/why", "x");
    assert_eq!(refused, Err(Impossible::CommandInThread("/why".to_owned())));
    assert_eq!(anna.slash(INCIDENTS, "/other", "x"), Err(Impossible::NoSuchCommand("/other".to_owned())));
    assert!(app.slack.delivered().is_empty());
}

#[tokio::test]
async fn people_act_only_where_they_are() {
    let app = App::new().await;
    let cara = app.slack.person("U0CARA");
    assert_eq!(cara.says("C0WAR", "x"), Err(Impossible::NoSuchChannel("C0WAR".to_owned())));
    assert_eq!(cara.slash("C0OLD", "/why", "x"), Err(Impossible::Archived("C0OLD".to_owned())));
    assert_eq!(cara.replies(INCIDENTS, "1.2", "x"), Err(Impossible::NoSuchMessage("1.2".to_owned())));
    assert_eq!(app.slack.person("U0X").says(INCIDENTS, "x"), Err(Impossible::NoSuchUser("U0X".to_owned())));
    let shown = app.call("chat.postEphemeral", json!({ "channel": INCIDENTS, "user": "U0BEN", "text": "x" })).await;
    let ts = shown["message_ts"].as_str().unwrap();
    assert_eq!(cara.presses(INCIDENTS, ts, "x"), Err(Impossible::NoSuchMessage(ts.to_owned())));
}

#[tokio::test]
async fn a_mention_is_heard_where_the_bot_is() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    anna.says("C0GENERAL", "<@U0KUBEWHY> not here").unwrap();
    anna.says(INCIDENTS, "no mention").unwrap();
    let root = anna.says(INCIDENTS, "<@U0KUBEWHY> why pod web").unwrap();
    let payload = heard(&mut line).await;
    let event = &payload["event"];
    assert_eq!(event["type"], "app_mention");
    assert_eq!((&event["user"], &event["channel"], &event["ts"]), (&json!("U0ANNA"), &json!(INCIDENTS), &json!(root)));
    assert_eq!(event["text"], "<@U0KUBEWHY> why pod web");
    assert_eq!(event["blocks"][0]["elements"][0]["elements"][0]["user_id"], "U0KUBEWHY");
    assert_eq!(payload["authorizations"][0]["user_id"], "U0KUBEWHY");
    anna.replies(INCIDENTS, &root, "<@U0KUBEWHY> and now").unwrap();
    assert_eq!(heard(&mut line).await["event"]["thread_ts"], root);
    assert_eq!(app.slack.delivered().len(), 2);
}

#[tokio::test]
async fn direct_messages_are_heard_without_a_mention() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").says("D0ANNA", "why pod web").unwrap();
    let payload = heard(&mut line).await;
    assert_eq!((&payload["event"]["type"], &payload["event"]["channel_type"]), (&json!("message"), &json!("im")));
    app.post("D0ANNA", "an answer").await;
    assert_eq!(heard(&mut line).await["event"]["bot_id"], "B0KUBEWHY", "the app hears its own messages too");
}

#[tokio::test]
async fn edits_are_heard_by_those_who_subscribed() {
    let app = App::in_world(World::default().with_event("message.channels")).await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    let ts = anna.says(INCIDENTS, "one").unwrap();
    assert_eq!(heard(&mut line).await["event"]["channel_type"], "channel");
    anna.edits(INCIDENTS, &ts, "two").unwrap();
    let changed = heard(&mut line).await["event"].clone();
    assert_eq!(changed["subtype"], "message_changed");
    assert_eq!((&changed["message"]["text"], &changed["previous_message"]["text"]), (&json!("two"), &json!("one")));
    anna.deletes(INCIDENTS, &ts).unwrap();
    assert_eq!(heard(&mut line).await["event"]["deleted_ts"], ts);
    assert!(app.slack.person("U0BEN").edits(INCIDENTS, &ts, "x").is_err());
}

#[tokio::test]
async fn a_button_must_be_there_to_be_pressed() {
    let app = App::new().await;
    let ts = with_blocks(&app, menu()).await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    let missing = anna.presses(INCIDENTS, &ts, "Less");
    assert_eq!(
        missing,
        Err(Impossible::NoSuchElement { wanted: "Less".into(), there: vec!["Choose".into(), "More".into()] })
    );
    for name in ["More", "more"] {
        anna.presses(INCIDENTS, &ts, name).unwrap();
        let payload = heard(&mut line).await;
        assert_eq!(payload["type"], "block_actions");
        assert_eq!(payload["container"]["message_ts"], ts);
        assert_eq!(
            (&payload["actions"][0]["action_id"], &payload["actions"][0]["value"]),
            (&json!("more"), &json!("v"))
        );
        assert_eq!(payload["message"]["blocks"].as_array().unwrap().len(), 2);
        assert_eq!(payload["state"]["values"]["pick"]["which"]["selected_option"], Value::Null);
    }
}

#[tokio::test]
async fn a_choice_stays_chosen() {
    let app = App::new().await;
    let ts = with_blocks(&app, menu()).await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    assert!(matches!(anna.chooses(INCIDENTS, &ts, "which", "shop/cache"), Err(Impossible::NoSuchElement { there, .. })
        if there == ["shop/web", "shop/db"]));
    anna.chooses(INCIDENTS, &ts, "Choose", "shop/db").unwrap();
    let payload = heard(&mut line).await;
    assert_eq!(payload["actions"][0]["selected_option"]["value"], "2");
    anna.presses(INCIDENTS, &ts, "More").unwrap();
    assert_eq!(heard(&mut line).await["state"]["values"]["pick"]["which"]["selected_option"]["value"], "2");
}

#[tokio::test]
async fn a_button_of_an_attachment_is_pressed_as_such() {
    let app = App::new().await;
    let attachments = json!([{ "color": "#c00", "blocks": menu() }]);
    let message = json!({ "channel": INCIDENTS, "text": "x", "attachments": attachments });
    let ts = app.call("chat.postMessage", message).await["ts"].as_str().unwrap().to_owned();
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").presses(INCIDENTS, &ts, "More").unwrap();
    let payload = heard(&mut line).await;
    assert_eq!(
        (&payload["container"]["type"], &payload["container"]["attachment_id"]),
        (&json!("message_attachment"), &json!(1))
    );
    assert_eq!(app.slack.messages(INCIDENTS)[0].buttons, ["More"]);
}

#[tokio::test]
async fn an_ephemeral_message_is_not_sent_along_but_can_be_replaced() {
    let app = App::new().await;
    let show = json!({ "channel": INCIDENTS, "user": "U0ANNA", "text": "x", "blocks": menu() });
    let ts = app.call("chat.postEphemeral", show).await["message_ts"].as_str().unwrap().to_owned();
    let mut line = app.connect().await;
    let sent = app.slack.person("U0ANNA").presses(INCIDENTS, &ts, "More").unwrap();
    let payload = heard(&mut line).await;
    assert!(payload.get("message").is_none() && payload["container"]["is_ephemeral"] == true, "{payload}");
    let url = sent.response_url.unwrap();
    assert_eq!(app.respond(&url, json!({ "replace_original": true, "text": "more" })).await, (200, "ok".to_owned()));
    let seen = app.slack.ephemerals("U0ANNA");
    assert_eq!((seen.len(), seen[0].text.as_str()), (1, "more"));
    app.respond(&url, json!({ "delete_original": true })).await;
    assert!(app.slack.ephemerals("U0ANNA").is_empty());
}

#[tokio::test]
async fn a_response_url_answers_five_times_in_half_an_hour() {
    let app = App::new().await;
    let _line = app.connect().await;
    let url = app.slack.person("U0ANNA").slash("C0SECRET", "/why", "x").unwrap().response_url.unwrap();
    for number in 0..4 {
        assert_eq!(app.respond(&url, json!({ "text": format!("answer {number}") })).await.0, 200);
    }
    let public = json!({ "text": "for all", "response_type": "in_channel" });
    assert_eq!(app.respond(&url, public).await.0, 200);
    let (status, body) = app.respond(&url, json!({ "text": "once more" })).await;
    assert_eq!((status, body.contains("used_url")), (404, true), "{body}");
    assert_eq!(app.slack.ephemerals("U0ANNA").len(), 4);
    assert_eq!(texts(&app.slack, "C0SECRET"), ["for all"]);

    let url = app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap().response_url.unwrap();
    app.slack.advance(std::time::Duration::from_secs(30 * 60 + 1));
    assert!(app.respond(&url, json!({ "text": "late" })).await.1.contains("expired_url"));
}

#[tokio::test]
async fn a_response_that_says_nothing_is_refused() {
    let app = App::new().await;
    let _line = app.connect().await;
    let url = app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap().response_url.unwrap();
    assert_eq!(app.respond(&url, json!({})).await, (500, "no_text".to_owned()));
    let (status, body) = app.respond(&url, json!({ "blocks": [{ "type": "poem" }] })).await;
    assert_eq!((status, body.contains("invalid_blocks")), (400, true), "{body}");
    assert_eq!(app.slack.calls_of("response_url").len(), 2);
}

#[tokio::test]
async fn a_message_shortcut_brings_the_message() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    let ts = app.slack.person("U0BEN").says(INCIDENTS, "web is CrashLooping").unwrap();
    assert_eq!(anna.uses_message_shortcut(INCIDENTS, &ts, "Who?"), Err(Impossible::NoSuchShortcut("Who?".to_owned())));
    anna.uses_message_shortcut(INCIDENTS, &ts, "Why?").unwrap();
    let payload = heard(&mut line).await;
    assert_eq!((&payload["type"], &payload["callback_id"]), (&json!("message_action"), &json!("why")));
    assert_eq!(payload["message"]["text"], "web is CrashLooping");
    assert_eq!((&payload["user"]["id"], &payload["message"]["user"]), (&json!("U0ANNA"), &json!("U0BEN")));
}

#[tokio::test]
async fn an_opened_home_is_heard_and_can_be_filled() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").opens_home().unwrap();
    assert_eq!(heard(&mut line).await["event"]["type"], "app_home_opened");
    let view = json!({ "type": "home", "blocks": [{ "type": "header", "text": { "type": "plain_text", "text": "All is well" } }] });
    let answer = app.call("views.publish", json!({ "user_id": "U0ANNA", "view": view })).await;
    assert_eq!(error(&answer), "ok");
    assert!(app.slack.home("U0ANNA").unwrap().shown.contains("All is well"));
    assert_eq!(app.slack.home("U0BEN"), None);
    let found = app.slack.wait_for(SOON, |slack| slack.acks().into_iter().next()).await.unwrap();
    assert!(found.in_time);
}
