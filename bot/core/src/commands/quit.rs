//! `quit`: the end of a conversation at a terminal.

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;

pub(super) const SPEC: Spec = Spec {
    word: "quit",
    aliases: &["exit", "bye", ":q"],
    usage: "quit",
    help: "leaves",
    example: "quit",
    needs: Feature::Console,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    if arguments.peek().is_some() { Err(arguments.unexpected()) } else { Ok(Command::Quit) }
}
