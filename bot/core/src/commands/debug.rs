//! `debug [KIND] NAME`: a copy of a pod without probes and traffic, held open for a shell.

use std::fmt;

use jiff::SignedDuration;
use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, duration, short, shown};
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// A copy of a pod to look into.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Debug {
    /// The pod, or what has pods.
    pub object: Wanted,
    /// How long the copy stays; without it, as long as config says.
    pub length: Option<SignedDuration>,
}

pub(super) const SPEC: Spec = Spec {
    word: "debug",
    aliases: &[],
    usage: "debug [KIND] NAME [for TIME]",
    help: "a copy without probes and traffic, held open for a shell, removed after its time",
    example: "debug pod cart-7c9 -n shop for 30m",
    needs: Feature::Remediation,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let object = arguments.object(&["for"])?;
    let mut length = None;
    while arguments.peek().is_some() {
        if arguments.take_place()? {
            continue;
        }
        let Some(word) = arguments.option(&["for", "--for"])? else { return Err(arguments.unexpected()) };
        let read =
            duration(word).ok_or_else(|| arguments.wrong(text![quoted(short(word)), " is no length of time"]))?;
        length = Some(read);
    }
    Ok(Command::Debug(Debug { object: arguments.settle(object)?, length }))
}

impl fmt::Display for Debug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "debug {}", self.object)?;
        self.length.map_or(Ok(()), |length| write!(f, " for {}", shown(length)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok};
    use super::*;

    #[test]
    fn a_copy_may_have_its_time() {
        assert!(
            matches!(ok("debug pod cart for 30m"), Command::Debug(Debug { length: Some(length), .. }) if length.as_secs() == 1800)
        );
        assert!(matches!(ok("debug pod cart"), Command::Debug(Debug { length: None, .. })));
        assert!(error("debug pod cart for ever").to_string().contains("no length of time"));
    }
}
