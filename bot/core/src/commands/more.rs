//! `more`: the rest of the answer before.

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;

pub(super) const SPEC: Spec = Spec {
    word: "more",
    aliases: &["details", "detail"],
    usage: "more",
    help: "the rest of the last answer: evidence, commands, what was looked at",
    example: "more",
    needs: Feature::Console,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    if arguments.peek().is_some() { Err(arguments.unexpected()) } else { Ok(Command::More) }
}
