//! Rows on pages: what one message shows. A page ends where a person would end it: between blocks, else between rows.

use serenity::builder::CreateActionRow;

use super::File;
use super::whole::{NAME, Whole};
use crate::limits;

/// What a page holds besides the notes of ours at its end, in UTF-16 code units.
const ROOM: usize = limits::DESCRIPTION - 96;
/// A block up to this is not divided; of a longer one, a part may stand on the page before.
const TOGETHER: usize = 1_200;
/// What of a divided block has to follow a heading.
const BEHIND_HEADING: usize = 300;
/// The ends of a fence with its line feeds and a language.
const FENCE: usize = 12;
/// The pictures of a page: one in each embed, and room for the text file.
const PICTURES: usize = limits::FILES - 1;

/// What is not divided.
pub(super) enum Row {
    /// A line of markup.
    Line(String),
    /// A line inside a fence of that language.
    Code(&'static str, String),
    /// A picture.
    Picture(File),
    /// Buttons beside each other or a menu, and what it says in words.
    Components(CreateActionRow, String),
}

/// Rows that belong together.
#[derive(Default)]
pub(super) struct Block {
    pub(super) rows: Vec<Row>,
    /// Whether an empty line stands before it.
    pub(super) is_apart: bool,
    /// Whether it must not be the last of a page.
    pub(super) is_heading: bool,
}

/// What one message shows.
#[derive(Default)]
pub(super) struct Page {
    pub(super) text: String,
    pub(super) pictures: Vec<File>,
    pub(super) components: Vec<CreateActionRow>,
    pub(super) files: Vec<File>,
    length: usize,
    /// The language of the fence that is open.
    fence: Option<&'static str>,
}

impl Page {
    fn push(&mut self, words: &str) {
        self.text.push_str(words);
        self.length += limits::length(words);
    }

    fn close_fence(&mut self) {
        if self.fence.take().is_some() {
            self.push("\n```");
        }
    }

    fn has_room(&self, needed: usize) -> bool {
        self.length + needed + FENCE <= ROOM
    }

    fn note(&mut self, words: &str) {
        self.close_fence();
        let feed = if self.text.is_empty() { "" } else { "\n" };
        self.push(&format!("{feed}-# {words}"));
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.pictures.is_empty() && self.components.is_empty()
    }
}

/// The pages of a message, the first screen's first.
pub(super) struct Pages {
    done: Vec<Page>,
    page: Page,
    /// Whether there is no further page: rows go to the file.
    is_full: bool,
}

impl Pages {
    pub(super) fn new() -> Self {
        Self { done: Vec::new(), page: Page::default(), is_full: false }
    }

    /// Puts the first screen's blocks on pages. Its buttons stand below the first, wherever its words end.
    pub(super) fn first_screen(&mut self, blocks: Vec<Block>, whole: &mut Whole<'_>) {
        let mut components = Vec::new();
        let mut words = Vec::new();
        for mut block in blocks {
            let (of_block, rows) =
                block.rows.into_iter().partition::<Vec<_>, _>(|row| matches!(row, Row::Components(..)));
            components.extend(of_block);
            block.rows = rows;
            words.push(block);
        }
        for component in components {
            match component {
                Row::Components(row, _) if self.page.components.len() < limits::ROWS => self.page.components.push(row),
                // Those that have no room follow all words.
                other => words.push(Block { rows: vec![other], ..Block::default() }),
            }
        }
        self.blocks(words, whole);
        if let Some(first) = self.done.first_mut() {
            first.note("More in the next message.");
        }
    }

    /// Puts blocks on pages of the thread.
    pub(super) fn thread(&mut self, blocks: Vec<Block>, whole: &mut Whole<'_>) {
        if blocks.is_empty() {
            return;
        }
        if self.done.is_empty() {
            self.turn();
        }
        self.blocks(blocks, whole);
    }

    fn blocks(&mut self, blocks: Vec<Block>, whole: &mut Whole<'_>) {
        let sizes: Vec<usize> = blocks.iter().map(size).collect();
        let behind = sizes.iter().skip(1).copied().chain([0]);
        for ((block, size), next) in blocks.into_iter().zip(&sizes).zip(behind) {
            let needed = match (block.is_heading, *size <= TOGETHER) {
                (true, _) => size + next.min(BEHIND_HEADING),
                (false, true) => *size,
                (false, false) => 0,
            };
            if needed > 0 && !self.page.is_empty() && !self.page.has_room(needed) {
                self.turn();
            }
            let mut is_apart = block.is_apart;
            for row in block.rows {
                self.row(row, is_apart, whole);
                is_apart = false;
            }
            // Two fences behind each other are two things to copy.
            if !self.is_full {
                self.page.close_fence();
            }
        }
    }

    fn row(&mut self, row: Row, is_apart: bool, whole: &mut Whole<'_>) {
        if !self.is_full && !self.fits(&row) {
            self.turn();
        }
        match row {
            Row::Picture(file) if self.page.pictures.len() < PICTURES => self.page.pictures.push(file),
            Row::Components(row, _) if self.page.components.len() < limits::ROWS => self.page.components.push(row),
            Row::Picture(file) => whole.rest(&format!("a picture that had no room: {}", file.name)),
            Row::Components(_, words) => whole.rest(&words),
            Row::Line(line) if self.is_full => whole.rest(&unmarked(&line)),
            Row::Code(_, line) if self.is_full => whole.rest(&line),
            Row::Line(line) => self.line(&line, is_apart),
            Row::Code(language, line) => self.code(language, &line),
        }
    }

    fn line(&mut self, line: &str, is_apart: bool) {
        self.page.close_fence();
        let feed = match (self.page.text.is_empty(), is_apart) {
            (true, _) => "",
            (false, true) => "\n\n",
            (false, false) => "\n",
        };
        self.page.push(&format!("{feed}{line}"));
    }

    fn code(&mut self, language: &'static str, line: &str) {
        if self.page.fence == Some(language) {
            self.page.push(&format!("\n{line}"));
            return;
        }
        self.page.close_fence();
        let feed = if self.page.text.is_empty() { "" } else { "\n" };
        // Discord passes over a fence with nothing but line feeds in it, and takes its end for the beginning of another.
        let line = if line.is_empty() { " " } else { line };
        self.page.push(&format!("{feed}```{language}\n{line}"));
        self.page.fence = Some(language);
    }

    fn fits(&self, row: &Row) -> bool {
        match row {
            Row::Line(line) | Row::Code(_, line) => self.page.has_room(limits::length(line) + 2 + FENCE),
            Row::Picture(_) => self.page.pictures.len() < PICTURES,
            Row::Components(..) => self.page.components.len() < limits::ROWS,
        }
    }

    /// Begins the next page, as long as there is one.
    fn turn(&mut self) {
        if self.done.len() == limits::THREAD_SCREENS {
            self.is_full = true;
            return;
        }
        self.page.close_fence();
        self.done.push(std::mem::take(&mut self.page));
    }

    pub(super) fn finish(mut self) -> Vec<Page> {
        self.page.close_fence();
        if self.is_full {
            self.page.note(&format!("The rest is in {NAME}."));
        }
        if self.done.is_empty() || !self.page.is_empty() {
            self.done.push(self.page);
        }
        for page in self.done.iter_mut().skip(1).filter(|page| page.text.is_empty() && page.pictures.is_empty()) {
            page.note("What can be done next:");
        }
        self.done
    }
}

fn size(block: &Block) -> usize {
    let of_row = |row: &Row| match row {
        Row::Line(line) | Row::Code(_, line) => limits::length(line) + 1,
        Row::Picture(_) | Row::Components(..) => 0,
    };
    block.rows.iter().map(of_row).sum::<usize>() + 1
}

/// A row in plain words, if it has any.
pub(super) fn plain_row(row: &Row) -> Option<String> {
    match row {
        Row::Line(line) => Some(unmarked(line)),
        Row::Code(_, line) => Some(line.clone()),
        Row::Components(_, words) => Some(words.clone()),
        Row::Picture(_) => None,
    }
}

/// A line of markup as plain words: our signs are taken out again, points in time are written out.
fn unmarked(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    for (index, part) in line.split('`').enumerate() {
        // Escaped back-ticks are of our own words, which have none.
        if index % 2 == 1 {
            out.push_str(part);
        } else {
            out.push_str(&with_times(&part.replace("**", "").replace('\\', "")));
        }
    }
    out.strip_prefix("-# ").or_else(|| out.strip_prefix("### ")).unwrap_or(&out).to_owned()
}

/// `<t:0:f> (<t:0:R>)` and `<t:0:f>` as `1970-01-01 00:00:00 UTC`.
fn with_times(words: &str) -> String {
    let mut out = String::with_capacity(words.len());
    let mut parts = words.split("<t:");
    out.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let Some((time, rest)) = part.split_once(":f>") else {
            // How long ago it was is not known when the file is read.
            out.push_str(part.split_once(":R>)").map_or(part, |(_, rest)| rest));
            continue;
        };
        let time = time.parse().ok().and_then(|second| jiff::Timestamp::from_second(second).ok());
        let written = time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string());
        out.push_str(&written.unwrap_or_default());
        out.push_str(rest.strip_suffix(" (").unwrap_or(rest));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages(blocks: Vec<Block>) -> (Vec<Page>, Whole<'static>) {
        let mut whole = Whole::default();
        let mut pages = Pages::new();
        pages.first_screen(blocks, &mut whole);
        (pages.finish(), whole)
    }

    fn lines(count: usize, length: usize) -> Block {
        Block { rows: (0..count).map(|_| Row::Line("x".repeat(length))).collect(), ..Block::default() }
    }

    #[test]
    fn a_short_block_is_not_divided() {
        let (pages, _) = pages(vec![lines(3, 1_200), lines(10, 60)]);
        assert_eq!(pages.len(), 2);
        assert!(pages[0].text.ends_with("\n-# More in the next message."), "{}", pages[0].text);
        assert_eq!(pages[1].text.lines().count(), 10);
    }

    #[test]
    fn a_heading_does_not_stand_alone_at_the_end() {
        let heading = Block { rows: vec![Row::Line("### Commands".to_owned())], is_heading: true, ..Block::default() };
        let (pages, _) = pages(vec![lines(3, 1_250), heading, lines(1, 400)]);
        assert!(pages[1].text.starts_with("### Commands\nx"), "{}", pages[1].text);
    }

    #[test]
    fn a_fence_that_goes_on_is_closed_and_opened_again() {
        let code = Block { rows: (0..300).map(|_| Row::Code("", "y".repeat(30))).collect(), ..Block::default() };
        let (pages, _) = pages(vec![code]);
        assert_eq!(pages.len(), 3);
        assert!(pages.iter().all(|page| page.text.matches("```").count() == 2 && page.text.starts_with("```\ny")));
        let shown: usize = pages.iter().map(|page| page.text.matches(&"y".repeat(30)).count()).sum();
        assert_eq!(shown, 300);
    }

    #[test]
    fn what_no_message_has_room_for_is_in_the_file() {
        let (pages, whole) = pages(vec![lines(30, 1_000)]);
        assert_eq!(pages.len(), 1 + limits::THREAD_SCREENS);
        assert!(pages[4].text.ends_with("-# The rest is in whole.txt."));
        let shown: usize =
            pages.iter().map(|page| page.text.lines().filter(|line| line.starts_with('x')).count()).sum();
        let file = String::from_utf8(whole.file().unwrap().bytes).unwrap();
        assert_eq!(shown + file.lines().count(), 30);
        assert!(pages.iter().all(|page| limits::length(&page.text) <= limits::DESCRIPTION));
    }

    #[test]
    fn a_row_in_the_file_has_no_signs() {
        assert_eq!(
            unmarked(r"- **key** `a**b\` 1\. at <t:0:f> (<t:0:R>), x"),
            r"- key a**b\ 1. at 1970-01-01 00:00:00 UTC, x"
        );
    }
}
