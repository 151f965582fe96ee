//! What is said, and where.

use kubewhy_chat::{Block, Button, Choice, Image, Message, Press, Tone, samples};
use kubewhy_slack::render::{Rendering, render};
use kubewhy_text::{Text, name, quoted, text};
use serde_json::Value;

fn json(value: impl serde::Serialize) -> Value {
    serde_json::to_value(value).unwrap()
}

fn sample(wanted: &str) -> Message {
    samples::all().into_iter().find(|(name, _)| *name == wanted).unwrap().1
}

/// All words of rich text, plain text and cells, in order.
fn words(value: &Value) -> String {
    match value {
        Value::Array(parts) => parts.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let own = fields.get("text").and_then(Value::as_str).unwrap_or_default();
            let below: Vec<String> = ["elements", "rows", "options", "text", "label", "element"]
                .iter()
                .filter_map(|name| fields.get(*name))
                .map(words)
                .collect();
            format!("{own} {}", below.join(" "))
        }
        _ => String::new(),
    }
}

#[test]
fn a_notification_says_mark_word_and_what_is_wrong() {
    let Rendering { first, .. } = render(&sample("failing"));
    let notification = first.text.lines().next().unwrap().to_owned();
    assert_eq!(notification, "✖ failing: Secret shop/cart-db has no key \"password\"");
}

#[test]
fn buttons_carry_what_they_mean_and_where_they_stand() {
    let message = sample("failing");
    let rendering = json(render(&message).first.blocks);
    let buttons: Vec<&Value> = rendering
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block["type"] == "actions")
        .flat_map(|block| block["elements"].as_array().unwrap())
        .collect();
    let presses: Vec<&Press> = message.presses().map(|(_, press)| press).take(buttons.len()).collect();
    assert_eq!(buttons.len(), 5);
    for (index, (button, press)) in buttons.iter().zip(presses).enumerate() {
        assert_eq!(button["action_id"], format!("kubewhy-{index}"));
        assert_eq!(Press::decode(button["value"].as_str().unwrap()).as_ref(), Some(press));
    }
    let thread = json(&render(&message).thread[0].blocks).to_string();
    assert!(thread.contains("\"kubewhy-5\""), "the thread counts on: {thread}");
}

#[test]
fn commands_are_whole_and_alone_in_their_blocks() {
    let Rendering { thread, .. } = render(&sample("failing"));
    let commands: Vec<String> = json(&thread[0].blocks)
        .as_array()
        .unwrap()
        .iter()
        .filter(|block| block["elements"][0]["type"] == "rich_text_preformatted")
        .map(|block| block["elements"][0]["elements"][0]["text"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        commands,
        [
            "kubectl -n shop get secret cart-db -o jsonpath='{.data}'",
            "kubectl -n shop patch secret cart-db --type merge -p '{\"stringData\":{\"password\":\"...\"}}'",
            "kubectl -n shop rollout undo deployment/cart --to-revision=13",
        ]
    );
}

#[test]
fn foreign_words_look_like_code_wherever_they_stand_in_a_sentence() {
    let message = Message::new(Tone::Plain, text!["says ", quoted("✖ failing: all is lost"), " of ", name("cart")]);
    let blocks = json(render(&message).first.blocks);
    let elements = blocks[0]["elements"][0]["elements"].as_array().unwrap().clone();
    let code: Vec<bool> = elements.iter().map(|element| element["style"]["code"] == true).collect();
    assert_eq!(code, [false, true, false, true]);
}

#[test]
fn what_is_too_long_is_whole_in_a_file_and_the_screen_says_so() {
    let log: String = (0..3_000).map(|line| format!("line {line} of the log\n")).collect();
    let message = Message::new(Tone::Plain, Text::from("The log")).with(Block::Code(log));
    let Rendering { first, thread, files } = render(&message);
    assert_eq!(thread.len(), 0);
    let shown = words(&json(&first.blocks));
    assert!(shown.contains("line 0 of") && shown.contains("line 2999 of") && shown.contains(" more lines)"), "{shown}");
    assert!(shown.contains("in the file whole-answer.txt in the thread"), "{shown}");
    let whole = String::from_utf8(files[0].bytes.clone()).unwrap();
    assert!((0..3_000).all(|line| whole.contains(&format!("line {line} of the log\n"))));
}

#[test]
fn a_long_first_screen_goes_on_in_the_thread_with_its_buttons_left_above() {
    let message = (0..8)
        .fold(Message::new(Tone::Failing, Text::from("x")), |message, index| {
            message.with(Block::Paragraph(text![index, quoted("word ".repeat(180)), quoted("word ".repeat(180))]))
        })
        .with(Block::Buttons(vec![Button::command("Why", "why")]))
        .below(Block::Heading(Text::from("Evidence")));
    let Rendering { first, thread, files } = render(&message);
    let shown = json(&first.blocks).to_string();
    assert!(shown.contains("kubewhy-0") && shown.contains("It goes on in the thread."), "{shown}");
    let all =
        words(&json(&first.blocks)) + &thread.iter().map(|screen| words(&json(&screen.blocks))).collect::<String>();
    assert_eq!(all.matches("word").count(), 8 * 2 * 180);
    assert!(all.trim_end().ends_with("Evidence"));
    assert_eq!(files, []);
}

#[test]
fn a_menu_that_cannot_open_pages_gives_them_buttons() {
    let message = Message::new(Tone::Plain, Text::from("x")).with(Block::Choice(Choice {
        prompt: Text::from("Which?"),
        options: vec![
            (Text::from("one"), Press::Command("why one".to_owned())),
            (Text::from("page"), Press::Link("https://example.com/".to_owned())),
            (Text::from("long"), Press::Command("why ".repeat(50))),
        ],
    }));
    let shown = json(render(&message).first.blocks);
    assert!(shown.to_string().contains("\"url\":\"https://example.com/\""), "{shown}");
    assert_eq!(shown.to_string().matches("\"value\"").count(), 1);
    assert!(words(&shown).contains(": type"), "a command that no button can carry is told: {shown}");
}

#[test]
fn a_picture_is_told_in_words_and_sent_as_a_file() {
    let Rendering { first, files, .. } = render(&sample("timeline"));
    assert!(words(&json(&first.blocks)).contains("Picture: memory of container"));
    assert_eq!(files.iter().map(|file| file.name.as_str()).collect::<Vec<_>>(), ["cart-0.png"]);
    let empty = Image { file: "x.png".to_owned(), alt: Text::from("x"), png: [].as_slice().into() };
    let message = Message::new(Tone::Plain, Text::from("x")).with(Block::Image(empty));
    assert_eq!(render(&message).files, [], "Slack refuses a file without bytes");
}

#[test]
fn a_short_message_has_a_bar_of_colour_and_a_long_one_has_none() {
    let coloured = |name| render(&sample(name)).first.color.is_some();
    assert!(coloured("incident"));
    assert!(!coloured("failing"), "Slack would fold it away");
    assert!(!coloured("help"), "it speaks of no state");
    let content = json(render(&sample("incident")).first.content());
    assert_eq!(content["blocks"].as_array().unwrap().len(), 1, "the headline stays outside");
    assert_eq!(content["attachments"][0]["blocks"].as_array().unwrap().len(), 2);
}
