//! What became of a call that did not succeed.

use std::time::Duration;

use kubewhy_chat::ChatError;
use serde::Deserialize;
use slack_morphism::errors::{SlackClientApiError, SlackClientError};

/// What became of a call that did not succeed. Holds no body of an answer: it can hold words and tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Slack said no.
    #[error("{code}")]
    Refused {
        /// Its word for it.
        code: String,
        /// The scope that lacks, where one does.
        needed: Option<String>,
    },
    /// Slack asks to wait.
    #[error("ratelimited")]
    Throttled(Duration),
    /// It never reached Slack.
    #[error("{0}")]
    Unsent(String),
    /// It may have taken effect or not.
    #[error("{0}")]
    Unclear(String),
}

/// Codes that say nothing of the call itself.
const PASSING: &[&str] =
    &["internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"];
const REVOKED: &[&str] =
    &["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "not_allowed_token_type"];
const NO_CHANNEL: &[&str] = &[
    "channel_not_found",
    "not_in_channel",
    "is_archived",
    "user_not_in_channel",
    "is_inactive",
    "messages_tab_disabled",
    "user_not_found",
    "cannot_dm_bot",
    "channel_not_supported",
    "invalid_channel",
];
const GONE: &[&str] =
    &["message_not_found", "edit_window_closed", "cant_update_message", "thread_not_found", "update_failed"];
const FORBIDDEN: &[&str] = &[
    "missing_scope",
    "no_permission",
    "access_denied",
    "ekm_access_denied",
    "team_access_not_granted",
    "not_allowed",
    "restricted_action",
    "restricted_action_read_only_channel",
    "restricted_action_thread_only_channel",
    "restricted_action_non_threadable_channel",
    "restricted_action_thread_locked",
    "enterprise_is_restricted",
    "two_factor_setup_required",
    "link_disabled",
    "org_login_required",
    "accesslimited",
    "as_user_not_supported",
];

impl Failure {
    /// Whether the call certainly changed nothing, so that it can be sent again.
    pub(crate) fn had_no_effect(&self) -> bool {
        matches!(self, Self::Throttled(_) | Self::Unsent(_))
    }

    /// Whether the same call can succeed later.
    pub(crate) fn is_passing(&self) -> bool {
        !matches!(self, Self::Refused { .. })
    }

    /// Slack's word for it, where it said no.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Refused { code, .. } => Some(code),
            Self::Throttled(_) | Self::Unsent(_) | Self::Unclear(_) => None,
        }
    }

    /// Whether no call will succeed before somebody gave another token.
    pub(crate) fn is_revoked(&self) -> bool {
        self.code().is_some_and(|code| REVOKED.contains(&code))
    }

    /// The same in the words of the port.
    pub(crate) fn into_chat(self, action: &'static str, channel: &str) -> ChatError {
        let is_one_of = |code: &str, codes: &[&str]| codes.contains(&code);
        match self {
            Self::Refused { code, .. } if is_one_of(&code, REVOKED) => ChatError::Revoked { code },
            Self::Refused { code, .. } if is_one_of(&code, NO_CHANNEL) => {
                ChatError::NoChannel { channel: channel.to_owned(), code }
            }
            Self::Refused { code, .. } if is_one_of(&code, GONE) => ChatError::Gone { code },
            Self::Refused { code, needed } if is_one_of(&code, FORBIDDEN) => {
                let code = needed.map_or_else(|| code.clone(), |scope| format!("{code}: {scope}"));
                ChatError::Forbidden { action, code }
            }
            Self::Refused { code, .. } => ChatError::Invalid { action, code },
            Self::Throttled(wait) => ChatError::Throttled { seconds: wait.as_secs().max(1) },
            Self::Unsent(why) => ChatError::Unreachable { why, doubtful: false },
            Self::Unclear(why) => ChatError::Unreachable { why, doubtful: true },
        }
    }
}

impl From<SlackClientError> for Failure {
    fn from(error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(error) => refused(&error),
            SlackClientError::RateLimitError(limit) => {
                Self::Throttled(limit.retry_after.unwrap_or(Duration::from_secs(1)))
            }
            SlackClientError::HttpError(error) if error.status_code.is_server_error() => {
                Self::Unclear(format!("HTTP {}", error.status_code.as_u16()))
            }
            SlackClientError::HttpError(error) => {
                Self::Refused { code: format!("http_{}", error.status_code.as_u16()), needed: None }
            }
            SlackClientError::HttpProtocolError(error) => {
                let never_sent = error
                    .cause
                    .as_deref()
                    .and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>())
                    .is_some_and(hyper_util::client::legacy::Error::is_connect);
                if never_sent {
                    Self::Unsent("no connection".to_owned())
                } else {
                    Self::Unclear("the connection broke".to_owned())
                }
            }
            SlackClientError::ProtocolError(_) => Self::Unclear("an answer that is not Slack's".to_owned()),
            SlackClientError::EndOfStream(_)
            | SlackClientError::SystemError(_)
            | SlackClientError::SocketModeProtocolError(_) => Self::Unclear("the connection broke".to_owned()),
        }
    }
}

fn refused(error: &SlackClientApiError) -> Failure {
    #[derive(Default, Deserialize)]
    struct Details {
        needed: Option<String>,
    }
    let code = word(&error.code);
    if PASSING.contains(&code.as_str()) {
        return Failure::Unclear(code);
    }
    if matches!(code.as_str(), "ratelimited" | "rate_limited") {
        return Failure::Throttled(Duration::from_secs(1));
    }
    let details: Option<Details> = error.http_response_body.as_deref().and_then(|body| serde_json::from_str(body).ok());
    Failure::Refused { code, needed: details.and_then(|details| details.needed).map(|scopes| word(&scopes)) }
}

/// A code or scope as Slack writes them, whoever answered.
fn word(words: &str) -> String {
    words
        .chars()
        .filter(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | ':' | '.' | ',' | '-'))
        .take(80)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use kubewhy_chat::ChatError;
    use slack_morphism::errors::{SlackClientApiError, SlackClientError};

    use super::Failure;

    fn said(code: &str, body: &str) -> Failure {
        let error = SlackClientApiError::new(code.to_owned()).with_http_response_body(body.to_owned());
        Failure::from(SlackClientError::ApiError(error))
    }

    #[test]
    fn a_missing_scope_is_named() {
        let failure = said("missing_scope", r#"{"ok":false,"error":"missing_scope","needed":"users:read"}"#);
        assert_eq!(
            failure.into_chat("look a person up", "C1"),
            ChatError::Forbidden { action: "look a person up", code: "missing_scope: users:read".to_owned() }
        );
    }

    #[test]
    fn a_failure_of_slack_itself_is_doubtful() {
        let failure = said("internal_error", "{}");
        assert!(failure.is_passing() && !failure.had_no_effect());
        assert!(matches!(failure.into_chat("post", "C1"), ChatError::Unreachable { doubtful: true, .. }));
    }

    #[test]
    fn what_a_server_says_is_reduced_to_a_word() {
        let failure = said("<!channel> xoxb-1 \n\u{202e}not_in_channel", "");
        assert_eq!(failure.to_string(), "channelxoxb-1not_in_channel");
    }

    #[test]
    fn to_wait_is_no_refusal() {
        let failure = Failure::Throttled(Duration::from_secs(7));
        assert_eq!(failure.into_chat("post", "C1"), ChatError::Throttled { seconds: 7 });
    }
}
