//! The Rust client that adapters use understands every answer and payload: its models are stricter than Slack's own clients.

use hyper_util::client::legacy::connect::HttpConnector;
use kubewhy_slack_server::{EnvelopeKind, World};
use serde_json::{Value, json};
use slack_morphism::errors::SlackClientError;
use slack_morphism::prelude::*;

use crate::app::{App, INCIDENTS};

type Client = SlackClient<SlackClientHyperConnector<HttpConnector>>;

fn client(app: &App) -> Client {
    let connector = SlackClientHyperConnector::with_connector(HttpConnector::new());
    SlackClient::new(connector.with_slack_api_url(&app.slack.api_url()))
}

fn token() -> SlackApiToken {
    SlackApiToken::new("xoxb-test-bot".into())
}

fn said(text: &str) -> SlackMessageContent {
    SlackMessageContent::new().with_text(text.to_owned())
}

#[tokio::test]
async fn answers_about_the_workspace_are_understood() {
    let app = App::new().await;
    let (client, token) = (client(&app), token());
    let session = client.open_session(&token);
    assert_eq!(session.auth_test().await.unwrap().bot_id, Some("B0KUBEWHY".into()));
    for user in ["U0ANNA", "U0GUS", "U0SUE", "U0EVA", "U0ROBO"] {
        let user = session.users_info(&SlackApiUsersInfoRequest::new(user.into())).await.unwrap().user;
        assert_eq!(user.flags.is_stranger.unwrap_or(false), user.id == "U0EVA".into());
    }
    for channel in [INCIDENTS, "C0WAR", "C0OLD", "D0ANNA"] {
        session.conversations_info(&SlackApiConversationsInfoRequest::new(channel.into())).await.unwrap();
    }
    let list = session.conversations_list(&SlackApiConversationsListRequest::new()).await.unwrap();
    assert_eq!(list.channels.len(), 4);
    let members = SlackApiConversationsMembersRequest::new().with_channel(INCIDENTS.into());
    assert_eq!(session.conversations_members(&members).await.unwrap().members.len(), 7);
    let groups = session.usergroups_list(&SlackApiUserGroupsListRequest::new().with_include_users(true)).await.unwrap();
    assert_eq!(groups.usergroups[0].users.as_ref().unwrap().len(), 2);
    let users = SlackApiUserGroupsUsersListRequest::new("S0ONCALL".to_owned().into());
    assert_eq!(session.usergroups_users_list(&users).await.unwrap().users.len(), 2);
    session.users_list(&SlackApiUsersListRequest::new()).await.unwrap();
    session.team_info(&SlackApiTeamInfoRequest::new()).await.unwrap();
    session.bots_info(&SlackApiBotsInfoRequest::new()).await.unwrap();
}

#[tokio::test]
async fn answers_about_messages_are_understood() {
    let app = App::new().await;
    let (client, token) = (client(&app), token());
    let session = client.open_session(&token);
    let channel = || SlackChannelId::from(INCIDENTS);
    let posted = session.chat_post_message(&SlackApiChatPostMessageRequest::new(channel(), said("one"))).await.unwrap();
    let reply = SlackApiChatPostMessageRequest::new(channel(), said("two")).with_thread_ts(posted.ts.clone());
    session.chat_post_message(&reply).await.unwrap();
    let update = SlackApiChatUpdateRequest::new(channel(), said("three"), posted.ts.clone());
    assert_eq!(session.chat_update(&update).await.unwrap().message.content.text.as_deref(), Some("three"));
    let shown = SlackApiChatPostEphemeralRequest::new(channel(), "U0ANNA".into(), said("just for you"));
    session.chat_post_ephemeral(&shown).await.unwrap();
    let replies = SlackApiConversationsRepliesRequest::new(channel(), posted.ts.clone());
    assert_eq!(session.conversations_replies(&replies).await.unwrap().messages.len(), 2);
    let link = SlackApiChatGetPermalinkRequest::new(channel(), posted.ts.clone());
    session.chat_get_permalink(&link).await.unwrap();
    let url = SlackApiFilesGetUploadUrlExternalRequest::new("a.txt".to_owned(), 3);
    let url = session.get_upload_url_external(&url).await.unwrap();
    let upload = SlackApiFilesUploadViaUrlRequest::new(url.upload_url, b"abc".to_vec(), "text/plain".to_owned());
    session.files_upload_via_url(&upload).await.unwrap();
    let complete =
        SlackApiFilesCompleteUploadExternalRequest::new(vec![SlackApiFilesComplete::new(url.file_id.clone())])
            .with_channel_id(channel())
            .with_thread_ts(posted.ts.clone());
    session.files_complete_upload_external(&complete).await.unwrap();
    assert_eq!(app.slack.file(&url.file_id.0).as_deref(), Some(b"abc".as_slice()));
    let status = SlackApiAssistantThreadsSetStatusRequest::new(channel(), "is looking".to_owned(), posted.ts.clone());
    session.assistant_threads_set_status(&status).await.unwrap();
    session.chat_delete(&SlackApiChatDeleteRequest::new(channel(), posted.ts)).await.unwrap();
}

#[tokio::test]
async fn refusals_are_understood() {
    let app = App::in_world(World::default()).await;
    let (client, token) = (client(&app), token());
    let session = client.open_session(&token);
    let long = SlackBlock::from(SlackHeaderBlock::new("x".repeat(151).into()));
    let content = said("x").with_blocks(vec![long]);
    let refused = session.chat_post_message(&SlackApiChatPostMessageRequest::new(INCIDENTS.into(), content)).await;
    let Err(SlackClientError::ApiError(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!(refused.code, "invalid_blocks");
    assert!(refused.errors.unwrap()[0].contains("/blocks/0/text/text"));
    let message = SlackApiChatPostMessageRequest::new(INCIDENTS.into(), said("x"));
    let mut limited = None;
    for _ in 0..9 {
        if let Err(problem) = session.chat_post_message(&message).await {
            limited = Some(problem);
        }
    }
    let Some(SlackClientError::RateLimitError(limited)) = limited else { panic!("{limited:?}") };
    assert_eq!(limited.retry_after, Some(std::time::Duration::from_secs(1)));
}

#[tokio::test]
async fn payloads_are_understood() {
    let app = App::in_world(World::default().without_limits().with_event("message.channels")).await;
    let mut line = app.connect().await;
    let anna = app.slack.person("U0ANNA");
    let (client, token) = (client(&app), token());
    let session = client.open_session(&token);
    let elements = json!([
        { "type": "button", "action_id": "more", "text": { "type": "plain_text", "text": "More" } },
        { "type": "static_select", "action_id": "which",
          "options": [{ "text": { "type": "plain_text", "text": "Pod" }, "value": "pod" }] },
    ]);
    let blocks = json!([{ "type": "actions", "elements": elements }]);
    let message = json!({ "channel": INCIDENTS, "text": "x", "blocks": blocks, "attachments": [{ "blocks": blocks }] });
    let ts = app.call("chat.postMessage", message).await["ts"].as_str().unwrap().to_owned();
    let show = json!({ "channel": INCIDENTS, "user": "U0ANNA", "text": "x", "blocks": blocks });
    let shown = app.call("chat.postEphemeral", show).await["message_ts"].as_str().unwrap().to_owned();

    anna.presses(INCIDENTS, &ts, "More").unwrap();
    anna.chooses(INCIDENTS, &ts, "which", "Pod").unwrap();
    anna.presses(INCIDENTS, &shown, "More").unwrap();
    anna.uses_message_shortcut(INCIDENTS, &ts, "Why?").unwrap();
    let said = anna.says(INCIDENTS, "<@U0KUBEWHY> why").unwrap();
    anna.edits(INCIDENTS, &said, "never mind").unwrap();
    anna.deletes(INCIDENTS, &said).unwrap();
    app.slack.person("U0EVA").says("C0SHARED", "<@U0KUBEWHY> why").unwrap();
    anna.opens_home().unwrap();
    let trigger = anna.slash(INCIDENTS, "/why", "pod web").unwrap().trigger_id.unwrap();
    let view = json!({
        "type": "modal", "title": { "type": "plain_text", "text": "Ask" }, "submit": { "type": "plain_text", "text": "Go" },
        "notify_on_close": true,
        "blocks": [
            { "type": "input", "label": { "type": "plain_text", "text": "Name" },
              "element": { "type": "plain_text_input", "action_id": "name" } },
            { "type": "input", "label": { "type": "plain_text", "text": "Kind" }, "element": {
              "type": "static_select", "action_id": "kind",
              "options": [{ "text": { "type": "plain_text", "text": "Pod" }, "value": "pod" }] } },
        ],
    });
    let view: SlackView = serde_json::from_value(view).unwrap();
    session.views_open(&SlackApiViewsOpenRequest::new(trigger.into(), view)).await.unwrap();
    anna.submits(&[("Name", "web"), ("Kind", "Pod")]).unwrap();
    anna.closes().unwrap();

    let delivered = app.slack.delivered();
    let count = |kind| delivered.iter().filter(|one| one.kind == kind).count();
    let (commands, presses) = (count(EnvelopeKind::SlashCommands), count(EnvelopeKind::Interactive));
    assert_eq!((commands, presses, count(EnvelopeKind::EventsApi)), (1, 6, 8));
    for one in delivered {
        let payload = one.payload.clone();
        let understood = match one.kind {
            EnvelopeKind::SlashCommands => serde_json::from_value::<SlackCommandEvent>(payload).err(),
            EnvelopeKind::Interactive => serde_json::from_value::<SlackInteractionEvent>(payload).err(),
            EnvelopeKind::EventsApi => match serde_json::from_value::<SlackPushEventCallback>(payload) {
                Ok(push) => {
                    let known = !matches!(push.event, SlackEventCallbackBody::Unknown(_));
                    assert!(known, "{}", Value::from(one.payload.to_string()));
                    None
                }
                Err(problem) => Some(problem),
            },
        };
        assert!(understood.is_none(), "{understood:?}: {}", one.payload);
    }
    assert_eq!(line.envelope().await["type"], "events_api");
}
