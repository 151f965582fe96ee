//! Any words, any numbers of parts: within the limits, without a panic.

use kubewhy_chat::{Block, Button, Choice, Fact, Field, Form, Message, Press, Quote, Style, Table, Tone, samples};
use kubewhy_slack::limits;
use kubewhy_slack::render::view;
use kubewhy_text::{Text, code, name, own, quoted, text};
use proptest::prelude::*;

use crate::rules::{check, value, within};

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\xff]{0,80}",
        "([<>&!@#|*_~`:.^ a-z0-9]|<!channel>|```|\n){0,80}",
        ("[a-z0-9<>&\"\\\\ 日🦀]{1,12}", 1usize..700).prop_map(|(part, times)| part.repeat(times)),
    ]
}

fn text() -> impl Strategy<Value = Text> {
    prop::collection::vec((0u8..5, words()), 0..4).prop_map(|parts| {
        let mut text = Text::default();
        for (kind, words) in parts {
            match kind {
                0 => text.push(own(words)),
                1 => text.push(name(words)),
                2 => text.push(code(words)),
                3 => text.push(quoted(words)),
                _ => text.push(samples::now()),
            }
        }
        text
    })
}

fn press() -> impl Strategy<Value = Press> {
    (0u8..3, words()).prop_map(|(kind, words)| match kind {
        0 => Press::Command(words),
        1 => Press::Token(words),
        _ => Press::Link(format!("https://example.com/{words}")),
    })
}

fn block() -> impl Strategy<Value = Block> {
    let texts = || prop::collection::vec(text(), 0..30);
    prop_oneof![
        text().prop_map(Block::Heading),
        text().prop_map(Block::Paragraph),
        text().prop_map(Block::Context),
        prop::collection::vec((text(), text()), 0..20)
            .prop_map(|facts| Block::Facts(facts.into_iter().map(|(name, value)| Fact { name, value }).collect())),
        (text(), words()).prop_map(|(source, words)| Block::Quote(Quote { source, words, at: Some(samples::now()) })),
        words().prop_map(Block::Code),
        prop::collection::vec(words(), 0..5).prop_map(Block::Commands),
        texts().prop_map(Block::Steps),
        texts().prop_map(Block::Points),
        (texts(), prop::collection::vec(prop::collection::vec(text(), 0..22), 0..40))
            .prop_map(|(heads, rows)| Block::Table(Table { heads, rows })),
        prop::collection::vec((text(), press()), 0..40).prop_map(|buttons| {
            let button = |(label, press)| Button { label, press, style: Style::Danger };
            Block::Buttons(buttons.into_iter().map(button).collect())
        }),
        (text(), prop::collection::vec((text(), press()), 0..120))
            .prop_map(|(prompt, options)| Block::Choice(Choice { prompt, options })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_in_every_place_stay_within_the_limits(words in words()) {
        for (template, message) in samples::hostile(&words) {
            if let Err(why) = check(&message) {
                return Err(TestCaseError::fail(format!("{template}: {why:.500}")));
            }
        }
    }

    #[test]
    fn any_message_stays_within_the_limits(
        headline in text(),
        blocks in prop::collection::vec(block(), 0..6),
        thread in prop::collection::vec(block(), 0..6),
    ) {
        let message = Message { tone: Tone::Failing, headline, blocks, thread };
        if let Err(why) = check(&message) {
            return Err(TestCaseError::fail(format!("{why:.500}")));
        }
    }

    #[test]
    fn any_form_stays_within_the_limits(title in text(), blocks in prop::collection::vec(block(), 0..6), label in text(), most: usize) {
        let field = Field { id: "name".to_owned(), label: label.clone(), placeholder: title.clone(), most };
        let form = Form { title, blocks, fields: vec![field], submit: label, token: String::new() };
        let view = serde_json::to_value(view(&form, "token")).expect("a view is JSON");
        let all = || -> Result<(), String> {
            value(&view, &mut Vec::new())?;
            within("the blocks", view["blocks"].as_array().map_or(0, Vec::len), limits::VIEW_BLOCKS)?;
            for part in ["title", "submit", "close"] {
                within(part, limits::length(view[part]["text"].as_str().unwrap_or_default()), limits::VIEW_TITLE)?;
            }
            Ok(())
        };
        if let Err(why) = all() {
            return Err(TestCaseError::fail(format!("{why:.500}")));
        }
    }
}

#[test]
fn words_of_two_kinds_are_not_one_word() {
    let message = Message::new(Tone::Plain, text![name("a"), " ", quoted("b")]);
    assert!(check(&message).is_ok());
}
