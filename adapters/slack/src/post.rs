//! Posting, so that nothing is said twice.

use std::collections::HashMap;
use std::time::Duration;

use kubewhy_chat::{ChatError, Person, Post, Posted};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use slack_morphism::prelude::{
    SlackBlock, SlackBlockMarkDownText, SlackMessageContent, SlackMessageMetadata, SlackSectionBlock,
};
use tokio::time::sleep;

use crate::api::{Care, Failure};
use crate::line::{Line, Remembered};
use crate::render::{Screen, render};
use crate::way::{self, place};

/// What the metadata of our messages is called.
const EVENT_TYPE: &str = "kubewhy_message";
/// How long Slack gets to show a message whose fate is unclear before it is looked up.
const SETTLING: Duration = Duration::from_secs(1);
/// How often a message whose fate is unclear is sent in all.
const MOST_SENDS: usize = 3;
/// How many pages of a thread are looked through.
const MOST_PAGES: usize = 10;
/// How long after the start a key may be one of the run before.
const RESTART_WINDOW: Duration = Duration::from_mins(10);

/// A message, with everything switched off by which its words could call somebody or fetch something.
#[derive(Serialize)]
struct Outgoing<'o> {
    channel: &'o str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'o str>,
    unfurl_links: bool,
    unfurl_media: bool,
    link_names: bool,
    parse: &'static str,
    #[serde(flatten)]
    content: SlackMessageContent,
}

/// What came of it. The message itself is not read back: it says nothing new, and could be odd.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Another than the one asked for where that was a person.
    pub(crate) channel: String,
    /// Empty where Slack did not say it: then nothing can be said below.
    pub(crate) ts: String,
}

#[derive(Deserialize)]
struct Answered {
    #[serde(default)]
    channel: Option<String>,
    #[serde(default)]
    ts: Option<String>,
}

#[derive(Deserialize)]
struct History {
    #[serde(default)]
    messages: Vec<Value>,
    #[serde(default)]
    response_metadata: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    #[serde(default)]
    next_cursor: String,
}

impl Line {
    /// Posts a message that nobody's delivery asked for just now.
    pub(crate) async fn post(&self, post: &Post) -> Result<Posted, ChatError> {
        let Some(channel) = way::channel(&post.place.channel) else {
            return Err(ChatError::NoChannel {
                channel: post.place.channel.clone(),
                code: "no_slack_channel".to_owned(),
            });
        };
        let thread = post.place.thread.as_deref();
        let may_be_posted = self.started.elapsed() < RESTART_WINDOW;
        if let Some(posted) = self.posted_before(channel, thread, &post.key, may_be_posted).await? {
            return Ok(posted);
        }
        let rendering = render(&post.message);
        let content = call(&rendering.first, post.mention.as_ref());
        let sent = self.send(channel, thread, content, Some(&post.key)).await?;
        let root = thread.unwrap_or(&sent.ts);
        let posted = Posted { place: place(&sent.channel, Some(root)), id: sent.ts.clone() };
        self.posts.insert(post.key.clone(), Remembered::Posted(posted.clone())).await;
        self.say_below(&sent.channel, root, &rendering, &post.key).await;
        Ok(posted)
    }

    /// What stands in Slack under that key already. It is looked up where it was doubtful the last time, or where a run
    /// before this one can have posted it.
    pub(crate) async fn posted_before(
        &self,
        channel: &str,
        thread: Option<&str>,
        key: &str,
        can_be_older: bool,
    ) -> Result<Option<Posted>, ChatError> {
        let is_doubtful = match self.posts.get(key).await {
            Some(Remembered::Posted(posted)) => return Ok(Some(posted)),
            Some(Remembered::Doubtful) => true,
            None if can_be_older => false,
            None => return Ok(None),
        };
        match self.find(channel, thread, key).await {
            Ok(found) => Ok(found.map(|ts| Posted { place: place(channel, Some(thread.unwrap_or(&ts))), id: ts })),
            Err(failure) if is_doubtful => Err(ChatError::Unreachable { why: failure.to_string(), doubtful: true }),
            Err(failure) => {
                tracing::debug!(error = %failure, "what was posted before the start cannot be looked up");
                Ok(None)
            }
        }
    }

    /// Sends a message. Where it is unclear what became of it, it is looked up by its key before it is sent again.
    pub(crate) async fn send(
        &self,
        channel: &str,
        thread: Option<&str>,
        content: SlackMessageContent,
        key: Option<&str>,
    ) -> Result<Sent, ChatError> {
        let content = SlackMessageContent { metadata: key.map(metadata), ..content };
        let outgoing = Outgoing {
            channel,
            thread_ts: thread,
            unfurl_links: false,
            unfurl_media: false,
            link_names: false,
            parse: "none",
            content,
        };
        let mut last = String::new();
        for _ in 0..MOST_SENDS {
            self.pace.post(channel).await?;
            let posted = self.api.post_in::<_, Answered>(channel, "chat.postMessage", Care::Once, &outgoing).await;
            let failure = match posted {
                Ok(Answered { channel: actual, ts }) => {
                    let channel = actual.unwrap_or_else(|| channel.to_owned());
                    return Ok(Sent { channel, ts: ts.unwrap_or_default() });
                }
                Err(failure) => failure,
            };
            let (Failure::Unclear(why), Some(key)) = (&failure, key) else {
                return Err(failure.into_chat("post a message", channel));
            };
            tracing::info!(error = %failure, chat.channel = channel, "whether a message was posted is looked up");
            sleep(SETTLING).await;
            match self.find(channel, thread, key).await {
                Ok(Some(ts)) => return Ok(Sent { channel: channel.to_owned(), ts }),
                Ok(None) => last.clone_from(why),
                Err(lookup) => {
                    self.posts.insert(key.to_owned(), Remembered::Doubtful).await;
                    let why = format!("{why}; whether it was posted cannot be looked up: {lookup}");
                    return Err(ChatError::Unreachable { why, doubtful: true });
                }
            }
        }
        Err(ChatError::Unreachable { why: last, doubtful: false })
    }

    /// The message of ours with that key, among the newest of the channel or in the thread.
    pub(crate) async fn find(&self, channel: &str, thread: Option<&str>, key: &str) -> Result<Option<String>, Failure> {
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let mut parameters = vec![("channel", channel), ("include_all_metadata", "true"), ("limit", "100")];
            if !cursor.is_empty() {
                parameters.push(("cursor", &cursor));
            }
            let method = match thread {
                Some(thread) => {
                    parameters.push(("ts", thread));
                    "conversations.replies"
                }
                None => "conversations.history",
            };
            let page: History = self.api.get(method, &parameters).await?;
            let found = page.messages.iter().find(|message| key_of(message) == Some(key));
            if let Some(ts) = found.and_then(|message| message.get("ts")).and_then(Value::as_str) {
                return Ok(Some(ts.to_owned()));
            }
            // The newest of a channel come first, those of a thread last.
            let next = page.response_metadata.map(|next| next.next_cursor).unwrap_or_default();
            if thread.is_none() || next.is_empty() {
                break;
            }
            cursor = next;
        }
        Ok(None)
    }
}

/// The first screen, with the one person it calls before it.
fn call(first: &Screen, mention: Option<&Person>) -> SlackMessageContent {
    let mut content = first.content();
    let Some((_, user)) = mention.and_then(|person| way::person(&person.id)) else { return content };
    let called = SlackSectionBlock::new().with_text(SlackBlockMarkDownText::new(format!("<@{user}>")).into());
    content.blocks.get_or_insert_default().insert(0, SlackBlock::from(called));
    content.text = Some(format!("<@{user}> {}", content.text.unwrap_or_default()));
    content
}

/// Only strings: slack-morphism, and who uses it, loses every click on a message with anything else in it.
fn metadata(key: &str) -> SlackMessageMetadata {
    SlackMessageMetadata::new(EVENT_TYPE.to_owned())
        .with_event_payload(HashMap::from([("key".to_owned(), key.to_owned())]))
}

fn key_of(message: &Value) -> Option<&str> {
    let is_ours = message.pointer("/metadata/event_type")?.as_str()? == EVENT_TYPE;
    message.pointer("/metadata/event_payload/key")?.as_str().filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::{Message, Person, Tone};
    use serde_json::json;

    use super::{call, key_of, metadata};
    use crate::render::render;

    #[test]
    fn exactly_the_one_person_is_called() {
        let first = render(&Message::new(Tone::Healthy, "cart is healthy".into())).first;
        let person = |id: &str| Person { id: id.to_owned(), ..Person::default() };
        let called = serde_json::to_string(&call(&first, Some(&person("slack:T1:U1")))).expect("JSON");
        assert_eq!(called.matches("<@").count(), called.matches("<@U1>").count());
        assert!(called.contains("<@U1>"));
        for id in ["slack:T1:U1> <!channel", "discord:7", "slack:U1"] {
            let content = serde_json::to_string(&call(&first, Some(&person(id)))).expect("JSON");
            assert!(!content.contains("<@") && !content.contains("<!"), "{content}");
        }
    }

    #[test]
    fn a_key_is_found_in_metadata_of_ours_alone() {
        let ours = json!({"ts": "1.1", "metadata": metadata("k1")});
        assert_eq!(key_of(&ours), Some("k1"));
        for odd in [json!({}), json!({"metadata": {"event_type": "other", "event_payload": {"key": "k1"}}}), json!(1)] {
            assert_eq!(key_of(&odd), None);
        }
    }
}
