//! `logs [KIND] NAME`: the tail of a container's log.

use std::fmt;

use kubewhy_diagnosis::ask::Instance;
use kubewhy_text::text;

use super::arguments::Arguments;
use super::{Command, Feature, Spec};
use crate::UserError;
use crate::resolve::Wanted;

/// How many lines are shown where nobody says.
pub const LINES: usize = 50;

/// The most lines that are shown.
pub const MOST_LINES: usize = 500;

/// The tail of a container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// The pod, or what has pods.
    pub object: Wanted,
    /// The container; without it, the one that the pod is about.
    pub container: Option<String>,
    /// Which instance of it.
    pub instance: Instance,
    /// How many lines.
    pub lines: usize,
}

pub(super) const SPEC: Spec = Spec {
    word: "logs",
    aliases: &["log"],
    usage: "logs [KIND] NAME [previous] [container NAME] [last LINES]",
    help: "the last lines of its log, secrets taken out",
    example: "logs pod cart-7c9 -n shop previous",
    needs: Feature::Logs,
    parse,
};

fn parse(arguments: &mut Arguments<'_>) -> Result<Command, UserError> {
    const KEYWORDS: [&str; 5] = ["previous", "container", "last", "tail", "of"];
    arguments.take_word(&["of"]);
    let mut object = None;
    let (mut container, mut instance, mut lines) = (None, Instance::Current, LINES);
    while let Some(next) = arguments.peek() {
        if arguments.take_place()? {
            continue;
        }
        // As kubectl has it, flags may stand before the object. A tail does not follow, and has no times but its own.
        if arguments.take_word(&["-f", "--follow", "--timestamps"]) {
            continue;
        }
        if object.is_none() && !next.starts_with('-') {
            object = arguments.object(&KEYWORDS)?;
            if object.is_some() {
                continue;
            }
        }
        if arguments.take_word(&["previous", "-p", "--previous"]) {
            instance = Instance::Previous;
        } else if let Some(name) = arguments.option(&["container", "-c", "--container"])? {
            container = Some(arguments.name(name)?);
        } else if let Some(number) = arguments.option(&["last", "tail", "--tail"])? {
            lines = number
                .parse()
                .ok()
                .filter(|lines| (1..=MOST_LINES).contains(lines))
                .ok_or_else(|| arguments.wrong(text!["the number of lines is one from 1 to ", MOST_LINES]))?;
        } else {
            return Err(arguments.unexpected());
        }
    }
    Ok(Command::Logs(Logs { object: arguments.settle(object)?, container, instance, lines }))
}

impl fmt::Display for Logs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "logs {}", self.object)?;
        if let Some(container) = &self.container {
            write!(f, " container {container}")?;
        }
        if self.instance == Instance::Previous {
            f.write_str(" previous")?;
        }
        if self.lines == LINES { Ok(()) } else { write!(f, " last {}", self.lines) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{error, ok, pod_cart};
    use super::*;

    #[test]
    fn logs_take_container_instance_and_length() {
        let expected = Command::Logs(Logs {
            object: pod_cart(),
            container: Some("app".to_owned()),
            instance: Instance::Previous,
            lines: 20,
        });
        for line in [
            "logs pod cart -n shop previous container app last 20",
            "why logs pod/cart -p -c app --tail=20 in shop",
            "log pod cart container app previous -n shop tail 20",
            "logs -f --previous --tail 20 -c app pod/cart -n shop",
            "logs -n shop pod cart --follow --tail=20 -p -c app",
        ] {
            assert_eq!(ok(line), expected, "{line}");
        }
        assert!(error("logs pod cart last 100000").to_string().contains("500"));
        assert!(error("logs pod cart loudly").to_string().contains("loudly"));
        assert!(error("logs").to_string().contains("missing"));
    }
}
