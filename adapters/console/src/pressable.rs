//! What a number typed alone means: the button of a message that was shown.

use kubewhy_chat::{Message, Press, Tone};
use kubewhy_text::text;

/// What was shown last, as far as a person can refer to it: the buttons by their numbers, and the details by `more`.
///
/// An answer starts to count at 1. A message that comes unasked counts on instead, so that a number which a person is just
/// typing keeps its meaning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LastShown {
    presses: Vec<Press>,
    message: Message,
    first: usize,
}

/// A number that no button has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoSuchNumber {
    /// What was typed.
    pub number: usize,
    /// The last number there is; 0 when there are no buttons.
    pub last: usize,
}

impl LastShown {
    /// Remembers an answer, and returns the number of its first button. Where it has none, earlier buttons stay.
    pub fn answer(&mut self, message: &Message) -> usize {
        if message.presses().next().is_some() {
            self.presses.clear();
        }
        self.notice(message)
    }

    /// Remembers a message that came unasked, and returns the number of its first button.
    pub fn notice(&mut self, message: &Message) -> usize {
        self.first = self.presses.len() + 1;
        self.presses.extend(message.presses().map(|(_, press)| press.clone()));
        self.message = message.clone();
        self.first
    }

    /// The last message and the number of its first button, for `more`.
    pub fn last(&self) -> (&Message, usize) {
        (&self.message, self.first.max(1))
    }

    /// What a line means if it is a number alone (`2` or `[2]`), else nothing.
    ///
    /// # Errors
    /// [`NoSuchNumber`] when no button has that number.
    pub fn press(&self, line: &str) -> Result<Option<&Press>, NoSuchNumber> {
        let line = line.trim();
        let line = line.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(line);
        let digits = !line.is_empty() && line.len() <= 6 && line.bytes().all(|byte| byte.is_ascii_digit());
        let Some(number) = line.parse::<usize>().ok().filter(|_| digits) else { return Ok(None) };
        let press = number.checked_sub(1).and_then(|index| self.presses.get(index));
        press.map(Some).ok_or(NoSuchNumber { number, last: self.presses.len() })
    }
}

impl NoSuchNumber {
    /// What a person is told.
    pub fn message(self) -> Message {
        let headline = match self.last {
            0 => text!["there is no button ", self.number, "; nothing shown so far has buttons"],
            1 => text!["there is no button ", self.number, "; the only one is 1"],
            last => text!["there is no button ", self.number, "; they are 1 to ", last],
        };
        Message::new(Tone::Refused, headline)
    }
}

#[cfg(test)]
mod tests {
    use kubewhy_chat::{Block, Button};
    use kubewhy_text::Text;

    use super::*;

    fn with_buttons(commands: &[&str]) -> Message {
        let buttons = commands.iter().map(|command| Button::command("x", *command)).collect();
        Message::new(Tone::Plain, Text::from("x")).with(Block::Buttons(buttons))
    }

    fn command(line: &str) -> Press {
        Press::Command(line.to_owned())
    }

    #[test]
    fn a_number_presses_the_button_of_the_last_answer_that_had_some() {
        let mut shown = LastShown::default();
        assert_eq!(shown.answer(&with_buttons(&["a", "b"])), 1);
        assert_eq!(shown.press(" [2] "), Ok(Some(&command("b"))));
        shown.answer(&Message::new(Tone::Plain, Text::from("no buttons")));
        assert_eq!(shown.press("2"), Ok(Some(&command("b"))));
        shown.answer(&with_buttons(&["c"]));
        assert_eq!(shown.press("1"), Ok(Some(&command("c"))));
        assert_eq!(shown.press("2"), Err(NoSuchNumber { number: 2, last: 1 }));
        assert_eq!(shown.press("0"), Err(NoSuchNumber { number: 0, last: 1 }));
    }

    #[test]
    fn a_message_that_comes_unasked_does_not_take_a_number_away() {
        let mut shown = LastShown::default();
        shown.answer(&with_buttons(&["roll back", "why"]));
        assert_eq!(shown.notice(&with_buttons(&["acknowledge"])), 3);
        assert_eq!(shown.press("1"), Ok(Some(&command("roll back"))));
        assert_eq!(shown.press("3"), Ok(Some(&command("acknowledge"))));
    }

    #[test]
    fn words_are_no_number() {
        let mut shown = LastShown::default();
        shown.answer(&with_buttons(&["a"]));
        for words in ["", "why", "1 2", "1a", "-1", "+1", "１", "[1", "99999999999999999999999"] {
            assert_eq!(shown.press(words), Ok(None), "{words}");
        }
    }
}
