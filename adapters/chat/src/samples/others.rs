//! What is sent beside answers: logs, help, plans, incidents, timelines, and the largest message.

use std::sync::Arc;

use kubewhy_text::{Text, code, name, quoted, text};

use super::at;
use crate::message::{Block, Button, Choice, Fact, Image, Message, Press, Quote, Style, Table, Tone};

/// A picture of one grey point.
const PNG: &[u8] = &[
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00,
    0x01, 0x00, 0x00, 0x00, 0x01, 0x08, 0x00, 0x00, 0x00, 0x00, 0x3a, 0x7e, 0x9b, 0x55, 0x00, 0x00, 0x00, 0x0a, 0x49,
    0x44, 0x41, 0x54, 0x78, 0x9c, 0x63, 0x68, 0x00, 0x00, 0x00, 0x82, 0x00, 0x81, 0x77, 0xcd, 0x72, 0xb6, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
];

pub(super) fn logs() -> Message {
    let log = "2026-11-20T03:14:58Z INFO  listening on :8080\n\
               2026-11-20T03:15:02Z ERROR cannot reach postgres: dial tcp 10.96.0.17:5432: connect: connection refused\n\
               \tat main.connect (/src/main.go:42)\n\
               \n\
               panic: giving up after 3 attempts: the password was ****** (redacted)\n";
    Message::new(Tone::Plain, text!["The last 5 lines of container ", name("app"), " of Pod ", name("shop/cart-0")])
        .with(Block::Context(text!["the run before this one, ended at ", at(60), " with exit code 2"]))
        .with(Block::Code(log.to_owned()))
        .with(Block::Buttons(vec![Button::command("Its present run", "logs pod cart-0 -n shop")]))
}

pub(super) fn help() -> Message {
    let line = |command: &'static str, what: &'static str| Fact { name: text![code(command)], value: Text::from(what) };
    Message::new(Tone::Plain, Text::from("What works here"))
        .with(Block::Facts(vec![
            line("why pod NAME", "why it does not work, and what to do"),
            line("why", "what is broken now in the namespaces of this channel"),
            line("logs pod NAME", "the end of its log, without secrets"),
            line("logs pod NAME previous", "the same of the run before"),
            line("help", "this"),
        ]))
        .with(Block::Context(text!["Kinds can be short: ", Text::names(["po", "deploy", "sts", "no"], 9), "."]))
        .below(Block::Heading(Text::from("What you may do")))
        .below(Block::Points(vec![Text::from("ask about everything"), Text::from("read logs: group sre only")]))
}

pub(super) fn plan() -> Message {
    Message::new(Tone::Plain, text!["Plan: roll Deployment ", name("shop/cart"), " back to revision 13"])
        .with(Block::Facts(vec![
            Fact { name: Text::from("changes"), value: text!["image ", code("v1.4.3"), " -> ", code("v1.4.2")] },
            Fact { name: Text::from("affects"), value: Text::from("3 pods, one after the other") },
            Fact { name: Text::from("risk"), value: Text::from("disruptive: each pod is replaced") },
            Fact { name: Text::from("valid until"), value: text![at(-300)] },
        ]))
        .with(Block::Commands(vec!["kubectl -n shop rollout undo deployment/cart --to-revision=13".to_owned()]))
        .with(Block::Buttons(vec![
            Button { label: Text::from("Roll back"), press: Press::Token("t-2".to_owned()), style: Style::Danger },
            Button { label: Text::from("Cancel"), press: Press::Token("t-3".to_owned()), style: Style::Normal },
        ]))
}

pub(super) fn incident() -> Message {
    Message::new(Tone::Failing, text!["Node ", name("worker-2"), " does not answer; 5 pods are gone with it"])
        .with(Block::Context(text![name("prod"), " · Node ", name("worker-2"), " · since ", at(660)]))
        .with(Block::Buttons(vec![
            Button::command("Why", "why node worker-2").style(Style::Primary),
            Button::command("Acknowledge", "ack node/worker-2"),
        ]))
}

pub(super) fn timeline() -> Message {
    Message::new(Tone::Plain, text!["What happened to Pod ", name("shop/cart-0")])
        .with(Block::Image(Image {
            file: "cart-0.png".to_owned(),
            alt: text![
                "memory of container ",
                name("app"),
                " from 100 MiB to its limit of 512 MiB in 3 hours, 4 times"
            ],
            png: Arc::from(PNG),
        }))
        .with(Block::Table(Table {
            heads: vec![Text::from("when"), Text::from("what")],
            rows: vec![
                vec![text![at(7_260)], text!["container ", name("app"), " started"]],
                vec![text![at(60)], Text::from("killed at its memory limit (exit code 137)")],
            ],
        }))
        .with(Block::Choice(Choice {
            prompt: Text::from("Look closer at"),
            options: vec![
                (Text::from("the log before its end"), Press::Command("logs pod cart-0 -n shop previous".to_owned())),
                (Text::from("its node"), Press::Command("why node worker-1".to_owned())),
            ],
        }))
}

pub(super) fn very_long() -> Message {
    let row =
        |number: u32| vec![text!["Pod ", name(format!("shop/cart-{number}"))], text!["fails for reason ", number % 7]];
    let line = "a line that does not end ".repeat(42_000);
    Message::new(Tone::Failing, Text::from("1000 pods are broken"))
        .with(Block::Table(Table {
            heads: vec![Text::from("what"), Text::from("why")],
            rows: (0..1_000).map(row).collect(),
        }))
        .with(Block::Paragraph(text!["Its message was ", quoted(line.clone()), "."]))
        .below(Block::Quote(Quote { source: Text::from("the log"), words: line.clone(), at: None }))
        .below(Block::Code(line.clone()))
        .below(Block::Code("another line\n".repeat(20_000)))
        .below(Block::Commands(vec![format!("kubectl annotate pod cart-0 why='{line}'")]))
}
