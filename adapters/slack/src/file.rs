//! Files: pictures, and what is too long for messages.

use kubewhy_chat::ChatError;
use serde::Deserialize;
use serde_json::json;
use url::Url;

use crate::api::{Care, Failure};
use crate::line::Line;
use crate::render::File;

#[derive(Deserialize)]
struct Ticket {
    upload_url: String,
    file_id: String,
}

#[derive(Deserialize)]
struct Shared {}

impl Line {
    /// Shares a file in a thread, in Slack's three steps.
    pub(crate) async fn share(&self, channel: &str, thread: &str, file: &File) -> Result<(), ChatError> {
        let refused = |failure: Failure| failure.into_chat("share a file", channel);
        let length = file.bytes.len().to_string();
        let title: String = file.title.chars().take(250).collect();
        let parameters = [("filename", file.name.as_str()), ("length", &length), ("alt_txt", &title)];
        let ticket: Ticket = self.api.get("files.getUploadURLExternal", &parameters).await.map_err(refused)?;
        let odd = || ChatError::Invalid { action: "share a file", code: "odd_upload_url".to_owned() };
        let url = trusted(&ticket.upload_url, self.api.url()).ok_or_else(odd)?;
        self.api.upload(&url, &file.bytes).await.map_err(refused)?;
        let request = json!({
            "files": [{"id": ticket.file_id, "title": title}],
            "channel_id": channel,
            "thread_ts": thread,
        });
        self.pace.post(channel).await?;
        let shared = self.api.post::<_, Shared>("files.completeUploadExternal", Care::Once, &request).await;
        shared.map(|_| ()).map_err(refused)
    }
}

/// The address, if bytes may go there: Slack's own host, or that of the API in use.
fn trusted(upload_url: &str, api: &Url) -> Option<Url> {
    let url = Url::parse(upload_url).ok()?;
    let domain = api.host_str().filter(|host| matches!(*host, "slack.com" | "slack-gov.com"));
    let is_slacks = match domain {
        Some(domain) => {
            let host = url.host_str().unwrap_or_default();
            url.scheme() == "https" && host.strip_suffix(domain).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
        }
        None => url.origin() == api.origin(),
    };
    is_slacks.then_some(url)
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::trusted;

    #[test]
    fn bytes_go_to_slack_and_nowhere_else() {
        let slack = Url::parse("https://slack.com/api").expect("a url");
        assert!(trusted("https://files.slack.com/upload/v1/abc", &slack).is_some());
        for url in ["http://files.slack.com/1", "https://evilslack.com/1", "https://files.slack.com.evil.example/1", ""]
        {
            assert_eq!(trusted(url, &slack), None, "{url}");
        }
    }
}
