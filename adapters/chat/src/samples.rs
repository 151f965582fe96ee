//! Messages that every renderer is tested with: one of each shape that is ever sent, and hostile ones.

mod answers;
mod hostile;
mod hostile_strings;
mod others;

pub use hostile::hostile;
pub use hostile_strings::hostile_strings;

use jiff::Timestamp;

use crate::message::Message;

/// All samples by name, each made afresh: the shapes that are sent, and the largest and the emptiest message.
pub fn all() -> Vec<(&'static str, Message)> {
    vec![
        ("failing", answers::failing()),
        ("degraded", answers::degraded()),
        ("pending", answers::pending()),
        ("healthy", answers::healthy()),
        ("unknown", answers::unknown()),
        ("typo", answers::typo()),
        ("scan", answers::scan()),
        ("logs", others::logs()),
        ("help", others::help()),
        ("plan", others::plan()),
        ("incident", others::incident()),
        ("timeline", others::timeline()),
        ("empty", Message::default()),
        ("very-long", others::very_long()),
    ]
}

/// The time at which the samples are read: 03:16 at night.
pub fn now() -> Timestamp {
    at(0)
}

/// A time some seconds before [`now`].
fn at(seconds_ago: i64) -> Timestamp {
    const NOW: i64 = 1_795_144_560;
    Timestamp::from_second(NOW - seconds_ago).unwrap_or(Timestamp::UNIX_EPOCH)
}
