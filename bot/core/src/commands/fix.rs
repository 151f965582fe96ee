//! `fix [KIND] NAME`: the remedies that apply, or the plan of one.

use std::fmt;

use kubewhy_diagnosis::finding::Action;
use kubewhy_text::{quoted, text};

use super::arguments::{Arguments, short};
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::nearest::nearest;
use crate::remedy;
use crate::resolve::Wanted;

/// The remedies that apply to an object, or the plan of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// The object.
    pub object: Wanted,
    /// The remedy, if one was chosen.
    pub action: Option<Action>,
}

pub(super) const SPEC: Spec = Spec {
    word: "fix",
    aliases: &["remedy", "remedies"],
    usage: "fix [KIND] NAME [--action ACTION]",
    help: "the remedies that apply; with an action its plan: what it would do, and what it costs",
    example: "fix pod cart-7c9 -n shop --action delete-pod",
    needs: Feature::Plans,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    let object = arguments.object(&["with", "by"])?;
    let mut action = None;
    while let Some(word) = arguments.peek() {
        if arguments.take_place()? {
            continue;
        }
        let word = match arguments.option(&["--action", "--plan", "with", "by"])? {
            Some(word) => word,
            None => {
                arguments.take();
                word
            }
        };
        if action.replace(of_word(arguments, word)?).is_some() {
            return Err(arguments.wrong(text!["two actions are named: a plan is about one"]));
        }
    }
    Ok(Command::Fix(Fix { object: arguments.settle(object)?, action }))
}

fn of_word(arguments: &Arguments<'_>, word: &str) -> Result<Action, UserError> {
    remedy::of_word(word).ok_or_else(|| {
        let words = remedy::ALL.map(<&str>::from);
        let near = nearest(word, words, 0.8, 2).join(", ");
        let all = if near.is_empty() { words.join(", ") } else { near };
        arguments.wrong(text![quoted(short(word)), " is no action that is known"]).next(text![
            "Actions: ",
            kubewhy_text::own(all),
            "."
        ])
    })
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "fix {}", self.object)?;
        self.action.map_or(Ok(()), |action| write!(f, " --action {}", <&str>::from(action)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok, pod_cart};
    use super::*;

    #[test]
    fn a_fix_may_name_its_action() {
        for line in [
            "fix pod cart -n shop --action delete-pod",
            "fix pod cart delete-pod in shop",
            "fix pod/cart --plan=Delete-Pod -n shop",
        ] {
            assert_eq!(ok(line), Command::Fix(Fix { object: pod_cart(), action: Some(Action::DeletePod) }), "{line}");
        }
        assert!(error("fix pod cart --action delet-pod").to_string().contains("delete-pod"));
        assert!(error("fix pod cart undo restart").to_string().contains("two actions"));
    }
}
