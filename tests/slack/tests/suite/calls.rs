//! Who may call what, in which form.

use kubewhy_slack_server::World;
use serde_json::{Value, json};

use crate::app::{App, INCIDENTS, error};

#[tokio::test]
async fn a_token_is_asked_for() {
    let app = App::new().await;
    let url = format!("{}/auth.test", app.slack.api_url());
    let answer: Value = app.http.post(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(error(&answer), "not_authed");
    let answer: Value = app.http.post(&url).bearer_auth("xoxb-wrong").send().await.unwrap().json().await.unwrap();
    assert_eq!(error(&answer), "invalid_auth");
    let answer: Value =
        app.http.post(&url).form(&[("token", "xoxb-test-bot")]).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["user_id"], "U0KUBEWHY", "a token in the form will do: {answer}");
    app.slack.revoke("xoxb-test-bot");
    assert_eq!(error(&app.get("auth.test", &[]).await), "token_revoked");
    app.slack.restore("xoxb-test-bot");
    assert_eq!(error(&app.get("auth.test", &[]).await), "ok");
}

#[tokio::test]
async fn tokens_never_show_in_what_is_recorded() {
    let app = App::new().await;
    let url = format!("{}/chat.postMessage", app.slack.api_url());
    let form = [("token", "xoxb-test-bot"), ("channel", INCIDENTS), ("text", "hello")];
    app.http.post(&url).form(&form).send().await.unwrap();
    let calls = serde_json::to_string(&app.slack.calls()).unwrap();
    assert!(calls.contains("hello") && !calls.contains("xoxb"), "{calls}");
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let app = App::in_world(World::default().without_scope("chat:write")).await;
    let answer = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "hello" })).await;
    assert_eq!(error(&answer), "missing_scope");
    assert_eq!(answer["needed"], "chat:write");
    assert!(answer["provided"].as_str().unwrap().contains("users:read"));
    assert!(app.slack.messages(INCIDENTS).is_empty());
}

#[tokio::test]
async fn each_token_opens_its_own_methods_only() {
    let app = App::new().await;
    let url = format!("{}/apps.connections.open", app.slack.api_url());
    let answer: Value = app.http.post(&url).bearer_auth("xoxb-test-bot").send().await.unwrap().json().await.unwrap();
    assert_eq!(error(&answer), "not_allowed_token_type");
    let answer = app.call("apps.connections.open", json!({})).await;
    assert!(answer["url"].as_str().unwrap().starts_with("ws://127.0.0.1:"));
}

#[tokio::test]
async fn scopes_are_told_with_each_answer() {
    let app = App::new().await;
    let response = app.request("auth.test").send().await.unwrap();
    let scopes = response.headers()["x-oauth-scopes"].to_str().unwrap().to_owned();
    assert!(scopes.split(',').any(|scope| scope == "chat:write"), "{scopes}");
    assert_eq!(response.headers()["content-type"], "application/json; charset=utf-8");
}

#[tokio::test]
async fn an_unknown_method_is_named() {
    let app = App::new().await;
    let answer = app.call("chat.shout", json!({})).await;
    assert_eq!((error(&answer), &answer["req_method"]), ("unknown_method", &json!("chat.shout")));
}

#[tokio::test]
async fn query_form_and_json_say_the_same() {
    let app = App::new().await;
    let blocks = r#"[{"type":"section","text":{"type":"mrkdwn","text":"*pod*"}}]"#;
    let query = app.get("chat.postMessage", &[("channel", INCIDENTS), ("text", "a"), ("blocks", blocks)]).await;
    let form = [("channel", INCIDENTS), ("text", "a"), ("blocks", blocks)];
    let form: Value = app.request("chat.postMessage").form(&form).send().await.unwrap().json().await.unwrap();
    let parsed: Value = serde_json::from_str(blocks).unwrap();
    let json = app.call("chat.postMessage", json!({ "channel": INCIDENTS, "text": "a", "blocks": parsed })).await;
    for answer in [&query, &form, &json] {
        assert_eq!(answer["message"]["blocks"][0]["text"]["text"], "*pod*", "{answer}");
    }
    let calls = app.slack.calls_of("chat.postMessage");
    assert_eq!(calls.len(), 3);
    assert!(calls.iter().all(|call| call.arguments == calls[0].arguments && call.status == 200), "{calls:?}");
}

#[tokio::test]
async fn methods_that_read_take_no_json() {
    let app = App::new().await;
    assert_eq!(error(&app.call("users.info", json!({ "user": "U0ANNA" })).await), "user_not_found");
    let upload = json!({ "filename": "log.txt", "length": 3 });
    assert_eq!(error(&app.call("files.getUploadURLExternal", upload).await), "invalid_arguments");
    assert_eq!(app.get("users.info", &[("user", "U0ANNA")]).await["user"]["name"], "anna");
}

#[tokio::test]
async fn broken_bodies_are_refused() {
    let app = App::new().await;
    for (kind, body, expected) in [
        ("application/json", "{", "invalid_json"),
        ("application/json", "[1]", "json_not_object"),
        ("text/plain", "channel=C0INCIDENTS", "invalid_post_type"),
    ] {
        let request = app.request("chat.postMessage").header("content-type", kind).body(body);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        assert_eq!(error(&answer), expected, "{kind} {body}");
    }
}

#[tokio::test]
async fn people_are_shown_as_what_they_are() {
    let app = App::new().await;
    let user = async |id: &str| app.get("users.info", &[("user", id)]).await["user"].clone();
    assert_eq!(user("U0ANNA").await["is_admin"], true);
    let guest = user("U0GUS").await;
    assert_eq!((&guest["is_restricted"], &guest["is_ultra_restricted"]), (&json!(true), &json!(false)));
    assert_eq!(user("U0SUE").await["is_ultra_restricted"], true);
    let outside = user("U0EVA").await;
    assert_eq!((&outside["team_id"], &outside["is_stranger"]), (&json!("T0OTHER"), &json!(true)));
    assert_eq!(user("U0ROBO").await["is_bot"], true);
    assert_eq!(error(&app.get("users.info", &[("user", "U0NOBODY")]).await), "user_not_found");
}

#[tokio::test]
async fn groups_have_members_unless_they_are_switched_off() {
    let app = App::new().await;
    let users = app.get("usergroups.users.list", &[("usergroup", "S0ONCALL")]).await;
    assert_eq!(users["users"], json!(["U0ANNA", "U0BEN"]));
    app.slack.change_world(|world| world.groups[0].disabled = true);
    assert_eq!(error(&app.get("usergroups.users.list", &[("usergroup", "S0ONCALL")]).await), "no_such_subteam");
    assert_eq!(app.get("usergroups.list", &[]).await["usergroups"], json!([]));
    let all = app.get("usergroups.list", &[("include_disabled", "true"), ("include_users", "true")]).await;
    assert_eq!(all["usergroups"][0]["users"], json!(["U0ANNA", "U0BEN"]));
}

#[tokio::test]
async fn channels_of_others_are_not_found() {
    let app = App::new().await;
    let list = app.get("conversations.list", &[("types", "public_channel,private_channel,im")]).await;
    let ids: Vec<&str> = list["channels"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["C0INCIDENTS", "C0GENERAL", "C0WAR", "C0OLD", "C0SHARED", "D0ANNA", "D0BEN"]);
    assert_eq!(error(&app.get("conversations.info", &[("channel", "C0SECRET")]).await), "channel_not_found");
    let general = app.get("conversations.info", &[("channel", "C0GENERAL"), ("include_num_members", "true")]).await;
    assert_eq!((&general["channel"]["is_member"], &general["channel"]["num_members"]), (&json!(false), &json!(6)));
    assert_eq!(app.call("conversations.join", json!({ "channel": "C0GENERAL" })).await["channel"]["is_member"], true);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let app = App::new().await;
    let mut cursor = String::new();
    let mut names = Vec::new();
    loop {
        let page = app.get("users.list", &[("limit", "3"), ("cursor", &cursor)]).await;
        let members = page["members"].as_array().unwrap();
        assert!(members.len() <= 3);
        names.extend(members.iter().map(|user| user["name"].as_str().unwrap().to_owned()));
        cursor = page["response_metadata"]["next_cursor"].as_str().unwrap().to_owned();
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(names, ["anna", "ben", "cara", "gus", "sue", "eva", "robo", "kubewhy"]);
    assert_eq!(error(&app.get("users.list", &[("cursor", "made-up")]).await), "invalid_cursor");
}
