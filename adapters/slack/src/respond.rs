//! What only one person reads.

use kubewhy_chat::{ChatError, Posted};
use serde::{Deserialize, Serialize};
use slack_morphism::prelude::{
    SlackBlockMarkDownText, SlackContextBlock, SlackContextBlockElement, SlackMessageContent,
};
use url::Url;

use crate::api::{Care, Failure};
use crate::line::Line;
use crate::render::{Rendering, Screen};
use crate::way::{Spot, place};

/// How many messages are sent through one `response_url`, which takes five in half an hour.
const MOST_RESPONSES: usize = 4;
/// How many blocks a message has at most.
const MOST_BLOCKS: usize = 50;
/// Stands for a message that cannot be changed any more.
pub(crate) const EPHEMERAL: &str = "ephemeral";

/// A message to a `response_url`. slack-morphism's has no `response_type`.
#[derive(Serialize)]
pub(crate) struct Response {
    response_type: &'static str,
    replace_original: bool,
    #[serde(flatten)]
    content: SlackMessageContent,
}

/// A message that one person sees.
#[derive(Serialize)]
struct Whisper<'w> {
    channel: &'w str,
    user: &'w str,
    #[serde(skip_serializing_if = "Option::is_none")]
    thread_ts: Option<&'w str>,
    link_names: bool,
    parse: &'static str,
    #[serde(flatten)]
    content: &'w SlackMessageContent,
}

#[derive(Deserialize)]
struct Whispered {}

impl Response {
    pub(crate) fn ephemeral(content: SlackMessageContent) -> Self {
        Self { response_type: "ephemeral", replace_original: false, content }
    }
}

impl Line {
    /// Shows something to who asked alone: by the `response_url`, else in the channel, else as a direct message. Files
    /// cannot be shown that way; `note` is said below it.
    pub(crate) async fn whisper(
        &self,
        spot: &Spot,
        rendering: Rendering,
        note: Option<String>,
    ) -> Result<Posted, ChatError> {
        let mut contents = contents(&rendering);
        let note = match (note, rendering.files.is_empty()) {
            (note, true) => note,
            (None, false) => Some("What is too long for messages cannot be shown to one person alone.".to_owned()),
            (Some(note), false) => Some(format!("{note} What is too long for messages is left out until then.")),
        };
        if let (Some(note), Some(first)) = (&note, contents.first_mut()) {
            append(first, note);
        }
        let posted = Posted { place: place(&spot.channel, spot.thread.as_deref()), id: EPHEMERAL.to_owned() };
        if let Some(url) = spot.way.response_url.as_deref() {
            match self.respond(url, &contents).await {
                Ok(()) => return Ok(posted),
                Err(why) => tracing::debug!(why, "a response_url was of no use"),
            }
        }
        if spot.is_direct() {
            return self.say_privately(&spot.channel, spot.thread.as_deref(), &contents).await;
        }
        match self.whisper_in_channel(spot, &contents).await {
            Ok(()) => Ok(posted),
            Err(ChatError::Revoked { code }) => Err(ChatError::Revoked { code }),
            Err(error) if error.is_retryable() => Err(error),
            Err(error) => {
                tracing::debug!(%error, "a message to one person goes to a direct message");
                self.say_privately(&spot.way.user, None, &contents).await
            }
        }
    }

    async fn respond(&self, url: &str, contents: &[SlackMessageContent]) -> Result<(), String> {
        let url = trusted(url, self.api.url()).ok_or("it leads elsewhere")?;
        for (index, content) in contents.iter().enumerate() {
            let sent = self.api.respond(&url, &Response::ephemeral(content.clone())).await;
            match sent {
                Ok(()) => {}
                // Whoever saw the first screen must not see it again by another way.
                Err(failure) if index > 0 || matches!(failure, Failure::Unclear(_)) => {
                    tracing::warn!(error = %failure, "an answer to one person may be incomplete");
                    return Ok(());
                }
                Err(failure) => return Err(failure.to_string()),
            }
        }
        Ok(())
    }

    async fn whisper_in_channel(&self, spot: &Spot, contents: &[SlackMessageContent]) -> Result<(), ChatError> {
        for content in contents {
            let whisper = Whisper {
                channel: &spot.channel,
                user: &spot.way.user,
                thread_ts: spot.thread.as_deref(),
                link_names: false,
                parse: "none",
                content,
            };
            self.pace.whisper().await?;
            self.api
                .post::<_, Whispered>("chat.postEphemeral", Care::Once, &whisper)
                .await
                .map_err(|failure| failure.into_chat("show a message to one person", &spot.channel))?;
        }
        Ok(())
    }

    async fn say_privately(
        &self,
        channel: &str,
        thread: Option<&str>,
        contents: &[SlackMessageContent],
    ) -> Result<Posted, ChatError> {
        let mut first = None;
        for content in contents {
            let sent = self.send(channel, thread, content.clone(), None).await?;
            first.get_or_insert(sent);
        }
        let Some(sent) = first else {
            return Err(ChatError::Invalid { action: "say nothing", code: "no_text".to_owned() });
        };
        Ok(Posted { place: place(&sent.channel, thread), id: sent.ts })
    }
}

/// The screens as messages, the first ones of them.
fn contents(rendering: &Rendering) -> Vec<SlackMessageContent> {
    std::iter::once(&rendering.first).chain(&rendering.thread).take(MOST_RESPONSES).map(Screen::content).collect()
}

/// Says something below a message; `note` is mrkdwn of ours.
fn append(content: &mut SlackMessageContent, note: &str) {
    let small =
        SlackContextBlock::new(vec![SlackContextBlockElement::MarkDown(SlackBlockMarkDownText::new(note.to_owned()))]);
    let bar = content.attachments.as_mut().and_then(|attachments| attachments.last_mut());
    let blocks = match bar.and_then(|bar| bar.blocks.as_mut()) {
        Some(blocks) => blocks,
        None => content.blocks.get_or_insert_default(),
    };
    if blocks.len() < MOST_BLOCKS {
        blocks.push(small.into());
    }
}

/// The address, if it leads to where Slack takes responses. It comes with a delivery, and whoever made one up must not make
/// us post to an address of theirs, or of the network we run in.
fn trusted(response_url: &str, api: &Url) -> Option<Url> {
    let url = Url::parse(response_url).ok()?;
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_slacks = match api.host_str()? {
        host @ ("slack.com" | "slack-gov.com") => {
            let hooks = format!("hooks.{host}");
            url.scheme() == "https" && url.port().is_none() && url.host_str() == Some(hooks.as_str())
        }
        _ => url.origin() == api.origin(),
    };
    (is_plain && is_slacks).then_some(url)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::trusted;

    #[test]
    fn a_response_goes_to_slack_and_nowhere_else() {
        let slack = Url::parse("https://slack.com/api").expect("a url");
        assert!(trusted("https://hooks.slack.com/commands/T1/2/3", &slack).is_some());
        for url in [
            "http://hooks.slack.com/commands/1",
            "https://hooks.slack.com.evil.example/1",
            "https://hooks.slack.com@evil.example/1",
            "https://user:pass@hooks.slack.com/1",
            "https://hooks.slack.com:8443/1",
            "https://slack.com/api/1",
            "https://169.254.169.254/latest/meta-data",
            "http://127.0.0.1:6443/",
            "file:///etc/passwd",
            "",
        ] {
            assert_eq!(trusted(url, &slack), None, "{url}");
        }
    }

    #[test]
    fn another_api_takes_its_own_responses() {
        let api = Url::parse("http://127.0.0.1:4000/api").expect("a url");
        assert!(trusted("http://127.0.0.1:4000/respond/1", &api).is_some());
        for url in ["http://127.0.0.1:6443/", "https://hooks.slack.com/commands/1", "http://localhost:4000/respond/1"] {
            assert_eq!(trusted(url, &api), None, "{url}");
        }
    }
}
