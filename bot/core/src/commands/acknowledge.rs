//! `ack [#INCIDENT]`: somebody looks after it.

use std::fmt;

use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, short};
use super::{Command, Feature, Spec};
use crate::UserError;

/// Somebody looks after an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledge {
    /// Its number; without it, the incident of the thread.
    pub incident: Option<u64>,
}

pub(super) const SPEC: Spec = Spec {
    word: "ack",
    aliases: &["acknowledge"],
    usage: "ack [#INCIDENT]",
    help: "you look after it; the others are told so",
    example: "ack #12",
    needs: Feature::Incidents,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let Some(word) = arguments.take() else { return Ok(Command::Acknowledge(Acknowledge { incident: None })) };
    if arguments.peek().is_some() {
        return Err(arguments.unexpected());
    }
    let number = word.trim_start_matches('#').parse();
    let number = number.map_err(|_| arguments.wrong(text![quoted(short(word)), " is no number of an incident"]))?;
    Ok(Command::Acknowledge(Acknowledge { incident: Some(number) }))
}

impl fmt::Display for Acknowledge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ack")?;
        self.incident.map_or(Ok(()), |number| write!(f, " #{number}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok};
    use super::*;

    #[test]
    fn an_incident_is_named_by_its_number() {
        assert_eq!(ok("ack #12"), Command::Acknowledge(Acknowledge { incident: Some(12) }));
        assert_eq!(ok("ack"), Command::Acknowledge(Acknowledge { incident: None }));
        assert!(error("ack cart").to_string().contains("no number of an incident"));
    }
}
