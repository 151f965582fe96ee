//! Tables: columns beside each other where they fit, a list of named values for each row where they do not.

use kubewhy_chat::{Fact, Table};
use kubewhy_text::{Span, Text};
use unicode_width::UnicodeWidthStr as _;

use super::Page;
use super::parts::joined;
use super::words::{self, Piece, Word};
use crate::theme::Role;

/// The most characters of foreign words in a cell.
const MOST_CELL: usize = 300;
/// The columns between two columns.
const GAP: usize = 2;
/// The narrowest that a column of words without names may become.
const NARROWEST: usize = 12;

/// The most lines of a row.
const MOST_LINES: usize = 4;

/// A cell before it has a width.
struct Cell {
    words: Vec<Word>,
    /// In one line.
    width: usize,
    /// Whether it is a name, which is of no use when it is divided.
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
                if heads.iter().any(|head| head.width > 0) {
                    self.row(&heads, &widths, Role::Strong);
                }
                for row in &rows {
                    self.row(row, &widths, Role::Plain);
                }
            }
            None => self.list(table),
        }
        if table.rows.is_empty() {
            self.words_at(self.indent, Role::Faint, &Text::from("(none)"));
        }
    }

    fn cell(&mut self, text: &Text) -> Cell {
        let text = self.cut.text_within(text, MOST_CELL);
        let words = words::of_text(&text, Role::Plain, self.view.now);
        let name = text.spans().iter().any(|span| matches!(span, Span::Name(_)));
        Cell { width: joined(&words).width(), words, name }
    }

    /// A row, of several lines where a cell is longer than its column.
    fn row(&mut self, cells: &[Cell], widths: &[usize], role: Role) {
        let columns: Vec<Vec<String>> = cells.iter().zip(widths).map(|(cell, width)| lines(cell, *width)).collect();
        for line in 0..columns.iter().map(Vec::len).max().unwrap_or(0) {
            self.spaces(self.indent);
            for (column, width) in columns.iter().zip(widths) {
                let words = column.get(line).cloned().unwrap_or_default();
                let pad = " ".repeat(width.saturating_sub(words.width()) + GAP);
                self.pieces(&[Piece::new(role, words), Piece::new(Role::Plain, pad)]);
            }
            self.end();
        }
    }

    /// Each row as named values, with an empty line between rows.
    fn list(&mut self, table: &Table) {
        for (index, row) in table.rows.iter().enumerate() {
            if index > 0 {
                self.blank();
            }
            let head = |column: usize| table.heads.get(column).filter(|head| !head.plain().trim().is_empty());
            // A mark has no head.
            for (_, value) in
                row.iter().enumerate().filter(|(column, value)| head(*column).is_none() && !value.is_empty())
            {
                self.words_at(self.indent, Role::Plain, value);
            }
            let facts: Vec<Fact> = row
                .iter()
                .enumerate()
                .filter(|(_, value)| !value.is_empty())
                .filter_map(|(column, value)| Some(Fact { name: head(column)?.clone(), value: value.clone() }))
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
            let natural = cell.width;
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

/// A cell's words in lines of its column's width; an ellipsis says that there were more.
fn lines(cell: &Cell, width: usize) -> Vec<String> {
    let wrapped = words::wrap(cell.words.clone(), width.max(1), 0, 0);
    let mut lines: Vec<String> =
        wrapped.iter().map(|line| line.iter().map(Piece::words).collect::<String>().trim_end().to_owned()).collect();
    if lines.len() > MOST_LINES {
        lines.truncate(MOST_LINES);
        if let Some(last) = lines.last_mut() {
            let kept = words::as_a_terminal_breaks(last, width.saturating_sub(1)).into_iter().next();
            *last = format!("{}…", kept.filter(|_| width > 1).unwrap_or_default());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(words: &'static str, name: bool) -> Cell {
        Cell { words: words::of_text(&Text::from(words), Role::Plain, None), width: words.width(), name }
    }

    #[test]
    fn words_give_way_before_names() {
        let rows =
            vec![vec![cell("shop/a-rather-long-name", true), cell("a long explanation of what is wrong", false)]];
        assert_eq!(widths(&[], &rows, 2, 45), Some(vec![23, 22]));
        assert_eq!(widths(&[], &rows, 2, 30), None, "then it becomes a list");
    }

    #[test]
    fn a_cell_takes_several_lines_before_it_is_cut() {
        assert_eq!(lines(&cell("a long explanation", false), 12), ["a long", "explanation"]);
        assert_eq!(lines(&cell("a b c d e f", false), 1), ["a", "b", "c", "…"]);
        assert_eq!(lines(&cell("fits", true), 4), ["fits"]);
    }
}
