//! A message as text without any form: for notifications, and for the file that holds what is too long for Slack.

use kubewhy_chat::{Block, Message, Press};
use kubewhy_text::Text;
use unicode_width::UnicodeWidthStr as _;

use super::{File, inline, table, words};
use crate::limits;

/// The name of the file that holds a whole message.
pub(super) const FILE: &str = "whole-answer.txt";

/// The whole message as a file.
pub(super) fn file(message: &Message) -> File {
    let mut all = headline(message);
    for part in message.blocks.iter().chain(&message.thread) {
        all.push_str("\n\n");
        all.push_str(&block(part));
        if all.len() > limits::FILE {
            break;
        }
    }
    if all.len() > limits::FILE {
        let (kept, rest) = words::part(&all, limits::FILE, char::len_utf8);
        all = format!("{kept}\n\n… and more ({} bytes of this part)", rest.len());
    }
    all.push('\n');
    File { name: FILE.to_owned(), title: "The whole answer as text".to_owned(), bytes: all.into_bytes() }
}

/// The headline with its mark and word.
pub(super) fn headline(message: &Message) -> String {
    let words = words::plain(&message.headline);
    match message.tone.mark_and_word() {
        Some((mark, word)) if words.is_empty() => format!("{mark} {word}"),
        Some((mark, word)) => format!("{mark} {word}: {words}"),
        None => words,
    }
}

/// A part in lines.
pub(super) fn block(block: &Block) -> String {
    match block {
        Block::Heading(words) | Block::Paragraph(words) | Block::Context(words) => words::plain(words),
        Block::Facts(facts) => {
            lines(facts.iter().map(|fact| format!("{}: {}", words::plain(&fact.name), words::plain(&fact.value))))
        }
        Block::Quote(quote) => {
            let at = quote.at.map(|at| format!(", {}", inline::utc(at))).unwrap_or_default();
            let source = format!("seen in {}{at}", words::plain(&quote.source));
            let words = words::raw_lines(&quote.words).map(|line| format!("| {}", words::clean_line(line)));
            lines(std::iter::once(source).chain(words))
        }
        Block::Code(code) => lines(words::raw_lines(code).map(words::clean_line)),
        Block::Commands(commands) => lines(commands.iter().map(|command| words::clean(command))),
        Block::Steps(steps) => {
            lines(steps.iter().enumerate().map(|(index, step)| format!("{}. {}", index + 1, words::plain(step))))
        }
        Block::Points(points) => lines(points.iter().map(|point| format!("- {}", words::plain(point)))),
        Block::Table(table) => table::aligned(table, words::plain).join("\n"),
        Block::Image(image) => format!("Picture: {}", words::plain(&image.alt)),
        Block::Buttons(buttons) => lines(buttons.iter().map(|button| press(&button.label, &button.press))),
        Block::Choice(choice) => {
            let options = choice.options.iter().map(|(label, to)| press(label, to));
            lines(std::iter::once(words::plain(&choice.prompt)).chain(options))
        }
    }
}

/// A button in words.
fn press(label: &Text, press: &Press) -> String {
    let label = words::plain(label);
    match press {
        Press::Command(line) => format!("[{label}] {}", words::clean(line)),
        Press::Link(address) => format!("[{label}] {}", words::clean(address)),
        Press::Token(_) => format!("[{label}]"),
    }
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// Cells on one line, each but the last filled up to the width of its column.
pub(super) fn columns(cells: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, width) in cells.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(width.saturating_sub(cell.width()) + 2));
    }
    line.trim_end().to_owned()
}
