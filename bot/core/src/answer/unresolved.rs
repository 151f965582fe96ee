//! What is said where it is not clear which object is meant.

use kubewhy_chat::{Block, Choice, Message, Press, Tone};
use kubewhy_text::{Text, code, name, own, quoted, text};

use super::Extras;
use crate::UserError;
use crate::commands::{Command, Explain, Feature, nearest_command, short};
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
            let near = nearest_command(&wanted.name).filter(|_| wanted.is_bare());
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
        ResolveError::UnknownKind { word, nearest, unread } => unknown_kind(word, nearest, unread.as_deref(), command),
    }
}

/// `Deployment "crat" in namespace shop`, the names whole.
fn described(wanted: &Wanted) -> Text {
    let Wanted { kind, word, name: called, namespace, cluster } = wanted.clone();
    let word = word.filter(|_| kind.is_none()).map(|word| text![name(word), " "]);
    let kind = kind.map(|kind| text![kind.name(), " "]).or(word);
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

/// Says that a word is no kind, and what it may have been: another kind, a command, or a namespace.
fn unknown_kind(word: &str, nearest: &[String], unread: Option<&str>, command: &Command) -> Message {
    let mut error = UserError::new(text![quoted(short(word)), " is no kind that is known"]);
    let unread = unread.map(|why| text![" The cluster's own kinds could not be read: ", quoted(why.to_owned()), "."]);
    error = error.next(text!["Explained are: ", own(kinds()), ".", unread]);
    let Some(object) = command.wanted() else { return error.message() };
    let place = Wanted { word: None, kind: None, name: String::new(), ..object.clone() }.to_string();
    let is_explained = matches!(command, Command::Explain(_));
    if let Some(near) = nearest_command(word).filter(|_| is_explained) {
        return error.meant(format!("{near} {}{place}", object.name)).message();
    }
    for kind in nearest {
        let other = Wanted { word: Some(kind.clone()), ..object.clone() };
        error = error.meant(command.about(other).to_string());
    }
    if nearest.is_empty() && object.namespace.is_none() {
        // `shop cart` may have been meant as `shop/cart`.
        let path = format!("{}/{}", word.to_ascii_lowercase(), object.name);
        let other = Wanted { word: None, name: path, ..object };
        error = error.meant(command.about(other).to_string());
    }
    error.message()
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
