//! The control plane says the same as the library.

use serde_json::{Value, json};

use crate::app::{App, INCIDENTS, error};

async fn control(app: &App, what: &str, body: Value) -> (u16, Value) {
    let url = format!("{}/{what}", app.slack.control_url());
    let response = app.http.post(url).body(body.to_string()).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn read(app: &App, what: &str) -> Value {
    app.http.get(format!("{}/{what}", app.slack.control_url())).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn people_act_over_it() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let act = json!({ "as": "U0ANNA", "do": "slash", "channel": INCIDENTS, "command": "/why", "text": "pod web" });
    let (status, sent) = control(&app, "act", act).await;
    assert_eq!(status, 200, "{sent}");
    let envelope = line.envelope().await;
    assert_eq!(envelope["envelope_id"], sent["envelope"]);
    line.ack(&envelope, Some(json!({ "text": "looking" }))).await;
    let (status, ack) = control(&app, "wait", json!({ "for": "ack", "envelope": sent["envelope"] })).await;
    assert_eq!((status, &ack["in_time"]), (200, &json!(true)), "{ack}");
    let (status, seen) =
        control(&app, "wait", json!({ "for": "ephemeral", "user": "U0ANNA", "text": "looking" })).await;
    assert_eq!((status, &seen["channel"]), (200, &json!(INCIDENTS)));
    let (status, said) =
        control(&app, "act", json!({ "as": "U0BEN", "do": "say", "channel": INCIDENTS, "text": "hi" })).await;
    assert_eq!(status, 200, "{said}");
    assert_eq!(read(&app, "messages?channel=C0INCIDENTS").await[0]["text"], "hi");
    let in_thread = json!({
        "as": "U0ANNA", "do": "slash", "channel": INCIDENTS, "command": "/why", "text": "x", "thread": said["ts"],
    });
    let (status, refused) = control(&app, "act", in_thread).await;
    assert_eq!((status, error(&refused)), (409, "\"/why\" cannot be used in a thread"));
}

#[tokio::test]
async fn faults_are_planned_over_it() {
    let app = App::new().await;
    for plan in [
        json!({ "on": "call", "method": "auth.test", "fault": "rate_limited", "retry_after": 3, "count": 2 }),
        json!({ "on": "call", "method": "auth.test", "fault": "status", "status": 502 }),
        json!({ "on": "envelope", "kind": "slash_commands", "fault": "duplicate" }),
        json!({ "on": "sockets", "act": "storm", "count": 1 }),
        json!({ "on": "token", "token": "xoxb-test-bot" }),
        json!({ "on": "limits", "kept": false }),
    ] {
        let (status, answer) = control(&app, "fault", plan.clone()).await;
        assert_eq!(status, 200, "{plan}: {answer}");
    }
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(app.request("auth.test").send().await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [429, 429, 502, 200]);
    assert_eq!(error(&app.get("auth.test", &[]).await), "token_revoked");
    let mut line = app.connect().await;
    assert_eq!(line.envelope().await["type"], "disconnect");
    let mut line = app.connect().await;
    control(&app, "fault", json!({ "on": "sockets", "act": "disconnect", "reason": "warning" })).await;
    assert_eq!(line.envelope().await["reason"], "warning");
}

#[tokio::test]
async fn what_it_does_not_understand_it_refuses() {
    let app = App::new().await;
    for (what, body) in [
        ("act", json!({ "as": "U0ANNA", "do": "sing" })),
        ("act", json!({ "do": "close" })),
        ("fault", json!({ "on": "call", "method": "auth.test", "fault": "explode" })),
        ("wait", json!({ "for": "godot" })),
        ("advance", json!({ "hours": 1 })),
    ] {
        let (status, answer) = control(&app, what, body).await;
        assert_eq!(status, 400, "{answer}");
    }
    assert_eq!(control(&app, "wait", json!({ "for": "connections", "timeout_ms": 1 })).await.0, 408);
    assert!(error(&read(&app, "weather").await).contains("weather"));
}

#[tokio::test]
async fn the_world_is_read_back_as_it_is_written() {
    let app = App::new().await;
    let world = read(&app, "world").await;
    let again: kubewhy_slack_server::World = serde_json::from_value(world.clone()).unwrap();
    assert_eq!(serde_json::to_value(again).unwrap(), world);
    assert!(serde_json::from_value::<kubewhy_slack_server::World>(json!({ "colour": 1 })).is_err());
}
