//! Hostile words in every place of a message. The validators in `tests/validators/slack` read the same messages with eyes that
//! are not ours.

use kubewhy_chat::samples;

use crate::rules::check;

#[test]
#[expect(clippy::print_stdout, reason = "the count is what the test is for")]
fn no_hostile_string_steers_slack() {
    let strings = samples::hostile_strings();
    assert!(strings.len() >= 500, "{}", strings.len());
    let mut wrong = Vec::new();
    let mut blocks = 0;
    for words in &strings {
        for (template, message) in samples::hostile(words) {
            match check(&message) {
                Ok(count) => blocks += count,
                Err(why) => {
                    let shown: String = words.chars().take(60).collect();
                    wrong.push(format!("{shown:?} in {template}: {why:.300}"));
                }
            }
        }
    }
    println!("hostile strings: {} in 4 templates, {blocks} blocks", strings.len());
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
}

#[test]
fn the_samples_themselves_pass_the_same_check() {
    for (name, message) in samples::all() {
        check(&message).unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}
