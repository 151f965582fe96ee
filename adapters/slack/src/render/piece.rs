//! The parts of a message as blocks of Slack, each small enough for any message.

use kubewhy_chat::{Block, Fact, Image, Message, Quote};
use kubewhy_text::{Text, text};
use slack_morphism::prelude::{
    SlackBlock, SlackRichTextBlock, SlackRichTextElement, SlackRichTextListStyle, SlackRichTextQuote,
};

use super::File;
use super::inline::{self, Inline, Look};
use super::{context, picture, table, whole, words};
use crate::limits;

/// What the elements of a block are wrapped in takes less than this.
pub(super) const WRAPPING: usize = 250;

/// A block and what is to be known of it to lay it out.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub block: SlackBlock,
    /// How much of a message it takes.
    pub weight: usize,
    /// Its words for a notification.
    pub words: String,
    /// Whether it can be pressed: it is kept where people look first.
    pub pressed: bool,
    /// Whether it introduces the next: it does not end a message.
    pub introduces: bool,
}

impl Piece {
    pub(super) fn new(block: impl Into<SlackBlock>) -> Self {
        let block = block.into();
        let weight = limits::weight(&block) + 1;
        Self { block, weight, words: String::new(), pressed: false, introduces: false }
    }

    /// A table of Slack's own, of which a message takes one.
    pub(super) fn is_table(&self) -> bool {
        matches!(self.block, SlackBlock::Table(_))
    }
}

/// Whether a part is told in a notification: what is to be read slowly or pressed is not.
fn is_told(block: &Block) -> bool {
    match block {
        Block::Heading(_)
        | Block::Paragraph(_)
        | Block::Context(_)
        | Block::Facts(_)
        | Block::Steps(_)
        | Block::Points(_)
        | Block::Image(_) => true,
        Block::Quote(_)
        | Block::Code(_)
        | Block::Commands(_)
        | Block::Table(_)
        | Block::Buttons(_)
        | Block::Choice(_) => false,
    }
}

/// Where the pieces are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    Message,
    /// A modal takes no tables and no files.
    Modal,
}

/// Makes pieces, and remembers what cannot stand in them.
#[derive(Debug)]
pub(super) struct Pieces {
    pub surface: Surface,
    pub done: Vec<Piece>,
    pub files: Vec<File>,
    /// Whether anything was cut.
    pub cut: bool,
    /// The place of the next button in the message.
    pub next_press: usize,
}

impl Pieces {
    pub(super) fn new(surface: Surface) -> Self {
        Self { surface, done: Vec::new(), files: Vec::new(), cut: false, next_press: 0 }
    }

    /// The pieces so far.
    pub(super) fn take(&mut self) -> Vec<Piece> {
        std::mem::take(&mut self.done)
    }

    pub(super) fn headline(&mut self, message: &Message) {
        let mut elements = Vec::new();
        if let Some((mark, word)) = message.tone.mark_and_word() {
            let colon = if message.headline.is_empty() { "" } else { ": " };
            elements.push(inline::own(format!("{mark} {word}{colon}"), Look::Strong));
        }
        elements.extend(self.elements(&message.headline, Look::Strong));
        self.section(elements);
        self.name_from(0, || whole::headline(message, limits::TEXT));
    }

    pub(super) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            let from = self.done.len();
            self.block(block);
            if is_told(block) {
                self.name_from(from, || whole::block(block, limits::TEXT));
            }
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Heading(heading) => {
                let elements = self.elements(heading, Look::Strong);
                self.section(elements);
                self.done.iter_mut().rev().take(1).for_each(|piece| piece.introduces = true);
            }
            Block::Paragraph(words) => {
                let elements = self.elements(words, Look::Plain);
                self.section(elements);
            }
            Block::Context(words) => self.context(words),
            Block::Facts(facts) => self.facts(facts),
            Block::Quote(quote) => self.quote(quote),
            Block::Code(lines) => {
                let lines = self.lines(lines, limits::CODE / 4, limits::CODE);
                self.preformatted(&lines);
            }
            Block::Commands(commands) => commands.iter().for_each(|command| self.command(command)),
            Block::Steps(steps) => self.list(&SlackRichTextListStyle::Ordered, steps),
            Block::Points(points) => self.list(&SlackRichTextListStyle::Bullet, points),
            Block::Table(table) => table::show(self, table),
            Block::Image(image) => self.image(image),
            Block::Buttons(buttons) => self.buttons(buttons),
            Block::Choice(choice) => self.choice(choice),
        }
    }

    /// The elements of a text; remembers a cut.
    pub(super) fn elements(&mut self, text: &Text, look: Look) -> Vec<Inline> {
        let (elements, cut) = inline::elements(text, look);
        self.cut |= cut;
        elements
    }

    /// Elements as a paragraph, or several where they are too long for one block.
    pub(super) fn section(&mut self, elements: Vec<Inline>) {
        for group in inline::groups(elements, limits::BLOCK - WRAPPING) {
            self.rich(vec![inline::section(group).into()]);
        }
    }

    /// A block of rich text.
    pub(super) fn rich(&mut self, elements: Vec<SlackRichTextElement>) {
        if !elements.is_empty() {
            self.done.push(Piece::new(SlackRichTextBlock::new(elements)));
        }
    }

    pub(super) fn context(&mut self, words: &Text) {
        let (blocks, cut) = context::blocks(words);
        self.cut |= cut;
        self.done.extend(blocks.into_iter().map(Piece::new));
    }

    fn facts(&mut self, facts: &[Fact]) {
        let mut elements = Vec::new();
        for fact in facts {
            if !elements.is_empty() {
                elements.push(inline::own("\n", Look::Plain));
            }
            let name = self.elements(&fact.name, Look::Strong);
            if !name.is_empty() {
                elements.extend(name);
                elements.push(inline::own(": ", Look::Strong));
            }
            elements.extend(self.elements(&fact.value, Look::Plain));
        }
        self.section(elements);
    }

    fn quote(&mut self, quote: &Quote) {
        let mut source = text!["seen in ", quote.source.clone()];
        if let Some(at) = quote.at {
            source.push(text![", ", at]);
        }
        let source = self.elements(&source, Look::Plain);
        let lines = self.lines(&quote.words, limits::QUOTE / 2, limits::QUOTE).join("\n");
        let words = if lines.trim().is_empty() { "(no words)".to_owned() } else { lines };
        let mut sources = inline::groups(source, limits::BLOCK - limits::QUOTE - 2 * WRAPPING);
        let last = sources.pop().unwrap_or_default();
        for group in sources {
            self.rich(vec![inline::section(group).into()]);
        }
        let words = SlackRichTextQuote::new(vec![inline::own(words, Look::Plain)]);
        self.rich(vec![inline::section(last).into(), words.into()]);
    }

    fn image(&mut self, image: &Image) {
        let mut elements = vec![inline::own("Picture: ", Look::Plain)];
        elements.extend(self.elements(&image.alt, Look::Plain));
        let place = if self.surface == Surface::Modal || image.png.is_empty() {
            " (it cannot be shown here)".to_owned()
        } else {
            let file = picture::file(image, self.files.len());
            let place = format!(" ({}, in the thread)", file.name);
            self.files.push(file);
            place
        };
        elements.push(inline::own(place, Look::Plain));
        self.section(elements);
    }

    /// Gives the first piece from `from` on its words for a notification.
    fn name_from(&mut self, from: usize, words: impl FnOnce() -> String) {
        if let Some(piece) = self.done.get_mut(from) {
            let words = words();
            let (words, _) = words::part(&words, limits::TEXT, char::len_utf16);
            words.clone_into(&mut piece.words);
        }
    }
}
