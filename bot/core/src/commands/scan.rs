//! `why` alone, or `scan`: what is broken now.

use std::fmt;

use super::arguments::{Arguments, Place};
use super::{Command, Feature, Spec};
use crate::UserError;

/// What is broken now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scan {
    /// Where to look.
    pub scope: Scope,
    /// The namespace and cluster that were named.
    pub place: Place,
}

/// Where to look for what is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// In the namespaces that the place of the question is about.
    Here,
    /// In the namespace that was named.
    Named,
    /// In all namespaces.
    Everywhere,
}

pub(super) const SPEC: Spec = Spec {
    word: "scan",
    aliases: &["broken"],
    usage: "scan [in NAMESPACE | everywhere] [on CLUSTER]",
    help: "what is broken now, one entry per root cause; \"why\" alone does the same",
    example: "scan in shop",
    needs: Feature::Chat,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let mut everywhere = false;
    arguments.object_is_read();
    while let Some(word) = arguments.peek() {
        if arguments.take_place()? {
            continue;
        }
        if arguments.take_word(&["everywhere", "all", "-A", "--all-namespaces", "cluster"]) {
            everywhere = true;
        } else if arguments.place().namespace.is_none() && !word.starts_with('-') {
            arguments.take_namespace()?;
        } else {
            return Err(arguments.unexpected());
        }
    }
    let place = arguments.place().clone();
    let scope = match (everywhere, &place.namespace) {
        (true, Some(_)) => {
            return Err(
                arguments.wrong(kubewhy_text::text!["a namespace and all namespaces are named: which of them?"])
            );
        }
        (true, None) => Scope::Everywhere,
        (false, Some(_)) => Scope::Named,
        (false, None) => Scope::Here,
    };
    Ok(Command::Scan(Scan { scope, place }))
}

impl fmt::Display for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("scan")?;
        if self.scope == Scope::Everywhere {
            f.write_str(" everywhere")?;
        }
        self.place.fmt(f)
    }
}
