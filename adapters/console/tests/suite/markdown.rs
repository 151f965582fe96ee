//! Messages in tickets: what a Markdown parser makes of them.

use kubewhy_chat::samples;
use kubewhy_console::markdown;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// What of a page is not code: the structure, and the words.
fn outside_code(page: &str) -> Result<Vec<String>, String> {
    let mut inside = false;
    let mut outside = Vec::new();
    for event in Parser::new_ext(page, Options::all() - Options::ENABLE_SMART_PUNCTUATION) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => inside = true,
            Event::End(TagEnd::CodeBlock) => {
                inside = false;
                outside.push("<block>".to_owned());
            }
            Event::Code(_) => outside.push("<code>".to_owned()),
            Event::Text(_) if inside => {}
            Event::Text(words) => outside.push(words.into_string()),
            Event::Start(tag @ (Tag::Heading { .. } | Tag::Paragraph | Tag::List(_) | Tag::Item)) => {
                outside.push(format!("{tag:?}"));
            }
            Event::End(TagEnd::Heading(_) | TagEnd::Paragraph | TagEnd::List(_) | TagEnd::Item) => {}
            other => return Err(format!("{other:?}")),
        }
    }
    Ok(outside)
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is what the test is for")]
fn no_hostile_string_leaves_its_code() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    let expected: Vec<_> =
        samples::hostile("word").iter().map(|(_, message)| outside_code(&markdown(message)).unwrap()).collect();
    let strings = samples::hostile_strings();
    for words in &strings {
        let start: String = words.chars().take(40).collect();
        for ((template, message), expected) in samples::hostile(words).iter().zip(&expected) {
            let page = markdown(message);
            // A note of what was cut stands outside.
            let cut = page.contains("Words were cut here");
            match outside_code(&page) {
                Ok(outside) if cut || outside == *expected => checked += 1,
                Ok(_) => wrong.push(format!("{start:?} in {template} changes what is outside")),
                Err(why) => wrong.push(format!("{start:?} in {template}: {why:.100}")),
            }
            if page.chars().any(|c| c.is_control() && c != '\n') {
                wrong.push(format!("{start:?} in {template}: a control character"));
            }
        }
    }
    println!("hostile strings in Markdown: {} in 4 templates, {checked} pages", strings.len());
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn the_parser_sees_what_must_not_be_there() {
    for attack in ["[a](https://e)", "*a*", "<b>x</b>", "![a](b)", "> quote", "| a |\n|---|", "~~a~~", "---"] {
        assert!(outside_code(attack).is_err(), "{attack}");
    }
}

#[test]
fn what_a_reader_needs_is_there() {
    let (_, failing) = samples::all().swap_remove(0);
    let page = markdown(&failing);
    assert!(page.starts_with("## ✖ failing: Secret `shop/cart-db` has no key `password`\n"), "{page}");
    assert!(page.contains("```sh\nkubectl -n shop rollout undo deployment/cart --to-revision=13\n```\n"), "{page}");
    assert!(page.contains("### Evidence\n"), "{page}");
}
