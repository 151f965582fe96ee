//! Whatever a message holds, Discord takes its form.

use std::collections::BTreeSet;

use kubewhy_chat::{Block, Button, Choice, Message, Press, samples};
use kubewhy_discord::limits;
use kubewhy_discord::render::{Rendering, Screen, modal, render};
use kubewhy_text::{Text, name, text};
use proptest::prelude::*;
use serde_json::{Value, json};

/// Tells what Discord would not take.
fn check(rendering: &Rendering) -> Result<(), String> {
    if rendering.thread.len() > limits::THREAD_SCREENS {
        return Err(format!("{} messages in the thread", rendering.thread.len()));
    }
    within("the thread's name", &rendering.thread_name, 1, limits::THREAD_NAME)?;
    for screen in std::iter::once(&rendering.first).chain(&rendering.thread) {
        check_screen(screen)?;
    }
    Ok(())
}

fn check_screen(screen: &Screen) -> Result<(), String> {
    within("content", &screen.content, 0, limits::CONTENT)?;
    let embeds = json!(screen.embeds);
    let mut together = 0;
    let mut pictures = BTreeSet::new();
    for embed in embeds.as_array().expect("a list") {
        let words = |key: &str| embed.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (title, description) = (words("title"), words("description"));
        within("a title", &title, 0, limits::TITLE)?;
        within("a description", &description, 0, limits::DESCRIPTION)?;
        together += limits::length(&title) + limits::length(&description);
        let picture = embed.pointer("/image/url").and_then(Value::as_str);
        pictures.extend(picture.and_then(|url| url.strip_prefix("attachment://")).map(str::to_owned));
        if title.trim().is_empty() && description.trim().is_empty() && picture.is_none() {
            return Err("an embed says nothing".to_owned());
        }
        check_markup(&title)?;
        check_markup(&description)?;
    }
    let count = screen.embeds.len();
    if !(1..=limits::EMBEDS).contains(&count) || together > limits::EMBEDS_TOGETHER {
        return Err(format!("{count} embeds of {together}"));
    }
    let files: BTreeSet<String> = screen.files.iter().map(|file| file.name.clone()).collect();
    if files.len() != screen.files.len() || files.len() > limits::FILES || !pictures.is_subset(&files) {
        return Err(format!("files {files:?}, pictures {pictures:?}"));
    }
    for file in &screen.files {
        let is_safe = file.name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
        if !is_safe || file.bytes.is_empty() || file.bytes.len() > limits::FILE_BYTES {
            return Err(format!("file {} of {} bytes", file.name, file.bytes.len()));
        }
    }
    check_components(&json!(screen.components))
}

/// No character that steers, and each fence closed, with something in it: one without is none for Discord.
fn check_markup(words: &str) -> Result<(), String> {
    if words
        .split("```")
        .skip(1)
        .step_by(2)
        .any(|inside| inside.trim_start_matches("sh\n").replace('\n', "").is_empty())
    {
        return Err(format!("a fence with nothing in it in {words:.200}"));
    }
    if let Some(c) = words.chars().find(|c| *c != '\n' && kubewhy_text::is_hostile(*c)) {
        return Err(format!("{c:?} in {words:.200}"));
    }
    if words.matches("```").count() % 2 == 1 {
        return Err(format!("an open fence in {words:.200}"));
    }
    Ok(())
}

fn check_components(rows: &Value) -> Result<(), String> {
    let rows = rows.as_array().expect("a list");
    let mut ids = BTreeSet::new();
    if rows.len() > limits::ROWS {
        return Err(format!("{} rows", rows.len()));
    }
    for row in rows {
        let row = row.get("components").and_then(Value::as_array).expect("components");
        if !(1..=limits::BUTTONS_IN_A_ROW).contains(&row.len()) {
            return Err(format!("{} components in a row", row.len()));
        }
        for component in row {
            let words = |key: &str| component.get(key).and_then(Value::as_str);
            if let Some(id) = words("custom_id") {
                within("an id", id, 1, limits::CUSTOM_ID)?;
                if !ids.insert(id.to_owned()) {
                    return Err(format!("the id {id} stands there twice"));
                }
            }
            if let Some(url) = words("url") {
                within("an address", url, 1, limits::BUTTON_URL)?;
            }
            if let Some(label) = words("label") {
                within("a label", label, 1, limits::BUTTON_LABEL)?;
            }
            check_options(component)?;
        }
    }
    Ok(())
}

fn check_options(component: &Value) -> Result<(), String> {
    let Some(options) = component.get("options").and_then(Value::as_array) else { return Ok(()) };
    if !(1..=limits::OPTIONS).contains(&options.len()) {
        return Err(format!("{} options", options.len()));
    }
    let mut values = BTreeSet::new();
    for option in options {
        let words = |key: &str| option.get(key).and_then(Value::as_str).unwrap_or_default();
        within("an option", words("label"), 1, limits::OPTION_LABEL)?;
        within("an option's value", words("value"), 1, limits::OPTION_VALUE)?;
        if !values.insert(words("value")) {
            return Err("two options have the same value".to_owned());
        }
    }
    within("a placeholder", component.get("placeholder").and_then(Value::as_str).unwrap_or("x"), 1, limits::PLACEHOLDER)
}

fn within(what: &str, words: &str, least: usize, most: usize) -> Result<(), String> {
    let length = limits::length(words);
    if (least..=most).contains(&length) && (least == 0 || !words.trim().is_empty()) {
        return Ok(());
    }
    Err(format!("{what} of {length}: {words:.80}"))
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is what the test is for")]
fn hostile_strings_stay_within_the_limits_in_every_template() {
    let strings = samples::hostile_strings();
    assert!(strings.len() >= 500, "{}", strings.len());
    let mut wrong = Vec::new();
    let mut screens = 0;
    for words in &strings {
        for (template, message) in samples::hostile(words) {
            let rendering = render(&message);
            screens += 1 + rendering.thread.len();
            if let Err(why) = check(&rendering) {
                wrong.push(format!("{:?} in {template}: {why}", words.chars().take(60).collect::<String>()));
            }
        }
    }
    println!("hostile strings: {} in 4 templates, {screens} messages", strings.len());
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn samples_stay_within_the_limits() {
    for (name, message) in samples::all() {
        check(&render(&message)).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

#[test]
fn hundreds_of_buttons_and_entries_stay_within_the_limits() {
    let buttons = (0..300).map(|n| Button::command(text!["Why ", n], format!("why pod p{n}"))).collect();
    let options = (0..300).map(|n| (text![name(format!("p{n}"))], Press::Token(format!("t{n}")))).collect();
    let message = Message::default()
        .with(Block::Buttons(buttons))
        .below(Block::Choice(Choice { prompt: Text::from("Which?"), options }));
    let rendering = render(&message);
    check(&rendering).unwrap();
    let whole = rendering.thread.last().and_then(|screen| screen.files.last()).expect("what has no room is in a file");
    assert!(String::from_utf8(whole.bytes.clone()).unwrap().contains("p299"));
}

fn words() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[\\x00-\\xff]{0,80}",
        "([`*_~|<>@#:\\\\\\-+.)(\\[\\]0-9 😀]|everyone|\n|\t|```){0,80}",
        ("[a-z0-9`*> 😀\n]{1,12}", 1usize..2_000).prop_map(|(part, times)| part.repeat(times)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_words_stay_within_the_limits(words in words()) {
        for (template, message) in samples::hostile(&words) {
            if let Err(why) = check(&render(&message)) {
                return Err(TestCaseError::fail(format!("{template}: {why}")));
            }
        }
    }

    #[test]
    fn any_form_stays_within_the_limits(words in words(), fields in 0usize..9, most in any::<usize>()) {
        let form = kubewhy_chat::Form {
            title: text![name(words.clone())],
            blocks: vec![Block::Paragraph(text![name(words.clone())])],
            fields: (0..fields)
                .map(|n| kubewhy_chat::Field {
                    id: format!("f{n}"),
                    label: text![name(words.clone())],
                    placeholder: text![name(words.clone())],
                    most,
                })
                .collect(),
            submit: Text::from("Do it"),
            token: "t".to_owned(),
        };
        let form = json!(modal(&form, "x"));
        let rows = form.pointer("/data/components").or_else(|| form.get("components")).and_then(Value::as_array);
        let rows = rows.expect("rows");
        prop_assert!((1..=limits::FORM_FIELDS).contains(&rows.len()));
        for input in rows.iter().filter_map(|row| row.pointer("/components/0")) {
            let length = |key: &str| limits::length(input.get(key).and_then(Value::as_str).unwrap_or("x"));
            prop_assert!((1..=limits::FORM_LABEL).contains(&length("label")));
            prop_assert!((1..=limits::FORM_PLACEHOLDER).contains(&length("placeholder")));
            prop_assert!(length("value") <= limits::FORM_VALUE);
            prop_assert!((1..=limits::CUSTOM_ID).contains(&length("custom_id")));
        }
    }
}
