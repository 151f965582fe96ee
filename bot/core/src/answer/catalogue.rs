//! The catalogue of causes as messages.

use kubewhy_chat::{Block, Button, Message, Tone};
use kubewhy_diagnosis::causes::{Cause, Code};
use kubewhy_text::{Text, code, own, text};

use super::{Extras, Surface};
use crate::UserError;
use crate::commands::{self, Command};

/// What the cause with that code means.
///
/// # Errors
/// Where no cause has that code; the error offers the nearest.
pub fn catalogue(word: &str, extras: &Extras) -> Result<Message, UserError> {
    commands::code(word).map(|code| cause(Some(code), extras))
}

/// What a cause means; without one, the list of all by their stage.
pub fn cause(code: Option<Code>, extras: &Extras) -> Message {
    code.map_or_else(list, |code| entry(code.cause(), extras))
}

fn list() -> Message {
    let mut message = Message::new(Tone::Plain, text![Code::all().count(), " causes are told apart"])
        .with(Block::Paragraph(text!["What one means: ", code("catalogue CODE")]));
    let mut stage = "";
    let mut lines = Vec::new();
    for cause in Code::all().map(Code::cause) {
        let next: &str = cause.stage.into();
        if next != stage && !lines.is_empty() {
            message = message.below(Block::Heading(text![stage])).below(Block::Points(std::mem::take(&mut lines)));
        }
        stage = next;
        lines.push(text![code(cause.code.as_str()), ": ", sentence(&cause.meaning())]);
    }
    message.below(Block::Heading(text![stage])).below(Block::Points(lines))
}

fn entry(cause: &Cause, extras: &Extras) -> Message {
    let stage: &str = cause.stage.into();
    let mut message = Message::new(Tone::Plain, text![code(cause.code.as_str())])
        .with(Block::Context(text!["stage ", stage, " · since ", cause.since]))
        .with(Block::Paragraph(sentence(&cause.meaning())));
    for block in without_meaning(blocks(cause.doc), &sentence(&cause.meaning())) {
        message = message.below(block);
    }
    if extras.surface == Surface::Paper {
        return message;
    }
    let all = Command::Catalogue(commands::Catalogue { code: None }).to_string();
    message.below(Block::Buttons(vec![Button::command("All causes", all)]))
}

/// The same without its first section where that is what the first screen says already.
fn without_meaning(mut blocks: Vec<Block>, meaning: &Text) -> Vec<Block> {
    if let [Block::Heading(_), Block::Paragraph(first), rest @ ..] = blocks.as_slice()
        && first == meaning
        && matches!(rest.first(), None | Some(Block::Heading(_)))
    {
        blocks.drain(..2);
    }
    blocks
}

/// The documentation of a cause, which is Markdown with headings, lists and paragraphs, in blocks.
fn blocks(doc: &'static str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut points, mut paragraph) = (Vec::new(), String::new());
    let flush = |points: &mut Vec<String>, paragraph: &mut String, blocks: &mut Vec<Block>| {
        if !points.is_empty() {
            blocks.push(Block::Points(points.drain(..).map(|point| sentence(&point)).collect()));
        }
        if !paragraph.is_empty() {
            blocks.push(Block::Paragraph(sentence(&std::mem::take(paragraph))));
        }
    };
    for line in doc.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix("## ") {
            flush(&mut points, &mut paragraph, &mut blocks);
            blocks.push(Block::Heading(sentence(heading)));
        } else if let Some(point) = line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")) {
            if !paragraph.is_empty() {
                flush(&mut points, &mut paragraph, &mut blocks);
            }
            points.push(point.to_owned());
        } else if line.is_empty() {
            flush(&mut points, &mut paragraph, &mut blocks);
        } else if let Some(point) = points.last_mut() {
            point.push(' ');
            point.push_str(line);
        } else {
            paragraph.push_str(if paragraph.is_empty() { "" } else { " " });
            paragraph.push_str(line);
        }
    }
    flush(&mut points, &mut paragraph, &mut blocks);
    blocks
}

/// A sentence of our own documentation: what stands between back-ticks is code, `<https://...>` an address.
fn sentence(words: &str) -> Text {
    let mut text = Text::default();
    for (at, part) in words.split('`').enumerate() {
        match (part.is_empty(), at % 2) {
            (true, _) => {}
            (false, 0) => text.push(own(part.replace("<http", "http").replace('>', ""))),
            (false, _) => text.push(code(part)),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cause_has_its_entry_with_all_its_sections() {
        for one in Code::all() {
            let message = cause(Some(one), &Extras::default());
            let headings = message.thread.iter().filter(|block| matches!(block, Block::Heading(_))).count();
            let sections = one.cause().doc.lines().filter(|line| line.trim().starts_with("## ")).count();
            assert!(headings >= 3 && headings + 1 >= sections, "{one}: {headings} of {sections}");
            assert!(message.blocks.len() >= 2, "{one}");
        }
    }

    #[test]
    fn a_wrong_code_brings_the_nearest() {
        let error = catalogue("secret_key_mising", &Extras::default()).expect_err("no such code");
        assert_eq!(error.lines.first().map(String::as_str), Some("catalogue secret-key-missing"));
        assert!(catalogue("OOM_limit", &Extras::default()).is_ok());
    }

    #[test]
    fn code_in_a_sentence_stays_code() {
        assert_eq!(
            sentence("the `kubelet` says <https://x.example/>").markdown(),
            "the `kubelet` says https://x.example/"
        );
    }
}
