//! `audit [[KIND] NAME]`: who did what.

use std::fmt;

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// Who did what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// The object that it was done to, if one was named.
    pub object: Option<Wanted>,
}

pub(super) const SPEC: Spec = Spec {
    word: "audit",
    aliases: &[],
    usage: "audit [[KIND] NAME]",
    help: "what was proposed, by whom confirmed, and what happened",
    example: "audit deploy cart -n shop",
    needs: Feature::Remediation,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let object = arguments.object(&[])?;
    arguments.rest()?;
    Ok(Command::Audit(Audit { object: arguments.settle_if_any(object)? }))
}

impl fmt::Display for Audit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("audit")?;
        self.object.as_ref().map_or(Ok(()), |object| write!(f, " {object}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::ok;
    use super::*;

    #[test]
    fn an_object_may_be_named() {
        assert_eq!(ok("audit"), Command::Audit(Audit { object: None }));
        assert!(matches!(ok("audit deploy cart"), Command::Audit(Audit { object: Some(_) })));
    }
}
