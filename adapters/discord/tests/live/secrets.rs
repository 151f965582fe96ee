//! What is logged when everything is let through but the targets that carry secrets.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use kubewhy_chat::ChatPlatform;
use kubewhy_discord::SECRETIVE_TARGETS;
use kubewhy_discord_server::{Fault, GatewayFault, What, world};
use serde_json::json;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

use crate::stage::{SOON, Stage, long, private, public, short};

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Kept {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn no_token_is_logged() {
    let kept = Kept::default();
    let filter =
        SECRETIVE_TARGETS.iter().fold(EnvFilter::default().add_directive(LevelFilter::TRACE.into()), |filter, it| {
            filter.add_directive(format!("{it}=off").parse().unwrap())
        });
    // serenity works in threads of its own, so that a subscriber of this thread alone would miss it.
    tracing_subscriber::fmt().with_env_filter(filter).with_span_events(FmtSpan::FULL).with_writer(kept.clone()).init();

    let stage = Stage::set().await;
    let asked = stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    let delivery = stage.delivered().await;
    stage.server.fault(Fault::next("PATCH", "/webhooks", What::Status { status: 502, after_effect: false }));
    stage.server.fault(Fault::next("DELETE", "/webhooks", What::RateLimited { retry_after_s: 0.1, global: false }));
    stage.discord.answer(&delivery, &public(long("cart is down"))).await.unwrap();
    stage.discord.answer(&delivery, &private(short("only you"))).await.unwrap();
    stage.server.advance(Duration::from_mins(16));
    stage.discord.answer(&delivery, &public(short("late"))).await.unwrap();
    stage.server.fault(Fault::next("POST", "/callback", What::Reset { after_effect: false }).times(0));
    stage.server.slash(world::BOB, world::OPS, "why", &[("name", json!("cart"))]).unwrap();
    stage.delivered().await;
    stage.server.gateway_fault(&GatewayFault::Reset);
    stage
        .server
        .wait_for(SOON, |view| view.gateway().iter().any(|it| it.what == "resumed").then_some(()))
        .await
        .unwrap();
    stage.server.revoke_token();
    assert!(stage.discord.identity(&delivery.request.who).await.is_err());

    let logged = String::from_utf8_lossy(&kept.0.lock().unwrap()).into_owned();
    assert!(logged.contains("kubewhy_discord"), "something is logged");
    assert!(!logged.contains(stage.server.token()), "the token of the bot");
    assert!(stage.server.read(|view| view.interaction(asked)).is_some());
    // How all tokens of interactions begin, at Discord as here.
    assert!(!logged.contains("aW50ZXJhY3Rpb246"), "the token of an interaction");
    assert!(!format!("{delivery:?}").contains("aW50ZXJhY3Rpb246"));
}
