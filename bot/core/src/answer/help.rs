//! What works here.

use kubewhy_chat::{Block, Fact, Message, Tone};
use kubewhy_text::{Text, code, text};

use crate::commands::{ALL, Availability, Capabilities, Spec};
use crate::resolve::kinds;

/// Lists the commands that work in a place, and only those.
pub fn help(here: &Capabilities) -> Message {
    let works = |spec: &&&Spec| spec.availability(here) == Availability::Here;
    let facts = ALL
        .iter()
        .filter(works)
        .map(|spec| Fact { name: text![code(spec.usage)], value: Text::from(spec.help) })
        .collect();
    let examples = ALL.iter().filter(works).map(|spec| text![code(spec.example)]).collect();
    Message::new(Tone::Plain, text!["What works here"])
        .with(Block::Facts(facts))
        .with(Block::Context(text![
            "A name alone is looked up among all kinds: ",
            kubewhy_text::own(kinds()),
            "; short names as in kubectl."
        ]))
        .below(Block::Heading(text!["Examples"]))
        .below(Block::Points(examples))
        .below(Block::Context(text![
            "An object that is called like a command: ",
            code("why pod/logs"),
            ". Answers are worked out from what the cluster says, without a language model."
        ]))
}

/// Explains one command by its word; one that does not work here is said to come later.
pub fn help_about(word: &str, here: &Capabilities) -> Message {
    let Some(spec) = Spec::of_word(word) else { return help(here) };
    let mut facts = vec![
        Fact { name: text!["type"], value: text![code(spec.usage)] },
        Fact { name: text!["example"], value: text![code(spec.example)] },
    ];
    if !spec.aliases.is_empty() {
        facts.push(Fact { name: text!["also"], value: Text::names(spec.aliases.iter().copied(), 9) });
    }
    let message = Message::new(Tone::Plain, text![code(spec.word), ": ", spec.help]).with(Block::Facts(facts));
    match spec.availability(here) {
        Availability::Here => message,
        Availability::ComesWith(feature) => message.with(Block::Paragraph(text![
            "It comes with ",
            kubewhy_text::own(feature.to_string()),
            ", which is not here."
        ])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Feature;

    fn listed(here: &Capabilities) -> String {
        let message = help(here);
        let facts =
            message.blocks.iter().filter_map(|block| if let Block::Facts(facts) = block { Some(facts) } else { None });
        facts.flatten().map(|fact| fact.name.plain()).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn help_lists_only_what_works() {
        let console = listed(&Capabilities::console());
        assert!(console.contains("logs") && console.contains("quit") && !console.contains("silence"), "{console}");
        let chat = listed(&Capabilities::new([Feature::Incidents]));
        assert!(chat.contains("silence") && !chat.contains("logs") && !chat.contains("quit"), "{chat}");
    }

    #[test]
    fn help_about_a_command_that_comes_later_says_so() {
        let message = help_about("silence", &Capabilities::console());
        assert!(matches!(message.blocks.last(), Some(Block::Paragraph(words)) if words.plain().contains("incidents")));
    }
}
