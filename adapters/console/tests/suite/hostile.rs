//! Hostile words in every place of a message, on a terminal.

use std::ops::RangeInclusive;

use kubewhy_chat::{Message, Tone, samples};
use kubewhy_console::{Details, LONGEST_LINE, View, render, thread};
use proptest::prelude::*;

use crate::screen::{Screen, looks_like_ours, width};

/// Checks what a terminal shows of a message and of its thread alone, and says what is wrong with it.
fn check(message: &Message, view: &View) -> Result<usize, String> {
    let first_screen = Message { thread: Vec::new(), ..message.clone() }.presses().count();
    let all = message.presses().count();
    let shown = if view.details == Details::Below { first_screen } else { all };
    let whole = check_lines(&render(message, view), view, Some(message.tone), 1..=shown)?;
    let more = check_lines(&thread(message, view), view, None, first_screen + 1..=all)?;
    Ok(whole + more)
}

/// Checks lines, of which the first is a headline if there is a tone, and in which the buttons have these numbers.
fn check_lines(sent: &str, view: &View, tone: Option<Tone>, presses: RangeInclusive<usize>) -> Result<usize, String> {
    let screen = Screen::read(sent);
    if let Some(wrong) = screen.wrong.first() {
        return Err(wrong.clone());
    }
    if !view.colour && !view.hyperlinks && screen.sequences > 0 {
        return Err("an escape sequence in plain text".to_owned());
    }
    let mut numbers = Vec::new();
    for (index, line) in screen.lines.iter().enumerate() {
        if width(line) > view.width.max(LONGEST_LINE) {
            return Err(format!("a line of {} columns", width(line)));
        }
        for row in Screen::rows(line, view.width).iter().skip(1) {
            if looks_like_ours(row) {
                return Err(format!("where the terminal breaks it, a line goes on with {row:?}"));
            }
        }
        let headline = tone.filter(|_| index == 0);
        if headline == Some(Tone::Plain) && looks_like_ours(line) {
            return Err(format!("the headline passes for another: {line:?}"));
        }
        if headline.is_some() || line.is_empty() || line.starts_with("  ") {
            continue;
        }
        if !line.starts_with('[') {
            return Err(format!("a line in the first column that is not ours: {line:?}"));
        }
        numbers.extend(numbers_in(line));
    }
    if numbers != presses.collect::<Vec<_>>() {
        return Err(format!("the numbers are {numbers:?}"));
    }
    Ok(screen.lines.len())
}

/// All `[n]` of a line.
fn numbers_in(line: &str) -> Vec<usize> {
    line.split('[').skip(1).filter_map(|part| part.split_once(']')?.0.parse().ok()).collect()
}

fn views() -> Vec<View> {
    let plain = |width| View { width, now: Some(samples::now()), ..View::default() };
    vec![
        plain(20),
        View { details: Details::Below, ..plain(40) },
        View { colour: true, hyperlinks: true, ..plain(80) },
        plain(120),
    ]
}

#[test]
#[expect(clippy::print_stdout, reason = "the count is what the test is for")]
fn no_hostile_string_steers_the_terminal_or_passes_for_words_of_ours() {
    let strings = samples::hostile_strings();
    assert!(strings.len() >= 500, "{}", strings.len());
    let mut wrong = Vec::new();
    let mut lines = 0;
    for words in &strings {
        for (template, message) in samples::hostile(words) {
            for view in views() {
                match check(&message, &view) {
                    Ok(count) => lines += count,
                    Err(why) => {
                        let shown: String = words.chars().take(60).collect();
                        wrong.push(format!("{shown:?} in {template} at {}: {why:.200}", view.width));
                    }
                }
            }
        }
    }
    println!("hostile strings: {} in 4 templates at 4 views, {lines} lines", strings.len());
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn the_samples_themselves_pass_the_same_check() {
    for (name, message) in samples::all() {
        for view in views() {
            check(&message, &view).unwrap_or_else(|why| panic!("{name} at {}: {why}", view.width));
        }
    }
}

#[test]
fn details_have_the_numbers_that_they_have_in_the_whole_message() {
    let (_, message) = samples::all().swap_remove(0);
    let view = View { first_press: 4, ..View::default() };
    let shown = thread(&message, &view);
    assert!(shown.contains("[9] Runbook"), "{shown}");
}

#[test]
fn an_address_that_could_end_a_link_is_not_linked() {
    let view = View { hyperlinks: true, ..View::default() };
    for (address, linked) in [
        ("https://runbooks.example.com/x?a=1&b=2#c", true),
        ("https://e\u{1b}\\x", false),
        ("https://e\u{7}", false),
        ("https://e x", false),
        ("javascript:alert(1)", false),
        ("file:///etc/passwd", false),
    ] {
        let button = kubewhy_chat::Button {
            label: "Runbook".into(),
            press: kubewhy_chat::Press::Link(address.to_owned()),
            style: kubewhy_chat::Style::Normal,
        };
        let message = Message::default().with(kubewhy_chat::Block::Buttons(vec![button]));
        assert_eq!(render(&message, &view).contains("\u{1b}]8;;"), linked, "{address:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_at_any_width_stays_within_its_bounds(
        words in prop_oneof![
            any::<String>(),
            "[\\x00-\\xff]{0,80}",
            "([\\[\\]0-9 >$✔✖!?…]|healthy|\n|\t|\u{a0}|\u{1b}\\[){0,60}",
            ("[a-z0-9\\[\\]>✔ ]{1,12}", 1usize..400).prop_map(|(part, times)| part.repeat(times)),
        ],
        width in 20usize..250,
        colour: bool,
    ) {
        let view = View { width, colour, hyperlinks: colour, now: Some(samples::now()), ..View::default() };
        for (template, message) in samples::hostile(&words) {
            if let Err(why) = check(&message, &view) {
                return Err(TestCaseError::fail(format!("{template}: {why}")));
            }
        }
    }
}
