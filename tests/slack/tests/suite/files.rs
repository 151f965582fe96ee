//! Files in three steps.

use serde_json::{Value, json};

use crate::app::{App, INCIDENTS, error};

async fn url_for(app: &App, name: &str, length: &str) -> (String, String) {
    let answer = app.get("files.getUploadURLExternal", &[("filename", name), ("length", length)]).await;
    let text = |key: &str| answer[key].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (text("upload_url"), text("file_id"))
}

#[tokio::test]
async fn a_file_is_shared_after_three_steps() {
    let app = App::new().await;
    let parent = app.post(INCIDENTS, "parent").await;
    let (url, id) = url_for(&app, "web.log", "5").await;
    let complete = json!({
        "files": [{ "id": id, "title": "Log of web" }], "channel_id": INCIDENTS, "thread_ts": parent,
        "initial_comment": "the whole log",
    });
    assert_eq!(
        error(&app.call("files.completeUploadExternal", complete.clone()).await),
        "file_not_found",
        "no bytes yet"
    );
    let wrong = app.http.post(&url).body("too long").send().await.unwrap();
    assert_eq!(wrong.status(), 400);
    let sent = app.http.post(&url).body("hello").send().await.unwrap();
    assert_eq!((sent.status().as_u16(), sent.text().await.unwrap()), (200, "OK - 5".to_owned()));
    assert_eq!(app.slack.file(&id), None, "not shared before it is complete");
    let answer = app.call("files.completeUploadExternal", complete.clone()).await;
    assert_eq!(answer["files"][0]["title"], "Log of web", "{answer}");
    assert_eq!(app.slack.file(&id).as_deref(), Some(b"hello".as_slice()));
    let seen = app.slack.thread(INCIDENTS, &parent).pop().unwrap();
    assert_eq!((seen.text.as_str(), seen.files), ("the whole log", vec![id.clone()]));
    assert_eq!(app.get("files.info", &[("file", &id)]).await["file"]["size"], 5);
    assert_eq!(error(&app.call("files.completeUploadExternal", complete).await), "file_update_failed");
}

#[tokio::test]
async fn bytes_come_as_a_form_too() {
    let app = App::new().await;
    let (url, id) = url_for(&app, "a.txt", "3").await;
    let form = reqwest::multipart::Form::new().part("body", reqwest::multipart::Part::bytes(b"abc".to_vec()));
    assert_eq!(app.http.post(&url).multipart(form).send().await.unwrap().status(), 200);
    let files: Value = json!([{ "id": id }]);
    let form = [("files", files.to_string())];
    app.request("files.completeUploadExternal").form(&form).send().await.unwrap();
    assert_eq!(app.slack.file(&id).as_deref(), Some(b"abc".as_slice()));
}

#[tokio::test]
async fn a_file_goes_only_where_the_bot_is() {
    let app = App::new().await;
    for (channel, thread, expected) in [
        ("C0GENERAL", None, "not_in_channel"),
        ("C0SECRET", None, "channel_not_found"),
        ("C0OLD", None, "is_archived"),
        (INCIDENTS, Some("1.000001"), "invalid_thread_ts"),
    ] {
        let (url, id) = url_for(&app, "a.txt", "1").await;
        app.http.post(&url).body("a").send().await.unwrap();
        let complete = json!({ "files": [{ "id": id }], "channel_id": channel, "thread_ts": thread });
        assert_eq!(error(&app.call("files.completeUploadExternal", complete).await), expected, "{channel}");
    }
    assert_eq!(error(&app.get("files.info", &[("file", "F0NONE")]).await), "file_not_found");
}
