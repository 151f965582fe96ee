//! Faults on demand: what goes wrong next, how often.

use serde::{Deserialize, Serialize};

use crate::state::socket::EnvelopeKind;

/// What goes wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum CallFault {
    /// 429 with `Retry-After`; the call has no effect.
    RateLimited {
        /// Seconds.
        retry_after: u64,
    },
    /// An HTTP status and a body that is no JSON.
    Status {
        /// 500, 502, 503.
        status: u16,
        /// Whether the call took effect before that.
        #[serde(default)]
        effect: Effect,
    },
    /// `"ok": false` with that code; the call has no effect.
    Error {
        /// `fatal_error`, `internal_error`, `service_unavailable`.
        error: String,
    },
    /// The call is answered that much later; its effect comes first.
    Lag {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection is reset instead of an answer.
    Reset {
        /// Whether the call took effect before that.
        #[serde(default)]
        effect: Effect,
    },
    /// No answer is ever sent.
    Silence {
        /// Whether the call took effect.
        #[serde(default)]
        effect: Effect,
    },
}

/// Whether a call that failed took effect.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It did nothing.
    #[default]
    None,
    /// It did what was asked, and only the answer was lost.
    Done,
}

/// What goes wrong with an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case", deny_unknown_fields)]
pub enum EnvelopeFault {
    /// It is delivered twice.
    Duplicate,
    /// It is delivered later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// It is delivered after the next one.
    Reorder,
    /// It gets lost; an event is delivered again when its time is over.
    Lose,
}

/// The faults that are still to happen.
#[derive(Default)]
pub(crate) struct Faults {
    calls: Vec<Planned<String, CallFault>>,
    envelopes: Vec<Planned<Option<EnvelopeKind>, EnvelopeFault>>,
    /// So many sockets are disconnected at once after their hello.
    pub(crate) storm: u32,
    /// So many sockets are refused with `too_many_websockets`.
    pub(crate) refused_sockets: u32,
    /// So many sockets open and then say nothing, not even a pong.
    pub(crate) silent_sockets: u32,
}

struct Planned<K, F> {
    what: K,
    fault: F,
    left: u32,
}

impl Faults {
    /// Plans a fault for the next `count` calls of a method; `*` is any.
    pub(crate) fn plan_call(&mut self, method: &str, fault: CallFault, count: u32) {
        self.calls.push(Planned { what: method.to_owned(), fault, left: count });
    }

    pub(crate) fn plan_envelope(&mut self, kind: Option<EnvelopeKind>, fault: EnvelopeFault, count: u32) {
        self.envelopes.push(Planned { what: kind, fault, left: count });
    }

    pub(crate) fn take_call(&mut self, method: &str) -> Option<CallFault> {
        take(&mut self.calls, |what| what == "*" || what == method)
    }

    pub(crate) fn take_envelope(&mut self, kind: EnvelopeKind) -> Option<EnvelopeFault> {
        take(&mut self.envelopes, |what| what.is_none_or(|one| one == kind))
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

fn take<K, F: Clone>(plans: &mut Vec<Planned<K, F>>, matches: impl Fn(&K) -> bool) -> Option<F> {
    let position = plans.iter().position(|plan| matches(&plan.what))?;
    let plan = plans.get_mut(position)?;
    let fault = plan.fault.clone();
    plan.left = plan.left.saturating_sub(1);
    if plan.left == 0 {
        plans.remove(position);
    }
    Some(fault)
}

/// Takes one of a count, where any is left.
pub(crate) fn take_one(count: &mut u32) -> bool {
    if *count == 0 {
        return false;
    }
    *count -= 1;
    true
}
