//! What a person is told whose words could not be followed.

use std::fmt;

use kubewhy_chat::{Block, Button, Choice, Message, Press, Tone};
use kubewhy_text::{Text, code, text};

/// A mistake of a person: what was wrong, what was not done because of it, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserError {
    /// What was wrong.
    pub wrong: Text,
    /// What was not done because of it, where that is more than the answer that was asked for.
    pub undone: Text,
    /// What to do.
    pub next: Text,
    /// Lines that may have been meant, ready to send.
    pub lines: Vec<String>,
}

impl UserError {
    /// A mistake for which there is no answer; its message says "not done".
    pub fn new(wrong: Text) -> Self {
        Self { wrong, undone: Text::default(), next: Text::default(), lines: Vec::new() }
    }

    /// The same with what was not done, said in a sentence: where something could have been changed.
    #[must_use]
    pub fn undone(mut self, undone: &'static str) -> Self {
        self.undone = Text::from(undone);
        self
    }

    /// The same with what to do.
    #[must_use]
    pub fn next(mut self, next: Text) -> Self {
        self.next = next;
        self
    }

    /// The same with an example of what to type.
    #[must_use]
    pub fn example(self, line: &str) -> Self {
        self.next(text!["For example: ", code(line)])
    }

    /// The same with a line that may have been meant.
    #[must_use]
    pub fn meant(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    /// It as a message. Lines that may have been meant are there to be pressed.
    pub fn message(&self) -> Message {
        let mut words = self.undone.clone();
        if !self.next.is_empty() {
            if !words.is_empty() {
                words.push(" ");
            }
            words.push(self.next.clone());
        }
        let mut message = Message::new(Tone::Refused, self.wrong.clone());
        if !words.is_empty() {
            message = message.with(Block::Paragraph(words));
        }
        match self.lines.as_slice() {
            [] => message,
            [line] => message.with(Block::Buttons(vec![Button::command(text![code(line)], line)])),
            lines => message.with(Block::Choice(Choice {
                prompt: text!["Did you mean"],
                options: lines.iter().map(|line| (text![code(line)], Press::Command(line.clone()))).collect(),
            })),
        }
    }
}

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.wrong)?;
        let meant: Vec<String> = self.lines.iter().map(|line| format!("\"{line}\"")).collect();
        if !meant.is_empty() {
            write!(f, "; did you mean {}?", meant.join(" or "))?;
        } else if !self.next.is_empty() || !self.undone.is_empty() {
            f.write_str(".")?;
        }
        for sentence in [&self.undone, &self.next].into_iter().filter(|sentence| !sentence.is_empty()) {
            write!(f, " {sentence}")?;
        }
        Ok(())
    }
}

impl std::error::Error for UserError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_says_what_was_wrong_what_was_not_done_and_what_to_do() {
        let error =
            UserError::new(text!["no such thing"]).undone("Nothing was done.").example("why pod x").meant("help");
        let message = error.message();
        assert_eq!((message.tone, message.headline.plain()), (Tone::Refused, "no such thing".to_owned()));
        assert!(matches!(message.blocks.first(), Some(Block::Paragraph(words))
            if words.plain() == "Nothing was done. For example: why pod x"));
        assert_eq!(message.presses().count(), 1);
        assert_eq!(error.to_string(), "no such thing; did you mean \"help\"? Nothing was done. For example: why pod x");
    }
}
