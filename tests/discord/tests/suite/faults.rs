//! Faults: what hits which call, and whether the call took effect.

use std::time::{Duration, Instant};

use kubewhy_discord_server::{Fault, GatewayFault, What, world};
use serde_json::json;
use tokio_tungstenite::connect_async;

use crate::bot::Bot;

const MESSAGES: &str = "/channels/{id}/messages";

fn posted(bot: &Bot) -> usize {
    bot.server.read(|view| view.messages(world::OPS).len())
}

#[tokio::test]
async fn a_fault_hits_the_calls_it_names_as_often_as_it_says() {
    let bot = Bot::new().await;
    let outage = What::Status { status: 503, after_effect: false };
    bot.server.fault(Fault::next("POST", MESSAGES, outage).after(1).times(2));
    let mut seen = Vec::new();
    for _ in 0..4 {
        seen.push(bot.post(world::OPS, json!({"content": "x"})).await.status);
        assert_eq!(bot.get("/users/@me").await.status, 200, "other routes are not hit");
    }
    assert_eq!(seen, [200, 503, 503, 200]);
    assert_eq!(posted(&bot), 2);
    bot.server.fault(Fault::next("GET", "/users", What::Status { status: 500, after_effect: false }).times(0));
    for _ in 0..3 {
        assert_eq!(bot.get("/users/@me").await.status, 500);
    }
    bot.server.clear_faults();
    assert_eq!(bot.get("/users/@me").await.status, 200);
}

#[tokio::test]
async fn an_outage_after_the_effect_hides_what_was_done() {
    let bot = Bot::new().await;
    bot.server.fault(Fault::next("POST", MESSAGES, What::Status { status: 502, after_effect: true }));
    assert_eq!(bot.post(world::OPS, json!({"content": "x"})).await.status, 502);
    assert_eq!(posted(&bot), 1);
    let call = bot.server.calls().pop().unwrap();
    assert_eq!((call.status, call.effect), (502, 200));
}

#[tokio::test]
async fn a_limit_on_demand_looks_like_a_real_one() {
    let bot = Bot::new().await;
    bot.server.fault(Fault::next("POST", MESSAGES, What::RateLimited { retry_after_s: 1.5, global: true }));
    let answer = bot.post(world::OPS, json!({"content": "x"})).await;
    assert_eq!((answer.status, &answer.body["retry_after"], &answer.body["global"]), (429, &json!(1.5), &json!(true)));
    assert_eq!((answer.header("retry-after"), answer.header("x-ratelimit-scope")), ("2", "global"));
    assert_eq!(posted(&bot), 0);
}

#[tokio::test]
async fn a_reset_ends_the_call_before_or_after_its_effect() {
    let bot = Bot::new().await;
    for (after_effect, count) in [(false, 0), (true, 1)] {
        bot.server.fault(Fault::next("POST", MESSAGES, What::Reset { after_effect }));
        let request = bot.request("POST", &format!("/channels/{}/messages", world::OPS)).json(&json!({"content": "x"}));
        assert!(bot.send(request).await.is_err());
        assert_eq!(posted(&bot), count);
    }
}

#[tokio::test]
async fn a_call_may_stay_without_answer_or_come_late() {
    let bot = Bot::new().await;
    bot.server.fault(Fault::next("POST", MESSAGES, What::NoAnswer { after_effect: true }));
    let request = bot.request("POST", &format!("/channels/{}/messages", world::OPS)).json(&json!({"content": "x"}));
    let error = bot.send(request.timeout(Duration::from_millis(200))).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(posted(&bot), 1);
    for what in [What::Lag { ms: 100 }, What::LateAnswer { ms: 100 }] {
        bot.server.fault(Fault::next("GET", "/users", what));
        let before = Instant::now();
        assert_eq!(bot.get("/users/@me").await.status, 200);
        assert!(before.elapsed() >= Duration::from_millis(100));
    }
    bot.server.fault(Fault::next("GET", "/users", What::Garbage { after_effect: false }));
    assert!(bot.get("/users/@me").await.text.contains("<html>"));
}

#[tokio::test]
async fn events_come_twice_swapped_late_or_never() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    let mut told = async |contents: &[&str], count: usize| {
        for content in contents {
            bot.posted(world::OPS, content).await;
        }
        let mut seen = Vec::new();
        for _ in 0..count {
            seen.push(socket.event("MESSAGE_CREATE").await["content"].as_str().unwrap().to_owned());
        }
        seen
    };
    bot.server.gateway_fault(&GatewayFault::Duplicate { times: 1 });
    assert_eq!(told(&["a", "b"], 3).await, ["a", "a", "b"]);
    bot.server.gateway_fault(&GatewayFault::Reorder { times: 1 });
    assert_eq!(told(&["c", "d"], 2).await, ["d", "c"]);
    bot.server.gateway_fault(&GatewayFault::Delay { ms: 100, times: 1 });
    assert_eq!(told(&["e", "f"], 2).await, ["f", "e"]);
    bot.server.gateway_fault(&GatewayFault::Lose { times: 1 });
    assert_eq!(told(&["g", "h"], 1).await, ["h"]);
}

#[tokio::test]
async fn faults_of_events_can_be_aimed_at_one_kind() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    bot.server.gateway_fault(&GatewayFault::Aim { event: Some("MESSAGE_DELETE".to_owned()) });
    bot.server.gateway_fault(&GatewayFault::Duplicate { times: 1 });
    let id = bot.posted(world::OPS, "x").await;
    bot.call("DELETE", &format!("/channels/{}/messages/{id}", world::OPS), serde_json::Value::Null).await;
    let mut names = Vec::new();
    for _ in 0..3 {
        names.push(socket.payload().await["t"].as_str().unwrap().to_owned());
    }
    assert_eq!(names, ["MESSAGE_CREATE", "MESSAGE_DELETE", "MESSAGE_DELETE"]);
}

#[tokio::test]
async fn connections_are_refused_before_they_are_upgraded() {
    let bot = Bot::new().await;
    bot.server.gateway_fault(&GatewayFault::Refuse { times: 1 });
    let url = bot.get("/gateway").await.body["url"].as_str().unwrap().to_owned();
    assert!(connect_async(format!("{url}/?v=10")).await.is_err());
    assert!(connect_async(format!("{url}/?v=10")).await.is_ok());
}

#[tokio::test]
async fn a_dropped_server_is_gone() {
    let bot = Bot::new().await;
    let mut socket = bot.online().await;
    let url = bot.url("/gateway");
    drop(bot);
    assert_eq!(socket.closed().await, None);
    assert!(reqwest::get(url).await.is_err());
}
