//! What is shown: a headline, a first screen, and the rest one tap below it.

use std::sync::Arc;

use jiff::Timestamp;
use kubewhy_text::Text;
use serde::{Deserialize, Serialize};

/// A message as a person reads it, before any platform has given it a form.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// What the headline's mark, word and colour say.
    pub tone: Tone,
    /// One line: all that a notification on a phone shows.
    pub headline: Text,
    /// The first screen.
    pub blocks: Vec<Block>,
    /// What stands one tap below: in the thread, or behind "details".
    pub thread: Vec<Block>,
}

/// The state that a message speaks of. Renderers show it by mark and word; colour comes on top and never stands alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tone {
    /// Neither good nor bad: help, a list, a log.
    #[default]
    Plain,
    /// Something does not work.
    Failing,
    /// It works, and something is worth a look.
    Degraded,
    /// Too early to say.
    Pending,
    /// Nothing is wrong.
    Healthy,
    /// It could not be told.
    Unknown,
    /// What a person asked was not done: a typo, a refusal.
    Refused,
}

impl Tone {
    /// The mark and the word; a plain message has neither.
    pub fn mark_and_word(self) -> Option<(&'static str, &'static str)> {
        match self {
            Self::Plain => None,
            Self::Failing => Some(("✖", "failing")),
            Self::Degraded => Some(("▲", "degraded")),
            Self::Pending => Some(("…", "pending")),
            Self::Healthy => Some(("✔", "healthy")),
            Self::Unknown => Some(("?", "unknown")),
            Self::Refused => Some(("!", "not done")),
        }
    }
}

/// A part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading above what follows.
    Heading(Text),
    /// A paragraph.
    Paragraph(Text),
    /// Small print: where, since when, what was looked at.
    Context(Text),
    /// Short named values.
    Facts(Vec<Fact>),
    /// Somebody else's words, with the place where they can be checked.
    Quote(Quote),
    /// Lines to read as they are: a log, a manifest. Hostile like any words of a cluster.
    Code(String),
    /// Command lines to copy, one each, without a prompt sign. Where a name of the cluster stands in one, it has been quoted
    /// for the shell.
    Commands(Vec<String>),
    /// Steps in order.
    Steps(Vec<Text>),
    /// Points in no order.
    Points(Vec<Text>),
    /// Rows and columns.
    Table(Table),
    /// A picture.
    Image(Image),
    /// What can be done next, as buttons beside each other.
    Buttons(Vec<Button>),
    /// One of several, as a menu.
    Choice(Choice),
}

/// A short named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: Text,
    /// Its value.
    pub value: Text,
}

/// Somebody else's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Where they stand: `Event FailedMount on Pod shop/cart`.
    pub source: Text,
    /// The words; nothing in them is interpreted.
    pub words: String,
    /// When they were said.
    pub at: Option<Timestamp>,
}

/// Rows and columns. A row that is shorter than the heads ends with empty cells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The heads of the columns.
    pub heads: Vec<Text>,
    /// The rows.
    pub rows: Vec<Vec<Text>>,
}

/// A picture. Who cannot see it reads [`Image::alt`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The name of the file, with its ending.
    pub file: String,
    /// What it shows, in words.
    pub alt: Text,
    /// The picture as PNG.
    pub png: Arc<[u8]>,
}

/// A button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What stands on it. It ends in `…` where a step follows before anything is done.
    pub label: Text,
    /// What pressing it means.
    pub press: Press,
    /// How much it catches the eye.
    pub style: Style,
}

/// How much a button catches the eye.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    /// Like its neighbours.
    #[default]
    Normal,
    /// The next step for most people.
    Primary,
    /// It leads to something that can hurt.
    Danger,
}

/// What pressing a button or choosing from a menu means.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Press {
    /// The same as typing this command line.
    Command(String),
    /// An opaque token whose meaning is kept by us; nobody outside can make one up.
    Token(String),
    /// A page to open.
    Link(String),
}

/// A menu of which one is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is asked.
    pub prompt: Text,
    /// What there is to choose from, the likeliest first.
    pub options: Vec<(Text, Press)>,
}

/// A form that a person fills in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// What it is about.
    pub title: Text,
    /// What a person must know before filling it in.
    pub blocks: Vec<Block>,
    /// What is to be filled in.
    pub fields: Vec<Field>,
    /// What stands on the button that sends it.
    pub submit: Text,
    /// The opaque token that comes back with the values.
    pub token: String,
}

/// A line of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name under which its value comes back.
    pub id: String,
    /// What is asked.
    pub label: Text,
    /// An example of an answer.
    pub placeholder: Text,
    /// The longest answer, in characters.
    pub most: usize,
}

impl Press {
    /// The longest form of [`Press::encode`] in bytes: what every platform can carry behind a button.
    pub const MOST_BYTES: usize = 100;

    /// The form that a platform carries behind a button and hands back when it is pressed, with the button's place in its
    /// message, since platforms want it unique there. `None` for a link, which the platform opens by itself, and for a
    /// command line that is too long: it has to be kept behind a token first.
    pub fn encode(&self, index: usize) -> Option<String> {
        let encoded = match self {
            Self::Command(line) => format!("{index}c:{line}"),
            Self::Token(token) => format!("{index}t:{token}"),
            Self::Link(_) => return None,
        };
        (encoded.len() <= Self::MOST_BYTES).then_some(encoded)
    }

    /// Reads what [`Press::encode`] wrote. Anybody can send such words: a command is worth as much as if its sender had
    /// typed it, and a token means nothing unless it was kept.
    pub fn decode(encoded: &str) -> Option<Self> {
        let (kind, rest) = encoded.trim_start_matches(|digit: char| digit.is_ascii_digit()).split_once(':')?;
        match kind {
            "c" => Some(Self::Command(rest.to_owned())),
            "t" => Some(Self::Token(rest.to_owned())),
            _ => None,
        }
    }
}

impl Message {
    /// A message of one line.
    pub fn new(tone: Tone, headline: Text) -> Self {
        Self { tone, headline, ..Self::default() }
    }

    /// The same with a part on the first screen.
    #[must_use]
    pub fn with(mut self, block: Block) -> Self {
        self.blocks.push(block);
        self
    }

    /// The same with a part one tap below.
    #[must_use]
    pub fn below(mut self, block: Block) -> Self {
        self.thread.push(block);
        self
    }

    /// The same with every button and menu entry leading where `lead` says.
    #[must_use]
    pub fn map_presses(mut self, mut lead: impl FnMut(Press) -> Press) -> Self {
        for block in self.blocks.iter_mut().chain(&mut self.thread) {
            match block {
                Block::Buttons(buttons) => {
                    for button in buttons {
                        button.press = lead(button.press.clone());
                    }
                }
                Block::Choice(choice) => {
                    for (_, press) in &mut choice.options {
                        *press = lead(press.clone());
                    }
                }
                _ => {}
            }
        }
        self
    }

    /// All its buttons and menu entries in the order in which they are shown, the first screen's first.
    pub fn presses(&self) -> impl Iterator<Item = (&Text, &Press)> {
        self.blocks.iter().chain(&self.thread).flat_map(|block| match block {
            Block::Buttons(buttons) => buttons.iter().map(|button| (&button.label, &button.press)).collect::<Vec<_>>(),
            Block::Choice(choice) => choice.options.iter().map(|(label, press)| (label, press)).collect(),
            _ => Vec::new(),
        })
    }
}

impl Button {
    /// A button that is like typing a command line.
    pub fn command(label: impl Into<Text>, line: impl Into<String>) -> Self {
        Self { label: label.into(), press: Press::Command(line.into()), style: Style::Normal }
    }

    /// The same with another style.
    #[must_use]
    pub fn style(mut self, style: Style) -> Self {
        self.style = style;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Press;

    #[test]
    fn a_button_comes_back_as_it_was_sent() {
        for press in [Press::Command("why pod c:art -n shop".to_owned()), Press::Token("0aF".to_owned())] {
            for index in [0, 7, 24] {
                assert_eq!(Press::decode(&press.encode(index).expect("it is short")), Some(press.clone()));
            }
        }
    }

    #[test]
    fn what_no_platform_can_carry_is_not_encoded() {
        assert_eq!(Press::Command("x".repeat(98)).encode(0), None);
        assert_eq!(Press::Link("https://example.com".to_owned()).encode(0), None);
        for words in ["", "c", "x:y", ":", "12"] {
            assert_eq!(Press::decode(words), None, "{words}");
        }
    }
}
