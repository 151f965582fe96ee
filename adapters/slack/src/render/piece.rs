//! The parts of a message as blocks of Slack, each small enough for any message.

use kubewhy_chat::{Block, Fact, Image, Message, Quote};
use kubewhy_text::{Text, text};
use slack_morphism::prelude::{
    SlackBlock, SlackRichTextBlock, SlackRichTextElement, SlackRichTextList, SlackRichTextListStyle,
    SlackRichTextPreformatted, SlackRichTextQuote,
};

use super::File;
use super::inline::{self, Inline, Look};
use super::{context, picture, table, whole, words};
use crate::limits;

/// What the elements of a block are wrapped in takes less than this.
const WRAPPING: usize = 250;

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
        self.name_from(0, || whole::headline(message));
    }

    pub(super) fn blocks(&mut self, blocks: &[Block]) {
        for block in blocks {
            let from = self.done.len();
            self.block(block);
            self.name_from(from, || whole::block(block));
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
            Block::Code(lines) => self.code(lines, limits::CODE),
            Block::Commands(commands) => commands.iter().for_each(|command| self.command(command)),
            Block::Steps(steps) => self.list(SlackRichTextListStyle::Ordered, steps),
            Block::Points(points) => self.list(SlackRichTextListStyle::Bullet, points),
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
            elements.extend(self.elements(&fact.name, Look::Strong));
            elements.push(inline::own(": ", Look::Strong));
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
        let lines = self.lines(&quote.words, limits::QUOTE).join("\n");
        let words = if lines.trim().is_empty() { "(no words)".to_owned() } else { lines };
        let mut sources = inline::groups(source, limits::BLOCK - limits::QUOTE - 2 * WRAPPING);
        let last = sources.pop().unwrap_or_default();
        for group in sources {
            self.rich(vec![inline::section(group).into()]);
        }
        let words = SlackRichTextQuote::new(vec![inline::own(words, Look::Plain)]);
        self.rich(vec![inline::section(last).into(), words.into()]);
    }

    /// Lines as they are, in as many blocks as they need.
    pub(super) fn code(&mut self, lines: &str, most: usize) {
        let lines = self.lines(lines, most);
        self.preformatted(&lines);
    }

    /// Clean lines in the look of code.
    pub(super) fn preformatted(&mut self, lines: &[String]) {
        if lines.iter().all(|line| line.trim().is_empty()) {
            self.section(vec![inline::own("(nothing)", Look::Plain)]);
            return;
        }
        let mut open = String::new();
        let mut used = 0;
        for line in lines {
            let mut rest = line.as_str();
            loop {
                let (first, more) = words::part(rest, limits::BLOCK - WRAPPING, limits::character);
                let long = limits::string(first) + 2;
                if used + long > limits::BLOCK - WRAPPING && used > 0 {
                    self.preformatted_block(std::mem::take(&mut open));
                    used = 0;
                }
                if used > 0 {
                    open.push('\n');
                }
                open.push_str(first);
                used += long;
                rest = more;
                if rest.is_empty() {
                    break;
                }
            }
        }
        self.preformatted_block(open);
    }

    fn preformatted_block(&mut self, words: String) {
        if !words.is_empty() {
            let words = SlackRichTextPreformatted::new(vec![inline::own(words, Look::Plain)]);
            self.rich(vec![words.into()]);
        }
    }

    /// Clean lines that weigh at most `most`; what does not fit is cut out of the middle, and more is kept of the end, where a
    /// log says why it ended.
    fn lines(&mut self, words: &str, most: usize) -> Vec<String> {
        let all: Vec<&str> = words::raw_lines(words).collect();
        let mut head = Vec::new();
        let mut room = most / 4;
        let mut left = all.as_slice();
        while let Some((line, more)) = left.split_first() {
            let Some(line) = self.line(line, &mut room) else { break };
            head.push(line);
            left = more;
        }
        let mut tail = Vec::new();
        room += most - most / 4;
        while let Some((line, more)) = left.split_last() {
            let Some(line) = self.line(line, &mut room) else { break };
            tail.push(line);
            left = more;
        }
        if !left.is_empty() {
            self.cut = true;
            head.push(format!("… ({} more lines)", left.len()));
        }
        head.extend(tail.into_iter().rev());
        head
    }

    /// A clean line that is not too long, if there is room for it.
    fn line(&mut self, line: &str, room: &mut usize) -> Option<String> {
        let (kept, rest) = words::part(line, limits::LINE, char::len_utf16);
        let mut shown = words::clean_line(kept);
        if !rest.is_empty() {
            shown = format!("{shown} … ({} more characters)", rest.chars().count());
        }
        *room = room.checked_sub(limits::string(&shown) + 2)?;
        self.cut |= !rest.is_empty();
        Some(shown)
    }

    /// A command in a block of its own, whole, so that it can be copied.
    fn command(&mut self, command: &str) {
        let (kept, rest) = words::part(command, limits::COMMAND, char::len_utf16);
        let shown = words::clean(kept);
        if rest.is_empty() && limits::string(&shown) < limits::BLOCK - WRAPPING {
            self.preformatted(&[shown]);
            return;
        }
        self.cut = true;
        let characters = command.chars().count();
        self.section(vec![inline::own(
            format!("(a command of {characters} characters, too long to be copied from here)"),
            Look::Plain,
        )]);
    }

    fn list(&mut self, style: SlackRichTextListStyle, items: &[Text]) {
        let mut open = Vec::new();
        let (mut used, mut before) = (0, 0);
        for (index, item) in items.iter().enumerate() {
            let elements = self.elements(item, Look::Plain);
            let mut groups = inline::groups(elements, limits::BLOCK / 2).into_iter();
            let mut item = groups.next().unwrap_or_else(|| vec![inline::own("(nothing)", Look::Plain)]);
            if groups.next().is_some() {
                self.cut = true;
                item.push(inline::own(" … (it goes on)", Look::Plain));
            }
            let item = inline::section(item);
            let weight = limits::weight(&item) + WRAPPING / 4;
            if used + weight > limits::BLOCK - WRAPPING && !open.is_empty() {
                self.list_block(&style, std::mem::take(&mut open), before);
                (used, before) = (0, index);
            }
            used += weight;
            open.push(item.into());
        }
        self.list_block(&style, open, before);
    }

    /// Items of a list, of which `before` stand in earlier blocks.
    fn list_block(
        &mut self,
        style: &SlackRichTextListStyle,
        items: Vec<slack_morphism::prelude::SlackRichTextListElement>,
        before: usize,
    ) {
        if items.is_empty() {
            return;
        }
        let mut list = SlackRichTextList::new(style.clone(), items);
        if before > 0 && *style == SlackRichTextListStyle::Ordered {
            list = list.with_offset(u64::try_from(before).unwrap_or(0));
        }
        self.rich(vec![list.into()]);
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
            piece.words = words.to_owned();
        }
    }
}
