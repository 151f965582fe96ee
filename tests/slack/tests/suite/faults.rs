//! Faults on demand.

use std::time::{Duration, Instant};

use kubewhy_slack_server::{CallFault, Effect, EnvelopeFault, EnvelopeKind};
use serde_json::json;

use crate::app::{App, INCIDENTS, SOON, error, texts};

#[tokio::test]
async fn a_planned_limit_is_kept_as_often_as_planned() {
    let app = App::new().await;
    app.slack.fail_calls("chat.postMessage", CallFault::RateLimited { retry_after: 7 }, 2);
    let message = json!({ "channel": INCIDENTS, "text": "x" });
    for expected in [429, 429, 200] {
        let response = app.request("chat.postMessage").json(&message).send().await.unwrap();
        assert_eq!(response.status(), expected);
        assert_eq!(response.headers().get("retry-after").is_some_and(|value| value == "7"), expected == 429);
    }
    assert_eq!(texts(&app.slack, INCIDENTS).len(), 1, "a limited call has no effect");
    let recorded: Vec<(u16, bool)> = app.slack.calls().iter().map(|call| (call.status, call.faulty)).collect();
    assert_eq!(recorded, [(429, true), (429, true), (200, false)]);
}

#[tokio::test]
async fn an_error_of_the_server_comes_before_or_after_the_effect() {
    let app = App::new().await;
    let message = json!({ "channel": INCIDENTS, "text": "x" });
    for (effect, messages) in [(Effect::None, 0), (Effect::Done, 1)] {
        app.slack.fail_calls("*", CallFault::Status { status: 503, effect }, 1);
        let response = app.request("chat.postMessage").json(&message).send().await.unwrap();
        assert_eq!(response.status(), 503);
        assert_eq!(texts(&app.slack, INCIDENTS).len(), messages);
    }
}

#[tokio::test]
async fn a_connection_is_reset_before_or_after_the_effect() {
    let app = App::new().await;
    let message = json!({ "channel": INCIDENTS, "text": "x" });
    for (effect, messages) in [(Effect::None, 0), (Effect::Done, 1)] {
        app.slack.fail_calls("chat.postMessage", CallFault::Reset { effect }, 1);
        let failed = app.request("chat.postMessage").json(&message).send().await.expect_err("no answer");
        assert!(failed.is_request(), "{failed:?}");
        assert_eq!(texts(&app.slack, INCIDENTS).len(), messages);
    }
    assert!(app.slack.calls().iter().all(|call| call.status == 0));
    assert_eq!(error(&app.call("chat.postMessage", message).await), "ok");
}

#[tokio::test]
async fn an_answer_may_never_come() {
    let app = App::new().await;
    app.slack.fail_calls("chat.postMessage", CallFault::Silence { effect: Effect::Done }, 1);
    let message = json!({ "channel": INCIDENTS, "text": "x" });
    let call = app.request("chat.postMessage").json(&message).timeout(Duration::from_millis(300)).send().await;
    assert!(call.expect_err("no answer").is_timeout());
    assert_eq!(texts(&app.slack, INCIDENTS).len(), 1);
}

#[tokio::test]
async fn an_answer_may_be_late_though_the_effect_is_not() {
    let app = App::new().await;
    app.slack.fail_calls("chat.postMessage", CallFault::Lag { ms: 200 }, 1);
    let began = Instant::now();
    let message = json!({ "channel": INCIDENTS, "text": "x" });
    let (answer, seen) = tokio::join!(
        app.call("chat.postMessage", message),
        app.slack.wait_for(SOON, |slack| (!slack.messages(INCIDENTS).is_empty()).then(|| began.elapsed())),
    );
    assert_eq!(error(&answer), "ok");
    assert!(began.elapsed() >= Duration::from_millis(200) && seen.unwrap() < began.elapsed());
}

#[tokio::test]
async fn sockets_cannot_be_opened_for_a_while() {
    let app = App::new().await;
    app.slack.fail_calls("apps.connections.open", CallFault::Error { error: "internal_error".to_owned() }, 2);
    for expected in ["internal_error", "internal_error", "ok"] {
        assert_eq!(error(&app.call("apps.connections.open", json!({})).await), expected);
    }
    app.slack.refuse_connections(1);
    let (_line, greeting) = app.connect_anyhow().await;
    assert_eq!(greeting["reason"], "too_many_websockets");
    app.connect().await;
}

#[tokio::test]
async fn an_envelope_is_delivered_twice() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.fail_envelopes(None, EnvelopeFault::Duplicate, 1);
    app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    let (first, second) = (line.envelope().await, line.envelope().await);
    assert_eq!(first, second);
    for envelope in [&first, &second] {
        line.ack(envelope, Some(json!({ "text": "looking" }))).await;
    }
    let acks = app.slack.wait_for(SOON, |slack| Some(slack.acks()).filter(|acks| acks.len() == 2)).await.unwrap();
    assert!(acks.iter().all(|ack| ack.in_time));
    assert_eq!(app.slack.ephemerals("U0ANNA").len(), 1);
}

#[tokio::test]
async fn envelopes_change_their_order_or_come_late() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    app.slack.fail_envelopes(Some(EnvelopeKind::SlashCommands), EnvelopeFault::Reorder, 1);
    anna.slash(INCIDENTS, "/why", "first").unwrap();
    anna.slash(INCIDENTS, "/why", "second").unwrap();
    assert_eq!(line.envelope().await["payload"]["text"], "second");
    assert_eq!(line.envelope().await["payload"]["text"], "first");
    app.slack.fail_envelopes(None, EnvelopeFault::Delay { ms: 60_000 }, 1);
    anna.slash(INCIDENTS, "/why", "third").unwrap();
    anna.slash(INCIDENTS, "/why", "fourth").unwrap();
    assert_eq!(line.envelope().await["payload"]["text"], "fourth");
    app.slack.advance(Duration::from_secs(61));
    assert_eq!(line.envelope().await["payload"]["text"], "third");
}

#[tokio::test]
async fn a_lost_event_comes_again() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.fail_envelopes(Some(EnvelopeKind::EventsApi), EnvelopeFault::Lose, 1);
    app.slack.person("U0ANNA").says(INCIDENTS, "<@U0KUBEWHY> why").unwrap();
    assert!(app.slack.delivered().is_empty());
    app.slack.advance(Duration::from_millis(3_100));
    assert_eq!(line.envelope().await["retry_attempt"], 1);
}

#[tokio::test]
async fn sockets_break_off_or_are_closed() {
    let app = App::new().await;
    let (mut first, mut second) = (app.connect().await, app.connect().await);
    app.slack.drop_connections(Some(1));
    let broken = first.end().await.expect_err("no closing frame");
    assert!(broken.to_lowercase().contains("reset"), "{broken}");
    assert_eq!(app.slack.connections(), [2]);
    app.slack.close_connections(None);
    assert_eq!(second.end().await, Ok(()));
    assert!(app.slack.connections().is_empty());
}

#[tokio::test]
async fn a_silent_socket_takes_payloads_and_answers_nothing() {
    let app = App::new().await;
    let mut silent = app.connect().await;
    app.slack.silence_connections(None);
    let mut other = app.connect().await;
    for _ in 0..8 {
        app.slack.person("U0ANNA").says(INCIDENTS, "<@U0KUBEWHY> why").unwrap();
    }
    let lost = app.slack.delivered().iter().filter(|one| one.connection == 1).count();
    assert!(lost > 0 && lost < 8, "{lost}");
    for _ in 0..8 - lost {
        other.envelope().await;
    }
    let nothing = tokio::time::timeout(Duration::from_millis(50), silent.next()).await;
    assert!(nothing.is_err(), "{nothing:?}");
    app.slack.silence_next_connections(1);
    let answer = app.call("apps.connections.open", json!({})).await;
    let (_socket, _) = tokio_tungstenite::connect_async(answer["url"].as_str().unwrap()).await.unwrap();
    app.slack.wait_for_connections(3, SOON).await.unwrap();
}

#[tokio::test]
async fn a_storm_disconnects_each_socket_at_once() {
    let app = App::new().await;
    app.slack.storm(2);
    for _ in 0..2 {
        let mut line = app.connect().await;
        assert_eq!(line.envelope().await["reason"], "refresh_requested");
        assert_eq!(line.end().await, Ok(()));
    }
    let mut line = app.connect().await;
    app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap();
    assert_eq!(line.envelope().await["type"], "slash_commands");
}

#[tokio::test]
async fn a_revoked_app_token_ends_the_sockets() {
    let app = App::new().await;
    let mut line = app.connect().await;
    app.slack.revoke("xapp-test-app");
    assert_eq!(line.envelope().await["reason"], "link_disabled");
    assert_eq!(error(&app.call("apps.connections.open", json!({})).await), "token_revoked");
}

#[tokio::test]
async fn planned_faults_can_be_forgotten() {
    let app = App::new().await;
    app.slack.fail_calls("*", CallFault::Status { status: 500, effect: Effect::None }, 9);
    app.slack.clear_faults();
    assert_eq!(error(&app.get("auth.test", &[]).await), "ok");
}

#[tokio::test]
async fn uploads_and_response_urls_fail_too() {
    let app = App::new().await;
    let _line = app.connect().await;
    app.slack.fail_calls("response_url", CallFault::Status { status: 500, effect: Effect::None }, 1);
    let url = app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "x").unwrap().response_url.unwrap();
    assert_eq!(app.respond(&url, json!({ "text": "x" })).await.0, 500);
    assert_eq!(app.respond(&url, json!({ "text": "x" })).await.0, 200);
    assert_eq!(app.slack.ephemerals("U0ANNA").len(), 1);
}
