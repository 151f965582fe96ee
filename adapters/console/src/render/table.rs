//! Tables: columns beside each other where they fit, a list of named values for each row where they do not.

use kubewhy_chat::{Fact, Table};
use kubewhy_text::{Span, Text};
use unicode_width::UnicodeWidthStr as _;

use super::Page;
use super::parts::joined;
use super::words::{self, Piece};
use crate::theme::Role;

/// The most characters of foreign words in a cell.
const MOST_CELL: usize = 300;
/// The columns between two columns.
const GAP: usize = 2;
/// The narrowest that a column of words without names may become.
const NARROWEST: usize = 12;

/// A cell in one line.
struct Cell {
    words: String,
    /// Whether it is a name, which is of no use when it is cut.
    name: bool,
}

impl Page<'_> {
    /// Appends a table.
    pub(super) fn table(&mut self, table: &Table) {
        let columns = table.rows.iter().map(Vec::len).chain([table.heads.len()]).max().unwrap_or(0);
        let heads: Vec<Cell> = table.heads.iter().map(|head| self.cell(head)).collect();
        let rows: Vec<Vec<Cell>> =
            table.rows.iter().map(|row| row.iter().map(|cell| self.cell(cell)).collect()).collect();
        let room = self.view.columns().saturating_sub(self.indent + GAP * columns.saturating_sub(1));
        match widths(&heads, &rows, columns, room) {
            Some(widths) => {
                if heads.iter().any(|head| !head.words.is_empty()) {
                    self.row(&heads, &widths, Role::Strong);
                }
                rows.iter().for_each(|row| self.row(row, &widths, Role::Plain));
            }
            None => self.list(table),
        }
        if table.rows.is_empty() {
            self.words_at(self.indent, Role::Faint, &Text::from("(none)"));
        }
    }

    fn cell(&mut self, text: &Text) -> Cell {
        let text = self.cut.text_within(text, MOST_CELL);
        let words = joined(&words::of_text(&text, Role::Plain, self.view.now));
        Cell { words, name: text.spans().iter().any(|span| matches!(span, Span::Name(_))) }
    }

    fn row(&mut self, cells: &[Cell], widths: &[usize], role: Role) {
        self.spaces(self.indent);
        for (cell, width) in cells.iter().zip(widths) {
            let words = shortened(&cell.words, *width);
            let pad = " ".repeat(width.saturating_sub(words.width()) + GAP);
            self.pieces(&[Piece::new(role, words), Piece::new(Role::Plain, pad)]);
        }
        self.end();
    }

    /// Each row as named values, with an empty line between rows.
    fn list(&mut self, table: &Table) {
        for (index, row) in table.rows.iter().enumerate() {
            if index > 0 {
                self.blank();
            }
            let empty = Text::default();
            let facts: Vec<Fact> = row
                .iter()
                .enumerate()
                .filter(|(_, value)| !value.is_empty())
                .map(|(column, value)| Fact {
                    name: table.heads.get(column).unwrap_or(&empty).clone(),
                    value: value.clone(),
                })
                .collect();
            self.facts(&facts);
        }
    }
}

/// The widths of the columns, if they fit: names whole, other words cut where they must be.
fn widths(heads: &[Cell], rows: &[Vec<Cell>], columns: usize, room: usize) -> Option<Vec<usize>> {
    let mut widths = vec![0; columns];
    let mut least = vec![0; columns];
    for row in rows.iter().map(Vec::as_slice).chain([heads]) {
        for (cell, (width, least)) in row.iter().zip(widths.iter_mut().zip(&mut least)) {
            let natural = cell.words.width();
            *width = natural.max(*width);
            *least = if cell.name { natural } else { natural.min(NARROWEST) }.max(*least);
        }
    }
    if least.iter().sum::<usize>() > room {
        return None;
    }
    // The widest of those that may shrink gives way first.
    let mut over = widths.iter().sum::<usize>().saturating_sub(room);
    while over > 0 {
        let widest =
            widths.iter_mut().zip(&least).filter(|(width, least)| **width > **least).max_by_key(|(width, _)| **width);
        let (width, _) = widest?;
        *width -= 1;
        over -= 1;
    }
    Some(widths)
}

/// Words within a width; an ellipsis says that there were more.
fn shortened(words: &str, width: usize) -> String {
    if words.width() <= width {
        return words.to_owned();
    }
    let mut kept = words::rows(words, width.saturating_sub(1)).into_iter().next().unwrap_or_default();
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(words: &str, name: bool) -> Cell {
        Cell { words: words.to_owned(), name }
    }

    #[test]
    fn words_give_way_before_names() {
        let rows =
            vec![vec![cell("shop/a-rather-long-name", true), cell("a long explanation of what is wrong", false)]];
        assert_eq!(widths(&[], &rows, 2, 45), Some(vec![23, 22]));
        assert_eq!(widths(&[], &rows, 2, 30), None, "then it becomes a list");
    }

    #[test]
    fn cut_words_end_in_an_ellipsis() {
        assert_eq!(shortened("an explanation", 6), "an ex…");
        assert_eq!(shortened("日本語", 4), "日…");
        assert_eq!(shortened("fits", 4), "fits");
    }
}
