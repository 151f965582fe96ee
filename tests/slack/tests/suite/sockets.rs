//! Socket Mode: greetings, one socket for each payload, acknowledgements, what is sent again.

use std::collections::BTreeSet;
use std::time::Duration;

use kubewhy_slack_server::{EnvelopeKind, World};
use serde_json::json;

use crate::app::{App, INCIDENTS, SOON};

/// The three seconds for an acknowledgement, and a little.
const TOO_LATE: Duration = Duration::from_millis(3_100);

#[tokio::test]
async fn a_socket_is_greeted_with_what_it_needs_to_know() {
    let app = App::new().await;
    let _first = app.connect().await;
    let (_second, hello) = app.connect_anyhow().await;
    assert_eq!(hello["num_connections"], 2);
    assert_eq!(hello["connection_info"]["app_id"], "A0KUBEWHY");
    assert!(hello["debug_info"]["host"].is_string() && hello["debug_info"]["approximate_connection_time"].is_number());
}

#[tokio::test]
async fn a_url_opens_one_socket() {
    let app = App::new().await;
    let answer = app.call("apps.connections.open", json!({})).await;
    let url = answer["url"].as_str().unwrap();
    let _first = tokio_tungstenite::connect_async(url).await.expect("the first time");
    assert!(tokio_tungstenite::connect_async(url).await.is_err());
    let answer = app.call("apps.connections.open", json!({})).await;
    app.slack.advance(Duration::from_secs(31));
    assert!(tokio_tungstenite::connect_async(answer["url"].as_str().unwrap()).await.is_err(), "and not for ever");
}

#[tokio::test]
async fn an_eleventh_socket_is_one_too_many() {
    let app = App::new().await;
    let mut lines = Vec::new();
    for _ in 0..10 {
        lines.push(app.connect().await);
    }
    let (mut line, greeting) = app.connect_anyhow().await;
    assert_eq!((&greeting["type"], &greeting["reason"]), (&json!("disconnect"), &json!("too_many_websockets")));
    assert_eq!(line.end().await, Ok(()));
    drop(lines);
    app.slack.wait_for(SOON, |slack| slack.connections().is_empty().then_some(())).await.unwrap();
    app.connect().await;
}

#[tokio::test]
async fn a_command_arrives_as_slack_sends_it() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let sent = app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "pod web").unwrap();
    let envelope = line.envelope().await;
    assert_eq!(envelope["type"], "slash_commands");
    assert_eq!(envelope["accepts_response_payload"], true);
    assert_eq!(envelope["envelope_id"], sent.envelope);
    let payload = &envelope["payload"];
    for (key, value) in [
        ("command", "/why"),
        ("text", "pod web"),
        ("user_id", "U0ANNA"),
        ("user_name", "anna"),
        ("channel_id", INCIDENTS),
        ("channel_name", "incidents"),
        ("team_id", "T0ACME"),
        ("team_domain", "acme"),
    ] {
        assert_eq!(payload[key], value, "{key}");
    }
    assert_eq!(payload["response_url"], sent.response_url.unwrap());
    assert!(payload.get("thread_ts").is_none());
    line.ack(&envelope, Some(json!({ "text": "looking" }))).await;
    let ack = app.slack.wait_for_ack(&sent.envelope, SOON).await.unwrap();
    assert!(ack.in_time && ack.after_ms.unwrap() < 3_000.0);
    assert_eq!(ack.payload, Some(json!({ "text": "looking" })));
    let seen = app.slack.wait_for_ephemeral("U0ANNA", "looking", SOON).await.unwrap();
    assert_eq!(seen.channel, INCIDENTS);
}

#[tokio::test]
async fn an_acknowledgement_can_answer_in_the_channel() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").slash("C0GENERAL", "/why", "x").unwrap();
    let envelope = line.envelope().await;
    line.ack(&envelope, Some(json!({ "text": "here", "response_type": "in_channel" }))).await;
    app.slack.wait_for_message("C0GENERAL", "here", SOON).await.expect("even where the bot is no member");
}

#[tokio::test]
async fn an_acknowledgement_that_cannot_be_shown_is_an_error() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    let envelope = line.envelope().await;
    line.ack(&envelope, Some(json!({ "blocks": [{ "type": "poem" }] }))).await;
    app.slack.wait_for_ephemeral("U0ANNA", "invalid_command_response", SOON).await.unwrap();
}

#[tokio::test]
async fn an_unanswered_command_is_an_error_and_not_sent_again() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let sent = app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    let envelope = line.envelope().await;
    app.slack.advance(TOO_LATE);
    app.slack.wait_for_ephemeral("U0ANNA", "operation_timeout", SOON).await.unwrap();
    line.ack(&envelope, Some(json!({ "text": "late" }))).await;
    let ack = app.slack.wait_for_ack(&sent.envelope, SOON).await.unwrap();
    assert!(!ack.in_time && ack.kind == Some(EnvelopeKind::SlashCommands), "{ack:?}");
    app.slack.advance(Duration::from_secs(400));
    assert_eq!(app.slack.delivered().len(), 1);
    assert!(app.slack.ephemerals("U0ANNA").iter().all(|seen| !seen.shows("late")));
}

#[tokio::test]
async fn a_command_without_a_socket_fails_at_once() {
    let app = App::new().await;
    app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    assert!(app.slack.ephemerals("U0ANNA")[0].shows("dispatch_failed"));
}

#[tokio::test]
async fn an_event_is_sent_again_until_it_is_acknowledged() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").says(INCIDENTS, "<@U0KUBEWHY> why").unwrap();
    let first = line.envelope().await;
    assert_eq!((&first["retry_attempt"], &first["accepts_response_payload"]), (&json!(0), &json!(false)));
    app.slack.advance(TOO_LATE);
    let second = line.envelope().await;
    assert_eq!((&second["retry_attempt"], &second["retry_reason"]), (&json!(1), &json!("timeout")));
    assert_eq!(second["payload"]["event_id"], first["payload"]["event_id"]);
    assert_ne!(second["envelope_id"], first["envelope_id"]);
    app.slack.advance(TOO_LATE);
    app.slack.advance(Duration::from_secs(60));
    assert_eq!(line.envelope().await["retry_attempt"], 2);
    app.slack.advance(TOO_LATE);
    app.slack.advance(Duration::from_secs(300));
    let last = line.envelope().await;
    assert_eq!(last["retry_attempt"], 3);
    line.ack(&last, None).await;
    app.slack.wait_for(SOON, |slack| (!slack.acks().is_empty()).then_some(())).await.unwrap();
    app.slack.advance(Duration::from_secs(900));
    assert_eq!(app.slack.delivered().len(), 4);
}

#[tokio::test]
async fn an_event_waits_for_a_socket() {
    let app = App::new().await;
    app.slack.person("U0ANNA").says(INCIDENTS, "<@U0KUBEWHY> why").unwrap();
    let mut line = app.connect().await;
    app.slack.advance(TOO_LATE);
    let envelope = line.envelope().await;
    assert_eq!(envelope["payload"]["event"]["type"], "app_mention");
    assert_eq!(envelope["retry_attempt"], 1);
}

#[tokio::test]
async fn a_pressed_button_is_not_sent_again() {
    let app = App::new().await;
    let button = json!({ "type": "button", "text": { "type": "plain_text", "text": "Again" }, "action_id": "again" });
    let message = json!({ "channel": INCIDENTS, "text": "x", "blocks": [{ "type": "actions", "elements": [button] }] });
    let ts = app.call("chat.postMessage", message).await["ts"].as_str().unwrap().to_owned();
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").presses(INCIDENTS, &ts, "Again").unwrap();
    assert_eq!(line.envelope().await["type"], "interactive");
    app.slack.advance(TOO_LATE);
    app.slack.wait_for(SOON, |slack| slack.warnings().into_iter().find(|one| one.user == "U0ANNA")).await.unwrap();
    app.slack.advance(Duration::from_secs(900));
    assert_eq!(app.slack.delivered().len(), 1);
}

#[tokio::test]
async fn each_payload_goes_to_one_socket_and_all_get_some() {
    let app = App::new().await;
    let _lines = (app.connect().await, app.connect().await, app.connect().await);
    for _ in 0..30 {
        app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    }
    let delivered = app.slack.delivered();
    let ids: BTreeSet<&str> = delivered.iter().map(|one| one.envelope.as_str()).collect();
    let sockets: BTreeSet<u64> = delivered.iter().map(|one| one.connection).collect();
    assert_eq!((delivered.len(), ids.len(), sockets.len()), (30, 30, 3));
}

#[tokio::test]
async fn the_same_seed_makes_the_same_choices() {
    let choices = async |seed| {
        let app = App::in_world(World { seed, ..World::default() }).await;
        let _lines = (app.connect().await, app.connect().await, app.connect().await);
        for _ in 0..20 {
            app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
        }
        app.slack.delivered().into_iter().map(|one| one.connection).collect::<Vec<_>>()
    };
    assert_eq!(choices(7).await, choices(7).await);
    assert_ne!(choices(7).await, choices(8).await);
}

#[tokio::test]
async fn a_warned_socket_works_until_it_is_closed() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.disconnect("warning", None);
    assert_eq!(line.envelope().await["reason"], "warning");
    app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    assert_eq!(line.envelope().await["type"], "slash_commands");
    app.slack.advance(Duration::from_secs(11));
    assert_eq!(line.end().await, Ok(()));
    assert!(app.slack.connections().is_empty());
}

#[tokio::test]
async fn a_server_that_is_dropped_is_gone() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let url = app.slack.api_url();
    drop(app.slack);
    assert!(line.end().await.is_ok() || line.next().await.is_none());
    assert!(app.http.post(format!("{url}/api.test")).send().await.is_err());
}

#[tokio::test]
async fn idle_sockets_are_pinged() {
    let patience = kubewhy_slack_server::Patience { ping_ms: 20, ..Default::default() };
    let app = App::in_world(World { patience, ..World::default() }).await;
    let answer = app.call("apps.connections.open", json!({})).await;
    let (mut socket, _) = tokio_tungstenite::connect_async(answer["url"].as_str().unwrap()).await.unwrap();
    let ping = async {
        use futures::StreamExt;
        while let Some(Ok(message)) = socket.next().await {
            if message.is_ping() {
                return true;
            }
        }
        false
    };
    assert!(tokio::time::timeout(SOON, ping).await.unwrap());
}
