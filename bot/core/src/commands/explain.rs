//! `why [KIND] NAME`: the explanation.

use std::fmt;

use super::arguments::Arguments;
use super::scan::{Scan, Scope};
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// Why an object is as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// The object.
    pub object: Wanted,
}

pub(super) const SPEC: Spec = Spec {
    word: "explain",
    aliases: &[],
    usage: "why [KIND] NAME [-n NAMESPACE] [on CLUSTER]",
    help: "why it is broken: the root cause, the evidence, the fix",
    example: "why pod cart-7c9 -n shop",
    needs: Feature::Chat,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    if arguments.skip_fillers() {
        arguments.rest()?;
        let place = arguments.place().clone();
        let scope = if place.namespace.is_some() { Scope::Named } else { Scope::Here };
        return Ok(Command::Scan(Scan { scope, place }));
    }
    let object = arguments.object(&[])?;
    arguments.rest()?;
    let place = arguments.place().clone();
    if object.is_none() && place.namespace.is_some() {
        // `why in shop` asks what is broken there, in a thread too: its object has a namespace already.
        return Ok(Command::Scan(Scan { scope: Scope::Named, place }));
    }
    Ok(Command::Explain(Explain { object: arguments.settle(object)? }))
}

impl fmt::Display for Explain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "why {}", self.object.after_why())
    }
}
