//! A call before it is made.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

/// How long a call may take with all its waiting.
const DEADLINE: Duration = Duration::from_secs(30);

/// Whether a call may be repeated where it is doubtful whether it took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It does the same once or twice: reads, edits, posts with a nonce.
    Freely,
    /// Twice would show: only where it certainly took no effect.
    OnlyIfLost,
}

/// A file that goes with a message.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attachment<'a> {
    pub(crate) name: &'a str,
    pub(crate) bytes: &'a [u8],
}

/// A call of the API.
pub(crate) struct Call<'a> {
    pub(crate) method: Method,
    /// Below the version: `channels/1/messages`.
    pub(crate) path: String,
    /// What it does, for people: `post a message`.
    pub(crate) action: &'static str,
    pub(crate) body: Option<Value>,
    pub(crate) files: &'a [Attachment<'a>],
    pub(crate) repeat: Repeat,
    pub(crate) deadline: Duration,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: impl Into<String>, action: &'static str) -> Self {
        let repeat = if method == Method::POST { Repeat::OnlyIfLost } else { Repeat::Freely };
        Self { method, path: path.into(), action, body: None, files: &[], repeat, deadline: DEADLINE }
    }

    pub(crate) fn get(path: impl Into<String>, action: &'static str) -> Self {
        Self::new(Method::GET, path, action)
    }

    pub(crate) fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    pub(crate) fn files(mut self, files: &'a [Attachment<'a>]) -> Self {
        self.files = files;
        self
    }

    pub(crate) fn freely(mut self) -> Self {
        self.repeat = Repeat::Freely;
        self
    }

    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Whether it is made in the name of the bot; what belongs to an interaction carries its own token in the path.
    pub(crate) fn is_authorized(&self) -> bool {
        !self.path.starts_with("interactions/") && !self.path.starts_with("webhooks/")
    }

    /// Whether it counts for the limit over all calls.
    pub(crate) fn counts(&self) -> bool {
        self.is_authorized()
    }

    /// What Discord counts it under: the route with its major parameter. `None` where it does not limit.
    pub(crate) fn bucket(&self) -> Option<String> {
        let major = match self.path.split('/').next() {
            Some("interactions") => return None,
            Some("webhooks") => 3,
            _ => 2,
        };
        let mut bucket = self.method.to_string();
        for (index, segment) in self.path.split('?').next().unwrap_or_default().split('/').enumerate() {
            let minor = index >= major && segment.bytes().all(|byte| byte.is_ascii_digit());
            bucket.push('/');
            bucket.push_str(if minor { "*" } else { segment });
        }
        Some(bucket)
    }
}

#[cfg(test)]
mod tests {
    use reqwest::Method;

    use super::Call;

    fn bucket(method: Method, path: &str) -> Option<String> {
        Call::new(method, path, "try").bucket()
    }

    #[test]
    fn messages_of_one_channel_share_a_bucket_and_channels_do_not() {
        let first = bucket(Method::PATCH, "channels/1/messages/10");
        assert_eq!(first, bucket(Method::PATCH, "channels/1/messages/11"));
        assert_ne!(first, bucket(Method::PATCH, "channels/2/messages/10"));
        assert_ne!(first, bucket(Method::DELETE, "channels/1/messages/10"));
    }

    #[test]
    fn each_interaction_has_its_own_bucket_and_its_first_answer_none() {
        assert_ne!(
            bucket(Method::PATCH, "webhooks/1/a/messages/@original"),
            bucket(Method::PATCH, "webhooks/1/b/messages/@original")
        );
        assert_eq!(bucket(Method::POST, "interactions/1/a/callback"), None);
    }

    #[test]
    fn the_bot_token_does_not_go_with_an_interaction() {
        assert!(!Call::get("webhooks/1/a/messages/@original", "try").is_authorized());
        assert!(!Call::get("interactions/1/a/callback", "try").is_authorized());
        assert!(Call::get("channels/1", "try").is_authorized());
    }
}
