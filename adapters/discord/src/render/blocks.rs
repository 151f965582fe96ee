//! Each kind of block as rows.

use kubewhy_chat::{Block as Part, Button, Choice, Fact, Image, Quote, Table};
use kubewhy_text::{Span, Text};
use serenity::builder::CreateActionRow;

use super::components::{Components, Line};
use super::fence::{self, Shown};
use super::line::{self, BARE, Begin, Part as Words};
use super::pages::{Block, Page, Pages, Row, plain_row};
use super::whole::Whole;
use super::{File, plain};
use crate::limits;

const HEADING: Begin = Begin { sign: "### ", on: "### " };
const CONTEXT: Begin = Begin { sign: "-# ", on: "-# " };
const POINT: Begin = Begin { sign: "- ", on: "  " };

/// The blocks of a message on their way to pages.
#[derive(Default)]
pub(super) struct Blocks<'m> {
    first: Vec<Block>,
    thread: Vec<Block>,
    whole: Whole<'m>,
    components: Components,
    pictures: usize,
}

impl<'m> Blocks<'m> {
    /// The headline, where the title has no room for all of it.
    pub(super) fn headline(&mut self, headline: &'m Text) {
        let rows = self.lines(BARE, &[Words::Text(headline)]);
        self.first.push(Block { rows, ..Block::default() });
    }

    /// The blocks of the first screen, before those of the thread: buttons are counted in the order in which they are shown.
    pub(super) fn first_screen(&mut self, parts: &'m [Part]) {
        let blocks = self.blocks(parts);
        self.first.extend(blocks);
    }

    /// The blocks of the thread.
    pub(super) fn thread(&mut self, parts: &'m [Part]) {
        let blocks = self.blocks(parts);
        self.thread.extend(blocks);
    }

    /// The pages, and the file beside them.
    pub(super) fn into_pages(mut self) -> (Vec<Page>, Option<File>) {
        let mut pages = Pages::new();
        pages.first_screen(self.first, &mut self.whole);
        pages.thread(self.thread, &mut self.whole);
        (pages.finish(), self.whole.file())
    }

    fn blocks(&mut self, parts: &'m [Part]) -> Vec<Block> {
        let mut before = None;
        let mut blocks = Vec::new();
        for part in parts {
            let rows = self.rows(part);
            let is_heading = matches!(part, Part::Heading(_));
            blocks.push(Block { rows, is_apart: before.is_some_and(|before| is_apart(before, part)), is_heading });
            before = Some(part);
        }
        blocks.retain(|block| !block.rows.is_empty());
        blocks
    }

    fn rows(&mut self, part: &'m Part) -> Vec<Row> {
        match part {
            Part::Heading(words) => self.lines(HEADING, &[Words::Text(words)]),
            Part::Paragraph(words) => self.lines(BARE, &[Words::Text(words)]),
            Part::Context(words) => self.lines(CONTEXT, &[Words::Text(words)]),
            Part::Facts(facts) => facts.iter().flat_map(|fact| self.fact(fact)).collect(),
            Part::Quote(quote) => self.quote(quote),
            Part::Code(words) => {
                let shown = fence::lines(words, &mut self.whole);
                fenced("", shown)
            }
            Part::Commands(commands) => {
                let shown = fence::commands(commands, &mut self.whole);
                fenced("sh", shown)
            }
            Part::Steps(steps) => self.steps(steps),
            Part::Points(points) => points.iter().flat_map(|point| self.lines(POINT, &[Words::Text(point)])).collect(),
            Part::Table(table) => self.table(table),
            Part::Image(image) => self.image(image),
            Part::Buttons(buttons) => self.buttons(buttons),
            Part::Choice(choice) => self.choice(choice),
        }
    }

    fn lines(&mut self, begin: Begin, parts: &[Words<'m>]) -> Vec<Row> {
        line::rows(begin, parts, &mut self.whole).into_iter().map(Row::Line).collect()
    }

    fn fact(&mut self, fact: &'m Fact) -> Vec<Row> {
        self.lines(POINT, &[Words::Bold(&fact.name), Words::Own(": "), Words::Text(&fact.value)])
    }

    fn quote(&mut self, quote: &'m Quote) -> Vec<Row> {
        let mut source = vec![Words::Own("Seen in "), Words::Text(&quote.source)];
        if let Some(at) = quote.at {
            source.extend([Words::Own(" at "), Words::Time(at)]);
        }
        source.push(Words::Own(":"));
        let mut rows = self.lines(BARE, &source);
        let shown = fence::lines(&quote.words, &mut self.whole);
        rows.extend(fenced("", shown));
        rows
    }

    fn steps(&mut self, steps: &'m [Text]) -> Vec<Row> {
        let mut rows = Vec::new();
        for (index, step) in steps.iter().enumerate() {
            // A step that is long goes on behind where its words began.
            let lines = line::rows(Begin { sign: "", on: "   " }, &[Words::Text(step)], &mut self.whole);
            let mut lines = lines.into_iter();
            rows.extend(lines.next().map(|line| Row::Line(format!("{}. {line}", index + 1))));
            rows.extend(lines.map(Row::Line));
        }
        rows
    }

    /// A point for each row: columns that are aligned break on a phone, and in a fence a reader's own zone is lost.
    fn table(&mut self, table: &'m Table) -> Vec<Row> {
        let heads = table.heads.iter().filter(|head| !is_blank(head));
        let mut rows = self.lines(CONTEXT, &joined(heads.map(|head| (vec![Words::Text(head)], " · "))));
        for row in &table.rows {
            let cells = row.iter().enumerate().filter(|(_, cell)| !is_blank(cell)).map(|(column, cell)| {
                let head = table.heads.get(column).filter(|head| !is_blank(head));
                match head.filter(|_| column > 0 && is_number(cell)) {
                    // A number says nothing without its head.
                    Some(head) => (vec![Words::Text(head), Words::Own(": "), Words::Brief(cell)], " · "),
                    // A column without a head is a mark of what follows.
                    None => (vec![Words::Brief(cell)], if head.is_some() { " · " } else { " " }),
                }
            });
            rows.extend(self.lines(POINT, &joined(cells)));
        }
        rows
    }

    fn image(&mut self, image: &'m Image) -> Vec<Row> {
        const ENDING: &str = ".png";
        let fits = !image.png.is_empty() && image.png.len() <= limits::FILE_BYTES;
        let words = if fits { "Picture: " } else { "A picture that cannot be shown: " };
        let mut rows = self.lines(CONTEXT, &[Words::Own(words), Words::Text(&image.alt)]);
        if fits {
            let name = plain::file_name(&image.file, ENDING, self.pictures);
            self.pictures += 1;
            rows.push(Row::Picture(File { name, bytes: image.png.to_vec() }));
        }
        rows
    }

    fn buttons(&mut self, buttons: &'m [Button]) -> Vec<Row> {
        let (rows, lines) = self.components.buttons(buttons);
        self.with_lines(lines, rows)
    }

    fn choice(&mut self, choice: &'m Choice) -> Vec<Row> {
        let (menus, lines) = self.components.choice(choice);
        // A menu says its prompt by itself, where it has room for it.
        let has_menu = menus.iter().any(|row| matches!(row, Row::Components(CreateActionRow::SelectMenu(_), _)));
        let is_said = has_menu && plain::label(&choice.prompt, limits::PLACEHOLDER).1;
        let prompt: &[Words<'m>] = if is_said { &[] } else { &[Words::Text(&choice.prompt)] };
        let mut rows = self.lines(BARE, prompt);
        rows.extend(self.with_lines(lines, menus));
        rows
    }

    /// Components, behind what of them has to be said in words.
    fn with_lines(&mut self, lines: Vec<Line<'m>>, components: Vec<Row>) -> Vec<Row> {
        let mut rows: Vec<Row> = lines.into_iter().flat_map(|line| self.lines(POINT, &line)).collect();
        rows.extend(components);
        rows
    }
}

/// The words of blocks without markup and without what is pressed.
pub(super) fn plain_rows(parts: &[Part]) -> Vec<String> {
    let mut blocks = Blocks::default();
    let rows = parts.iter().flat_map(|part| blocks.rows(part)).collect::<Vec<_>>();
    rows.iter().filter_map(plain_row).collect()
}

fn fenced(language: &'static str, shown: Vec<Shown>) -> Vec<Row> {
    let rows = shown.into_iter().map(|shown| match shown {
        Shown::Line(line) => Row::Code(language, line),
        Shown::Note(note) => Row::Line(format!("-# {note}")),
    });
    rows.collect()
}

/// Cells with what stands between each and the next.
fn joined<'m>(cells: impl Iterator<Item = (Vec<Words<'m>>, &'static str)>) -> Vec<Words<'m>> {
    let mut words = Vec::new();
    let mut gap = None;
    for (cell, behind) in cells {
        words.extend(gap.map(Words::Own));
        words.extend(cell);
        gap = Some(behind);
    }
    words
}

fn is_blank(text: &Text) -> bool {
    text.spans().iter().all(|span| matches!(span, Span::Own(words) if words.trim().is_empty()))
}

fn is_number(cell: &Text) -> bool {
    matches!(cell.spans(), [Span::Own(words)] if !words.is_empty() && words.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether an empty line stands between two parts.
fn is_apart(before: &Part, next: &Part) -> bool {
    use Part::{Buttons, Code, Commands, Context, Heading, Quote};
    let sets_itself_off = matches!(next, Heading(_) | Code(_) | Commands(_) | Buttons(_));
    // Behind a fence there is room.
    let leaves_room = matches!(before, Heading(_) | Quote(_) | Code(_) | Commands(_));
    !sets_itself_off && !leaves_room && !matches!((before, next), (Context(_), Context(_)))
}
