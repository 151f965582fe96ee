//! `history [KIND] NAME`: restarts over days.

use std::fmt;

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// Restarts over days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The object.
    pub object: Wanted,
}

pub(super) const SPEC: Spec = Spec {
    word: "history",
    aliases: &[],
    usage: "history [KIND] NAME",
    help: "restarts over days: how many, exit codes, last words",
    example: "history pod cart-7c9 -n shop",
    needs: Feature::Incidents,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    arguments.take_word(&["of"]);
    let object = arguments.object(&[])?;
    arguments.rest()?;
    Ok(Command::History(History { object: arguments.settle(object)? }))
}

impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "history {}", self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ok;
    use super::*;

    #[test]
    fn the_object_is_read() {
        assert!(matches!(ok("history of pod cart"), Command::History(History { object }) if object.name == "cart"));
    }
}
