//! Tables: Slack's own where they fit, else lines with aligned columns.

use kubewhy_chat::Table;
use kubewhy_text::{Span, Text};
use slack_morphism::prelude::{
    SlackTableBlock, SlackTableCell, SlackTableColumnAlign, SlackTableColumnSetting, SlackTableRichTextCell,
};
use unicode_width::UnicodeWidthStr as _;

use super::inline::{self, Look};
use super::piece::{Piece, Pieces, Surface};
use super::{whole, words};
use crate::limits;

/// The widest column that others are aligned behind.
const WIDEST: usize = 40;

pub(super) fn show(pieces: &mut Pieces, table: &Table) {
    let columns = columns(table);
    if columns == 0 {
        return;
    }
    if let Some(block) = native(pieces, table, columns) {
        pieces.done.push(block);
        return;
    }
    let lines = aligned(table, |text| one_line(pieces, text));
    pieces.code(&lines.join("\n"), limits::CODE);
}

/// How many columns a table has.
fn columns(table: &Table) -> usize {
    table.rows.iter().map(Vec::len).chain([table.heads.len()]).max().unwrap_or(0)
}

/// The table as Slack's own, if Slack takes it.
fn native(pieces: &mut Pieces, table: &Table, columns: usize) -> Option<Piece> {
    let headed = table.heads.iter().any(|head| !head.is_empty());
    let rows = table.rows.len() + usize::from(headed);
    let fits = rows > 0 && rows <= limits::TABLE_ROWS && columns <= limits::TABLE_COLUMNS;
    if pieces.surface == Surface::Modal || !fits {
        return None;
    }
    let heads = headed.then_some((&table.heads, Look::Strong));
    let rows = heads.into_iter().chain(table.rows.iter().map(|row| (row, Look::Plain)));
    let mut cut = false;
    let rows: Vec<Vec<SlackTableCell>> = rows
        .map(|(row, look)| {
            (0..columns)
                .map(|column| {
                    let (cell, short) = cell(row.get(column), look);
                    cut |= short;
                    cell
                })
                .collect()
        })
        .collect();
    let settings = (0..columns).map(|column| {
        let setting = SlackTableColumnSetting::new().with_is_wrapped(true);
        if numbers(table, column) { setting.with_align(SlackTableColumnAlign::Right) } else { setting }
    });
    let piece = Piece::new(SlackTableBlock::new(rows).with_column_settings(settings.collect()));
    if piece.weight > limits::TABLE {
        return None;
    }
    pieces.cut |= cut;
    Some(piece)
}

/// Whether a column holds nothing but numbers.
fn numbers(table: &Table, column: usize) -> bool {
    let number = |text: &Text| {
        let words = text.plain();
        !words.is_empty() && words.chars().all(|c| c.is_ascii_digit())
    };
    !table.rows.is_empty() && table.rows.iter().all(|row| row.get(column).is_some_and(number))
}

/// A cell, and whether words of it were cut. A cell of words of ours is raw text, which takes the least room.
fn cell(text: Option<&Text>, look: Look) -> (SlackTableCell, bool) {
    let Some(text) = text.filter(|text| !words::plain(&first_words(text)).trim().is_empty()) else {
        return (SlackTableCell::from(" "), false);
    };
    let plain = look == Look::Plain && text.spans().iter().all(|span| matches!(span, Span::Own(_)));
    if plain {
        return (SlackTableCell::from(words::plain(text)), false);
    }
    let (elements, cut) = inline::elements(text, look);
    (SlackTableRichTextCell::new(vec![inline::section(elements).into()]).into(), cut)
}

/// Enough of a text to know whether there is anything to see in it.
fn first_words(text: &Text) -> Text {
    let mut short = text.clone();
    for span in short.spans_mut() {
        if let Span::Name(words) | Span::Untrusted(words) | Span::Code(words) = span {
            *words = words::part(words, limits::WORDS, char::len_utf16).0.to_owned();
        }
    }
    short
}

/// A cell on one line.
fn one_line(pieces: &mut Pieces, text: &Text) -> String {
    let mut short = text.clone();
    let mut notes = String::new();
    for span in short.spans_mut() {
        if let Span::Name(words) | Span::Untrusted(words) | Span::Code(words) = span {
            let (kept, rest) = words::shown(words, limits::WORDS);
            if rest > 0 {
                pieces.cut = true;
                notes = format!("{notes} … ({rest} more characters)");
            }
            *words = kept;
        }
    }
    words::plain(&short) + &notes
}

/// The rows as lines whose columns stand below each other.
pub(super) fn aligned(table: &Table, mut line: impl FnMut(&Text) -> String) -> Vec<String> {
    let heads = Some(&table.heads).filter(|heads| heads.iter().any(|head| !head.is_empty()));
    let rows: Vec<Vec<String>> =
        heads.into_iter().chain(&table.rows).map(|row| row.iter().map(&mut line).collect()).collect();
    let mut widths = vec![0; columns(table)];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            let natural = cell.width();
            if natural <= WIDEST {
                *width = natural.max(*width);
            }
        }
    }
    rows.iter().map(|row| whole::columns(row, &widths)).collect()
}
