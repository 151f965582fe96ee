//! Rate limits.

use std::time::Duration;

use kubewhy_slack_server::World;
use serde_json::json;

use crate::app::{App, INCIDENTS, error};

/// How many calls pass before one has to wait, and for how many seconds.
async fn until_limited(app: &App, method: &str, arguments: serde_json::Value) -> (usize, u64) {
    for count in 0..1_000 {
        let response = app.request(method).json(&arguments).send().await.unwrap();
        if response.status() == 429 {
            let wait = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            let body: serde_json::Value = response.json().await.unwrap();
            assert_eq!(error(&body), "ratelimited");
            return (count, wait);
        }
    }
    (1_000, 0)
}

#[tokio::test]
async fn a_channel_takes_a_message_a_second_after_a_short_burst() {
    let app = App::in_world(World::default()).await;
    let message = |channel: &str| json!({ "channel": channel, "text": "x" });
    let (burst, wait) = until_limited(&app, "chat.postMessage", message(INCIDENTS)).await;
    assert!((3..=6).contains(&burst), "{burst}");
    assert_eq!(wait, 1);
    assert_eq!(error(&app.call("chat.postMessage", message("C0WAR")).await), "ok", "another channel has its own limit");
    app.slack.advance(Duration::from_secs(1));
    assert_eq!(error(&app.call("chat.postMessage", message(INCIDENTS)).await), "ok");
}

#[tokio::test]
async fn a_workspace_takes_several_hundred_messages_a_minute() {
    let app = App::in_world(World::default()).await;
    let mut taken = 0;
    for _ in 0..150 {
        for channel in [INCIDENTS, "C0WAR", "C0SHARED", "D0ANNA"] {
            let answer = app.call("chat.postMessage", json!({ "channel": channel, "text": "x" })).await;
            taken += usize::from(error(&answer) == "ok");
        }
        app.slack.advance(Duration::from_millis(100));
    }
    assert!((40..=400).contains(&taken), "{taken}");
}

#[tokio::test]
async fn methods_have_the_limits_of_their_tiers() {
    let app = App::in_world(World::default()).await;
    for (method, arguments, least, most) in [
        ("apps.connections.open", json!({}), 10, 12),
        ("usergroups.list", json!({}), 20, 24),
        ("chat.update", json!({ "channel": INCIDENTS, "ts": "1.2", "text": "x" }), 50, 58),
        ("users.info", json!({}), 100, 115),
    ] {
        let (count, wait) = until_limited(&app, method, arguments).await;
        assert!((least..=most).contains(&count), "{method}: {count}");
        assert!((1..=7).contains(&wait), "{method}: {wait}");
    }
    app.slack.limits(false);
    assert_eq!(until_limited(&app, "users.info", json!({})).await.0, 1_000);
}
