//! What is said unasked: that something broke.

use kubewhy_chat::{Block, Button, Message, Style};
use kubewhy_diagnosis::Report;

use super::{Extras, report, tone};
use crate::commands::{Command, Explain};

/// Says that something broke: the root cause, where and since when, and a button that explains it.
pub fn news(of: &Report, extras: &Extras) -> Message {
    let line = Command::Explain(Explain { object: extras.named(of) }).to_string();
    Message::new(tone(of.status), report::headline(of))
        .with(Block::Context(report::context(of)))
        .with(Block::Buttons(vec![Button::command("Why", line).style(Style::Primary)]))
}
