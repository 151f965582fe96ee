//! `tell me when [KIND] NAME is healthy`: one message when it is, and no more.

use std::fmt;

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// One message when an object is healthy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tell {
    /// The object.
    pub object: Wanted,
}

pub(super) const SPEC: Spec = Spec {
    word: "tell",
    aliases: &["notify"],
    usage: "tell me when [KIND] NAME [-n NAMESPACE] is healthy",
    help: "calls you once, here, when it is healthy",
    example: "tell me when deploy cart -n shop is healthy",
    needs: Feature::Tell,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    const AFTER: [&str; 5] = ["is", "healthy", "ready", "ok", "well"];
    arguments.take_word(&["me"]);
    arguments.take_word(&["when", "once", "if"]);
    let mut object = None;
    while let Some(next) = arguments.peek() {
        if arguments.take_place()? || object.is_some() && arguments.take_word(&AFTER) {
            continue;
        }
        if object.is_some() || next.starts_with('-') {
            return Err(arguments.unexpected());
        }
        object = arguments.object(&AFTER)?;
        if object.is_none() && !arguments.take_word(&AFTER) {
            return Err(arguments.unexpected());
        }
    }
    Ok(Command::Tell(Tell { object: arguments.settle(object)? }))
}

impl fmt::Display for Tell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tell me when {}", self.object)
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, in_thread, ok, pod_cart};
    use super::*;

    #[test]
    fn the_words_around_the_object_may_stand_or_not() {
        let expected = Command::Tell(Tell { object: pod_cart() });
        for line in [
            "tell me when pod cart -n shop is healthy",
            "tell me when pod/cart is healthy in shop",
            "/why notify pod cart -n shop",
            "tell pod cart in shop ready",
            "tell me once pod cart -n shop is ok",
        ] {
            assert_eq!(ok(line), expected, "{line}");
            assert_eq!(ok(&ok(line).to_string()), expected, "{line}");
        }
        assert_eq!(in_thread("tell me when healthy"), expected);
        assert!(error("tell me when").to_string().contains("missing"));
        assert!(error("tell me when pod cart explodes").to_string().contains("explodes"));
    }
}
