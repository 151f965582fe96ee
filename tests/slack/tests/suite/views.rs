//! Views: triggers, stacks, submissions.

use std::time::Duration;

use kubewhy_slack_server::{Impossible, Sent};
use serde_json::{Value, json};

use crate::app::{App, INCIDENTS, Line, SOON, error};

fn form(title: &str) -> Value {
    json!({
        "type": "modal", "callback_id": "ask", "private_metadata": "m",
        "title": { "type": "plain_text", "text": title }, "submit": { "type": "plain_text", "text": "Ask" },
        "blocks": [
            { "type": "input", "block_id": "name", "label": { "type": "plain_text", "text": "Name" },
              "element": { "type": "plain_text_input", "action_id": "text" } },
            { "type": "input", "block_id": "kind", "optional": true, "label": { "type": "plain_text", "text": "Kind" },
              "element": { "type": "static_select", "action_id": "one",
                "options": [{ "text": { "type": "plain_text", "text": "Pod" }, "value": "pod" }] } },
        ],
    })
}

async fn triggered(app: &App, line: &mut Line) -> Sent {
    let sent = app.slack.person("U0ANNA").slash(INCIDENTS, "/why", "").unwrap();
    let envelope = line.envelope().await;
    line.ack(&envelope, None).await;
    sent
}

async fn open(app: &App, line: &mut Line, view: Value) -> Value {
    let trigger = triggered(app, line).await.trigger_id;
    app.call("views.open", json!({ "trigger_id": trigger, "view": view })).await
}

#[tokio::test]
async fn a_trigger_opens_one_view_within_three_seconds() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let trigger = triggered(&app, &mut line).await.trigger_id;
    let arguments = json!({ "trigger_id": trigger, "view": form("Ask") });
    assert_eq!(error(&app.call("views.open", arguments.clone()).await), "ok");
    assert_eq!(error(&app.call("views.open", arguments).await), "exchanged_trigger_id");
    let late = triggered(&app, &mut line).await.trigger_id;
    app.slack.advance(Duration::from_millis(3_100));
    let arguments = json!({ "trigger_id": late, "view": form("Ask") });
    assert_eq!(error(&app.call("views.open", arguments).await), "expired_trigger_id");
    let arguments = json!({ "trigger_id": "1.2.3", "view": form("Ask") });
    assert_eq!(error(&app.call("views.open", arguments).await), "invalid_trigger_id");
    assert_eq!(app.slack.views("U0ANNA").len(), 1);
}

#[tokio::test]
async fn a_view_keeps_to_the_rules() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let refused = async |change: fn(&mut Value), line: &mut Line| {
        let mut view = form("Ask");
        change(&mut view);
        let answer = open(&app, line, view).await;
        assert_eq!(error(&answer), "invalid_arguments", "{answer}");
        answer["response_metadata"]["messages"][0].as_str().unwrap().to_owned()
    };
    let title = refused(|view| view["title"]["text"] = "x".repeat(25).into(), &mut line).await;
    assert_eq!(title, "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]");
    assert!(refused(|view| view["submit"] = Value::Null, &mut line).await.contains("submit"));
    assert!(refused(|view| view["private_metadata"] = "x".repeat(3_001).into(), &mut line).await.contains("3001"));
    assert!(refused(|view| view["type"] = "home".into(), &mut line).await.contains("/view/type"));
}

#[tokio::test]
async fn three_views_lie_on_each_other_and_no_more() {
    let app = App::new().await;
    let mut line = app.connect().await;
    open(&app, &mut line, form("One")).await;
    for (title, expected) in [("Two", "ok"), ("Three", "ok"), ("Four", "push_limit_reached")] {
        let trigger = triggered(&app, &mut line).await.trigger_id;
        let answer = app.call("views.push", json!({ "trigger_id": trigger, "view": form(title) })).await;
        assert_eq!(error(&answer), expected, "{title}");
    }
    let titles: Vec<String> = app.slack.views("U0ANNA").into_iter().map(|view| view.title).collect();
    assert_eq!(titles, ["One", "Two", "Three"]);
}

#[tokio::test]
async fn a_view_is_replaced_by_the_latest_who_knows_it() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let opened = open(&app, &mut line, form("Loading")).await["view"].clone();
    let update = |hash: &Value| json!({ "view_id": opened["id"], "hash": hash, "view": form("Ready") });
    assert_eq!(error(&app.call("views.update", update(&json!("old"))).await), "hash_conflict");
    let updated = app.call("views.update", update(&opened["hash"])).await;
    assert_eq!(error(&updated), "ok");
    assert_ne!(updated["view"]["hash"], opened["hash"]);
    assert_eq!(app.slack.views("U0ANNA")[0].title, "Ready");
    let gone = json!({ "view_id": "V0NONE", "view": form("Ready") });
    assert_eq!(error(&app.call("views.update", gone).await), "not_found");
}

#[tokio::test]
async fn a_form_is_filled_in_and_submitted() {
    let app = App::new().await;
    let mut line = app.connect().await;
    open(&app, &mut line, form("Ask")).await;
    let anna = app.slack.person("U0ANNA");
    assert_eq!(anna.submits(&[]), Err(Impossible::Required("Name".to_owned())));
    assert!(matches!(anna.submits(&[("Colour", "red")]), Err(Impossible::NoSuchElement { .. })));
    anna.submits(&[("Name", "web"), ("Kind", "Pod")]).unwrap();
    let envelope = line.envelope().await;
    assert_eq!(envelope["accepts_response_payload"], true);
    let payload = &envelope["payload"];
    assert_eq!((&payload["type"], &payload["view"]["private_metadata"]), (&json!("view_submission"), &json!("m")));
    let values = &payload["view"]["state"]["values"];
    assert_eq!(values["name"]["text"], json!({ "type": "plain_text_input", "value": "web" }));
    assert_eq!(values["kind"]["one"]["selected_option"]["value"], "pod");
    line.ack(&envelope, None).await;
    app.slack.wait_for(SOON, |slack| slack.views("U0ANNA").is_empty().then_some(())).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_shown_in_it() {
    let app = App::new().await;
    let mut line = app.connect().await;
    open(&app, &mut line, form("Ask")).await;
    let anna = app.slack.person("U0ANNA");
    anna.submits(&[("name", "web")]).unwrap();
    let envelope = line.envelope().await;
    let errors = json!({ "name": "there is no such pod" });
    line.ack(&envelope, Some(json!({ "response_action": "errors", "errors": errors }))).await;
    let wrong =
        |slack: &kubewhy_slack_server::Slack| slack.views("U0ANNA").first().and_then(|view| view.errors.clone());
    assert_eq!(app.slack.wait_for(SOON, wrong).await.unwrap(), errors);
    anna.submits(&[("name", "db")]).unwrap();
    let envelope = line.envelope().await;
    let next = json!({ "response_action": "update", "view": form("Thanks") });
    line.ack(&envelope, Some(next)).await;
    let changed =
        |slack: &kubewhy_slack_server::Slack| slack.views("U0ANNA").pop().filter(|view| view.title == "Thanks");
    assert_eq!(app.slack.wait_for(SOON, changed).await.unwrap().errors, None);
}

#[tokio::test]
async fn errors_about_fields_that_are_not_there_are_an_error() {
    let app = App::new().await;
    let mut line = app.connect().await;
    open(&app, &mut line, form("Ask")).await;
    app.slack.person("U0ANNA").submits(&[("name", "web")]).unwrap();
    let envelope = line.envelope().await;
    line.ack(&envelope, Some(json!({ "response_action": "errors", "errors": { "colour": "x" } }))).await;
    let warned =
        |slack: &kubewhy_slack_server::Slack| slack.warnings().into_iter().find(|one| one.why == "invalid_errors");
    app.slack.wait_for(SOON, warned).await.unwrap();
}

#[tokio::test]
async fn options_of_a_menu_come_from_the_app() {
    let app = App::new().await;
    let mut line = app.connect().await;
    let mut view = form("Ask");
    view["blocks"][1]["element"] = json!({ "type": "external_select", "action_id": "one", "min_query_length": 1 });
    open(&app, &mut line, view).await;
    let sent = app.slack.person("U0ANNA").types_into("one", "we").unwrap();
    let envelope = line.envelope().await;
    assert_eq!(
        (&envelope["payload"]["type"], &envelope["payload"]["value"]),
        (&json!("block_suggestion"), &json!("we"))
    );
    let options = json!({ "options": [{ "text": { "type": "plain_text", "text": "web" }, "value": "web" }] });
    line.ack(&envelope, Some(options.clone())).await;
    app.slack.wait_for_ack(&sent.envelope, SOON).await.unwrap();
    assert_eq!(app.slack.suggestions(&sent.envelope), Some(options));
}

#[tokio::test]
async fn a_closed_view_is_told_to_those_who_asked() {
    let app = App::new().await;
    let mut line = app.connect().await;
    open(&app, &mut line, form("Ask")).await;
    assert_eq!(app.slack.person("U0ANNA").closes(), Ok(None));
    let mut view = form("Ask");
    view["notify_on_close"] = true.into();
    open(&app, &mut line, view).await;
    assert!(app.slack.person("U0ANNA").closes().unwrap().is_some());
    assert_eq!(line.envelope().await["payload"]["type"], "view_closed");
    assert!(app.slack.person("U0ANNA").closes().is_err());
}
