//! Nothing that is secret or that people said stands in the logs.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use kubewhy_chat::{ChatPlatform as _, Reply};
use kubewhy_slack_server::{CallFault, Effect};
use tracing::Level;

use crate::scene::{ANNA, GENERAL, INCIDENTS, Scene, message};

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().expect("no test panics with it")).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no test panics with it").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret_or_what_people_said() {
    let log = Log::default();
    let written = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_ansi(false)
        .with_writer(move || written.clone())
        .finish();
    // The runtime of a test has one thread, so that all tasks log here.
    let _guard = tracing::subscriber::set_default(subscriber);

    let mut scene = Scene::open().await;
    let asked = scene.asked(INCIDENTS, "pod kangaroo").await;
    let (mentioned, _) = scene.mentioned(INCIDENTS, "pod kangaroo").await;
    let outside = scene.asked(GENERAL, "pod kangaroo").await;
    for fault in [
        CallFault::Error { error: "invalid_blocks".to_owned() },
        CallFault::RateLimited { retry_after: 1 },
        CallFault::Status { status: 502, effect: Effect::Done },
        CallFault::Reset { effect: Effect::None },
    ] {
        scene.server.fail_calls("*", fault.clone(), 1);
        let _ = scene.slack.answer(&asked, &Reply::to_everybody(message("wallaby fails"))).await;
        scene.server.fail_calls("response_url", fault, 1);
        let _ = scene.slack.answer(&outside, &Reply::to_everybody(message("wallaby fails"))).await;
        let _ = scene.slack.answer(&mentioned, &Reply::to_asker(message("wallaby fails"))).await;
    }
    scene.server.person(ANNA).opens_home().expect("it can be opened");
    scene.server.drop_connections(None);
    scene.server.revoke("xapp-test-app");
    scene.server.revoke("xoxb-test-bot");
    scene.ended().await.expect_err("it is revoked");
    let _ = scene.slack.answer(&asked, &Reply::to_everybody(message("wallaby fails"))).await;

    let text = log.text();
    assert!(text.contains("Slack asks to wait") && text.contains("DEBUG"), "nothing was logged");
    let url = outside.address.0.split('"').find(|part| part.starts_with("http")).expect("a response_url").to_owned();
    for secret in ["xoxb-test-bot", "xapp-test-app", "ticket=", &url, "kangaroo", "wallaby"] {
        let lines: Vec<&str> = text.lines().filter(|line| line.contains(secret)).collect();
        assert!(lines.is_empty(), "{secret} is in the log:\n{}", lines.join("\n"));
    }
}
