//! Answers to "why": one for each tone.

use kubewhy_text::{Text, code, name, quoted, text};

use super::at;
use crate::message::{Block, Button, Choice, Fact, Message, Press, Quote, Style, Table, Tone};

pub(super) fn failing() -> Message {
    let secret = || name("shop/cart-db");
    Message::new(Tone::Failing, text!["Secret ", secret(), " has no key ", quoted("password")])
        .with(Block::Context(text![
            name("prod"),
            " · Deployment ",
            name("shop/cart"),
            " · 3 of 3 pods cannot start · since ",
            at(240)
        ]))
        .with(Block::Paragraph(text![
            "Container ",
            name("app"),
            " takes ",
            code("DB_PASSWORD"),
            " from Secret ",
            name("cart-db"),
            ", key ",
            quoted("password"),
            ". The Secret has: ",
            Text::names(["username", "pasword"], 5),
            "."
        ]))
        .with(Block::Facts(vec![
            Fact {
                name: Text::from("changed"),
                value: text!["revision 14 at ", at(300), ": image ", code("v1.4.2"), " -> ", code("v1.4.3")],
            },
            Fact { name: Text::from("the Secret"), value: Text::from("is 12 days old") },
        ]))
        .with(Block::Steps(vec![
            text!["Name the key that the Secret has (", quoted("pasword"), "?), or add it."],
            Text::from("Or go back to revision 13."),
        ]))
        .with(Block::Buttons(vec![
            Button { label: Text::from("Roll back …"), press: Press::Token("t-1".to_owned()), style: Style::Danger },
            Button::command("Why", "why deployment cart -n shop").style(Style::Primary),
            Button::command("Acknowledge", "ack shop/cart"),
            Button::command("Silence", "silence shop/cart for 2h"),
            Button::command("Tell me when healthy", "watch deployment cart -n shop"),
        ]))
        .below(Block::Heading(Text::from("Evidence")))
        .below(Block::Quote(Quote {
            source: text![
                "Pod ",
                name("shop/cart-7c9d5f6b8-x2x4q"),
                " ",
                code(".status.containerStatuses[app].state.waiting")
            ],
            words: "couldn't find key password in Secret shop/cart-db".to_owned(),
            at: None,
        }))
        .below(Block::Quote(Quote {
            source: text!["Event Failed on Pod ", name("shop/cart-7c9d5f6b8-x2x4q")],
            words: "Error: couldn't find key password in Secret shop/cart-db".to_owned(),
            at: Some(at(12)),
        }))
        .below(Block::Heading(Text::from("Commands")))
        .below(Block::Paragraph(Text::from("Add the key:")))
        .below(Block::Commands(vec![
            "kubectl -n shop get secret cart-db -o jsonpath='{.data}'".to_owned(),
            "kubectl -n shop patch secret cart-db --type merge -p '{\"stringData\":{\"password\":\"...\"}}'".to_owned(),
        ]))
        .below(Block::Paragraph(Text::from("Or go back:")))
        .below(Block::Commands(vec!["kubectl -n shop rollout undo deployment/cart --to-revision=13".to_owned()]))
        .below(Block::Heading(Text::from("What was looked at")))
        .below(Block::Context(Text::from("Pod, Events, Secret: 3 reads, 41 ms. Events could not be read: forbidden.")))
        .below(Block::Buttons(vec![Button {
            label: Text::from("Runbook"),
            press: Press::Link("https://runbooks.example.com/secret-key-missing".to_owned()),
            style: Style::Normal,
        }]))
}

pub(super) fn degraded() -> Message {
    Message::new(Tone::Degraded, text!["Pod ", name("shop/cart-0"), " has restarted 14 times since yesterday"])
        .with(Block::Paragraph(text![
            "It works now. Container ",
            name("app"),
            " ended with exit code 137 each time: the kernel killed it at its memory limit of ",
            code("512Mi"),
            "."
        ]))
        .with(Block::Points(vec![
            text!["The last end was at ", at(86_400), "."],
            Text::from("Before each end its memory grew by 2 MiB a minute."),
        ]))
}

pub(super) fn pending() -> Message {
    Message::new(Tone::Pending, text!["Pod ", name("shop/cart-1"), " has been starting for 20 s, which is normal"])
        .with(Block::Context(text!["Its startup probe gives it until ", at(-40), "."]))
}

pub(super) fn healthy() -> Message {
    Message::new(Tone::Healthy, text!["Pod ", name("shop/cart-2"), " is healthy"])
}

pub(super) fn unknown() -> Message {
    Message::new(Tone::Unknown, text!["Pod ", name("payments/api-0"), " could not be read"])
        .with(Block::Quote(Quote {
            source: Text::from("the API server"),
            words: "pods \"api-0\" is forbidden: User \"ada@example.com\" cannot get resource \"pods\" in API group \"\" in \
                    the namespace \"payments\""
                .to_owned(),
            at: Some(at(1)),
        }))
        .with(Block::Paragraph(text!["Group ", name("sre"), " may read it. Ask for it, or bind the role:"]))
        .with(Block::Commands(vec![
            "kubectl -n payments create rolebinding ada-view --clusterrole=view --user=ada@example.com".to_owned(),
        ]))
}

pub(super) fn typo() -> Message {
    Message::new(Tone::Refused, text!["There is no Pod ", quoted("crat"), " in namespace ", name("shop")])
        .with(Block::Choice(Choice {
            prompt: Text::from("Did you mean one of these?"),
            options: ["cart-7c9d5f6b8-x2x4q", "cart-0", "cron-28412"]
                .into_iter()
                .map(|pod| {
                    (text!["Pod ", name(format!("shop/{pod}"))], Press::Command(format!("why pod {pod} -n shop")))
                })
                .collect(),
        }))
        .with(Block::Context(text!["Type ", code("help"), " for what works here."]))
}

pub(super) fn scan() -> Message {
    let row = |mark: &'static str, what: Text, pods: u32, cause: &'static str| {
        vec![Text::from(mark), what, text![pods], Text::from(cause)]
    };
    Message::new(Tone::Failing, Text::from("4 things are broken and break 11 pods"))
        .with(Block::Context(text![name("prod"), " · all namespaces · read at ", at(0)]))
        .with(Block::Table(Table {
            heads: ["", "what", "pods", "cause"].map(Text::from).to_vec(),
            rows: vec![
                row("✖", text!["Secret ", name("shop/cart-db")], 3, "it has no key \"password\""),
                row("✖", text!["Node ", name("worker-2")], 5, "its kubelet has not answered for 11 minutes"),
                row("✖", text!["Registry ", name("ghcr.io")], 2, "it refuses to be read from without a login"),
                row("▲", text!["PersistentVolumeClaim ", name("data/postgres-0")], 1, "its disk is 93 % full"),
            ],
        }))
        .with(Block::Buttons(vec![
            Button::command("Why cart-db", "why secret cart-db -n shop"),
            Button::command("Why worker-2", "why node worker-2"),
            Button::command("Why ghcr.io", "why registry ghcr.io"),
        ]))
        .below(Block::Heading(Text::from("Not read")))
        .below(Block::Points(vec![text!["Events in namespace ", name("payments"), ": forbidden"]]))
}
