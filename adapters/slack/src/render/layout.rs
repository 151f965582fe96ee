//! Which piece stands in which message: what is read first and what can be pressed in the first, the rest in its thread, and
//! what is too much even for that in a file.

use super::piece::Piece;
use crate::limits;

/// Room for a line of ours about what does not stand here.
pub(super) const NOTE: usize = 600;
/// The room that is kept for what can be pressed.
const PRESSED: usize = limits::MESSAGE - limits::BLOCK - NOTE;

/// Pieces in messages.
#[derive(Debug, Default)]
pub(super) struct Layout {
    pub first: Vec<Piece>,
    /// Whether something of the first screen stands in the thread.
    pub goes_on: bool,
    pub thread: Vec<Vec<Piece>>,
    /// How many pieces stand nowhere.
    pub left_out: usize,
}

/// Lays pieces out.
pub(super) fn lay_out(first: Vec<Piece>, thread: Vec<Piece>) -> Layout {
    let (first, rest) = filled(first, Pressed::Kept);
    let goes_on = !rest.is_empty();
    let mut rest: Vec<Piece> = rest.into_iter().chain(thread).collect();
    let mut screens = Vec::new();
    while !rest.is_empty() && screens.len() < limits::THREAD {
        let pressed = if screens.len() + 1 == limits::THREAD { Pressed::Kept } else { Pressed::InOrder };
        let (screen, more) = filled(rest, pressed);
        screens.push(screen);
        rest = more;
    }
    Layout { first, goes_on, thread: screens, left_out: rest.len() }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pressed {
    /// What can be pressed stays in this message, though words before it do not.
    Kept,
    InOrder,
}

/// Fills one message, and says what is left.
fn filled(pieces: Vec<Piece>, pressed: Pressed) -> (Vec<Piece>, Vec<Piece>) {
    let mut kept = kept(&pieces, pressed).into_iter();
    let mut room = Room::default();
    for (piece, kept) in pieces.iter().zip(kept.clone()) {
        if kept {
            room.take(piece);
        }
    }
    let (mut screen, mut rest): (Vec<Piece>, Vec<Piece>) = (Vec::new(), Vec::new());
    for piece in pieces {
        if kept.next().unwrap_or(false) {
            screen.push(piece);
        } else if rest.is_empty() && room.fits(&piece) {
            room.take(&piece);
            screen.push(piece);
        } else {
            if rest.is_empty() {
                rest = introductions(&mut screen);
            }
            rest.push(piece);
        }
    }
    (screen, rest)
}

/// Which pieces stay because they can be pressed.
fn kept(pieces: &[Piece], pressed: Pressed) -> Vec<bool> {
    let mut used = 0;
    let mut blocks = 0;
    pieces
        .iter()
        .map(|piece| {
            let fits = used + piece.weight <= PRESSED && blocks < limits::BLOCKS / 2;
            let keep = pressed == Pressed::Kept && piece.pressed && fits;
            if keep {
                used += piece.weight;
                blocks += 1;
            }
            keep
        })
        .collect()
}

/// Takes the headings off the end of a screen, unless there is nothing else on it: they belong to what follows.
fn introductions(screen: &mut Vec<Piece>) -> Vec<Piece> {
    let end = screen.iter().rposition(|piece| !piece.introduces || piece.pressed).map_or(0, |last| last + 1);
    if end == 0 { Vec::new() } else { screen.split_off(end) }
}

#[derive(Default)]
struct Room {
    used: usize,
    blocks: usize,
    table: bool,
}

impl Room {
    fn fits(&self, piece: &Piece) -> bool {
        // A message takes one table.
        self.used + piece.weight <= limits::MESSAGE - NOTE
            && self.blocks < limits::BLOCKS - 2
            && !(self.table && piece.is_table())
    }

    fn take(&mut self, piece: &Piece) {
        self.used += piece.weight;
        self.blocks += 1;
        self.table |= piece.is_table();
    }
}

#[cfg(test)]
mod tests {
    use slack_morphism::prelude::{SlackBlockPlainText, SlackDividerBlock, SlackSectionBlock};

    use super::*;

    fn piece(letters: usize) -> Piece {
        let words = SlackBlockPlainText::new("x".repeat(letters));
        Piece::new(SlackSectionBlock::new().with_text(words.into()))
    }

    fn button() -> Piece {
        Piece { pressed: true, ..Piece::new(SlackDividerBlock::new()) }
    }

    fn heading() -> Piece {
        Piece { introduces: true, ..piece(10) }
    }

    #[test]
    fn what_can_be_pressed_stays_on_the_first_screen() {
        let layout = lay_out(vec![piece(5_000), piece(5_000), piece(5_000), button()], vec![piece(10)]);
        assert_eq!(layout.first.iter().map(|piece| piece.pressed).collect::<Vec<_>>(), [false, false, true]);
        assert!(layout.goes_on);
        assert_eq!(layout.thread.iter().map(Vec::len).collect::<Vec<_>>(), [2], "the rest comes before the thread");
    }

    #[test]
    fn a_heading_does_not_end_a_message() {
        let layout = lay_out(vec![piece(1)], vec![piece(5_000), piece(5_000), heading(), piece(5_000)]);
        assert_eq!(layout.thread.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2]);
        let only = lay_out(vec![piece(1)], vec![heading()]);
        assert_eq!(only.thread.len(), 1);
    }

    #[test]
    fn many_small_pieces_are_counted_too() {
        let layout = lay_out((0..120).map(|_| piece(1)).collect(), Vec::new());
        assert_eq!(layout.first.len(), 48);
        assert_eq!(layout.thread.iter().map(Vec::len).collect::<Vec<_>>(), [48, 24]);
    }

    #[test]
    fn what_is_too_much_for_a_thread_is_counted_and_its_buttons_are_kept() {
        let mut thread: Vec<Piece> = (0..20).map(|_| piece(5_000)).collect();
        thread.push(button());
        let layout = lay_out(vec![piece(1)], thread);
        assert_eq!(layout.thread.len(), limits::THREAD);
        assert_eq!(layout.left_out, 20 - 2 * limits::THREAD);
        assert!(layout.thread.last().is_some_and(|screen| screen.iter().any(|piece| piece.pressed)));
    }
}
