//! What is said where it is not clear which object is meant.

use kubewhy_chat::{Block, Choice, Message, Press, Tone};
use kubewhy_text::{Text, code, name, own, quoted, text};

use super::Extras;
use crate::UserError;
use crate::commands::{Command, Explain, Feature, nearest_command};
use crate::resolve::{Candidate, ResolveError, Wanted, kinds};

/// Says why no object was found, and offers the same command about the objects that may have been meant.
pub fn unresolved(error: &ResolveError, command: &Command, extras: &Extras) -> Message {
    match error {
        ResolveError::Ambiguous { wanted, next, more } => {
            let message = Message::new(Tone::Refused, text![described(wanted), " can be several objects"]);
            let message = message.with(choice(text!["Which one?"], next, command, extras));
            if *more == 0 {
                return message;
            }
            message.with(Block::Context(text![
                "and ",
                more_of(*more),
                ": write more of the name, or the namespace with -n"
            ]))
        }
        ResolveError::NotFound { wanted, next } => {
            let message = Message::new(Tone::Refused, text![described(wanted), " was not found"]);
            if !next.is_empty() {
                return message.with(choice(text!["Did you mean"], next, command, extras));
            }
            let near = nearest_command(&wanted.name).filter(|_| wanted.kind.is_none());
            match near {
                Some(near) if extras.offers(Feature::Chat) => message.with(Block::Choice(Choice {
                    prompt: text!["Did you mean the command"],
                    options: vec![(text![code(near)], Press::Command(near.to_owned()))],
                })),
                _ => message.with(Block::Paragraph(text![
                    "Nothing has a name like it. ",
                    code("scan"),
                    " lists what is broken."
                ])),
            }
        }
        ResolveError::UnknownKind { word } => {
            Message::new(Tone::Refused, text![quoted(word.clone()), " is no kind that is known"]).with(explained())
        }
        ResolveError::UnexplainedKind { kind } => {
            Message::new(Tone::Refused, text![kind.name(), " is a kind that is not explained yet"]).with(explained())
        }
    }
}

/// `Deployment "crat" in namespace shop`, the names whole.
fn described(wanted: &Wanted) -> Text {
    let Wanted { kind, name: called, namespace, cluster } = wanted.clone();
    let kind = kind.map(|kind| text![kind.name(), " "]);
    let namespace = namespace.map(|namespace| text![" in namespace ", name(namespace)]);
    let cluster = cluster.map(|cluster| text![" on ", name(cluster)]);
    text![kind, quoted(called), namespace, cluster]
}

/// Says that an object has no pod whose log or copy could be shown, and asks why where that is pressed.
pub fn no_pod(object: &Candidate) -> Message {
    let why = Command::Explain(Explain { object: object.to_wanted() });
    UserError::new(text![shown(object), " has no pod now, so there is no log"]).meant(why.to_string()).message()
}

/// Says that an object is of a kind that has no log.
pub fn no_log(object: &Candidate) -> Message {
    UserError::new(text![shown(object), " has no log of its own"])
        .next(text!["Ask for that of a pod, or of what makes pods: ", code("logs deploy cart -n shop")])
        .message()
}

fn more_of(more: usize) -> Text {
    text![more, " more"]
}

fn explained() -> Block {
    Block::Paragraph(text!["Explained are: ", own(kinds()), "."])
}

fn choice(prompt: Text, next: &[Candidate], command: &Command, extras: &Extras) -> Block {
    if extras.offers(Feature::Chat) {
        let options = next.iter().map(|candidate| {
            let line = command.about(candidate.to_wanted()).to_string();
            (shown(candidate), Press::Command(line))
        });
        return Block::Choice(Choice { prompt, options: options.collect() });
    }
    Block::Points(next.iter().map(|candidate| text![name(candidate.to_string())]).collect())
}

/// `Deployment shop/cart on prod`.
fn shown(candidate: &Candidate) -> Text {
    let Candidate { kind, namespace, name: own_name, cluster } = candidate;
    let path = namespace.as_ref().map_or_else(|| own_name.clone(), |namespace| format!("{namespace}/{own_name}"));
    let cluster = cluster.as_ref().map(|cluster| text![" on ", name(cluster.clone())]);
    text![kind.name(), " ", name(path), cluster]
}
