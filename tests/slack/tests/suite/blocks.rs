//! Which blocks Slack refuses.

use serde_json::{Value, json};

use crate::app::{App, INCIDENTS, error};

fn plain(length: usize) -> Value {
    json!({ "type": "plain_text", "text": "x".repeat(length) })
}

fn mrkdwn(length: usize) -> Value {
    json!({ "type": "mrkdwn", "text": "x".repeat(length) })
}

fn actions(elements: &[Value]) -> Value {
    json!({ "type": "actions", "elements": elements })
}

fn button(change: Value) -> Value {
    let mut button = json!({ "type": "button", "text": plain(3), "value": "v" });
    button.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    actions(&[button])
}

fn options(count: usize) -> Vec<Value> {
    (0..count).map(|number| json!({ "text": plain(75), "value": number.to_string() })).collect()
}

fn select(count: usize) -> Value {
    actions(&[json!({ "type": "static_select", "options": options(count) })])
}

fn overflow(count: usize) -> Value {
    actions(&[json!({ "type": "overflow", "options": options(count) })])
}

fn confirm(change: Value) -> Value {
    let mut confirm = json!({ "title": plain(100), "text": mrkdwn(300), "confirm": plain(30), "deny": plain(30) });
    confirm.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    button(json!({ "confirm": confirm }))
}

#[tokio::test]
async fn each_limit_is_kept_to_the_last_character() {
    let app = App::new().await;
    let cases: Vec<(Vec<Value>, Vec<Value>)> = vec![
        (vec![json!({ "type": "divider" }); 50], vec![json!({ "type": "divider" }); 51]),
        (
            vec![json!({ "type": "section", "text": mrkdwn(3_000) })],
            vec![json!({ "type": "section", "text": mrkdwn(3_001) })],
        ),
        (vec![json!({ "type": "section", "text": mrkdwn(1) })], vec![json!({ "type": "section", "text": mrkdwn(0) })]),
        (
            vec![json!({ "type": "section", "fields": vec![mrkdwn(100); 10] })],
            vec![json!({ "type": "section", "fields": vec![mrkdwn(100); 11] })],
        ),
        (
            vec![json!({ "type": "section", "fields": [mrkdwn(2_000)] })],
            vec![json!({ "type": "section", "fields": [mrkdwn(2_001)] })],
        ),
        (vec![json!({ "type": "header", "text": plain(150) })], vec![json!({ "type": "header", "text": plain(151) })]),
        (vec![json!({ "type": "header", "text": plain(1) })], vec![json!({ "type": "header", "text": mrkdwn(1) })]),
        (
            vec![json!({ "type": "context", "elements": vec![mrkdwn(9); 10] })],
            vec![json!({ "type": "context", "elements": vec![mrkdwn(9); 11] })],
        ),
        (
            vec![actions(&vec![json!({ "type": "button", "text": plain(75) }); 25])],
            vec![actions(&vec![json!({ "type": "button", "text": plain(75) }); 26])],
        ),
        (vec![button(json!({ "text": plain(75) }))], vec![button(json!({ "text": plain(76) }))]),
        (vec![button(json!({ "value": "x".repeat(2_000) }))], vec![button(json!({ "value": "x".repeat(2_001) }))]),
        (vec![button(json!({ "url": "x".repeat(3_000) }))], vec![button(json!({ "url": "x".repeat(3_001) }))]),
        (vec![button(json!({ "style": "danger" }))], vec![button(json!({ "style": "green" }))]),
        (vec![button(json!({ "action_id": "x".repeat(255) }))], vec![button(json!({ "action_id": "x".repeat(256) }))]),
        (vec![button(json!({}))], vec![button(json!({ "text": mrkdwn(3) }))]),
        (vec![overflow(5)], vec![overflow(6)]),
        (vec![select(90)], vec![select(101)]),
        (vec![confirm(json!({}))], vec![confirm(json!({ "title": plain(101) }))]),
        (vec![confirm(json!({}))], vec![confirm(json!({ "text": mrkdwn(301) }))]),
        (vec![confirm(json!({}))], vec![confirm(json!({ "deny": plain(31) }))]),
        (
            vec![json!({ "type": "divider", "block_id": "a" }), json!({ "type": "divider", "block_id": "b" })],
            vec![json!({ "type": "divider", "block_id": "a" }), json!({ "type": "divider", "block_id": "a" })],
        ),
        (vec![json!({ "type": "markdown", "text": "x" })], vec![json!({ "type": "markdown", "text": "" })]),
        (vec![json!({ "type": "divider" })], vec![json!({ "type": "poem" })]),
        (vec![json!({ "type": "divider" })], vec![json!({ "type": "alert", "text": mrkdwn(3) })]),
        (vec![json!({ "type": "divider" })], vec![json!({ "type": "actions", "elements": [] })]),
        (vec![json!({ "type": "divider" })], vec![json!({ "type": "section" })]),
        (vec![json!({ "type": "divider" })], vec![actions(&[json!({ "type": "image" })])]),
        (
            vec![json!({ "type": "table", "rows": vec![vec![json!({ "type": "raw_text", "text": "x" }); 20]; 3] })],
            vec![json!({ "type": "table", "rows": vec![vec![json!({ "type": "raw_text", "text": "x" }); 21]; 3] })],
        ),
    ];
    for (good, bad) in cases {
        let answer = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "x", "blocks": good })).await;
        assert_eq!(error(&answer), "ok", "{answer}");
        let answer = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "x", "blocks": bad })).await;
        assert_eq!(error(&answer), "invalid_blocks", "{}", Value::from(bad));
        let message = answer["response_metadata"]["messages"][0].as_str().unwrap();
        assert!(message.starts_with("[ERROR] ") && message.contains("[json-pointer:/blocks"), "{message}");
    }
}

#[tokio::test]
async fn an_action_id_is_there_once_in_a_block() {
    let app = App::new().await;
    let one = json!({ "type": "button", "text": plain(3), "action_id": "same" });
    let post = async |blocks: Value| {
        let answer = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "x", "blocks": blocks })).await;
        error(&answer).to_owned()
    };
    assert_eq!(post(json!([actions(&[one.clone(), one.clone()])])).await, "invalid_blocks");
    assert_eq!(post(json!([actions(std::slice::from_ref(&one)), actions(&[one])])).await, "ok");
}

#[tokio::test]
async fn blocks_of_attachments_are_looked_at_too() {
    let app = App::new().await;
    let message = json!({ "channel": INCIDENTS, "attachments": [{ "color": "#f00", "blocks": [{ "type": "poem" }] }] });
    let answer = app.call("chat.postMessage", message).await;
    assert_eq!(error(&answer), "invalid_attachments");
    assert_eq!(answer["errors"][0], "unsupported type: poem [json-pointer:/attachments/0/blocks/0]");
}

#[tokio::test]
async fn ids_are_given_where_none_are() {
    let app = App::new().await;
    let message = json!({ "channel": INCIDENTS, "text": "x", "blocks": [button(json!({}))] });
    let block = &app.call("chat.postMessage", message).await["message"]["blocks"][0];
    assert!(block["block_id"].is_string() && block["elements"][0]["action_id"].is_string(), "{block}");
}
