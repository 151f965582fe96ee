//! A hostile string in every place of a message into which words of a cluster or of a person can come.

use std::sync::Arc;

use kubewhy_text::{Text, code, name, quoted, text};

use super::at;
use crate::message::{Block, Button, Choice, Fact, Image, Message, Press, Quote, Style, Table, Tone};

/// Messages that hold the words wherever foreign words can stand: behind words of ours and alone, as name, quotation, code,
/// and in every part. Renderers must show all of them without being steered.
pub fn hostile(words: &str) -> Vec<(&'static str, Message)> {
    vec![
        ("everywhere", everywhere(words)),
        ("plain-headline", Message::new(Tone::Plain, text![name(words)]).with(Block::Paragraph(text![name(words)]))),
        ("code-headline", Message::new(Tone::Plain, text![code(words), " and ", quoted(words)])),
        ("refused", Message::new(Tone::Refused, text!["There is no Pod ", quoted(words)]).with(menu(words))),
    ]
}

fn all_kinds(words: &str) -> Text {
    text![name(words), " ", quoted(words), " ", code(words), name(words), quoted(words), code(words)]
}

fn everywhere(words: &str) -> Message {
    let mut message = Message::new(Tone::Failing, text!["Pod ", name(words), " says ", quoted(words)]);
    for block in parts(words) {
        message = match block {
            // What a thread is made of; its buttons count on after those of the first screen.
            Block::Heading(_) | Block::Quote(_) | Block::Commands(_) | Block::Buttons(_) => {
                message.with(block.clone()).below(block)
            }
            _ => message.with(block),
        };
    }
    message
}

fn parts(words: &str) -> Vec<Block> {
    vec![
        Block::Context(all_kinds(words)),
        Block::Paragraph(all_kinds(words)),
        Block::Facts(vec![
            Fact { name: text![name(words)], value: all_kinds(words) },
            Fact { name: Text::from("key"), value: text![name(words)] },
        ]),
        Block::Heading(all_kinds(words)),
        Block::Quote(Quote { source: all_kinds(words), words: words.to_owned(), at: Some(at(5)) }),
        Block::Code(words.to_owned()),
        Block::Code(format!("first line\n{words}\n{words}")),
        Block::Commands(vec![words.to_owned(), format!("kubectl get pod '{words}'")]),
        Block::Steps(vec![all_kinds(words), text![name(words)]]),
        Block::Points(vec![all_kinds(words), text![quoted(words)]]),
        Block::Table(Table {
            heads: vec![text![name(words)], Text::from("what")],
            rows: vec![vec![text![name(words)], text![quoted(words)]], vec![all_kinds(words)]],
        }),
        Block::Image(Image { file: words.to_owned(), alt: all_kinds(words), png: Arc::from([].as_slice()) }),
        Block::Buttons(vec![
            Button { label: text![name(words)], press: Press::Command(words.to_owned()), style: Style::Normal },
            Button { label: text![quoted(words)], press: Press::Link(words.to_owned()), style: Style::Danger },
            Button {
                label: text![code(words)],
                press: Press::Link(format!("https://example.com/{words}")),
                style: Style::Primary,
            },
        ]),
        menu(words),
    ]
}

fn menu(words: &str) -> Block {
    Block::Choice(Choice {
        prompt: all_kinds(words),
        options: vec![
            (text!["Pod ", name(words)], Press::Command(format!("why pod {words}"))),
            (text![quoted(words)], Press::Token(words.to_owned())),
        ],
    })
}
