//! The tail of a container's log as a message.

use kubewhy_chat::{Block, Button, Message, Tone};
use kubewhy_diagnosis::ask::Instance;
use kubewhy_text::{name, text};

use crate::commands::{self, Command};
use crate::resolve::Wanted;

/// The most lines on the first screen; the rest stands below.
const FIRST_LINES: usize = 20;

/// The most that is shown of a log, in bytes.
const MOST_BYTES: usize = 16 * 1024;

/// The tail of a container's log, out of which secrets have been taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log<'a> {
    /// The pod.
    pub pod: Wanted,
    /// The container.
    pub container: &'a str,
    /// Which instance of it.
    pub instance: Instance,
    /// Its lines, redacted.
    pub redacted: &'a str,
    /// The most lines that were asked for.
    pub lines: usize,
    /// Whether there is another instance with a log of its own: the run before this one, or this one.
    pub has_other: bool,
}

/// Turns the tail of a log into a message: the last lines on the first screen, more of them below.
pub fn log(log: &Log<'_>) -> Message {
    let lines = tail(log.redacted, log.lines);
    let which = match log.instance {
        Instance::Current => "",
        Instance::Previous => ", the run before this one",
    };
    let pod = log.pod.namespace.as_ref().map_or_else(|| log.pod.name.clone(), |ns| format!("{ns}/{}", log.pod.name));
    let of = text!["container ", name(log.container), " of Pod ", name(pod), which];
    let other = match log.instance {
        Instance::Current => (Instance::Previous, "The run before"),
        Instance::Previous => (Instance::Current, "This run"),
    };
    let line = Command::Logs(commands::Logs {
        object: log.pod.clone(),
        container: Some(log.container.to_owned()),
        instance: other.0,
        lines: log.lines,
    });
    let buttons = log.has_other.then(|| Block::Buttons(vec![Button::command(other.1, line.to_string())]));
    let with_buttons = |message: Message| match &buttons {
        Some(buttons) => message.with(buttons.clone()),
        None => message,
    };
    if lines.is_empty() {
        return with_buttons(Message::new(Tone::Plain, text!["No lines: ", of, " has written nothing that is kept"]));
    }
    let first = lines.len().saturating_sub(FIRST_LINES);
    let (earlier, last) = lines.split_at(first);
    let number = last.len();
    let how_many = if number == 1 { text!["The last line"] } else { text!["The last ", number, " lines"] };
    let message = Message::new(Tone::Plain, text![how_many, " of ", of]).with(Block::Code(last.join("\n")));
    let message = with_buttons(message);
    if earlier.is_empty() {
        return message;
    }
    message.below(Block::Heading(text!["The ", earlier.len(), " lines before"])).below(Block::Code(earlier.join("\n")))
}

/// The last lines, at most so many and so large.
fn tail(log: &str, most: usize) -> Vec<&str> {
    let mut room = MOST_BYTES;
    let mut lines: Vec<&str> = log
        .trim_end()
        .lines()
        .rev()
        .take(most)
        .take_while(|line| {
            let fits = line.len() <= room;
            room = room.saturating_sub(line.len());
            fits
        })
        .collect();
    if lines.is_empty() {
        // One line that is larger than all that is shown: its end.
        let last = log.trim_end().lines().next_back().unwrap_or_default();
        let from = (last.len().saturating_sub(MOST_BYTES)..last.len()).find(|at| last.is_char_boundary(*at));
        lines.extend(from.and_then(|from| last.get(from..)));
    }
    lines.reverse();
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(redacted: &str, instance: Instance) -> Message {
        let pod = Wanted { name: "cart-0".to_owned(), namespace: Some("shop".to_owned()), ..Wanted::default() };
        log(&Log { pod, container: "app", instance, redacted, lines: 50, has_other: true })
    }

    #[test]
    fn the_end_stands_first_and_the_rest_below() {
        let text = (1..=30).map(|number| format!("line {number}")).collect::<Vec<_>>().join("\n");
        let message = shown(&text, Instance::Previous);
        assert_eq!(
            message.headline.plain(),
            "The last 20 lines of container app of Pod shop/cart-0, the run before this one"
        );
        assert!(
            matches!(message.blocks.first(), Some(Block::Code(code)) if code.starts_with("line 11\n") && code.ends_with("line 30"))
        );
        assert!(
            matches!(message.thread.get(1), Some(Block::Code(code)) if code.starts_with("line 1\n") && code.ends_with("line 10"))
        );
        let presses: Vec<_> = message.presses().map(|(_, press)| press.clone()).collect();
        assert_eq!(presses, [kubewhy_chat::Press::Command("logs cart-0 -n shop container app".to_owned())]);
    }

    #[test]
    fn an_empty_log_is_said_to_be_empty_and_a_huge_line_is_cut() {
        assert!(shown(" \n", Instance::Current).headline.plain().starts_with("No lines"));
        let message = shown(&"é".repeat(MOST_BYTES), Instance::Current);
        assert!(
            matches!(message.blocks.first(), Some(Block::Code(code)) if code.len() <= MOST_BYTES && code.len() > MOST_BYTES - 4)
        );
    }
}
