//! Why a call did not succeed, and what that means to the rest of the program.

use kubewhy_chat::ChatError;

/// Why a call did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// Discord refused it.
    #[error("discord refused it: {words:?} ({code}, status {status})")]
    Refused { status: u16, code: u64, words: String },
    /// It asks to wait longer than the call may take.
    #[error("discord asks to wait for {seconds} s")]
    Throttled { seconds: u64 },
    /// No answer, or a failure over there.
    #[error("discord cannot be reached: {why}")]
    Unreachable { why: String, doubtful: bool },
    /// The bot token is not accepted.
    #[error("discord does not accept the token")]
    Revoked { code: String },
}

impl Failure {
    /// Discord's number for it.
    pub(crate) fn code(&self) -> Option<u64> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            _ => None,
        }
    }

    /// Whether the status says that there is no such thing.
    pub(crate) fn is_absent(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether the interaction can no longer be answered: its token ran out, or it was never acknowledged.
    pub(crate) fn is_expired(&self) -> bool {
        matches!(self, Self::Refused { status: 401 | 404, code: 0, .. })
            || matches!(
                self.code(),
                Some(codes::UNKNOWN_WEBHOOK | codes::UNKNOWN_INTERACTION | codes::INVALID_WEBHOOK_TOKEN)
            )
    }

    /// What it means for whoever wanted something in that channel.
    pub(crate) fn into_error(self, action: &'static str, channel: u64) -> ChatError {
        match self {
            Self::Throttled { seconds } => ChatError::Throttled { seconds },
            Self::Unreachable { why, doubtful } => ChatError::Unreachable { why, doubtful },
            Self::Revoked { code } => ChatError::Revoked { code },
            Self::Refused { status, code, .. } => {
                let word = if code == 0 { status.to_string() } else { code.to_string() };
                match code {
                    codes::UNKNOWN_CHANNEL
                    | codes::UNKNOWN_GUILD
                    | codes::MISSING_ACCESS
                    | codes::NOT_TO_THIS_PERSON
                    | codes::NOT_A_TEXT_CHANNEL
                    | codes::ARCHIVED_THREAD => {
                        ChatError::NoChannel { channel: format!("discord:{channel}"), code: word }
                    }
                    codes::UNKNOWN_MESSAGE
                    | codes::UNKNOWN_WEBHOOK
                    | codes::UNKNOWN_INTERACTION
                    | codes::INVALID_WEBHOOK_TOKEN
                    | codes::TOO_OLD_TO_EDIT
                    | codes::ANOTHERS_MESSAGE => ChatError::Gone { code: word },
                    _ if status == 403 => ChatError::Forbidden { action, code: word },
                    _ => ChatError::Invalid { action, code: word },
                }
            }
        }
    }
}

/// Discord's numbers: <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json>.
pub(crate) mod codes {
    pub(crate) const UNKNOWN_CHANNEL: u64 = 10_003;
    pub(crate) const UNKNOWN_GUILD: u64 = 10_004;
    pub(crate) const UNKNOWN_MEMBER: u64 = 10_007;
    pub(crate) const UNKNOWN_MESSAGE: u64 = 10_008;
    pub(crate) const UNKNOWN_USER: u64 = 10_013;
    pub(crate) const UNKNOWN_WEBHOOK: u64 = 10_015;
    pub(crate) const UNKNOWN_INTERACTION: u64 = 10_062;
    pub(crate) const TOO_OLD_TO_EDIT: u64 = 30_046;
    pub(crate) const ALREADY_ACKNOWLEDGED: u64 = 40_060;
    pub(crate) const MISSING_ACCESS: u64 = 50_001;
    pub(crate) const ANOTHERS_MESSAGE: u64 = 50_005;
    pub(crate) const NOT_TO_THIS_PERSON: u64 = 50_007;
    pub(crate) const NOT_A_TEXT_CHANNEL: u64 = 50_008;
    pub(crate) const INVALID_WEBHOOK_TOKEN: u64 = 50_027;
    pub(crate) const ARCHIVED_THREAD: u64 = 50_083;
    pub(crate) const THREAD_EXISTS: u64 = 160_004;
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::ChatError;

    use super::Failure;

    fn refused(status: u16, code: u64) -> ChatError {
        Failure::Refused { status, code, words: "@everyone".to_owned() }.into_error("edit a message", 7)
    }

    #[test]
    fn each_refusal_says_what_can_be_done_about_it() {
        assert_eq!(refused(400, 30_046), ChatError::Gone { code: "30046".to_owned() });
        assert_eq!(refused(404, 10_008), ChatError::Gone { code: "10008".to_owned() });
        assert_eq!(
            refused(403, 50_001),
            ChatError::NoChannel { channel: "discord:7".to_owned(), code: "50001".to_owned() }
        );
        assert_eq!(refused(403, 50_013), ChatError::Forbidden { action: "edit a message", code: "50013".to_owned() });
        assert_eq!(refused(400, 50_035), ChatError::Invalid { action: "edit a message", code: "50035".to_owned() });
        assert_eq!(refused(400, 0), ChatError::Invalid { action: "edit a message", code: "400".to_owned() });
    }
}
