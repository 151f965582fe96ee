//! "Tell me when healthy": the promise, and what is told in the end.

use jiff::SignedDuration;
use kubewhy_chat::{Block, Message, Tone};
use kubewhy_diagnosis::Report;
use kubewhy_text::{name, own, text};

use super::{Extras, object, report};
use crate::commands::shown;
use crate::resolve::Wanted;

/// How long an object is waited for.
pub const WAITED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How a wait ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited<'r> {
    /// It is healthy.
    Healthy(&'r Report),
    /// It is no longer there.
    Gone(&'r Report),
    /// It did not get healthy in time.
    InVain(&'r Report),
}

/// Says that somebody will be told.
pub fn will_tell(report: &Report) -> Message {
    let what = object(&report.target.reference());
    Message::new(Tone::Plain, text!["I will tell you here when ", what, " is healthy"]).with(Block::Context(text![
        "once; where it is not healthy within ",
        own(shown(WAITED_FOR)),
        ", you are told that"
    ]))
}

/// Says that a person waits for that object already.
pub fn tells_already(wanted: &Wanted) -> Message {
    let what = name(wanted.describe());
    Message::new(Tone::Plain, text!["You will be told here when ", what, " is healthy: that was promised before"])
}

/// Tells it.
pub fn told(waited: Waited<'_>, extras: &Extras) -> Message {
    match waited {
        Waited::Healthy(it) => report(it, extras),
        Waited::Gone(it) => {
            Message::new(Tone::Plain, text![object(&it.target.reference()), " is gone: it was deleted"])
        }
        Waited::InVain(it) => {
            let mut message = report(it, extras);
            let after = text!["It did not get healthy in ", own(shown(WAITED_FOR)), "; this is no longer waited for."];
            message.blocks.insert(0, Block::Paragraph(after));
            message
        }
    }
}
