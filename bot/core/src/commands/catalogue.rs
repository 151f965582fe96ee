//! `catalogue [CODE]`: what a cause means.

use std::fmt;

use kubewhy_diagnosis::causes::Code;
use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, short};
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::nearest::nearest;

/// What a cause means, or which causes there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// The cause, if one was named.
    pub code: Option<Code>,
}

pub(super) const SPEC: Spec = Spec {
    word: "catalogue",
    aliases: &["catalog", "causes", "cause", "code"],
    usage: "catalogue [CODE]",
    help: "what a cause means, its signals and look-alikes; without a code, all causes",
    example: "catalogue secret-key-missing",
    needs: Feature::Chat,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let Some(word) = arguments.take() else { return Ok(Command::Catalogue(Catalogue { code: None })) };
    if arguments.peek().is_some() {
        return Err(arguments.unexpected());
    }
    Ok(Command::Catalogue(Catalogue { code: Some(code(word)?) }))
}

/// The cause that a word names.
///
/// # Errors
/// Where there is none; the error offers the nearest.
pub fn code(word: &str) -> Result<Code, UserError> {
    let plain = word.to_ascii_lowercase().replace('_', "-");
    if let Ok(code) = plain.parse::<Code>() {
        return Ok(code);
    }
    let mut error = UserError::new(text!["no cause has the code ", quoted(short(word))]);
    for near in nearest(&plain, Code::all().map(Code::as_str), 0.8, 3) {
        error = error.meant(format!("catalogue {near}"));
    }
    Err(error.next(text!["All of them: ", kubewhy_text::code("catalogue")]))
}

impl fmt::Display for Catalogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("catalogue")?;
        self.code.map_or(Ok(()), |code| write!(f, " {code}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok};
    use super::*;

    #[test]
    fn a_code_may_be_written_in_any_case_and_a_slip_brings_the_nearest() {
        assert_eq!(ok("catalogue OOM_Limit"), Command::Catalogue(Catalogue { code: Some(Code::OomLimit) }));
        assert_eq!(ok("causes"), Command::Catalogue(Catalogue { code: None }));
        assert_eq!(error("catalogue oom-limt").lines, ["catalogue oom-limit"]);
    }
}
