//! Faults on demand: what the network and Discord do on bad days.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::gateway::Order;

/// A fault of the REST API: which calls it hits, and what happens to them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Only calls of this method, such as `POST`.
    #[serde(default)]
    pub method: Option<String>,
    /// Only calls whose route holds this text, such as `/channels/{id}/messages` or `/callback`.
    #[serde(default)]
    pub route: Option<String>,
    /// How many matching calls pass before the fault starts.
    #[serde(default)]
    pub skip: u32,
    /// How many calls are hit; 0 for all from then on.
    #[serde(default = "once")]
    pub times: u32,
    /// What happens.
    pub what: What,
}

fn once() -> u32 {
    1
}

/// What a fault does to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum What {
    /// 429 with this wait, for the route or for everything.
    RateLimited {
        /// Seconds until the client may try again.
        retry_after_s: f64,
        /// Whether the limit of the whole bot is meant.
        #[serde(default)]
        global: bool,
    },
    /// Another status, such as 503; `after_effect` when the call did what it should nevertheless.
    Status {
        /// The status.
        status: u16,
        /// Whether the call takes effect.
        #[serde(default)]
        after_effect: bool,
    },
    /// A 200 whose body is no JSON.
    Garbage {
        /// Whether the call takes effect.
        #[serde(default)]
        after_effect: bool,
    },
    /// The call is handled this much later.
    Lag {
        /// Milliseconds.
        ms: u64,
    },
    /// The call is handled at once and answered this much later.
    LateAnswer {
        /// Milliseconds.
        ms: u64,
    },
    /// The connection is reset.
    Reset {
        /// Whether the call takes effect.
        #[serde(default)]
        after_effect: bool,
    },
    /// No answer, and the connection stays open.
    NoAnswer {
        /// Whether the call takes effect.
        #[serde(default)]
        after_effect: bool,
    },
}

impl Fault {
    /// Hits the next call of a method whose route holds `route`.
    pub fn next(method: &str, route: &str, what: What) -> Self {
        Self { method: Some(method.to_owned()), route: Some(route.to_owned()), skip: 0, times: 1, what }
    }

    /// Hits this many calls instead of one; 0 for all.
    #[must_use]
    pub fn times(self, times: u32) -> Self {
        Self { times, ..self }
    }

    /// Lets this many calls pass first.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }

    fn matches(&self, method: &str, route: &str) -> bool {
        self.method.as_deref().is_none_or(|wanted| wanted.eq_ignore_ascii_case(method))
            && self.route.as_deref().is_none_or(|wanted| route.contains(wanted))
    }
}

/// A fault of the gateway.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum GatewayFault {
    /// The next events come twice.
    Duplicate {
        /// How many events.
        times: u32,
    },
    /// The next event comes after the one that follows it.
    Reorder {
        /// How many times.
        times: u32,
    },
    /// The next events come late.
    Delay {
        /// Milliseconds.
        ms: u64,
        /// How many events.
        times: u32,
    },
    /// The next events never come.
    Lose {
        /// How many events.
        times: u32,
    },
    /// All connections are closed, with a code or without a close frame.
    Close {
        /// The close code.
        code: Option<u16>,
    },
    /// All connections are reset.
    Reset,
    /// All present connections stay open and say nothing any more, or speak again.
    Silence {
        /// Whether they are silent.
        on: bool,
    },
    /// Heartbeats of all present connections are not acknowledged any more, or again.
    Deaf {
        /// Whether they are not.
        on: bool,
    },
    /// Opcode 9 to all.
    InvalidSession {
        /// Whether the session may be resumed.
        resumable: bool,
    },
    /// Opcode 7 to all.
    Reconnect,
    /// Opcode 7 right after each of the next sessions has started or was resumed.
    ReconnectStorm {
        /// How many times.
        times: u32,
    },
    /// The next resume replays this many events the client already has.
    ReplayOnResume {
        /// How many events.
        events: u64,
    },
    /// The next connections are refused with 503 before they are upgraded.
    Refuse {
        /// How many connections.
        times: u32,
    },
}

/// All faults that are yet to happen.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    pub(crate) rest: Vec<Fault>,
    pub(crate) events: EventFaults,
    pub(crate) refuse: u32,
}

impl Faults {
    /// Takes what happens to a call.
    pub(crate) fn of_call(&mut self, method: &str, route: &str) -> Vec<What> {
        let mut happening = Vec::new();
        for fault in &mut self.rest {
            if !fault.matches(method, route) {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            happening.push(fault.what.clone());
            if fault.times > 0 {
                fault.times -= 1;
                // 0 means for ever; one that is used up must not match again.
                if fault.times == 0 {
                    fault.skip = u32::MAX;
                }
            }
        }
        self.rest.retain(|fault| fault.skip != u32::MAX);
        happening
    }
}

/// An event of a session on its way: session, name, data.
type Passing = (String, String, Value);

/// Faults of events.
#[derive(Debug, Default)]
pub(crate) struct EventFaults {
    pub(crate) duplicate: u32,
    pub(crate) reorder: u32,
    pub(crate) delay: (u64, u32),
    pub(crate) lose: u32,
    pub(crate) storm: u32,
    pub(crate) replay: u64,
    held: Option<Passing>,
    delayed: VecDeque<(u64, Passing)>,
}

impl EventFaults {
    /// Says what reaches the session now, when this event is sent.
    pub(crate) fn pass(&mut self, now_ms: u64, session: &str, name: &str, data: Value) -> Vec<(String, Value)> {
        let event = (name.to_owned(), data);
        if take(&mut self.lose) {
            return Vec::new();
        }
        let (delay, times) = &mut self.delay;
        if take(times) {
            let due = now_ms + *delay;
            self.delayed.push_back((due, (session.to_owned(), event.0, event.1)));
            return Vec::new();
        }
        if self.held.is_none() && take(&mut self.reorder) {
            self.held = Some((session.to_owned(), event.0, event.1));
            return Vec::new();
        }
        let mut passing = vec![event];
        if take(&mut self.duplicate) {
            passing.extend(passing.first().cloned());
        }
        if let Some((_, name, data)) = self.held.take_if(|(held, _, _)| held == session) {
            passing.push((name, data));
        }
        passing
    }

    /// Takes the delayed events whose time has come.
    pub(crate) fn due(&mut self, now_ms: u64) -> Vec<Passing> {
        let (due, waiting) = self.delayed.drain(..).partition(|(due, _)| *due <= now_ms);
        self.delayed = waiting;
        let due: VecDeque<(u64, Passing)> = due;
        due.into_iter().map(|(_, event)| event).collect()
    }

    /// Says when the next delayed event is due.
    pub(crate) fn next_due(&self) -> Option<u64> {
        self.delayed.iter().map(|(due, _)| *due).min()
    }

    pub(crate) fn take_replay(&mut self) -> u64 {
        std::mem::take(&mut self.replay)
    }

    pub(crate) fn after_greeting(&mut self) -> Option<Order> {
        take(&mut self.storm).then_some(Order::Reconnect)
    }
}

fn take(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}
