//! A message in the form of a terminal.
//!
//! Only headlines, numbered buttons and choices start in the first column; all else stands indented, so that no words of a
//! cluster can pass for a line of ours. Foreign words are cleaned and cut in [`foreign`], before anything else sees them.

pub(crate) mod foreign;
mod parts;
mod table;
pub(crate) mod times;
pub(crate) mod words;

use kubewhy_chat::{Block, Message, Table, Tone};
use kubewhy_text::Text;

use crate::theme::Role;
use crate::view::{Details, View};
use foreign::Cut;
use words::{Piece, Word};

/// The longest line in columns, whatever a cluster says and however wide the words are that may not be divided. A line is
/// longer than the view's width only where a name or a command is.
pub const LONGEST_LINE: usize = 2_048;
/// How far what belongs to a headline is indented.
const BODY: usize = 2;

/// Renders a message: lines that each end with a line feed.
pub fn render(message: &Message, view: &View) -> String {
    let mut page = Page::new(view);
    page.headline(message);
    page.blocks(&message.blocks);
    match view.details {
        Details::Open => page.below(&message.thread),
        Details::Below => page.hint_of_more(&message.thread),
    }
    page.finish()
}

/// Renders what stands one tap below a message; its buttons count on after those of the first screen.
pub fn thread(message: &Message, view: &View) -> String {
    let mut page = Page::new(view);
    let first_screen = Message { thread: Vec::new(), ..message.clone() };
    page.next_press += first_screen.presses().count();
    page.blocks(&message.thread);
    if message.thread.is_empty() {
        page.words_at(BODY, Role::Faint, &Text::from("There is nothing more about this."));
    }
    page.finish()
}

/// A table alone, from the first column on.
pub(crate) fn table_lines(table: &Table, width: usize, cut: &mut Cut) -> String {
    let view = View { width, ..View::default() };
    let mut page = Page { indent: 0, cut: std::mem::take(cut), ..Page::new(&view) };
    page.table(table);
    *cut = page.cut;
    page.out
}

/// The lines so far.
pub(crate) struct Page<'v> {
    view: &'v View,
    out: String,
    /// The number of the next button.
    next_press: usize,
    /// Where the parts stand: further in below a heading.
    indent: usize,
    cut: Cut,
}

impl<'v> Page<'v> {
    pub(crate) fn new(view: &'v View) -> Self {
        Self { view, out: String::new(), next_press: view.first_press, indent: BODY, cut: Cut::default() }
    }

    fn finish(mut self) -> String {
        if self.cut.happened() {
            self.indent = BODY;
            let note = Text::from("Words were cut here because they are too long; -o json has them whole.");
            self.words_at(BODY, Role::Faint, &note);
        }
        self.out
    }

    fn headline(&mut self, message: &Message) {
        let words = self.words(&message.headline, Role::Strong);
        let Some((mark, word)) = message.tone.mark_and_word() else {
            let ours = words.first().is_some_and(|first| starts_like_ours(&first.text()));
            let nothing = words.is_empty() && message.blocks.is_empty() && message.thread.is_empty();
            if nothing {
                self.words_at(BODY, Role::Faint, &Text::from("(an empty message)"));
            } else if !words.is_empty() {
                self.paragraph(&[], if ours { BODY } else { 0 }, BODY, words);
            }
            return;
        };
        let colon = if words.is_empty() { "" } else { ":" };
        let lead = Word::new(Role::Tone(message.tone), format!("{mark} {word}{colon}"));
        self.paragraph(&[], 0, BODY, std::iter::once(lead).chain(words).collect());
    }

    fn blocks(&mut self, blocks: &[Block]) {
        self.indent = BODY;
        let mut before: Option<&Block> = None;
        for block in blocks {
            if matches!(block, Block::Heading(_)) {
                self.indent = BODY;
            }
            if self.parts_from(before, block) {
                self.blank();
            }
            self.block(block);
            if matches!(block, Block::Heading(_)) {
                self.indent = 2 * BODY;
            }
            before = Some(block);
        }
    }

    fn below(&mut self, thread: &[Block]) {
        if !thread.is_empty() {
            self.blank();
            self.blocks(thread);
        }
    }

    fn hint_of_more(&mut self, thread: &[Block]) {
        if thread.is_empty() {
            return;
        }
        let short = Text::from("Type \"more\" for the details");
        let mut hint = short.clone();
        let headings = thread.iter().filter_map(|block| match block {
            Block::Heading(heading) => Some(heading.clone()),
            _ => None,
        });
        for (index, heading) in headings.enumerate() {
            hint.push(if index == 0 { ": " } else { ", " });
            hint.push(heading);
        }
        // What does not fit a line would say the details themselves.
        let fits = hint.plain().chars().count() + BODY <= self.view.columns();
        self.indent = BODY;
        self.words_at(BODY, Role::Faint, if fits { &hint } else { &short });
    }

    /// Whether a blank line stands between two parts.
    fn parts_from(&self, before: Option<&Block>, next: &Block) -> bool {
        use Block::{Buttons, Choice, Code, Commands, Context, Heading, Image, Paragraph, Steps};
        let Some(before) = before else {
            return !self.out.is_empty() && matches!(next, Buttons(_) | Block::Table(_) | Code(_));
        };
        let introduces = matches!(before, Heading(_))
            || matches!((before, next), (Steps(_) | Paragraph(_) | Context(_), Commands(_) | Code(_)))
            || matches!((before, next), (Buttons(_) | Choice(_), Buttons(_) | Choice(_)));
        let stands_alone = |block: &Block| matches!(block, Block::Table(_) | Image(_) | Buttons(_) | Choice(_));
        let own_lines = stands_alone(before) || stands_alone(next) || matches!(before, Code(_));
        !introduces && (own_lines || matches!(next, Heading(_)))
    }

    /// The words of a text, cleaned and cut.
    pub(crate) fn words(&mut self, text: &Text, role: Role) -> Vec<Word> {
        let text = self.cut.text(text);
        words::of_text(&text, role, self.view.now)
    }

    /// A text as a paragraph at an indent.
    pub(crate) fn words_at(&mut self, indent: usize, role: Role, text: &Text) {
        let words = self.words(text, role);
        self.paragraph(&[], indent, indent, words);
    }

    /// Words in lines that fit: `lead` before the first, which starts at column `first`; the others start at `hanging`.
    pub(crate) fn paragraph(&mut self, lead: &[Piece], first: usize, hanging: usize, words: Vec<Word>) {
        if lead.is_empty() && words.is_empty() {
            return;
        }
        let columns = self.view.columns();
        let used: usize = lead.iter().map(Piece::width).sum();
        for (index, line) in words::wrap(words, columns, first + used, hanging).into_iter().enumerate() {
            self.spaces(if index == 0 { first } else { hanging });
            if index == 0 {
                self.pieces(lead);
            }
            self.pieces(&line);
            self.end();
        }
    }

    pub(crate) fn spaces(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    pub(crate) fn pieces(&mut self, pieces: &[Piece]) {
        for piece in pieces {
            piece.write(&mut self.out, self.view);
        }
    }

    /// Ends a line, without the spaces at its end.
    pub(crate) fn end(&mut self) {
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push('\n');
    }

    fn blank(&mut self) {
        if !self.out.is_empty() && !self.out.ends_with("\n\n") {
            self.out.push('\n');
        }
    }
}

/// Tells whether words would be taken for a headline, a button or an echoed line if they stood in the first column.
fn starts_like_ours(words: &str) -> bool {
    const TONES: [Tone; 6] =
        [Tone::Failing, Tone::Degraded, Tone::Pending, Tone::Healthy, Tone::Unknown, Tone::Refused];
    let words = words.trim_start();
    let marked = TONES.iter().filter_map(|tone| tone.mark_and_word()).any(|(mark, _)| words.starts_with(mark));
    marked || words.starts_with(['[', '>', '$'])
}
