//! What is to go wrong, as JSON.

use serde::Deserialize;

use crate::faults::{CallFault, EnvelopeFault};
use crate::server::Slack;
use crate::state::socket::EnvelopeKind;

/// What goes wrong where.
#[derive(Deserialize)]
#[serde(tag = "on", rename_all = "snake_case")]
pub(super) enum Plan {
    /// The next calls of a method; `*` is any.
    Call {
        method: String,
        #[serde(default = "one")]
        count: u32,
        #[serde(flatten)]
        fault: CallFaultOnly,
    },
    /// The next envelopes, of a kind or of all.
    Envelope {
        #[serde(default)]
        kind: Option<EnvelopeKind>,
        #[serde(default = "one")]
        count: u32,
        #[serde(flatten)]
        fault: EnvelopeFaultOnly,
    },
    /// The sockets: all, or one.
    Sockets {
        #[serde(flatten)]
        act: SocketAct,
        #[serde(default)]
        which: Option<u64>,
    },
    /// A token is revoked, or valid again.
    Token {
        token: String,
        #[serde(default)]
        restore: bool,
    },
    /// Rate limits are kept, or not.
    Limits { kept: bool },
    /// All that is planned is forgotten.
    Nothing,
}

/// [`CallFault`] as it stands among the other keys of a plan.
#[derive(Deserialize)]
pub(super) struct CallFaultOnly {
    #[serde(flatten)]
    fault: CallFault,
}

/// [`EnvelopeFault`] as it stands among the other keys of a plan.
#[derive(Deserialize)]
pub(super) struct EnvelopeFaultOnly {
    #[serde(flatten)]
    fault: EnvelopeFault,
}

#[derive(Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub(super) enum SocketAct {
    Drop,
    Close,
    Silence,
    Disconnect { reason: String },
    Storm { count: u32 },
    Refuse { count: u32 },
    SilenceNext { count: u32 },
}

impl Plan {
    pub(super) fn apply(self, slack: &Slack) {
        match self {
            Self::Call { method, count, fault } => slack.fail_calls(&method, fault.fault, count),
            Self::Envelope { kind, count, fault } => slack.fail_envelopes(kind, fault.fault, count),
            Self::Sockets { act, which } => match act {
                SocketAct::Drop => slack.drop_connections(which),
                SocketAct::Close => slack.close_connections(which),
                SocketAct::Silence => slack.silence_connections(which),
                SocketAct::Disconnect { reason } => slack.disconnect(&reason, which),
                SocketAct::Storm { count } => slack.storm(count),
                SocketAct::Refuse { count } => slack.refuse_connections(count),
                SocketAct::SilenceNext { count } => slack.silence_next_connections(count),
            },
            Self::Token { token, restore: false } => slack.revoke(&token),
            Self::Token { token, restore: true } => slack.restore(&token),
            Self::Limits { kept } => slack.limits(kept),
            Self::Nothing => slack.clear_faults(),
        }
    }
}

fn one() -> u32 {
    1
}
