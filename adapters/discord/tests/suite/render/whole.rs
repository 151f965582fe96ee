//! Nothing is lost: what is not shown is in the file, and the message says so.

use kubewhy_chat::{Block, Message, Quote, Tone, samples};
use kubewhy_discord::render::{Rendering, render};
use kubewhy_text::{Text, name, quoted, text};
use serde_json::json;

/// All that a person sees or can open.
fn all_words(rendering: &Rendering) -> String {
    let mut all = String::new();
    for screen in std::iter::once(&rendering.first).chain(&rendering.thread) {
        for embed in json!(screen.embeds).as_array().expect("a list") {
            for key in ["title", "description"] {
                all.push_str(embed.get(key).and_then(|words| words.as_str()).unwrap_or_default());
                all.push('\n');
            }
        }
        all.push_str(&json!(screen.components).to_string());
        for file in screen.files.iter().filter(|file| file.name == "whole.txt") {
            all.push_str(std::str::from_utf8(&file.bytes).unwrap());
        }
    }
    all
}

fn numbered(what: &str) -> String {
    (0..900).map(|n| format!("{what}-{n}")).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_that_a_message_says_can_be_read() {
    let message = Message::new(Tone::Failing, text!["Pod ", name("n".repeat(253)), " fails ", quoted("e".repeat(200))])
        .with(Block::Paragraph(text![quoted(format!("start {} end-of-quotation", "long ".repeat(900)))]))
        .with(Block::Points((0..400).map(|n| text!["point-", n]).collect()))
        .with(Block::Code(numbered("code")))
        .with(Block::Commands(vec![format!("kubectl {} last-word", "x ".repeat(4_000))]))
        .below(Block::Quote(Quote {
            source: Text::from("the log"),
            words: numbered("quote"),
            at: Some(samples::now()),
        }))
        .below(Block::Steps((0..300).map(|n| text!["step-", n]).collect()));
    let rendering = render(&message);
    let all = all_words(&rendering);
    for words in ["end-of-quotation", "last-word"] {
        assert!(all.contains(words), "{words} is lost");
    }
    for (what, count) in [("point", 400), ("code", 900), ("quote", 900), ("step", 300)] {
        for n in 0..count {
            assert!(all.contains(&format!("{what}-{n}")), "{what}-{n} is lost");
        }
    }
    assert!(all.contains(&"n".repeat(253)) && all.contains(&"e".repeat(200)));
}

#[test]
fn a_whole_command_can_be_copied_in_one_piece() {
    let command = format!("kubectl -n shop patch deploy cart -p '{}'", "y".repeat(1_500));
    let message = Message::default().with(Block::Commands(vec![command.clone(), command.clone(), command.clone()]));
    let rendering = render(&message);
    let shown = all_words(&rendering).lines().filter(|line| *line == command).count();
    assert_eq!(shown, 3);
}

#[test]
fn what_is_copied_has_no_sign_of_ours_in_it() {
    let message = Message::new(Tone::Failing, text!["Secret ", name("shop/cart_db")]).with(Block::Paragraph(text![
        "Pod ",
        name("a_b-*c*"),
        " of ",
        name("shop")
    ]));
    let all = all_words(&render(&message));
    assert!(all.contains("`shop/cart_db`") && all.contains("`a_b-*c*`"), "{all}");
}

#[test]
fn buttons_stay_with_the_first_screen_however_long_it_is() {
    let (_, failing) = samples::all().swap_remove(0);
    let mut long = failing.clone();
    long.blocks.insert(1, Block::Code("a line of the log\n".repeat(300)));
    let (short, long) = (render(&failing), render(&long));
    assert_eq!(short.first.components, long.first.components);
    assert!(!short.first.components.is_empty());
}

#[test]
fn a_prompt_is_said_once_and_whole() {
    let choice = |prompt: &'static str| {
        let options = vec![(Text::from("a"), kubewhy_chat::Press::Token("t".to_owned()))];
        let rendering = render(
            &Message::default().with(Block::Choice(kubewhy_chat::Choice { prompt: Text::from(prompt), options })),
        );
        all_words(&rendering).matches(prompt.get(..20).unwrap()).count()
    };
    assert_eq!(choice("Which of these is it?"), 1);
    let long: &'static str = "Which of these is it, of all those that there are in all the namespaces of all the clusters that \
                              this channel is about, each with all its pods and their containers, the last one included?";
    assert_eq!(choice(long), 2, "cut in the menu, whole above it");
}
