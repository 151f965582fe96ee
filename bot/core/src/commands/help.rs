//! `help [COMMAND]`: what works here.

use std::fmt;

use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, short};
use super::{Command, Feature, Spec, nearest_command};
use crate::UserError;

/// What works here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Help {
    /// The word of the command that it is about, if it is about one.
    pub about: Option<&'static str>,
}

pub(super) const SPEC: Spec = Spec {
    word: "help",
    aliases: &["?", "commands", "hello", "hi"],
    usage: "help [COMMAND]",
    help: "what works here",
    example: "help logs",
    needs: Feature::Chat,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let Some(word) = arguments.take() else { return Ok(Command::Help(Help { about: None })) };
    if arguments.peek().is_some() {
        return Err(arguments.unexpected());
    }
    if word.eq_ignore_ascii_case("why") {
        return Ok(Command::Help(Help { about: Some("explain") }));
    }
    let Some(spec) = Spec::of_word(word) else {
        let mut error = UserError::new(text!["there is no command ", quoted(short(word))]);
        if let Some(near) = nearest_command(word) {
            error = error.meant(format!("help {near}"));
        }
        return Err(error.next(text!["All of them: ", kubewhy_text::code("help")]));
    };
    Ok(Command::Help(Help { about: Some(spec.word) }))
}

impl fmt::Display for Help {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("help")?;
        self.about.map_or(Ok(()), |word| write!(f, " {word}"))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok};
    use super::*;

    #[test]
    fn help_may_be_about_a_command() {
        assert_eq!(ok("help log"), Command::Help(Help { about: Some("logs") }));
        assert_eq!(ok("help why"), Command::Help(Help { about: Some("explain") }));
        assert_eq!(ok("logs --help"), Command::Help(Help { about: Some("logs") }));
        assert!(error("help gizmo").to_string().contains("no command"));
    }
}
