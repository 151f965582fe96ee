//! `incidents`: what is open.

use std::fmt;

use super::arguments::{Arguments, Place};
use super::{Command, Feature, Spec};
use crate::UserError;

/// The incidents that are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incidents {
    /// The namespace and cluster that were named.
    pub place: Place,
}

pub(super) const SPEC: Spec = Spec {
    word: "incidents",
    aliases: &["incident"],
    usage: "incidents [in NAMESPACE] [on CLUSTER]",
    help: "what is open, since when, who looks after it",
    example: "incidents in shop",
    needs: Feature::Incidents,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    while arguments.take_place()? {}
    if arguments.peek().is_some() {
        return Err(arguments.unexpected());
    }
    Ok(Command::Incidents(Incidents { place: arguments.place().clone() }))
}

impl fmt::Display for Incidents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "incidents{}", self.place)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok};
    use super::*;

    #[test]
    fn a_place_may_be_named() {
        assert!(
            matches!(ok("incidents in shop on prod"), Command::Incidents(Incidents { place }) if place.to_string() == " -n shop on prod")
        );
        assert!(error("incidents loudly").to_string().contains("not understood"));
    }
}
