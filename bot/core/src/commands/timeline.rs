//! `timeline [KIND] NAME`: what happened, in order.

use std::fmt;

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// What happened, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timeline {
    /// The object.
    pub object: Wanted,
}

pub(super) const SPEC: Spec = Spec {
    word: "timeline",
    aliases: &[],
    usage: "timeline [KIND] NAME",
    help: "what happened, in order",
    example: "timeline deploy cart -n shop",
    needs: Feature::Incidents,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    arguments.take_word(&["of"]);
    let object = arguments.object(&[])?;
    arguments.rest()?;
    Ok(Command::Timeline(Timeline { object: arguments.settle(object)? }))
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "timeline {}", self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ok;
    use super::*;

    #[test]
    fn the_object_is_read() {
        assert!(matches!(ok("timeline of pod cart"), Command::Timeline(Timeline { object }) if object.name == "cart"));
    }
}
